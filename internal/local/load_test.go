package local

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
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

// What measures servers against each other: each is a process of its own, wrk (or
// this test, where wrk is not installed) asks them in turns, so that what else the machine does hits all, and the
// processor time that each spent tells of them even when the machine is busy.

// process is a server under load.
type process struct {
	name, address string // http://127.0.0.1:1234
	pids          []int
}

// load is what a server did under load.
type load struct {
	rate     float64       // requests a second
	p50, p99 time.Duration // of the time to an answer
	cpu      time.Duration // of processor time for one request, the system's included
}

// String writes the load as a line of a table.
func (l load) String() string {
	return fmt.Sprintf("%7.0f/s  p50 %6.2f ms  p99 %6.2f ms  %5.1f us of CPU each",
		l.rate, float64(l.p50)/1e6, float64(l.p99)/1e6, float64(l.cpu)/1e3)
}

// target is what a process is asked for.
type target struct {
	process
	path, host string
	body       string // JSON to post; empty to get
}

// rounds is how often each server gets its turn; the medians count.
const rounds = 3

// contest has all targets asked in turns and prints how they did, each against
// the first, which it returns with the others' ratios.
func contest(t *testing.T, title string, connections int, targets ...target) (all []load, ratios []float64) {
	t.Helper()
	seconds := 3
	if text := os.Getenv("SECONDS_EACH"); text != "" {
		var err error
		seconds, err = strconv.Atoi(text)
		require.NoError(t, err)
	}
	loads := make([][]load, len(targets))
	for round := range rounds + 1 {
		for i := range targets {
			at := (i + round) % len(targets)
			if round == 0 {
				run(t, targets[at], connections, 1) // to warm up
				continue
			}
			loads[at] = append(loads[at], run(t, targets[at], connections, seconds))
		}
	}
	fmt.Println(title)
	for i, to := range targets {
		all = append(all, median(loads[i]))
		one := make([]float64, rounds)
		for round := range rounds {
			one[round] = loads[i][round].rate / loads[0][round].rate
		}
		slices.Sort(one)
		ratios = append(ratios, one[rounds/2])
		fmt.Printf("  %-14s%s  x%.2f (%.2f to %.2f)\n", to.name, all[i], one[rounds/2], one[0], one[rounds-1])
	}
	return all, ratios
}

// median is that by rate.
func median(loads []load) load {
	sorted := slices.SortedFunc(slices.Values(loads), func(a, b load) int { return int(a.rate - b.rate) })
	return sorted[len(sorted)/2]
}

// run has one target asked for some seconds.
func run(t *testing.T, to target, connections, seconds int) load {
	t.Helper()
	if _, err := exec.LookPath("wrk"); err != nil {
		return ask(t, to, connections, time.Duration(seconds)*time.Second)
	}
	args := []string{"-t1", "-c" + strconv.Itoa(connections), "-d" + strconv.Itoa(seconds) + "s", "--latency", "-H", "Host: " + to.host}
	if to.body != "" {
		path := filepath.Join(t.TempDir(), "request.lua")
		script := fmt.Sprintf("wrk.method = 'POST'\nwrk.headers['Content-Type'] = 'application/json'\nwrk.body = [==[%s]==]\n", to.body)
		require.NoError(t, os.WriteFile(path, []byte(script), 0o600))
		args = append(args, "-s", path)
	}
	before := to.cpu(t)
	out, err := exec.Command("wrk", append(args, to.address+to.path)...).CombinedOutput()
	require.NoError(t, err, string(out))
	spent := to.cpu(t) - before
	require.NotContains(t, string(out), "Non-2xx")
	require.NotContains(t, string(out), "Socket errors")
	found := func(pattern string) string {
		match := regexp.MustCompile(pattern).FindSubmatch(out)
		require.NotNil(t, match, string(out))
		return string(bytes.Join(match[1:], nil))
	}
	var l load
	l.rate, err = strconv.ParseFloat(found(`Requests/sec:\s+([0-9.]+)`), 64)
	require.NoError(t, err)
	l.p50, err = time.ParseDuration(found(`50%\s+([0-9.]+)(us|ms|s)`))
	require.NoError(t, err)
	l.p99, err = time.ParseDuration(found(`99%\s+([0-9.]+)(us|ms|s)`))
	require.NoError(t, err)
	n, err := strconv.Atoi(found(`(\d+) requests in`))
	require.NoError(t, err)
	l.cpu = spent / time.Duration(n)
	return l
}

// cpu is the processor time that the process has taken; 0 where the system does
// not tell.
func (p process) cpu(t *testing.T) (sum time.Duration) {
	t.Helper()
	for _, pid := range p.pids {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			return 0
		}
		_, rest, _ := strings.Cut(string(text), ") ") // the name may have spaces
		fields := strings.Fields(rest)
		for _, field := range fields[11:13] { // utime and stime, in hundredths of a second
			ticks, err := strconv.Atoi(field)
			require.NoError(t, err)
			sum += time.Duration(ticks) * 10 * time.Millisecond
		}
	}
	return sum
}

// resident is the memory that a process has, in bytes.
func (p process) resident(t *testing.T) (sum int64) {
	t.Helper()
	for _, pid := range p.pids {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
		if err != nil {
			t.Skip("needs /proc")
		}
		pages, err := strconv.ParseInt(strings.Fields(string(text))[1], 10, 64)
		require.NoError(t, err)
		sum += pages * int64(os.Getpagesize())
	}
	return sum
}

// startShop builds esa-mcp and runs its local ESA, the real thing, with one
// active site, shop.example.
func startShop(t *testing.T, flags ...string) (*shop, process) {
	t.Helper()
	program := filepath.Join(t.TempDir(), "esa-mcp")
	out, err := exec.Command("go", "build", "-o", program, "../../cmd/esa-mcp").CombinedOutput()
	require.NoError(t, err, string(out))
	cmd := exec.Command(program, append([]string{"local", "--dir", t.TempDir()}, flags...)...)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt) // fails if it has ended, which Wait tells
		require.NoError(t, cmd.Wait())
	})
	b := &shop{t: t}
	require.NoError(t, json.NewDecoder(stdout).Decode(&b.info))
	b.id = b.site("shop.example", "NS")
	b.call("VerifySite", nil)
	return b, process{"edge", b.info.Edge, []int{cmd.Process.Pid}}
}

// serveAgain runs this test program once more, as a server of its own: the test
// of that name, which finds the address in the environment and serves until it is
// killed.
func serveAgain(t *testing.T, name, test string, environment ...string) process {
	t.Helper()
	at := freeAddress(t)
	cmd := exec.Command(os.Args[0], "-test.run", "^"+test+"$")
	cmd.Env = append(append(os.Environ(), "SERVE_AT="+at), environment...)
	cmd.Stderr = os.Stderr
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _, _ = cmd.Process.Kill(), cmd.Wait() })
	awaitServer(t, at)
	return process{name, "http://" + at, []int{cmd.Process.Pid}}
}

// freeAddress is one that nobody listens at.
func freeAddress(t *testing.T) string {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, free.Close())
	return free.Addr().String()
}

func awaitServer(t *testing.T, at string) {
	t.Helper()
	require.Eventually(t, func() bool {
		c, err := net.Dial("tcp", at)
		if err == nil {
			err = c.Close()
		}
		return err == nil
	}, time.Minute, 20*time.Millisecond)
}
