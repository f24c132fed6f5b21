package local

import (
	"fmt"
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
