package guard

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

func analyticsRows() []Row {
	series := []string{"DescribeSiteTimeSeriesData"}
	top := []string{"DescribeSiteTopData"}
	both := slices.Concat(series, top)
	return area("Analytics",
		// Times first: the others look at them.
		Row{ID: "stats-time", Do: []Severity{Fix}, Source: fromGuide,
			Text:    "Times are UTC, yyyy-MM-ddTHH:mm:ssZ: other zones and relative times such as -24h are converted.",
			Actions: both, Check: fixStatsTimes},
		Row{ID: "stats-order", Do: []Severity{Block}, Source: fromGuide,
			Text:    "An end before the start.",
			Actions: both, Check: checkStatsOrder},
		Row{ID: "stats-span", Do: []Severity{Block}, Source: fromGuide,
			Text:    "A time span of more than 31 days.",
			Actions: both, Check: checkStatsSpan},
		Row{ID: "stats-interval", Do: []Severity{Fix, Block}, Source: fromGuide,
			Text:    "The interval follows from the time span when it is not given; one finer than allowed is refused with the right one.",
			Actions: series, Check: checkStatsInterval},
		Row{ID: "stats-metric", Do: []Severity{Fix, Block}, Source: fromGuide,
			Text:    "The metrics are Traffic, Requests, RequestTraffic and PageView: others are mended where it is evident what is meant.",
			Actions: both, Check: checkMetrics},
		Row{ID: "stats-dimension", Do: []Severity{Fix, Block}, Source: fromGuide,
			Text:    "Dimensions have long names, such as ClientRequestHost and EdgeResponseStatusCode: Host, Status and the like are mended.",
			Actions: both, Check: checkDimensions},
		Row{ID: "stats-limit", Do: []Severity{Fix}, Source: fromGuide,
			Text:    "A top list has 5, 10 or 150 rows: the next larger is asked for, and as many rows as were wanted are answered.",
			Actions: top, Check: fixTopLimit, After: cutTopRows},
		Row{ID: "stats-sampling", Do: []Severity{Warn}, Source: fromGuide,
			Text:    "With a sampling rate below 100 the figures are estimates.",
			Actions: both, After: saySampling},
	)
}

// fixStatsTimes writes times as ESA does.
func fixStatsTimes(_ context.Context, c *Call) error {
	now := c.now().UTC().Truncate(time.Second)
	for _, name := range []string{"StartTime", "EndTime"} {
		given := c.Text(name)
		if given == "" {
			continue
		}
		t, _, ok := ReadMoment(given, now)
		if !ok {
			return c.Block("%s %q is no time: write it as 2026-01-02T15:04:05Z, in UTC, or relative to now, such as -24h.", name, given)
		}
		if text := t.Format(StatsStamp); text != given {
			c.Set(name, text)
			c.Fixed("%s %s is %s in UTC, as ESA writes it.", name, given, text)
		}
	}
	return nil
}

// statsSpan is the time that a question is about: the last 24 hours unless it
// says otherwise. ok is false if a time cannot be read.
func statsSpan(c *Call) (start, end time.Time, ok bool) {
	end = c.now().UTC().Truncate(time.Second)
	var err error
	if text := c.Text("EndTime"); text != "" {
		if end, err = time.Parse(StatsStamp, text); err != nil {
			return start, end, false
		}
	}
	start = end.Add(-statsDay)
	if text := c.Text("StartTime"); text != "" {
		if start, err = time.Parse(StatsStamp, text); err != nil {
			return start, end, false
		}
	}
	return start, end, true
}

func checkStatsOrder(_ context.Context, c *Call) error {
	start, end, ok := statsSpan(c)
	if !ok || end.After(start) {
		return nil
	}
	from, to := start.Format(StatsStamp), end.Format(StatsStamp)
	refusal := c.Block("StartTime (%s) is not before EndTime (%s).", from, to)
	if c.Has("StartTime") && c.Has("EndTime") && start.After(end) {
		return refusal.With(c, esa.Params{"StartTime": to, "EndTime": from})
	}
	return refusal
}

func checkStatsSpan(_ context.Context, c *Call) error {
	start, end, ok := statsSpan(c)
	if !ok || end.Sub(start) <= MaxStatsSpan {
		return nil
	}
	return c.Block("From %s to %s is %d days; ESA answers at most 31 days at once. Ask for shorter periods, one after the other.",
		start.Format(StatsStamp), end.Format(StatsStamp), int(end.Sub(start)/statsDay)).
		With(c, esa.Params{"StartTime": end.Add(-MaxStatsSpan).Format(StatsStamp), "EndTime": end.Format(StatsStamp)})
}

