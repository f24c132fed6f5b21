package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/tools"
)

// TestSimulatedBalancingIsDone: what load balancers and pools make of a request is
// what the local edge makes of it, and where chance decides, that is said.
func TestSimulatedBalancingIsDone(t *testing.T) {
	h := newHosting(t, "NS")
	pool := func(name string, origins ...arguments) string {
		return h.call("CreateOriginPool", "Id", arguments{"Name": name, "Enabled": true, "Origins": origins})
	}
	at := "127.0.0.1:" + h.port()
	one := pool("one", arguments{"Name": "a", "Address": at, "Header": arguments{"Host": []string{"inner.example"}}}, arguments{"Name": "off", "Address": at, "Enabled": false})
	two := pool("two", arguments{"Name": "a", "Address": at, "Weight": 50}, arguments{"Name": "b", "Address": at, "Weight": 50})
	none := pool("none", arguments{"Name": "a", "Address": at, "Weight": 0})
	balancer := func(name, policy string, pools []string, fallback string, more arguments) {
		all := arguments{"Name": name + ".shop.example", "SteeringPolicy": policy, "DefaultPools": pools, "FallbackPool": fallback, "Monitor": arguments{"Type": "off"}}
		for k, v := range more {
			all[k] = v
		}
		h.call("CreateLoadBalancer", "Id", all)
	}
	rule := func(path string, more arguments) arguments {
		all := arguments{"RuleName": "r", "RuleEnable": "on", "Rule": `(http.request.uri.path eq "` + path + `")`}
		for k, v := range more {
			all[k] = v
		}
		return all
	}
	balancer("lb", "order", []string{none, one}, two, arguments{"Rules": []arguments{
		rule("/fixed", arguments{"FixedResponse": arguments{"StatusCode": 410, "MessageBody": "gone"}}),
		rule("/none", arguments{"Overrides": arguments{"default_pools": []string{none}, "fallback_pool": none}}),
		rule("/two", arguments{"Overrides": arguments{"default_pools": []string{two}}}),
	}})
	balancer("any", "random", []string{one, two}, one, nil)
	balancer("near", "geo", []string{one}, one, arguments{"SubRegionPools": `{"FR,DE":[` + two + `]}`})
	for name, source := range map[string][2]string{"www": {"LB", "lb.shop.example"}, "any-www": {"LB", "any.shop.example"}, "pool": {"OP", "one.shop.example"}, "empty": {"OP", "none.shop.example"}} {
		h.call("CreateRecord", "", arguments{"RecordName": name + ".shop.example", "Type": "CNAME", "Ttl": 1, "Proxied": true, "BizName": "web",
			"SourceType": source[0], "Data": arguments{"Value": source[1]}})
	}

	for address, want := range map[string]struct {
		status  int
		verdict string
	}{
		"http://www.shop.example/":       {0, "an origin of the load balancer lb.shop.example (order)"},
		"http://www.shop.example/fixed":  {410, "the load balancer lb.shop.example answers 410 itself"},
		"http://www.shop.example/none":   {502, "has no origin that is enabled"},
		"http://www.shop.example/two":    {0, "or another of 2 origins of the load balancer lb.shop.example"},
		"http://lb.shop.example/":        {0, "an origin of the load balancer lb.shop.example (order)"},
		"http://any-www.shop.example/":   {0, "or another of 3 origins of the load balancer any.shop.example (random)"},
		"http://near.shop.example/":      {0, "an origin of the load balancer near.shop.example (geo)"},
		"http://near.shop.example/?c=DE": {0, "or another of 2 origins"},
		"http://pool.shop.example/":      {0, "an origin of the origin pool one"},
		"http://empty.shop.example/":     {502, "the origin pool none has no origin"},
	} {
		t.Run(address, func(t *testing.T) {
			_, country, _ := strings.Cut(address, "?c=")
			out := h.simulate(arguments{"url": address, "country": country})
			res := h.visit(http.MethodGet, address, map[string]string{"X-Esa-Client-Country": country})
			require.Contains(t, out.Verdict, want.verdict)
			require.Equal(t, "origin", out.Answers)
			require.Equal(t, want.status, out.Status)
			done := doneBy(res)
			if strings.Contains(out.Verdict, "or another") {
				require.Contains(t, done[len(done)-1], "pool_origin ")
				might := []string{}
				for _, r := range out.Rules {
					might = append(might, r.Kind+" "+string(r.ID))
				}
				require.Subset(t, might, done)
			} else {
				require.Equal(t, done, verdictOf(out), "%+v", out.Rules)
			}
			if want.status != 0 {
				require.Equal(t, want.status, res.StatusCode)
				return
			}
			require.Equal(t, 200, res.StatusCode)
			require.True(t, strings.HasSuffix(out.Origin.URL, ":"+h.port()+res.Header.Get("X-Origin-Uri")), out.Origin.URL)
			if !strings.Contains(out.Verdict, "or another") {
				require.Equal(t, res.Header.Get("X-Origin-Host"), out.Origin.Host)
			}
		})
	}
	diagnosed := callOK[tools.DiagnoseDomainOutput](t, h.s, "diagnose_domain", arguments{"host": "empty.shop.example"})
	require.Contains(t, diagnosed.Verdict, "the origin pool none has no origin")
}
