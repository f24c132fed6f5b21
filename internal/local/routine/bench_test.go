package routine

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/quota"
)

// siteZip has n files of size bytes; random bytes do not compress.
func siteZip(b *testing.B, n, size int, random bool) []byte {
	b.Helper()
	source := rand.NewChaCha8([32]byte{1})
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	content := make([]byte, size)
	for i := range n {
		if random {
			_, _ = source.Read(content) // never fails
		} else {
			copy(content, bytes.Repeat(fmt.Appendf(nil, "<li>item %d of the list</li>\n", i), size/20))
		}
		part, err := w.Create(fmt.Sprintf("assets/dir%d/file%d.html", i%20, i))
		require.NoError(b, err)
		_, err = part.Write(content)
		require.NoError(b, err)
	}
	require.NoError(b, w.Close())
	return buf.Bytes()
}

func benchmarkBuild(b *testing.B, n, size int, random bool) {
	data := siteZip(b, n, size, random)
	f := openFixture(b, b.TempDir(), Config{Quotas: quota.Set{}.With(quota.RoutineVersions, 1<<30)})
	f.call("CreateRoutine", api.Params{"Name": "site"})
	b.SetBytes(int64(n * size))
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		v := f.call("CreateRoutineWithAssetsCodeVersion", api.Params{"Name": "site"})["CodeVersion"].(string)
		live, err := f.svc.Live(context.Background(), "site", Production)
		require.NoError(b, err)
		require.NoError(b, os.WriteFile(filepath.Join(f.store.BlobDir(), "up.zip"), data, 0o600))
		b.StartTimer()
		require.NoError(b, f.svc.runBuild(context.Background(), build{live.RoutineID, v, "up.zip"}))
		b.StopTimer()
		require.Equal(b, "available", f.status("site", v))
		f.call("DeleteRoutineCodeVersion", api.Params{"Name": "site", "CodeVersion": v})
		b.StartTimer()
	}
}

func BenchmarkBuild1000x10KB(b *testing.B)     { benchmarkBuild(b, 1000, 10<<10, false) }
func BenchmarkBuild100x1MBRandom(b *testing.B) { benchmarkBuild(b, 100, 1<<20, true) }

func BenchmarkLive(b *testing.B) {
	f := openFixture(b, b.TempDir(), Config{})
	f.call("CreateRoutine", api.Params{"Name": "site"})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f.svc.Live(context.Background(), "site", Production); err != nil {
			b.Fatal(err)
		}
	}
}
