package rule

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFix(t *testing.T) {
	for _, c := range []struct {
		text, want string
		ids        []string
	}{
		{`(http.host eq "a.com")`, `(http.host eq "a.com")`, nil},
		{`true`, `true`, nil},
		{`http.host eq "a.com"`, `(http.host eq "a.com")`, []string{"rule-parens"}},
		{`http.host eq "a.com" and ssl`, `(http.host eq "a.com" and ssl)`, []string{"rule-parens"}},
		{`(TRUE)`, `true`, []string{"rule-syntax"}},
		{`True`, `true`, []string{"rule-syntax"}},
		{`(true and ssl)`, `(ssl)`, []string{"rule-syntax"}},
		{`(ssl or true)`, `true`, []string{"rule-syntax"}},
		{`example.com/api/*`, `(http.host eq "example.com" and starts_with(http.request.uri.path, "/api/"))`, []string{"rule-syntax"}},
		{`(http.request.uri starts_with "/api")`, `(starts_with(http.request.uri, "/api"))`, []string{"rule-function-style"}},
		{`(http.host endsWith ".com")`, `(ends_with(http.host, ".com"))`, []string{"rule-function-style"}},
		{`(starts_with http.host "a")`, `(starts_with(http.host, "a"))`, []string{"rule-function-style"}},
		{`(http.cookie exists)`, `(exists(http.cookie))`, []string{"rule-function-style"}},
		{`(len http.cookie gt 3)`, `(len(http.cookie) gt 3)`, []string{"rule-function-style"}},
		{`(lower http.host eq "a.com")`, `(lower(http.host) eq "a.com")`, []string{"rule-function-style"}},
		{`(contains(http.host, "a"))`, `(http.host contains "a")`, []string{"rule-function-style"}},
		{`(starts_with(http.host "a"))`, `(starts_with(http.host, "a"))`, []string{"rule-syntax"}},
		{`(starts_with(http.host, "a", "b"))`, `(starts_with(http.host, "a") or starts_with(http.host, "b"))`, []string{"rule-syntax"}},
		{`(starts_with(http.host, "a") eq false)`, `(not starts_with(http.host, "a"))`, []string{"rule-syntax"}},
		{`(not http.host eq "a.com")`, `(http.host ne "a.com")`, []string{"rule-not-eq"}},
		{`(http.host not eq "a.com")`, `(http.host ne "a.com")`, []string{"rule-not-eq"}},
		{`(http.host not in {"a.com"})`, `(not http.host in {"a.com"})`, []string{"rule-not-in"}},
		{`(http.host not contains "a")`, `(not http.host contains "a")`, []string{"rule-not-in"}},
		{`(http.host not_in {"a.com" "b.com"})`, `(not http.host in {"a.com" "b.com"})`, []string{"rule-not-in"}},
		{`(http.host not starts_with "a")`, `(not starts_with(http.host, "a"))`, []string{"rule-not-in", "rule-function-style"}},
		{`(http.host in {"a.com", "b.com","c.com"})`, `(http.host in {"a.com" "b.com" "c.com"})`, []string{"rule-set-commas"}},
		{`(http.host in ("a.com" "b.com"))`, `(http.host in {"a.com" "b.com"})`, []string{"rule-syntax"}},
		{`(http.host in ["a.com", "b.com"])`, `(http.host in {"a.com" "b.com"})`, []string{"rule-syntax", "rule-set-commas"}},
		{`(http.host in "a.com")`, `(http.host in {"a.com"})`, []string{"rule-syntax"}},
		{`(http.host eq {"a.com" "b.com"})`, `(http.host in {"a.com" "b.com"})`, []string{"rule-syntax"}},
		{`(http.host ne {"a.com" "b.com"})`, `(not http.host in {"a.com" "b.com"})`, []string{"rule-syntax"}},
		{`(http.host eq "a.com" or "b.com")`, `(http.host eq "a.com" or http.host eq "b.com")`, []string{"rule-syntax"}},
		{`(ip.geoip.asnum eq "45104")`, `(ip.geoip.asnum eq 45104)`, []string{"rule-quotes"}},
		{`(ip.geoip.asnum in {"1" AS2})`, `(ip.geoip.asnum in {1 2})`, []string{"rule-quotes", "rule-quotes"}},
		{`(ip.src in {"10.0.0.0/8" 1.1.1.1})`, `(ip.src in {10.0.0.0/8 1.1.1.1})`, []string{"rule-quotes"}},
		{`(http.host eq a.com)`, `(http.host eq "a.com")`, []string{"rule-quotes"}},
		{`(http.host eq 'a.com')`, `(http.host eq "a.com")`, []string{"rule-quotes"}},
		{`(http.host eq “a.com”)`, `(http.host eq "a.com")`, []string{"rule-quotes"}},
		{`(http.host eq "a.com)`, `(http.host eq "a.com")`, []string{"rule-syntax"}},
		{`(starts_with(http.request.uri.path, /api/))`, `(starts_with(http.request.uri.path, "/api/"))`, []string{"rule-quotes"}},
		{`(http.request.headers[x-token] eq "1")`, `(http.request.headers["x-token"] eq "1")`, []string{"rule-syntax"}},
		{`(http.request.headers.x-token eq "1")`, `(http.request.headers["x-token"] eq "1")`, []string{"rule-field"}},
		{`(http.cookie["id"] eq "1")`, `(http.request.cookies["id"] eq "1")`, []string{"rule-field"}},
		{`(ssl eq "true")`, `(ssl eq true)`, []string{"rule-quotes"}},
		{`((http.host eq "a.com") and (ssl)`, `(http.host eq "a.com" and ssl)`, []string{"rule-syntax"}},
		{`(ssl))`, `(ssl)`, []string{"rule-syntax"}},
		{`(((ssl)))`, `(ssl)`, []string{"rule-depth"}},
		{`(((http.host eq "a" or http.host eq "b") and ssl) or http.request.method eq "GET")`,
			`(http.host eq "a" and ssl) or (http.host eq "b" and ssl) or (http.request.method eq "GET")`, []string{"rule-depth"}},
		{`(hots eq "a.com")`, `(hots eq "a.com")`, nil},
		{`(http.hots eq "a.com")`, `(http.host eq "a.com")`, []string{"rule-field"}},
		{`(HTTP.Host eq "a.com")`, `(http.host eq "a.com")`, []string{"rule-field"}},
		{`(http.host wildcard "*.a.com")`, `(ends_with(http.host, ".a.com"))`, []string{"rule-wildcard"}},
		{`(http.host wildcard "shop-*.a.com")`, `(starts_with(http.host, "shop-") and ends_with(http.host, ".a.com"))`, []string{"rule-wildcard"}},
		{`(http.request.uri.path strict wildcard r"/api/*")`, `(starts_with(http.request.uri.path, "/api/"))`, []string{"rule-wildcard", "rule-wildcard"}},
		{`(http.host = "a.com" && !ssl || http.host != "b.com")`, `(http.host eq "a.com" and not ssl) or (http.host ne "b.com")`,
			[]string{"rule-wildcard", "rule-wildcard", "rule-wildcard", "rule-wildcard", "rule-wildcard"}},
		{`(http.host eq "a.com" AND NOT ssl)`, `(http.host eq "a.com" and not ssl)`, []string{"rule-syntax", "rule-syntax"}},
		{`(http.request.uri ~ "^/api")`, `(http.request.uri matches "^/api")`, []string{"rule-wildcard"}},
		{`(ip.geoip.asnum >= 5)`, `(ip.geoip.asnum ge 5)`, []string{"rule-wildcard"}},
		{`(ip.src in_list "office")`, `(ip.src in $office)`, []string{"rule-in-list"}},
		{`(ip.src negate_in_list office)`, `(not ip.src in $office)`, []string{"rule-in-list"}},
		{`(ip.src eq $office)`, `(ip.src in $office)`, []string{"rule-syntax"}},
		{`(ip.src in {$office})`, `(ip.src in $office)`, []string{"rule-syntax"}},
		{`(http.request.uri eq "https://a.com/x")`, `(http.request.full_uri eq "https://a.com/x")`, []string{"rule-full-uri"}},
		{`(http.request.uri contains "test")`, `(http.request.uri contains "/test")`, []string{"rule-contains-slash"}},
		{`(http.request.scheme ne "https")`, `(http.request.scheme eq "http")`, []string{"rule-field"}},
		{`("a.com" eq http.host)`, `(http.host eq "a.com")`, []string{"rule-syntax"}},
		{`(http.host LIKE "%.a.com")`, `(ends_with(http.host, ".a.com"))`, []string{"rule-wildcard"}},
		{`(http.request.uri.path matches /^\/api/)`, `(http.request.uri.path matches "^/api")`, []string{"rule-quotes"}},
		{`(ip.src in "$office")`, `(ip.src in $office)`, []string{"rule-quotes"}},
		{`(not not ssl)`, `(ssl)`, []string{"rule-syntax"}},
		// Several at once.
		{`http.host not in {'a.com', 'b.com'} && http.request.uri starts_with /api || ip.src eq "1.1.1.1"`,
			`(not http.host in {"a.com" "b.com"} and starts_with(http.request.uri, "/api")) or (ip.src eq 1.1.1.1)`,
			[]string{"rule-parens", "rule-not-in", "rule-quotes", "rule-set-commas", "rule-quotes", "rule-wildcard",
				"rule-function-style", "rule-quotes", "rule-wildcard", "rule-quotes"}},
	} {
		fixed, changes, _ := Fix(c.text, Options{})
		var ids []string
		for _, d := range changes {
			ids = append(ids, d.ID)
		}
		require.Equal(t, c.want, fixed, "%s: %v", c.text, Check(c.text, Options{}).Diagnostics)
		require.Equal(t, c.ids, ids, c.text)
		again, changes, ok := Fix(fixed, Options{})
		require.Equal(t, fixed, again, c.text)
		if ok {
			require.Empty(t, changes, c.text)
		}
	}
}

