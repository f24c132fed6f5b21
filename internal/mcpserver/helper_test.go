package mcpserver

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/server"
	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/tools"
)

const (
	initLine = `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`
	initDone = `{"jsonrpc":"2.0","method":"notifications/initialized"}`
)

type echoIn struct {
	Text string `json:"text,omitempty" jsonschema_description:"said back"`
	N    int64  `json:"n,omitempty" jsonschema_description:"said back"`
}

type echoOut struct {
	Text string `json:"text"`
	N    int64  `json:"n"`
}

type countIn struct {
	Count int `json:"count" jsonschema_description:"how many"`
}

// testTools are small tools that do what the loop has to cope with. started is
// told when hang runs, ended when its context has ended.
func testTools(started, ended chan<- struct{}) []tools.Tool {
	meta := func(name string) tools.Meta { return tools.Meta{Name: name, Description: name} }
	return []tools.Tool{
		tools.Define(meta("echo_text"), func(_ context.Context, _ *tools.Deps, in echoIn) (echoOut, error) {
			return echoOut(in), nil
		}),
		tools.Define(meta("hang_long"), func(ctx context.Context, _ *tools.Deps, _ struct{}) (echoOut, error) {
			started <- struct{}{}
			<-ctx.Done()
			ended <- struct{}{}
			return echoOut{}, ctx.Err()
		}),
		tools.Define(meta("report_progress"), func(ctx context.Context, _ *tools.Deps, in countIn) (echoOut, error) {
			for i := range in.Count {
				tools.Progress(ctx, float64(i+1), float64(in.Count), fmt.Sprintf("step %d", i+1))
			}
			return echoOut{N: int64(in.Count)}, nil
		}),
		tools.Define(meta("panic_now"), func(context.Context, *tools.Deps, struct{}) (echoOut, error) {
			panic("token=abcdefgh12345678")
		}),
		tools.Define(meta("return_nan"), func(context.Context, *tools.Deps, struct{}) (struct {
			X float64 `json:"x"`
		}, error) {
			return struct {
				X float64 `json:"x"`
			}{math.NaN()}, nil
		}),
		tools.Define(meta("return_error"), func(context.Context, *tools.Deps, struct{}) (echoOut, error) {
			return echoOut{}, errors.New("it broke")
		}),
	}
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// bench is a server with its test tools.
type bench struct {
	*server.MCPServer
	started, ended chan struct{}
	log            *syncBuffer
}

func newBench(o Options) *bench {
	b := &bench{started: make(chan struct{}, 4096), ended: make(chan struct{}, 4096), log: &syncBuffer{}}
	o.Version, o.Commit, o.Date = "1.2.3", "abc1234", "2026-03-04"
	o.Tools = testTools(b.started, b.ended)
	o.Logger = slog.New(slog.NewTextHandler(b.log, nil))
	if o.Deps == nil {
		o.Deps = func() (*tools.Deps, error) { return &tools.Deps{Logger: o.Logger}, nil }
	}
	b.MCPServer = New(o)
	return b
}

// pipe sends the lines at once, closes the input and returns the output's lines.
func (b *bench) pipe(t testing.TB, o StdioOptions, lines ...string) []string {
	t.Helper()
	var out bytes.Buffer
	err := ServeStdio(t.Context(), b.MCPServer, strings.NewReader(strings.Join(lines, "\n")), &out, o)
	require.NoError(t, err)
	return splitLines(t, out.String())
}

// splitLines checks that every line is one JSON value.
func splitLines(t testing.TB, out string) []string {
	t.Helper()
	if out == "" {
		return nil
	}
	require.True(t, strings.HasSuffix(out, "\n"), "the last line is not complete")
	lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	for _, line := range lines {
		require.True(t, json.Valid([]byte(line)), "not JSON: %.200s", line)
	}
	return lines
}

// peer is a client that writes and reads lines while the loop runs.
type peer struct {
	t     *testing.T
	in    *io.PipeWriter
	lines chan string
	done  chan error
	stop  context.CancelFunc
}

func (b *bench) connect(t *testing.T, o StdioOptions) *peer {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	inR, inW := io.Pipe()
	outR, outW := io.Pipe()
	p := &peer{t: t, in: inW, lines: make(chan string, 1<<16), done: make(chan error, 1), stop: stop}
	go func() {
		err := ServeStdio(ctx, b.MCPServer, inR, outW, o)
		outW.Close()
		inR.Close()
		p.done <- err
	}()
	go func() {
		defer close(p.lines)
		r := bufio.NewReader(outR)
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				return
			}
			p.lines <- strings.TrimSuffix(line, "\n")
		}
	}()
	t.Cleanup(func() { stop(); inW.Close(); outR.Close() })
	return p
}

func (p *peer) send(lines ...string) {
	p.t.Helper()
	_, err := io.WriteString(p.in, strings.Join(lines, "\n")+"\n")
	require.NoError(p.t, err)
}

func (p *peer) next() string {
	p.t.Helper()
	select {
	case line, ok := <-p.lines:
		require.True(p.t, ok, "the output ended")
		return line
	case <-time.After(time.Minute):
		require.FailNow(p.t, "no answer")
		return ""
	}
}

// rest closes the input and returns what is still said.
func (p *peer) rest() (lines []string, err error) {
	p.t.Helper()
	p.in.Close()
	for line := range p.lines {
		lines = append(lines, line)
	}
	return lines, <-p.done
}

func callLine(id, tool, args string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"method":"tools/call","params":{"name":%q,"arguments":%s}}`, id, tool, args)
}

// answer is what tests look at in a response.
type answer struct {
	ID     json.RawMessage
	Method string
	Result *struct {
		IsError           bool
		StructuredContent json.RawMessage
		Content           []struct{ Text string }
	}
	Error *struct {
		Code    int
		Message string
	}
	Params struct {
		ProgressToken json.RawMessage
		Progress      float64
		Total         float64
		Message       string
	}
}

func parseAnswer(t testing.TB, line string) answer {
	t.Helper()
	var a answer
	require.NoError(t, json.Unmarshal([]byte(line), &a), line)
	return a
}
