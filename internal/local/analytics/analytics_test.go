package analytics

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/site"
	"github.com/esa-mcp/esa-mcp/internal/local/state"
)

var now = time.Date(2026, 3, 10, 12, 30, 0, 0, time.UTC)

// log is a service on a fresh state with the active site example.com and the
// pending site pending.example.
type log struct {
	*Service
	t    *testing.T
	site string
}

func newLog(t *testing.T, cfg Config) *log {
	t.Helper()
	store, err := state.Open(t.Context(), state.Memory)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	clock := func() time.Time { return now }
	sites, err := site.New(t.Context(), store, site.Config{Now: clock})
	require.NoError(t, err)
	cfg.Now = clock
	l := &log{Service: New(store, cfg), t: t}
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	ask := func(action string, p api.Params) map[string]any {
		answer, err := sites.Table()[action](t.Context(), &api.Request{Action: action, Params: p})
		require.NoError(t, err)
		return generic(t, answer)
	}
	plan := ask("ListUserRatePlanInstances", api.Params{})["InstanceInfo"].([]any)[0].(map[string]any)["InstanceId"].(string)
	for _, name := range []string{"pending.example", "example.com"} {
		made := ask("CreateSite", api.Params{"SiteName": name, "AccessType": "NS", "Coverage": "overseas", "InstanceId": plan})
		l.site = fmt.Sprint(int64(made["SiteId"].(float64)))
	}
	_, err = store.DB().ExecContext(t.Context(), `UPDATE sites SET status = 'active' WHERE name = 'example.com'`)
	require.NoError(t, err)
	return l
}

func generic(t *testing.T, v any) map[string]any {
	raw, err := json.Marshal(v)
	require.NoError(t, err)
	var out map[string]any
	require.NoError(t, json.Unmarshal(raw, &out))
	return out
}

func (l *log) call(action string, p api.Params) (map[string]any, string) {
	l.t.Helper()
	answer, err := l.Table()[action](l.t.Context(), &api.Request{Action: action, Params: p})
	var e *api.Error
	if errors.As(err, &e) {
		return nil, e.Code
	}
	require.NoError(l.t, err)
	return generic(l.t, answer), ""
}

func visit(ago time.Duration, host, path string, status int) Visit {
	return Visit{Time: now.Add(-ago), Host: host, Method: "GET", Path: path, Status: status, ContentType: "text/html; charset=utf-8",
		Bytes: 100, RequestBytes: 10, ClientIP: "192.0.2.1", CacheStatus: "HIT"}
}

func TestRecordedRequestsAreCountedAtOnce(t *testing.T) {
	l := newLog(t, Config{Delay: time.Hour}) // only questions and Close store
	l.Record(visit(90*time.Minute, "www.example.com:8080", "/a", 200))
	l.Record(visit(30*time.Minute, "EXAMPLE.com", "/b", 404))
	l.Record(visit(30*time.Minute, "pending.example", "/", 200))
	l.Record(visit(30*time.Minute, "hello.0123abcd.er.localhost", "/", 200))
	l.Record(visit(30*time.Minute, "notexample.com", "/", 200))
	out, code := l.call("DescribeSiteTimeSeriesData", api.Params{"SiteId": l.site, "StartTime": "2026-03-10T10:30:00Z", "EndTime": "2026-03-10T12:30:00Z",
		"Interval": "3600", "Fields": `[{"FieldName":"Requests","Dimension":["ALL"]},{"FieldName":"Traffic","Dimension":["EdgeResponseStatusCode"]},{"FieldName":"PageView","Dimension":["ALL"]}]`})
	require.Empty(t, code)
	raw, err := json.Marshal(out)
	require.NoError(t, err)
	require.JSONEq(t, `{"StartTime":"2026-03-10T10:30:00Z","EndTime":"2026-03-10T12:30:00Z","Interval":3600,"SamplingRate":100,"Data":[
		{"FieldName":"Requests","DimensionName":"ALL","DimensionValue":"ALL","DetailData":[{"TimeStamp":"2026-03-10T10:00:00Z","Value":0},{"TimeStamp":"2026-03-10T11:00:00Z","Value":1},{"TimeStamp":"2026-03-10T12:00:00Z","Value":1}]},
		{"FieldName":"Traffic","DimensionName":"EdgeResponseStatusCode","DimensionValue":"200","DetailData":[{"TimeStamp":"2026-03-10T10:00:00Z","Value":0},{"TimeStamp":"2026-03-10T11:00:00Z","Value":100},{"TimeStamp":"2026-03-10T12:00:00Z","Value":0}]},
		{"FieldName":"Traffic","DimensionName":"EdgeResponseStatusCode","DimensionValue":"404","DetailData":[{"TimeStamp":"2026-03-10T10:00:00Z","Value":0},{"TimeStamp":"2026-03-10T11:00:00Z","Value":0},{"TimeStamp":"2026-03-10T12:00:00Z","Value":100}]},
		{"FieldName":"PageView","DimensionName":"ALL","DimensionValue":"ALL","DetailData":[{"TimeStamp":"2026-03-10T10:00:00Z","Value":0},{"TimeStamp":"2026-03-10T11:00:00Z","Value":1},{"TimeStamp":"2026-03-10T12:00:00Z","Value":0}]}],
		"SummarizedData":[{"FieldName":"Requests","DimensionName":"ALL","DimensionValue":"ALL","AggMethod":"sum","Value":2},
		{"FieldName":"Traffic","DimensionName":"EdgeResponseStatusCode","DimensionValue":"200","AggMethod":"sum","Value":100},
		{"FieldName":"Traffic","DimensionName":"EdgeResponseStatusCode","DimensionValue":"404","AggMethod":"sum","Value":100},
		{"FieldName":"PageView","DimensionName":"ALL","DimensionValue":"ALL","AggMethod":"sum","Value":1}]}`, string(raw))
}