func TestFixByKindAndPlan(t *testing.T) {
	for _, c := range []struct {
		text, want string
		o          Options
		ok         bool
	}{
		{`(http.host in {"a.com" "b.com"})`, `(http.host eq "a.com" or http.host eq "b.com")`, Options{Kind: KindHTTPS}, true},
		{`(not http.host in {"a.com" "b.com"})`, `(http.host ne "a.com" and http.host ne "b.com")`, Options{Kind: KindHTTPS}, true},
		{`(lower(http.host) eq "a.com")`, `(http.host eq "a.com")`, Options{Kind: KindHTTPS}, true},
		{`(http.host matches "^(www|blog)\\.a\\.com$")`, `(http.host matches "^(www|blog)\\.a\\.com$")`, Options{Plan: PlanBasic}, false},
		{`(http.host matches "^(www\.a\.com|blog\.a\.com)$")`, `(http.host in {"www.a.com" "blog.a.com"})`, Options{Plan: PlanBasic}, true},
		{`(http.request.uri matches "^/api/")`, `(starts_with(http.request.uri, "/api/"))`, Options{Plan: PlanBasic}, true},
		{`(http.request.uri matches "^/api/")`, `(http.request.uri matches "^/api/")`, Options{Plan: PlanEnterprise}, true},
		{`(http.host == "a.com")`, `(http.host eq "a.com")`, Options{Kind: KindRoute}, true},
	} {
		fixed, _, ok := Fix(c.text, c.o)
		require.Equal(t, c.want, fixed, c.text)
		require.Equal(t, c.ok, ok, c.text)
	}
}

