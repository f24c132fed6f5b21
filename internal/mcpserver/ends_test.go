package mcpserver

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/tools"
)

// When the process is told to stop, calls are cancelled and the loop ends soon.
func TestStop(t *testing.T) {
	b := newBench(Options{})
	p := b.connect(t, StdioOptions{StopGrace: time.Minute})
	p.send(callLine(`1`, "hang_long", `{}`))
	<-b.started
	p.stop()
	a := parseAnswer(t, p.next())
	require.True(t, a.Result.IsError)
	require.Contains(t, a.Result.Content[0].Text, "cancelled")
	require.ErrorIs(t, <-p.done, context.Canceled)
}

// Calls that do not end when the client has left are cancelled after a while,
// and those that ignore it are left behind.
func TestGracePeriods(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(Options{})
		began := time.Now()
		lines := b.pipe(t, StdioOptions{EOFGrace: time.Hour}, callLine(`1`, "hang_long", `{}`))
		require.Equal(t, time.Hour, time.Since(began))
		require.Len(t, lines, 1)
		require.True(t, parseAnswer(t, lines[0]).Result.IsError)
	})
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		stubborn := tools.Define(tools.Meta{Name: "be_stubborn"}, func(context.Context, *tools.Deps, struct{}) (struct{}, error) {
			<-release
			return struct{}{}, nil
		})
		s := New(Options{Tools: []tools.Tool{stubborn}, Deps: func() (*tools.Deps, error) { return &tools.Deps{}, nil }})
		var out bytes.Buffer
		began := time.Now()
		err := ServeStdio(t.Context(), s, strings.NewReader(callLine(`1`, "be_stubborn", `{}`)), &out, StdioOptions{EOFGrace: time.Minute, StopGrace: time.Second})
		require.NoError(t, err)
		require.Equal(t, time.Minute+time.Second, time.Since(began))
		close(release)
		synctest.Wait()
		require.Empty(t, out.String(), "nothing is written once the loop has ended")
	})
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }

// A client that closed the pipe ends the loop without an error, another failure
// with one.
func TestBrokenOutput(t *testing.T) {
	b := newBench(Options{})
	in, inW := io.Pipe()
	defer inW.Close()
	go io.WriteString(inW, `{"jsonrpc":"2.0","id":1,"method":"ping"}`+"\n")
	require.NoError(t, ServeStdio(t.Context(), b.MCPServer, in, failingWriter{syscall.EPIPE}, StdioOptions{}))

	in, inW2 := io.Pipe()
	defer inW2.Close()
	go io.WriteString(inW2, `{"jsonrpc":"2.0","id":1,"method":"ping"}`+"\n")
	full := errors.New("disk full")
	require.ErrorIs(t, ServeStdio(t.Context(), b.MCPServer, in, failingWriter{full}, StdioOptions{}), full)
}

// brokenReader fails after some text.
type brokenReader struct{ io.Reader }

func (r brokenReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err == io.EOF {
		err = errors.New("bad cable")
	}
	return n, err
}

func TestBrokenInput(t *testing.T) {
	b := newBench(Options{})
	var out bytes.Buffer
	err := ServeStdio(t.Context(), b.MCPServer, brokenReader{strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"ping"}`)}, &out, StdioOptions{})
	require.ErrorContains(t, err, "bad cable")
	require.Len(t, splitLines(t, out.String()), 1, "what was read before is answered")
}
