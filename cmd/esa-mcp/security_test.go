package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/tools"
)

func TestSecurityRules(t *testing.T) {
	t.Parallel()
	s, _ := withSite(t, "security", "shop.test", "NS")
	site := func(more arguments) arguments {
		more["site_name"] = "shop.test"
		return more
	}
	list := func(more arguments) tools.ListWafRulesOutput {
		return callOK[tools.ListWafRulesOutput](t, s, "list_waf_rules", site(more))
	}
	one := callOK[tools.CreateWafRulesOutput](t, s, "create_waf_rules", site(arguments{"phase": "http_custom", "rules": []arguments{
		{"name": "admin", "action": "deny", "expression": `(http.request.uri.path eq "/admin")`}}}))
	require.Len(t, one.IDs, 1)
	more := callOK[tools.CreateWafRulesOutput](t, s, "create_waf_rules", site(arguments{"phase": "http_custom", "rules": []arguments{
		{"name": "b", "action": "monitor", "expression": "true"}, {"name": "c", "action": "deny", "expression": "true", "status": "off"}}}))
	require.Len(t, more.IDs, 2)
	require.Equal(t, one.RulesetID, more.RulesetID)
	rules := list(arguments{"phase": "http_custom"})
	require.Equal(t, 3, rules.Total)
	require.Equal(t, "deny", rules.Rules[0].Action)
	require.Equal(t, `(http.request.uri.path eq "/admin")`, rules.Rules[0].Expression)
	require.Equal(t, 1, list(arguments{"phase": "http_custom", "status": "off"}).Total)
	require.Equal(t, 1, list(arguments{"phase": "http_custom", "search": "adm"}).Total)

	id := one.IDs[0]
	changed := callOK[tools.UpdateWafRuleOutput](t, s, "update_waf_rule", site(arguments{"ids": []tools.ID{id}, "action": "monitor", "position": 3}))
	require.Equal(t, "monitor", changed.Rules[0].Action)
	require.Equal(t, int64(3), changed.Rules[0].Position)
	require.Equal(t, "admin", changed.Rules[0].Name, "what is not given stays")
	require.Equal(t, `(http.request.uri.path eq "/admin")`, changed.Rules[0].Expression)
	callOK[tools.UpdateWafRuleOutput](t, s, "update_waf_rule", site(arguments{"ids": more.IDs, "status": "off"}))
	require.Equal(t, 2, list(arguments{"phase": "http_custom", "status": "off"}).Total)
	require.NotEmpty(t, list(arguments{"id": id}).Rules[0].Config)

	limit := arguments{"RateLimit": arguments{"Interval": 10, "TTL": 60, "Threshold": arguments{"Request": 5},
		"Characteristics": arguments{"Logic": "and", "Criteria": []arguments{{"MatchType": "ip.src"}}}}}
	callOK[tools.CreateWafRulesOutput](t, s, "create_waf_rules", site(arguments{"phase": "http_ratelimit",
		"rules": []arguments{{"name": "r", "action": "deny", "expression": "true", "config": limit}}}))
	white := callOK[tools.CreateWafRulesOutput](t, s, "create_waf_rules", site(arguments{"phase": "http_whitelist",
		"rules": []arguments{{"name": "w", "expression": `(ip.src eq 1.1.1.1)`}}}))
	require.Equal(t, "waf-bypass", white.Notes[0].ID)
	callOK[tools.CreateWafRulesOutput](t, s, "create_waf_rules", site(arguments{"phase": "ip_access_rule",
		"rules": []arguments{{"action": "deny", "config": arguments{"Value": "10.0.0.0/8"}}}}))
	require.Equal(t, "10.0.0.0/8", list(arguments{"phase": "ip_access_rule"}).Rules[0].Value)

	sets := callOK[tools.ListWafRulesetsOutput](t, s, "list_waf_rulesets", site(arguments{}))
	require.Len(t, sets.Rulesets, 4)
	require.True(t, callOK[tools.DeleteWafRuleOutput](t, s, "delete_waf_rule", site(arguments{"id": id})).Deleted)
	require.Contains(t, s.refuse(t, "delete_waf_rule", site(arguments{"id": id})), "list_waf_rules")

	for want, args := range map[string]arguments{
		"phases are":         {"phase": "coffee", "rules": []arguments{{"name": "x"}}},
		"needs expression":   {"phase": "http_custom", "rules": []arguments{{"name": "x", "action": "deny"}}},
		"needs action":       {"phase": "http_custom", "rules": []arguments{{"name": "x", "expression": "true"}}},
		"rules[1]":           {"phase": "http_bot", "rules": []arguments{{"name": "x"}, {"action": "deny"}}},
		`"Threshold"`:        {"phase": "http_ratelimit", "rules": []arguments{{"name": "x", "action": "deny", "expression": "true"}}},
		`"Value"`:            {"phase": "ip_access_rule", "rules": []arguments{{"action": "deny"}}},
		"rule-syntax":        {"phase": "http_custom", "rules": []arguments{{"name": "x", "action": "deny", "expression": `(http.host eq )`}}},
		"no list \"nobody\"": {"phase": "http_custom", "rules": []arguments{{"name": "x", "action": "deny", "expression": `(ip.src in $nobody)`}}},
		"rules":              {"phase": "http_custom", "rules": []arguments{}},
	} {
		require.Contains(t, s.refuse(t, "create_waf_rules", site(args)), want)
	}
	require.Contains(t, s.refuse(t, "update_waf_rule", site(arguments{"ids": []tools.ID{"7"}})), "Nothing to change")
	require.Contains(t, s.refuse(t, "update_waf_rule", site(arguments{"ids": []tools.ID{"7"}, "status": "on"})), "no security rule 7")
	require.Contains(t, s.refuse(t, "update_waf_rule", site(arguments{"ids": more.IDs, "position": 1})), "one rule")
	require.Contains(t, s.refuse(t, "list_waf_rules", site(arguments{})), "Give either phase")
}

