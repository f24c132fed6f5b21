package fault

import (
	"bytes"
	"net/http"
	"strconv"
)

// Write sends an answer as the drop lets it through. A connection that is to be
// cut ends by a panic with http.ErrAbortHandler, as net/http wants it.
func (in Injection) Write(w http.ResponseWriter, r *http.Request, status int, body []byte) error {
	if !wait(r.Context(), in.after) {
		panic(http.ErrAbortHandler)
	}
	if in.Drop == DropHalf {
		w.Header().Set("Content-Length", strconv.Itoa(max(len(body), 1)))
		w.WriteHeader(status)
		w.Write(body[:len(body)/2])
		// An answer that is sent is no longer net/http's to take back.
		http.NewResponseController(w).Flush()
	}
	if in.Drop != "" {
		panic(http.ErrAbortHandler)
	}
	w.WriteHeader(status)
	_, err := w.Write(body)
	return err
}

// Uploads puts the faults of uploads before the object storage. refuse answers a
// refusal as that does.
func (s *Set) Uploads(next http.Handler, refuse func(w http.ResponseWriter, r *http.Request, status int, code, message string)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		in := s.Call(Call{Action: Upload})
		if !in.Before(r.Context()) {
			panic(http.ErrAbortHandler)
		}
		if in == (Injection{before: in.before}) {
			next.ServeHTTP(w, r)
			return
		}
		kept := &recorder{header: w.Header(), status: http.StatusOK}
		if in.Code == "" || in.After {
			next.ServeHTTP(kept, r.WithContext(in.Carry(r.Context())))
		}
		if in.Code != "" {
			kept.body.Reset()
			refuse(kept, r, in.Status, in.Code, in.Message)
		}
		// A client that is gone needs no answer.
		_ = in.Write(w, r, kept.status, kept.body.Bytes())
	})
}

// recorder keeps an answer back.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(b []byte) (int, error) { return r.body.Write(b) }
