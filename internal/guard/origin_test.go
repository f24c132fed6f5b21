package guard_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
)

// originRule are the parameters of an origin rule for one host of shop.example.
func (w *world) originRule(host string, more params) params {
	p := w.on(params{"Rule": `(http.host eq "` + host + `.shop.example")`, "RuleName": host, "RuleEnable": "on"})
	for k, v := range more {
		p[k] = v
	}
	return p
}

// storedOrigin reads an origin rule past the guardrails.
func (w *world) storedOrigin(made map[string]any) map[string]any {
	w.Helper()
	return w.do("GetOriginRule", w.on(params{"ConfigId": made["ConfigId"]}))
}

// visit asks the edge for a host of shop.example. It returns the status, and the
// edge's own word for what went wrong.
func (w *world) visit(host string) (status int, failure string) {
	w.Helper()
	r, err := http.NewRequestWithContext(w.Context(), http.MethodGet, w.local.Info().Edge+"/", nil)
	require.NoError(w, err)
	r.Host = host + ".shop.example"
	res, err := http.DefaultClient.Do(r)
	require.NoError(w, err)
	res.Body.Close()
	return res.StatusCode, res.Header.Get("X-Esa-Error")
}

// httpOrigin runs an origin on this machine that speaks http, and returns its
// port.
func (w *world) httpOrigin() string {
	w.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	w.Cleanup(s.Close)
	u, err := url.Parse(s.URL)
	require.NoError(w, err)
	return u.Port()
}

// shop has the site shop.example with the proxied host www, and plain, which is
// not.
func shop(w *world) {
	ns(w)
	w.record("www.shop.example", "CNAME", "origin.localhost", true)
	w.record("plain.shop.example", "A/AAAA", "203.0.113.7", false)
}

func TestGuardrail_origin_ip(t *testing.T) {
	prove(t, "origin-ip", proof{
		setup: shop,
		with: func(w *world) {
			rule := func(to string) params {
				return w.originRule("www", params{"DnsRecord": to, "OriginScheme": "http", "OriginHttpPort": w.httpOrigin()})
			}
			right := w.refused("Use the record that has it, plain.shop.example", "CreateOriginRule", rule("203.0.113.7"))
			require.Equal(w, "plain.shop.example", w.storedOrigin(w.sends(right))["DnsRecord"])
			w.refused("Create an A/AAAA record with 2001:db8::1", "CreateOriginRule", rule("[2001:db8::1]"))
			w.goesThrough("UpdateOriginRule", w.on(params{"ConfigId": w.do("CreateOriginRule", rule("plain.shop.example"))["ConfigId"], "DnsRecord": "www.shop.example"}))
		},
		without: func(w *world) {
			w.goesThrough("CreateOriginRule", w.originRule("www", params{"DnsRecord": "127.0.0.1", "OriginScheme": "http", "OriginHttpPort": w.httpOrigin()}))
			status, failure := w.visit("www")
			require.Equal(w, 502, status)
			require.Equal(w, "destination_not_found", failure)
		},
	})
}

func TestGuardrail_origin_record_missing(t *testing.T) {
	prove(t, "origin-record-missing", proof{
		setup: shop,
		with: func(w *world) {
			right := w.refused("did you mean www.shop.example?", "CreateOriginRule", w.originRule("www", params{"DnsRecord": "wwww.shop.example", "OriginScheme": "https"}))
			made := w.sends(right)
			require.Equal(w, "www.shop.example", w.storedOrigin(made)["DnsRecord"])
			update := w.on(params{"ConfigId": made["ConfigId"], "DnsRecord": "none.example.org"})
			w.refused("is no A/AAAA or CNAME record of the site", "UpdateOriginRule", update)
			w.active("empty.example", "NS")
			w.refused("which has none", "CreateOriginRule", w.originRule("www", params{"DnsRecord": "a.empty.example", "OriginScheme": "https"}))
		},
		without: func(w *world) {
			w.goesThrough("CreateOriginRule", w.originRule("www", params{"DnsRecord": "wwww.shop.example", "OriginScheme": "https"}))
			status, failure := w.visit("www")
			require.Equal(w, 502, status)
			require.Equal(w, "destination_not_found", failure)
		},
	})
}

func TestGuardrail_origin_scheme(t *testing.T) {
	prove(t, "origin-scheme", proof{
		setup: shop,
		with: func(w *world) {
			made := w.fixed("set to https", "CreateOriginRule", w.originRule("www", params{"OriginHost": "inner.example"}))
			require.Equal(w, "https", w.storedOrigin(made)["OriginScheme"])
			w.warned("Port 8080 usually speaks http", "CreateOriginRule", w.originRule("www", params{"OriginHttpPort": "8080"}))
			made = w.goesThrough("CreateOriginRule", w.originRule("www", params{"OriginScheme": "http", "OriginHttpPort": "8080"}))
			w.goesThrough("UpdateOriginRule", w.on(params{"ConfigId": made["ConfigId"], "OriginHttpPort": "8081"}))
			require.Equal(w, "http", w.storedOrigin(made)["OriginScheme"], "an update keeps the scheme that is there")
		},
		without: func(w *world) {
			w.goesThrough("CreateOriginRule", w.originRule("www", params{"OriginHttpPort": w.httpOrigin()}))
			status, _ := w.visit("www")
			require.Equal(w, 502, status, "the origin speaks http, and nobody said that https is used")
		},
	})
}

