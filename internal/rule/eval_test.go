package rule

import (
	"net/http"
	"net/netip"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func sampleRequest() *Request {
	return &Request{
		Method: "POST", URL: "https://WWW.Example.com:8443/api/v2/Photo.tar.GZ?page=2&q=a%20b&page=3",
		Header: http.Header{
			"Cookie":          {"session=abc; theme=dark"},
			"Referer":         {"https://Google.com/x"},
			"User-Agent":      {"Mozilla/5.0 bot"},
			"X-Forwarded-For": {"1.2.3.4"},
			"X-Token":         {"one", "two"},
			"Content-Type":    {"application/json; charset=utf-8"},
		},
		Form: url.Values{"user": {"admin"}}, ClientIP: netip.MustParseAddr("10.1.2.3"),
		Country: "CN", Continent: "AS", Region: "CN-ZJ", ISP: "China Telecom", ASN: 45104, HTTPVersion: "HTTP/2.0",
		Attributes: map[string]string{"ali.ja3_hash": "abcd", "ali.js_detection.passed": "true", "ip.src.region_code": "us-west-1"},
		Time:       time.Unix(1735019278, 0),
		Lists: map[string][]string{"office": {"10.0.0.0/8"}, "hosts": {"*.example.com"}, "asns": {"AS45104", "1"},
			"other": {"192.168.0.1"}},
	}
}

func TestEval(t *testing.T) {
	for expression, want := range map[string]bool{
		`true`:                                                               true,
		`(http.host eq "www.example.com")`:                                   true,
		`(http.host eq "WWW.EXAMPLE.COM")`:                                   true,
		`(http.host ne "www.example.com")`:                                   false,
		`(http.host in {"a.com" "www.example.com"})`:                         true,
		`(http.host in {"a.com" "b.com"})`:                                   false,
		`(not http.host in {"a.com" "b.com"})`:                               true,
		`(http.host contains "EXAMPLE")`:                                     true,
		`(ends_with(http.host, ".Example.com"))`:                             true,
		`(starts_with(http.host, "blog"))`:                                   false,
		`(http.host in $hosts)`:                                              true,
		`(http.host matches "^WWW\.example\.com$")`:                          true,
		`(http.host matches "^www\\.example\\.com$")`:                        true,
		`(http.request.uri matches "(?<!x)/api/v(\\d)")`:                     true,
		`(http.request.uri.path matches "([a-z])\1")`:                        false,
		`(http.request.uri eq "/api/v2/Photo.tar.GZ?page=2&q=a%20b&page=3")`: true,
		`(ends_with(http.request.uri, ".GZ"))`:                               false,
		`(ends_with(http.request.uri.path, ".GZ"))`:                          true,
		`(ends_with(http.request.uri.path, ".gz"))`:                          false,
		`(lower(http.request.uri.path) contains "/photo")`:                   true,
		`(http.request.uri.path.extension eq "GZ")`:                          true,
		`(http.request.uri.path.file_name eq "Photo.tar")`:                   true,
		`(http.request.uri.path.full_file_name eq "Photo.tar.GZ")`:           true,
		`(http.request.uri.query contains "page=2")`:                         true,
		`(http.request.full_uri eq "https://www.example.com/api/v2/Photo.tar.GZ?page=2&q=a%20b&page=3")`: true,
		`(http.request.uri.args["q"] eq "a b")`:                                                          true,
		`(http.request.uri.args["page"] eq "3")`:                                                         true,
		`(http.request.uri.args["page"] ne "3")`:                                                         false,
		`(http.request.uri.args["none"] ne "3")`:                                                         true,
		`(http.request.uri.args["none"] eq "")`:                                                          false,
		`(exists(http.request.uri.args["none"]))`:                                                        false,
		`(not exists(http.request.uri.args["page"]))`:                                                    false,
		`(http.request.headers["x-token"] eq "two")`:                                                     true,
		`(http.request.headers["X-TOKEN"] in {"one"})`:                                                   true,
		`(http.request.cookies["session"] eq "abc")`:                                                     true,
		`(http.request.cookies["SESSION"] eq "abc")`:                                                     false,
		`(len(http.request.cookies["session"]) eq 3)`:                                                    true,
		`(len(http.request.cookies["none"]) gt 0)`:                                                       false,
		`(len(http.request.uri.query) lt 5)`:                                                             false,
		`(len(http.request.cookies) ge 2)`:                                                               true,
		`(http.cookie contains "theme=dark")`:                                                            true,
		`(http.referer contains "google.COM")`:                                                           true,
		`(http.user_agent contains "bot")`:                                                               true,
		`(http.user_agent contains "Bot")`:                                                               false,
		`(http.x_forwarded_for eq "1.2.3.4")`:                                                            true,
		`(http.request.method in {"GET" "POST"})`:                                                        true,
		`(http.request.version eq "HTTP/2.0")`:                                                           true,
		`(http.request.scheme eq "https")`:                                                               true,
		`(http.request.body.mime eq "application/json")`:                                                 true,
		`(http.request.body.form["user"] eq "admin")`:                                                    true,
		`(http.request.timestamp.sec ge 1735019278)`:                                                     true,
		`(ip.src eq 10.1.2.3)`:                                                                           true,
		`(ip.src ne 10.1.2.3)`:                                                                           false,
		`(ip.src in {10.0.0.0/8 2001:db8::/32})`:                                                         true,
		`(not ip.src in {10.0.0.0/8})`:                                                                   false,
		`(ip.src in $office)`:                                                                            true,
		`(ip.src in $other)`:                                                                             false,
		`(ip.src.version eq "IPv4")`:                                                                     true,
		`(ip.src.isp eq "China Telecom")`:                                                                true,
		`(ip.src.subdivision_1_iso_code in {"CN-ZJ"})`:                                                   true,
		`(ip.src.region_code eq "us-west-1")`:                                                            true,
		`(ip.geoip.country in {"CN" "JP"})`:                                                              true,
		`(ip.geoip.continent eq "EU")`:                                                                   false,
		`(ip.geoip.asnum ge 45104 and ip.geoip.asnum lt 45105)`:                                          true,
		`(ip.geoip.asnum in {1 2})`:                                                                      false,
		`(ip.geoip.asnum in $asns)`:                                                                      true,
		`(ssl)`:                                                                                          true,
		`(not ssl)`:                                                                                      false,
		`(ssl eq true)`:                                                                                  true,
		`(ssl ne true)`:                                                                                  false,
		`(ali.ja3_hash eq "abcd")`:                                                                       true,
		`(ali.js_detection.passed)`:                                                                      true,
		`(ali.static_resource)`:                                                                          false,
		`(not ssl or ssl and http.request.method eq "POST")`:                                             true,
		`((not ssl or ssl) and http.request.method eq "GET")`:                                            false,
		`(not (ssl and http.request.method eq "GET"))`:                                                   true,
	} {
		e, err := Parse(expression)
		require.NoError(t, err, expression)
		is, trace, err := e.Eval(sampleRequest())
		require.NoError(t, err, expression)
		require.Equal(t, want, is, "%s: %+v", expression, trace)
		require.Equal(t, want, trace.Result, expression)
		require.Equal(t, want, e.Match(sampleRequest()), expression)
	}
}

func TestEvalEmptyRequest(t *testing.T) {
	for expression, want := range map[string]bool{
		`(http.host eq "a.com")`:             false,
		`(http.request.uri.path eq "/")`:     true,
		`(http.request.method eq "GET")`:     true,
		`(ssl)`:                              false,
		`(ip.src in {0.0.0.0/0 ::/0})`:       false,
		`(http.referer eq "")`:               true,
		`(exists(http.referer))`:             false,
		`(http.request.timestamp.sec gt 10)`: true,
		`(ip.src.version eq "IPv4")`:         false,
	} {
		e, err := Parse(expression)
		require.NoError(t, err, expression)
		require.Equal(t, want, e.Match(&Request{}), expression)
	}
	e, err := Parse(`(http.host eq "a.com")`)
	require.NoError(t, err)
	require.True(t, e.Match(&Request{Header: http.Header{"Host": {"A.com"}}}), "the Host header serves where the URL has none")
}

func TestTrace(t *testing.T) {
	e, err := Parse(`(http.host eq "www.example.com" and not ssl) or (ip.geoip.country in {"CN" "JP"}) or (http.request.method eq "GET")`)
	require.NoError(t, err)
	is, trace, err := e.Eval(sampleRequest())
	require.NoError(t, err)
	require.True(t, is)
	require.Len(t, trace.Terms, 4)
	require.Equal(t, TermTrace{Term: "not ssl", Field: "ssl", Value: "true", Present: true, Outcome: false}, trace.Terms[1])
	require.Equal(t, []TermTrace{{Term: `ip.geoip.country in {"CN" "JP"}`, Field: "ip.geoip.country", Value: "CN", Present: true, Outcome: true,
		Decisive: true}}, trace.Decisive())
}

func TestUndecided(t *testing.T) {
	e, err := Parse(`(not ip.src in $nobody)`)
	require.NoError(t, err)
	is, trace, err := e.Eval(sampleRequest())
	require.ErrorContains(t, err, "$nobody")
	require.False(t, is)
	require.Contains(t, trace.Terms[0].Note, "$nobody")
	require.False(t, e.Match(sampleRequest()))

	e, err = Parse(`(http.user_agent matches "^(a+)+$")`)
	require.NoError(t, err)
	r := &Request{Header: http.Header{"User-Agent": {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"}}}
	begin := time.Now()
	is, _, err = e.Eval(r)
	require.False(t, is)
	require.Error(t, err, "a regular expression that never ends is stopped")
	require.Less(t, time.Since(begin), time.Minute)
}

func TestParsePosition(t *testing.T) {
	_, err := Parse("(ssl and\n  http.hst == 'é' xor)")
	var syntax *SyntaxError
	require.ErrorAs(t, err, &syntax)
	require.Equal(t, Position{Offset: 11, Line: 2, Column: 3}, syntax.Diagnostic.Position)
	require.ErrorContains(t, err, "line 2, column 3")
}

func TestCompileCodes(t *testing.T) {
	for _, c := range []struct {
		text string
		o    Options
		code string
	}{
		{`(http.host matches "^a")`, Options{Plan: PlanBasic}, CodeRegexQuota},
		{`(http.host matches "(")`, Options{Plan: PlanBasic}, CodeCompile},
		{`(http.host matches "^a" and nosuch eq "a")`, Options{Plan: PlanBasic}, CodeCompile},
		{`(http.host matches "^a")`, Options{Plan: PlanEnterprise}, ""},
		{`(http.host matches "^a")`, Options{Plan: PlanMedium}, ""},
		{`(http.request.uri contains "test")`, Options{}, ""},
		{`(http.host = "a.com")`, Options{}, CodeCompile},
	} {
		e, err := Compile(c.text, c.o)
		if c.code == "" {
			require.NoError(t, err, c.text)
			require.NotNil(t, e)
			continue
		}
		var failed *CompileError
		require.ErrorAs(t, err, &failed, c.text)
		require.Equal(t, c.code, failed.Code, c.text)
	}
}
