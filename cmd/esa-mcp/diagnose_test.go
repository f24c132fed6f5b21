package main

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/tools"
)

// diagnose asks about www.shop.example, or another host.
func (h *hosting) diagnose(more arguments) tools.DiagnoseDomainOutput {
	h.t.Helper()
	all := arguments{"host": "www.shop.example"}
	for name, v := range more {
		all[name] = v
	}
	return callOK[tools.DiagnoseDomainOutput](h.t, h.s, "diagnose_domain", all)
}

// finding returns the finding of an id; nil if there is none.
func finding(out tools.DiagnoseDomainOutput, id string) *tools.Finding {
	for i := range out.Findings {
		if out.Findings[i].ID == id {
			return &out.Findings[i]
		}
	}
	return nil
}

// send makes the call that a finding offers, as it stands.
func (h *hosting) send(f *tools.Finding) {
	h.t.Helper()
	require.NotNil(h.t, f.Fix)
	require.Empty(h.t, f.Fix.Fill)
	text, isError := h.s.agree(h.t, f.Fix.Tool, f.Fix.Arguments)
	require.False(h.t, isError, "%s %v: %s", f.Fix.Tool, f.Fix.Arguments, text)
}

// hostFault is something that is wrong with a host.
type hostFault struct {
	id, severity string
	access       string // NS if empty
	make         func(h *hosting)
	ask          arguments // of diagnose_domain, besides the host
	stays        bool      // the finding is about what to know, and stays
	check        func(h *hosting)
}

// host is a condition for www.shop.example.
const host = `(http.host eq "www.shop.example")`

func (h *hosting) route(name, condition, on string) string {
	callOK[tools.DeployOutput](h.t, h.s, "deploy_routine", arguments{"name": name, "code": functionCode})
	return h.call("CreateRoutineRoute", "ConfigId", arguments{"RoutineName": name, "RouteName": name, "Rule": condition, "RouteEnable": on})
}

func (h *hosting) answers(status int, header, text string) {
	h.t.Helper()
	res := h.visit(http.MethodGet, "http://www.shop.example/", nil)
	require.Equal(h.t, status, res.StatusCode)
	if header != "" {
		require.Contains(h.t, res.Header.Get(header), text)
	}
}

// offline lets the API say that the site is offline, which no call can bring
// about.
func (h *hosting) offline(reason string) {
	h.rig.set(func(w http.ResponseWriter, r *http.Request) bool {
		if action(r) == "ListSites" {
			fmt.Fprintf(w, `{"RequestId":"x","TotalCount":1,"Sites":[{"SiteId":%s,"SiteName":"shop.example","Status":"offline","OfflineReason":%q,"AccessType":"NS"}]}`, h.site, reason)
			return true
		}
		return false
	})
}

