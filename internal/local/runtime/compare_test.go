package runtime

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	goruntime "runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/pages"
)

const (
	connections = 16
	rounds      = 3
)

// TestAgainstWorkerd compares requests per second with workerd, in turns, on the
// same scripts. It runs with ESA_MCP_WORKERD, the path of workerd's program, as
// make bench-routines sets it.
func TestAgainstWorkerd(t *testing.T) {
	program := os.Getenv("ESA_MCP_WORKERD")
	if program == "" {
		t.Skip("needs ESA_MCP_WORKERD, the path of workerd")
	}
	for _, w := range []struct{ name, request string }{
		{"hello", rawRequest("GET", "/", "")},
		{"json", rawRequest("POST", "/?min=10", benchJSON)},
		{"hono", rawRequest("GET", "/api/users/3?q=x", "")},
	} {
		t.Run(w.name, func(t *testing.T) { compare(t, program, w.name, w.request) })
	}
}

func compare(t *testing.T, program, name, request string) {
	source := benchSource(t, name)
	ours := serveScript(t, source)
	theirs := startWorkerd(t, program, source)
	var mine, other []load
	for round := range rounds + 1 {
		span := 3 * time.Second
		if round == 0 {
			span = time.Second // to warm up
		}
		a, b := measure(t, ours, request, span), measure(t, theirs, request, span)
		if round > 0 {
			mine, other = append(mine, a), append(other, b)
		}
	}
	ratios := make([]float64, rounds)
	for i := range mine {
		ratios[i] = mine[i].perSecond / other[i].perSecond
	}
	slices.Sort(ratios)
	byRate := func(a, b load) int { return int(a.perSecond - b.perSecond) }
	slices.SortFunc(mine, byRate)
	slices.SortFunc(other, byRate)
	t.Logf("ours %s | workerd %s | x%.2f (%.2f to %.2f)", mine[rounds/2], other[rounds/2], ratios[rounds/2], ratios[0], ratios[rounds-1])
}

// TestMemoryOfManyRoutines measures a thousand routines, each asked once, and a
// soak of one, with ESA_MCP_MEMORY set.
func TestMemoryOfManyRoutines(t *testing.T) {
	if os.Getenv("ESA_MCP_MEMORY") == "" {
		t.Skip("needs ESA_MCP_MEMORY")
	}
	s := New(Config{})
	defer s.Close()
	before := resident(t)
	for i := range 1000 {
		body, err := get(t, s, text(fmt.Sprintf(`export default { fetch: () => new Response("routine %d") }`, i)), "/")
		require.NoError(t, err)
		require.Equal(t, fmt.Sprintf("routine %d", i), body)
	}
	t.Logf("1,000 routines, %d machines at most: %d MB resident, %d MB before", s.cfg.MaxMachines, resident(t)>>20, before>>20)

	script, host := text(benchSource(t, "json")), newTestHost().host()
	for part := range 6 {
		for end := time.Now().Add(10 * time.Second); time.Now().Before(end); {
			r, err := s.Run(t.Context(), script, host, benchRequest("json"))
			require.NoError(t, err)
			_, err = io.Copy(io.Discard, r.Body)
			require.NoError(t, err)
		}
		t.Logf("soak, after %d s: %d MB resident", (part+1)*10, resident(t)>>20)
	}
}

func resident(t *testing.T) int64 {
	goruntime.GC()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Skip("needs /proc")
	}
	pages, err := strconv.ParseInt(strings.Fields(string(text))[1], 10, 64)
	require.NoError(t, err)
	return pages * int64(os.Getpagesize())
}

func benchSource(t *testing.T, name string) string {
	if name != "hono" {
		source, err := os.ReadFile("testdata/bench/" + name + ".js")
		require.NoError(t, err)
		return string(source)
	}
	if _, err := os.Stat("testdata/npm/node_modules"); err != nil {
		t.Skip("needs make routine-packages")
	}
	bundled, err := pages.Bundle(t.Context(), "testdata/npm/hono.ts", pages.BundleOptions{})
	require.NoError(t, err)
	return string(bundled.Code)
}

