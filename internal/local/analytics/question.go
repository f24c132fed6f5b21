package analytics

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/quota"
)

const (
	day     = 24 * time.Hour
	maxSpan = 31 * day
	// The documentation names the error but no number.
	maxDimensions = 5
	stamp         = "2006-01-02T15:04:05Z"
)

// metricColumns are what is counted.
func metricColumn(name string) (string, bool) {
	column, ok := map[string]string{
		"Traffic": "SUM(traffic)", "Requests": "SUM(n)", "RequestTraffic": "SUM(request_traffic)", "PageView": "SUM(page_view)",
	}[name]
	return column, ok
}

// dimensionColumns are what requests are told apart by; ALL puts them together.
func dimensionColumns() map[string]string {
	return map[string]string{
		"ALL":                      "'ALL'",
		"ClientASN":                "asn",
		"ClientBrowser":            "browser",
		"ClientCountryCode":        "country",
		"ClientDevice":             "device",
		"ClientIP":                 "ip",
		"ClientIPVersion":          "ip_version",
		"ClientISP":                "isp",
		"ClientOS":                 "os",
		"ClientProvinceCode":       "province",
		"ClientRequestHost":        "host",
		"ClientRequestMethod":      "method",
		"ClientRequestPath":        "path",
		"ClientRequestProtocol":    "protocol",
		"ClientRequestQuery":       "query",
		"ClientRequestReferer":     "referer",
		"ClientRequestUserAgent":   "user_agent",
		"ClientSSLProtocol":        "ssl_protocol",
		"ClientXRequestedWith":     "requested_with",
		"EdgeCacheStatus":          "cache_status",
		"EdgeResponseContentType":  "content_type",
		"EdgeResponseStatusCode":   "status",
		"OriginResponseStatusCode": "origin_status",
		"SiteId":                   "CAST(site_id AS TEXT)",
		"Version":                  "version",
	}
}

// dimensionColumn is the expression of a dimension, and what makes a text of its
// value v.
func dimensionColumn(name string) (column, text string, ok bool) {
	column, ok = dimensionColumns()[name]
	if isText(name) {
		return column, `(SELECT text FROM visit_texts WHERE id = v)`, ok
	}
	return column, `v`, ok
}

// isText tells whether a dimension's column has the ids of texts.
func isText(dimension string) bool { return dimension != "ALL" && dimension != "SiteId" }

// question is what both operations ask.
type question struct {
	site       int64 // 0: the whole account
	start, end time.Time
	fields     []field
	interval   time.Duration
}

type field struct {
	FieldName string
	Dimension []string
}

// read takes the parameters and checks them as the service does.
func (s *Service) read(ctx context.Context, p api.Params) (question, error) {
	var q question
	if err := s.readTimes(p, &q); err != nil {
		return q, err
	}
	if err := readFields(p, &q); err != nil {
		return q, err
	}
	if err := readInterval(p, &q); err != nil {
		return q, err
	}
	var err error
	if q.site, err = p.Int("SiteId", 0); err != nil {
		return q, err
	}
	if err := s.checkHistory(ctx, q); err != nil {
		return q, err
	}
	if err := s.Flush(ctx); err != nil {
		return q, err
	}
	if q.site == 0 {
		return q, nil
	}
	err = s.store.DB().QueryRowContext(ctx, `SELECT id FROM sites WHERE id = ?`, q.site).Scan(&q.site)
	if errors.Is(err, sql.ErrNoRows) {
		return q, api.Errorf(404, "SiteNotFound", "The specified site %d does not exist.", q.site)
	}
	if err != nil {
		return q, fmt.Errorf("look up the site: %w", err)
	}
	return q, nil
}

// readTimes takes the last 24 hours when nothing else is said.
func (s *Service) readTimes(p api.Params, q *question) error {
	now := s.cfg.Now().UTC().Truncate(time.Second)
	var err error
	if q.end, err = readTime(p, "EndTime", now); err != nil {
		return err
	}
	if q.start, err = readTime(p, "StartTime", q.end.Add(-day)); err != nil {
		return err
	}
	switch {
	case !q.end.After(q.start):
		return api.Errorf(400, "InvalidEndTime.Mismatch", "The specified EndTime is earlier than the StartTime.")
	case q.end.Sub(q.start) > maxSpan:
		return api.Errorf(400, "InvalidParameter.TimeRange", "The specified time range exceeds the limit of 31 days.")
	}
	return nil
}

// checkHistory refuses to look back further than the plan of the site allows.
func (s *Service) checkHistory(ctx context.Context, q question) error {
	minutes, err := s.cfg.Quotas.OfSite(ctx, s.store.DB(), q.site, quota.HistoryMinutes)
	if err != nil {
		return err
	}
	history := min(time.Duration(minutes)*time.Minute, s.cfg.History)
	if q.start.Before(s.cfg.Now().UTC().Truncate(time.Second).Add(-history - time.Hour)) {
		return api.Errorf(400, "QuotaCheckFailed.Function", "The quota of the plan does not allow the query.")
	}
	return nil
}

func readTime(p api.Params, name string, otherwise time.Time) (time.Time, error) {
	text := p.String(name)
	if text == "" {
		return otherwise, nil
	}
	t, err := time.Parse(stamp, text)
	if err != nil {
		return t, api.Errorf(400, "InvalidTime.Malformed", "The specified %s is malformed: write it as yyyy-MM-ddTHH:mm:ssZ, in UTC.", name)
	}
	return t, nil
}

func readFields(p api.Params, q *question) error {
	sent, err := p.JSON("Fields", &q.fields)
	if err != nil || !sent || len(q.fields) == 0 {
		return api.Errorf(400, "InvalidParameter.Field", "Fields must be a JSON array of objects with FieldName and Dimension.")
	}
	for _, f := range q.fields {
		if _, ok := metricColumn(f.FieldName); !ok {
			return api.Errorf(400, "InvalidParameter.Field", "The specified field %q is invalid.", f.FieldName)
		}
		if len(f.Dimension) == 0 {
			return api.Errorf(400, "InvalidParameter.Dimension", "The field %s has no dimension.", f.FieldName)
		}
		if len(f.Dimension) > maxDimensions {
			return api.Errorf(400, "TooManyDimensions", "The field %s has more than %d dimensions.", f.FieldName, maxDimensions)
		}
		for _, d := range f.Dimension {
			if _, _, ok := dimensionColumn(d); !ok {
				return api.Errorf(400, "InvalidParameter.Dimension", "The specified dimension %q is invalid.", d)
			}
		}
	}
	return nil
}

// readInterval takes the finest interval that the span allows, or the one that
// was sent if it is not finer.
func readInterval(p api.Params, q *question) error {
	finest := finestInterval(q.end.Sub(q.start))
	seconds, err := p.Int("Interval", int64(finest/time.Second))
	if err != nil {
		return err
	}
	switch seconds {
	case 60, 300, 900, 3600, 86400:
	default:
		return api.Errorf(400, "InvalidParameter.Interval", "The specified interval %d is invalid.", seconds)
	}
	q.interval = time.Duration(seconds) * time.Second
	if q.interval < finest {
		return api.Errorf(400, "InvalidParameter.Interval", "The time range takes an interval of %s seconds or more.",
			strconv.Itoa(int(finest/time.Second)))
	}
	return nil
}

func finestInterval(span time.Duration) time.Duration {
	switch {
	case span <= 3*time.Hour:
		return time.Minute
	case span <= 12*time.Hour:
		return 5 * time.Minute
	case span <= day:
		return 15 * time.Minute
	case span <= 10*day:
		return time.Hour
	}
	return day
}
