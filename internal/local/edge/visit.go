package edge

import (
	"crypto/tls"
	"net/http"
	"net/url"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/local/analytics"
)

// Recorder takes note of requests. It is called by many goroutines at once, on
// the way of each request, so it must not wait for anything.
type Recorder interface{ Record(v analytics.Visit) }

// cacheStatusHeader is how the service's edge says where an answer came from.
const cacheStatusHeader = "X-Site-Cache-Status"

// visit is what the log keeps of a request and its answer.
func (r *recorder) visit(q *http.Request) analytics.Visit {
	ip := ""
	if r.visitor.ip.IsValid() {
		ip = r.visitor.ip.String()
	}
	v := analytics.Visit{
		Time: r.began, Host: q.Host, Method: q.Method, Path: q.URL.Path, Query: withoutToken(q.URL.RawQuery), Protocol: q.Proto,
		Referer: q.Referer(), UserAgent: q.UserAgent(), RequestedWith: q.Header.Get("X-Requested-With"), ClientIP: ip,
		Status: r.status, ContentType: r.Header().Get("Content-Type"), CacheStatus: r.Header().Get(cacheStatusHeader),
		Rules: r.Header().Get(rulesHeader),
		Bytes: r.bytes, RequestBytes: headSize(q) + max(r.received.Load(), q.ContentLength), OriginStatus: r.originStatus,
		Country: r.visitor.country, Province: r.visitor.province, ISP: r.visitor.isp, ASN: r.visitor.asn,
	}
	if q.TLS != nil {
		v.TLS = strings.ReplaceAll(tls.VersionName(q.TLS.Version), " ", "v")
	}
	return v
}

// withoutToken drops access tokens from a query string: the log is no place for
// them.
func withoutToken(query string) string {
	if !strings.Contains(query, "esa_er_token") {
		return query
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return ""
	}
	values.Del("esa_er_token")
	return values.Encode()
}

// headSize is about what the request's head took on the wire.
func headSize(q *http.Request) int64 {
	n := len(q.Method) + len(q.RequestURI) + len(q.Proto) + len("Host: ") + len(q.Host) + 8
	for name, values := range q.Header {
		for _, value := range values {
			n += len(name) + len(value) + 4
		}
	}
	return int64(n)
}
