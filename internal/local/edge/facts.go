package edge

import (
	"mime"
	"net/http"
	"net/url"
	"strconv"

	"github.com/esa-mcp/esa-mcp/internal/rule"
)

// facts are what rules see of the request as it came. They are gathered when the
// first rule looks.
func (x *exchange) facts() *rule.Request {
	if x.known != nil {
		return x.known
	}
	r, v := x.asked, x.w.visitor
	asn, _ := strconv.ParseInt(v.asn, 10, 64) // 0 if there is none
	x.known = &rule.Request{
		Method: r.Method, URL: x.scheme + "://" + x.host.Name + r.URL.RequestURI(), Header: r.Header, TLS: x.scheme == "https",
		HTTPVersion: httpVersion(r), ClientIP: v.ip, Country: v.country, Continent: continentOf(v.country), Region: v.province,
		ISP: v.isp, ASN: asn, Time: x.now, Form: x.form(),
	}
	lists, err := x.cfg.Plans.Lists(r.Context())
	if err != nil {
		x.cfg.Logger.ErrorContext(r.Context(), "the account's lists could not be read", "error", err)
	}
	x.known.Lists = lists
	return x.known
}

// httpVersion is the version as rules write it: HTTP/2.0, HTTP/1.1.
func httpVersion(r *http.Request) string {
	return "HTTP/" + strconv.Itoa(r.ProtoMajor) + "." + strconv.Itoa(r.ProtoMinor)
}

// maxForm is the largest form that rules look into, in bytes.
const maxForm = 64 << 10

// form reads a posted form without taking it from the origin; nil if there is
// none.
func (x *exchange) form() url.Values {
	said := x.r.Header.Get("Content-Type")
	if said == "" {
		return nil
	}
	kind, _, err := mime.ParseMediaType(said)
	if err != nil || kind != "application/x-www-form-urlencoded" || x.r.ContentLength > maxForm {
		return nil
	}
	form, _ := url.ParseQuery(string(x.peek(maxForm))) // what can be read of it
	return form
}
