package mcpserver

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/client/transport"
	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
	"github.com/stretchr/testify/require"
)

// site is an HTTP server under test.
type site struct {
	*bench
	t *testing.T
	*httptest.Server
	handler *HTTPHandler
}

func newSite(t *testing.T, o HTTPOptions) *site {
	t.Helper()
	return serveSite(t, newBench(Options{}), o)
}

// serveSite serves a bench over HTTP.
func serveSite(t *testing.T, b *bench, o HTTPOptions) *site {
	t.Helper()
	o.Logger = nil
	h := NewHTTPHandler(b.MCPServer, o)
	s := &site{bench: b, t: t, Server: httptest.NewServer(h), handler: h}
	t.Cleanup(func() { h.Close(); s.CloseClientConnections(); s.Close() })
	return s
}

// request is one HTTP request to the server; the zero value posts a ping.
type request struct {
	method, path, body string
	header             map[string]string
}

func (s *site) send(q request) *http.Response {
	s.t.Helper()
	if q.method == "" {
		q.method = http.MethodPost
	}
	if q.path == "" {
		q.path = HTTPPath
	}
	r, err := http.NewRequestWithContext(s.t.Context(), q.method, s.URL+q.path, strings.NewReader(q.body))
	require.NoError(s.t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	for name, value := range q.header {
		if name == "Host" {
			r.Host = value
		}
		r.Header.Set(name, value)
	}
	res, err := http.DefaultClient.Do(r)
	require.NoError(s.t, err)
	s.t.Cleanup(func() { res.Body.Close() })
	return res
}

// said reads a response to its end.
func said(t *testing.T, res *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return strings.TrimSpace(string(body))
}

// open starts a session and returns its headers.
func (s *site) open() map[string]string {
	s.t.Helper()
	res := s.send(request{body: initLine})
	require.Equal(s.t, http.StatusOK, res.StatusCode)
	id := res.Header.Get(server.HeaderKeySessionID)
	require.GreaterOrEqual(s.t, len(id), 26, "an id that cannot be guessed")
	return map[string]string{server.HeaderKeySessionID: id}
}

const pingLine = `{"jsonrpc":"2.0","id":1,"method":"ping"}`

func eventsOf(t *testing.T, stream string) []answer {
	t.Helper()
	var events []answer
	for _, e := range strings.Split(strings.TrimSuffix(stream, eventTail), eventTail) {
		data, ok := strings.CutPrefix(e, eventHead)
		require.True(t, ok, "no event: %.200q", e)
		events = append(events, parseAnswer(t, data))
	}
	return events
}

// dial connects mcp-go's own client, with a listening stream.
func (s *site) dial(t *testing.T, options ...client.ClientOption) *client.Client {
	t.Helper()
	//lint:ignore SA1019 clients of the revisions before 2026-07-28 do this
	wire, err := transport.NewStreamableHTTP(s.URL+HTTPPath, transport.WithContinuousListening(),
		transport.WithHTTPLogger(slog.New(slog.DiscardHandler)))
	require.NoError(t, err)
	c := client.NewClient(wire, options...)
	require.NoError(t, c.Start(t.Context()))
	t.Cleanup(func() { c.Close() })
	var r mcp.InitializeRequest
	r.Params.ProtocolVersion = mcp.LATEST_LEGACY_PROTOCOL_VERSION
	_, err = c.Initialize(t.Context(), r)
	require.NoError(t, err)
	return c
}

type willing struct{}

func (willing) Elicit(context.Context, mcp.ElicitationRequest) (*mcp.ElicitationResult, error) {
	return &mcp.ElicitationResult{ElicitationResponse: mcp.ElicitationResponse{
		Action: mcp.ElicitationResponseActionAccept, Content: map[string]any{"sure": true}}}, nil
}