func hostFaults() map[string]hostFault {
	served := func(h *hosting) { h.answers(200, "X-Origin-Host", "www.shop.example") }
	originRule := func(params arguments) func(h *hosting) {
		return func(h *hosting) {
			h.record("www.shop.example", true)
			for name, v := range params {
				if v == "$PORT" {
					params[name] = h.port()
				}
			}
			h.rule("OriginRule", host, params)
		}
	}
	return map[string]hostFault{
		"paused": {id: "site-pause", severity: "error", make: func(h *hosting) {
			h.record("www.shop.example", true)
			h.call("UpdateSitePause", "", arguments{"Paused": true})
		}, check: served},
		"no record": {id: "dns-missing", severity: "error", make: func(*hosting) {}, ask: arguments{"origin": "203.0.113.9"}},
		"route without a record": {id: "er-route-needs-record", severity: "error", make: func(h *hosting) { h.route("fn", host, "on") },
			check: func(h *hosting) { h.answers(200, "", "") }},
		"not proxied": {id: "origin-not-proxied", severity: "error", make: func(h *hosting) { h.record("www.shop.example", false) }},
		"related record on a CNAME site": {id: "er-related-cname", severity: "error", access: "CNAME", make: func(h *hosting) {
			callOK[tools.DeployOutput](h.t, h.s, "deploy_routine", arguments{"name": "fn", "code": functionCode})
			h.call("CreateRoutineRelatedRecord", "", arguments{"Name": "fn", "RecordName": "www.shop.example"})
		}},
		"CNAME to set": {id: "dns-cname-target", severity: "info", access: "CNAME", make: func(h *hosting) { h.record("www.shop.example", true) }, stays: true},
		"no certificate": {id: "cert-missing", severity: "error", make: func(h *hosting) { h.record("www.shop.example", true) }, check: func(h *hosting) {
			require.Nil(h.t, finding(h.diagnose(nil), "cert-missing"))
		}},
		"certificate that ends soon": {id: "cert-expiring", severity: "warning", make: func(h *hosting) {
			h.record("www.shop.example", true)
			cert, key := pemPair(h.t, 5, "www.shop.example")
			callOK[tools.SetCertificateOutput](h.t, h.s, "set_certificate", arguments{"site_id": h.site, "certificate_path": cert, "key_path": key})
		}, stays: true, check: func(h *hosting) {
			require.Eventually(h.t, func() bool { return h.diagnose(nil).Healthy }, time.Minute, 100*time.Millisecond)
		}},
		"offline for want of an ICP filing": {id: "site-icp", severity: "error", make: func(h *hosting) { h.offline("missing_icp") }, stays: true,
			check: func(h *hosting) {
				h.rig.set(nil)
				require.Nil(h.t, finding(h.diagnose(nil), "site-icp"))
			}},
		"offline": {id: "site-offline", severity: "error", make: func(h *hosting) { h.offline("content_violation") }, stays: true},
		"route of a routine that is gone": {id: "er-routine-missing", severity: "error", make: func(h *hosting) {
			h.record("www.shop.example", true)
			h.route("fn", host, "on")
			h.rig.set(func(w http.ResponseWriter, r *http.Request) bool {
				return action(r) == "GetRoutine" && refuseAPI(w, 404, "RoutineNotExist", "no such routine")
			})
		}},
		"served by a routine": {id: "origin-route-wins", severity: "warning", make: func(h *hosting) {
			h.record("www.shop.example", true)
			h.route("fn", host, "on")
			h.rule("OriginRule", host, arguments{"OriginScheme": "http", "OriginHttpPort": h.port()})
		}, check: served},
		"route that is off": {id: "er-route-off", severity: "info", make: func(h *hosting) {
			h.record("www.shop.example", true)
			h.route("fn", host, "off")
		}, check: func(h *hosting) { require.Equal(h.t, "the routine fn answers", h.diagnose(nil).Verdict) }},
		"routine that is not deployed": {id: "er-not-deployed", severity: "error", make: func(h *hosting) {
			h.record("www.shop.example", true)
			callOK[tools.DeployOutput](h.t, h.s, "deploy_routine", arguments{"name": "fn", "code": functionCode, "environment": "staging"})
			h.call("CreateRoutineRoute", "", arguments{"RoutineName": "fn", "RouteName": "fn", "Rule": host, "RouteEnable": "on"})
			h.answers(404, "", "")
		}, check: func(h *hosting) { h.answers(200, "", "") }},
		"address as dns_record": {id: "origin-ip", severity: "error", make: func(h *hosting) {
			h.call("CreateRecord", "", arguments{"RecordName": "origin.shop.example", "Type": "A/AAAA", "Ttl": 1, "Data": arguments{"Value": "127.0.0.1"}})
			originRule(arguments{"DnsRecord": "127.0.0.1", "OriginScheme": "http", "OriginHttpPort": "$PORT"})(h)
			h.answers(502, "X-Esa-Error", "destination_not_found")
		}, check: served},
		"address of no record as dns_record": {id: "origin-ip", severity: "error", make: func(h *hosting) {
			originRule(arguments{"DnsRecord": "127.0.0.1", "OriginScheme": "http", "OriginHttpPort": "$PORT"})(h)
		}, stays: true, check: func(h *hosting) {
			h.send(finding(h.diagnose(nil), "origin-ip")) // the record is there now
			require.Nil(h.t, finding(h.diagnose(nil), "origin-ip"))
			served(h)
		}},
		"missing dns_record": {id: "origin-record-missing", severity: "error", make: func(h *hosting) {
			originRule(arguments{"DnsRecord": "gone.shop.example", "OriginScheme": "http", "OriginHttpPort": "$PORT"})(h)
			h.answers(502, "X-Esa-Error", "destination_not_found")
		}, check: served},
		"port of the other scheme": {id: "origin-scheme", severity: "error", make: func(h *hosting) {
			originRule(arguments{"OriginScheme": "https", "OriginHttpPort": "$PORT"})(h)
			h.answers(502, "", "")
		}, check: served},
		"https at a port of http": {id: "origin-scheme", severity: "warning", make: originRule(arguments{"OriginScheme": "https", "OriginHttpsPort": "8080"})},
		"http at a port of https": {id: "origin-scheme", severity: "warning", make: originRule(arguments{"OriginScheme": "http", "OriginHttpPort": "443"})},
		"no scheme":               {id: "origin-scheme", severity: "info", make: originRule(arguments{"OriginHost": "www.shop.example"}), check: served},
		"placeholder as origin": {id: "er-origin", severity: "error", ask: arguments{"origin": "203.0.113.9"}, make: func(h *hosting) {
			h.call("CreateRecord", "", arguments{"RecordName": "www.shop.example", "Type": "A/AAAA", "Ttl": 1, "Proxied": true, "BizName": "web", "Data": arguments{"Value": "192.0.2.1"}})
		}},
		"old content": {id: "cache-purge", severity: "info", stays: true, make: func(h *hosting) {
			h.record("www.shop.example", true)
			h.rule("CacheRule", host, arguments{"EdgeCacheMode": "override_origin", "EdgeCacheTtl": "600"})
			h.answers(200, "X-Site-Cache-Status", "MISS")
			h.answers(200, "X-Site-Cache-Status", "HIT")
		}, check: func(h *hosting) { h.answers(200, "X-Site-Cache-Status", "MISS") }},
		"development mode": {id: "cache-dev-mode", severity: "warning", make: func(h *hosting) {
			h.record("www.shop.example", true)
			h.call("UpdateDevelopmentMode", "", arguments{"Enable": "on"})
			h.answers(200, "X-Site-Cache-Status", "BYPASS")
		}, check: func(h *hosting) { h.answers(200, "X-Site-Cache-Status", "DYNAMIC") }},
		"redirect to itself": {id: "redirect", severity: "error", make: func(h *hosting) {
			h.record("www.shop.example", true)
			h.rule("RedirectRule", host, arguments{"Type": "static", "TargetUrl": "https://www.shop.example/", "StatusCode": "301", "ReserveQueryString": "off"})
			h.answers(301, "", "")
		}, check: served},
		"answer of a rule": {id: "custom-response", severity: "warning", make: func(h *hosting) {
			h.record("www.shop.example", true)
			h.rule("CustomResponseCodeRule", host, arguments{"ReturnCode": "503", "PageId": "0"})
			h.answers(503, "", "")
		}, check: served},
		"waiting room that is shut": {id: "waiting-room", severity: "warning", make: func(h *hosting) {
			h.record("www.shop.example", true)
			h.waitingRoom("/", arguments{"QueueAllEnable": "on"})
		}, check: served},
		"under attack": {id: "waf-denies", severity: "warning", make: func(h *hosting) {
			h.record("www.shop.example", true)
			h.call("EditSiteWafSettings", "", arguments{"Settings": arguments{"SecurityLevel": arguments{"Value": "under_attack"}}})
		}, check: served},
		"denied": {id: "waf-denies", severity: "warning", make: func(h *hosting) {
			h.record("www.shop.example", true)
			callOK[tools.CreateWafRulesOutput](h.t, h.s, "create_waf_rules", arguments{"site_id": h.site, "phase": "http_custom",
				"rules": []arguments{{"name": "no", "expression": host, "action": "deny"}}})
			h.answers(403, "", "")
		}, check: served},
	}
}

