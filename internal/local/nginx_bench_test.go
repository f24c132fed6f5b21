//go:build nginx

package local

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestStaticAgainstNginx has nginx and the edge serve the same files in turn, and
// prints how they compare: requests a second and the time that 99 of 100 requests
// take, by wrk. It needs nginx and wrk, and skips without.
func TestStaticAgainstNginx(t *testing.T) {
	for _, tool := range []string{"nginx", "wrk"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed (Debian: apt-get install nginx-light wrk)", tool)
		}
	}
	files := map[string]string{"small.css": strings.Repeat("a{b:c} ", 140), "page.html": strings.Repeat("<p>text</p>", 930), "big.js": strings.Repeat("let x = 1;\n", 18_000)}
	b := newShop(t, Options{Dir: t.TempDir()})
	assets := map[string]string{}
	for name, content := range files {
		assets["assets/"+name] = content
	}
	b.routine("files", "", assets)
	b.call("CreateRoutineRelatedRecord", map[string]any{"Name": "files", "RecordName": "www.shop.example"})
	nginx := startNginx(t, files)

	seconds := 3
	if text := os.Getenv("SECONDS_EACH"); text != "" {
		n, err := strconv.Atoi(text)
		require.NoError(t, err)
		seconds = n
	}
	for _, name := range []string{"small.css", "page.html", "big.js"} {
		require.Equal(t, files[name], b.get("http://www.shop.example/"+name).body)
		var theirs, ours []load
		for range 3 { // in turn, so that what else the machine does hits both
			theirs = append(theirs, wrk(t, nginx+"/"+name, "localhost", seconds))
			ours = append(ours, wrk(t, b.info.Edge+"/"+name, "www.shop.example", seconds))
		}
		n, e := median(theirs), median(ours)
		fmt.Printf("static %-9s %6d bytes: nginx %6.0f/s p99 %v, edge %6.0f/s p99 %v, ratio %.2f\n",
			name, len(files[name]), n.rate, n.p99, e.rate, e.p99, e.rate/n.rate)
		require.Greater(t, e.rate/n.rate, 0.1, "far from nginx")
	}
}

// startNginx serves files with as many workers as there are cores, and returns
// the address.
func startNginx(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.Chmod(filepath.Dir(dir), 0o755)) // the workers are another user
	require.NoError(t, os.Chmod(dir, 0o755))
	for name, content := range files {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644))
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	at := free.Addr().String()
	require.NoError(t, free.Close())
	config := filepath.Join(dir, "nginx.conf")
	require.NoError(t, os.WriteFile(config, []byte(fmt.Sprintf(`daemon off; worker_processes auto; pid %[1]s/pid; error_log %[1]s/error.log;
events { worker_connections 1024; }
http { include /etc/nginx/mime.types; access_log %[1]s/access.log combined buffer=64k flush=1s; sendfile on; tcp_nopush on; keepalive_requests 1000000000;
  server { listen %[2]s; root %[1]s; } }
`, dir, at)), 0o644))
	cmd := exec.Command("nginx", "-c", config, "-e", filepath.Join(dir, "error.log"))
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Signal(os.Interrupt); _ = cmd.Wait() })
	require.Eventually(t, func() bool {
		res, err := http.Get("http://" + at + "/small.css")
		if err != nil {
			return false
		}
		return res.Body.Close() == nil && res.StatusCode == 200
	}, 10*time.Second, 20*time.Millisecond)
	return "http://" + at
}

type load struct {
	rate float64
	p99  time.Duration
}

func wrk(t *testing.T, address, host string, seconds int) load {
	t.Helper()
	out, err := exec.Command("wrk", "-t1", "-c32", "-d"+strconv.Itoa(seconds)+"s", "--latency", "-H", "Host: "+host, address).CombinedOutput()
	require.NoError(t, err, string(out))
	require.NotContains(t, string(out), "Non-2xx")
	rate := regexp.MustCompile(`Requests/sec:\s+([0-9.]+)`).FindSubmatch(out)
	p99 := regexp.MustCompile(`99%\s+([0-9.]+)(us|ms|s)`).FindSubmatch(out)
	require.NotNil(t, rate, string(out))
	require.NotNil(t, p99, string(out))
	var l load
	l.rate, err = strconv.ParseFloat(string(rate[1]), 64)
	require.NoError(t, err)
	l.p99, err = time.ParseDuration(string(p99[1]) + string(p99[2]))
	require.NoError(t, err)
	return l
}

func median(loads []load) load {
	slices.SortFunc(loads, func(a, b load) int { return int(a.rate - b.rate) })
	return loads[len(loads)/2]
}
