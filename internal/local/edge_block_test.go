package local

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestEdgeBlocksObjects: a blocked address is not served, from the cache neither,
// until it is unblocked or its time is over; others are.
func TestEdgeBlocksObjects(t *testing.T) {
	at := newClock()
	b := newShop(t, Options{Now: at.time})
	b.record("www.shop.example", b.origin((&counter{headers: cacheFor(3600)}).ServeHTTP))
	const address = "http://www.shop.example/a.css?v=1"
	require.Equal(t, "MISS", b.get(address).cache())
	require.Equal(t, "HIT", b.get(address).cache())

	block := map[string]any{"Content": []string{"https://WWW.shop.example/a.css?v=1", "http://www.shop.example"}, "Type": "block", "Maxage": 60}
	b.call("BlockObject", block)
	got := b.get(address)
	require.Equal(t, 403, got.status)
	require.Contains(t, got.body, "blocked until "+at.time().Add(time.Minute).Format(time.RFC3339))
	require.Contains(t, got.body, "Type=unblock")
	require.Equal(t, 403, b.get("http://www.shop.example/").status)
	require.Equal(t, 200, b.get("http://www.shop.example/a.css?v=2").status)
	require.Equal(t, 200, b.get("http://www.shop.example/b.css?v=1").status)

	b.call("BlockObject", map[string]any{"Content": []string{address}, "Type": "unblock"})
	require.Equal(t, "HIT", b.get(address).cache())
	require.Equal(t, 403, b.get("http://www.shop.example/").status)
	at.advance(time.Minute)
	require.Equal(t, 200, b.get("http://www.shop.example/").status)
}
