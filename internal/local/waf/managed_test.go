package waf

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
)

// states are the managed rules of SQL injection by level: status and action.
func (b *bench) states(params api.Params) []string {
	b.T.Helper()
	params["AttackType"] = "11"
	var out []string
	for _, r := range b.Must("ListWafManagedRules", params)["Rules"].([]any) {
		m := r.(map[string]any)
		out = append(out, text(m["ProtectionLevel"])+" "+m["Status"].(string)+" "+m["Action"].(string))
	}
	return out
}

// Managed rules are on as far as the site's rule set turns them on, and as it
// names them one by one.
func TestManagedRules(t *testing.T) {
	b := newBench(t, Config{})
	require.Equal(t, []string{"1 off deny", "2 off deny", "3 off deny", "4 off deny"}, b.states(api.Params{}))
	id, _, code := b.create(phaseManaged, `{"ManagedRulesets":[{"AttackType":12,"ProtectionLevel":4},
		{"AttackType":11,"ProtectionLevel":2,"Action":"monitor","ManagedRules":[{"Id":110001,"Status":"off"},{"Id":110004,"Status":"on","Action":"deny"}]}]}`)
	require.Empty(t, code)
	want := []string{"1 off monitor", "2 on monitor", "3 off monitor", "4 on deny"}
	require.Equal(t, want, b.states(api.Params{}))
	require.Equal(t, want, b.states(api.Params{"Id": id}))
	require.Equal(t, want[1:2], b.states(api.Params{"QueryArgs": `{"Status":"on","Action":"monitor"}`}))
	require.Equal(t, want[2:3], b.states(api.Params{"QueryArgs": `{"ProtectionLevels":[3]}`}))
	require.Equal(t, want[3:], b.states(api.Params{"PageSize": "3", "PageNumber": "2"}))
	require.Equal(t, want[:1], b.states(api.Params{"QueryArgs": `{"IdNameLike":"110001"}`}))
	b.Must("UpdateWafRule", api.Params{"Id": id, "Status": "off"})
	require.Equal(t, "1 off deny", b.states(api.Params{})[0], "a rule that is off sets nothing")

	for code, params := range map[string]api.Params{
		"InvalidParameter.AttackType": {"AttackType": "99"},
		"InvalidRule.NotFound":        {"AttackType": "11", "Id": "5"},
		"SiteNotFound":                {"AttackType": "11", "SiteId": "5"},
	} {
		_, got := b.Call("ListWafManagedRules", params)
		require.Equal(t, code, got)
	}
}

func TestWafQuotaAndUsage(t *testing.T) {
	b := newBench(t, Config{})
	b.create(phaseCustom, custom("a", "true"))
	b.create(phaseCustom, custom("b", "true"))
	b.create(phaseWhitelist, custom("c", "true"))
	require.Equal(t, json.Number("3"), b.Must("ListWafUsageOfRules", api.Params{})["InstanceUsage"])
	custom := b.Must("ListWafUsageOfRules", api.Params{"Phase": phaseCustom})
	require.Equal(t, map[string]any{"Id": json.Number(b.site), "Name": "a.test", "Usage": json.Number("2")}, custom["Sites"].([]any)[0])
	_, code := b.Call("ListWafUsageOfRules", api.Params{"Phase": "none"})
	require.Equal(t, "InvalidParameter.Phase", code)

	require.Len(t, b.Must("GetWafQuota", api.Params{})["Quota"], 4)
	quota := b.Must("GetWafQuota", api.Params{"Paths": "list,page"})["Quota"].(map[string]any)
	require.Len(t, quota, 2)
	require.Equal(t, map[string]any{"LessThanOrEqual": json.Number("10")}, quota["List"].(map[string]any)["NumberTotal"])
}
