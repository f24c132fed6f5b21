package analytics

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
)

// maxSeries bounds the values of one dimension in an answer.
const maxSeries = 150

type point struct {
	TimeStamp string
	Value     int64
}

type series struct {
	FieldName, DimensionName, DimensionValue string
	DetailData                               []point

	sum int64
}

type summary struct {
	FieldName, DimensionName, DimensionValue string
	AggMethod                                string
	Value                                    int64
}

type timeSeriesAnswer struct {
	StartTime, EndTime string
	Interval           int64
	SamplingRate       float64
	Data               []series
	SummarizedData     []summary
}

// timeSeries answers DescribeSiteTimeSeriesData: for each field and each value
// of its dimensions one number for every interval, and their sum.
func (s *Service) timeSeries(ctx context.Context, r *api.Request) (any, error) {
	q, err := s.read(ctx, r.Params)
	if err != nil {
		return nil, err
	}
	out := timeSeriesAnswer{StartTime: q.start.Format(stamp), EndTime: q.end.Format(stamp),
		Interval: int64(q.interval / time.Second), SamplingRate: float64(s.cfg.Sampling), Data: []series{}, SummarizedData: []summary{}}
	for _, f := range q.fields {
		for _, dimension := range f.Dimension {
			lines, err := s.series(ctx, q, f.FieldName, dimension)
			if err != nil {
				return nil, err
			}
			for _, l := range lines {
				out.Data = append(out.Data, l)
				out.SummarizedData = append(out.SummarizedData, summary{FieldName: l.FieldName, DimensionName: l.DimensionName,
					DimensionValue: l.DimensionValue, AggMethod: "sum", Value: l.sum})
			}
		}
	}
	return out, nil
}

// series counts one field by one dimension. Intervals without requests are 0,
// and ALL has a series even if there were none at all.
func (s *Service) series(ctx context.Context, q question, metric, dimension string) ([]series, error) {
	step := int64(q.interval / time.Second)
	first := q.start.Unix() / step * step
	column, text, _ := dimensionColumn(dimension)
	sum, _ := metricColumn(metric)
	counts := map[string]map[int64]int64{}
	if dimension == "ALL" {
		counts["ALL"] = map[int64]int64{}
	}
	clause, args := s.where(q)
	rows, err := s.store.DB().QueryContext(ctx, `SELECT `+text+`, t, n FROM (SELECT `+column+` AS v, at / ? * ? AS t, `+sum+
		` AS n FROM visits `+clause+` GROUP BY 1, 2)`,
		append([]any{step, step}, args...)...)
	if err != nil {
		return nil, fmt.Errorf("count requests: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var value string
		var at, n int64
		if err := rows.Scan(&value, &at, &n); err != nil {
			return nil, fmt.Errorf("count requests: %w", err)
		}
		if counts[value] == nil {
			counts[value] = map[int64]int64{}
		}
		counts[value][at] = s.estimate(n)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("count requests: %w", err)
	}
	var lines []series
	for value, at := range counts {
		l := series{FieldName: metric, DimensionName: dimension, DimensionValue: value}
		for t := first; t < q.end.Unix(); t += step {
			l.DetailData = append(l.DetailData, point{time.Unix(t, 0).UTC().Format(stamp), at[t]})
			l.sum += at[t]
		}
		lines = append(lines, l)
	}
	slices.SortFunc(lines, func(a, b series) int {
		return cmp.Or(cmp.Compare(b.sum, a.sum), cmp.Compare(a.DimensionValue, b.DimensionValue))
	})
	return lines[:min(len(lines), maxSeries)], nil
}

type topValue struct {
	DimensionValue string
	Value          int64
}

type ranking struct {
	FieldName, DimensionName string
	DetailData               []topValue
}

type topAnswer struct {
	StartTime, EndTime string
	SamplingRate       float64
	Data               []ranking
}

// topData answers DescribeSiteTopData: the values of each dimension that have
// most of each field.
func (s *Service) topData(ctx context.Context, r *api.Request) (any, error) {
	q, err := s.read(ctx, r.Params)
	if err != nil {
		return nil, err
	}
	limit := r.Params.String("Limit")
	switch limit {
	case "":
		limit = "5"
	case "5", "10", "150":
	default:
		return nil, api.Errorf(400, "InvalidParameter.Limit", "The specified limit %q is invalid: it is 5, 10 or 150.", limit)
	}
	n, err := strconv.Atoi(limit)
	if err != nil {
		return nil, fmt.Errorf("read the limit: %w", err)
	}
	out := topAnswer{StartTime: q.start.Format(stamp), EndTime: q.end.Format(stamp), SamplingRate: float64(s.cfg.Sampling), Data: []ranking{}}
	for _, f := range q.fields {
		for _, dimension := range f.Dimension {
			values, err := s.top(ctx, q, f.FieldName, dimension, n)
			if err != nil {
				return nil, err
			}
			out.Data = append(out.Data, ranking{FieldName: f.FieldName, DimensionName: dimension, DetailData: values})
		}
	}
	return out, nil
}

func (s *Service) top(ctx context.Context, q question, metric, dimension string, n int) ([]topValue, error) {
	column, text, _ := dimensionColumn(dimension)
	sum, _ := metricColumn(metric)
	clause, args := s.where(q)
	rows, err := s.store.DB().QueryContext(ctx, `SELECT `+text+`, n FROM (SELECT `+column+` AS v, `+sum+` AS n FROM visits `+clause+
		` GROUP BY 1) ORDER BY 2 DESC, 1 LIMIT ?`, append(args, n)...)
	if err != nil {
		return nil, fmt.Errorf("rank requests: %w", err)
	}
	defer rows.Close()
	values := []topValue{}
	for rows.Next() {
		var v topValue
		if err := rows.Scan(&v.DimensionValue, &v.Value); err != nil {
			return nil, fmt.Errorf("rank requests: %w", err)
		}
		v.Value = s.estimate(v.Value)
		values = append(values, v)
	}
	return values, rows.Err()
}

// where limits the log to what a question is about, and to the sample.
func (s *Service) where(q question) (string, []any) {
	clause, args := `WHERE at >= ? AND at < ?`, []any{q.start.Unix(), q.end.Unix()}
	if q.site != 0 {
		clause, args = clause+` AND site_id = ?`, append(args, q.site)
	}
	if s.cfg.Sampling < everyRequest {
		// Spread over neighbours: 61 has no divisor in common with 100.
		clause, args = clause+` AND rowid * 61 % 100 < ?`, append(args, s.cfg.Sampling)
	}
	return clause, args
}

// estimate is what a count of the sample says of all requests.
func (s *Service) estimate(n int64) int64 { return n * everyRequest / s.cfg.Sampling }
