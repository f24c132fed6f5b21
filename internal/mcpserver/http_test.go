package mcpserver

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
	"github.com/stretchr/testify/require"
)

func TestHTTPRefuses(t *testing.T) {
	const token = "a-token-of-some-length"
	s := newSite(t, HTTPOptions{Token: token, MaxBody: 4096, AllowOrigins: []string{"https://app.example.com"}, AllowHosts: []string{"esa.example.com"}})
	bearer := "Bearer " + token
	for name, c := range map[string]struct {
		q      request
		status int
		want   string
	}{
		"right":                  {request{body: initLine}, 200, "serverInfo"},
		"no token":               {request{body: initLine, header: map[string]string{"Authorization": ""}}, 401, "Authorization: Bearer"},
		"wrong token":            {request{body: initLine, header: map[string]string{"Authorization": "Bearer a-token-of-some-lengtH"}}, 401, "token"},
		"token as user":          {request{body: initLine, header: map[string]string{"Authorization": "Basic " + token}}, 401, "token"},
		"foreign origin":         {request{body: initLine, header: map[string]string{"Origin": "http://evil.example.com"}}, 403, "evil.example.com"},
		"origin that looks near": {request{body: initLine, header: map[string]string{"Origin": "http://localhost.evil.example.com"}}, 403, "--allow-origin"},
		"origin null":            {request{body: initLine, header: map[string]string{"Origin": "null"}}, 403, "null"},
		"origin on GET":          {request{method: "GET", header: map[string]string{"Origin": "http://evil.example.com"}}, 403, "origin"},
		"own origin":             {request{body: initLine, header: map[string]string{"Origin": "http://localhost:5173"}}, 200, "serverInfo"},
		"named origin":           {request{body: initLine, header: map[string]string{"Origin": "https://app.example.com"}}, 200, "serverInfo"},
		"foreign host":           {request{body: initLine, header: map[string]string{"Host": "evil.example.com"}}, 403, "evil.example.com"},
		"named host":             {request{body: initLine, header: map[string]string{"Host": "esa.example.com:8443"}}, 200, "serverInfo"},
		"wrong path":             {request{path: "/", body: initLine}, 404, HTTPPath},
		"path below":             {request{path: "/mcp/x", body: initLine}, 404, HTTPPath},
		"PUT":                    {request{method: "PUT"}, 405, "POST sends"},
		"HEAD":                   {request{method: "HEAD"}, 405, ""},
		"text":                   {request{body: initLine, header: map[string]string{"Content-Type": "text/plain"}}, 415, "application/json"},
		"huge":                   {request{body: strings.Repeat(" ", 5000)}, 413, "4096 bytes"},
		"no JSON":                {request{body: "nonsense"}, 400, "-32700"},
		"nothing":                {request{body: ""}, 400, "JSON"},
		"batch":                  {request{body: "[" + pingLine + "]"}, 400, "one message a request"},
		"no method":              {request{body: `{"jsonrpc":"2.0","id":"x7"}`}, 400, `"id":"x7"`},
		"no session":             {request{body: pingLine}, 400, "initialize"},
		"forged session":         {request{body: pingLine, header: map[string]string{"Mcp-Session-Id": "mcp-session-2f1c1a56-6d1a-4b2f-8f0e-0d6c3f2b1a00"}}, 404, "initialize"},
		"GET without session":    {request{method: "GET"}, 400, "initialize"},
		"GET without events":     {request{method: "GET", header: map[string]string{"Accept": "application/json"}}, 406, "text/event-stream"},
		"DELETE of nothing":      {request{method: "DELETE", header: map[string]string{"Mcp-Session-Id": "x"}}, 404, "ended"},
		"revision of the future": {request{body: pingLine, header: map[string]string{"Mcp-Protocol-Version": "1999-01-01", "Mcp-Session-Id": "LIVE"}}, 400, "1999-01-01"},
	} {
		t.Run(name, func(t *testing.T) {
			s.t = t
			if c.q.header == nil {
				c.q.header = map[string]string{}
			}
			if _, given := c.q.header["Authorization"]; !given {
				c.q.header["Authorization"] = bearer
			}
			if c.q.header["Mcp-Session-Id"] == "LIVE" {
				c.q.header["Mcp-Session-Id"] = s.handler.sessions.Generate()
			}
			res := s.send(c.q)
			body := said(t, res)
			require.Equal(t, c.status, res.StatusCode, body)
			require.Contains(t, body, c.want)
			require.NotContains(t, body, token)
			if c.status >= 400 && c.q.method != "HEAD" {
				require.Equal(t, "application/json", res.Header.Get("Content-Type"))
				require.NotNil(t, parseAnswer(t, body).Error, body)
			}
			require.Equal(t, c.status == 405, res.Header.Get("Allow") != "")
			require.Equal(t, c.status == 401, res.Header.Get("WWW-Authenticate") != "")
		})
	}
}

