package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/esa-mcp/esa-mcp/tools"
)

// callOnDisk is one tool call by a process of its own, against a local ESA on
// disk.
func callOnDisk(b *testing.B, dir string, args ...string) ([]byte, int64) {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), binary, append([]string{"call", "--local", "--local-dir", dir}, args...)...)
	cmd.Env = environment()
	out, err := cmd.CombinedOutput()
	if err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	return out, peakRSS(cmd)
}

// BenchmarkImportKV imports keys of 20 and values of 96 bytes. RSS is that of
// client and local ESA together: it must not grow with the number of keys.
func BenchmarkImportKV(b *testing.B) {
	for _, keys := range []int{100_000, 1_000_000} {
		b.Run(fmt.Sprint(keys), func(b *testing.B) {
			dir := b.TempDir()
			file := filepath.Join(dir, "rows.jsonl")
			f, err := os.Create(file)
			if err != nil {
				b.Fatal(err)
			}
			w := bufio.NewWriter(f)
			for i := range keys {
				fmt.Fprintf(w, `{"key":"user:%07d:profile","value":"%s"}`+"\n", i, strings.Repeat(fmt.Sprintf("%07d ", i), 12))
			}
			if err := w.Flush(); err != nil {
				b.Fatal(err)
			}
			if err := f.Close(); err != nil {
				b.Fatal(err)
			}
			var rate float64
			var rss int64
			for i := 0; b.Loop(); i++ {
				if i > 0 {
					continue // once takes long enough
				}
				state := filepath.Join(dir, "state")
				callOnDisk(b, state, "create_kv_namespace", "namespace=ns")
				raw, peak := callOnDisk(b, state, "import_kv", "namespace=ns", "path="+file)
				var out tools.ImportKVOutput
				if err := json.Unmarshal(raw, &out); err != nil || out.Stored != int64(keys) {
					b.Fatalf("%v: %s", err, raw)
				}
				rate, rss = float64(keys)/out.Seconds, peak
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(rate, "keys/s")
			b.ReportMetric(float64(rss)/(1<<20), "peak-MiB")
		})
	}
}
