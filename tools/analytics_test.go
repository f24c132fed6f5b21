package tools

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image/png"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/esa"
	"github.com/esa-mcp/esa-mcp/internal/guard"
)

const twoSeries = `{"SamplingRate":50,"Data":[
	{"FieldName":"Requests","DimensionName":"ALL","DimensionValue":"ALL","DetailData":[{"TimeStamp":"2026-03-04T04:00:00Z","Value":9007199254740993},{"TimeStamp":"2026-03-04T05:00:00Z","Value":"7"}]},
	{"FieldName":"Traffic","DimensionName":"ALL","DimensionValue":"ALL","DetailData":[{"TimeStamp":"2026-03-04T05:00:00Z","Value":12.6}]}],
	"SummarizedData":[{"FieldName":"Traffic","DimensionName":"ALL","DimensionValue":"ALL","AggMethod":"sum","Value":100}]}`

func TestQueryTimeSeries(t *testing.T) {
	f := &fakeESA{answers: map[string]func(esa.Params) (any, error){"DescribeSiteTimeSeriesData": say(twoSeries), "ListSites": sitesOf(nsSite)}}
	out, err := callTool(t, f, "query_time_series", `{"site_name":"example.com","metrics":["Request","bandwidth","requests"],"start":"-2h"}`)
	require.NoError(t, err)
	require.Equal(t, fakeCall{"DescribeSiteTimeSeriesData", `{"EndTime":"2026-03-04T05:06:07Z","Fields":[{"Dimension":["ALL"],"FieldName":"Requests"},{"Dimension":["ALL"],"FieldName":"Traffic"}],"Interval":"60","SiteId":"974351557069296","StartTime":"2026-03-04T03:06:07Z"}`}, f.calls[1])
	require.JSONEq(t, `{"site_id":"974351557069296","start":"2026-03-04T03:06:07Z","end":"2026-03-04T05:06:07Z","interval":60,
		"times":["2026-03-04T04:00Z","2026-03-04T05:00Z"],"series":[
		{"metric":"Requests","total":9007199254741000,"points":[9007199254740993,7]},
		{"metric":"Traffic","total":100,"points":[0,13]}],
		"notes":[{"id":"stats-metric","text":"ESA has no metric Request: took Requests."},{"id":"stats-metric","text":"ESA has no metric bandwidth: took Traffic."}]}`, out)
}

func TestCompareWithThePeriodBefore(t *testing.T) {
	answer := func(p esa.Params) (any, error) {
		value, day := 30, "04"
		if p["EndTime"] == "2026-03-03T05:06:07Z" {
			value, day = 20, "03"
		}
		return fmt.Sprintf(`{"Data":[{"FieldName":"Requests","DimensionName":"ALL","DimensionValue":"ALL","DetailData":[{"TimeStamp":"2026-03-%sT00:00:00Z","Value":%d}]}]}`, day, value), nil
	}
	f := &fakeESA{answers: map[string]func(esa.Params) (any, error){"DescribeSiteTimeSeriesData": answer}}
	out, err := callTool(t, f, "query_time_series", `{"metrics":["Requests"],"compare":true}`)
	require.NoError(t, err)
	require.JSONEq(t, `{"start":"2026-03-03T05:06:07Z","end":"2026-03-04T05:06:07Z","interval":900,"times":["2026-03-04T00:00Z"],
		"series":[{"metric":"Requests","total":30,"previous_total":20,"change_percent":50,"points":[30],"previous":[20]}]}`, out)
	require.NotContains(t, f.calls[0].Params, "SiteId", "no site is the whole account")

	f.answers["DescribeSiteTimeSeriesData"] = func(p esa.Params) (any, error) {
		if p["EndTime"] == "2026-03-03T05:06:07Z" {
			return nil, &esa.Error{Code: "QuotaCheckFailed.Function", HTTPStatus: 400}
		}
		return answer(p)
	}
	out, err = callTool(t, f, "query_time_series", `{"metrics":["Requests"],"compare":true}`)
	require.NoError(t, err)
	require.Contains(t, out, "stats-history")
}

