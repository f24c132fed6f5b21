package main

import (
	"bufio"
	"encoding/json"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/client/transport"
	"github.com/mark3labs/mcp-go/mcp"
	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/tools"
)

const testToken = "a-token-for-tests-only"

// startHTTP runs "esa-mcp http" against a local ESA of its own and returns where
// it serves.
func startHTTP(t *testing.T, args ...string) (url string, stop func()) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary, append([]string{"http", "--listen", "127.0.0.1:0",
		"--local", "--local-dir", ":memory:", "--toolsets", "all"}, args...)...)
	cmd.Env = environment("ESA_MCP_TOKEN=" + testToken)
	log := &syncBuffer{}
	cmd.Stderr = log
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	require.NoError(t, err, log)
	var said struct{ URL string }
	require.NoError(t, json.Unmarshal(line, &said))
	return said.URL, func() {
		require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
		require.NoError(t, cmd.Wait(), "interrupted, it ends well: %s", log)
		require.NotContains(t, log.String(), testToken)
	}
}

// dialHTTP connects a client that listens.
func dialHTTP(t *testing.T, url string) *server {
	t.Helper()
	return dialHTTPAs(t, url, mcp.LATEST_LEGACY_PROTOCOL_VERSION)
}

// dialHTTPAs is dialHTTP with a protocol revision and more of a client.
func dialHTTPAs(t *testing.T, url, revision string, options ...client.ClientOption) *server {
	t.Helper()
	wired := []transport.StreamableHTTPCOption{
		transport.WithHTTPLogger(slog.New(slog.DiscardHandler)),
		transport.WithHTTPHeaders(map[string]string{"Authorization": "Bearer " + testToken}),
	}
	if !mcp.IsModernProtocol(revision) {
		//lint:ignore SA1019 clients of the revisions before 2026-07-28 do this
		wired = append(wired, transport.WithContinuousListening())
	}
	wire, err := transport.NewStreamableHTTP(url, wired...)
	require.NoError(t, err)
	s := &server{Client: client.NewClient(wire, options...), stderr: &syncBuffer{}}
	require.NoError(t, s.Start(t.Context()))
	t.Cleanup(func() { s.Close() })
	s.greetAs(t, revision)
	return s
}

// TestHTTP deploys a site over HTTP, with progress.
func TestHTTP(t *testing.T) {
	t.Parallel()
	url, stop := startHTTP(t)
	require.True(t, strings.HasSuffix(url, "/mcp"), url)
	s := dialHTTP(t, url)
	got := callOK[tools.DeployOutput](t, s, "deploy_pages", arguments{"name": "over-http", "path": "../../testdata/sites/hello"})
	require.Equal(t, tools.StatusLive, got.Status)
	s.mu.Lock()
	require.NotEmpty(t, s.progress)
	s.mu.Unlock()
	require.Contains(t, s.refuse(t, "get_routine", arguments{"name": "nobody"}), "no routine")

	res, err := http.Post(url, "application/json", strings.NewReader(handshake))
	require.NoError(t, err)
	res.Body.Close()
	require.Equal(t, http.StatusUnauthorized, res.StatusCode)
	stop()
}

func TestHTTPUsage(t *testing.T) {
	t.Parallel()
	empty := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(empty, []byte("\n"), 0o600))
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"no token for the world": {[]string{"--listen", "0.0.0.0:0"}, "ESA_MCP_TOKEN"},
		"any address":            {[]string{"--listen", ":0"}, "ESA_MCP_TOKEN"},
		"short token":            {[]string{"--token", "secret"}, "16 characters"},
		"empty file":             {[]string{"--token-file", empty}, "is empty"},
		"no file":                {[]string{"--token-file", empty + "x"}, "read the token"},
		"two tokens":             {[]string{"--token-file", empty, "--token", testToken}, "given twice"},
		"no address":             {[]string{"--listen", "8080"}, "127.0.0.1:8080"},
		"no origin":              {[]string{"--allow-origin", "app.example.com"}, "scheme and host"},
		"no time":                {[]string{"--session-timeout", "0s"}, "at least 1s"},
		"not ours":               {[]string{"--listen", "192.0.2.1:1", "--token", testToken}, "192.0.2.1:1"},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, log := shell(t, environment(), append([]string{"http"}, c.args...)...)
			require.NotEqual(t, 0, code)
			require.Empty(t, out)
			require.Contains(t, log, c.want)
			require.NotContains(t, log, testToken)
		})
	}
}
