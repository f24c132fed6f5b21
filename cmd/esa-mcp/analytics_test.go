package main

import (
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local/analytics"
	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/quota"
	"github.com/esa-mcp/esa-mcp/internal/local/site"
	"github.com/esa-mcp/esa-mcp/internal/local/state"
	"github.com/esa-mcp/esa-mcp/tools"
)

// seeded makes a state with active sites before the program opens it: siteNames
// in order, and whatever fill adds.
func seeded(t *testing.T, siteNames []string, fill func(store *state.Store, table api.Table)) (dir string) {
	t.Helper()
	dir = t.TempDir()
	store, err := state.Open(t.Context(), dir)
	require.NoError(t, err)
	defer func() { require.NoError(t, store.Close()) }()
	sites, err := site.New(t.Context(), store, site.Config{Quotas: quota.Set{}.With(quota.Sites, 1000)})
	require.NoError(t, err)
	for _, name := range siteNames {
		_, err := sites.Table()["CreateSite"](t.Context(), &api.Request{Action: "CreateSite", Params: api.Params{
			"SiteName": name, "AccessType": "NS", "Coverage": "overseas", "InstanceId": "sp-xcdn-" + store.Account().Hash}})
		require.NoError(t, err)
	}
	_, err = store.DB().ExecContext(t.Context(), `UPDATE sites SET status = 'active' WHERE name NOT LIKE 'pending%'`)
	require.NoError(t, err)
	if fill != nil {
		fill(store, sites.Table())
	}
	return dir
}

// traffic makes n requests, spread evenly over the hours before the last hour.
func traffic(t *testing.T, store *state.Store, host string, n int, hours float64) {
	t.Helper()
	var visits []analytics.Visit
	for i := range n {
		ago := time.Hour + time.Duration(float64(i)/float64(n)*hours*float64(time.Hour))
		v := analytics.Visit{Time: time.Now().Add(-ago), Host: host, Method: "GET", Path: fmt.Sprintf("/%d.html", i%3), Status: 200,
			ContentType: "text/html", CacheStatus: "HIT", Country: "CN", Bytes: 1000, RequestBytes: 100, ClientIP: "192.0.2.1"}
		if i%4 == 0 {
			v.CacheStatus, v.Status, v.Country = "MISS", 404, "US"
		}
		visits = append(visits, v)
	}
	require.NoError(t, analytics.Seed(t.Context(), store, visits))
}

func TestAnalytics(t *testing.T) {
	t.Parallel()
	dir := seeded(t, []string{"one.example", "two.example", "pending.example"}, func(store *state.Store, _ api.Table) {
		traffic(t, store, "www.one.example", 120, 20)
		traffic(t, store, "two.example", 30, 20)
		traffic(t, store, "pending.example", 30, 20)
	})
	s := start(t, environment(), "--local", "--local-dir", dir, "--toolsets", "analytics")

	series := callOK[tools.QueryTimeSeriesOutput](t, s, "query_time_series", arguments{"site_name": "one.example"})
	require.Equal(t, 900, series.Interval)
	require.InDelta(t, 96, len(series.Times), 1)
	require.Len(t, series.Series, 2)
	for _, line := range series.Series {
		require.Len(t, line.Points, len(series.Times))
		require.Equal(t, map[string]int64{"Requests": 120, "Traffic": 120_000}[line.Metric], line.Total)
	}
	account := callOK[tools.QueryTimeSeriesOutput](t, s, "query_time_series", arguments{"metrics": []string{"PageView"}, "start": "-25h", "interval": 86400, "compare": true})
	require.Empty(t, account.Site)
	require.Equal(t, int64(112), account.Series[0].Total, "three of four requests were pages")
	require.Equal(t, int64(0), *account.Series[0].PreviousTotal)
	split := callOK[tools.QueryTimeSeriesOutput](t, s, "query_time_series", arguments{"site_name": "one.example", "metrics": "Requests", "dimension": "Status"})
	require.Equal(t, "EdgeResponseStatusCode", split.Dimension)
	require.Equal(t, []string{"200", "404"}, []string{split.Series[0].Value, split.Series[1].Value})
	require.Equal(t, "stats-dimension", split.Notes[0].ID)

	top := callOK[tools.QueryTopDataOutput](t, s, "query_top_data", arguments{"dimensions": []string{"ClientRequestHost", "EdgeCacheStatus"}, "limit": 1, "compare": true})
	require.Equal(t, "www.one.example", top.Tables[0].Rows[0].Value)
	require.Equal(t, int64(120), top.Tables[0].Rows[0].Count)
	require.Len(t, top.Tables[0].Rows, 1)
	require.Equal(t, "HIT", top.Tables[1].Rows[0].Value)

	result, err := s.callRaw(t.Context(), "query_time_series", arguments{"chart": true, "compare": true})
	require.NoError(t, err)
	require.False(t, result.IsError)
	require.Len(t, result.Content, 3, "the numbers and a picture for each metric")
	require.Equal(t, "image/png", result.Content[1].(mcp.ImageContent).MIMEType)
	result, err = s.callRaw(t.Context(), "query_top_data", arguments{"dimensions": []string{"ClientCountryCode"}, "chart": true})
	require.NoError(t, err)
	require.Len(t, result.Content, 2)
}