func TestTopData(t *testing.T) {
	l := newLog(t, Config{})
	var visits []Visit
	for i := range 12 {
		for range i + 1 {
			visits = append(visits, visit(time.Hour, "www.example.com", fmt.Sprintf("/%02d", i), 200))
		}
	}
	require.NoError(t, Seed(t.Context(), l.store, visits))
	fields := `[{"FieldName":"Requests","Dimension":["ClientRequestPath","SiteId","ClientIPVersion"]}]`
	for limit, want := range map[string]int{"": 5, "5": 5, "10": 10, "150": 12} {
		out, code := l.call("DescribeSiteTopData", api.Params{"Limit": limit, "Fields": fields})
		require.Empty(t, code)
		data := out["Data"].([]any)
		require.Len(t, data, 3)
		paths := data[0].(map[string]any)["DetailData"].([]any)
		require.Len(t, paths, want)
		require.Equal(t, map[string]any{"DimensionValue": "/11", "Value": 12.0}, paths[0])
		require.Equal(t, []any{map[string]any{"DimensionValue": l.site, "Value": 78.0}}, data[1].(map[string]any)["DetailData"])
		require.Equal(t, []any{map[string]any{"DimensionValue": "IPv4", "Value": 78.0}}, data[2].(map[string]any)["DetailData"])
	}
}

func TestRefusals(t *testing.T) {
	l := newLog(t, Config{})
	ok := `[{"FieldName":"Requests","Dimension":["ALL"]}]`
	for _, c := range []struct {
		want string
		p    api.Params
	}{
		{"InvalidTime.Malformed", api.Params{"StartTime": "2026-03-10 10:00:00"}},
		{"InvalidTime.Malformed", api.Params{"EndTime": "2026-03-10T10:00:00+08:00"}},
		{"InvalidEndTime.Mismatch", api.Params{"StartTime": "2026-03-10T10:00:00Z", "EndTime": "2026-03-10T09:00:00Z"}},
		{"InvalidParameter.TimeRange", api.Params{"StartTime": "2026-02-01T00:00:00Z", "EndTime": "2026-03-10T00:00:00Z"}},
		{"QuotaCheckFailed.Function", api.Params{"StartTime": "2025-10-01T00:00:00Z", "EndTime": "2025-10-02T00:00:00Z"}},
		{"InvalidParameter.Field", api.Params{"Fields": `[{"FieldName":"Request","Dimension":["ALL"]}]`}},
		{"InvalidParameter.Field", api.Params{"Fields": `[]`}},
		{"InvalidParameter.Field", api.Params{"Fields": `{`}},
		{"InvalidParameter.Dimension", api.Params{"Fields": `[{"FieldName":"Requests","Dimension":["Host"]}]`}},
		{"InvalidParameter.Dimension", api.Params{"Fields": `[{"FieldName":"Requests"}]`}},
		{"TooManyDimensions", api.Params{"Fields": `[{"FieldName":"Requests","Dimension":["ClientIP","ClientOS","ClientASN","ClientISP","ClientDevice","ClientBrowser"]}]`}},
		{"InvalidParameter.Interval", api.Params{"Interval": "60"}},
		{"InvalidParameter.Interval", api.Params{"Interval": "7"}},
		{"SiteNotFound", api.Params{"SiteId": "1"}},
		{"InvalidSiteId", api.Params{"SiteId": "example.com"}},
	} {
		if !c.p.Has("Fields") {
			c.p["Fields"] = ok
		}
		for _, action := range []string{"DescribeSiteTimeSeriesData", "DescribeSiteTopData"} {
			_, code := l.call(action, c.p)
			require.Equal(t, c.want, code, "%s %v", action, c.p)
		}
	}
	_, code := l.call("DescribeSiteTopData", api.Params{"Fields": ok, "Limit": "7"})
	require.Equal(t, "InvalidParameter.Limit", code)
}

