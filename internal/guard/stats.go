package guard

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The names, times and steps of the analytics operations, which tools use too.

// StatsStamp is how the analytics operations write times.
const StatsStamp = "2006-01-02T15:04:05Z"

const statsDay = 24 * time.Hour

// MaxStatsSpan is the longest time span of a question.
const MaxStatsSpan = 31 * statsDay

// Metrics are the figures that the analytics operations have.
func Metrics() []string { return []string{"Traffic", "Requests", "RequestTraffic", "PageView"} }

// Dimensions are what requests can be told apart by; ALL puts them together.
func Dimensions() []string {
	return []string{"ALL", "ClientASN", "ClientBrowser", "ClientCountryCode", "ClientDevice", "ClientIP", "ClientIPVersion",
		"ClientISP", "ClientOS", "ClientProvinceCode", "ClientRequestHost", "ClientRequestMethod", "ClientRequestPath",
		"ClientRequestProtocol", "ClientRequestQuery", "ClientRequestReferer", "ClientRequestUserAgent", "ClientSSLProtocol",
		"ClientXRequestedWith", "EdgeCacheStatus", "EdgeResponseContentType", "EdgeResponseStatusCode",
		"OriginResponseStatusCode", "SiteId", "Version"}
}

// meantMetrics are names that other products and documents use. Each means one
// metric, whoever says it.
func meantMetrics() map[string]string {
	return map[string]string{
		"request": "Requests", "requestcount": "Requests", "hits": "Requests", "qps": "Requests", "acc": "Requests", "count": "Requests",
		"bandwidth": "Traffic", "bps": "Traffic", "bytes": "Traffic", "flow": "Traffic", "traf": "Traffic", "responsetraffic": "Traffic",
		"downstream": "Traffic", "egress": "Traffic",
		"upstream": "RequestTraffic", "requestbytes": "RequestTraffic", "ingress": "RequestTraffic", "upload": "RequestTraffic",
		"pageviews": "PageView", "pv": "PageView", "views": "PageView", "visits": "PageView",
	}
}

// meantDimensions are the same for dimensions.
func meantDimensions() map[string]string {
	return map[string]string{
		"total": "ALL", "none": "ALL",
		"host": "ClientRequestHost", "hosts": "ClientRequestHost", "hostname": "ClientRequestHost", "domain": "ClientRequestHost", "requesthost": "ClientRequestHost",
		"path": "ClientRequestPath", "paths": "ClientRequestPath", "uri": "ClientRequestPath", "url": "ClientRequestPath", "requesturi": "ClientRequestPath",
		"requestpath": "ClientRequestPath", "clientrequesturi": "ClientRequestPath",
		"status": "EdgeResponseStatusCode", "statuscode": "EdgeResponseStatusCode", "httpcode": "EdgeResponseStatusCode",
		"responsestatus": "EdgeResponseStatusCode", "edgestatuscode": "EdgeResponseStatusCode", "edgeresponsestatus": "EdgeResponseStatusCode",
		"originstatus": "OriginResponseStatusCode", "originstatuscode": "OriginResponseStatusCode",
		"cache": "EdgeCacheStatus", "cachestatus": "EdgeCacheStatus", "hitrate": "EdgeCacheStatus", "contenttype": "EdgeResponseContentType",
		"country": "ClientCountryCode", "countries": "ClientCountryCode", "countrycode": "ClientCountryCode", "clientcountry": "ClientCountryCode", "region": "ClientCountryCode",
		"province": "ClientProvinceCode", "clientprovince": "ClientProvinceCode", "isp": "ClientISP", "asn": "ClientASN",
		"ip": "ClientIP", "clientaddress": "ClientIP", "ipversion": "ClientIPVersion", "browser": "ClientBrowser", "device": "ClientDevice",
		"os": "ClientOS", "method": "ClientRequestMethod", "httpmethod": "ClientRequestMethod", "protocol": "ClientRequestProtocol",
		"query": "ClientRequestQuery", "querystring": "ClientRequestQuery", "referer": "ClientRequestReferer", "referrer": "ClientRequestReferer",
		"useragent": "ClientRequestUserAgent", "ua": "ClientRequestUserAgent", "ssl": "ClientSSLProtocol", "tls": "ClientSSLProtocol",
		"tlsversion": "ClientSSLProtocol", "sslprotocol": "ClientSSLProtocol", "site": "SiteId",
	}
}

