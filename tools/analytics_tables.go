package tools

import (
	"slices"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// StatsMetrics are the metrics of the analytics operations.
func StatsMetrics() []string { return []string{"Traffic", "Requests", "RequestTraffic", "PageView"} }

// StatsDimensions are the dimensions that requests can be told apart by; ALL puts
// them together.
func StatsDimensions() []string {
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

// metricName finds the metric that name means, and says so if it is another.
func metricName(name string, notes *Noted) (string, error) {
	if strings.Contains(foldName(name), "hitrate") || strings.Contains(foldName(name), "hitratio") {
		return "", Refuse("stats-metric: ESA has no hit-rate metric. Rank metric Requests by dimension EdgeCacheStatus with query_top_data, or let create_report make kind analytics: it has the cache hit rate.")
	}
	return meant("metric", name, StatsMetrics(), meantMetrics(), notes)
}

func dimensionName(name string, notes *Noted) (string, error) {
	return meant("dimension", name, StatsDimensions(), meantDimensions(), notes)
}

func meant(kind, name string, known []string, others map[string]string, notes *Noted) (string, error) {
	if slices.Contains(known, name) {
		return name, nil
	}
	want := foldName(name)
	for _, k := range known {
		if foldName(k) == want {
			return k, nil // another spelling of the same name is not worth a note
		}
	}
	found, ok := others[want]
	if !ok {
		found, ok = others[strings.TrimPrefix(want, "client")]
	}
	if ok {
		notes.Note(esa.Note{ID: "stats-" + kind, Text: "ESA has no " + kind + " " + name + ": took " + found + "."})
		return found, nil
	}
	return "", Refuse("stats-%s: ESA has no %s %q: did you mean %s? There are %s.", kind, kind, name, Nearest(name, known), strings.Join(known, ", "))
}
