package pages

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"

	"github.com/klauspost/compress/flate"
)

// Open reads the archive from its start: ZipSize bytes, the same every time.
// Reading fails with a *ChangedError if a file is no longer what Plan saw, and
// with the context's error once that is done; what was read before an error is
// not a whole archive. The reader is for one goroutine and must be closed.
func (a *Archive) Open(ctx context.Context) (io.ReadCloser, error) {
	root, err := a.openRoot()
	if err != nil {
		return nil, err
	}
	s := &stream{ctx: ctx, a: a, root: root}
	s.zip = zip.NewWriter(&s.buf)
	return s, nil
}

var errClosed = errors.New("read the archive: it is closed")

// stream writes the archive into buf as fast as buf is read, so memory does not
// depend on the size of the folder and no goroutine is left behind by a reader
// that stops early.
type stream struct {
	ctx  context.Context // of the whole reader, as with a request's body
	a    *Archive
	root *os.Root
	zip  *zip.Writer
	buf  bytes.Buffer
	err  error // what Read answers once buf is empty

	next  int // index of the entry after cur
	cur   *source
	out   io.Writer // takes the packed bytes of cur
	left  int64     // of cur, still to be read
	crc   uint32
	count counter // packed bytes of cur so far

	chunk []byte
	flate *flate.Writer
}

// Read implements io.Reader.
func (s *stream) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	for s.buf.Len() == 0 {
		if s.err != nil {
			return 0, s.err
		}
		if err := s.ctx.Err(); err != nil {
			s.err = fmt.Errorf("send the archive: %w", err)
			continue
		}
		s.err = s.step()
	}
	return s.buf.Read(b)
}

// Close implements io.Closer. Reading afterwards fails.
func (s *stream) Close() error {
	s.err = errClosed
	s.buf.Reset()
	s.closeEntry()
	if s.root == nil {
		return nil
	}
	root := s.root
	s.root = nil
	return root.Close()
}

func (s *stream) closeEntry() {
	if s.cur != nil {
		s.cur.close()
		s.cur = nil
	}
}

// step writes the next piece: a chunk of the file at hand, the next file's
// header, or the directory at the end.
func (s *stream) step() error {
	switch {
	case s.cur != nil:
		return s.feed()
	case s.next < len(s.a.entries):
		s.next++
		return s.start(&s.a.entries[s.next-1])
	}
	if err := s.zip.Close(); err != nil {
		return fmt.Errorf("end the archive: %w", err)
	}
	return io.EOF
}

// start opens an entry. One whose packed bytes were kept is done at once, after
// a look whether the file is still the same.
func (s *stream) start(e *entry) error {
	src, err := openEntry(s.a, s.root, e)
	if err != nil {
		return err
	}
	w, err := s.zip.CreateRaw(e.header())
	if err != nil {
		src.close()
		return fmt.Errorf("begin %s in the archive: %w", e.path, err)
	}
	if e.kept != nil {
		src.close()
		_, err = w.Write(e.kept)
		return err
	}
	s.cur, s.left, s.crc, s.count = src, e.size, 0, 0
	s.out = io.MultiWriter(w, &s.count)
	if e.method == zip.Deflate {
		return s.resetFlate()
	}
	return nil
}

func (s *stream) resetFlate() (err error) {
	if s.flate == nil {
		if s.flate, err = flate.NewWriter(s.out, level); err != nil {
			return fmt.Errorf("prepare compression: %w", err)
		}
		return nil
	}
	s.flate.Reset(s.out)
	return nil
}

// feed writes one chunk of the current file, and after the last one makes sure
// that what was written is what was announced.
func (s *stream) feed() error {
	e := s.cur.e
	if s.left == 0 {
		return s.finish()
	}
	if s.chunk == nil {
		s.chunk = make([]byte, chunkSize)
	}
	part := s.chunk[:min(s.left, chunkSize)]
	if err := s.cur.read(part); err != nil {
		return err
	}
	s.left -= int64(len(part))
	s.crc = crc32.Update(s.crc, crc32.IEEETable, part)
	out := s.out
	if e.method == zip.Deflate {
		out = s.flate
	}
	if _, err := out.Write(part); err != nil {
		return fmt.Errorf("write %s to the archive: %w", e.path, err)
	}
	return nil
}

func (s *stream) finish() error {
	e := s.cur.e
	if err := s.cur.unchanged(); err != nil {
		return err
	}
	if s.crc != e.crc {
		return &ChangedError{Path: e.path}
	}
	if e.method == zip.Deflate {
		if err := s.flate.Close(); err != nil {
			return fmt.Errorf("write %s to the archive: %w", e.path, err)
		}
	}
	if int64(s.count) != e.packed {
		return &ChangedError{Path: e.path}
	}
	s.closeEntry()
	return nil
}