// The edge's own requests are counted as soon as they are asked for. Those to
// default domains belong to no site.
func TestEdgeTrafficIsCounted(t *testing.T) {
	t.Parallel()
	dir := seeded(t, []string{"live.example"}, nil)
	s := start(t, environment(), "--local", "--local-dir", dir, "--toolsets", "default,+analytics")
	page := callOK[tools.DeployOutput](t, s, "deploy_html", arguments{"name": "page", "html": "x"})
	for range 3 {
		status, _ := browse(t, page.URL)
		require.Equal(t, 200, status)
	}
	// The dialler of browse goes to the port of the local edge, whatever the name.
	for range 2 {
		browse(t, "http://www.live.example:"+port(t, page.URL)+"/missing")
	}
	top := callOK[tools.QueryTopDataOutput](t, s, "query_top_data", arguments{"dimensions": []string{"host", "ClientRequestPath"}, "start": "-5m", "end": time.Now().Add(time.Minute).UTC().Format(time.RFC3339)})
	require.Equal(t, []tools.TopRow{{Value: "www.live.example", Count: 2}}, top.Tables[0].Rows)
	require.Equal(t, []tools.TopRow{{Value: "/missing", Count: 2}}, top.Tables[1].Rows)
}

func TestAnalyticsRefusals(t *testing.T) {
	t.Parallel()
	s := startLocal(t, "--toolsets", "analytics")
	for _, c := range []struct {
		tool string
		args arguments
		want string
	}{
		{"query_time_series", arguments{"site_name": "no.example"}, "no sites"},
		{"query_time_series", arguments{"site_id": "12345"}, "SiteNotFound"},
		{"query_time_series", arguments{"metrics": []string{"HitRate"}}, "stats-metric"},
		{"query_time_series", arguments{"start": "-60d"}, "stats-span"},
		{"query_time_series", arguments{"start": "-200d", "end": "-199d"}, "QuotaCheckFailed.Function"},
		{"query_time_series", arguments{"interval": 1}, "stats-interval"},
		{"query_top_data", arguments{}, "dimensions"},
		{"query_top_data", arguments{"dimensions": []string{"Shoe"}}, "stats-dimension"},
		{"query_top_data", arguments{"dimensions": []string{"host"}, "limit": 151}, "limit"},
		{"query_top_data", arguments{"dimensions": []string{"host"}, "start": "now"}, "stats-order"},
	} {
		require.Contains(t, s.refuse(t, c.tool, c.args), c.want, "%s %v", c.tool, c.args)
	}
}

func port(t *testing.T, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	require.NoError(t, err)
	return u.Port()
}