func checkStatsInterval(_ context.Context, c *Call) error {
	start, end, ok := statsSpan(c)
	if !ok {
		return nil
	}
	finest := FinestInterval(end.Sub(start))
	right := esa.Params{"Interval": strconv.Itoa(finest)}
	if c.Text("Interval") == "" {
		c.Set("Interval", right["Interval"])
		c.Fixed("Interval was left out: used %d seconds, the finest for the time span.", finest)
		return nil
	}
	switch asked, isNumber := c.Int("Interval"); {
	case !isNumber || !slices.Contains(StatsIntervals(), int(asked)):
		return c.Block("Interval is 60, 300, 900, 3600 or 86400 seconds, not %s.", c.Text("Interval")).With(c, right)
	case int(asked) < finest:
		return c.Block("For %.3g hours the finest Interval is %d seconds, not %d.", end.Sub(start).Hours(), finest, asked).With(c, right)
	}
	return nil
}

// eachStatsField looks at the fields of a question; what was changed goes back
// into the call.
func eachStatsField(c *Call, look func(field map[string]any) error) error {
	fields := c.List("Fields")
	before, _ := compactJSON(fields)
	for _, f := range fields {
		if field, ok := f.(map[string]any); ok {
			if err := look(field); err != nil {
				return err
			}
		}
	}
	if after, _ := compactJSON(fields); after != before {
		c.Set("Fields", fields)
	}
	return nil
}

// member finds a member of an object in any spelling.
func member(object map[string]any, name string) (key string, value any) {
	for k, v := range object {
		if sameName(k, name) {
			return k, v
		}
	}
	return name, nil
}

func checkMetrics(_ context.Context, c *Call) error {
	return eachStatsField(c, func(field map[string]any) error {
		key, value := member(field, "FieldName")
		given := scalar(value)
		if given == "" {
			return nil
		}
		if IsHitRate(given) {
			return c.Block("ESA has no hit-rate metric: take Requests by EdgeCacheStatus, and the share of HIT is the rate.").
				With(c, esa.Params{"Fields": []any{map[string]any{"FieldName": "Requests", "Dimension": []any{"EdgeCacheStatus"}}}})
		}
		metric, _, ok := MeantMetric(given)
		if !ok {
			return c.Block("ESA has no metric %q: there are %s.", shortText(given), strings.Join(Metrics(), ", "))
		}
		if metric != given {
			field[key] = metric
			c.Fixed("ESA has no metric %s: took %s.", given, metric)
		}
		return nil
	})
}

func checkDimensions(_ context.Context, c *Call) error {
	return eachStatsField(c, func(field map[string]any) error {
		key, value := member(field, "Dimension")
		list, ok := value.([]any)
		switch text := scalar(value); {
		case text != "":
			list = []any{text}
		case !ok || len(list) == 0:
			field[key] = []any{"ALL"}
			c.Fixed("A field needs a Dimension: took ALL, which puts all requests together.")
			return nil
		}
		for i, v := range list {
			given := scalar(v)
			dimension, _, ok := MeantDimension(given)
			if !ok {
				return c.Block("ESA has no dimension %q: there are %s.", shortText(given), strings.Join(Dimensions(), ", "))
			}
			if dimension != given {
				list[i] = dimension
				c.Fixed("ESA has no dimension %s: took %s.", given, dimension)
			}
		}
		field[key] = list
		return nil
	})
}

// fixTopLimit asks for as many rows as ESA gives; cutTopRows gives those that
// were wanted.
func fixTopLimit(_ context.Context, c *Call) error {
	n, ok := c.Int("Limit")
	if !ok || n <= 0 {
		return nil
	}
	limit := TopLimit(int(min(n, 150)))
	if int64(limit) == n {
		return nil
	}
	c.Set("Limit", strconv.Itoa(limit))
	c.topRows = int(n)
	c.Fixed("ESA ranks 5, 10 or 150 values: asked for %d.", limit)
	return nil
}

func cutTopRows(_ context.Context, c *Call) error {
	if c.topRows == 0 {
		return nil
	}
	rankings, _ := c.Answer()["Data"].([]any)
	for _, r := range rankings {
		ranking, _ := r.(map[string]any)
		if rows, _ := ranking["DetailData"].([]any); len(rows) > c.topRows {
			ranking["DetailData"] = rows[:c.topRows]
		}
	}
	return nil
}

func saySampling(_ context.Context, c *Call) error {
	rate, err := json.Number(scalar(c.Answer()["SamplingRate"])).Float64()
	if err == nil && rate > 0 && rate < 100 {
		c.Warn("Figures are estimates: ESA counted %s %% of the requests.", scalar(c.Answer()["SamplingRate"]))
	}
	return nil
}
