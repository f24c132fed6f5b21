package rule

import (
	"slices"
	"strings"
	"sync"
)

// Type is the type of a field's value.
type Type string

// The types of fields.
const (
	TypeText    Type = "string"
	TypeInteger Type = "integer"
	TypeAddress Type = "ip"
	TypeBoolean Type = "boolean"
	TypeMap     Type = "map" // of text, by a key in quotes: http.request.headers["x"]
)

// Field is one field of a request that conditions ask for.
type Field struct {
	Name string
	Type Type
	// Operators are the names of the operators that the field takes. exists(), and
	// lower() and len() of text, come besides.
	Operators []string
	// List says that the field takes in $list.
	List bool
	// Only is the one kind of rule that has the field; Usual the kinds for which
	// the sources name it. Empty means every kind.
	Only  Kind
	Usual []Kind
	// MinPlan is the plan from which the field is there, as far as it is known.
	MinPlan Plan
	// IgnoreCase says that comparisons do not tell capital letters from small ones.
	IgnoreCase bool
	// NotEmpty says that the field is never compared with the empty text.
	NotEmpty bool
	// Values are the values there are, if they are few.
	Values []string
	// Note says what to know about the field, in plain words.
	Note string
	// Source is where the facts come from: documented, client code, or the seed
	// alone.
	Source string

	id  fieldID
	ops uint16
	uri bool // its values begin with a slash
}

type fieldID uint8

const (
	fieldNone fieldID = iota
	fieldHost
	fieldCookie
	fieldReferer
	fieldUserAgent
	fieldForwarded
	fieldMethod
	fieldURI
	fieldPath
	fieldExtension
	fieldFileName
	fieldFullFileName
	fieldQuery
	fieldFullURI
	fieldVersion
	fieldScheme
	fieldMIME
	fieldBody
	fieldSeconds
	fieldHeaders
	fieldCookies
	fieldArgs
	fieldForm
	fieldIP
	fieldIPVersion
	fieldISP
	fieldSubdivision
	fieldRegion
	fieldCountry
	fieldContinent
	fieldASN
	fieldSSL
	fieldAttribute // from Request.Attributes
)

const (
	opsCompare = 1<<opEq | 1<<opNe
	opsChoice  = opsCompare | 1<<opIn
	opsText    = opsChoice | 1<<opContains | 1<<opMatches
	opsString  = opsText | 1<<opStartsWith | 1<<opEndsWith
	opsSize    = 1<<opGt | 1<<opGe | 1<<opLt | 1<<opLe
	opsNumber  = opsChoice | opsSize
)

const (
	documented = "documented"
	seed       = "seed only"
)

