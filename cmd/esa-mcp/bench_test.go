package main

import (
	"bufio"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/esa-mcp/esa-mcp/tools"
)

// median of durations, in milliseconds.
func median(d []time.Duration) float64 {
	slices.Sort(d)
	return float64(d[len(d)/2].Microseconds()) / 1000
}

// startup is the time from starting a server to its answer to initialize.
func startup(b *testing.B, program string, args ...string) time.Duration {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), program, args...)
	cmd.Env = environment()
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	io.WriteString(in, handshake)
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		b.Fatal(err)
	}
	took := time.Since(began)
	in.Close()
	cmd.Wait()
	return took
}

// BenchmarkStartup compares with a bare server of the MCP library, in turn.
func BenchmarkStartup(b *testing.B) {
	echo := filepath.Join(b.TempDir(), "echo")
	if out, err := exec.Command("go", "build", "-o", echo, "./testdata/echo").CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	for _, args := range [][]string{nil, {"--local", "--local-dir", ":memory:"}} {
		b.Run("esa-mcp "+strings.Join(args, " "), func(b *testing.B) {
			var ours, bare []time.Duration
			for b.Loop() {
				ours = append(ours, startup(b, binary, args...))
				bare = append(bare, startup(b, echo))
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(median(ours), "ms")
			b.ReportMetric(median(bare), "bare-ms")
			b.ReportMetric(median(ours)/median(bare), "x-bare")
		})
	}
}

// deployOnce deploys a folder with a process of its own.
func deployOnce(b *testing.B, folder string, dry bool) (took time.Duration, rss int64) {
	b.Helper()
	args := []string{"call", "deploy_pages", "name=bench", "path=" + folder, "--local", "--local-dir", ":memory:"}
	if dry {
		args = append(args, "dry_run=true")
	}
	cmd := exec.CommandContext(b.Context(), binary, args...)
	cmd.Env = environment()
	began := time.Now()
	out, err := cmd.Output()
	took = time.Since(began)
	if err != nil {
		b.Fatalf("%v: %s", err, err.(*exec.ExitError).Stderr)
	}
	var result tools.DeployOutput
	if err := json.Unmarshal(out, &result); err != nil || (!dry && result.Status != tools.StatusLive) {
		b.Fatalf("%v: %s", err, out)
	}
	return took, peakRSS(cmd)
}

// folderOf makes a folder of files with random content, or with text.
func folderOf(b *testing.B, files, size int, text bool) string {
	b.Helper()
	dir := b.TempDir()
	content := make([]byte, size)
	for i := range files {
		rand.Read(content)
		if text {
			for j := range content {
				content[j] = "etaoin shrdlu <p></p>\n"[int(content[j])%22]
			}
		}
		name := filepath.Join(dir, fmt.Sprintf("d%02d/f%04d.%s", i%20, i, map[bool]string{true: "html", false: "bin"}[text]))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(name, content, 0o644); err != nil {
			b.Fatal(err)
		}
	}
	return dir
}

// BenchmarkDeploy times the whole process: start, local ESA, scan, upload, build,
// both deployments. RSS is that of client and local ESA together.
func BenchmarkDeploy(b *testing.B) {
	for _, c := range []struct {
		name        string
		files, size int
		text        bool
	}{
		{"1000x10KB-text", 1000, 10 << 10, true},
		{"1000x10KB-random", 1000, 10 << 10, false},
		{"100x1MB-random", 100, 1 << 20, false},
		{"10x1MB-random", 10, 1 << 20, false},
		{"1000x1MB-random", 1000, 1 << 20, false},
	} {
		b.Run(c.name, func(b *testing.B) {
			folder := folderOf(b, c.files, c.size, c.text)
			var took []time.Duration
			var rss int64
			for i := 0; b.Loop(); i++ {
				if c.files*c.size > 1<<29 && i > 2 {
					continue // a gigabyte three times says enough
				}
				t, r := deployOnce(b, folder, false)
				took, rss = append(took, t), max(rss, r)
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(median(took), "ms")
			b.ReportMetric(float64(rss)/(1<<20), "peak-MiB")
		})
	}
}
