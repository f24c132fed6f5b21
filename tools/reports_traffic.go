package tools

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/esa"
	"github.com/esa-mcp/esa-mcp/internal/guard"
)

// tally counts by name.
type tally map[string]int

func (t *tally) add(name string) {
	if *t == nil {
		*t = tally{}
	}
	(*t)[cmp.Or(name, "unknown")]++
}

// tell adds a figure for each name, the most frequent first.
func (t tally) tell(r *report, prefix string) {
	names := slices.Collect(maps.Keys(t))
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(t[b], t[a]), cmp.Compare(a, b)) })
	for _, name := range names {
		r.figure(prefix+name, t[name])
	}
}

// analytics sums a period up: totals against the period before, the cache's hit
// rate, and who asked for what.
func (r *report) analytics(ctx context.Context, d *Deps) error {
	r.Columns = []string{"section", "name", "value", "previous", "change_percent"}
	r.figure("from", r.period.start.Format(guard.StatsStamp))
	r.figure("to", r.period.end.Format(guard.StatsStamp))
	now, err := r.totals(ctx, d, r.period)
	if err != nil {
		return err
	}
	before, err := r.totals(ctx, d, r.period.before())
	if beyondHistory(err) {
		r.Note(noPrevious(r.period.before()))
		before, err = nil, nil
	}
	if err != nil {
		return fmt.Errorf("read the period before: %w", err)
	}
	for _, metric := range []string{"Requests", "Traffic", "PageView", "RequestTraffic"} {
		cells := []string{"total", metric, strconv.FormatInt(now[metric], 10), "", ""}
		if before != nil {
			cells[3] = strconv.FormatInt(before[metric], 10)
			if percent := change(now[metric], before[metric]); percent != nil {
				cells[4] = strconv.FormatFloat(*percent, 'f', 1, 64)
			}
		}
		r.row(cells...)
		r.figure(metric, now[metric])
	}
	return r.rankings(ctx, d)
}

// totals sums each metric over a period.
func (r *report) totals(ctx context.Context, d *Deps, s span) (map[string]int64, error) {
	var fields []any
	for _, metric := range guard.Metrics() {
		fields = append(fields, statsField(metric, "ALL"))
	}
	params := statsParams(r.Site, s, fields...)
	params["Interval"] = "86400"
	answer, err := askTimeSeries(ctx, d, &r.Noted, params)
	if err != nil {
		return nil, err
	}
	totals := map[string]int64{}
	lines, _ := answer.lines()
	for _, line := range lines {
		totals[line.Metric] += line.Total
	}
	return totals, nil
}

// rankings adds the largest values of some dimensions. The hit rate is the share
// of HIT among the cache statuses: the service has no metric for it.
func (r *report) rankings(ctx context.Context, d *Deps) error {
	where, names := "ClientRequestHost", map[string]string{}
	if r.Site == "" {
		where = "SiteId"
		sites, err := r.allSites(ctx, d)
		if err != nil {
			return err
		}
		for _, s := range sites {
			names[string(s.ID)] = s.Name
		}
	}
	params := statsParams(r.Site, r.period, statsField("Requests", "EdgeCacheStatus", "EdgeResponseStatusCode", where, "ClientCountryCode", "ClientRequestPath"))
	params["Limit"] = "10"
	answer, err := askTop(ctx, d, &r.Noted, params)
	if err != nil {
		return err
	}
	for _, table := range answer.tables(10) {
		hits := int64(0)
		for _, row := range table.Rows {
			r.row(table.Dimension, cmp.Or(names[row.Value], row.Value), strconv.FormatInt(row.Count, 10), "", "")
			if strings.EqualFold(row.Value, "HIT") {
				hits += row.Count
			}
		}
		if table.Dimension == "EdgeCacheStatus" && table.Sum > 0 {
			r.figure("cache hit rate", fmt.Sprintf("%.1f %%", 100*float64(hits)/float64(table.Sum)))
		}
	}
	if len(r.Rows) == 4 {
		r.Note(esa.Note{ID: "stats-empty", Text: "No requests in this period. Requests to default domains of routines belong to no site and are not counted."})
	}
	return nil
}
