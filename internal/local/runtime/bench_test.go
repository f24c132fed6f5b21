package runtime

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/pages"
)

// BenchmarkRun measures one request at a time through the runtime alone.
func BenchmarkRun(b *testing.B) {
	for _, name := range []string{"hello", "json", "kv", "stream", "hono"} {
		b.Run(name, func(b *testing.B) {
			s := New(Config{})
			defer s.Close()
			script, host := text(benchSource(b, name)), newTestHost().host()
			b.ReportAllocs()
			for b.Loop() {
				r, err := s.Run(b.Context(), script, host, benchRequest(b, name))
				if err != nil {
					b.Fatal(err)
				}
				if _, err := io.Copy(io.Discard, r.Body); err != nil || r.Status != 200 {
					b.Fatal(r.Status, err)
				}
			}
		})
	}
}

// benchSource is a script of testdata/bench, or the app of testdata/npm.
func benchSource(b testing.TB, name string) string {
	b.Helper()
	if name != "hono" {
		source, err := os.ReadFile("testdata/bench/" + name + ".js")
		require.NoError(b, err)
		return string(source)
	}
	if _, err := os.Stat("testdata/npm/node_modules"); err != nil {
		b.Skip("needs make routine-packages")
	}
	bundled, err := pages.Bundle(b.Context(), "testdata/npm/hono.ts", pages.BundleOptions{})
	require.NoError(b, err)
	return string(bundled.Code)
}

func benchRequest(t testing.TB, name string) *http.Request {
	if name == "hono" {
		return httptest.NewRequest("GET", "http://bench.localhost/api/users/3?q=x", nil)
	}
	if name == "json" {
		body, err := os.ReadFile("testdata/bench/json.body.json")
		require.NoError(t, err)
		r := httptest.NewRequest("POST", "http://bench.localhost/?min=10", bytes.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		return r
	}
	return httptest.NewRequest("GET", "http://bench.localhost/", nil)
}
