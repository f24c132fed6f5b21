package mcpserver

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
)

// inputLine is one line of the client.
type inputLine struct {
	text    []byte
	tooLong bool
}

// readLines sends every line that is not blank to lines, and closes it at the end
// of the input or when ctx ends. The last line needs no line feed.
func readLines(ctx context.Context, in io.Reader, limit int, lines chan<- inputLine) error {
	defer close(lines)
	r := bufio.NewReaderSize(in, 64<<10)
	for {
		text, tooLong, err := readLine(r, limit)
		text = bytes.TrimSpace(text)
		if tooLong || len(text) > 0 {
			select {
			case lines <- inputLine{text, tooLong}:
			case <-ctx.Done():
				return nil
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// readLine returns one line. Of a line longer than limit nothing is kept: it is
// read to its end and dropped, so that memory stays bounded.
func readLine(r *bufio.Reader, limit int) (line []byte, tooLong bool, err error) {
	for {
		chunk, err := r.ReadSlice('\n')
		if !tooLong {
			if len(line)+len(chunk) > limit+1 { // the line feed is not counted
				line, tooLong = nil, true
			} else {
				line = append(line, chunk...)
			}
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, tooLong, err
		}
	}
}
