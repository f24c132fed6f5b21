package main

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/tools"
)

// Whatever simulate_request says, the local edge does: configurations that apply,
// in their order, status, address, cache and origin.
func TestSimulatedIsDone(t *testing.T) {
	t.Parallel()
	h := newHosting(t, "NS")
	callOK[tools.DeployOutput](t, h.s, "deploy_routine", arguments{"name": "page", "code": functionCode})
	h.record("www.shop.example", true)
	h.record("*.wild.shop.example", true)
	h.record("plain.shop.example", false)
	on := func(path string) string { return `(http.request.uri.path eq "` + path + `")` }
	starts := func(path string) string { return `(starts_with(http.request.uri.path, "` + path + `"))` }

	h.rule("CacheRule", "", arguments{"EdgeCacheMode": "follow_origin", "BrowserCacheMode": "no_cache"})
	h.rule("CacheRule", starts("/kept"), arguments{"EdgeCacheMode": "override_origin", "EdgeCacheTtl": "60"})
	h.rule("CacheRule", on("/kept/longer"), arguments{"EdgeCacheMode": "override_origin", "EdgeCacheTtl": "600"})
	h.rule("CacheRule", on("/never"), arguments{"EdgeCacheMode": "no_cache"})
	h.rule("OriginRule", starts("/"), arguments{"OriginScheme": "http", "OriginHttpPort": h.port()})
	h.rule("OriginRule", on("/other-host"), arguments{"OriginHost": "inner.example"})
	h.rule("OriginRule", on("/nowhere"), arguments{"DnsRecord": "203.0.113.9"})
	h.rule("RedirectRule", on("/old"), arguments{"Type": "static", "TargetUrl": "https://new.example/x?a=1", "StatusCode": "308", "ReserveQueryString": "on"})
	h.rule("RedirectRule", on("/old"), arguments{"Type": "static", "TargetUrl": "https://second.example/", "StatusCode": "301", "ReserveQueryString": "off"})
	h.rule("RedirectRule", starts("/dyn/"), arguments{"Type": "dynamic", "TargetUrl": `concat("https://d.example", http.request.uri.path)`, "StatusCode": "302", "ReserveQueryString": "off"})
	h.rule("RewriteUrlRule", on("/rewritten"), arguments{"RewriteUriType": "static", "Uri": "/inner", "RewriteQueryStringType": "static", "QueryString": "q=1"})
	h.rule("HttpRequestHeaderModificationRule", starts("/"), change("Request", "modify", "X-A", "1"))
	h.rule("HttpResponseHeaderModificationRule", starts("/"), change("Response", "modify", "X-B", "1"))
	h.rule("HttpResponseHeaderModificationRule", on("/kept/longer"), change("Response", "del", "X-B", ""))
	h.rule("ImageTransform", starts("/a."), arguments{"Enable": "on"})
	h.rule("CompressionRule", "", arguments{"Gzip": "on"})
	h.rule("HttpsApplicationConfiguration", `(http.host eq "safe.wild.shop.example")`, arguments{"HttpsForce": "on", "HttpsForceCode": "307"})
	h.rule("CustomResponseCodeRule", on("/gone"), arguments{"ReturnCode": "410", "PageId": "0"})
	h.call("CreateRoutineRoute", "", arguments{"RoutineName": "page", "RouteName": "no", "Rule": on("/fn/not"), "RouteEnable": "on", "Bypass": "on"})
	h.call("CreateRoutineRoute", "", arguments{"RoutineName": "page", "RouteName": "fn", "Rule": starts("/fn"), "RouteEnable": "on"})
	h.call("CreateRoutineRoute", "", arguments{"RoutineName": "page", "RouteName": "off", "Rule": starts("/off"), "RouteEnable": "off"})

	for _, c := range []struct {
		name, method, url string
		header            map[string]string
		answers, cache    string
	}{
		{name: "default only", url: "http://www.shop.example/", answers: "origin", cache: "DYNAMIC"},
		{name: "static file", url: "http://www.shop.example/a.png", answers: "origin", cache: "MISS"},
		{name: "further port", url: "http://www.shop.example:8880/b.png", answers: "origin", cache: "DYNAMIC"},
		{name: "cache rule", url: "http://www.shop.example/kept/x", answers: "origin", cache: "MISS"},
		{name: "later cache rule", url: "http://www.shop.example/kept/longer", answers: "origin", cache: "MISS"},
		{name: "post", method: "POST", url: "http://www.shop.example/kept/x", answers: "origin", cache: "DYNAMIC"},
		{name: "not cached", url: "http://www.shop.example/never", answers: "origin", cache: "BYPASS"},
		{name: "origin host", url: "http://www.shop.example/other-host", answers: "origin", cache: "DYNAMIC"},
		{name: "no destination", url: "http://www.shop.example/nowhere", answers: "origin", cache: "DYNAMIC"},
		{name: "redirect", url: "http://www.shop.example/old?b=2", answers: "redirect"},
		{name: "dynamic redirect", url: "http://www.shop.example/dyn/y", answers: "redirect"},
		{name: "rewrite", url: "http://www.shop.example/rewritten?z=2", answers: "origin", cache: "DYNAMIC"},
		{name: "https", url: "http://safe.wild.shop.example/safe?x", answers: "https"},
		{name: "custom response", url: "http://www.shop.example/gone", answers: "custom_response"},
		{name: "routine", url: "http://www.shop.example/fn/", answers: "route"},
		{name: "bypassed routine", url: "http://www.shop.example/fn/not", answers: "origin", cache: "DYNAMIC"},
		{name: "route that is off", url: "http://www.shop.example/off", answers: "origin", cache: "DYNAMIC"},
		{name: "wildcard record", url: "http://a.wild.shop.example/", answers: "origin", cache: "DYNAMIC"},
		{name: "no record", url: "http://none.shop.example/", answers: "site"},
		{name: "not proxied", url: "http://plain.shop.example/", answers: "site"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.method == "" {
				c.method = http.MethodGet
			}
			out := h.simulate(arguments{"url": c.url, "method": c.method})
			res := h.visit(c.method, c.url, c.header)
			require.Equal(t, c.answers, out.Answers, out.Verdict)
			require.Equal(t, doneBy(res), verdictOf(out), "%+v", out.Rules)
			if out.Status != 0 {
				require.Equal(t, res.StatusCode, out.Status, out.Verdict)
			} else {
				require.Equal(t, 200, res.StatusCode)
			}
			require.Equal(t, res.Header.Get("Location"), out.Location)
			require.True(t, strings.HasPrefix(out.Cache, c.cache), out.Cache)
			if c.answers != "origin" {
				require.Nil(t, out.Origin)
				return
			}
			require.Equal(t, res.Header.Get("X-Site-Cache-Status"), c.cache)
			if out.Status == 0 {
				require.Equal(t, res.Header.Get("X-Origin-Host"), out.Origin.Host)
				require.True(t, strings.HasSuffix(out.Origin.URL, ":"+h.port()+res.Header.Get("X-Origin-Uri")), out.Origin.URL)
			}
		})
	}
}

