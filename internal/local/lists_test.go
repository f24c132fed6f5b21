package local

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestListsInUse has each kind of rule refer to a list: without the list it does
// not compile, and with it the list cannot be deleted until the rule is gone.
func TestListsInUse(t *testing.T) {
	b := newShop(t, Options{})
	plan := must(t, b.info, "ListUserRatePlanInstances", nil)["InstanceInfo"].([]any)[0].(map[string]any)["InstanceId"]
	pool := b.call("CreateOriginPool", map[string]any{"Name": "pool", "Origins": []any{map[string]any{"Name": "o", "Address": "192.0.2.1"}}})["Id"]
	room := b.call("CreateWaitingRoom", map[string]any{"Name": "room", "CookieName": "c", "Enable": "on", "NewUsersPerMinute": "100", "TotalActiveUsers": "200",
		"SessionDuration": "5", "QueuingMethod": "fifo", "QueuingStatusCode": "200", "WaitingRoomType": "default",
		"HostNameAndPath": []any{map[string]any{"Subdomain": "www.", "Domain": "shop.example", "Path": "/"}}})["WaitingRoomId"]
	must(t, b.info, "CreateRoutine", map[string]any{"Name": "hello"})
	const text = `(ip.src in $office)`
	rule := map[string]any{"SiteId": b.id, "RuleName": "r", "RuleEnable": "on", "Rule": text}
	waf := map[string]any{"Name": "r", "Action": "deny", "Expression": text}
	for create, c := range map[string]struct {
		params     map[string]any
		id, remove string
		by         map[string]any
	}{
		"CreateCacheRule":       {merged(rule, map[string]any{"BypassCache": "bypass_all"}), "ConfigId", "DeleteCacheRule", map[string]any{"SiteId": b.id}},
		"CreateRoutineRoute":    {map[string]any{"SiteId": b.id, "RoutineName": "hello", "RouteName": "r", "RouteEnable": "on", "Rule": text}, "ConfigId", "DeleteRoutineRoute", map[string]any{"SiteId": b.id}},
		"CreateWafRule":         {map[string]any{"SiteId": b.id, "Phase": "http_custom", "Config": waf}, "Id", "DeleteWafRule", map[string]any{"SiteId": b.id}},
		"BatchCreateWafRules":   {map[string]any{"SiteId": b.id, "Phase": "http_custom", "Shared": waf, "Configs": []any{map[string]any{"Name": "s", "Action": "deny"}}}, "RulesetId", "DeleteWafRuleset", map[string]any{"SiteId": b.id}},
		"CreateWaitingRoomRule": {merged(rule, map[string]any{"WaitingRoomId": room}), "WaitingRoomRuleId", "DeleteWaitingRoomRule", map[string]any{"SiteId": b.id}},
		"CreateLoadBalancer": {map[string]any{"SiteId": b.id, "Name": "lb.shop.example", "DefaultPools": []any{pool}, "FallbackPool": pool, "SteeringPolicy": "order",
			"Monitor": map[string]any{"Type": "off"}, "Rules": []any{map[string]any{"RuleName": "r", "RuleEnable": "on", "Rule": text}}}, "Id", "DeleteLoadBalancer", map[string]any{"SiteId": b.id}},
		"CreateUserWafRuleset": {map[string]any{"InstanceId": plan, "Name": "r", "Phase": "http_custom", "Status": "on", "Expression": "true", "Rules": []any{waf}}, "Id", "DeleteUserWafRuleset", map[string]any{"InstanceId": plan}},
	} {
		t.Run(create, func(t *testing.T) {
			_, err := call(t, b.info, create, c.params)
			require.Equal(t, "CompileRuleError", code(err), "%v", err)
			list := must(t, b.info, "CreateList", map[string]any{"Name": "office", "Kind": "ip", "Items": []any{"192.0.2.0/24"}})["Id"]
			made := must(t, b.info, create, c.params)
			_, err = call(t, b.info, "DeleteList", map[string]any{"Id": list})
			require.Equal(t, "DependedByOthers", code(err), "%v", err)
			name := c.id
			if name == "RulesetId" {
				name = "Id"
			}
			must(t, b.info, c.remove, merged(c.by, map[string]any{name: made[c.id]}))
			must(t, b.info, "DeleteList", map[string]any{"Id": list})
		})
	}
}
