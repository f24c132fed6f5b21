// Package fastpath answers the plainest requests of a connection before the HTTP
// server has to look at them: GETs without conditions, whose whole answer is in
// memory. At the first request that is anything else, the connection goes to the
// HTTP server with all that was read of it, and stays there.
//
// It must not know what is served: it asks a Handler. What it takes for a request,
// net/http must take for the same one, and what is no plain request is net/http's
// to judge.
package fastpath

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Handler knows answers. It is called by many goroutines at once.
type Handler interface {
	// Answer returns the answer to a request; nil leaves it to the HTTP server.
	Answer(r *Request) *Answer
	// Answered is told of an answer and how many bytes of its body went out.
	Answered(r *Request, a *Answer, sent int64)
}

// Answer is a whole answer with status 200. It never changes.
type Answer struct {
	Head []byte // the status line and the headers, each with its line end, without Date
	Body []byte
	// What the log keeps of it.
	ContentType, Version string
}

// Listener is a listener for the HTTP server: its Accept returns the connections
// that the server is to serve.
type Listener struct {
	net.Listener
	handler Handler

	handed  chan net.Conn
	failed  chan error
	done    chan struct{} // closed when the listener is
	closing atomic.Bool
	close   func() error
	second  atomic.Pointer[second] // the last that an answer was dated with
	serving sync.WaitGroup

	mu    sync.Mutex
	conns map[net.Conn]struct{}
}

// Listen answers what it can of a listener's connections. Shutdown ends it.
func Listen(l net.Listener, h Handler) *Listener {
	f := &Listener{Listener: l, handler: h, handed: make(chan net.Conn), failed: make(chan error), done: make(chan struct{}), conns: map[net.Conn]struct{}{}}
	f.close = sync.OnceValue(func() error {
		f.closing.Store(true)
		close(f.done)
		f.deadlines(net.Conn.SetReadDeadline) // whoever waits for a request need not
		return l.Close()
	})
	f.serving.Go(f.accept)
	return f
}

// Accept waits for a connection that has asked for more than the plainest.
func (f *Listener) Accept() (net.Conn, error) {
	select {
	case c := <-f.handed:
		return c, nil
	case err := <-f.failed:
		return nil, err
	case <-f.done:
		return nil, net.ErrClosed
	}
}

// Close takes no more connections, and no more requests from those that it has.
func (f *Listener) Close() error { return f.close() }

// Shutdown closes the listener and waits until the answers under way are out; when
// ctx ends, it cuts them off.
func (f *Listener) Shutdown(ctx context.Context) error {
	err := f.Close()
	if errors.Is(err, net.ErrClosed) {
		err = nil
	}
	ended := make(chan struct{})
	go func() {
		f.serving.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-ctx.Done():
		f.deadlines(net.Conn.SetDeadline)
		<-ended
	}
	return err
}

// deadlines has a deadline of all connections pass.
func (f *Listener) deadlines(set func(net.Conn, time.Time) error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for c := range f.conns {
		_ = set(c, time.Unix(1, 0)) // fails if the connection is closed, which is as good
	}
}

// accept takes connections until the listener is closed.
func (f *Listener) accept() {
	for {
		c, err := f.Listener.Accept()
		if err != nil {
			select {
			case f.failed <- err: // the server knows which are worth another try, and when
				if errors.Is(err, net.ErrClosed) {
					return
				}
				continue
			case <-f.done:
				return
			}
		}
		f.mu.Lock()
		f.conns[c] = struct{}{}
		f.mu.Unlock()
		f.serving.Go(func() {
			rest := f.serve(c)
			f.mu.Lock()
			delete(f.conns, c)
			f.mu.Unlock()
			if rest == nil || !f.hand(c, rest) {
				_ = c.Close() // it may be closed already
			}
		})
	}
}

// hand gives a connection to the HTTP server, with what was read of it, and reports
// whether the server took it.
func (f *Listener) hand(c net.Conn, read []byte) bool {
	if c.SetReadDeadline(time.Time{}) != nil {
		return false
	}
	tcp, ok := c.(*net.TCPConn)
	var next net.Conn = &handedTCP{tcp, read}
	if !ok {
		next = &handed{c, read}
	}
	select {
	case f.handed <- next:
		return true
	case <-f.done:
		return false
	}
}
