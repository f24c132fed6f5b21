package esa

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"sync"
)

// envelope is what surrounds the content of a multipart form.
type envelope struct {
	before, after []byte
	contentType   string
}

// enclose writes the form around a file that comes last: the object store
// ignores fields after it.
func enclose(form PostForm, name string) (envelope, error) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, f := range form.Fields {
		if err := w.WriteField(f.Name, f.Value); err != nil {
			return envelope{}, fmt.Errorf("write form field %s: %w", f.Name, err)
		}
	}
	if form.FileName != "" {
		name = form.FileName
	}
	if name == "" {
		name = "file"
	}
	if _, err := w.CreateFormFile("file", name); err != nil {
		return envelope{}, fmt.Errorf("write form: %w", err)
	}
	before := bytes.Clone(b.Bytes())
	b.Reset()
	if err := w.Close(); err != nil {
		return envelope{}, fmt.Errorf("write form: %w", err)
	}
	return envelope{before: before, after: bytes.Clone(b.Bytes()), contentType: w.FormDataContentType()}, nil
}

var (
	errTooShort = errors.New("it ended early")
	errTooLong  = errors.New("it goes on after the announced size")
)

// formBody streams a form. It remembers whether the content failed, as the HTTP
// library mixes that up with a failing connection.
type formBody struct {
	reader  io.Reader
	content io.Closer
	once    sync.Once
	closed  chan struct{}

	mu  sync.Mutex
	err error
}

// newFormBody puts the parts in a row. moved is called with the content's bytes
// so far.
func newFormBody(e envelope, content io.ReadCloser, size int64, moved func(int64)) *formBody {
	b := &formBody{content: content, closed: make(chan struct{})}
	exact := &exactReader{r: content, left: size, size: size, moved: moved, failed: b.fail}
	b.reader = io.MultiReader(bytes.NewReader(e.before), exact, bytes.NewReader(e.after))
	return b
}

func (b *formBody) Read(p []byte) (int, error) { return b.reader.Read(p) }

// Close is called by the HTTP library when it will read no more, at times after
// the answer was delivered.
func (b *formBody) Close() error {
	var err error
	b.once.Do(func() {
		err = b.content.Close()
		close(b.closed)
	})
	return err
}

// wait returns when the body is no longer read, so that the content may be
// opened anew or go away.
func (b *formBody) wait(ctx context.Context) {
	select {
	case <-b.closed:
	case <-ctx.Done():
	}
}

func (b *formBody) fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err == nil {
		b.err = err
	}
}

// contentErr is why the content could not be read whole, or nil.
func (b *formBody) contentErr() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err
}

// exactReader reads exactly size bytes and makes sure that there are no more,
// before the form is completed.
type exactReader struct {
	r          io.Reader
	left, size int64
	ended      bool
	moved      func(int64)
	failed     func(error)
}

func (e *exactReader) Read(p []byte) (int, error) {
	if e.left == 0 {
		return 0, e.end()
	}
	n, err := e.r.Read(p[:min(int64(len(p)), e.left)])
	e.left -= int64(n)
	if n > 0 {
		e.moved(e.size - e.left)
	}
	if err == io.EOF {
		if e.left > 0 {
			err = fmt.Errorf("%w, after %d of %d bytes", errTooShort, e.size-e.left, e.size)
		} else {
			e.ended, err = true, nil
		}
	}
	if err != nil {
		e.failed(err)
	}
	return n, err
}

// end probes for one byte too many.
func (e *exactReader) end() error {
	var probe [1]byte
	for tries := 0; !e.ended && tries < 100; tries++ {
		n, err := e.r.Read(probe[:])
		switch {
		case n > 0:
			err = fmt.Errorf("%w of %d bytes", errTooLong, e.size)
			e.failed(err)
			return err
		case err == io.EOF:
			e.ended = true
		case err != nil:
			e.failed(err)
			return err
		}
	}
	if !e.ended {
		e.failed(io.ErrNoProgress)
		return io.ErrNoProgress
	}
	return io.EOF
}
