package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/client/transport"
	"github.com/mark3labs/mcp-go/mcp"
	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local"
	"github.com/esa-mcp/esa-mcp/tools"
)

// These tests run the built binary as its users do: a real MCP client over
// standard input and output, a real HTTP client at the edge.

// binary is the program under test, built once.
var binary string

func TestMain(m *testing.M) {
	flag.Parse()
	if flag.Lookup("test.fuzz").Value.String() != "" {
		os.Exit(m.Run()) // fuzz targets do not run the program
	}
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "esa-mcp-test-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		os.Chmod(dir, 0o755) // one test runs it as another user
		binary = filepath.Join(dir, "esa-mcp")
		args := []string{"build", "-o", binary}
		if raceEnabled {
			args = append(args, "-race")
		}
		if out, err := exec.Command("go", append(args, ".")...).CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
			return 1
		}
		waitTogether()
		return m.Run()
	}())
}

// waitTogether lets more tests run at once than there are processors, unless the
// command line says how many: they mostly wait for the servers that they started.
func waitTogether() {
	said := false
	flag.Visit(func(f *flag.Flag) { said = said || f.Name == "test.parallel" })
	if !said {
		flag.Set("test.parallel", strconv.Itoa(2*runtime.GOMAXPROCS(0)))
	}
}

// environment is the test's own without what would lead to a real account.
func environment(extra ...string) []string {
	var env []string
	for _, e := range os.Environ() {
		name, _, _ := strings.Cut(e, "=")
		if !strings.HasPrefix(name, "ALI") && !strings.HasPrefix(name, envPrefix) && name != "HOME" {
			env = append(env, e)
		}
	}
	return append(append(env, "HOME=/nonexistent", "ALIBABA_CLOUD_ECS_METADATA_DISABLED=true"), extra...)
}

// server is a running esa-mcp with a client connected to it.
type server struct {
	*client.Client
	stderr *syncBuffer

	mu       sync.Mutex
	progress []mcp.JSONRPCNotification
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
func (b *syncBuffer) String() string { b.mu.Lock(); defer b.mu.Unlock(); return b.b.String() }

// start runs the binary with args and shakes hands with it.
func start(t *testing.T, env []string, args ...string) *server {
	t.Helper()
	return startAs(t, nil, env, args...)
}

// startAs is start with a say in how the process is made.
func startAs(t *testing.T, adjust func(*exec.Cmd), env []string, args ...string) *server {
	t.Helper()
	s := &server{stderr: &syncBuffer{}}
	stdio := transport.NewStdioWithOptions(binary, env, args,
		transport.WithCommandFunc(func(ctx context.Context, command string, env, args []string) (*exec.Cmd, error) {
			cmd := exec.CommandContext(ctx, command, args...)
			cmd.Env = env
			if adjust != nil {
				adjust(cmd)
			}
			return cmd, nil
		}))
	s.Client = client.NewClient(stdio)
	require.NoError(t, s.Start(t.Context()))
	go io.Copy(s.stderr, stdio.Stderr())
	t.Cleanup(func() {
		s.Close()
		if t.Failed() && s.stderr.String() != "" {
			t.Logf("standard error of %v:\n%s", args, s.stderr)
		}
	})
	s.greet(t)
	return s
}

// greet shakes hands and listens for progress.
func (s *server) greet(t *testing.T) {
	t.Helper()
	s.greetAs(t, mcp.LATEST_LEGACY_PROTOCOL_VERSION)
}

// greetAs is greet in a revision of the protocol.
func (s *server) greetAs(t *testing.T, revision string) {
	t.Helper()
	s.OnNotification(func(n mcp.JSONRPCNotification) {
		if n.Method == "notifications/progress" {
			s.mu.Lock()
			s.progress = append(s.progress, n)
			s.mu.Unlock()
		}
	})
	hello := mcp.InitializeRequest{}
	hello.Params.ProtocolVersion = revision
	hello.Params.ClientInfo = mcp.Implementation{Name: "blackbox", Version: "1"}
	answer, err := s.Initialize(t.Context(), hello)
	require.NoError(t, err)
	require.Equal(t, "esa", answer.ServerInfo.Name)
}

// startLocal runs the binary with all tools against a local ESA of its own.
func startLocal(t *testing.T, args ...string) *server {
	t.Helper()
	return start(t, environment(), append([]string{"--local", "--local-dir", ":memory:", "--toolsets", "all"}, args...)...)
}

// callOK calls a tool and wants a result, decoded into T. What it is asked to
// confirm it confirms.
func callOK[T any](t *testing.T, s *server, tool string, arguments map[string]any) T {
	t.Helper()
	text, isError := s.agree(t, tool, arguments)
	require.False(t, isError, "%s: %s", tool, text)
	var out T
	require.NoError(t, json.Unmarshal([]byte(text), &out), text)
	return out
}

// agree calls a tool and confirms what it asks.
func (s *server) agree(t *testing.T, tool string, arguments map[string]any) (text string, isError bool) {
	t.Helper()
	text, isError = s.try(t, t.Context(), tool, arguments)
	if p := previewIn(text); !isError && p != nil {
		again := maps.Clone(arguments)
		again["confirm"] = p.Confirm
		text, isError = s.try(t, t.Context(), tool, again)
		require.Nil(t, previewIn(text), "%s: %s", tool, text)
	}
	return text, isError
}

// preview calls a tool and wants to be asked for a confirmation.
func (s *server) preview(t *testing.T, tool string, arguments map[string]any) tools.Preview {
	t.Helper()
	text, isError := s.try(t, t.Context(), tool, arguments)
	require.False(t, isError, "%s: %s", tool, text)
	p := previewIn(text)
	require.NotNil(t, p, "%s was done: %s", tool, text)
	return *p
}

func previewIn(text string) *tools.Preview {
	var out struct{ Preview *tools.Preview }
	if json.Unmarshal([]byte(text), &out) != nil {
		return nil
	}
	return out.Preview
}

// refuse calls a tool and wants an error, if need be after a confirmation; it
// returns the error's text.
func (s *server) refuse(t *testing.T, tool string, arguments map[string]any) string {
	t.Helper()
	text, isError := s.agree(t, tool, arguments)
	require.True(t, isError, "%s succeeded: %s", tool, text)
	return text
}

func (s *server) try(t *testing.T, ctx context.Context, tool string, arguments map[string]any) (text string, isError bool) {
	t.Helper()
	result, err := s.callRaw(ctx, tool, arguments)
	require.NoError(t, err)
	for _, more := range result.Content[1:] {
		require.IsType(t, mcp.ResourceLink{}, more)
	}
	content, ok := result.Content[0].(mcp.TextContent)
	require.True(t, ok)
	return content.Text, result.IsError
}

func (s *server) callRaw(ctx context.Context, tool string, arguments map[string]any) (*mcp.CallToolResult, error) {
	request := mcp.CallToolRequest{}
	request.Params.Name = tool
	request.Params.Arguments = arguments
	request.Params.Meta = &mcp.Meta{ProgressToken: tool}
	return s.CallTool(ctx, request)
}

type arguments = map[string]any

// writeSite makes a folder of the given files.
func writeSite(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
	}
	return dir
}

