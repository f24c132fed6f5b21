package kv

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/state"
)

// BenchmarkBatchPut stores batches of 10,000 new keys on disk.
func BenchmarkBatchPut(b *testing.B) {
	store, err := state.Open(b.Context(), b.TempDir())
	require.NoError(b, err)
	defer store.Close()
	table := New(store, Config{}).Table()
	_, err = table["CreateKvNamespace"](b.Context(), &api.Request{Params: api.Params{"Namespace": "ns"}})
	require.NoError(b, err)
	const keys = 10_000
	n := 0
	for b.Loop() {
		list := make([]map[string]string, keys)
		for i := range list {
			list[i] = map[string]string{"Key": fmt.Sprintf("key-%09d", n), "Value": strings.Repeat("v", 100)}
			n++
		}
		raw, err := json.Marshal(list)
		require.NoError(b, err)
		out, err := table["BatchPutKv"](b.Context(), &api.Request{Params: api.Params{"Namespace": "ns", "KvList": string(raw)}})
		require.NoError(b, err)
		require.Len(b, out.(*outcome).SuccessKeys, keys)
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "keys/s")
}
