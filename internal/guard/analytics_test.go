package guard_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/esa"
	"github.com/esa-mcp/esa-mcp/internal/local"
	"github.com/esa-mcp/esa-mcp/internal/local/analytics"
)

const (
	seriesOf = "DescribeSiteTimeSeriesData"
	topOf    = "DescribeSiteTopData"
)

func asks(more params) params {
	p := params{"Fields": []any{map[string]any{"FieldName": "Requests", "Dimension": []any{"ALL"}}}, "Interval": "3600"}
	for k, v := range more {
		if v == nil {
			delete(p, k)
		} else {
			p[k] = v
		}
	}
	return p
}

func field(metric string, dimensions ...any) params {
	return params{"Fields": []any{map[string]any{"FieldName": metric, "Dimension": dimensions}}}
}

// ago is a time as ESA writes it.
func ago(d time.Duration) string { return time.Now().UTC().Add(-d).Format("2006-01-02T15:04:05Z") }

func TestGuardrail_stats_time(t *testing.T) {
	prove(t, "stats-time", proof{
		with: func(w *world) {
			a := w.fixed("in UTC, as ESA writes it", seriesOf, asks(params{"StartTime": "-24h", "EndTime": "now"}))
			require.Regexp(w, `^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$`, a["StartTime"])
			local := time.Now().Add(-2 * time.Hour).In(time.FixedZone("", 8*3600))
			a = w.fixed("in UTC", seriesOf, asks(params{"StartTime": local.Format(time.RFC3339)}))
			require.Equal(w, local.UTC().Format("2006-01-02T15:04:05Z"), a["StartTime"])
			w.refused("is no time", seriesOf, asks(params{"StartTime": "yesterday"}))
			w.goesThrough(seriesOf, asks(params{"StartTime": ago(time.Hour)}))
		},
		without: func(w *world) { w.fails("InvalidTime.Malformed", seriesOf, asks(params{"StartTime": "-24h"})) },
	})
}

func TestGuardrail_stats_order(t *testing.T) {
	turned := asks(params{"StartTime": ago(time.Hour), "EndTime": ago(5 * time.Hour)})
	prove(t, "stats-order", proof{
		with: func(w *world) {
			w.sends(w.refused("is not before EndTime", seriesOf, turned))
			w.goesThrough(seriesOf, asks(params{"StartTime": ago(5 * time.Hour), "EndTime": ago(time.Hour)}))
		},
		without: func(w *world) { w.fails("InvalidEndTime.Mismatch", seriesOf, turned) },
	})
}

func TestGuardrail_stats_span(t *testing.T) {
	long := asks(params{"StartTime": ago(40 * 24 * time.Hour), "Interval": "86400"})
	prove(t, "stats-span", proof{
		with: func(w *world) {
			w.sends(w.refused("is 40 days; ESA answers at most 31", seriesOf, long))
			w.refused("at most 31 days", topOf, long)
			w.goesThrough(topOf, asks(params{"StartTime": ago(30 * 24 * time.Hour), "Interval": nil}))
		},
		without: func(w *world) { w.fails("InvalidParameter.TimeRange", seriesOf, long) },
	})
}

func TestGuardrail_stats_interval(t *testing.T) {
	fine := asks(params{"StartTime": ago(5 * 24 * time.Hour), "Interval": "300"})
	prove(t, "stats-interval", proof{
		with: func(w *world) {
			require.EqualValues(w, "900", fmt.Sprint(w.fixed("used 900 seconds", seriesOf, asks(params{"Interval": nil}))["Interval"]))
			require.Equal(w, "3600", w.refused("the finest Interval is 3600 seconds, not 300", seriesOf, fine).Params["Interval"])
			w.sends(w.refused("60, 300, 900, 3600 or 86400", seriesOf, asks(params{"Interval": "7"})))
			w.goesThrough(seriesOf, asks(nil))
		},
		without: func(w *world) { w.fails("InvalidParameter.Interval", seriesOf, fine) },
	})
}

