package rule

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFromPattern(t *testing.T) {
	for pattern, want := range map[string]string{
		"example.com":               `(http.host eq "example.com")`,
		"example.com/*":             `(http.host eq "example.com")`,
		"https://Example.COM/":      `(http.host eq "example.com" and http.request.uri.path eq "/")`,
		"*.example.com/api/*":       `(ends_with(http.host, ".example.com") and starts_with(http.request.uri.path, "/api/"))`,
		"*example.com":              `(http.host eq "example.com" or ends_with(http.host, ".example.com"))`,
		"*example.com/a":            `((http.host eq "example.com" or ends_with(http.host, ".example.com")) and http.request.uri.path eq "/a")`,
		"example.com/a?b=1&c=2":     `(http.host eq "example.com" and http.request.uri.path eq "/a" and http.request.uri.query eq "b=1&c=2")`,
		"example.com?b":             `(http.host eq "example.com" and http.request.uri.path eq "/" and http.request.uri.query eq "b")`,
		"example.com/a?*":           `(http.host eq "example.com" and http.request.uri.path eq "/a")`,
		"example.com/img/*.jpg":     `(http.host eq "example.com" and starts_with(http.request.uri.path, "/img/") and ends_with(http.request.uri.path, ".jpg"))`,
		"example.com/*.jpg":         `(http.host eq "example.com" and ends_with(http.request.uri.path, ".jpg"))`,
		"/api/*":                    `(starts_with(http.request.uri.path, "/api/"))`,
		"*":                         `true`,
		"*/*":                       `true`,
		"*/x":                       `(http.request.uri.path eq "/x")`,
		`example.com/a"b\`:          `(http.host eq "example.com" and http.request.uri.path eq "/a\"b\\")`,
		"xn--fiqs8s.example.com/ü*": `(http.host eq "xn--fiqs8s.example.com" and starts_with(http.request.uri.path, "/ü"))`,
	} {
		got, _, err := FromPattern(pattern)
		require.NoError(t, err, pattern)
		require.Equal(t, want, got, pattern)
		require.True(t, Check(got, Options{}).Valid, got)
	}
	for _, pattern := range []string{"", "  ", "example.com:8080", "a*.example.com", "ftp://example.com", "localhost", "example.com/a*b*", "example.com/#x",
		"exa mple.com", "example.com/a?b=*"} {
		_, _, err := FromPattern(pattern)
		require.Error(t, err, pattern)
	}
}

func TestBuild(t *testing.T) {
	yes, no := true, false
	for _, c := range []struct {
		c    Conditions
		want string
	}{
		{Conditions{}, `true`},
		{Conditions{Hosts: []string{"A.com"}}, `(http.host eq "a.com")`},
		{Conditions{Hosts: []string{"a.com", "b.com"}}, `(http.host in {"a.com" "b.com"})`},
		{Conditions{Hosts: []string{"*a.com"}, TLS: &no}, `(http.host eq "a.com" or ends_with(http.host, ".a.com")) and (not ssl)`},
		{Conditions{Hosts: []string{"a.com"}, Paths: []string{"/api/*", "/x"}, TLS: &yes},
			`(http.host eq "a.com") and (http.request.uri.path eq "/x" or starts_with(http.request.uri.path, "/api/")) and (ssl)`},
		{Conditions{Extensions: []string{".jpg", "png"}}, `(http.request.uri.path.extension in {"jpg" "png"})`},
		{Conditions{Countries: []string{"cn", "JP"}, Methods: []string{"get"}}, `(ip.geoip.country in {"CN" "JP"} and http.request.method eq "GET")`},
		{Conditions{IPs: []string{"10.0.0.0/8", "$office"}}, `(ip.src in {10.0.0.0/8} or ip.src in $office)`},
		{Conditions{IPs: []string{"1.1.1.1"}, ASNs: []int64{1, 2}}, `(ip.src eq 1.1.1.1 and ip.geoip.asnum in {1 2})`},
		{Conditions{Headers: map[string]string{"x-a": "*", "x-b": "v*"}, Cookies: map[string]string{"s": `a"b`}, Args: map[string]string{"q": "*z*"}},
			`(exists(http.request.headers["x-a"]) and starts_with(http.request.headers["x-b"], "v") and http.request.cookies["s"] eq "a\"b" and http.request.uri.args["q"] contains "z")`},
		{Conditions{Patterns: []string{"a.com/x", "b.com"}}, `(http.host eq "a.com" and http.request.uri.path eq "/x") or (http.host eq "b.com")`},
		{Conditions{Hosts: []string{"a.com"}, None: []Conditions{{Paths: []string{"/admin/*"}}, {Countries: []string{"CN"}}}},
			`(http.host eq "a.com" and not starts_with(http.request.uri.path, "/admin/") and ip.geoip.country ne "CN")`},
		{Conditions{Any: []Conditions{{Hosts: []string{"a.com"}, Paths: []string{"/x", "/y*"}}, {TLS: &yes}}},
			`(http.host eq "a.com" and http.request.uri.path eq "/x") or (http.host eq "a.com" and starts_with(http.request.uri.path, "/y")) or (ssl)`},
	} {
		got, err := Build(c.c)
		require.NoError(t, err)
		require.Equal(t, c.want, got)
		r := Check(got, Options{})
		require.True(t, r.Valid, got)
		require.Empty(t, r.Diagnostics, got)
	}
	for want, c := range map[string]Conditions{
		"hosts":     {Hosts: []string{"a.com/x"}},
		"paths":     {Paths: []string{"x"}},
		"ips":       {IPs: []string{"1.1.1"}},
		"methods":   {Methods: []string{"BREW"}},
		"countries": {Countries: []string{"China"}},
		"any[0]":    {Any: []Conditions{{}}},
		"x-a":       {Headers: map[string]string{"x-a": "a*b"}},
	} {
		_, err := Build(c)
		require.ErrorContains(t, err, want)
	}
}

