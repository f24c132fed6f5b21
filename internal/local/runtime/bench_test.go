package runtime

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
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
				r, err := s.Run(b.Context(), script, host, benchRequest(name))
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

func benchRequest(name string) *http.Request {
	if name == "json" {
		r := httptest.NewRequest("POST", "http://bench.localhost/?min=10", strings.NewReader(benchJSON))
		r.Header.Set("Content-Type", "application/json")
		return r
	}
	return httptest.NewRequest("GET", "http://bench.localhost/", nil)
}

// benchJSON is a document of 2.8 KB.
var benchJSON = func() string {
	var items []string
	for i := range 20 {
		items = append(items, strings.NewReplacer("#", string(rune('a'+i)), "@", strings.Repeat("1", i%4+1)).
			Replace(`{"id":"item-#","name":"product name #","price":@.5,"tags":["red","t#","new"],"discontinued":false,"stock":{"count":@,"where":"w#"}}`))
	}
	return `{"items":[` + strings.Join(items, ",") + `]}`
}()
