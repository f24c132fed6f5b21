package tools

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/esa"
	"github.com/esa-mcp/esa-mcp/internal/guard"
)

// maxSeriesShown bounds the lines of one metric in a result.
const maxSeriesShown = 10

// QueryTimeSeriesInput are the arguments of query_time_series.
type QueryTimeSeriesInput struct {
	SiteRef
	Metrics   []string `json:"metrics,omitempty" jsonschema:"maxItems=4" jsonschema_description:"Requests, Traffic (bytes out), RequestTraffic (in), PageView; default the first two"`
	Dimension string   `json:"dimension,omitempty" jsonschema:"default=ALL" jsonschema_description:"A line per value; as in query_top_data"`
	Period
	Interval int  `json:"interval,omitempty" jsonschema_description:"Seconds; default the finest"`
	Compare  bool `json:"compare,omitempty" jsonschema_description:"With the period before"`
	Chart    bool `json:"chart,omitempty" jsonschema_description:"With a PNG"`
}

// TimeSeries is one metric over time.
type TimeSeries struct {
	Metric        string   `json:"metric"`
	Value         string   `json:"value,omitempty" jsonschema_description:"Of the dimension"`
	Total         int64    `json:"total"`
	PreviousTotal *int64   `json:"previous_total,omitempty"`
	ChangePercent *float64 `json:"change_percent,omitempty"`
	Points        []int64  `json:"points" jsonschema_description:"One for each of times"`
	Previous      []int64  `json:"previous,omitempty" jsonschema_description:"Points of the period before"`
}

// QueryTimeSeriesOutput is the result of query_time_series.
type QueryTimeSeriesOutput struct {
	Noted
	Site      ID           `json:"site_id,omitempty" jsonschema_description:"Left out for the whole account"`
	Start     string       `json:"start"`
	End       string       `json:"end"`
	Interval  int          `json:"interval" jsonschema_description:"Seconds"`
	Dimension string       `json:"dimension,omitempty"`
	Times     []string     `json:"times" jsonschema_description:"Begin of each interval, UTC"`
	Series    []TimeSeries `json:"series"`

	image []Image
}

// Images returns the chart, if one was asked for.
func (o *QueryTimeSeriesOutput) Images() []Image { return o.image }

// QueryTopDataInput are the arguments of query_top_data.
type QueryTopDataInput struct {
	SiteRef
	Metric     string   `json:"metric,omitempty" jsonschema:"default=Requests" jsonschema_description:"As in query_time_series"`
	Dimensions []string `json:"dimensions" jsonschema:"minItems=1,maxItems=5" jsonschema_description:"Country, path, host, status, cache, referer, IP, ISP, device ...; ESA's names work, too"`
	Limit      int      `json:"limit,omitempty" jsonschema:"minimum=1,maximum=150,default=10" jsonschema_description:"Rows per dimension"`
	Period
	Compare bool `json:"compare,omitempty" jsonschema_description:"With the period before"`
	Chart   bool `json:"chart,omitempty" jsonschema_description:"With a PNG"`
}

// TopRow is one value of a dimension. Names and paths come from visitors.
type TopRow struct {
	Value    string `json:"value"`
	Count    int64  `json:"count"`
	Previous *int64 `json:"previous,omitempty"`
}

// TopTable ranks the values of one dimension.
type TopTable struct {
	Dimension string   `json:"dimension"`
	Rows      []TopRow `json:"rows"`
	Sum       int64    `json:"sum" jsonschema_description:"Of the rows shown"`
}

// QueryTopDataOutput is the result of query_top_data.
type QueryTopDataOutput struct {
	Noted
	Site   ID         `json:"site_id,omitempty" jsonschema_description:"Left out for the whole account"`
	Start  string     `json:"start"`
	End    string     `json:"end"`
	Metric string     `json:"metric"`
	Tables []TopTable `json:"tables"`

	image []Image
}

// Images returns a chart for each table, if they were asked for.
func (o *QueryTopDataOutput) Images() []Image { return o.image }