// Of several configurations it says which wins and which does not, and why.
func TestSimulationNamesTheWinner(t *testing.T) {
	t.Parallel()
	h := newHosting(t, "NS")
	callOK[tools.DeployOutput](t, h.s, "deploy_routine", arguments{"name": "fn", "code": functionCode})
	h.record("www.shop.example", true)
	all := `(http.host eq "www.shop.example")`
	global := h.rule("CacheRule", "", arguments{"EdgeCacheMode": "override_origin", "EdgeCacheTtl": "5"})
	first := h.rule("CacheRule", all, arguments{"EdgeCacheMode": "override_origin", "EdgeCacheTtl": "60", "ServeStale": "on"})
	second := h.rule("CacheRule", all, arguments{"EdgeCacheMode": "override_origin", "EdgeCacheTtl": "600"})
	other := h.rule("CacheRule", `(http.host eq "www.shop.example" and http.request.method eq "PUT")`, arguments{"EdgeCacheMode": "no_cache"})
	out := h.simulate(arguments{"url": "https://www.shop.example/"})
	require.Equal(t, "MISS, then HIT: kept 600 s", out.Cache)
	require.Equal(t, []tools.SimulatedRule{
		{Kind: "cache", ID: tools.ID(global), Outcome: "overridden", By: "cache " + second},
		{Kind: "cache", ID: tools.ID(first), Name: "of a test", Rule: all, Outcome: "applies", By: "cache " + second, Does: "serve_stale=on"},
		{Kind: "cache", ID: tools.ID(second), Name: "of a test", Rule: all, Outcome: "applies", Does: "edge_cache_mode=override_origin edge_cache_ttl=600"},
	}, out.Rules)
	require.Equal(t, []tools.MissedRule{{Kind: "cache", ID: tools.ID(other), Name: "of a test", Why: `http.request.method eq "PUT": no, it is "GET"`}}, out.Missed)

	h.call("CreateRoutineRoute", "", arguments{"RoutineName": "fn", "RouteName": "fn", "Rule": all, "RouteEnable": "on"})
	out = h.simulate(arguments{"url": "https://www.shop.example/"})
	require.Equal(t, "route", out.Answers)
	require.Equal(t, "the routine fn answers", out.Verdict)
	for _, r := range out.Rules[1:] {
		require.Equal(t, tools.RuleNotReached, r.Outcome)
		require.Equal(t, "route "+string(out.Rules[0].ID), r.By)
	}

	list := callOK[tools.ListOutput](t, h.s, "create_list", arguments{"name": "bad", "kind": "ip", "items": []string{"198.51.100.0/24"}})
	require.NotEmpty(t, list.ID)
	callOK[tools.CreateWafRulesOutput](t, h.s, "create_waf_rules", arguments{"site_id": h.site, "phase": "http_custom",
		"rules": []arguments{{"name": "no", "expression": "(ip.src in $bad)", "action": "deny"}}})
	address := "http://www.shop.example/"
	for ip, status := range map[string]int{"198.51.100.7": 403, "203.0.113.7": 0} {
		out = h.simulate(arguments{"url": address, "client_ip": ip})
		require.Equal(t, status, out.Status, "%+v", out)
		res := h.visit(http.MethodGet, address, map[string]string{"X-Esa-Client-Ip": ip})
		require.Equal(t, doneBy(res), verdictOf(out))
	}

	require.Contains(t, h.s.refuse(t, "simulate_request", arguments{"url": "www.shop.example"}), "url is")
	require.Contains(t, h.s.refuse(t, "simulate_request", arguments{"url": "ftp://www.shop.example/"}), "http://")
	require.Contains(t, h.s.refuse(t, "simulate_request", arguments{"url": "http://other.example/"}), "list_sites")
	require.Contains(t, h.s.refuse(t, "simulate_request", arguments{"url": "http://www.shop.example/", "client_ip": "x"}), "client_ip")
}