func TestFinestInterval(t *testing.T) {
	for span, want := range map[time.Duration]time.Duration{
		time.Minute: time.Minute, 3 * time.Hour: time.Minute, 3*time.Hour + 1: 5 * time.Minute, 12 * time.Hour: 5 * time.Minute,
		day: 15 * time.Minute, day + 1: time.Hour, 10 * day: time.Hour, 11 * day: day, 31 * day: day,
	} {
		require.Equal(t, want, finestInterval(span), span)
	}
}

// A burst is bounded, what could not be stored is kept, and old rows go.
func TestTheLogIsBounded(t *testing.T) {
	l := newLog(t, Config{Delay: time.Hour, MaxPending: 2})
	for _, path := range []string{"/a", "/b", "/c", "/a", "/d"} { // alike ones take no room
		l.Record(visit(time.Hour, "example.com", path, 200))
	}
	require.EqualValues(t, 2, l.dropped)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	require.Error(t, l.Flush(ended))
	l.Record(visit(time.Hour, "example.com", "/b", 200)) // joins those that wait again
	require.NoError(t, l.Flush(t.Context()))
	count := func() (n int) {
		require.NoError(t, l.store.DB().QueryRowContext(t.Context(), `SELECT coalesce(SUM(n), 0) FROM visits`).Scan(&n))
		return n
	}
	require.Equal(t, 4, count())
	require.NoError(t, Seed(t.Context(), l.store, []Visit{visit(91*day, "example.com", "/", 200)}))
	require.Equal(t, 5, count())
	l.pruned = time.Time{}
	require.NoError(t, l.Flush(t.Context()))
	require.Equal(t, 4, count())
}

// TestAlikeRequestsShareARow: they are counted all the same, also when they come
// in different batches.
func TestAlikeRequestsShareARow(t *testing.T) {
	l := newLog(t, Config{})
	for range 3 {
		one := visit(time.Minute, "www.example.com", "/a", 200)
		other := visit(time.Minute, "www.example.com", "/a", 404)
		require.NoError(t, Seed(t.Context(), l.store, []Visit{one, one, other}))
	}
	var rows int
	require.NoError(t, l.store.DB().QueryRowContext(t.Context(), `SELECT COUNT(*) FROM visits`).Scan(&rows))
	require.Equal(t, 6, rows)
	got, code := l.call("DescribeSiteTopData", api.Params{"SiteId": l.site,
		"Fields": `[{"FieldName":"Requests","Dimension":["EdgeResponseStatusCode"]},{"FieldName":"Traffic","Dimension":["ALL"]},{"FieldName":"PageView","Dimension":["ALL"]}]`})
	require.Empty(t, code)
	data := got["Data"].([]any)
	detail := func(i int) any { return data[i].(map[string]any)["DetailData"] }
	require.Equal(t, []any{map[string]any{"DimensionValue": "200", "Value": 6.0}, map[string]any{"DimensionValue": "404", "Value": 3.0}}, detail(0))
	require.Equal(t, []any{map[string]any{"DimensionValue": "ALL", "Value": 900.0}}, detail(1))
	require.Equal(t, []any{map[string]any{"DimensionValue": "ALL", "Value": 6.0}}, detail(2))
}
