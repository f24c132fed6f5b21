package edge

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// recorder notes what was answered, for the log, and changes it at the last
// moment as the site's configuration says.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64

	before func(http.Header) // changes the headers; nil: nothing does
	// compress returns what compresses the answer, nil if nothing is to; it may be
	// nil itself.
	compress func(h http.Header, status int, to io.Writer) encoder
	encoder  encoder
	after    []func(status int) // are told the status of the answer

	began        time.Time
	visitor      visitor
	originStatus int          // 0: no origin was asked
	received     atomic.Int64 // bytes of the request's body
	open         bool         // the request has a body, and came by HTTP/1
	awaited      bool         // the visitor waits before he sends it
	ended        atomic.Bool  // the request's body has been read to its end
}

// keepReading has to come before an answer that may go on while the request's body
// does. The server throws away what is left of a body when the answer begins, unless
// the connection ends with the answer; and a visitor who waits to be told to send his
// body is not told after that.
func (r *recorder) keepReading() {
	if !r.open || r.ended.Load() {
		return
	}
	if r.awaited && r.received.Load() == 0 {
		r.ResponseWriter.WriteHeader(http.StatusContinue)
	}
	r.Header().Set("Connection", "close")
}

// Hijack hands over the connection of a visitor who changes the protocol.
func (r *recorder) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	if r.status == 0 {
		r.status = http.StatusSwitchingProtocols
	}
	return http.NewResponseController(r.ResponseWriter).Hijack()
}

// countedBody notes what is read of a request's body.
type countedBody struct {
	io.ReadCloser
	r *recorder
}

func (c countedBody) Read(b []byte) (int, error) {
	n, err := c.ReadCloser.Read(b)
	c.r.received.Add(int64(n))
	if err == io.EOF {
		c.r.ended.Store(true)
	}
	return n, err
}

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 && status >= 200 {
		r.status = status
		if r.before != nil {
			r.before(r.Header())
		}
		noGuess(r.Header())
		if r.compress != nil {
			r.encoder = r.compress(r.Header(), status, counter{r})
		}
	}
	r.ResponseWriter.WriteHeader(status)
}

// noGuess keeps the server from making up a content type.
func noGuess(h http.Header) {
	if _, ok := h["Content-Type"]; !ok {
		h["Content-Type"] = nil
	}
}

func (r *recorder) Write(b []byte) (int, error) {
	r.note()
	if r.encoder != nil {
		return r.encoder.Write(b)
	}
	return counter{r}.Write(b)
}

// ReadFrom keeps the server's own way to copy, which reuses its buffers.
func (r *recorder) ReadFrom(src io.Reader) (int64, error) {
	r.note()
	if r.encoder != nil {
		return io.Copy(r.encoder, src)
	}
	n, err := io.Copy(r.ResponseWriter, src)
	r.bytes += n
	return n, err
}

// FlushError sends what was written so far.
func (r *recorder) FlushError() error {
	r.note()
	if r.encoder != nil {
		if err := r.encoder.Flush(); err != nil {
			return err
		}
	}
	return http.NewResponseController(r.ResponseWriter).Flush()
}

// finish ends an answer.
func (r *recorder) finish() error {
	for _, tell := range r.after {
		tell(r.status)
	}
	if r.encoder == nil {
		return nil
	}
	return r.encoder.Close()
}

func (r *recorder) note() {
	if r.status == 0 {
		r.WriteHeader(http.StatusOK)
	}
}

// Unwrap lets http.ResponseController reach the server's writer.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// counter counts what goes to the visitor.
type counter struct{ r *recorder }

func (c counter) Write(b []byte) (int, error) {
	n, err := c.r.ResponseWriter.Write(b)
	c.r.bytes += int64(n)
	return n, err
}
