package local

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local/traffic"
)

func TestGeneratedTrafficIsCounted(t *testing.T) {
	dir := t.TempDir()
	b := newShop(t, Options{Dir: dir})
	now := time.Now().UTC().Add(-2 * time.Second)
	d := traffic.Description{Site: "shop.example", Requests: 10_000, Span: traffic.Duration(6 * time.Hour), Seed: 7,
		Countries: traffic.Weights{"DE": 3, "CN-ZJ": 1}}
	n, err := GenerateTraffic(t.Context(), dir, d, now)
	require.NoError(t, err)
	require.Equal(t, 10_000, n)
	top := b.call("DescribeSiteTopData", map[string]any{"StartTime": now.Add(-7 * time.Hour).Format("2006-01-02T15:04:05Z"),
		"Fields": []any{map[string]any{"FieldName": "Requests", "Dimension": []string{"ALL", "ClientCountryCode", "EdgeCacheStatus"}}}})["Data"].([]any)
	values := func(i int) map[string]int64 {
		out := map[string]int64{}
		for _, one := range top[i].(map[string]any)["DetailData"].([]any) {
			m := one.(map[string]any)
			count, err := m["Value"].(json.Number).Int64()
			require.NoError(t, err)
			out[m["DimensionValue"].(string)] = count
		}
		return out
	}
	require.EqualValues(t, 10_000, values(0)["ALL"])
	require.InDelta(t, 7500, values(1)["DE"], 290) // by chance: the time of the day has a say in what is drawn
	require.InDelta(t, 6800, values(2)["HIT"], 290)

	_, err = GenerateTraffic(t.Context(), dir, traffic.Description{Site: "other.example"}, now)
	require.ErrorContains(t, err, `no active site "other.example"`)
	_, err = GenerateTraffic(t.Context(), dir, traffic.Description{Site: "shop.example", Statuses: traffic.Weights{"999": 1}}, now)
	require.ErrorContains(t, err, `"999" is no HTTP status`)
}
