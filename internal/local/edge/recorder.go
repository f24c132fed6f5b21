package edge

import (
	"io"
	"net/http"
)

// recorder notes what was answered, for the log.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64

	before       func(http.Header) // changes the headers at the last moment; nil: nothing does
	visitor      visitor
	originStatus int // 0: no origin was asked
}

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 && status >= 200 {
		r.status = status
		if r.before != nil {
			r.before(r.Header())
		}
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	r.note()
	n, err := r.ResponseWriter.Write(b)
	r.bytes += int64(n)
	return n, err
}

// ReadFrom keeps the server's own way to copy, which reuses its buffers.
func (r *recorder) ReadFrom(src io.Reader) (int64, error) {
	r.note()
	n, err := io.Copy(r.ResponseWriter, src)
	r.bytes += n
	return n, err
}

func (r *recorder) note() {
	if r.status == 0 {
		r.WriteHeader(http.StatusOK)
	}
}

// Unwrap lets http.ResponseController reach the server's writer.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