// Every fault is found, and the call that is offered mends it.
func TestDiagnosisFindsAndMends(t *testing.T) {
	t.Parallel()
	for name, f := range hostFaults() {
		t.Run(name, func(t *testing.T) {
			access := f.access
			if access == "" {
				access = "NS"
			}
			h := newHosting(t, access)
			f.make(h)
			out := h.diagnose(f.ask)
			found := finding(out, f.id)
			require.NotNil(t, found, "%+v", out)
			require.Equal(t, f.severity, found.Severity)
			require.NotEmpty(t, found.Evidence)
			if f.severity != "info" {
				require.False(t, out.Healthy)
			}
			if found.Fix == nil {
				require.True(t, f.stays)
				return
			}
			h.send(found)
			if !f.stays {
				again := h.diagnose(f.ask)
				require.Nil(t, finding(again, f.id), "%+v", again)
			}
			if f.check != nil {
				f.check(h)
			}
		})
	}
}

// A host without fault has no errors and no warnings.
func TestDiagnosisOfAHealthyHost(t *testing.T) {
	t.Parallel()
	h := newHosting(t, "NS")
	h.record("www.shop.example", true)
	h.send(finding(h.diagnose(nil), "cert-missing"))
	if looked := h.diagnose(nil); finding(looked, "cert-wait") != nil {
		require.Nil(t, finding(looked, "cert-wait").Fix, "time mends it")
	} else { // on a slow machine it is there before it is looked for
		require.Nil(t, finding(looked, "cert-missing"))
	}
	require.Eventually(t, func() bool { return h.diagnose(nil).Healthy }, time.Minute, 100*time.Millisecond)
	out := h.diagnose(nil)
	require.Equal(t, "active", out.Status)
	require.Equal(t, "NS", out.Access)
	require.Equal(t, "www.shop.example", out.Record.Name)
	require.Contains(t, finding(out, "origin").Finding, "https://origin.localhost/")

	// Pending, none, and a default domain.
	site := callOK[tools.SiteOutput](t, h.s, "create_site", arguments{"name": "new.example", "access_type": "CNAME"})
	pending := h.diagnose(arguments{"host": "www.new.example"})
	require.Equal(t, "site-pending", pending.Findings[0].ID)
	require.Contains(t, pending.Findings[0].Evidence, "_esaauth.new.example")
	h.send(&pending.Findings[0])
	require.Nil(t, finding(h.diagnose(arguments{"host": "www.new.example"}), "site-pending"))
	require.NotEmpty(t, site.ID)

	unknown := h.diagnose(arguments{"host": "www.unknown.example"})
	require.Equal(t, "site-missing", unknown.Findings[0].ID)
	require.Equal(t, "create_site", unknown.Findings[0].Fix.Tool)
	require.Equal(t, []string{"access_type"}, unknown.Findings[0].Fix.Fill)
	require.Equal(t, "unknown.example", unknown.Findings[0].Fix.Arguments["name"])

	callOK[tools.DeployOutput](t, h.s, "deploy_html", arguments{"name": "page", "html": "<p>hello"})
	domain := callOK[tools.GetRoutineOutput](t, h.s, "get_routine", arguments{"name": "page"}).Domain
	private := h.diagnose(arguments{"host": domain})
	require.Equal(t, "pages-url-token", private.Findings[0].ID)
	require.Len(t, private.Findings, 1)
	text, isError := h.s.agree(t, private.Findings[0].Fix.Tool, private.Findings[0].Fix.Arguments)
	require.False(t, isError)
	require.Contains(t, text, "esa_er_token")

	for _, bad := range []string{"https://www.shop.example", "localhost", "*.shop.example"} {
		require.Contains(t, h.s.refuse(t, "diagnose_domain", arguments{"host": bad}), "host is")
	}
	require.Contains(t, h.s.refuse(t, "diagnose_domain", arguments{"host": "www.shop.example", "path": "x"}), "path is")
}
