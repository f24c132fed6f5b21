package local

import (
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local/runtime"
	"github.com/esa-mcp/esa-mcp/internal/pages"
)

// TestAgainstWorkerd has workerd, the routine runtime behind a bare server and the
// whole edge run the same scripts in turns, and prints how they compare. It runs
// with ESA_MCP_WORKERD, the path of workerd's program, as make bench-routines sets
// it.
func TestAgainstWorkerd(t *testing.T) {
	program := os.Getenv("ESA_MCP_WORKERD")
	if program == "" {
		t.Skip("needs ESA_MCP_WORKERD, the path of workerd")
	}
	document, err := os.ReadFile("runtime/testdata/bench/json.body.json") // 2.8 KB
	require.NoError(t, err)
	b, edge := startShop(t)
	for _, w := range []struct{ name, path, body string }{
		{"hello", "/", ""}, {"json", "/?min=10", string(document)}, {"hono", "/api/users/3?q=x", ""},
	} {
		t.Run(w.name, func(t *testing.T) {
			source := benchSource(t, w.name)
			host := w.name + ".shop.example"
			b.code(w.name, source)
			b.call("CreateRoutineRelatedRecord", map[string]any{"Name": w.name, "RecordName": host})
			path := filepath.Join(t.TempDir(), "script.js")
			require.NoError(t, os.WriteFile(path, []byte(source), 0o600))
			var targets []target
			for _, p := range []process{startWorkerd(t, program, source), serveAgain(t, "runtime", "TestServeScript", "SCRIPT="+path), edge} {
				targets = append(targets, target{p, w.path, host, w.body})
			}
			contest(t, "routine "+w.name, 16, targets...)
		})
	}
}

// TestServeScript serves a script as the edge does, without looking anything up.
func TestServeScript(t *testing.T) {
	at := os.Getenv("SERVE_AT")
	if at == "" {
		t.Skip("serves for TestAgainstWorkerd")
	}
	source, err := os.ReadFile(os.Getenv("SCRIPT"))
	require.NoError(t, err)
	parallel, _ := strconv.Atoi(os.Getenv("ESA_MCP_PARALLEL")) // empty: the default
	debug.SetGCPercent(400)                                    // as esa-mcp local has it
	s := runtime.New(runtime.Config{Parallel: parallel})
	script := runtime.Script{Key: "1", Load: func(context.Context) (string, error) { return string(source), nil }}
	require.NoError(t, http.ListenAndServe(at, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		result, err := s.Run(r.Context(), script, runtime.Host{}, r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		defer result.Body.Close() // only read
		for name, values := range result.Header {
			w.Header()[name] = values
		}
		if result.Length >= 0 {
			w.Header().Set("Content-Length", strconv.FormatInt(result.Length, 10))
		}
		w.WriteHeader(result.Status)
		_, _ = io.Copy(w, result.Body) // fails if the client leaves
	})))
}

// benchSource is a script of the runtime's tests.
func benchSource(t *testing.T, name string) string {
	t.Helper()
	if name != "hono" {
		source, err := os.ReadFile("runtime/testdata/bench/" + name + ".js")
		require.NoError(t, err)
		return string(source)
	}
	if _, err := os.Stat("runtime/testdata/npm/node_modules"); err != nil {
		t.Skip("needs make routine-packages")
	}
	bundled, err := pages.Bundle(t.Context(), "runtime/testdata/npm/hono.ts", pages.BundleOptions{})
	require.NoError(t, err)
	return string(bundled.Code)
}

func startWorkerd(t *testing.T, program, source string) process {
	t.Helper()
	dir, address := t.TempDir(), freeAddress(t)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "main.js"), []byte(source), 0o644))
	config := `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (services = [(name = "main", worker = .worker)], sockets = [(name = "http", address = "` + address + `", http = (), service = "main")]);
const worker :Workerd.Worker = (modules = [(name = "main.js", esModule = embed "main.js")], compatibilityDate = "2026-11-01");
`
	require.NoError(t, os.WriteFile(filepath.Join(dir, "config.capnp"), []byte(config), 0o644))
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, program, "serve", filepath.Join(dir, "config.capnp"))
	cmd.Stderr = os.Stderr
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { cancel(); _ = cmd.Wait() })
	awaitServer(t, address)
	return process{"workerd", "http://" + address, []int{cmd.Process.Pid}}
}
