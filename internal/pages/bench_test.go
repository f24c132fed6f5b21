package pages

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func writeFiles(t testing.TB, count int, content func(i int) string) string {
	t.Helper()
	dir := t.TempDir()
	for i := range count {
		sub := filepath.Join(dir, fmt.Sprintf("d%02d", i%20))
		require.NoError(t, os.MkdirAll(sub, 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(sub, fmt.Sprintf("f%05d.bin", i)), []byte(content(i)), 0o644))
	}
	return dir
}

func BenchmarkDeploy(b *testing.B) {
	text := func(size int) func(int) string { return func(i int) string { return prose(uint64(i), size) } }
	random := func(size int) func(int) string { return func(i int) string { return noise(uint64(i), size) } }
	for _, c := range []struct {
		name    string
		count   int
		content func(int) string
		store   bool
	}{
		{"1000x10KB/text", 1000, text(10 << 10), false},
		{"1000x10KB/text/stored", 1000, text(10 << 10), true},
		{"1000x10KB/random", 1000, random(10 << 10), false},
		{"100x1MB/random", 100, random(1 << 20), false},
		{"100x1MB/text", 100, text(1 << 20), false},
	} {
		b.Run(c.name, func(b *testing.B) {
			dir := writeFiles(b, c.count, c.content)
			var scan, plan, send time.Duration
			var size int64
			for b.Loop() {
				t0 := time.Now()
				f, err := Scan(b.Context(), dir, ScanOptions{})
				require.NoError(b, err)
				t1 := time.Now()
				a, err := Plan(b.Context(), f, nil, PlanOptions{Store: c.store})
				require.NoError(b, err)
				t2 := time.Now()
				r, err := a.Open(b.Context())
				require.NoError(b, err)
				_, err = io.Copy(io.Discard, r)
				require.NoError(b, err)
				require.NoError(b, r.Close())
				scan, plan, send = scan+t1.Sub(t0), plan+t2.Sub(t1), send+time.Since(t2)
				size = a.ZipSize
			}
			ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 / float64(b.N) }
			b.ReportMetric(ms(scan), "scan-ms/op")
			b.ReportMetric(ms(plan), "plan-ms/op")
			b.ReportMetric(ms(send), "send-ms/op")
			b.ReportMetric(float64(size), "zip-bytes")
		})
	}
}

// Memory must not depend on the folder's size. The files are sparse, so the
// disk hardly notices; one in ten is compressed on the way, the others are stored.
func TestMemoryIsBounded(t *testing.T) {
	sizes := []int{10, 100, 1000}
	if testing.Short() {
		sizes = sizes[:2]
	}
	for _, megabytes := range sizes {
		dir := t.TempDir()
		for i := range megabytes / 10 {
			name := fmt.Sprintf("%03d.dat", i)
			if i%10 != 0 {
				name = fmt.Sprintf("%03d.zip", i)
			}
			file, err := os.Create(filepath.Join(dir, name))
			require.NoError(t, err)
			require.NoError(t, file.Truncate(10<<20))
			require.NoError(t, file.Close())
		}
		runtime.GC()
		before := int64(heap())
		var peak atomic.Int64
		look := func() {
			for now := int64(heap()); ; {
				if old := peak.Load(); now <= old || peak.CompareAndSwap(old, now) {
					return
				}
			}
		}
		f, err := Scan(t.Context(), dir, ScanOptions{open: func(root *os.Root, name string) (*os.File, error) {
			look() // also called by Plan and by Open
			return openInside(root, name)
		}})
		require.NoError(t, err)
		a, err := Plan(t.Context(), f, nil, PlanOptions{})
		require.NoError(t, err)
		r, err := a.Open(t.Context())
		require.NoError(t, err)
		chunk := make([]byte, 256<<10)
		for err == nil {
			_, err = io.ReadFull(r, chunk)
			look()
		}
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		require.NoError(t, r.Close())
		grown := peak.Load() - before
		t.Logf("%d MB: zip %d bytes, heap grew by %.1f MB", megabytes, a.ZipSize, float64(grown)/(1<<20))
		require.Less(t, grown, int64(30<<20), "%d MB", megabytes)
	}
}

// heap is the bytes of live and not yet swept objects.
func heap() uint64 {
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}
