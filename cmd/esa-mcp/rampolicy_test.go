package main

import (
	"net/http"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/guard"
	"github.com/esa-mcp/esa-mcp/tools"
)

// TestRAMPolicyIsEnough calls tools on an account that allows what the policy of
// just that tool says: no call is refused, and no guardrail is blind.
func TestRAMPolicyIsEnough(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := start(t, append(r.env, "ESA_MCP_AUDIT_LOG="+t.TempDir()+"/audit.jsonl"), "--toolsets", "all")
	var (
		mu      sync.Mutex
		allowed []string
		refused []string
	)
	r.set(func(w http.ResponseWriter, q *http.Request) bool {
		mu.Lock()
		defer mu.Unlock()
		a := action(q)
		if a == "" || slices.Contains(allowed, "esa:"+a) {
			return false
		}
		refused = append(refused, a)
		return refuseAPI(w, http.StatusForbidden, "NoPermission", "You are not authorized to do this action.")
	})
	host := `(http.host eq "www.shop.example")`
	site := arguments{"site_name": "shop.example"}
	on := func(more arguments) arguments {
		for name, value := range site {
			more[name] = value
		}
		return more
	}
	for _, c := range []struct {
		tool string
		args arguments
	}{
		{"create_site", arguments{"name": "shop.example", "access_type": "NS"}},
		{"verify_site", on(arguments{})},
		{"create_record", on(arguments{"name": "www.shop.example", "type": "A", "value": "203.0.113.7", "proxied": true})},
		{"batch_create_records", on(arguments{"records": []arguments{{"name": "a.shop.example", "type": "TXT", "value": "x"}}})},
		{"list_records", on(arguments{"name": "www.shop.example"})},
		{"set_cache_rule", on(arguments{"name": "static", "rule": host, "edge_cache_mode": "override_origin", "edge_cache_ttl": 60})},
		{"set_cache_rule", on(arguments{"name": "static", "rule": host, "edge_cache_mode": "no_cache"})},
		{"set_origin_rule", on(arguments{"name": "o", "rule": host, "origin_host": "www.shop.example"})},
		{"set_rule", on(arguments{"kind": "compression", "name": "gzip", "rule": host, "settings": arguments{"Gzip": "on"}})},
		{"purge_cache", on(arguments{"type": "purgeall"})},
		{"create_kv_namespace", arguments{"namespace": "ns"}},
		{"put_kv", arguments{"namespace": "ns", "key": "a", "value": "1"}},
		{"put_kv", arguments{"namespace": "ns", "key": "a", "value": "2"}},
		{"batch_put_kv", arguments{"namespace": "ns", "values": arguments{"a": "3", "b": "4"}}},
		{"delete_kv", arguments{"namespace": "ns", "key": "a"}},
		{"list_kv", arguments{"namespace": "ns"}},
		{"delete_kv_namespace", arguments{"namespace": "ns"}},
		{"deploy_html", arguments{"name": "page", "html": "<p>hi</p>"}},
		{"set_route", arguments{"routine": "page", "pattern": "www.shop.example/p/*"}},
		{"bind_custom_domain", arguments{"routine": "page", "domain": "page.shop.example"}},
		{"proxy_subdomain", arguments{"host": "app.shop.example", "origin": "203.0.113.8", "origin_scheme": "http"}},
		{"publish_routine_version", arguments{"name": "page", "version": "$VERSION"}},
		{"delete_routine", arguments{"name": "page"}},
		{"delete_site", on(arguments{})},
	} {
		if c.args["version"] == "$VERSION" {
			mu.Lock()
			allowed = []string{"esa:GetRoutine", "esa:ListRoutineCodeVersions", "esa:GetRoutineAccessToken", "esa:GetRoutineCodeVersion"}
			mu.Unlock()
			c.args["version"] = callOK[tools.GetRoutineOutput](t, s, "get_routine", arguments{"name": "page"}).Versions[0].Version
		}
		mu.Lock()
		allowed, refused = tools.RAMActions(selection(t, c.tool), guard.Config{}), nil
		mu.Unlock()
		text, isError := s.agree(t, c.tool, c.args)
		mu.Lock()
		require.Empty(t, refused, "%s sends what its policy does not allow", c.tool)
		mu.Unlock()
		require.False(t, isError, "%s: %s", c.tool, text)
		require.NotContains(t, text, "not checked", c.tool)
	}
}