// A body without a length is bounded too.
func TestHTTPChunkedBody(t *testing.T) {
	s := newSite(t, HTTPOptions{MaxBody: 4096})
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+HTTPPath, io.MultiReader(strings.NewReader(strings.Repeat(" ", 5000))))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	res, err := s.Client().Do(r)
	require.NoError(t, err)
	defer res.Body.Close()
	require.Equal(t, http.StatusRequestEntityTooLarge, res.StatusCode)
	require.Zero(t, s.handler.bodies.Load(), "its share is given back")
}

func TestHTTPAnswers(t *testing.T) {
	s := newSite(t, HTTPOptions{})
	session := s.open()
	res := s.send(request{body: callLine("9007199254740993", "echo_text", `{"text":"<é>","n":974351557069296}`), header: session})
	require.Equal(t, "application/json", res.Header.Get("Content-Type"))
	body := said(t, res)
	require.Contains(t, body, `"id":9007199254740993`, "byte for byte")
	require.JSONEq(t, `{"text":"<é>","n":974351557069296}`, string(parseAnswer(t, body).Result.StructuredContent))

	for call, want := range map[string]string{
		callLine("1", "ecko_text", `{}`):                            `did you mean \"echo_text\"?`,
		callLine("2", "return_error", `{}`):                         "return_error failed: it broke",
		callLine("3", "return_nan", `{}`):                           "could not be encoded",
		callLine("4", "panic_now", `{}`):                            "internal error in panic_now",
		`{"jsonrpc":"2.0","id":"5","method":"no/such"}`:             "no/such",
		`{"jsonrpc":"2.0","id":6,"method":"tools/call","params":3}`: "do not fit",
	} {
		body := said(t, s.send(request{body: call, header: session}))
		require.Contains(t, body, want)
		require.NotContains(t, body, "abcdefgh12345678")
		require.NotContains(t, body, "json:")
	}
	res = s.send(request{body: initDone, header: session})
	require.Equal(t, http.StatusAccepted, res.StatusCode)
	require.Empty(t, said(t, res))

	require.Equal(t, http.StatusOK, s.send(request{method: "DELETE", header: session}).StatusCode)
	require.Equal(t, http.StatusNotFound, s.send(request{body: pingLine, header: session}).StatusCode, "the session has ended")
}

// The revision without sessions needs none, and has HTTP errors for bad requests.
func TestHTTPModern(t *testing.T) {
	s := newSite(t, HTTPOptions{})
	send := func(method, name, params string) (int, answer) {
		meta := `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"t","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}`
		res := s.send(request{body: fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":%q,"params":{%s,%s}}`, method, params, meta),
			header: map[string]string{"Mcp-Protocol-Version": "2026-07-28", "Mcp-Method": method, "Mcp-Name": name}})
		return res.StatusCode, parseAnswer(t, said(t, res))
	}
	status, got := send("tools/call", "echo_text", `"name":"echo_text","arguments":{"text":"hi"}`)
	require.Equal(t, http.StatusOK, status)
	require.JSONEq(t, `{"text":"hi","n":0}`, string(got.Result.StructuredContent))
	for _, uri := range []string{"esa://sites/%00", "esa://nonsense"} {
		status, got = send("resources/read", uri, fmt.Sprintf(`"uri":%q`, uri))
		require.Equal(t, http.StatusBadRequest, status, uri)
		require.Equal(t, mcp.INVALID_PARAMS, got.Error.Code)
	}
}

