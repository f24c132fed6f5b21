package esa

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// newTransport makes the client's own connection pool. The library's keeps two
// idle connections a host, and is shared by the whole process.
func newTransport(connect time.Duration, proxy func(*http.Request) (*url.URL, error)) *http.Transport {
	if proxy == nil {
		proxy = http.ProxyFromEnvironment
	}
	d := &dialer{net.Dialer{Timeout: connect, KeepAlive: 30 * time.Second}}
	return &http.Transport{
		Proxy: func(r *http.Request) (*url.URL, error) {
			if isLoopback(r.URL.Hostname()) {
				return nil, nil
			}
			return proxy(r)
		},
		DialContext:         d.dial,
		TLSHandshakeTimeout: connect,
		MaxIdleConns:        128,
		MaxIdleConnsPerHost: 32,
		// Shorter than what servers keep, so that a create seldom meets a
		// connection that is just being closed.
		IdleConnTimeout: 30 * time.Second,
	}
}

type dialer struct{ net net.Dialer }

// dial connects. *.localhost is this machine even where the resolver does not
// know it.
func (d *dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	candidates := []string{address}
	if isLoopback(host) && net.ParseIP(host) == nil {
		candidates = []string{net.JoinHostPort("127.0.0.1", port), net.JoinHostPort("::1", port)}
	}
	var first error
	for _, a := range candidates {
		conn, err := d.net.DialContext(ctx, network, a)
		if err == nil {
			return newPatientConn(conn), nil
		}
		if first == nil {
			first = err
		}
	}
	return nil, first
}

// answerPatience is how long a failed write waits for the server's answer.
const answerPatience = 2 * time.Second

// patientConn holds back a failed write until the connection is closed. A
// server that refuses an upload answers early and stops reading; net/http would
// report the broken pipe and drop the answer, which says why.
type patientConn struct {
	net.Conn
	once   sync.Once
	closed chan struct{}
}

func newPatientConn(conn net.Conn) *patientConn {
	return &patientConn{Conn: conn, closed: make(chan struct{})}
}

func (c *patientConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	if err == nil {
		return n, nil
	}
	timer := time.NewTimer(answerPatience)
	defer timer.Stop()
	select {
	case <-c.closed:
	case <-timer.C:
	}
	return n, err
}

func (c *patientConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}

// sleep waits for d or until ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
