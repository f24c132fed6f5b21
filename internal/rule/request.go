package rule

import (
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Request is a request as conditions see it. What is left out is empty.
type Request struct {
	// Method is GET if empty.
	Method string
	// URL is the whole URL: scheme, host, path and query string. Without a scheme
	// it is https if TLS is set, else http.
	URL    string
	Header http.Header
	// Form is the posted form.
	Form     url.Values
	ClientIP netip.Addr
	// Country and Continent have two capital letters; Region is the subdivision,
	// such as CN-ZJ.
	Country, Continent, Region, ISP string
	// ASN is the number of the client's network.
	ASN int64
	// TLS says that the request came over TLS, whatever the URL's scheme is.
	TLS bool
	// HTTPVersion is such as HTTP/2.0; HTTP/1.1 if empty.
	HTTPVersion string
	// Attributes are the values of fields by their names, such as ali.ja3_hash,
	// ip.src.region_code or http.request.body.raw; true and false for those of type
	// boolean. Of a text field that has another source they go first.
	Attributes map[string]string
	// Time is when the request came; now if zero.
	Time time.Time
	// Lists are the account's lists by their names.
	Lists map[string][]string
}

// parts are the pieces of a URL, as they were sent.
type parts struct {
	scheme, host, path, query string
	hasQuery                  bool
}

// cut takes a URL apart. It refuses nothing.
func (r *Request) cut() parts {
	var u parts
	rest, _, _ := strings.Cut(r.URL, "#")
	scheme, after, ok := strings.Cut(rest, "://")
	switch {
	case ok && !strings.ContainsAny(scheme, "/?"):
		u.scheme, rest = lowerASCII(scheme), after
	case r.TLS:
		u.scheme = "https"
	default:
		u.scheme = "http"
	}
	rest, u.query, u.hasQuery = strings.Cut(rest, "?")
	u.host, u.path = rest, "/"
	if slash := strings.IndexByte(rest, '/'); slash >= 0 {
		u.host, u.path = rest[:slash], rest[slash:]
	}
	if at := strings.LastIndexByte(u.host, '@'); at >= 0 {
		u.host = u.host[at+1:]
	}
	if colon := strings.LastIndexByte(u.host, ':'); colon > strings.LastIndexByte(u.host, ']') {
		u.host = u.host[:colon]
	}
	if u.host == "" {
		u.host = r.Header.Get("Host")
	}
	u.host = lowerASCII(u.host)
	return u
}

// uri is path and query string.
func (u parts) uri() string {
	if !u.hasQuery {
		return u.path
	}
	return u.path + "?" + u.query
}

// file is the last segment of the path.
func (u parts) file() string { return u.path[strings.LastIndexByte(u.path, '/')+1:] }

// text is the value of a text field without keys.
func (r *Request) text(f *Field) string {
	if len(r.Attributes) > 0 {
		if s, known := r.Attributes[f.Name]; known {
			return s
		}
	}
	switch f.id {
	case fieldHost:
		return r.cut().host
	case fieldURI:
		return r.cut().uri()
	case fieldPath:
		return r.cut().path
	case fieldQuery:
		return r.cut().query
	case fieldFullURI:
		u := r.cut()
		return u.scheme + "://" + u.host + u.uri()
	case fieldExtension:
		file := r.cut().file()
		if dot := strings.LastIndexByte(file, '.'); dot >= 0 {
			return file[dot+1:]
		}
		return ""
	case fieldFileName:
		file := r.cut().file()
		if dot := strings.LastIndexByte(file, '.'); dot >= 0 {
			return file[:dot]
		}
		return file
	case fieldFullFileName:
		return r.cut().file()
	case fieldScheme:
		return r.cut().scheme
	case fieldMethod:
		return either(r.Method, http.MethodGet)
	case fieldVersion:
		return either(r.HTTPVersion, "HTTP/1.1")
	case fieldCookie:
		return strings.Join(r.Header["Cookie"], "; ")
	case fieldReferer:
		return r.Header.Get("Referer")
	case fieldUserAgent:
		return r.Header.Get("User-Agent")
	case fieldForwarded:
		return strings.Join(r.Header["X-Forwarded-For"], ", ")
	case fieldMIME:
		mime, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
		return strings.TrimSpace(mime)
	case fieldISP:
		return r.ISP
	case fieldSubdivision:
		return r.Region
	case fieldCountry:
		return r.Country
	case fieldContinent:
		return r.Continent
	case fieldIPVersion:
		switch {
		case !r.ClientIP.IsValid():
			return ""
		case r.ClientIP.Unmap().Is4():
			return "IPv4"
		}
		return "IPv6"
	}
	return r.Attributes[f.Name]
}

func either(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// integer is the value of a field of numbers.
func (r *Request) integer(f *Field) int64 {
	if f.id == fieldASN {
		return r.ASN
	}
	if r.Time.IsZero() {
		return time.Now().Unix()
	}
	return r.Time.Unix()
}

// truth is the value of a field that is true or false.
func (r *Request) truth(f *Field) bool {
	if f.id == fieldSSL {
		return r.TLS || r.cut().scheme == "https"
	}
	is, err := strconv.ParseBool(r.Attributes[f.Name])
	return err == nil && is
}

// keyed are the values of a field under a key.
func (r *Request) keyed(f *Field, key string) []string {
	switch f.id {
	case fieldHeaders:
		return r.Header.Values(key)
	case fieldCookies:
		return r.cookies(key)
	case fieldArgs:
		return arguments(r.cut().query)[key]
	case fieldForm:
		return r.Form[key]
	}
	return nil
}

func (r *Request) cookies(name string) []string {
	var out []string
	for _, line := range r.Header["Cookie"] {
		for pair := range strings.SplitSeq(line, ";") {
			if n, v, ok := strings.Cut(strings.TrimSpace(pair), "="); ok && n == name {
				out = append(out, v)
			}
		}
	}
	return out
}

// arguments reads a query string; what is no argument is left out.
func arguments(query string) url.Values {
	values, _ := url.ParseQuery(query)
	return values
}

// size is how many members a field with keys has.
func (r *Request) size(f *Field) int64 {
	switch f.id {
	case fieldHeaders:
		return int64(len(r.Header))
	case fieldCookies:
		n := 0
		for _, line := range r.Header["Cookie"] {
			n += strings.Count(line, "=")
		}
		return int64(n)
	case fieldArgs:
		return int64(len(arguments(r.cut().query)))
	}
	return int64(len(r.Form))
}

// present reports whether the request has what a field asks for.
func (r *Request) present(o *operand) bool {
	f := o.field
	switch {
	case o.keyed:
		return len(r.keyed(f, o.key)) > 0
	case f.Type == TypeMap:
		return r.size(f) > 0
	case f.Type == TypeBoolean || f.Type == TypeInteger:
		_, known := r.Attributes[f.Name]
		return f.id != fieldAttribute || known
	case f.Type == TypeAddress:
		return r.ClientIP.IsValid()
	}
	switch f.id {
	case fieldCookie:
		return len(r.Header["Cookie"]) > 0
	case fieldReferer:
		return len(r.Header["Referer"]) > 0
	case fieldUserAgent:
		return len(r.Header["User-Agent"]) > 0
	}
	return r.text(f) != ""
}
