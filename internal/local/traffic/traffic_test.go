package traffic

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local/analytics"
)

func generate(t *testing.T, text string) []analytics.Visit {
	t.Helper()
	d, err := Parse([]byte(text))
	require.NoError(t, err)
	d, err = d.Complete()
	require.NoError(t, err)
	var all []analytics.Visit
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	require.NoError(t, Generate(d, now, 70, func(part []analytics.Visit) error {
		all = append(all, part...)
		return nil
	}))
	for _, v := range all {
		require.False(t, v.Time.After(now))
		require.False(t, v.Time.Before(now.Add(-time.Duration(d.Span))))
	}
	return all
}

func TestTheSameDescriptionGivesTheSameTraffic(t *testing.T) {
	const text = `{"site": "shop.example", "requests": 500, "span": "24h", "seed": 3}`
	first := generate(t, text)
	require.Len(t, first, 500)
	require.Equal(t, first, generate(t, text))
	require.NotEqual(t, first, generate(t, `{"site": "shop.example", "requests": 500, "span": "24h", "seed": 4}`))
}

func TestProportions(t *testing.T) {
	counts, night := map[string]int{}, 0
	for _, v := range generate(t, `{"site": "shop.example", "requests": 20000, "statuses": {"200": 3, "502": 1}, "countries": {"CN-ZJ": 1}, "cache_statuses": {"HIT": 1}}`) {
		if v.Status == 200 {
			counts["200"]++
		}
		require.Equal(t, "CN", v.Country)
		require.Equal(t, "CN-ZJ", v.Province)
		require.Zero(t, v.OriginStatus, "no origin was asked")
		if v.Time.Hour() < 6 {
			night++
		}
	}
	require.InDelta(t, 15000, counts["200"], 300)
	require.Less(t, night, 4500, "less than a quarter of the day's")
}

func TestRefusals(t *testing.T) {
	for text, want := range map[string]string{
		`{`:                                  "read the description",
		`{"sites": "x"}`:                     `unknown field "sites"`,
		`{"site": "x"} {}`:                   "more after the object",
		`{"span": "long"}`:                   `as "24h", not "long"`,
		`{"requests": 5}`:                    "names no site",
		`{"site": "x", "requests": -1}`:      "between 1 and",
		`{"site": "x", "span": "1ms"}`:       "between a second and a year",
		`{"site": "x", "hosts": {"a": 0}}`:   "weights must be positive",
		`{"site": "x", "hosts": {"a": -1}}`:  "weights must be positive",
		`{"site": "x", "statuses": {"a":1}}`: `"a" is no HTTP status`,
		`{"site": "x", "visitors": -1}`:      "visitors must be between",
	} {
		d, err := Parse([]byte(text))
		if err == nil {
			_, err = d.Complete()
		}
		require.ErrorContains(t, err, want, text)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"site": "x", "requests": 10, "span": "1h", "paths": {"/": 1}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := Parse(text)
		if err != nil {
			return
		}
		d.Requests = min(d.Requests, 50)
		if d, err = d.Complete(); err != nil {
			return
		}
		n := 0
		require.NoError(t, Generate(d, time.Unix(1e9, 0), 20, func(v []analytics.Visit) error { n += len(v); return nil }))
		require.Equal(t, d.Requests, n)
	})
}