// Fields lists the fields by name.
func Fields() []Field {
	t := table()
	out := make([]Field, 0, len(t.byName))
	for _, f := range t.byName {
		out = append(out, *f)
	}
	slices.SortFunc(out, func(a, b Field) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// fieldTable is the table of fields with its index.
type fieldTable struct{ byName map[string]*Field }

// table is made at first use.
var table = sync.OnceValue(func() *fieldTable {
	all := fieldList()
	t := &fieldTable{byName: make(map[string]*Field, len(all))}
	for i := range all {
		f := &all[i]
		for op := opEq; op < opCount; op++ {
			if f.ops&(1<<op) != 0 {
				f.Operators = append(f.Operators, op.String())
			}
		}
		t.byName[f.Name] = f
	}
	return t
})

func fieldNamed(name string) *Field { return table().byName[name] }

func (f *Field) takes(op operator) bool { return f.ops&(1<<op) != 0 }

func fieldList() []Field {
	wafKinds := []Kind{KindWAF, KindRateLimit}
	methods := []string{"GET", "POST", "PURGE", "PUT", "HEAD", "OPTIONS", "DELETE", "PATCH"}
	return []Field{
		{Name: "http.host", Type: TypeText, id: fieldHost, ops: opsString, List: true, IgnoreCase: true, NotEmpty: true, Source: documented,
			Note: "The host name, without a port."},
		{Name: "http.cookie", Type: TypeText, id: fieldCookie, ops: opsText, Source: documented, Note: "The whole Cookie header."},
		{Name: "http.referer", Type: TypeText, id: fieldReferer, ops: opsText, IgnoreCase: true, Source: documented, Note: "The Referer header."},
		{Name: "http.user_agent", Type: TypeText, id: fieldUserAgent, ops: opsText, Source: seed, Note: "The User-Agent header."},
		{Name: "http.x_forwarded_for", Type: TypeText, id: fieldForwarded, ops: opsText, Source: seed, Note: "The X-Forwarded-For header."},
		{Name: "http.request.method", Type: TypeText, id: fieldMethod, ops: opsChoice, Values: methods, Source: documented, Note: "In capital letters."},
		{Name: "http.request.uri", Type: TypeText, id: fieldURI, ops: opsString, uri: true, Source: documented,
			Note: "Path and query string; http.request.uri.path is the path alone."},
		{Name: "http.request.uri.path", Type: TypeText, id: fieldPath, ops: opsString, uri: true, Source: "client code",
			Note: "The path, without the query string."},
		{Name: "http.request.uri.path.extension", Type: TypeText, id: fieldExtension, ops: opsChoice, Source: seed,
			Note: "The extension of the file, without the dot."},
		{Name: "http.request.uri.path.file_name", Type: TypeText, id: fieldFileName, ops: opsChoice, Source: seed,
			Note: "The name of the file, without its extension."},
		{Name: "http.request.uri.path.full_file_name", Type: TypeText, id: fieldFullFileName, ops: opsChoice, Source: seed,
			Note: "The name of the file with its extension."},
		{Name: "http.request.uri.query", Type: TypeText, id: fieldQuery, ops: opsString, Source: seed, Note: "The query string, without the question mark."},
		{Name: "http.request.full_uri", Type: TypeText, id: fieldFullURI, ops: opsString, NotEmpty: true, Source: documented,
			Note: "Scheme, host, path and query string."},
		{Name: "http.request.version", Type: TypeText, id: fieldVersion, ops: opsChoice, Source: seed,
			Values: []string{"HTTP/1.0", "HTTP/1.1", "HTTP/2.0", "HTTP/3.0"}},
		{Name: "http.request.scheme", Type: TypeText, id: fieldScheme, ops: 1 << opEq, Values: []string{"http", "https"}, Source: seed,
			Note: "Takes eq alone."},
		{Name: "http.request.body.mime", Type: TypeText, id: fieldMIME, ops: opsCompare, Usual: wafKinds, Source: seed,
			Note: "The media type of the body; depends on the plan."},
		{Name: "http.request.body.raw", Type: TypeText, id: fieldBody, ops: opsString, Usual: wafKinds, Source: documented,
			Note: "The body; depends on the plan."},
		{Name: "http.request.timestamp.sec", Type: TypeInteger, id: fieldSeconds, ops: opsCompare | opsSize, Only: KindLoadBalancer, Source: seed,
			Note: "The time of the request, in seconds since 1970."},
		{Name: "http.request.headers", Type: TypeMap, id: fieldHeaders, ops: opsString, Source: documented,
			Note: `A header by its name: http.request.headers["x-token"].`},
		{Name: "http.request.cookies", Type: TypeMap, id: fieldCookies, ops: opsString, Source: documented,
			Note: `A cookie by its name: http.request.cookies["session"].`},
		{Name: "http.request.uri.args", Type: TypeMap, id: fieldArgs, ops: opsString, Source: documented,
			Note: `An argument of the query string: http.request.uri.args["page"].`},
		{Name: "http.request.body.form", Type: TypeMap, id: fieldForm, ops: opsString, Usual: wafKinds, Source: documented,
			Note: `A value of a posted form: http.request.body.form["user"].`},
		{Name: "ip.src", Type: TypeAddress, id: fieldIP, ops: opsChoice, List: true, Source: documented,
			Note: "The client's address. Addresses and networks stand without quotes."},
		{Name: "ip.src.version", Type: TypeText, id: fieldIPVersion, ops: opsCompare, Values: []string{"IPv4", "IPv6"}, Source: seed},
		{Name: "ip.src.isp", Type: TypeText, id: fieldISP, ops: opsChoice, Source: seed, Note: "The client's internet provider."},
		{Name: "ip.src.subdivision_1_iso_code", Type: TypeText, id: fieldSubdivision, ops: opsChoice, Source: seed,
			Note: "The province or state, such as CN-ZJ."},
		{Name: "ip.src.region_code", Type: TypeText, id: fieldRegion, ops: opsChoice, Only: KindLoadBalancer, Source: documented,
			Note: "The region of the load balancer's node."},
		{Name: "ip.geoip.country", Type: TypeText, id: fieldCountry, ops: opsChoice, Source: documented, Note: "Two capital letters, such as CN."},
		{Name: "ip.geoip.continent", Type: TypeText, id: fieldContinent, ops: opsChoice, Source: seed,
			Values: []string{"AF", "AN", "AS", "EU", "NA", "OC", "SA"}},
		{Name: "ip.geoip.asnum", Type: TypeInteger, id: fieldASN, ops: opsNumber, List: true, Source: documented,
			Note: "The number of the client's network (AS), without quotes."},
		{Name: "ssl", Type: TypeBoolean, id: fieldSSL, ops: opsCompare, Source: seed, Note: "Whether the request came over TLS: ssl, not ssl."},
		{Name: "ali.ja3_hash", Type: TypeText, id: fieldAttribute, ops: opsChoice, Usual: wafKinds, MinPlan: PlanHigh, Source: seed},
		{Name: "ali.ja4", Type: TypeText, id: fieldAttribute, ops: opsChoice, Usual: wafKinds, MinPlan: PlanHigh, Source: seed},
		{Name: "ali.tls_hash", Type: TypeText, id: fieldAttribute, ops: opsChoice, Usual: wafKinds, MinPlan: PlanHigh, Source: seed},
		{Name: "ali.js_detection.passed", Type: TypeBoolean, id: fieldAttribute, ops: opsCompare, Usual: wafKinds, MinPlan: PlanHigh, Source: seed},
		{Name: "ali.static_resource", Type: TypeBoolean, id: fieldAttribute, ops: opsCompare, Usual: wafKinds, MinPlan: PlanHigh, Source: seed},
		{Name: "ali.tls_client_auth.cert_verified", Type: TypeBoolean, id: fieldAttribute, ops: opsCompare, Usual: wafKinds, MinPlan: PlanHigh, Source: seed},
	}
}

// meant finds the field that an unknown name evidently stands for, and else the
// nearest one, which may not be what was meant.
func meant(name string) (known *Field, evident bool) {
	low := strings.ToLower(name)
	if f := fieldNamed(low); f != nil {
		return f, true
	}
	if f := fieldNamed(otherName(low)); f != nil {
		return f, true
	}
	best, distance, twice := (*Field)(nil), 1<<30, false
	for _, f := range table().byName {
		d := editDistance(low, f.Name, min(distance, 6))
		switch {
		case d < distance:
			best, distance, twice = f, d, false
		case d == distance:
			twice = true
			if f.Name < best.Name {
				best = f
			}
		}
	}
	if best == nil || distance > max(2, len(low)/4) || 2*distance >= len(low) {
		return nil, false
	}
	return best, distance <= 2 && !twice && len(low) >= 6
}

// otherName maps names that other products use, and shortened ones.
func otherName(low string) string {
	low = strings.TrimPrefix(low, "$")
	switch low {
	case "host", "hostname", "http.request.host", "http.hostname", "request.host", "http.request.hostname", "req.host":
		return "http.host"
	case "uri", "http.uri", "request.uri", "http.request.url", "url":
		return "http.request.uri"
	case "path", "uri.path", "http.path", "http.request.path", "http.uri.path", "request.path", "request.uri.path", "http.request.uripath",
		"http.request.uri_path", "http.request.url.path", "raw.http.request.uri.path":
		return "http.request.uri.path"
	case "query", "http.query", "http.request.query", "uri.query", "http.request.query_string", "http.request.uri.query_string":
		return "http.request.uri.query"
	case "extension", "http.request.extension", "http.request.uri.extension", "http.request.uri.path.ext", "file_extension":
		return "http.request.uri.path.extension"
	case "http.request.uri.path.filename", "http.request.uri.file_name", "file_name":
		return "http.request.uri.path.file_name"
	case "http.request.uri.path.full_filename", "http.request.uri.full_file_name":
		return "http.request.uri.path.full_file_name"
	case "full_uri", "http.full_uri", "http.request.fulluri", "http.request.uri.full", "http.request.full_url":
		return "http.request.full_uri"
	case "method", "http.method", "request.method":
		return "http.request.method"
	case "scheme", "http.scheme", "request.scheme", "http.request.protocol":
		return "http.request.scheme"
	case "http.version", "version":
		return "http.request.version"
	case "user_agent", "useragent", "http.useragent", "http.request.user_agent", "http.request.headers.user_agent":
		return "http.user_agent"
	case "referer", "referrer", "http.referrer", "http.request.referer", "http.request.referrer":
		return "http.referer"
	case "cookie", "http.cookies.raw", "http.request.cookie":
		return "http.cookie"
	case "x_forwarded_for", "http.request.x_forwarded_for", "http.xff":
		return "http.x_forwarded_for"
	case "headers", "http.headers", "http.request.header", "request.headers":
		return "http.request.headers"
	case "cookies", "http.cookies":
		return "http.request.cookies"
	case "args", "http.args", "http.request.args", "uri.args", "http.request.uri.arg":
		return "http.request.uri.args"
	case "ip", "client_ip", "client.ip", "ip.addr", "ip.source", "src.ip", "remote_addr", "http.client_ip", "source.ip", "ip.client":
		return "ip.src"
	case "country", "ip.country", "geoip.country", "geo.country", "ip.src.country", "ip.geo.country", "ip.geoip.country_code", "http.country":
		return "ip.geoip.country"
	case "continent", "ip.continent", "ip.src.continent", "geoip.continent":
		return "ip.geoip.continent"
	case "asn", "asnum", "ip.asn", "ip.src.asnum", "ip.src.asn", "ip.geoip.asn", "geoip.asnum":
		return "ip.geoip.asnum"
	case "isp", "ip.isp", "ip.geoip.isp":
		return "ip.src.isp"
	case "ip.geoip.subdivision_1_iso_code", "ip.src.province", "ip.geoip.province":
		return "ip.src.subdivision_1_iso_code"
	case "ip.version":
		return "ip.src.version"
	case "tls", "https", "http.ssl", "is_https", "is_ssl":
		return "ssl"
	case "cf.bot_management.ja3_hash":
		return "ali.ja3_hash"
	case "cf.bot_management.ja4":
		return "ali.ja4"
	case "cf.bot_management.js_detection.passed":
		return "ali.js_detection.passed"
	}
	return ""
}

// editDistance counts the single-character changes between two short texts, up to
// a limit.
func editDistance(a, b string, limit int) int {
	if len(a)-len(b) > limit || len(b)-len(a) > limit || len(a) > 64 {
		return limit + 1
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := diagonal
			if a[i-1] != b[j-1] {
				change++
			}
			diagonal = row[j]
			row[j] = min(change, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(b)]
}