func TestQueryTopData(t *testing.T) {
	f := &fakeESA{answers: map[string]func(esa.Params) (any, error){"DescribeSiteTopData": func(p esa.Params) (any, error) {
		if p["Limit"] == "150" {
			return `{"SamplingRate":100,"Data":[{"FieldName":"Requests","DimensionName":"ClientRequestPath","DetailData":[{"DimensionValue":"/a","Value":4}]}]}`, nil
		}
		return `{"Data":[{"FieldName":"Requests","DimensionName":"ClientRequestPath","DetailData":[{"DimensionValue":"/a\u001b[31m\u202e\n b","Value":9},{"DimensionValue":"/a","Value":5},{"DimensionValue":"/c","Value":3},{"DimensionValue":"/d","Value":1}]}]}`, nil
	}}}
	out, err := callTool(t, f, "query_top_data", `{"site_id":1,"metric":"requests","dimensions":["RequestUri","url"],"limit":3,"compare":true,"start":"2026-03-01","end":"2026-03-02T00:00:00+08:00"}`)
	require.NoError(t, err)
	require.Equal(t, `{"EndTime":"2026-03-01T16:00:00Z","Fields":[{"Dimension":["ClientRequestPath"],"FieldName":"Requests"}],"Limit":"5","SiteId":"1","StartTime":"2026-03-01T00:00:00Z"}`, f.calls[0].Params)
	require.JSONEq(t, `{"site_id":"1","start":"2026-03-01T00:00:00Z","end":"2026-03-01T16:00:00Z","metric":"Requests","tables":[{"dimension":"ClientRequestPath","sum":17,
		"rows":[{"value":"/a b","count":9,"previous":0},{"value":"/a","count":5,"previous":4},{"value":"/c","count":3,"previous":0}]}],
		"notes":[{"id":"stats-time","text":"end 2026-03-02T00:00:00+08:00 is 2026-03-01T16:00:00Z in UTC."},{"id":"stats-time","text":"start 2026-03-01 has no time zone: taken as UTC."},
		{"id":"stats-dimension","text":"ESA has no dimension RequestUri: took ClientRequestPath."},{"id":"stats-dimension","text":"ESA has no dimension url: took ClientRequestPath."}]}`, out)
	for limit, want := range map[int]int{1: 5, 5: 5, 6: 10, 10: 10, 11: 150, 150: 150} {
		require.Equal(t, want, guard.TopLimit(limit), limit)
	}
}

func TestAnalyticsRefusals(t *testing.T) {
	for args, want := range map[string]string{
		`{"metrics":["HitRate"]}`:                 "EdgeCacheStatus",
		`{"metrics":["Latency"]}`:                 `stats-metric: ESA has no metric "Latency"`,
		`{"dimension":"Hostt"}`:                   `stats-dimension: ESA has no dimension "Hostt": did you mean`,
		`{"start":"-40d"}`:                        "stats-span",
		`{"start":"now","end":"-1h"}`:             "stats-order",
		`{"start":"yesterday"}`:                   `start: "yesterday" is no time`,
		`{"start":"-24h","interval":60}`:          "stats-interval: for 24 hours the finest interval is 900 seconds, not 60",
		`{"start":"-1h","interval":61}`:           "interval is 60, 300, 900, 3600 or 86400",
		`{"start":"-5d","interval":900}`:          "for 5 days the finest interval is 3600",
		`{"metrics":["a","b","c","d","Traffic"]}`: "metrics",
	} {
		f := &fakeESA{}
		_, err := callTool(t, f, "query_time_series", args)
		require.ErrorContains(t, err, want, args)
		require.Empty(t, f.calls, args)
	}
}

// Names that ESA has are taken as they are.
func TestStatsNames(t *testing.T) {
	var n Noted
	for _, name := range guard.Dimensions() {
		got, err := dimensionName(name, &n)
		require.NoError(t, err)
		require.Equal(t, name, got)
	}
	got, err := dimensionName("client_country_code", &n)
	require.NoError(t, err)
	require.Equal(t, "ClientCountryCode", got)
	require.Empty(t, n.Notes)
}

