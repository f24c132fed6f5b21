package local

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// staticFiles are what the servers of static files have.
func staticFiles() map[string]string {
	return map[string]string{
		"small.css": strings.Repeat("a{b:c} ", 140), "page.html": strings.Repeat("<p>text</p>", 930),
		"big.js": strings.Repeat("let x = 1;\n", 18_000),
	}
}

// TestStaticAgainstNginx has nginx, a bare Go server and the edge serve the same
// files in turns, and prints how they compare. The bare server, whose handlers
// write from memory, shows what net/http alone costs: with no more headers than it
// takes, and with as many as the edge sends. It runs with
// ESA_MCP_NGINX set, as make bench-edge sets it.
func TestStaticAgainstNginx(t *testing.T) {
	if os.Getenv("ESA_MCP_NGINX") == "" {
		t.Skip("needs ESA_MCP_NGINX")
	}
	if _, err := exec.LookPath("nginx"); err != nil {
		t.Skip("nginx is not installed (Debian: apt-get install nginx-light wrk)")
	}
	files := staticFiles()
	b, edge := startShop(t)
	b.assets("files", "www.shop.example", files)
	b.id = b.site("ruled.example", "NS") // a rule for one page has the HTTP server look at all
	b.call("VerifySite", nil)
	b.rule("CompressionRule", path("/other"), map[string]any{"Gzip": "on"})
	b.assets("ruled", "www.ruled.example", files)
	ruled := edge
	ruled.name = "  with a rule"
	nginx := startNginx(t, files)
	bare := serveAgain(t, "net/http", "TestServeBare")

	for _, name := range []string{"small.css", "page.html", "big.js"} {
		require.Equal(t, files[name], b.get("http://www.shop.example/"+name).body)
		path, host := "/"+name, "www.shop.example"
		full := bare
		full.name = "  all headers"
		_, ratios := contest(t, fmt.Sprintf("static %s, %d bytes", name, len(files[name])), 32,
			target{nginx, path, host, ""}, target{bare, path, host, ""}, target{full, "/full" + path, host, ""}, target{edge, path, host, ""},
			target{ruled, path, "www.ruled.example", ""})
		require.Greater(t, ratios[3], 0.1, "far from nginx")
	}
}

// assets deploys a routine that has files alone, and gives it a host.
func (b *shop) assets(routine, host string, files map[string]string) {
	b.t.Helper()
	all := map[string]string{}
	for name, content := range files {
		all["assets/"+name] = content
	}
	b.routine(routine, "", all)
	b.call("CreateRoutineRelatedRecord", map[string]any{"Name": routine, "RecordName": host})
}

// TestServeBare is the bare server.
func TestServeBare(t *testing.T) {
	at := os.Getenv("SERVE_AT")
	if at == "" {
		t.Skip("serves for TestStaticAgainstNginx")
	}
	mux := http.NewServeMux()
	for name, content := range staticFiles() {
		kind, length, text := []string{"text/plain; charset=utf-8"}, []string{strconv.Itoa(len(content))}, []byte(content)
		mux.HandleFunc("/"+name, func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Type"], w.Header()["Content-Length"] = kind, length
			_, _ = w.Write(text) // fails if the client leaves
		})
		headers := http.Header{"Content-Type": kind, "Content-Length": length, "Server": {"ESA (local)"}, "X-Esa-Version": {"1795711478373487381"},
			"Etag": {`"71486a3c06f08da0b8bbf602cc6a5d17"`}, "Last-Modified": {"Thu, 26 Feb 2026 16:44:38 GMT"}, "Cache-Control": {"no-cache"}, "Accept-Ranges": {"bytes"}}
		mux.HandleFunc("/full/"+name, func(w http.ResponseWriter, _ *http.Request) {
			maps.Copy(w.Header(), headers)
			_, _ = w.Write(text) // as above
		})
	}
	require.NoError(t, http.ListenAndServe(at, mux))
}

// startNginx serves files with as many workers as there are cores.
func startNginx(t *testing.T, files map[string]string) process {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.Chmod(filepath.Dir(dir), 0o755)) // the workers are another user
	require.NoError(t, os.Chmod(dir, 0o755))
	for name, content := range files {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644))
	}
	at := freeAddress(t)
	config := filepath.Join(dir, "nginx.conf")
	require.NoError(t, os.WriteFile(config, []byte(fmt.Sprintf(`daemon off; worker_processes auto; pid %[1]s/pid; error_log %[1]s/error.log;
events { worker_connections 1024; }
http { include /etc/nginx/mime.types; access_log %[1]s/access.log combined buffer=64k flush=1s; sendfile on; tcp_nopush on; keepalive_requests 1000000000;
  server { listen %[2]s; root %[1]s; } }
`, dir, at)), 0o644))
	cmd := exec.Command("nginx", "-c", config, "-e", filepath.Join(dir, "error.log"))
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Signal(os.Interrupt); _ = cmd.Wait() })
	awaitServer(t, at)
	return process{"nginx", "http://" + at, children(t, cmd.Process.Pid)}
}

// children are the processes that a process has started, such as nginx's workers.
func children(t *testing.T, pid int) (pids []int) {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return nil
	}
	for _, field := range strings.Fields(string(text)) {
		child, err := strconv.Atoi(field)
		require.NoError(t, err)
		pids = append(pids, child)
	}
	return pids
}
