package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/esa"
	"github.com/esa-mcp/esa-mcp/tools"
)

func TestRulesOfEveryKind(t *testing.T) {
	t.Parallel()
	s, _ := withSite(t, "rules", "rules.test", "NS")
	add := []arguments{{"action": "add", "name": "X-A", "value": "1"}, {"action": "del", "name": "X-B"}}
	kinds := []struct {
		kind string
		args arguments // settings or headers
		key  string
	}{
		{"tls", arguments{"tls10": "off", "http3": true}, "settings"},
		{"https", arguments{"https_force": "on"}, "settings"},
		{"incoming_request_headers", nil, "headers"},
		{"redirect", arguments{"target_url": "https://example.com/", "status_code": 308}, "settings"},
		{"rewrite", arguments{"uri": "/new"}, "settings"},
		{"network", arguments{"websocket": "on"}, "settings"},
		{"request_headers", nil, "headers"},
		{"incoming_response_headers", nil, "headers"},
		{"image", arguments{"enable": "on"}, "settings"},
		{"video", arguments{"video_seek_enable": "on"}, "settings"},
		{"compression", arguments{"gzip": "on"}, "settings"},
		{"response_headers", nil, "headers"},
		{"custom_response", arguments{"page_id": 0, "return_code": 503}, "settings"},
	}
	made := map[string]tools.KindRule{}
	for _, k := range kinds {
		args := arguments{"site_name": "rules.test", "kind": k.kind, "name": "of " + k.kind, "rule": `(http.host eq "www.rules.test")`, "settings": k.args}
		if k.key == "headers" {
			delete(args, "settings")
			args["headers"] = add
		}
		out := callOK[tools.SetKindRuleOutput](t, s, "set_rule", args)
		require.True(t, out.Created)
		made[k.kind] = out.Rule
	}
	all := callOK[tools.ListRulesOutput](t, s, "list_rules", arguments{"site_name": "rules.test"})
	require.Len(t, all.Rules, len(kinds))
	for i, k := range kinds {
		got := all.Rules[i]
		require.Equal(t, k.kind, got.Kind, "in the order in which they apply")
		require.Equal(t, int64(1), got.Sequence)
		want := made[k.kind]
		want.Sequence = 1
		require.Equal(t, want, got, "what was sent is there")
	}
	for _, k := range kinds {
		out := callOK[tools.SetKindRuleOutput](t, s, "set_rule", arguments{"site_name": "rules.test", "kind": k.kind,
			"rule_id": made[k.kind].ID, "enabled": false})
		require.False(t, out.Created)
		gone := callOK[tools.DeleteKindRuleOutput](t, s, "delete_rule", arguments{"site_name": "rules.test", "kind": k.kind, "rule_id": made[k.kind].ID})
		want := made[k.kind]
		want.Sequence, want.Enabled = 1, false
		require.Equal(t, want, gone.Deleted, "the rest has stayed")
	}
	require.Empty(t, callOK[tools.ListRulesOutput](t, s, "list_rules", arguments{"site_name": "rules.test"}).Rules)
}

func TestRulesApplyInOrderAndTheGlobalOneOnce(t *testing.T) {
	t.Parallel()
	s, c := withSite(t, "rules", "order.test", "NS")
	redirect := func(name string, more arguments) tools.SetKindRuleOutput {
		args := arguments{"site_name": "order.test", "kind": "redirect", "name": name, "rule": "true",
			"settings": arguments{"target_url": "https://example.com/" + name}}
		for k, v := range more {
			args[k] = v
		}
		return callOK[tools.SetKindRuleOutput](t, s, "set_rule", args)
	}
	redirect("late", arguments{"sequence": 9})
	redirect("early", arguments{"sequence": 2})
	redirect("last", nil)
	global := arguments{"site_name": "order.test", "kind": "redirect", "scope": "global", "settings": arguments{"target_url": "https://example.com/"}}
	first := callOK[tools.SetKindRuleOutput](t, s, "set_rule", global)
	require.True(t, first.Created)
	global["settings"] = arguments{"target_url": "https://example.org/", "status_code": "301"}
	again := callOK[tools.SetKindRuleOutput](t, s, "set_rule", global)
	require.False(t, again.Created, "the global one is changed, not made twice")
	require.Equal(t, first.Rule.ID, again.Rule.ID)
	out := callOK[tools.ListRulesOutput](t, s, "list_rules", arguments{"site_name": "order.test", "kind": "redirect"})
	var names []string
	for _, r := range out.Rules {
		names = append(names, r.Scope+":"+r.Name)
	}
	require.Equal(t, []string{"global:", "rule:early", "rule:late", "rule:last"}, names)
	require.Equal(t, "https://example.org/", out.Rules[0].Settings["target_url"])

	_, err := c.Call(t.Context(), "CreateRedirectRule", esa.Params{"SiteId": string(out.SiteID), "Type": "static", "StatusCode": "301",
		"TargetUrl": "https://example.com/", "ReserveQueryString": "on"})
	require.ErrorContains(t, err, "Config.AlreadyExist", "the service takes one global configuration")
}

