package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
	"github.com/esa-mcp/esa-mcp/tools"
)

// dryPlan calls a tool dry.
func dryPlan(t *testing.T, s *server, tool string, args arguments) tools.Plan {
	t.Helper()
	args["dry_run"] = true
	text, isError := s.try(t, t.Context(), tool, args)
	require.False(t, isError, text)
	var out struct{ Plan *tools.Plan }
	require.NoError(t, json.Unmarshal([]byte(text), &out))
	require.NotNil(t, out.Plan, text)
	return *out.Plan
}

func plannedActions(p tools.Plan) []string {
	var names []string
	for _, c := range p.Calls {
		names = append(names, c.Action)
	}
	return names
}

// A dry run shows the calls as they would be sent, and none of them is.
func TestDryRun(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := start(t, append(r.env, "ESA_MCP_TOOLSETS=all"))
	site := newSite(t, s, "shop.example", "NS")
	record := callOK[tools.RecordOutput](t, s, "create_record", arguments{"site_id": site.ID, "name": "www", "type": "A/AAAA", "value": "203.0.113.1"})
	callOK[tools.CreateKVNamespaceOutput](t, s, "create_kv_namespace", arguments{"namespace": "ns"})
	var mu sync.Mutex
	var sent []string
	r.set(func(_ http.ResponseWriter, q *http.Request) bool {
		op, ok := catalog.Lookup(action(q))
		if !ok || op.Effect != catalog.Read || op.SideEffect {
			mu.Lock()
			sent = append(sent, action(q)+q.URL.Path)
			mu.Unlock()
		}
		return false
	})

	p := dryPlan(t, s, "create_record", arguments{"site_id": site.ID, "name": "api", "type": "A", "value": "203.0.113.2", "proxied": true})
	require.Equal(t, []string{"CreateRecord"}, plannedActions(p))
	require.Equal(t, "api.shop.example", p.Calls[0].Params["RecordName"], "after the guardrails")
	require.Equal(t, "web", p.Calls[0].Params["BizName"])

	p = dryPlan(t, s, "update_record", arguments{"record_id": record.ID, "value": "203.0.113.9"})
	require.Equal(t, []string{"UpdateRecord"}, plannedActions(p))
	require.Len(t, p.Calls[0].Changes, 1)
	require.Equal(t, "Data", p.Calls[0].Changes[0].Field)
	require.Equal(t, map[string]any{"Value": "203.0.113.1"}, p.Calls[0].Changes[0].Before)

	p = dryPlan(t, s, "delete_record", arguments{"record_id": record.ID})
	require.Contains(t, p.Calls[0].Confirms, "www.shop.example")
	p = dryPlan(t, s, "write_api", arguments{"action": "DeleteSite", "params": arguments{"SiteId": site.ID}})
	require.Contains(t, p.Calls[0].Confirms, "DNS records: 1")

	p = dryPlan(t, s, "deploy_html", arguments{"name": "page", "html": "<p>x</p>"})
	require.Contains(t, plannedActions(p), "CreateRoutine")
	require.Contains(t, plannedActions(p), "upload")
	require.Contains(t, p.Unforeseen, "depends on their answers")

	p = dryPlan(t, s, "put_kv", arguments{"namespace": "ns", "key": "k", "value": "v"})
	require.Equal(t, []string{"PutKv"}, plannedActions(p))
	require.Empty(t, p.Unforeseen)

	p = dryPlan(t, s, "proxy_subdomain", arguments{"host": "app.shop.example", "origin": "203.0.113.7", "origin_scheme": "http"})
	require.Contains(t, plannedActions(p), "CreateRecord")

	// What would be refused is refused.
	require.Contains(t, s.refuse(t, "write_api", arguments{"action": "UpdateSiteAccessType", "params": arguments{"SiteId": site.ID, "AccessType": "CNAME"}, "dry_run": true}), "site-access-switch")
	require.Contains(t, s.refuse(t, "write_api", arguments{"action": "UpdateSitePause", "params": arguments{"SiteId": site.ID, "Pause": true}, "dry_run": true}), "did you mean Paused")
	require.Contains(t, s.refuse(t, "create_record", arguments{"site_id": site.ID, "name": "x", "type": "A", "value": "nowhere", "dry_run": true}), "IP address")

	mu.Lock()
	defer mu.Unlock()
	require.Empty(t, sent)
}

// Every tool that changes something can be tried dry, and no other.
func TestDryRunIsOnEveryWritingTool(t *testing.T) {
	t.Parallel()
	for _, tool := range tools.All() {
		has := strings.Contains(string(tool.InputSchema()), `"dry_run"`)
		require.Equal(t, tool.Meta().ReadOnly == tools.No, has, tool.Meta().Name)
	}
}
