package fastpath

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// files answers /fast and /big, and is told of it.
type files struct {
	mu   sync.Mutex
	told []string
}

var bigBody = []byte(strings.Repeat("0123456789", 100_000))

func (f *files) Answer(r *Request) *Answer {
	switch r.Path {
	case "/fast":
		return &Answer{Head: []byte("HTTP/1.1 200 OK\r\nContent-Length: 4\r\nBy: fastpath\r\n"), Body: []byte("fast")}
	case "/big":
		return &Answer{Head: []byte("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\nBy: fastpath\r\n"), Body: bigBody}
	}
	return nil
}

func (f *files) Answered(r *Request, _ *Answer, sent int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.told = append(f.told, fmt.Sprint(r.Path, " ", sent, " ", r.ClientIP))
}

func (f *files) list() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.told
}

// start serves, with an HTTP server behind; everything is stopped at the end.
func start(t *testing.T) (*Listener, *files) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	h := &files{}
	l := Listen(inner, h)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			fmt.Fprintf(w, "%s %s %s", r.Method, r.URL, body)
		}
	})}
	served := make(chan error)
	go func() { served <- server.Serve(l) }()
	t.Cleanup(func() {
		require.NoError(t, server.Shutdown(context.Background()))
		require.NoError(t, l.Shutdown(context.Background()))
		require.ErrorIs(t, <-served, http.ErrServerClosed)
	})
	return l, h
}

// visitor is a connection.
type visitor struct {
	t *testing.T
	net.Conn
	in *bufio.Reader
}

func dial(t *testing.T, l *Listener) visitor {
	c, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	require.NoError(t, c.SetDeadline(time.Now().Add(time.Minute)))
	return visitor{t, c, bufio.NewReader(c)}
}

func (v visitor) send(text string) {
	v.t.Helper()
	_, err := io.WriteString(v, text)
	require.NoError(v.t, err)
}

// answer reads an answer: who gave it, and its body.
func (v visitor) answer() (by, body string) {
	v.t.Helper()
	res, err := http.ReadResponse(v.in, nil)
	require.NoError(v.t, err)
	content, err := io.ReadAll(res.Body)
	require.NoError(v.t, err)
	require.NotEmpty(v.t, res.Header.Get("Date"))
	return res.Header.Get("By"), string(content)
}

func get(path string) string { return "GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n" }

// TestHandsOver: a connection is answered until it asks for more, and goes on with
// the HTTP server, without a byte lost.
func TestHandsOver(t *testing.T) {
	l, h := start(t)
	v := dial(t, l)
	for range 3 {
		v.send(get("/fast"))
		by, body := v.answer()
		require.Equal(t, []string{"fastpath", "fast"}, []string{by, body})
	}
	v.send("POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel")
	time.Sleep(20 * time.Millisecond)
	v.send("lo" + get("/fast"))
	by, body := v.answer()
	require.Equal(t, []string{"", "POST /slow hello"}, []string{by, body})
	by, body = v.answer()
	require.Equal(t, []string{"", "GET /fast "}, []string{by, body}, "the server keeps the connection")
	require.Equal(t, []string{"/fast 4 127.0.0.1", "/fast 4 127.0.0.1", "/fast 4 127.0.0.1"}, h.list())
}

func TestHandsOverAtOnce(t *testing.T) {
	l, _ := start(t)
	for name, text := range map[string]string{
		"unknown path": get("/other"), "condition": "GET /fast HTTP/1.1\r\nHost: a\r\nIf-None-Match: x\r\n\r\n",
		"long head": "GET /other HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("x", 2*maxHead) + "\r\n\r\n",
	} {
		v := dial(t, l)
		v.send(text)
		by, body := v.answer()
		require.Empty(t, by, name)
		require.NotEmpty(t, body, name)
	}
	v := dial(t, l)
	v.send("nonsense\r\n\r\n")
	res, err := http.ReadResponse(v.in, nil)
	require.NoError(t, err)
	require.Equal(t, 400, res.StatusCode)
}

// TestRequestsInPieces: a head may come in pieces, and several requests at once.
func TestRequestsInPieces(t *testing.T) {
	l, _ := start(t)
	v := dial(t, l)
	v.send(get("/fast") + get("/big") + get("/fast") + get("/fast")[:20])
	for _, want := range []string{"fast", string(bigBody), "fast"} {
		by, body := v.answer()
		require.Equal(t, "fastpath", by)
		require.Equal(t, len(want), len(body))
		require.True(t, want == body)
	}
	v.send(get("/fast")[20:])
	_, body := v.answer()
	require.Equal(t, "GET /fast ", body)
}

// TestShutdown: idle connections end at once, answers under way may go on until the
// context ends.
func TestShutdown(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	near, far := net.Pipe() // what is written waits until it is read
	t.Cleanup(func() { near.Close() })
	h := &files{}
	l := Listen(&joined{inner, far}, h)
	idle := dial(t, l)
	idle.send(get("/fast"))
	idle.answer()
	_, err = io.WriteString(near, get("/big"))
	require.NoError(t, err)
	under, err := http.ReadResponse(bufio.NewReader(near), nil)
	require.NoError(t, err)
	_, err = io.ReadFull(under.Body, make([]byte, 10))
	require.NoError(t, err)

	ended := make(chan error)
	ctx, cancel := context.WithCancel(context.Background())
	go func() { ended <- l.Shutdown(ctx) }()
	_, err = idle.in.ReadByte()
	require.ErrorIs(t, err, io.EOF)
	select {
	case <-ended:
		t.Fatal("an answer was under way")
	case <-time.After(50 * time.Millisecond):
	}
	cancel()
	require.NoError(t, <-ended)
	_, err = l.Accept()
	require.ErrorIs(t, err, net.ErrClosed)
	require.NoError(t, l.Shutdown(context.Background()), "twice is the same as once")
	last := h.list()[len(h.list())-1]
	var sent int
	_, err = fmt.Sscanf(last, "/big %d", &sent)
	require.NoError(t, err)
	require.Positive(t, sent)
	require.Less(t, sent, len(bigBody), "what was cut off is not said to be sent")
}

// joined is a listener with a connection more, which comes first.
type joined struct {
	net.Listener
	first net.Conn
}

func (j *joined) Accept() (net.Conn, error) {
	if c := j.first; c != nil {
		j.first = nil
		return c, nil
	}
	return j.Listener.Accept()
}

// failing is a listener that fails for a while.
type failing struct {
	net.Listener
	failures int
}

func (f *failing) Accept() (net.Conn, error) {
	if f.failures > 0 {
		f.failures--
		return nil, errors.New("too many open files")
	}
	return f.Listener.Accept()
}

// TestFailuresAreTold: the HTTP server hears of failures, and may try again.
func TestFailuresAreTold(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	l := Listen(&failing{inner, 2}, &files{})
	for range 2 {
		_, err := l.Accept()
		require.ErrorContains(t, err, "too many open files")
	}
	v := dial(t, l)
	v.send(get("/other"))
	c, err := l.Accept()
	require.NoError(t, err)
	got := make([]byte, 100)
	n, err := c.Read(got)
	require.NoError(t, err)
	require.Equal(t, get("/other"), string(got[:n]))
	require.NoError(t, c.Close())
	require.NoError(t, l.Shutdown(context.Background()))
}