// browse gets an address of the local edge, whatever the resolver thinks of it.
func browse(t *testing.T, address string) (status int, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	require.NoError(t, err)
	res := ask(t, r, true)
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res.StatusCode, string(b)
}

// ask sends a request to the local edge, which is on the loopback interface, and
// follows redirects or returns them.
func ask(t *testing.T, r *http.Request, follow bool) *http.Response {
	t.Helper()
	c := &http.Client{Timeout: time.Minute, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, "127.0.0.1:"+r.URL.Port())
		}}}
	if !follow {
		c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	res, err := c.Do(r)
	require.NoError(t, err)
	return res
}

// at returns the address with another path.
func at(t *testing.T, address, path string) string {
	t.Helper()
	u, err := url.Parse(address)
	require.NoError(t, err)
	u.Path = path
	return u.String()
}

// rig is a local ESA behind a proxy that can go wrong, and the environment that
// leads esa-mcp to it as to a real account.
type rig struct {
	env  []string
	info local.Info
	// meddle, if set, may answer a request itself (true) or change it.
	mu     sync.Mutex
	meddle func(w http.ResponseWriter, r *http.Request) bool
}

func (r *rig) set(meddle func(w http.ResponseWriter, r *http.Request) bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.meddle = meddle
}

// action is the API operation of a request; empty for an upload.
func action(r *http.Request) string { return r.Header.Get("x-acs-action") }

// live asks the local ESA itself, through a server without meddling, what is live.
func live(t *testing.T, r *rig, name string) []tools.LiveEnvironment {
	t.Helper()
	r.set(nil)
	s := start(t, r.env)
	return callOK[tools.GetRoutineOutput](t, s, "get_routine", arguments{"name": name}).Live
}

// newRig starts a rig that nothing meddles with yet.
func newRig(t *testing.T) *rig {
	t.Helper()
	return newRigOver(t, local.Options{})
}

// newRigOver is newRig with a say in how the local ESA runs.
func newRigOver(t *testing.T, o local.Options) *rig {
	t.Helper()
	esa, err := local.Start(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { esa.Close() })
	upstream, err := url.Parse(esa.Info().Endpoint)
	require.NoError(t, err)
	r := &rig{info: esa.Info()}
	forward := &httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(upstream)
			p.Out.Host = p.In.Host // signed, and in upload addresses
		},
		ErrorLog: log.New(io.Discard, "", 0),
	}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		r.mu.Lock()
		meddle := r.meddle
		r.mu.Unlock()
		if meddle == nil || !meddle(w, q) {
			forward.ServeHTTP(w, q)
		}
	}))
	t.Cleanup(proxy.Close)
	r.env = environment("ESA_MCP_ENDPOINT="+proxy.URL,
		"ALIBABA_CLOUD_ACCESS_KEY_ID="+r.info.AccessKeyID, "ALIBABA_CLOUD_ACCESS_KEY_SECRET="+r.info.AccessKeySecret)
	return r
}

// refuseAPI answers as the service does when it refuses a call.
func refuseAPI(w http.ResponseWriter, status int, code, message string) bool {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"RequestId":"00000000-0000-0000-0000-00000000BAD0","HostId":"esa","Code":%q,"Message":%q}`, code, message)
	return true
}