// Security rules let past, refuse, check and count as the local edge has them.
func TestSimulatedSecurityIsDone(t *testing.T) {
	t.Parallel()
	h := newHosting(t, "NS")
	h.record("www.shop.example", true)
	on := func(path string) string { return `(http.request.uri.path eq "` + path + `")` }
	add := func(phase string, rules ...arguments) {
		callOK[tools.CreateWafRulesOutput](t, h.s, "create_waf_rules", arguments{"site_id": h.site, "phase": phase, "rules": rules})
	}
	add("http_whitelist", arguments{"name": "past all", "expression": on("/past"), "config": arguments{"Actions": arguments{"Bypass": arguments{"Skip": "all"}}}},
		arguments{"name": "past a phase", "expression": on("/phase"), "config": arguments{"Actions": arguments{"Bypass": arguments{"Skip": "part", "Tags": []string{"http_custom"}}}}})
	add("ip_access_rule", arguments{"name": "ip", "action": "deny", "config": arguments{"Type": "ip", "Value": "198.51.100.0/24"}},
		arguments{"name": "country", "action": "deny", "config": arguments{"Type": "country", "Value": "FR"}})
	add("http_custom", arguments{"name": "watch", "expression": `(starts_with(http.request.uri.path, "/"))`, "action": "monitor"},
		arguments{"name": "no", "expression": `(http.request.uri.path in {"/no" "/past" "/phase"})`, "action": "deny"},
		arguments{"name": "check", "expression": on("/check"), "action": "js"},
		arguments{"name": "off", "expression": on("/"), "action": "deny", "status": "off"},
		arguments{"name": "coded", "expression": on("/coded"), "action": "deny", "config": arguments{"Actions": arguments{"Response": arguments{"Code": 429, "Id": 0}}}})
	for _, c := range []struct {
		path, ip, country string
		status            int
	}{
		{"/", "203.0.113.7", "CN", 0}, {"/past", "203.0.113.7", "", 0}, {"/phase", "203.0.113.7", "", 0}, {"/no", "203.0.113.7", "", 403}, {"/coded", "203.0.113.7", "", 429},
		{"/check", "203.0.113.7", "", 403}, {"/", "198.51.100.9", "", 403}, {"/", "203.0.113.7", "FR", 403}, {"/past", "198.51.100.9", "", 0},
	} {
		address := "http://www.shop.example" + c.path
		out := h.simulate(arguments{"url": address, "client_ip": c.ip, "country": c.country})
		res := h.visit(http.MethodGet, address, map[string]string{"X-Esa-Client-Ip": c.ip, "X-Esa-Client-Country": c.country})
		require.Equal(t, doneBy(res), verdictOf(out), "%s: %+v", c.path, out.Rules)
		require.Equal(t, c.status, out.Status, c.path)
		if c.status != 0 {
			require.Equal(t, c.status, res.StatusCode)
		}
	}
}

