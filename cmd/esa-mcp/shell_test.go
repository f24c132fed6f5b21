package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local"
	"github.com/esa-mcp/esa-mcp/tools"
)

// shell runs the binary as a person would.
func shell(t *testing.T, env []string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary, args...)
	cmd.Env = env
	var out, log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &log
	if err := cmd.Run(); err != nil {
		require.IsType(t, &exec.ExitError{}, err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), log.String()
}

func TestCallFromTheShell(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "state")
	env := environment("ESA_MCP_LOCAL=true", "ESA_MCP_LOCAL_DIR="+dir)
	code, out, log := shell(t, env, "call", "deploy_html", "name=shell", "html=<p>hi</p>", "percentage=100")
	require.Equal(t, 0, code, log)
	var deployed tools.DeployOutput
	require.NoError(t, json.Unmarshal([]byte(out), &deployed))
	require.Equal(t, tools.StatusLive, deployed.Status)

	code, out, log = shell(t, env, "call", "build_rule", "--json", `{"hosts":["a.com"],"paths":["/a&b"]}`)
	require.Equal(t, 0, code, log)
	require.Contains(t, out, `/a&b`)

	code, out, log = shell(t, env, "call", "list_routines", "--json", `{"page_size":1}`)
	require.Equal(t, 0, code, log)
	require.Contains(t, out, `"shell"`)

	code, out, log = shell(t, env, "call", "delete_routine", "name=shell")
	require.Equal(t, 1, code)
	require.Empty(t, out)
	require.Contains(t, log, "routine shell: live in production and staging; versions: 1. With --yes it is done")
	code, out, log = shell(t, env, "call", "delete_routine", "name=shell", "--yes")
	require.Equal(t, 0, code, log)
	require.Contains(t, out, `"deleted": true`)

	code, out, log = shell(t, env, "call", "get_routine", "name=nobody")
	require.Equal(t, 1, code)
	require.Empty(t, out)
	require.Contains(t, log, "no routine")
}

func TestBadUsage(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"unknown command":      {[]string{"deploy"}, "deploy"},
		"nearly a command":     {[]string{"dmeo"}, "do you mean esa-mcp demo?\nRun 'esa-mcp --help'"},
		"nearly a sub-command": {[]string{"local", "statsu"}, "do you mean esa-mcp local status?\nRun 'esa-mcp local --help'"},
		"no folder":            {[]string{"dev"}, "esa-mcp dev DIR"},
		"two folders":          {[]string{"dev", "a", "b"}, "\"b\" is too much: esa-mcp dev DIR [flags]\nRun 'esa-mcp dev --help'"},
		"what takes none":      {[]string{"demo", "now"}, "\"now\" is too much: esa-mcp demo"},
		"unknown flag":         {[]string{"--lokal"}, "lokal"},
		"unknown tool":         {[]string{"call", "no_tool"}, "no tool \"no_tool\" is enabled. 'esa-mcp tools --toolsets all' lists them"},
		"nearly a tool":        {[]string{"call", "list_site"}, "did you mean \"list_sites\"?"},
		"no tool":              {[]string{"call"}, "esa-mcp call TOOL"},
		"not key=value":        {[]string{"call", "list_routines", "page"}, "key=value"},
		"both forms":           {[]string{"call", "list_routines", "--json", "{}", "page=1"}, "not both"},
		"not an object":        {[]string{"call", "list_routines", "--json", "[1]"}, "JSON object"},
		"given twice":          {[]string{"call", "list_routines", "page=1", "page=2"}, "twice"},
		"unknown toolset":      {[]string{"tools", "--toolsets", "nonsense"}, "nonsense"},
		"no tool left":         {[]string{"tools", "--toolsets", "pages", "--read-only"}, "leaves no tool"},
		"http to the world":    {[]string{"call", "list_sites", "--endpoint", "http://esa.example.com"}, "loopback"},
		"endpoint and local":   {[]string{"--local", "--endpoint", "https://esa.example.com"}, "exclude"},
		"bad guardrails":       {[]string{"tools", "--guardrails", "some"}, "on or off"},
		"bad level":            {[]string{"tools", "--log-level", "loud"}, "loud"},
		"bad time":             {[]string{"tools", "--timeout", "soon"}, "soon"},
		"local off loopback":   {[]string{"local", "--dir", ":memory:", "--listen", "0.0.0.0:0"}, "loopback"},
		"demo with an account": {[]string{"demo", "--once", "--endpoint", "https://esa.example.com"}, "local"},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, log := shell(t, environment(), c.args...)
			require.NotEqual(t, 0, code)
			require.Empty(t, out)
			require.Contains(t, log, c.want)
			require.NotContains(t, log, "panic")
		})
	}
	code, _, log := shell(t, environment("ESA_MCP_TIMEOUT=soon"), "tools")
	require.Equal(t, 2, code)
	require.Contains(t, log, "ESA_MCP_TIMEOUT")
}

