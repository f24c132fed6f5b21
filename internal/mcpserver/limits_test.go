package mcpserver

import (
	"bytes"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// zeros is an endless line of known length without the memory for it.
type zeros struct{ left int }

func (z *zeros) Read(p []byte) (int, error) {
	if z.left == 0 {
		return 0, io.EOF
	}
	n := min(len(p), z.left)
	for i := range n {
		p[i] = '0'
	}
	z.left -= n
	return n, nil
}

// A line beyond the limit is dropped in bounded memory, and the next one is
// served.
func TestLineLimit(t *testing.T) {
	b := newBench(Options{})
	ping := `{"jsonrpc":"2.0","id":5,"method":"ping"}`
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	in := io.MultiReader(&zeros{100 << 20}, strings.NewReader("\n"+ping+"\n"))
	var out bytes.Buffer
	require.NoError(t, ServeStdio(t.Context(), b.MCPServer, in, &out, StdioOptions{MaxLine: 1 << 20}))
	runtime.ReadMemStats(&after)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(20<<20))

	lines := splitLines(t, out.String())
	require.Len(t, lines, 2)
	a := parseAnswer(t, lines[0])
	require.Equal(t, "null", string(a.ID))
	require.Equal(t, -32600, a.Error.Code)
	require.Contains(t, a.Error.Message, "1048576 bytes")
	require.Equal(t, "5", string(parseAnswer(t, lines[1]).ID))

	// The limit itself still fits; one byte more does not.
	exact := b.pipe(t, StdioOptions{MaxLine: len(ping)}, ping, ping)
	require.Len(t, exact, 2)
	require.Nil(t, parseAnswer(t, exact[0]).Error)
	tight := b.pipe(t, StdioOptions{MaxLine: len(ping) - 1}, ping, "")
	require.Equal(t, -32600, parseAnswer(t, tight[0]).Error.Code)
}

// A large line within the limit works, as deploy_html needs it.
func TestLargeMessage(t *testing.T) {
	text := strings.Repeat("<p>x</p>", 1<<18)
	lines := newBench(Options{}).pipe(t, StdioOptions{}, callLine(`1`, "echo_text", `{"text":"`+text+`"}`))
	require.Len(t, lines, 1)
	a := parseAnswer(t, lines[0])
	require.True(t, a.Result.IsError, "the result is over the cap of results")
	require.Contains(t, a.Result.Content[0].Text, "more than the limit")
}

// A client that keeps asking is told to wait, and can still cancel.
func TestBusy(t *testing.T) {
	b := newBench(Options{})
	p := b.connect(t, StdioOptions{MaxRunning: 1, MaxWaiting: 2})
	p.send(callLine(`1`, "hang_long", `{}`))
	<-b.started
	p.send(callLine(`2`, "hang_long", `{}`), callLine(`3`, "echo_text", `{}`))
	a := parseAnswer(t, p.next())
	require.Equal(t, `3`, string(a.ID))
	require.Equal(t, codeBusy, a.Error.Code)
	// The one that waits is cancelled without ever running, then the other.
	p.send(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":2}}`,
		`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}`)
	<-b.ended
	rest, err := p.rest()
	require.NoError(t, err)
	require.Empty(t, rest)
	require.Empty(t, b.started)
}
