package runtime

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkRun measures one request at a time through the runtime alone.
func BenchmarkRun(b *testing.B) {
	for _, name := range []string{"hello", "json", "kv", "stream"} {
		source, err := os.ReadFile("testdata/bench/" + name + ".js")
		require.NoError(b, err)
		b.Run(name, func(b *testing.B) {
			s := New(Config{})
			defer s.Close()
			script, host := text(string(source)), newTestHost().host()
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

func benchRequest(t testing.TB, name string) *http.Request {
	if name == "json" {
		body, err := os.ReadFile("testdata/bench/json.body.json")
		require.NoError(t, err)
		r := httptest.NewRequest("POST", "http://bench.localhost/?min=10", bytes.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		return r
	}
	return httptest.NewRequest("GET", "http://bench.localhost/", nil)
}