// What has no evident correction is left alone, and said.
func TestHopeless(t *testing.T) {
	for text, want := range map[string]string{
		``:                                   "rule-syntax",
		`()`:                                 "rule-syntax",
		`(`:                                  "rule-syntax",
		`not`:                                "rule-syntax",
		`(http.host eq "a.com" and)`:         "rule-syntax",
		`(or ssl)`:                           "rule-syntax",
		`(http.host)`:                        "rule-syntax",
		`(http.host eq)`:                     "rule-syntax",
		`(http.host is_like "a")`:            "rule-syntax",
		`(http.host in {})`:                  "rule-syntax",
		`(http.host in my_list)`:             "rule-syntax",
		`(ssl) (http.host eq "a.com")`:       "rule-syntax",
		`(ssl http.host eq "a.com")`:         "rule-syntax",
		`"a.com"`:                            "rule-syntax",
		`(false)`:                            "rule-syntax",
		`(http.host matches "(")`:            "rule-syntax",
		`(any(http.request.headers["x"]))`:   "rule-wildcard",
		`(cf.client.bot)`:                    "rule-field",
		`(upper(http.host) eq "A")`:          "rule-wildcard",
		`(http.request.uri.path gt 3)`:       "rule-field",
		`(http.request.headers eq "x")`:      "rule-field",
		`(http.host["x"] eq "x")`:            "rule-field",
		`(ip.src eq 1.1.1.300)`:              "rule-field",
		`(ip.src in {10.0.0.0/33})`:          "rule-field",
		`(len(ip.src) gt 3)`:                 "rule-field",
		`(http.request.uri in $paths)`:       "rule-field",
		`(starts_with(http.cookie, "a"))`:    "rule-field",
		`(http.host contains "")`:            "rule-field",
		`(http.request.uri.path like "a*b")`: "rule-wildcard",
		`(http.host like "a_c")`:             "rule-wildcard",
		`(http.request.uri wildcard "/a/*")`: "rule-wildcard",
		`(http.host eq "a.com\")`:            "rule-syntax",
		`(http.request.uri eq $)`:            "rule-syntax",
		`(ip.src in {$})`:                    "rule-syntax",
		`(ip.src in_list "")`:                "rule-in-list",
		`(all)`:                              "rule-field",
		`(http.host <=> "a")`:                "rule-field",
	} {
		r := Check(text, Options{})
		require.False(t, r.Valid, text)
		require.Empty(t, r.Corrected, text)
		require.Nil(t, r.Expr, text)
		require.Equal(t, want, r.Errors()[0].ID, "%s: %v", text, r.Diagnostics)
		fixed, changes, ok := Fix(text, Options{})
		require.Equal(t, text, fixed)
		require.Empty(t, changes)
		require.False(t, ok)
	}
}