// The sequence decides, not the age of a rule.
func TestSimulationGoesBySequence(t *testing.T) {
	t.Parallel()
	h := newHosting(t, "NS")
	h.record("www.shop.example", true)
	all := `(http.host eq "www.shop.example")`
	to := func(target string) arguments {
		return arguments{"Type": "static", "TargetUrl": target, "StatusCode": "302", "ReserveQueryString": "off"}
	}
	older := h.rule("RedirectRule", all, to("https://older.example/"))
	newer := h.rule("RedirectRule", all, to("https://newer.example/"))
	h.call("UpdateRedirectRule", "", arguments{"ConfigId": newer, "Sequence": 1})
	h.call("UpdateRedirectRule", "", arguments{"ConfigId": older, "Sequence": 2})
	out := h.simulate(arguments{"url": "http://www.shop.example/"})
	res := h.visit(http.MethodGet, "http://www.shop.example/", nil)
	require.Equal(t, "https://newer.example/", out.Location)
	require.Equal(t, res.Header.Get("Location"), out.Location)
	require.Equal(t, doneBy(res), verdictOf(out))
	require.Equal(t, tools.RuleShadowed, out.Rules[1].Outcome)
	require.Equal(t, "redirect "+newer, out.Rules[1].By)

	// A related record leads to a routine without any route.
	callOK[tools.DeployOutput](t, h.s, "deploy_routine", arguments{"name": "fn", "code": functionCode})
	callOK[tools.RelatedRecordOutput](t, h.s, "create_related_record", arguments{"routine": "fn", "record": "app.shop.example"})
	require.Equal(t, "route", h.simulate(arguments{"url": "http://app.shop.example/"}).Answers)
	require.Equal(t, 200, h.visit(http.MethodGet, "http://app.shop.example/", nil).StatusCode)
}

