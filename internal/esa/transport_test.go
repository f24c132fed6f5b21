package esa

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// earlyConn is a connection to a store that refuses after the first bytes: the
// answer becomes readable only after a write has failed, the worst order.
type earlyConn struct {
	written int
	broken  chan struct{}
	answer  *strings.Reader
}

func (c *earlyConn) Write(p []byte) (int, error) {
	if c.written += len(p); c.written < 64<<10 {
		return len(p), nil
	}
	select {
	case <-c.broken:
	default:
		close(c.broken)
	}
	return 0, errors.New("broken pipe")
}

func (c *earlyConn) Read(p []byte) (int, error) {
	<-c.broken
	return c.answer.Read(p)
}

func (c *earlyConn) Close() error                     { return nil }
func (c *earlyConn) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (c *earlyConn) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (c *earlyConn) SetDeadline(time.Time) error      { return nil }
func (c *earlyConn) SetReadDeadline(time.Time) error  { return nil }
func (c *earlyConn) SetWriteDeadline(time.Time) error { return nil }

func TestAnswerIsReadAfterABrokenPipe(t *testing.T) {
	for range 20 {
		transport := newTransport(time.Second, nil)
		transport.DialContext = func(context.Context, string, string) (net.Conn, error) {
			conn := &earlyConn{broken: make(chan struct{}), answer: strings.NewReader(
				"HTTP/1.1 403 Forbidden\r\nContent-Length: 42\r\n\r\n<Error><Code>EntityTooLarge</Code></Error>")}
			return newPatientConn(conn), nil
		}
		client := testClient(t, nobody, func(cfg *Config) { cfg.Transport, cfg.MaxTries = transport, 1 })
		e := failure(t, client.Upload(t.Context(), slot(nobody), object(make([]byte, 1<<20))))
		require.Equal(t, "EntityTooLarge", e.Code, "%v", e)
	}
}

func TestFailedWriteEndsWithTheConnection(t *testing.T) {
	inner, other := net.Pipe()
	require.NoError(t, other.Close())
	c := newPatientConn(inner)
	done := make(chan error)
	go func() { done <- second(c.Write([]byte("x"))) }()
	require.NoError(t, c.Close())
	require.ErrorIs(t, <-done, io.ErrClosedPipe)
	require.NoError(t, c.Close(), "closing twice is harmless")
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestPanicBecomesAnError(t *testing.T) {
	client := testClient(t, nobody, func(cfg *Config) {
		cfg.MaxTries = 1
		cfg.Transport = roundTrip(func(*http.Request) (*http.Response, error) { panic("nil in a list") })
	})
	e := failure(t, second(client.Call(t.Context(), "GetErService", nil)))
	require.Contains(t, e.Message, "panicked")
}