// folded makes the spellings of a name equal.
func folded(name string) string {
	return strings.ToLower(strings.NewReplacer("-", "", "_", "", ".", "", " ", "").Replace(name))
}

// IsHitRate reports whether a metric's name asks for the cache's hit rate, which
// is no metric of ESA.
func IsHitRate(name string) bool {
	name = folded(name)
	return strings.Contains(name, "hitrate") || strings.Contains(name, "hitratio")
}

// MeantMetric finds the metric that a name means. same is false if it is another
// name, not only another spelling.
func MeantMetric(name string) (metric string, same, ok bool) {
	return meant(name, Metrics(), meantMetrics())
}

// MeantDimension is MeantMetric for dimensions.
func MeantDimension(name string) (dimension string, same, ok bool) {
	return meant(name, Dimensions(), meantDimensions())
}

func meant(name string, known []string, others map[string]string) (found string, same, ok bool) {
	want := folded(name)
	if i := slices.IndexFunc(known, func(k string) bool { return folded(k) == want }); i >= 0 {
		return known[i], true, true
	}
	if found, ok = others[want]; !ok {
		found, ok = others[strings.TrimPrefix(want, "client")]
	}
	return found, false, ok
}

// ReadMoment reads a time as people write it: now, one relative to it (-24h,
// now-7d), a date, or a point in time. remark says what was assumed or
// converted; ok is false if it is no time.
func ReadMoment(text string, now time.Time) (t time.Time, remark string, ok bool) {
	text = strings.TrimSpace(text)
	lower := strings.ToLower(text)
	if lower == "now" {
		return now, "", true
	}
	if back, ok := relative(lower); ok {
		return now.Add(-back), "", true
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		if _, offset := t.Zone(); offset != 0 {
			remark = "is " + t.UTC().Format(StatsStamp) + " in UTC."
		}
		return t.UTC().Truncate(time.Second), remark, true
	}
	for _, layout := range []string{time.DateOnly, time.DateTime, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02T15:04Z"} {
		if t, err := time.Parse(layout, text); err == nil {
			if !strings.HasSuffix(layout, "Z") {
				remark = "has no time zone: taken as UTC."
			}
			return t, remark, true
		}
	}
	return time.Time{}, "", false
}

// relative reads -24h, now-7d and -1d12h.
func relative(text string) (time.Duration, bool) {
	rest, ok := strings.CutPrefix(strings.TrimPrefix(text, "now"), "-")
	if !ok || !regexp.MustCompile(`^(\d{1,5}[smhdw])+$`).MatchString(rest) {
		return 0, false
	}
	var total time.Duration
	number := ""
	for _, c := range rest {
		if c >= '0' && c <= '9' {
			number += string(c)
			continue
		}
		n, err := strconv.Atoi(number)
		if err != nil {
			return 0, false
		}
		unit := map[rune]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': statsDay, 'w': 7 * statsDay}[c]
		total, number = total+time.Duration(n)*unit, ""
	}
	return total, true
}

// StatsIntervals are the steps that a time series can have, in seconds.
func StatsIntervals() []int { return []int{60, 300, 900, 3600, 86400} }

// FinestInterval is the finest step, in seconds, that ESA gives for a time span.
func FinestInterval(span time.Duration) int {
	switch {
	case span <= 3*time.Hour:
		return 60
	case span <= 12*time.Hour:
		return 300
	case span <= statsDay:
		return 900
	case span <= 10*statsDay:
		return 3600
	}
	return 86400
}

// TopLimit is the smallest number of rows that ESA gives and that is enough for
// n.
func TopLimit(n int) int {
	switch {
	case n <= 5:
		return 5
	case n <= 10:
		return 10
	}
	return 150
}