func TestToolsListing(t *testing.T) {
	t.Parallel()
	code, out, log := shell(t, environment(), "tools")
	require.Equal(t, 0, code, log)
	require.Contains(t, out, "deploy_pages")
	code, out, log = shell(t, environment(), "tools", "--toolsets", "-pages", "--read-only")
	require.Equal(t, 0, code, log)
	require.NotContains(t, out, "deploy_pages")
	require.NotContains(t, out, "put_kv")
	require.Contains(t, out, "get_kv")
	code, out, log = shell(t, environment(), "tools", "--json", "--toolsets", "all")
	require.Equal(t, 0, code, log)
	var list []struct {
		Name        string
		InputSchema map[string]any `json:"inputSchema"`
	}
	require.NoError(t, json.Unmarshal([]byte(out), &list))
	require.Len(t, list, len(tools.All()))
	for _, tool := range list {
		require.Equal(t, "object", tool.InputSchema["type"], tool.Name)
	}
}

func TestLocalServesOtherClients(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), binary, "local", "--dir", ":memory:")
	cmd.Env = environment()
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	require.NoError(t, err)
	var info local.Info
	require.NoError(t, json.Unmarshal(line, &info))
	for _, field := range []string{"endpoint", "edge", "access_key_id", "access_key_secret"} {
		require.Contains(t, string(line), `"`+field+`"`)
	}
	env := environment("ALICLOUD_ACCESS_KEY="+info.AccessKeyID, "ALICLOUD_SECRET_KEY="+info.AccessKeySecret)
	code, out, log := shell(t, env, "call", "deploy_html", "name=other", "html=x", "--endpoint", info.Endpoint)
	require.Equal(t, 0, code, log)
	require.Contains(t, out, `"live"`)
	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	require.NoError(t, cmd.Wait(), "interrupted, it ends well")
}

func TestDemo(t *testing.T) {
	t.Parallel()
	code, out, log := shell(t, environment(), "demo", "--once")
	require.Equal(t, 0, code, log)
	require.Contains(t, out, "every byte as on disk")
	require.Regexp(t, `http://hello\.[0-9a-f]{8}\.er\.localhost:\d+/`, out)
	require.Empty(t, strings.TrimSpace(log))
}

// Nothing stays in the folder for temporary files, however soon a command ends.
func TestNothingIsLeftBehind(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	env := environment("TMPDIR=" + dir)
	for range 20 { // the local ESA is still starting when most of these end
		code, _, _ := shell(t, env, "--local", "--local-dir", ":memory:", "call", "put_kv")
		require.Equal(t, exitFailure, code)
	}
	code, _, log := shell(t, env, "demo", "--once")
	require.Equal(t, exitOK, code, log)
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, left)
}

// What is interrupted says so, and not where in a database or on a connection.
func TestInterruptedStart(t *testing.T) {
	t.Parallel()
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	for _, args := range [][]string{{"local", "--dir", ":memory:"}, {"demo", "--once"}, {"dev", "../../testdata/sites/hello", "--listen", "127.0.0.1:0"}} {
		var out, log syncBuffer
		require.Equal(t, exitFailure, run(ctx, args, streams{strings.NewReader(""), &out, &log}))
		require.Equal(t, "esa-mcp: interrupted\n", log.String(), args)
	}
}

// full is a standard output that nothing can be written to.
type full struct{}

func (full) Write([]byte) (int, error) {
	return 0, &fs.PathError{Op: "write", Path: "/dev/stdout", Err: errors.New("no space left on device")}
}

// A result that cannot be written is no bad usage: the call was carried out.
func TestFullOutput(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"call", "list_sites", "--local", "--local-dir", ":memory:"}, {"tools"}, {"tools", "--json"}, {"ram-policy"}, {"version"},
		{"local", "--dir", ":memory:"}} {
		var log syncBuffer
		require.Equal(t, exitFailure, run(t.Context(), args, streams{strings.NewReader(""), full{}, &log}), args)
		require.Contains(t, log.String(), "no space left on device")
		require.NotContains(t, log.String(), "--help", args)
	}
}

// A call that is interrupted says that it may have been carried out.
func TestInterruptedCall(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	arrived := make(chan struct{})
	r.set(func(_ http.ResponseWriter, q *http.Request) bool {
		if action(q) != "CreateSite" {
			return false
		}
		close(arrived)
		<-q.Context().Done() // the command has gone
		return true
	})
	cmd := exec.CommandContext(t.Context(), binary, "call", "create_site", "name=shell.example", "access_type=NS", "--toolsets", "sites")
	cmd.Env = r.env
	var log bytes.Buffer
	cmd.Stderr = &log
	require.NoError(t, cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case <-arrived:
	case err := <-ended:
		require.FailNow(t, "it never called", "%v: %s", err, log.String())
	}
	require.NoError(t, cmd.Process.Signal(syscall.SIGINT))
	require.Error(t, <-ended)
	require.Contains(t, log.String(), "create_site was interrupted")
}
