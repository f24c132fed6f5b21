package runtime

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"context"
	"errors"
	"fmt"
	"io"
)

// codec compresses or decompresses a stream piece by piece, for the code's
// CompressionStream and DecompressionStream.
type codec interface {
	// write takes a piece and returns what comes of it so far.
	write(p []byte) ([]byte, error)
	// end returns the rest.
	end() ([]byte, error)
}

// code gives a piece to the codec of a number, which the first piece makes; no
// piece ends it.
func (j *job) code(c call) (task, error) {
	one, ok := j.codecs[c.first]
	if !ok {
		var err error
		if one, err = newCodec(j.ctx, c.second, j.cfg.Limits.Body); err != nil {
			return nil, err
		}
		if j.codecs == nil {
			j.codecs = map[string]codec{}
		}
		j.codecs[c.first] = one
	}
	if c.value.kind == kindNone {
		delete(j.codecs, c.first)
		return simple(func() (value, error) {
			rest, err := one.end()
			return bytesValue(rest), err
		}), nil
	}
	piece, err := c.value.bytes()
	if err != nil {
		return nil, err
	}
	return simple(func() (value, error) {
		out, err := one.write(piece)
		return bytesValue(out), err
	}), nil
}

// newCodec makes a codec of a kind such as "compress gzip". A decompressor lives
// until ctx ends, and gives at most so many bytes for one piece.
func newCodec(ctx context.Context, kind string, limit int64) (codec, error) {
	var b bytes.Buffer
	switch kind {
	case "compress gzip":
		return newCompressor(&b, func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }), nil
	case "compress deflate":
		return newCompressor(&b, func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) }), nil
	case "compress deflate-raw":
		w, err := flate.NewWriter(&b, flate.DefaultCompression)
		return &compressor{w, &b}, err
	case "decompress gzip":
		return newDecompressor(ctx, limit, func(r *pieces) (io.Reader, error) {
			z, err := gzip.NewReader(r)
			if err == nil {
				z.Multistream(false)
			}
			return z, err
		}), nil
	case "decompress deflate":
		return newDecompressor(ctx, limit, func(r *pieces) (io.Reader, error) { return zlib.NewReader(r) }), nil
	case "decompress deflate-raw":
		return newDecompressor(ctx, limit, func(r *pieces) (io.Reader, error) { return flate.NewReader(r), nil }), nil
	}
	return nil, fmt.Errorf("unknown codec %q", kind)
}

// compressor writes into a buffer that is emptied after each piece.
type compressor struct {
	w io.WriteCloser
	b *bytes.Buffer
}

func newCompressor(b *bytes.Buffer, of func(io.Writer) io.WriteCloser) *compressor {
	return &compressor{of(b), b}
}

func (c *compressor) write(p []byte) ([]byte, error) {
	_, err := c.w.Write(p)
	return c.take(), err
}

func (c *compressor) end() ([]byte, error) {
	err := c.w.Close()
	return c.take(), err
}

func (c *compressor) take() []byte {
	out := bytes.Clone(c.b.Bytes())
	c.b.Reset()
	return out
}

// decompressor runs a reader on a goroutine of its own, which stops whenever it
// has used up what was given to it.
type decompressor struct {
	ctx    context.Context
	in     chan []byte // a piece; nil is the end
	out    chan decompressed
	failed error
}

// decompressed is what came of a piece.
type decompressed struct {
	bytes []byte
	err   error
}

var (
	errCutShort = errors.New("the compressed data ends too early")
	errTrailing = errors.New("there is more after the end of the compressed data")
	errTooLarge = errors.New("a piece of the compressed data makes more than a routine may hold")
)

func newDecompressor(ctx context.Context, limit int64, of func(*pieces) (io.Reader, error)) *decompressor {
	d := &decompressor{ctx: ctx, in: make(chan []byte), out: make(chan decompressed)}
	source := &pieces{d: d, limit: limit}
	go source.run(of)
	return d
}

func (d *decompressor) write(p []byte) ([]byte, error) {
	if len(p) == 0 {
		return nil, d.failed
	}
	return d.give(p)
}

func (d *decompressor) end() ([]byte, error) { return d.give(nil) }

func (d *decompressor) give(p []byte) ([]byte, error) {
	if d.failed != nil {
		return nil, d.failed
	}
	select {
	case d.in <- p:
	case <-d.ctx.Done():
		return nil, d.ctx.Err()
	}
	select {
	case got := <-d.out:
		d.failed = got.err
		return got.bytes, got.err
	case <-d.ctx.Done():
		return nil, d.ctx.Err()
	}
}

// pieces is what a decompressor's reader reads: the pieces, one after the other.
// It reads byte by byte where the format needs it, so that it never takes more
// than the compressed data has.
type pieces struct {
	d     *decompressor
	limit int64
	have  []byte
	begun bool
	made  bytes.Buffer // since the last piece was given
}

// next waits for a piece, after handing over what the one before made.
func (p *pieces) next() error {
	if p.begun {
		if !p.hand(nil) {
			return p.d.ctx.Err()
		}
	}
	p.begun = true
	select {
	case p.have = <-p.d.in:
		if p.have == nil {
			return io.EOF
		}
		return nil
	case <-p.d.ctx.Done():
		return p.d.ctx.Err()
	}
}

// hand gives the code what was made.
func (p *pieces) hand(err error) bool {
	out := decompressed{bytes.Clone(p.made.Bytes()), err}
	p.made.Reset()
	select {
	case p.d.out <- out:
		return true
	case <-p.d.ctx.Done():
		return false
	}
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.have) == 0 {
		if err := p.next(); err != nil {
			return 0, err
		}
	}
	n := copy(b, p.have)
	p.have = p.have[n:]
	return n, nil
}

func (p *pieces) ReadByte() (byte, error) {
	var b [1]byte
	_, err := p.Read(b[:])
	return b[0], err
}

// run decompresses until the data ends or is found wrong. After its end only the
// end of the pieces is left to come.
func (p *pieces) run(of func(*pieces) (io.Reader, error)) {
	err := p.decompress(of)
	switch {
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		err = errCutShort
	case err == nil && len(p.have) > 0:
		err = errTrailing
	case err == nil:
		if err = p.next(); err == nil {
			err = errTrailing
		} else if errors.Is(err, io.EOF) {
			err = nil
		}
	}
	p.hand(err)
}

func (p *pieces) decompress(of func(*pieces) (io.Reader, error)) error {
	r, err := of(p)
	if err != nil {
		return err
	}
	buf := make([]byte, 32<<10)
	for {
		n, err := r.Read(buf)
		p.made.Write(buf[:n])
		switch {
		case int64(p.made.Len()) > p.limit:
			return errTooLarge
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}