func rawRequest(method, target, body string) string {
	head := method + " " + target + " HTTP/1.1\r\nHost: bench.localhost\r\nUser-Agent: bench\r\nAccept: */*\r\n"
	if body != "" {
		head += "Content-Type: application/json\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n"
	}
	return head + "\r\n" + body
}

// serveScript serves a script as the edge does, without looking anything up.
func serveScript(t *testing.T, source string) string {
	parallel, _ := strconv.Atoi(os.Getenv("ESA_MCP_PARALLEL")) // empty: the default
	s := New(Config{Parallel: parallel})
	t.Cleanup(s.Close)
	script := text(source)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		result, err := s.Run(r.Context(), script, Host{}, r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		defer result.Body.Close()
		for name, values := range result.Header {
			w.Header()[name] = values
		}
		if result.Length >= 0 {
			w.Header().Set("Content-Length", strconv.FormatInt(result.Length, 10))
		}
		w.WriteHeader(result.Status)
		_, _ = io.Copy(w, result.Body)
	}))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func startWorkerd(t *testing.T, program, source string) string {
	dir := t.TempDir()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := l.Addr().String()
	require.NoError(t, l.Close())
	require.NoError(t, os.WriteFile(filepath.Join(dir, "main.js"), []byte(source), 0o644))
	config := `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (services = [(name = "main", worker = .worker)], sockets = [(name = "http", address = "` + address + `", http = (), service = "main")]);
const worker :Workerd.Worker = (modules = [(name = "main.js", esModule = embed "main.js")], compatibilityDate = "2026-11-01", compatibilityFlags = ["nodejs_compat"]);
`
	require.NoError(t, os.WriteFile(filepath.Join(dir, "config.capnp"), []byte(config), 0o644))
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, program, "serve", filepath.Join(dir, "config.capnp"))
	cmd.Stderr = os.Stderr
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { cancel(); _ = cmd.Wait() })
	require.Eventually(t, func() bool {
		c, err := net.Dial("tcp", address)
		if err == nil {
			err = c.Close()
		}
		return err == nil
	}, 20*time.Second, 20*time.Millisecond)
	return address
}

// load is what a server did under load.
type load struct {
	perSecond float64
	p50, p99  time.Duration
}

func (l load) String() string {
	return fmt.Sprintf("%.0f/s p50 %.2f ms p99 %.2f ms", l.perSecond, float64(l.p50)/1e6, float64(l.p99)/1e6)
}

// measure sends one request again and again over some connections.
func measure(t *testing.T, address, request string, span time.Duration) load {
	var mu sync.Mutex
	var all []time.Duration
	var wait sync.WaitGroup
	end := time.Now().Add(span)
	for range connections {
		wait.Go(func() {
			times := drive(t, address, request, end)
			mu.Lock()
			defer mu.Unlock()
			all = append(all, times...)
		})
	}
	wait.Wait()
	require.NotEmpty(t, all)
	slices.Sort(all)
	return load{float64(len(all)) / span.Seconds(), all[len(all)/2], all[len(all)*99/100]}
}

// drive is one connection's work.
func drive(t *testing.T, address, request string, end time.Time) (times []time.Duration) {
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Error(err)
		return nil
	}
	defer c.Close()
	in, line := bufio.NewReaderSize(c, 64<<10), []byte(request)
	for time.Now().Before(end) {
		started := time.Now()
		if _, err := c.Write(line); err != nil {
			t.Error(err)
			return times
		}
		if err := readAnswer(in); err != nil {
			t.Error(err)
			return times
		}
		times = append(times, time.Since(started))
	}
	return times
}

// readAnswer reads a response of known length, and little more than that.
func readAnswer(in *bufio.Reader) error {
	length, first := -1, true
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return err
		}
		if first && !bytes.Contains(line, []byte(" 200 ")) {
			rest, _ := io.ReadAll(io.LimitReader(in, 1000))
			return fmt.Errorf("answered %q %q", line, rest)
		}
		first = false
		if len(line) <= 2 {
			break
		}
		if name, value, _ := bytes.Cut(line, []byte(":")); bytes.EqualFold(name, []byte("Content-Length")) {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return err
			}
		}
	}
	if length < 0 {
		return fmt.Errorf("an answer without Content-Length")
	}
	_, err := in.Discard(length)
	return err
}