// Progress comes on the stream of its call, whole, in order and before the answer,
// however many calls the session has.
func TestHTTPProgress(t *testing.T) {
	s := newSite(t, HTTPOptions{})
	session := s.open()
	const calls, steps = 8, 300
	results := make(chan string, calls)
	for i := range calls {
		call := fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"report_progress","arguments":{"count":%d},"_meta":{"progressToken":"t%d"}}}`, i, steps, i)
		go func() {
			r, _ := http.NewRequest(http.MethodPost, s.URL+HTTPPath, strings.NewReader(call))
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set(server.HeaderKeySessionID, session[server.HeaderKeySessionID])
			res, err := s.Client().Do(r)
			if err != nil {
				results <- err.Error()
				return
			}
			defer res.Body.Close()
			body, _ := io.ReadAll(res.Body)
			results <- string(body)
		}()
	}
	for range calls {
		events := eventsOf(t, <-results)
		require.Len(t, events, steps+1)
		token := string(events[0].Params.ProgressToken)
		for i, e := range events[:steps] {
			require.Equal(t, "notifications/progress", e.Method)
			require.Equal(t, float64(i+1), e.Params.Progress)
			require.Equal(t, token, string(e.Params.ProgressToken))
		}
		require.Equal(t, token, `"t`+string(events[steps].ID)+`"`)
		require.NotNil(t, events[steps].Result)
	}

	// A client that takes no events gets the answer alone.
	call := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"report_progress","arguments":{"count":3},"_meta":{"progressToken":"t"}}}`
	res := s.send(request{body: call, header: map[string]string{"Accept": "application/json", server.HeaderKeySessionID: session[server.HeaderKeySessionID]}})
	require.Equal(t, "application/json", res.Header.Get("Content-Type"))
	require.NotNil(t, parseAnswer(t, said(t, res)).Result)
}

// Other notifications are not lost either, however soon the answer is there.
func TestHTTPNotifies(t *testing.T) {
	s := newSite(t, HTTPOptions{})
	s.AddTool(mcp.NewTool("note_twice"), func(ctx context.Context, _ mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		for i := range 2 {
			if err := Notify(ctx, s.MCPServer, "notifications/message", map[string]any{"level": "info", "data": i}); err != nil {
				return mcp.NewToolResultError(err.Error()), nil
			}
		}
		return mcp.NewToolResultText("done"), nil
	})
	session := s.open()
	for range 50 {
		events := eventsOf(t, said(t, s.send(request{body: callLine("1", "note_twice", `{}`), header: session})))
		require.Len(t, events, 3)
		require.NotNil(t, events[2].Result)
	}
}

func TestHTTPCancel(t *testing.T) {
	s := newSite(t, HTTPOptions{})
	session := s.open()
	ended := make(chan string, 1)
	go func() { ended <- said(t, s.send(request{body: callLine("7", "hang_long", `{}`), header: session})) }()
	<-s.started
	other := s.open()
	cancel := `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7}}`
	require.Equal(t, http.StatusAccepted, s.send(request{body: cancel, header: other}).StatusCode)
	select {
	case <-s.bench.ended:
		require.FailNow(t, "another session cancelled the call")
	case <-time.After(50 * time.Millisecond):
	}
	require.Equal(t, http.StatusAccepted, s.send(request{body: cancel, header: session}).StatusCode)
	<-s.bench.ended
	require.Contains(t, <-ended, `"id":7`)
}