func TestDescribe(t *testing.T) {
	for expression, want := range map[string]string{
		`true`:                               "Matches every request.",
		`(http.host eq "a.com" and not ssl)`: `Matches requests where the host is "a.com" and the request is not over TLS.`,
		`(http.host in {"a.com" "b.com"}) or (not starts_with(http.request.uri.path, "/api/") and ip.geoip.asnum ge 5)`: `Matches requests where (the host is one of "a.com", "b.com") or (the path does not begin with "/api/" and the client's AS number is at least 5).`,
		`(not exists(http.request.headers["x-a"]) and len(http.cookie) gt 3)`:                                           `Matches requests where the header "x-a" is missing and the length of the Cookie header is more than 3.`,
		`(not (ssl and ip.src in $office))`: "Matches requests where it is not so that (the request is over TLS and the client IP is in the list office).",
		`(http.referer ne "")`:              "Matches requests where the referer is not empty.",
		`(ssl eq false)`:                    "Matches requests where the request is not over TLS.",
	} {
		e, err := Parse(expression)
		require.NoError(t, err, expression)
		require.Equal(t, want, Describe(e))
	}
}

func TestValues(t *testing.T) {
	r := sampleRequest()
	for text, want := range map[string]string{
		`"plain"`:                                                "plain",
		`concat("String1"," ","String",2)`:                       "String1 String2",
		`concat("/archive",http.request.uri.path)`:               "/archive/api/v2/Photo.tar.GZ",
		`lower(http.request.uri.path)`:                           "/api/v2/photo.tar.gz",
		`ip.geoip.country`:                                       "CN",
		`ip.geoip.asnum`:                                         "45104",
		`http.request.headers["x-token"]`:                        "one",
		`http.request.uri.args["none"]`:                          "",
		`len(http.host)`:                                         "15",
		`regex_replace("/animal/cat","/cat$","/dog")`:            "/animal/dog",
		`regex_replace("/x","^/y$","/z")`:                        "/x",
		`regex_replace("/cat","^/CAT$","/dog")`:                  "/cat",
		`regex_replace("/a/a","/a","/b")`:                        "/b/a",
		`regex_replace("/b","^/b$","/b$$")`:                      "/b$",
		`regex_replace("/é/2024","^/(.+)/(\\d+)$","/${2}/${1}")`: "/2024/é",
		`concat("https://b.com", regex_replace(http.request.uri.path, "^/api", ""))`: "https://b.com/v2/Photo.tar.GZ",
	} {
		got, err := EvalValue(text, r)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
		require.NoError(t, CheckValue(text))
	}
	for _, text := range []string{"", `concat("a`, `concat()`, `concat("a" "b")`, `"a" "b"`, `substring(http.host, 1)`, `nosuch.field`, `lower("a", "b")`,
		`regex_replace(http.host, "(", "b")`, `regex_replace(http.host, http.host, "b")`, `http.request.headers`, `)`,
		`regex_replace("a", "a", "${1}${1}${1}${1}${1}${1}${1}${1}${1}")`} {
		require.Error(t, CheckValue(text), text)
	}
}
