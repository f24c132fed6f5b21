package mcpserver

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/tools"
)

// Whatever a client writes, it gets an answer that says what is wrong, under its
// own id, without the names of Go types.
func TestBadInput(t *testing.T) {
	tests := []struct {
		name, line string
		id         string // of the answer; empty: there is none
		code       int
		text       string // part of the message
	}{
		{"garbage", `hello`, `null`, -32700, "not valid JSON"},
		{"cut off", `{"jsonrpc":"2.0","id":1,`, `null`, -32700, "not valid JSON"},
		{"too deep", strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000), `null`, -32700, "not valid JSON"},
		{"not an object", `42`, `null`, -32600, "JSON object"},
		{"no jsonrpc", `{"id":1,"method":"ping"}`, `1`, -32600, `jsonrpc has to be "2.0"`},
		{"other jsonrpc", `{"jsonrpc":"1.0","id":1,"method":"ping"}`, `1`, -32600, `"2.0"`},
		{"numeric jsonrpc", `{"jsonrpc":2.0,"id":1,"method":"ping"}`, `1`, -32600, `"2.0"`},
		{"no method", `{"jsonrpc":"2.0","id":1}`, `1`, -32600, "method is missing"},
		{"numeric method", `{"jsonrpc":"2.0","id":1,"method":5}`, `1`, -32600, "method has to be a string"},
		{"id object", `{"jsonrpc":"2.0","id":{},"method":"ping"}`, `null`, -32600, "id has to be"},
		{"id null", `{"jsonrpc":"2.0","id":null,"method":"ping"}`, `null`, -32600, "not null"},
		{"notification with id null", `{"jsonrpc":"2.0","id":null,"method":"notifications/initialized"}`, ``, 0, ""},
		{"method and result", `{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}`, `1`, -32600, "neither"},
		{"answer to nothing", `{"jsonrpc":"2.0","id":1,"result":{}}`, ``, 0, ""},
		{"error to nothing", `{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"x"}}`, ``, 0, ""},
		{"blank", "   \t ", ``, 0, ""},
		{"unknown method", `{"jsonrpc":"2.0","id":"a","method":"no/such"}`, `"a"`, -32601, "no/such"},
		{"unknown notification", `{"jsonrpc":"2.0","method":"notifications/odd"}`, ``, 0, ""},
		{"notification with bad params", `{"jsonrpc":"2.0","method":"notifications/odd","params":5}`, ``, 0, ""},
		{"params a number", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":5}`, `1`, -32600, "name is a string"},
		{"name a number", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":5}}`, `1`, -32600, "name is a string"},
		{"huge number", callLine(`1`, "echo_text", `{"n":1e400}`), `1`, -32600, "ordinary size"},
		{"params of initialize", `{"jsonrpc":"2.0","id":1,"method":"initialize","params":[]}`, `1`, -32600, "params of initialize"},
		{"tool like none", callLine(`1`, "purge", `{}`), `1`, -32602, `unknown tool "purge". tools/list`},
		{"unknown tool", callLine(`1`, "ecko_text", `{}`), `1`, -32602, `did you mean "echo_text"?`},
		{"no tool", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{}}`, `1`, -32602, "params.name"},
		{"tasks are not offered", `{"jsonrpc":"2.0","id":1,"method":"tasks/list"}`, `1`, -32601, "tasks"},
		{"unknown prompt", `{"jsonrpc":"2.0","id":1,"method":"prompts/get","params":{"name":"deploy-site"}}`, `1`, -32602, "did you mean \"deploy-a-site\""},
		{"prompt without its argument", `{"jsonrpc":"2.0","id":1,"method":"prompts/get","params":{"name":"deploy-a-site"}}`, `1`, -32602, "needs the argument path"},
		{"prompt with a number", `{"jsonrpc":"2.0","id":1,"method":"prompts/get","params":{"name":"deploy-a-site","arguments":{"path":1}}}`, `1`, -32600, "all strings"},
		{"unknown resource", `{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"esa://sites/a/b"}}`, `1`, -32002, "esa://sites/{site}/records"},
		{"empty batch", `[]`, `null`, -32600, "empty"},
		{"broken batch", `[{"jsonrpc":"2.0"`, `null`, -32700, "not valid JSON"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			lines := newBench(Options{}).pipe(t, StdioOptions{}, test.line)
			if test.id == "" {
				require.Empty(t, lines)
				return
			}
			require.Len(t, lines, 1)
			a := parseAnswer(t, lines[0])
			require.Equal(t, test.id, string(a.ID))
			require.NotNil(t, a.Error, lines[0])
			require.Equal(t, test.code, a.Error.Code)
			require.Contains(t, a.Error.Message, test.text)
			require.NotRegexp(t, `mcp\.|json: |Go (value|struct)`, a.Error.Message)
		})
	}
}

// Ids come back as they were written, whatever a float would make of them.
func TestIDsComeBackByteForByte(t *testing.T) {
	ids := []string{
		`7`, `"7"`, `0`, `-1`, `9007199254740993`, `9223372036854775807`, `1e21`, `1.50`, `12345678901234567890123`,
		`""`, `"<a>&\u00e9"`, `"\u2028"`, `"` + strings.Repeat("x", 1000) + `"`,
	}
	b := newBench(Options{})
	for _, id := range ids {
		lines := b.pipe(t, StdioOptions{}, `{"jsonrpc":"2.0","id":`+id+`,"method":"ping"}`)
		require.Equal(t, []string{`{"jsonrpc":"2.0","id":` + id + `,"result":{}}`}, lines)
		lines = b.pipe(t, StdioOptions{}, `{"jsonrpc":"2.0","id":`+id+`,"method":"nope"}`)
		require.Len(t, lines, 1)
		require.Contains(t, lines[0], `{"jsonrpc":"2.0","id":`+id+`,"error":`)
	}
}

// A pipe that is closed right after it was written loses nothing, and the last
// line needs no line feed.
func TestOneShotPipe(t *testing.T) {
	b := newBench(Options{})
	for range 40 {
		in := []string{initLine, initDone}
		for i := range 20 {
			in = append(in, callLine(strconv.Itoa(i+1), "echo_text", fmt.Sprintf(`{"n":%d}`, i+1)))
		}
		lines := b.pipe(t, StdioOptions{}, in...)
		require.Len(t, lines, 21)
		seen := map[string]bool{}
		for i, line := range lines {
			a := parseAnswer(t, line)
			require.Nil(t, a.Error, line)
			seen[string(a.ID)] = true
			if i == 0 {
				require.Equal(t, "0", string(a.ID), "initialize is answered first")
				continue
			}
			require.Contains(t, string(a.Result.StructuredContent), `"n":`+string(a.ID)+`}`)
		}
		require.Len(t, seen, 21)
	}
}

func TestInitializeIsAnsweredFirst(t *testing.T) {
	b := newBench(Options{})
	for range 60 {
		lines := b.pipe(t, StdioOptions{}, initLine, callLine(`1`, "echo_text", `{}`), `{"jsonrpc":"2.0","id":2,"method":"tools/list"}`)
		require.Len(t, lines, 3)
		require.Equal(t, "0", string(parseAnswer(t, lines[0]).ID))
	}
	var result struct {
		Result struct {
			ServerInfo   struct{ Name, Version, Description string }
			Instructions string
		}
	}
	require.NoError(t, json.Unmarshal([]byte(b.pipe(t, StdioOptions{}, initLine)[0]), &result))
	require.Equal(t, "esa", result.Result.ServerInfo.Name)
	require.Equal(t, "1.2.3", result.Result.ServerInfo.Version)
	require.Contains(t, result.Result.ServerInfo.Description, "abc1234")
	require.NotEmpty(t, result.Result.Instructions)
}

// A cancellation right behind its call is never lost, and there is no answer.
func TestCancelRightBehindTheCall(t *testing.T) {
	b := newBench(Options{})
	p := b.connect(t, StdioOptions{})
	p.send(initLine, initDone)
	p.next()
	for i := 1; i <= 100; i++ {
		id := strconv.Itoa(i)
		p.send(callLine(id, "hang_long", `{}`),
			`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":`+id+`}}`)
	}
	p.send(`{"jsonrpc":"2.0","id":"end","method":"ping"}`)
	require.Equal(t, `"end"`, string(parseAnswer(t, p.next()).ID))
	rest, err := p.rest()
	require.NoError(t, err, "every call has ended")
	require.Empty(t, rest)
	require.Equal(t, len(b.started), len(b.ended))
}

// A cancellation means the id as it was written.
func TestCancelOfAnotherID(t *testing.T) {
	b := newBench(Options{})
	p := b.connect(t, StdioOptions{StopGrace: time.Minute})
	p.send(callLine(`7`, "hang_long", `{}`), callLine(`"7"`, "hang_long", `{}`))
	<-b.started
	<-b.started
	p.send(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"7"}}`)
	<-b.ended
	require.Empty(t, b.ended)
	p.stop()
	<-b.ended
	a := parseAnswer(t, p.next())
	require.Equal(t, `7`, string(a.ID))
	require.True(t, a.Result.IsError)
	rest, err := p.rest()
	require.ErrorIs(t, err, context.Canceled)
	require.Empty(t, rest)
}

// All progress is out before the answer, in order and complete, under the token
// as it was written.
func TestProgressComesBeforeTheAnswer(t *testing.T) {
	b := newBench(Options{})
	for _, token := range []string{`9007199254740993`, `"<tok>"`} {
		lines := b.pipe(t, StdioOptions{},
			`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"report_progress","arguments":{"count":1000},"_meta":{"progressToken":`+token+`}}}`)
		require.Len(t, lines, 1001)
		for i, line := range lines[:1000] {
			a := parseAnswer(t, line)
			require.Equal(t, "notifications/progress", a.Method)
			require.Equal(t, token, string(a.Params.ProgressToken))
			require.Equal(t, float64(i+1), a.Params.Progress)
			require.Equal(t, 1000.0, a.Params.Total)
		}
		require.Equal(t, `1`, string(parseAnswer(t, lines[1000]).ID))
	}
	lines := b.pipe(t, StdioOptions{}, callLine(`1`, "report_progress", `{"count":10}`))
	require.Len(t, lines, 1, "no progress without a token")
}

// Notifications that go through mcp-go's channel are out before the answer too.
func TestChannelNotificationsComeBeforeTheAnswer(t *testing.T) {
	out := &syncBuffer{}
	s := newSession(&writer{out: out, failed: func(error) {}})
	go s.pump()
	defer close(s.done)
	s.Initialize()
	b := newBench(Options{})
	require.NoError(t, b.RegisterSession(t.Context(), s))
	ctx := b.WithContext(t.Context(), s)
	for range 200 {
		require.NoError(t, b.SendNotificationToClient(ctx, "notifications/odd", map[string]any{"a": 1}))
		s.flush()
		require.True(t, strings.HasSuffix(out.String(), "\n"))
		s.out.line([]byte(`"answer"`))
	}
	lines := splitLines(t, out.String())
	require.Len(t, lines, 400)
	for i := 0; i < 400; i += 2 {
		require.Contains(t, lines[i], "notifications/odd")
		require.Equal(t, `"answer"`, lines[i+1])
	}
}

func TestToolFailuresAreResults(t *testing.T) {
	tests := []struct{ tool, args, text string }{
		{"panic_now", `{}`, "internal error in panic_now"},
		{"return_nan", `{}`, "could not be encoded"},
		{"return_error", `{}`, "return_error failed: it broke"},
		{"echo_text", `{"txt":"a"}`, `did you mean "text"?`},
		{"echo_text", `[1]`, "want an object"},
	}
	b := newBench(Options{})
	for _, test := range tests {
		lines := b.pipe(t, StdioOptions{}, callLine(`1`, test.tool, test.args))
		require.Len(t, lines, 1)
		a := parseAnswer(t, lines[0])
		require.Nil(t, a.Error, lines[0])
		require.True(t, a.Result.IsError)
		require.Empty(t, a.Result.StructuredContent)
		require.Contains(t, a.Result.Content[0].Text, test.text)
		require.NotContains(t, a.Result.Content[0].Text, "goroutine")
	}
	require.Contains(t, b.log.String(), "tool panicked")
	require.Contains(t, b.log.String(), "goroutine", "the stack is logged")
	require.NotContains(t, b.log.String(), "abcdefgh12345678", "secrets are not logged")
	require.Contains(t, b.log.String(), `msg="tool call" tool=echo_text`)
	require.Contains(t, b.log.String(), "outcome=error")
}

// Deps that cannot be made are told at the call, and bad arguments before that.
func TestDepsAreAskedAtTheCall(t *testing.T) {
	b := newBench(Options{Deps: func() (*tools.Deps, error) { return nil, tools.Refuse("set credentials") }})
	lines := b.pipe(t, StdioOptions{}, initLine)
	require.Len(t, lines, 1)
	a := parseAnswer(t, b.pipe(t, StdioOptions{}, callLine(`1`, "echo_text", `{}`))[0])
	require.True(t, a.Result.IsError)
	require.Equal(t, "set credentials", a.Result.Content[0].Text)
	a = parseAnswer(t, b.pipe(t, StdioOptions{}, callLine(`1`, "echo_text", `{"x":1}`))[0])
	require.Contains(t, a.Result.Content[0].Text, "unknown argument")
}

func TestTimeout(t *testing.T) {
	b := newBench(Options{Timeout: time.Millisecond})
	a := parseAnswer(t, b.pipe(t, StdioOptions{}, callLine(`1`, "hang_long", `{}`))[0])
	require.True(t, a.Result.IsError)
	require.Contains(t, a.Result.Content[0].Text, "time limit")
}