// A call can ask the person who uses the client.
func TestHTTPElicitation(t *testing.T) {
	s := newSite(t, HTTPOptions{})
	s.AddTool(mcp.NewTool("ask_person"), func(ctx context.Context, _ mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		answer, err := s.RequestElicitation(ctx, mcp.ElicitationRequest{Params: mcp.ElicitationParams{
			Message: "Sure?", RequestedSchema: json.RawMessage(`{"type":"object","properties":{"sure":{"type":"boolean"}}}`)}})
		if err != nil {
			return mcp.NewToolResultError(err.Error()), nil
		}
		return mcp.NewToolResultText(fmt.Sprint(answer.Action, answer.Content)), nil
	})
	c := s.dial(t, client.WithElicitationHandler(willing{}))
	var r mcp.CallToolRequest
	r.Params.Name = "ask_person"
	got, err := c.CallTool(t.Context(), r)
	require.NoError(t, err)
	require.Equal(t, "acceptmap[sure:true]", got.Content[0].(mcp.TextContent).Text)
}

func TestHTTPLimits(t *testing.T) {
	s := newSite(t, HTTPOptions{MaxSessions: 2, MaxRequests: 2})
	one := s.open()
	s.open()
	res := s.send(request{body: initLine})
	require.Equal(t, http.StatusServiceUnavailable, res.StatusCode)
	require.NotEmpty(t, res.Header.Get("Retry-After"))
	require.Equal(t, http.StatusOK, s.send(request{method: "DELETE", header: one}).StatusCode)
	one = s.open()

	call := callLine("1", "hang_long", `{}`)
	ctx, giveUp := context.WithCancel(t.Context())
	for range 2 {
		go func() {
			r, _ := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+HTTPPath, strings.NewReader(call))
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set(server.HeaderKeySessionID, one[server.HeaderKeySessionID])
			if res, err := s.Client().Do(r); err == nil {
				res.Body.Close()
			}
		}()
	}
	<-s.started
	<-s.started
	require.Equal(t, http.StatusServiceUnavailable, s.send(request{body: pingLine, header: one}).StatusCode)
	giveUp() // a client that is gone ends its calls
	<-s.bench.ended
	<-s.bench.ended
	require.Eventually(t, func() bool { return s.send(request{body: pingLine, header: one}).StatusCode == http.StatusOK }, time.Minute, 5*time.Millisecond)
}

// A session that nobody uses ends; one that listens goes on.
func TestHTTPSessionTimeout(t *testing.T) {
	s := newSite(t, HTTPOptions{SessionTimeout: 2 * time.Second})
	var listening map[string]string
	var stream *http.Response
	require.Eventually(t, func() bool { // on a busy machine it may end before it listens
		listening = s.open()
		stream = s.send(request{method: "GET", header: listening})
		return stream.StatusCode == http.StatusOK
	}, time.Minute, time.Millisecond)
	idle := s.open()
	line, err := bufio.NewReader(stream.Body).ReadString('\n')
	require.NoError(t, err)
	require.Contains(t, line, "event:", "a sign of life")
	require.Eventually(t, func() bool {
		return !s.handler.sessions.has(idle[server.HeaderKeySessionID])
	}, time.Minute, 20*time.Millisecond)
	require.Equal(t, http.StatusNotFound, s.send(request{body: pingLine, header: idle}).StatusCode)
	require.Equal(t, http.StatusOK, s.send(request{body: pingLine, header: listening}).StatusCode)
}

// Pages of a named origin may read answers; preflights carry no token.
func TestHTTPCORS(t *testing.T) {
	s := newSite(t, HTTPOptions{Token: "a-token-of-some-length", AllowOrigins: []string{"https://app.example.com"}})
	res := s.send(request{method: "OPTIONS", header: map[string]string{"Origin": "https://app.example.com", "Access-Control-Request-Method": "POST"}})
	require.Equal(t, http.StatusNoContent, res.StatusCode)
	require.Equal(t, "https://app.example.com", res.Header.Get("Access-Control-Allow-Origin"))
	require.Contains(t, res.Header.Get("Access-Control-Allow-Headers"), "Authorization")
	res = s.send(request{body: initLine, header: map[string]string{"Origin": "http://localhost:5173", "Authorization": "Bearer a-token-of-some-length"}})
	require.Equal(t, http.StatusOK, res.StatusCode)
	require.Empty(t, res.Header.Get("Access-Control-Allow-Origin"))
	plain := newSite(t, HTTPOptions{})
	require.Equal(t, http.StatusMethodNotAllowed, plain.send(request{method: "OPTIONS"}).StatusCode)
}
