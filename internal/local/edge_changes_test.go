package local

import (
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestChangesShowAtOnceUnderLoad: a request that comes after a change was answered
// sees it, also while others are looking for changes.
func TestChangesShowAtOnceUnderLoad(t *testing.T) {
	b := newShop(t, Options{Dir: t.TempDir()})
	b.assets("files", "www.shop.example", map[string]string{"a.txt": "a"})
	stop := make(chan struct{})
	var others sync.WaitGroup
	for range 4 {
		others.Go(func() {
			transport := &http.Transport{}
			defer transport.CloseIdleConnections()
			for {
				select {
				case <-stop:
					return
				default:
				}
				r, err := http.NewRequest(http.MethodGet, b.info.Edge+"/a.txt", nil)
				if err != nil {
					t.Error(err)
					return
				}
				r.Host = "www.shop.example"
				res, err := transport.RoundTrip(r)
				if err != nil {
					t.Error(err)
					return
				}
				res.Body.Close() // short, and only read
			}
		})
	}
	for i := range 60 {
		paused := i%2 == 0
		b.call("UpdateSitePause", map[string]any{"Paused": paused})
		want := http.StatusOK
		if paused {
			want = http.StatusNotFound
		}
		require.Equal(t, want, b.get("http://www.shop.example/a.txt").status, i)
	}
	close(stop)
	others.Wait()
}
