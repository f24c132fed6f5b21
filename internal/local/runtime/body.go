package runtime

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"unicode/utf8"
)

// smallBody is the size up to which a request's body goes to the code at once.
const smallBody = 64 << 10

// requestBody is the body of the incoming request: read already if it is small,
// to be read when the code asks for it otherwise.
type requestBody struct {
	small []byte
	rest  io.ReadCloser // nil: there is none, or it is small
}

func (b *requestBody) open(r *http.Request) error {
	switch {
	case r.Body == nil || r.Body == http.NoBody || r.ContentLength == 0:
	case r.ContentLength > 0 && r.ContentLength <= smallBody:
		b.small = make([]byte, r.ContentLength)
		if _, err := io.ReadFull(r.Body, b.small); err != nil {
			return fmt.Errorf("read the request's body: %w", err)
		}
	default:
		b.rest = r.Body
	}
	return nil
}

// dispatchArgs are the request as the web layer takes it.
func (j *job) dispatchArgs() []any {
	r := j.request
	v := value{}
	switch {
	case j.body.small != nil && utf8.Valid(j.body.small):
		v = textValue(string(j.body.small))
	case j.body.small != nil:
		v = bytesValue(j.body.small)
	case j.body.rest != nil:
		v = j.bodies.add(&body{Reader: j.body.rest, length: r.ContentLength})
	}
	return []any{r.Method, requestURL(r), "host\n" + r.Host + "\n" + flatten(r.Header), v.kind, v.text}
}

// requestURL is the URL that the visitor asked for.
func requestURL(r *http.Request) string {
	if r.URL.IsAbs() {
		return r.URL.String()
	}
	scheme := "http://"
	if r.TLS != nil {
		scheme = "https://"
	}
	return scheme + r.Host + r.URL.RequestURI()
}

// body is one that Go holds for the code: of the request, or of a response to a
// fetch.
type body struct {
	io.Reader
	length int64  // -1: unknown
	done   func() // lets go of what it comes from, may be nil
}

func (b *body) Close() error {
	if b.done != nil {
		b.done()
	}
	return nil
}

// bodies are those of one job, by number. Only the goroutine that runs the
// machine uses them.
type bodies struct {
	all  map[int]*body
	last int
}

func (b *bodies) add(one *body) value {
	if b.all == nil {
		b.all = map[int]*body{}
	}
	b.last++
	b.all[b.last] = one
	return value{kindHandle, strconv.Itoa(b.last)}
}

// take hands a body over to the caller, who closes it.
func (b *bodies) take(handle string) (*body, error) {
	n, err := strconv.Atoi(handle)
	one := b.all[n]
	if err != nil || one == nil {
		return nil, errors.New("the body was closed")
	}
	delete(b.all, n)
	return one, nil
}

// get returns a body that stays.
func (b *bodies) get(handle string) (*body, error) {
	n, err := strconv.Atoi(handle)
	if one := b.all[n]; err == nil && one != nil {
		return one, nil
	}
	return nil, errors.New("the body was closed")
}

func (b *bodies) closeAll() {
	for _, one := range b.all {
		_ = one.Close() // it has no errors
	}
	b.all = nil
}

// readWhole reads a body that code wants in one piece.
func readWhole(b *body, most int64) ([]byte, error) {
	defer b.Close()
	got, err := io.ReadAll(io.LimitReader(b, most+1))
	if err != nil {
		return nil, err
	}
	if int64(len(got)) > most {
		return nil, fmt.Errorf("the body is larger than %d bytes: read it as a stream", most)
	}
	return got, nil
}

// output is the body of a response that the code streams.
type output struct {
	chunks chan []byte
	closed chan struct{} // the reader is gone
	ended  chan struct{} // the writer is done
	err    error         // set before ended is closed; nil: the body is complete
	once   sync.Once     // for ended
	gone   sync.Once     // for closed
	rest   []byte
	whole  atomic.Bool // the reader has got all of it
	onGone func()      // the reader left before that
	heard  atomic.Bool // the code was told so
}

func newOutput(onGone func()) *output {
	return &output{chunks: make(chan []byte), closed: make(chan struct{}), ended: make(chan struct{}), onGone: onGone}
}

// write waits until the reader takes the chunk.
func (o *output) write(chunk []byte) error {
	if len(chunk) == 0 {
		return nil
	}
	select {
	case o.chunks <- chunk:
		return nil
	case <-o.closed:
		o.heard.Store(true)
		return errGone
	case <-o.ended:
		return errors.New("the response has ended")
	}
}

// fail ends the body, complete if err is nil. Only the first call counts: it
// reports true.
func (o *output) fail(err error) (first bool) {
	o.once.Do(func() {
		o.err, first = err, true
		close(o.ended)
	})
	return first
}

func (o *output) Read(p []byte) (int, error) {
	if len(o.rest) == 0 {
		select {
		case o.rest = <-o.chunks:
		case <-o.ended:
			if o.err != nil {
				return 0, o.err
			}
			o.whole.Store(true)
			return 0, io.EOF
		case <-o.closed:
			return 0, errors.New("read of a closed body")
		}
	}
	n := copy(p, o.rest)
	o.rest = o.rest[n:]
	return n, nil
}

func (o *output) Close() error {
	o.gone.Do(func() {
		close(o.closed)
		if !o.whole.Load() {
			o.onGone()
		}
	})
	return nil
}

// textBody is a body that is there in one piece.
type textBody struct{ *strings.Reader }

func (textBody) Close() error { return nil }