func TestGuardrail_stats_metric(t *testing.T) {
	prove(t, "stats-metric", proof{
		with: func(w *world) {
			w.fixed("no metric bandwidth: took Traffic", seriesOf, asks(field("bandwidth", "ALL")))
			w.sends(w.refused("Requests by EdgeCacheStatus", seriesOf, asks(field("HitRate", "ALL"))))
			w.refused(`no metric "latency": there are Traffic`, topOf, asks(field("latency", "ALL")))
			w.goesThrough(topOf, asks(field("PageView", "ALL")))
		},
		without: func(w *world) { w.fails("InvalidParameter.Field", seriesOf, asks(field("bandwidth", "ALL"))) },
	})
}

func TestGuardrail_stats_dimension(t *testing.T) {
	prove(t, "stats-dimension", proof{
		with: func(w *world) {
			a := w.fixed("no dimension Host: took ClientRequestHost", topOf, asks(field("Requests", "Host", "ClientIP")))
			require.Len(w, a["Data"], 2)
			w.fixed("took ALL", topOf, asks(field("Requests")))
			w.refused(`no dimension "Shoe"`, topOf, asks(field("Requests", "Shoe")))
			w.goesThrough(topOf, asks(field("Requests", "ClientRequestHost")))
		},
		without: func(w *world) { w.fails("InvalidParameter.Dimension", topOf, asks(field("Requests", "Host"))) },
	})
}

// visits makes requests to a host of the site, each for another path, and waits
// for none: questions store what waits first.
func (w *world) visits(host string, n int) {
	w.Helper()
	for i := range n {
		r, err := http.NewRequestWithContext(w.Context(), http.MethodGet, fmt.Sprintf("%s/page-%d", w.local.Info().Edge, i), nil)
		require.NoError(w, err)
		r.Host = host
		answer, err := http.DefaultClient.Do(r)
		require.NoError(w, err)
		require.NoError(w, answer.Body.Close())
	}
}

func visited(w *world) {
	ns(w)
	w.record("www.shop.example", "A/AAAA", "203.0.113.1", true)
	w.visits("www.shop.example", 12)
}

func TestGuardrail_stats_limit(t *testing.T) {
	paths := func(limit any) params {
		p := asks(field("Requests", "ClientRequestPath"))
		p["Limit"], p["StartTime"], p["EndTime"] = limit, ago(time.Hour), ago(-time.Hour) // what is of this second too
		return p
	}
	rows := func(a map[string]any) []any {
		return a["Data"].([]any)[0].(map[string]any)["DetailData"].([]any)
	}
	prove(t, "stats-limit", proof{
		setup: visited,
		with: func(w *world) {
			require.Len(w, rows(w.fixed("asked for 10", topOf, paths(7))), 7)
			require.Len(w, rows(w.fixed("asked for 150", topOf, paths("1000"))), 12)
			require.Len(w, rows(w.goesThrough(topOf, paths("5"))), 5)
		},
		without: func(w *world) { w.fails("InvalidParameter.Limit", topOf, paths(7)) },
	})
}

func TestGuardrail_stats_sampling(t *testing.T) {
	prove(t, "stats-sampling", proof{
		options: local.Options{Analytics: analytics.Config{Sampling: 50}},
		setup:   visited,
		with: func(w *world) {
			w.warned("ESA counted 50 % of the requests", topOf, asks(nil))
			out, err := w.tool("query_time_series", map[string]any{"metrics": []string{"Requests"}})
			require.NoError(w, err)
			require.Contains(w, out, "Figures are estimates")
		},
		without: func(w *world) {
			a := w.goesThrough(topOf, asks(nil))
			require.EqualValues(w, "50", fmt.Sprint(a["SamplingRate"]), "the answer says it in one number that is easily overlooked")
			require.Empty(w, esa.Result{Body: a}.Notes)
		},
	})
}
