package tools

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/esa"
	"github.com/esa-mcp/esa-mcp/internal/guard"
)

// count is a number of an analytics answer. The API declares any type for it.
type count int64

// UnmarshalJSON takes integers, numbers with a fraction, which it rounds, and
// either as text.
func (c *count) UnmarshalJSON(b []byte) error {
	text := string(bytes.Trim(bytes.TrimSpace(b), `"`))
	if text == "" || text == "null" {
		*c = 0
		return nil
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		*c = count(n)
		return nil
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(f) || math.Abs(f) >= math.MaxInt64 {
		return fmt.Errorf("read a count: %q is not a number", text)
	}
	*c = count(math.Round(f))
	return nil
}

// statsField asks for one metric by some dimensions.
func statsField(metric string, dimensions ...string) map[string]any {
	return map[string]any{"FieldName": metric, "Dimension": dimensions}
}

// statsParams are the parameters that both analytics operations take. A site of
// "" is the whole account.
func statsParams(site ID, s span, fields ...any) esa.Params {
	params := esa.Params{"StartTime": s.start.Format(guard.StatsStamp), "EndTime": s.end.Format(guard.StatsStamp), "Fields": fields}
	if site != "" {
		params["SiteId"] = string(site)
	}
	return params
}

type timeSeriesAnswer struct {
	Data []struct {
		FieldName, DimensionName, DimensionValue string
		DetailData                               []struct {
			TimeStamp string
			Value     count
		}
	}
	SummarizedData []struct {
		FieldName, DimensionName, DimensionValue, AggMethod string
		Value                                               count
	}
}

type topDataAnswer struct {
	Data []struct {
		FieldName, DimensionName string
		DetailData               []struct {
			DimensionValue string
			Value          count
		}
	}
}

// askTimeSeries sends DescribeSiteTimeSeriesData.
func askTimeSeries(ctx context.Context, d *Deps, notes *Noted, params esa.Params) (timeSeriesAnswer, error) {
	return invoke[timeSeriesAnswer](ctx, d, notes, "DescribeSiteTimeSeriesData", params)
}

// askTop sends DescribeSiteTopData.
func askTop(ctx context.Context, d *Deps, notes *Noted, params esa.Params) (topDataAnswer, error) {
	return invoke[topDataAnswer](ctx, d, notes, "DescribeSiteTopData", params)
}

// beyondHistory reports whether the plan does not keep data that long.
func beyondHistory(err error) bool { return strings.HasPrefix(esa.CodeOf(err), "QuotaCheckFailed") }

// noPrevious is the note for a comparison that the plan's history cuts off.
func noPrevious(s span) esa.Note {
	return esa.Note{ID: "stats-history", Text: "No comparison: the plan keeps no data from " + s.start.Format(guard.StatsStamp) + " on."}
}

// change is by how much a total grew, in percent with one decimal.
func change(now, before int64) *float64 {
	if before == 0 {
		return nil
	}
	percent := math.Round(1000*(float64(now)-float64(before))/float64(before)) / 10
	return &percent
}

// shown makes a value that visitors chose, such as a path or a user agent, safe
// to show: nothing invisible, no line breaks, and no endless text.
func shown(value string) string {
	const most = 200
	value = strings.Join(strings.Fields(visible(value)), " ")
	if runes := []rune(value); len(runes) > most {
		value = string(runes[:most]) + "..."
	}
	return value
}

// siteOrAccount resolves a site that may be left out for the whole account.
func (ref SiteRef) siteOrAccount(ctx context.Context, d *Deps) (ID, error) {
	if ref.SiteID == "" && siteName(ref.SiteName) == "" {
		return "", nil
	}
	return ref.resolve(ctx, d)
}