// Waiting rooms hold, reject and let past as the local edge has it; who has to
// wait in a queue is said to depend.
func TestSimulatedWaitingRooms(t *testing.T) {
	h := newHosting(t, "NS")
	h.record("www.shop.example", true)
	callOK[tools.DeployOutput](t, h.s, "deploy_routine", arguments{"name": "fn", "code": functionCode})
	h.call("CreateRoutineRoute", "", arguments{"RoutineName": "fn", "RouteName": "fn", "Rule": `(http.request.uri.path eq "/fn")`, "RouteEnable": "on"})
	rooms := map[string]string{}
	for path, more := range map[string]arguments{
		"/queue": nil, "/free": {"QueuingMethod": "passthrough"}, "/shut": {"QueuingMethod": "reject-all"},
		"/held": {"QueueAllEnable": "on"}, "/fn": {"QueuingMethod": "reject-all"}, "/off": {"QueuingMethod": "reject-all", "Enable": "off"},
		"/shut.css": {"QueuingMethod": "reject-all"}, "/event": {"QueuingMethod": "passthrough"},
	} {
		rooms[path] = h.waitingRoom(path, more)
	}
	h.call("CreateWaitingRoomRule", "", arguments{"WaitingRoomId": rooms["/held"], "RuleName": "friends", "RuleEnable": "on", "Rule": `(http.user_agent eq "friend")`})
	now := time.Now().Unix()
	h.call("CreateWaitingRoomEvent", "", arguments{"WaitingRoomId": rooms["/event"], "Name": "e", "Enable": "on", "TotalActiveUsers": "5", "NewUsersPerMinute": "5",
		"SessionDuration": "5", "QueuingMethod": "reject-all", "QueuingStatusCode": "202", "WaitingRoomType": "default",
		"StartTime": fmt.Sprint(now - 60), "EndTime": fmt.Sprint(now + 3600)})
	for _, c := range []struct {
		path, agent, answers, depends string
		status                        int
	}{
		{path: "/queue", answers: "origin", depends: "fifo queue beyond 5 users or 5 new per minute"},
		{path: "/free", answers: "origin"}, {path: "/off", answers: "origin"},
		{path: "/shut", answers: "waiting_room", status: 429}, {path: "/held", answers: "waiting_room", status: 429},
		{path: "/held", agent: "friend", answers: "origin"}, {path: "/fn", answers: "waiting_room", status: 429},
		{path: "/shut.css", answers: "origin", depends: "rejects everybody, unless the cache answers"},
		{path: "/event", answers: "waiting_room", status: 202},
	} {
		address, headers := "http://www.shop.example"+c.path, map[string]string{"User-Agent": c.agent}
		out := h.simulate(arguments{"url": address, "headers": headers})
		res := h.visit(http.MethodGet, address, headers)
		require.Equal(t, c.answers, out.Answers, c.path)
		require.Equal(t, c.status, out.Status, c.path)
		said := verdictOf(out)
		if c.depends != "" {
			i := slices.IndexFunc(out.Rules, func(r tools.SimulatedRule) bool { return r.Outcome == tools.RuleDepends })
			require.Equal(t, c.depends, out.Rules[i].Does)
			require.Contains(t, out.Verdict, "a waiting room may hold the visitor first")
			said = append(said, "waiting_room "+rooms[c.path])
		}
		require.Equal(t, doneBy(res), said, "%s: %+v", c.path, out.Rules)
		if c.status != 0 {
			require.Equal(t, c.status, res.StatusCode, c.path)
		}
	}
}

