package local

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestManyAtOnce has clients write and read at the same time, over in-memory
// state with its one connection and over a directory.
func TestManyAtOnce(t *testing.T) {
	for name, dir := range map[string]string{"memory": "", "directory": t.TempDir()} {
		t.Run(name, func(t *testing.T) {
			info := start(t, Options{Dir: dir}).Info()
			must(t, info, "CreateKvNamespace", map[string]any{"Namespace": "ns"})
			const clients, each = 8, 5
			failed := make(chan error, clients)
			var all sync.WaitGroup
			for c := range clients {
				all.Go(func() {
					for i := range each {
						if _, err := call(t, info, "PutKv", map[string]any{"Namespace": "ns", "Key": fmt.Sprint(c, "-", i), "Value": "v"}); err != nil {
							failed <- err
							return
						}
						if _, err := call(t, info, "ListKvs", map[string]any{"Namespace": "ns"}); err != nil {
							failed <- err
							return
						}
					}
				})
			}
			all.Wait()
			close(failed)
			for err := range failed {
				require.NoError(t, err)
			}
			total, err := must(t, info, "ListKvs", map[string]any{"Namespace": "ns"})["TotalCount"].(interface{ Int64() (int64, error) }).Int64()
			require.NoError(t, err)
			require.EqualValues(t, clients*each, total)
		})
	}
}

// BenchmarkCall is one signed call over the wire, the official library's own
// cost included.
func BenchmarkCall(b *testing.B) {
	for _, c := range []struct {
		action string
		params map[string]any
	}{
		{"ListSites", nil},
		{"PutKv", map[string]any{"Namespace": "ns", "Key": "k", "Value": "v"}},
		{"GetKv", map[string]any{"Namespace": "ns", "Key": "k"}},
	} {
		b.Run(c.action, func(b *testing.B) {
			s, err := Start(b.Context(), Options{})
			require.NoError(b, err)
			defer s.Close()
			_, err = call(b, s.Info(), "CreateKvNamespace", map[string]any{"Namespace": "ns"})
			require.NoError(b, err)
			_, err = call(b, s.Info(), "PutKv", map[string]any{"Namespace": "ns", "Key": "k", "Value": "v"})
			require.NoError(b, err)
			for b.Loop() {
				if _, err := call(b, s.Info(), c.action, c.params); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkStart is a local ESA up and down again.
func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		s, err := Start(b.Context(), Options{})
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkEdge is one request through the edge, without a server and its
// connection: an asset of a site that has no rules, and a routine.
func BenchmarkEdge(b *testing.B) {
	shop := newShop(b, Options{Dir: b.TempDir()})
	shop.assets("files", "www.shop.example", map[string]string{"small.css": strings.Repeat("a{b:c} ", 140)})
	shop.code("hello", `export default { fetch: () => new Response("hello") }`)
	shop.call("CreateRoutineRelatedRecord", map[string]any{"Name": "hello", "RecordName": "hello.shop.example"})
	for name, address := range map[string]string{"asset": "http://www.shop.example/small.css", "routine": "http://hello.shop.example/"} {
		b.Run(name, func(b *testing.B) {
			asked := httptest.NewRequest(http.MethodGet, address, nil)
			asked.URL.Scheme, asked.URL.Host = "", "" // as a server has it
			w := &discard{header: http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				clear(w.header)
				shop.esa.servers[1].Handler.ServeHTTP(w, asked)
				if w.status != http.StatusOK {
					b.Fatal(w.status)
				}
			}
		})
	}
}

// discard takes an answer and keeps its status alone.
type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) WriteHeader(status int)      { d.status = status }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
