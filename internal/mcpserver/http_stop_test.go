package mcpserver

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
	"github.com/stretchr/testify/require"
)

// Stopping lets calls end, then cancels them.
func TestServeHTTPStops(t *testing.T) {
	for _, grace := range []time.Duration{20 * time.Millisecond, time.Minute} {
		b := newBench(Options{})
		release := make(chan struct{})
		b.AddTool(mcp.NewTool("wait_for_it"), func(ctx context.Context, _ mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			b.started <- struct{}{}
			select {
			case <-release:
				return mcp.NewToolResultText("done"), nil
			case <-ctx.Done():
				return mcp.NewToolResultError("cancelled"), nil
			}
		})
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		ctx, stop := context.WithCancel(t.Context())
		served := make(chan error, 1)
		go func() { served <- ServeHTTP(ctx, b.MCPServer, l, HTTPOptions{StopGrace: grace}) }()
		s := &site{bench: b, t: t, Server: &httptest.Server{URL: "http://" + l.Addr().String()}}
		post := func(body string, session string) (string, string) {
			r, _ := http.NewRequest(http.MethodPost, s.URL+HTTPPath, strings.NewReader(body))
			r.Header.Set("Content-Type", "application/json")
			if session != "" {
				r.Header.Set(server.HeaderKeySessionID, session)
			}
			res, err := http.DefaultClient.Do(r)
			if err != nil {
				return err.Error(), ""
			}
			defer res.Body.Close()
			var text bytes.Buffer
			text.ReadFrom(res.Body)
			return text.String(), res.Header.Get(server.HeaderKeySessionID)
		}
		_, session := post(initLine, "")
		answered := make(chan string, 1)
		go func() { text, _ := post(callLine("1", "wait_for_it", `{}`), session); answered <- text }()
		<-b.started
		stop()
		if grace > time.Second {
			close(release)
			require.Contains(t, <-answered, "done")
		} else {
			require.NotContains(t, <-answered, "done")
		}
		require.NoError(t, <-served)
	}
}

// Streams that would go on for ever do not hold the end up.
func TestServeHTTPEndsStreams(t *testing.T) {
	b := newBench(Options{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- ServeHTTP(ctx, b.MCPServer, l, HTTPOptions{StopGrace: time.Minute}) }()
	s := &site{bench: b, t: t, Server: &httptest.Server{URL: "http://" + l.Addr().String()}}
	session := s.open()
	require.Equal(t, http.StatusOK, s.send(request{method: "GET", header: session}).StatusCode)
	listen := s.send(request{header: map[string]string{"Mcp-Protocol-Version": "2026-07-28", "Mcp-Method": "subscriptions/listen"}, body: `{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen","params":{"_meta":{` +
		`"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"t","version":"1"},` +
		`"io.modelcontextprotocol/clientCapabilities":{}},"notifications":{"resourceSubscriptions":["esa://sites"]}}}`})
	require.Equal(t, http.StatusOK, listen.StatusCode)
	began := time.Now()
	stop()
	require.NoError(t, <-served)
	require.Less(t, time.Since(began), 50*time.Second)
}