func TestRuleSettingsCanBeCleared(t *testing.T) {
	t.Parallel()
	s, _ := withSite(t, "rules", "clear.test", "NS")
	made := callOK[tools.SetKindRuleOutput](t, s, "set_rule", arguments{"site_name": "clear.test", "kind": "rewrite", "rule": "true",
		"settings": arguments{"uri": "/new", "query_string": "a=1"}})
	callOK[tools.SetKindRuleOutput](t, s, "set_rule", arguments{"site_name": "clear.test", "kind": "rewrite", "rule_id": made.Rule.ID,
		"settings": arguments{"uri": ""}})
	out := callOK[tools.ListRulesOutput](t, s, "list_rules", arguments{"site_name": "clear.test", "kind": "rewrite"})
	require.Equal(t, map[string]string{"query_string": "a=1", "rewrite_query_string_type": "static"}, out.Rules[0].Settings)
}

func TestRulesRefuse(t *testing.T) {
	t.Parallel()
	s, _ := withSite(t, "rules", "refuse.test", "NS")
	for name, c := range map[string]struct {
		tool string
		args arguments
		want string
	}{
		"no condition":       {"set_rule", arguments{"kind": "compression", "settings": arguments{"gzip": "on"}}, "scope global"},
		"rule of global":     {"set_rule", arguments{"kind": "compression", "scope": "global", "rule": "true", "settings": arguments{"gzip": "on"}}, "leave them out"},
		"unknown kind":       {"set_rule", arguments{"kind": "waf", "rule": "true"}, "redirect"},
		"unknown setting":    {"set_rule", arguments{"kind": "compression", "rule": "true", "settings": arguments{"deflate": "on"}}, "brotli, gzip, zstd"},
		"bad value":          {"set_rule", arguments{"kind": "network", "rule": "true", "settings": arguments{"upload_max_filesize": "9"}}, "between 100 and 500"},
		"broken expression":  {"set_rule", arguments{"kind": "compression", "rule": `(http.host eq )`, "name": "n", "settings": arguments{"gzip": "on"}}, "rule-syntax"},
		"missing rule":       {"set_rule", arguments{"kind": "compression", "rule_id": "352816096999999", "settings": arguments{"gzip": "on"}}, "InvalidConfigId.NotFound"},
		"another kind":       {"list_rules", arguments{"kind": "redirects"}, `did you mean "redirect"`},
		"delete what is not": {"delete_rule", arguments{"kind": "redirect", "rule_id": "352816096999999"}, "InvalidConfigId.NotFound"},
		"no id":              {"delete_rule", arguments{"kind": "redirect"}, "rule_id"},
	} {
		t.Run(name, func(t *testing.T) {
			c.args["site_name"] = "refuse.test"
			require.Contains(t, s.refuse(t, c.tool, c.args), c.want)
		})
	}
	require.Contains(t, s.refuse(t, "list_rules", arguments{"site_id": "1", "kind": "redirect"}), "SiteNotFound")
	require.Contains(t, s.refuse(t, "list_rules", arguments{}), "Which site?")
}
