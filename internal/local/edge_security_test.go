package local

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// security makes a security rule and returns its id.
func (b *shop) security(phase string, config map[string]any) int64 {
	b.t.Helper()
	if config["Name"] == nil {
		config["Name"] = "test"
	}
	return id64(b.t, b.call("CreateWafRule", map[string]any{"Phase": phase, "Config": config}), "Id")
}

func TestEdgeSecurityRules(t *testing.T) {
	b := newShop(t, Options{})
	b.record("www.shop.example", b.origin(echo))
	must(t, b.info, "CreateList", map[string]any{"Name": "bad", "Kind": "ip", "Items": []string{"198.51.100.0/24"}})
	page := must(t, b.info, "CreatePage", map[string]any{"Name": "no", "ContentType": "text/html", "Content": "PGgxPm5vPC9oMT4="})["Id"]
	deny := b.security("http_custom", map[string]any{"Action": "deny", "Expression": `(ip.src in $bad)`, "Name": "bad ones"})
	b.security("http_custom", map[string]any{"Action": "deny", "Expression": path("/page"),
		"Actions": map[string]any{"Response": map[string]any{"Code": 451, "Id": page}}})
	monitor := b.security("http_custom", map[string]any{"Action": "monitor", "Expression": path("/watched")})
	white := b.security("http_whitelist", map[string]any{"Expression": `(http.user_agent eq "friend")`,
		"Actions": map[string]any{"Bypass": map[string]any{"Skip": "all"}}})
	b.security("ip_access_rule", map[string]any{"Action": "deny", "Type": "ip", "Value": "203.0.113.0/24"})
	b.security("ip_access_rule", map[string]any{"Action": "deny", "Type": "asn", "Value": "64500"})

	bad := []string{"X-Esa-Client-Ip", "198.51.100.9"}
	got := b.get("http://www.shop.example/", bad...)
	require.Equal(t, 403, got.status)
	require.Contains(t, got.body, `"bad ones"`)
	require.Equal(t, fmt.Sprint("waf deny ", deny), got.rules())
	got = b.get("http://www.shop.example/", append(bad, "User-Agent", "friend")...)
	require.Equal(t, 200, got.status)
	require.Equal(t, fmt.Sprint("waf whitelist ", white), got.rules())
	require.Equal(t, 200, b.get("http://www.shop.example/", "X-Esa-Client-Ip", "192.0.2.1").status)
	require.Equal(t, 403, b.get("http://www.shop.example/", "X-Esa-Client-Ip", "203.0.113.200").status)
	require.Equal(t, 403, b.get("http://www.shop.example/", "X-Esa-Client-Asn", "64500").status)
	got = b.get("http://www.shop.example/page")
	require.Equal(t, 451, got.status)
	require.Equal(t, "<h1>no</h1>", got.body)
	got = b.get("http://www.shop.example/watched")
	require.Equal(t, 200, got.status)
	require.Equal(t, fmt.Sprint("waf monitor ", monitor), got.rules())
}

func TestEdgeChecksBrowsers(t *testing.T) {
	b := newShop(t, Options{})
	b.record("www.shop.example", b.origin(echo))
	b.security("http_custom", map[string]any{"Action": "js", "Expression": path("/js")})
	got := b.get("http://www.shop.example/js")
	require.Equal(t, 403, got.status)
	require.Contains(t, got.body, "<script>")
	_, rest, ok := strings.Cut(got.body, `document.cookie = "`)
	require.True(t, ok)
	cookie, _, _ := strings.Cut(rest, ";")
	require.Equal(t, 200, b.get("http://www.shop.example/js", "Cookie", cookie).status)
	require.Equal(t, 403, b.get("http://www.shop.example/js", "Cookie", cookie, "User-Agent", "another").status)
}

func TestEdgeLimitsRates(t *testing.T) {
	now := newClock()
	b := newShop(t, Options{Now: now.time})
	b.record("www.shop.example", b.origin(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/missing" {
			w.WriteHeader(404)
		}
	}))
	limit := func(threshold map[string]any) map[string]any {
		return map[string]any{"Interval": 10, "TTL": 30, "Threshold": threshold,
			"Characteristics": map[string]any{"Logic": "and", "Criteria": []any{map[string]any{"MatchType": "ip.src"}}}}
	}
	b.security("http_ratelimit", map[string]any{"Action": "deny", "Expression": path("/api"), "RateLimit": limit(map[string]any{"Request": 3})})
	b.security("http_ratelimit", map[string]any{"Action": "deny", "Expression": path("/missing"),
		"RateLimit": limit(map[string]any{"ResponseStatus": map[string]any{"Code": 404, "Count": 2}})})
	from := func(ip, path string) int { return b.get("http://www.shop.example"+path, "X-Esa-Client-Ip", ip).status }
	for i, want := range []int{200, 200, 200, 403, 403} {
		require.Equal(t, want, from("192.0.2.1", "/api"), i)
	}
	require.Equal(t, 200, from("192.0.2.2", "/api"), "another visitor has a counter of his own")
	now.advance(29 * time.Second)
	require.Equal(t, 403, from("192.0.2.1", "/api"))
	now.advance(time.Second)
	require.Equal(t, 200, from("192.0.2.1", "/api"))
	for i, want := range []int{404, 404, 404, 403} {
		require.Equal(t, want, from("192.0.2.1", "/missing"), i)
	}
}

func TestEdgeCustomResponses(t *testing.T) {
	b := newShop(t, Options{})
	b.record("www.shop.example", b.origin(echo))
	page := must(t, b.info, "CreatePage", map[string]any{"Name": "soon", "ContentType": "application/json", "Content": "e30="})["Id"]
	id := b.rule("CustomResponseCodeRule", path("/soon"), map[string]any{"PageId": fmt.Sprint(page), "ReturnCode": "503"})
	got := b.get("http://www.shop.example/soon")
	require.Equal(t, 503, got.status)
	require.Equal(t, "{}", got.body)
	require.Equal(t, "application/json; charset=utf-8", got.header.Get("Content-Type"))
	require.Equal(t, fmt.Sprint("response ", id), got.rules())
}