func TestSecurityRulesets(t *testing.T) {
	t.Parallel()
	s, _ := withSite(t, "security", "shop.test", "NS")
	site := func(more arguments) arguments {
		more["site_name"] = "shop.test"
		return more
	}
	made := callOK[tools.SetWafRulesetOutput](t, s, "set_waf_ruleset", site(arguments{"phase": "http_bot", "name": "bots", "status": "off"}))
	require.True(t, made.Created)
	callOK[tools.CreateWafRulesOutput](t, s, "create_waf_rules", site(arguments{"phase": "http_bot", "ruleset_id": made.ID, "rules": []arguments{{"name": "a"}}}))
	sets := callOK[tools.ListWafRulesetsOutput](t, s, "list_waf_rulesets", site(arguments{"phase": "http_bot"}))
	require.Equal(t, "off", sets.Rulesets[0].Status)
	callOK[tools.SetWafRulesetOutput](t, s, "set_waf_ruleset", site(arguments{"id": made.ID, "status": "on"}))
	one := callOK[tools.ListWafRulesetsOutput](t, s, "list_waf_rulesets", site(arguments{"id": made.ID}))
	require.Equal(t, "on", one.Rulesets[0].Status)
	require.Equal(t, 1, *one.Rulesets[0].Rules)

	require.Contains(t, s.preview(t, "delete_waf_ruleset", site(arguments{"id": made.ID})).Lost, "Rules: 1")
	gone := callOK[tools.DeleteWafRulesetOutput](t, s, "delete_waf_ruleset", site(arguments{"id": made.ID}))
	require.True(t, gone.Deleted)
	require.Contains(t, s.refuse(t, "delete_waf_ruleset", site(arguments{"id": made.ID})), "list_waf_rulesets")
	require.Contains(t, s.refuse(t, "set_waf_ruleset", site(arguments{})), "Give phase")
	require.Contains(t, s.refuse(t, "set_waf_ruleset", site(arguments{"phase": "tea"})), "phases are")
	require.Contains(t, s.refuse(t, "set_waf_ruleset", site(arguments{"id": made.ID, "phase": "http_bot"})), "only status")
	require.Contains(t, s.refuse(t, "list_waf_rulesets", site(arguments{"phase": "tea"})), "phases are")
}