func TestLargestSeriesStay(t *testing.T) {
	var o QueryTimeSeriesOutput
	for i := range 14 {
		o.Series = append(o.Series, TimeSeries{Metric: "Requests", Total: int64(i)})
	}
	o.cut()
	require.Len(t, o.Series, maxSeriesShown)
	require.Equal(t, int64(13), o.Series[0].Total)
	require.Equal(t, int64(4), o.Series[9].Total)
	require.Contains(t, o.Notes[0].Text, "4 smaller lines")
}

// Pictures come after the text, and are no part of the structured result.
func TestCharts(t *testing.T) {
	f := &fakeESA{answers: map[string]func(esa.Params) (any, error){
		"DescribeSiteTimeSeriesData": say(twoSeries),
		"DescribeSiteTopData":        say(`{"Data":[{"FieldName":"Traffic","DimensionName":"ClientOS","DetailData":[{"DimensionValue":"iOS","Value":4}]},{"FieldName":"Traffic","DimensionName":"ClientIP","DetailData":[]}]}`),
	}}
	s := server.NewMCPServer("t", "1", server.WithToolCapabilities(false))
	for _, name := range []string{"query_time_series", "query_top_data"} {
		toolNamed(t, name).Register(s, fakeDeps(f))
	}
	for call, charts := range map[string]int{
		`{"name":"query_time_series","arguments":{"chart":true,"compare":true}}`:                                 2,
		`{"name":"query_time_series","arguments":{}}`:                                                            0,
		`{"name":"query_top_data","arguments":{"chart":true,"metric":"Traffic","dimensions":["ClientOS","ip"]}}`: 1,
	} {
		answer := s.HandleMessage(t.Context(), json.RawMessage(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":`+call+`}`))
		response, ok := answer.(mcp.JSONRPCResponse)
		require.True(t, ok, "%v", answer)
		result, ok := response.Result.(*mcp.CallToolResult)
		require.True(t, ok)
		require.False(t, result.IsError)
		require.Len(t, result.Content, 1+charts, call)
		require.NotContains(t, string(result.StructuredContent.(json.RawMessage)), "image")
		for _, content := range result.Content[1:] {
			picture, ok := content.(mcp.ImageContent)
			require.True(t, ok)
			require.Equal(t, "image/png", picture.MIMEType)
			requirePNG(t, picture.Data)
		}
	}
}

func requirePNG(t *testing.T, text string) {
	t.Helper()
	var data []byte
	require.NoError(t, json.Unmarshal([]byte(`"`+text+`"`), &data))
	decoded, err := png.Decode(bytes.NewReader(data))
	require.NoError(t, err)
	require.Equal(t, chartWidth, decoded.Bounds().Dx())
	require.Equal(t, chartHeight, decoded.Bounds().Dy())
	colors := map[any]bool{}
	for i := range chartWidth * chartHeight {
		colors[decoded.At(i%chartWidth, i/chartWidth)] = true
	}
	require.Greater(t, len(colors), 5, "there is something in it")
}

func TestAmountTicks(t *testing.T) {
	labels := func(metric string, most int64) (out []string) {
		for _, tick := range amountTicks(metric, most) {
			out = append(out, tick.Label)
		}
		return out
	}
	require.Equal(t, []string{"0", "1"}, labels("Requests", 0))
	require.Equal(t, []string{"0", "1", "2", "3"}, labels("Requests", 3))
	require.Equal(t, []string{"0", "5 K", "10 K", "15 K"}, labels("Requests", 12_001))
	require.Equal(t, []string{"0 B", "1 MiB", "2 MiB", "3 MiB"}, labels("Traffic", 3<<20))
	for _, most := range []int64{1, 7, 999, 1_000_001, 1 << 40, 1 << 60} {
		n := len(labels("Traffic", most))
		require.True(t, n >= 2 && n <= 8, "%d for %d", n, most)
	}
}