func analyticsTools() []Tool {
	return []Tool{
		Define(Meta{
			Name:        "query_time_series",
			Title:       "Traffic over time",
			Toolset:     "analytics",
			Description: "Traffic over time, of a site or the whole account.",
			Calls:       []string{"DescribeSiteTimeSeriesData", "ListSites"},
			ReadOnly:    Yes, Destructive: No, Idempotent: Yes, OpenWorld: Yes,
		}, queryTimeSeries),
		Define(Meta{
			Name:        "query_top_data",
			Title:       "Traffic rankings",
			Toolset:     "analytics",
			Description: "Ranks countries, paths, status codes ... by traffic, of a site or the whole account.",
			Calls:       []string{"DescribeSiteTopData", "ListSites"},
			ReadOnly:    Yes, Destructive: No, Idempotent: Yes, OpenWorld: Yes,
		}, queryTopData),
	}
}

func queryTimeSeries(ctx context.Context, d *Deps, in QueryTimeSeriesInput) (QueryTimeSeriesOutput, error) {
	var out QueryTimeSeriesOutput
	period, err := in.read(d.Now(), &out.Noted)
	if err != nil {
		return out, err
	}
	if out.Interval, err = period.interval(in.Interval); err != nil {
		return out, err
	}
	dimension, err := dimensionName(cmp.Or(in.Dimension, "ALL"), &out.Noted)
	if err != nil {
		return out, err
	}
	fields, err := in.fields(dimension, &out.Noted)
	if err != nil {
		return out, err
	}
	if out.Site, err = in.siteOrAccount(ctx, d); err != nil {
		return out, err
	}
	ask := func(s span) ([]TimeSeries, []string, error) {
		params := statsParams(out.Site, s, fields...)
		params["Interval"] = strconv.Itoa(out.Interval)
		answer, err := askTimeSeries(ctx, d, &out.Noted, params)
		if err != nil {
			return nil, nil, err
		}
		lines, times := answer.lines()
		return lines, times, nil
	}
	if out.Series, out.Times, err = ask(period); err != nil {
		return out, err
	}
	out.Start, out.End = period.start.Format(guard.StatsStamp), period.end.Format(guard.StatsStamp)
	if dimension != "ALL" {
		out.Dimension = dimension
	}
	out.cut()
	if in.Compare {
		before, _, err := ask(period.before())
		switch {
		case beyondHistory(err):
			out.Note(noPrevious(period.before()))
		case err != nil:
			return out, fmt.Errorf("read the period before: %w", err)
		default:
			out.compare(before)
		}
	}
	if in.Chart {
		if out.image, err = out.draw(); err != nil {
			return out, err
		}
	}
	return out, nil
}

// fields are the metrics that were asked for, each once.
func (in QueryTimeSeriesInput) fields(dimension string, notes *Noted) ([]any, error) {
	if len(in.Metrics) == 0 {
		in.Metrics = []string{"Requests", "Traffic"}
	}
	var names []string
	var fields []any
	for _, m := range in.Metrics {
		name, err := metricName(m, notes)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(names, name) {
			names, fields = append(names, name), append(fields, statsField(name, dimension))
		}
	}
	return fields, nil
}

// lines puts the answer's series onto one list of times. One that lacks a time
// has 0 there.
func (a timeSeriesAnswer) lines() ([]TimeSeries, []string) {
	seen := map[string]bool{}
	var stamps []string
	for _, s := range a.Data {
		for _, p := range s.DetailData {
			if !seen[p.TimeStamp] {
				seen[p.TimeStamp] = true
				stamps = append(stamps, p.TimeStamp)
			}
		}
	}
	slices.Sort(stamps)
	var lines []TimeSeries
	for _, s := range a.Data {
		at := map[string]int64{}
		for _, p := range s.DetailData {
			at[p.TimeStamp] = int64(p.Value)
		}
		line := TimeSeries{Metric: s.FieldName, Points: make([]int64, len(stamps))}
		if s.DimensionName != "ALL" {
			line.Value = shown(s.DimensionValue)
		}
		for i, stamp := range stamps {
			line.Points[i] = at[stamp]
			line.Total += at[stamp]
		}
		for _, sum := range a.SummarizedData {
			if sum.FieldName == s.FieldName && sum.DimensionName == s.DimensionName && sum.DimensionValue == s.DimensionValue && strings.EqualFold(sum.AggMethod, "sum") {
				line.Total = int64(sum.Value)
			}
		}
		lines = append(lines, line)
	}
	times := make([]string, len(stamps))
	for i, stamp := range stamps {
		times[i] = stamp
		if t, err := time.Parse(time.RFC3339, stamp); err == nil {
			times[i] = t.UTC().Format("2006-01-02T15:04Z") // seconds are always 0
		}
	}
	return lines, times
}