func TestAccountLists(t *testing.T) {
	t.Parallel()
	s, _ := withSite(t, "security", "shop.test", "NS")
	made := callOK[tools.ListOutput](t, s, "create_list", arguments{"name": "blocked", "kind": "ip", "items": []string{"10.0.0.1", "10.0.0.2"}})
	changed := callOK[tools.ListOutput](t, s, "update_list", arguments{"id": made.ID, "add": []string{"10.0.0.3", "10.0.0.2"}, "remove": []string{"10.0.0.1"}})
	require.Equal(t, 1, changed.Added)
	require.Equal(t, 1, changed.Removed)
	got := callOK[tools.ListListsOutput](t, s, "list_lists", arguments{"id": made.ID})
	require.Equal(t, []string{"10.0.0.2", "10.0.0.3"}, got.Lists[0].Items)
	callOK[tools.ListOutput](t, s, "update_list", arguments{"id": made.ID, "items": []string{}, "description": "none"})
	all := callOK[tools.ListListsOutput](t, s, "list_lists", arguments{"kind": "ip", "search": "block"})
	require.Equal(t, 1, all.Total)
	require.Zero(t, all.Lists[0].Length)
	require.Equal(t, "none", all.Lists[0].Description)

	rule := callOK[tools.CreateWafRulesOutput](t, s, "create_waf_rules", arguments{"site_name": "shop.test", "phase": "http_custom",
		"rules": []arguments{{"name": "x", "action": "deny", "expression": `(ip.src in $blocked)`}}})
	require.Contains(t, s.refuse(t, "delete_list", arguments{"id": made.ID}), "take $name out of them first")
	require.Contains(t, s.refuse(t, "update_list", arguments{"id": made.ID, "name": "other"}), "DependedByOthers")
	callOK[tools.DeleteWafRuleOutput](t, s, "delete_waf_rule", arguments{"site_name": "shop.test", "id": rule.IDs[0]})
	require.True(t, callOK[tools.DeleteListOutput](t, s, "delete_list", arguments{"id": made.ID}).Deleted)

	require.Contains(t, s.refuse(t, "delete_list", arguments{"id": made.ID}), "list_lists")
	require.Contains(t, s.refuse(t, "update_list", arguments{"id": made.ID}), "Nothing to change")
	require.Contains(t, s.refuse(t, "update_list", arguments{"id": made.ID, "items": []string{}, "add": []string{"1.1.1.1"}}), "without add")
	require.Contains(t, s.refuse(t, "create_list", arguments{"name": "a-b", "kind": "ip"}), "name")
	require.Contains(t, s.refuse(t, "create_list", arguments{"name": "a", "kind": "ip", "items": []string{"10.0.0"}}), "InvalidParameter.Items")
}

// The service's own rules follow the site's managed rule, and what is used and
// allowed can be seen.
func TestManagedRulesAndQuotas(t *testing.T) {
	t.Parallel()
	s, _ := withSite(t, "security", "shop.test", "NS")
	managed := func(more arguments) []tools.WafRule {
		more["site_name"], more["attack_type"] = "shop.test", 11
		return callOK[tools.ListWafRulesOutput](t, s, "list_waf_rules", more).Rules
	}
	require.Len(t, managed(arguments{}), 4)
	require.Empty(t, managed(arguments{"status": "on"}))
	made := callOK[tools.CreateWafRulesOutput](t, s, "create_waf_rules", arguments{"site_name": "shop.test", "phase": "http_managed", "rules": []arguments{
		{"config": arguments{"ManagedRulesets": []arguments{{"AttackType": 11, "ProtectionLevel": 2, "Action": "deny"}}}}}})
	on := managed(arguments{"status": "on", "phase": "http_managed", "id": made.IDs[0]})
	require.Len(t, on, 2)
	require.Equal(t, "deny", on[0].Action)
	require.Equal(t, 1, on[0].Level)
	require.Contains(t, s.refuse(t, "list_waf_rules", arguments{"site_name": "shop.test", "attack_type": 11, "phase": "http_custom"}), "leave out")
	require.Contains(t, s.refuse(t, "list_waf_rules", arguments{"site_name": "shop.test", "attack_type": 99}), "InvalidParameter.AttackType")

	callOK[tools.CreateWafRulesOutput](t, s, "create_waf_rules", arguments{"site_name": "shop.test", "phase": "http_custom", "rules": []arguments{
		{"name": "a", "action": "deny", "expression": "true"}}})
	quotas := callOK[tools.ListWafRulesetsOutput](t, s, "list_waf_rulesets", arguments{"site_name": "shop.test", "quotas": true}).Quotas
	require.Equal(t, int64(2), quotas.RulesOfSite)
	require.Equal(t, 10, quotas.Limits["lists"])
	require.Equal(t, 10, quotas.Limits["scene_policies"])
	require.NotContains(t, quotas.Limits, "managed_rules_groups", "which the plan does not have")
	one := callOK[tools.ListWafRulesetsOutput](t, s, "list_waf_rulesets", arguments{"site_name": "shop.test", "phase": "http_custom", "quotas": true}).Quotas
	require.Equal(t, int64(1), one.RulesOfSite)
}