// What goes by more than one request shows is said to depend, and a request that
// is none of that goes its way at the edge.
func TestSimulatedJudgementsDepend(t *testing.T) {
	h := newHosting(t, "NS")
	h.record("www.shop.example", true)
	on := func(path string) string { return `(http.request.uri.path eq "` + path + `")` }
	waf := func(phase string, config arguments) {
		config["Name"] = phase
		h.call("CreateWafRule", "", arguments{"Phase": phase, "Config": config})
	}
	waf("http_managed", arguments{"ManagedRulesets": []arguments{{"AttackType": 11, "ProtectionLevel": 2, "Action": "deny"}}})
	waf("http_anti_scan", arguments{"Action": "deny", "Type": "http_directory_traversal"})
	waf("http_bot", arguments{"Action": "deny", "Type": "web", "Expression": on("/bots")})
	waf("http_security_level_rule", arguments{"Expression": on("/checked"), "SecurityLevel": arguments{"Value": "under_attack"}})
	waf("http_security_level_rule", arguments{"Expression": on("/level"), "SecurityLevel": arguments{"Value": "high"}})
	waf("http_whitelist", arguments{"Expression": on("/past"), "Actions": arguments{"Bypass": arguments{"Skip": "all"}}})
	h.call("EditSiteWafSettings", "", arguments{"Settings": arguments{"BotManagement": arguments{"DefiniteBots": arguments{"Action": "deny"}}}})
	browser := map[string]string{"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Chrome/130.0", "Accept": "*/*", "Accept-Language": "en"}
	for path, want := range map[string]struct {
		depends int
		status  int
	}{"/": {depends: 3}, "/bots": {depends: 4}, "/level": {depends: 4}, "/checked": {depends: 3, status: 403}, "/past": {}} {
		address := "http://www.shop.example" + path
		out := h.simulate(arguments{"url": address, "headers": browser})
		res := h.visit(http.MethodGet, address, browser)
		require.Equal(t, doneBy(res), verdictOf(out), "%s: %+v", path, out.Rules)
		require.Equal(t, want.status, out.Status, path)
		depends := slices.DeleteFunc(out.Rules, func(r tools.SimulatedRule) bool { return r.Outcome != tools.RuleDepends })
		require.Len(t, depends, want.depends, path)
		if want.status == 0 {
			require.Equal(t, want.depends > 0, strings.Contains(out.Verdict, "may refuse it first"), out.Verdict)
			require.Equal(t, 200, res.StatusCode)
		}
	}
	for address, header := range map[string]map[string]string{"/?id=1%27%20or%20%271%27=%271": browser, "/": {"User-Agent": "curl/8"}} {
		require.Equal(t, 403, h.visit(http.MethodGet, "http://www.shop.example"+address, header).StatusCode)
	}
}

// TestSimulateVersions: with versions of the configuration on, a simulation says
// which it read, and reads the one that is asked for.
func TestSimulateVersions(t *testing.T) {
	t.Parallel()
	h := newHosting(t, "NS")
	host := "www.shop.example"
	h.call("CreateRecord", "", arguments{"RecordName": host, "Type": "A/AAAA", "Proxied": true, "BizName": "web", "Ttl": 1, "Data": arguments{"Value": "192.0.2.1"}})
	simulate := func(more arguments) tools.SimulateRequestOutput {
		in := arguments{"url": "http://" + host + "/old"}
		maps.Copy(in, more)
		return callOK[tools.SimulateRequestOutput](t, h.s, "simulate_request", in)
	}
	plain := simulate(nil)
	require.NotContains(t, fmt.Sprint(plain.Notes), "version")

	h.call("ActivateVersionManagement", "", nil)
	redirect := arguments{"RuleName": "old", "Rule": `(http.request.uri.path eq "/old")`, "RuleEnable": "on", "Type": "static", "StatusCode": "301",
		"TargetUrl": "http://www.shop.example/new", "ReserveQueryString": "off", "SiteVersion": 1}
	admin := func(method, path, body string) {
		r, err := http.NewRequestWithContext(t.Context(), method, h.rig.info.Admin+path, strings.NewReader(body))
		require.NoError(t, err)
		r.SetBasicAuth(h.rig.info.AccessKeyID, h.rig.info.AccessKeySecret)
		res, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Less(t, res.StatusCode, 300)
	}
	admin("POST", "/sites/shop.example/versions", `{"from":0}`)
	h.call("CreateRedirectRule", "", redirect)

	first := simulate(nil)
	require.Contains(t, fmt.Sprint(first.Notes), "This is version 0, as no site_version was given")
	require.Equal(t, "origin", first.Answers)
	second := simulate(arguments{"site_version": 1})
	require.Contains(t, fmt.Sprint(second.Notes), "This is version 1, as asked")
	require.Equal(t, "redirect", second.Answers)

	found := callOK[tools.DiagnoseDomainOutput](t, h.s, "diagnose_domain", arguments{"host": host, "site_version": 1})
	require.Contains(t, fmt.Sprint(found.Notes), "This is version 1, as asked")
}