// cut keeps the largest lines of each metric.
func (o *QueryTimeSeriesOutput) cut() {
	slices.SortStableFunc(o.Series, func(a, b TimeSeries) int { return cmp.Compare(b.Total, a.Total) })
	count := map[string]int{}
	all := len(o.Series)
	o.Series = slices.DeleteFunc(o.Series, func(s TimeSeries) bool {
		count[s.Metric]++
		return count[s.Metric] > maxSeriesShown
	})
	if left := all - len(o.Series); left > 0 {
		o.Note(esa.Note{ID: "stats-cut", Text: fmt.Sprintf("%d smaller lines are left out; query_top_data ranks all values.", left)})
	}
}

func (o *QueryTimeSeriesOutput) compare(before []TimeSeries) {
	for i := range o.Series {
		s := &o.Series[i]
		total := int64(0)
		s.Previous = make([]int64, len(s.Points))
		for _, b := range before {
			if b.Metric == s.Metric && b.Value == s.Value {
				total = b.Total
				copy(s.Previous, b.Points)
			}
		}
		s.PreviousTotal, s.ChangePercent = &total, change(s.Total, total)
	}
}

func queryTopData(ctx context.Context, d *Deps, in QueryTopDataInput) (QueryTopDataOutput, error) {
	var out QueryTopDataOutput
	period, err := in.read(d.Now(), &out.Noted)
	if err != nil {
		return out, err
	}
	if out.Metric, err = metricName(cmp.Or(in.Metric, "Requests"), &out.Noted); err != nil {
		return out, err
	}
	var dimensions []string
	for _, name := range in.Dimensions {
		dimension, err := dimensionName(name, &out.Noted)
		if err != nil {
			return out, err
		}
		if !slices.Contains(dimensions, dimension) {
			dimensions = append(dimensions, dimension)
		}
	}
	if out.Site, err = in.siteOrAccount(ctx, d); err != nil {
		return out, err
	}
	limit := cmp.Or(in.Limit, 10)
	ask := func(s span, limit int) ([]TopTable, error) {
		params := statsParams(out.Site, s, statsField(out.Metric, dimensions...))
		params["Limit"] = strconv.Itoa(guard.TopLimit(limit))
		answer, err := askTop(ctx, d, &out.Noted, params)
		if err != nil {
			return nil, err
		}
		return answer.tables(limit), nil
	}
	if out.Tables, err = ask(period, limit); err != nil {
		return out, err
	}
	out.Start, out.End = period.start.Format(guard.StatsStamp), period.end.Format(guard.StatsStamp)
	if in.Compare {
		before, err := ask(period.before(), 150)
		switch {
		case beyondHistory(err):
			out.Note(noPrevious(period.before()))
		case err != nil:
			return out, fmt.Errorf("read the period before: %w", err)
		default:
			out.compare(before)
		}
	}
	if in.Chart {
		if out.image, err = out.draw(); err != nil {
			return out, err
		}
	}
	return out, nil
}

func (a topDataAnswer) tables(limit int) []TopTable {
	var tables []TopTable
	for _, data := range a.Data {
		table := TopTable{Dimension: data.DimensionName}
		for _, v := range data.DetailData[:min(limit, len(data.DetailData))] {
			table.Rows = append(table.Rows, TopRow{Value: shown(v.DimensionValue), Count: int64(v.Value)})
			table.Sum += int64(v.Value)
		}
		tables = append(tables, table)
	}
	return tables
}

// compare adds the counts of the period before. What is not among its 150
// largest values may have been there or not, so it stays without one.
func (o *QueryTopDataOutput) compare(before []TopTable) {
	for _, table := range o.Tables {
		for _, old := range before {
			if old.Dimension != table.Dimension {
				continue
			}
			counts := map[string]int64{}
			for _, row := range old.Rows {
				counts[row.Value] = row.Count
			}
			for i := range table.Rows {
				row := &table.Rows[i]
				if n, ok := counts[row.Value]; ok || len(old.Rows) < 150 {
					row.Previous = &n
				}
			}
		}
	}
}
