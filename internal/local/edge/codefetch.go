package edge

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/local/edge/origin"
	"github.com/esa-mcp/esa-mcp/internal/local/edge/plan"
)

// fetchForCode does one exchange for a routine. A host that this edge serves is
// answered by this edge, at whatever port; others are origins, which are on this
// machine unless more is allowed.
func (e *edge) fetchForCode(ctx context.Context, r *http.Request) (*http.Response, error) {
	ours, err := e.serves(ctx, r.URL.Host)
	if err != nil {
		return nil, err
	}
	if ours {
		return e.answerSelf(ctx, r)
	}
	return e.fetchOutside(ctx, r)
}

// fetchOutside does one exchange with a server that is not this edge.
func (e *edge) fetchOutside(ctx context.Context, r *http.Request) (*http.Response, error) {
	if e.cfg.Origins == nil {
		return nil, errors.New("this edge has no way to other servers")
	}
	name := strings.ToLower(r.URL.Hostname())
	to, err := e.cfg.Origins.Find(ctx, &plan.Record{Name: name, Type: plan.TypeCNAME, Values: []string{name}})
	if err != nil {
		return nil, err
	}
	to.Scheme, to.Port, to.Host, to.SNI = r.URL.Scheme, 80, r.URL.Host, name
	if to.Scheme == "https" {
		to.Port = 443
		to.Verify = !origin.IsLocalhost(name)
	}
	if text := r.URL.Port(); text != "" {
		if to.Port, err = strconv.Atoi(text); err != nil {
			return nil, err
		}
	}
	return e.cfg.Origins.Send(r, to)
}

// serves reports whether a host is a default domain or one of an active site. A
// port of its own means another server, such as one in development.
func (e *edge) serves(ctx context.Context, host string) (bool, error) {
	if name, port, err := net.SplitHostPort(host); err == nil && port != "80" && port != "443" {
		if _, _, ok := e.svc.ParseHost(name); !ok {
			return false, nil
		}
	}
	if _, _, ok := e.svc.ParseHost(host); ok {
		return true, nil
	}
	if e.cfg.Plans == nil {
		return false, nil
	}
	found, err := e.cfg.Plans.Host(ctx, host)
	return err == nil && found.Site != nil && (found.Record != nil || found.Routine != ""), err
}

// depthKey is the context key of how many requests to this edge a request of a
// routine comes from.
type depthKey struct{}

const maxDepth = 8

// answerSelf lets this edge answer a request of its own. It returns when the
// answer begins.
func (e *edge) answerSelf(ctx context.Context, r *http.Request) (*http.Response, error) {
	depth, _ := ctx.Value(depthKey{}).(int)
	if depth >= maxDepth {
		return nil, errors.New("the request goes in a circle: routines fetch each other again and again")
	}
	in := r.WithContext(context.WithValue(ctx, depthKey{}, depth+1))
	in.Host, in.RemoteAddr, in.RequestURI = r.URL.Host, "127.0.0.1:0", r.URL.RequestURI()
	body, writer := io.Pipe()
	w := &selfWriter{header: http.Header{}, body: writer, begun: make(chan struct{})}
	go func() {
		defer func() {
			// An answer that breaks off, as http.ErrAbortHandler has it.
			if p := recover(); p != nil {
				w.WriteHeader(http.StatusInternalServerError)
				_ = writer.CloseWithError(io.ErrUnexpectedEOF) // never fails
			}
		}()
		e.ServeHTTP(w, in)
		w.WriteHeader(http.StatusOK)
		_ = writer.Close() // as above
	}()
	select {
	case <-w.begun:
	case <-ctx.Done():
		return nil, errors.Join(ctx.Err(), body.Close())
	}
	length := int64(-1)
	if n, err := strconv.ParseInt(w.sent.Get("Content-Length"), 10, 64); err == nil {
		length = n
	}
	return &http.Response{
		Status: http.StatusText(w.status), StatusCode: w.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.sent, Body: body, ContentLength: length, Request: r,
	}, nil
}

// selfWriter hands an answer on through a pipe.
type selfWriter struct {
	header, sent http.Header
	status       int
	body         *io.PipeWriter
	begun        chan struct{}
}

func (w *selfWriter) Header() http.Header { return w.header }

func (w *selfWriter) WriteHeader(status int) {
	if w.status != 0 || status < 200 {
		return
	}
	w.status, w.sent = status, w.header.Clone()
	close(w.begun)
}

func (w *selfWriter) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(b)
}

// Flush has nothing to do: the pipe keeps nothing back.
func (w *selfWriter) Flush() {}