func TestGuardrail_origin_port(t *testing.T) {
	prove(t, "origin-port", proof{
		setup: shop,
		with: func(w *world) {
			made := w.fixed("used OriginHttpPort", "CreateOriginRule", w.originRule("www", params{"OriginScheme": "http", "origin_port": 8080}))
			require.Equal(w, "8080", w.storedOrigin(made)["OriginHttpPort"])
			w.fixed("used OriginHttpPort", "UpdateOriginRule", w.on(params{"ConfigId": made["ConfigId"], "OriginPort": 8081}))
			require.Equal(w, "8081", w.storedOrigin(made)["OriginHttpPort"])
			made = w.fixed("used OriginHttpsPort", "CreateOriginRule", w.originRule("www", params{"OriginPort": "8443"}))
			require.Equal(w, "8443", w.storedOrigin(made)["OriginHttpsPort"])
			w.sends(w.refused("give OriginHttpPort and OriginHttpsPort", "CreateOriginRule", w.originRule("www", params{"OriginScheme": "follow", "OriginPort": 8080})))
		},
		without: func(w *world) {
			w.fails("InvalidParameter.Local", "CreateOriginRule", w.originRule("www", params{"OriginScheme": "http", "OriginPort": 8080}))
		},
	})
}

func TestGuardrail_origin_not_proxied(t *testing.T) {
	https := params{"OriginScheme": "https"}
	prove(t, "origin-not-proxied", proof{
		setup: shop,
		with: func(w *world) {
			made := w.warned("of plain.shop.example is not proxied", "CreateOriginRule", w.originRule("plain", https))
			w.warned("none.shop.example has no record", "CreateOriginRule", w.originRule("none", https))
			w.goesThrough("CreateOriginRule", w.originRule("www", https))
			w.warned("update_record with record_id", "UpdateOriginRule", w.on(params{"ConfigId": made["ConfigId"], "OriginScheme": "http"}))
			w.record("*.shop.example", "A/AAAA", "203.0.113.8", true)
			w.caller.Forget()
			w.goesThrough("CreateOriginRule", w.originRule("none", https))
			w.goesThrough("CreateOriginRule", w.on(params{"Rule": "true", "RuleName": "all", "RuleEnable": "on", "OriginScheme": "https"}))
		},
		without: func(w *world) {
			w.goesThrough("CreateOriginRule", w.originRule("plain", https))
			status, _ := w.visit("plain")
			require.NotEqual(w, 200, status, "the edge does not serve it, and nobody said so")
		},
	})
}

// route makes a function and a route to it.
func (w *world) route(rule, enable, bypass string) {
	w.Helper()
	w.do("CreateRoutineRoute", w.on(params{"RoutineName": "hello", "RouteName": "front", "RouteEnable": enable, "Bypass": bypass, "Rule": rule, "Fallback": "off"}))
}

func TestGuardrail_origin_route_wins(t *testing.T) {
	https := params{"OriginScheme": "https"}
	prove(t, "origin-route-wins", proof{
		setup: func(w *world) {
			shop(w)
			w.do("CreateRoutine", params{"Name": "hello"})
			w.route(`(http.host eq "plain.shop.example")`, "on", "off")
		},
		with: func(w *world) {
			w.goesThrough("CreateOriginRule", w.originRule("www", https))
			w.warned("Route front of routine hello takes requests of plain.shop.example", "CreateOriginRule", w.originRule("plain", https))
			w.route(`(ends_with(http.host, ".shop.example"))`, "on", "off")
			w.caller.Forget()
			w.warned("takes requests of www.shop.example", "CreateOriginRule", w.originRule("www", https))
		},
		without: func(w *world) { w.goesThrough("CreateOriginRule", w.originRule("plain", https)) },
	})
}

func TestGuardrail_origin_stale(t *testing.T) {
	prove(t, "origin-stale", proof{
		setup: shop,
		with: func(w *world) {
			made := w.goesThrough("CreateOriginRule", w.originRule("www", params{"OriginScheme": "https"}))
			w.warned("purge_cache with type hostname and www.shop.example", "UpdateOriginRule", w.on(params{"ConfigId": made["ConfigId"], "OriginScheme": "http"}))
			made = w.do("CreateOriginRule", w.originRule("plain", params{"OriginScheme": "https"}))
			w.goesThrough("UpdateOriginRule", w.on(params{"ConfigId": made["ConfigId"], "OriginScheme": "http"}))
		},
		without: func(w *world) {
			made := w.do("CreateOriginRule", w.originRule("www", params{"OriginScheme": "https"}))
			w.goesThrough("UpdateOriginRule", w.on(params{"ConfigId": made["ConfigId"], "OriginScheme": "http"}))
		},
	})
}
