package waf

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/apitest"
	"github.com/esa-mcp/esa-mcp/internal/local/lists"
	"github.com/esa-mcp/esa-mcp/internal/local/quota"
	"github.com/esa-mcp/esa-mcp/internal/local/site"
)

// bench is a service on a fresh state with one site.
type bench struct {
	*apitest.Bench
	site string
}

func newBench(t *testing.T, cfg Config) *bench {
	t.Helper()
	b := &bench{Bench: apitest.New(t)}
	cfg.Now = b.Clock
	sites, err := site.New(t.Context(), b.Store, site.Config{})
	require.NoError(t, err)
	b.Table = New(b.Store, cfg).Table()
	b.Table.Add(sites.Table())
	b.Table.Add(lists.New(b.Store, lists.Config{InUse: UsesList}).Table())
	plans := b.Must("ListUserRatePlanInstances", api.Params{})["InstanceInfo"].([]any)
	made := b.Must("CreateSite", api.Params{"SiteName": "a.test", "AccessType": "NS", "Coverage": "overseas",
		"InstanceId": plans[0].(map[string]any)["InstanceId"]})
	b.site = text(made["SiteId"])
	b.Defaults = api.Params{"SiteId": b.site}
	return b
}

func text(v any) string { return v.(json.Number).String() }

func custom(name, expression string) string {
	raw, _ := json.Marshal(map[string]any{"Name": name, "Action": "deny", "Expression": expression})
	return string(raw)
}

func (b *bench) create(phase, config string) (id, setID, code string) {
	b.T.Helper()
	out, code := b.Call("CreateWafRule", api.Params{"Phase": phase, "Config": config})
	if code != "" {
		return "", "", code
	}
	return text(out["Id"]), text(out["RulesetId"]), ""
}

// order is the names of a phase's rules by position.
func (b *bench) order(phase string) string {
	b.T.Helper()
	var names []string
	for i, r := range b.Must("ListWafRules", api.Params{"Phase": phase})["Rules"].([]any) {
		m := r.(map[string]any)
		require.Equal(b.T, fmt.Sprint(i+1), text(m["Position"]), "positions have no gaps")
		names = append(names, m["Name"].(string))
	}
	return strings.Join(names, " ")
}

func TestRulesOfAPhase(t *testing.T) {
	b := newBench(t, Config{})
	a, setID, code := b.create(phaseCustom, custom("a", `(http.host eq "a.test")`))
	require.Empty(t, code)
	_, other, _ := b.create(phaseCustom, custom("b", "true"))
	require.Equal(t, setID, other, "the phase has one rule set until another is made")
	c, _, _ := b.create(phaseCustom, custom("c", "true"))
	require.Equal(t, "a b c", b.order(phaseCustom))
	b.Must("UpdateWafRule", api.Params{"Id": c, "Position": "1"})
	require.Equal(t, "c a b", b.order(phaseCustom))
	b.Must("UpdateWafRule", api.Params{"Id": c, "Position": "3"})
	require.Equal(t, "a b c", b.order(phaseCustom))
	_, code = b.Call("UpdateWafRule", api.Params{"Id": c, "Position": "4"})
	require.Equal(t, "InvalidParameter.Position", code)

	b.Must("UpdateWafRule", api.Params{"Id": a, "Status": "off"})
	b.Must("UpdateWafRule", api.Params{"Id": a, "Config": custom("a2", `(ip.src eq 1.1.1.1)`)})
	got := b.Must("GetWafRule", api.Params{"Id": a})
	require.Equal(t, "off", got["Status"], "a new configuration keeps the status")
	require.Equal(t, "a2", got["Name"])
	require.Equal(t, "(ip.src eq 1.1.1.1)", got["Config"].(map[string]any)["Expression"])
	require.Equal(t, a, text(got["Config"].(map[string]any)["Id"]))

	list := func(query string) int {
		return len(b.Must("ListWafRules", api.Params{"Phase": phaseCustom, "QueryArgs": query})["Rules"].([]any))
	}
	require.Equal(t, 1, list(`{"Status":"off"}`))
	require.Equal(t, 1, list(`{"NameLike":"a2"}`))
	require.Equal(t, 1, list(`{"ConfigValueLike":"1.1.1.1"}`))
	require.Equal(t, 1, list(`{"Id":`+c+`}`))
	require.Equal(t, 0, list(`{"IdNameLike":"zz"}`))
	page := b.Must("ListWafRules", api.Params{"Phase": phaseCustom, "PageSize": "2", "PageNumber": "2"})
	require.Len(t, page["Rules"], 1)
	require.Equal(t, "3", text(page["TotalCount"]))
	require.Empty(t, b.order(phaseWhitelist))

	b.Must("DeleteWafRule", api.Params{"Id": a})
	require.Equal(t, "b c", b.order(phaseCustom))
	for _, action := range []string{"GetWafRule", "UpdateWafRule", "DeleteWafRule"} {
		_, code = b.Call(action, api.Params{"Id": a})
		require.Equal(t, "InvalidRule.NotFound", code, action)
	}
}

func TestConfigurationsRefused(t *testing.T) {
	b := newBench(t, Config{Quotas: quota.Set{}.With(quota.WAFRules, 2)})
	limit := `{"Name":"r","Action":"deny","Expression":"true","RateLimit":{"Interval":10,"TTL":60,"Threshold":{"Request":5},` +
		`"Characteristics":{"Logic":"and","Criteria":[{"MatchType":"ip.src"}]}}}`
	for name, c := range map[string]struct{ phase, config, code string }{
		"phase":           {"http_coffee", custom("a", "true"), "InvalidParameter.Phase"},
		"no object":       {phaseCustom, `[]`, "InvalidConfig"},
		"no name":         {phaseCustom, custom("", "true"), "InvalidParameter.Name"},
		"no action":       {phaseCustom, `{"Name":"a","Expression":"true"}`, "InvalidParameter.Action"},
		"status":          {phaseCustom, `{"Name":"a","Action":"deny","Expression":"true","Status":"maybe"}`, "InvalidParameter.Status"},
		"no expression":   {phaseCustom, `{"Name":"a","Action":"deny"}`, "CompileRuleError"},
		"open quote":      {phaseCustom, custom("a", `(http.host eq "a)`), "CompileRuleError"},
		"unknown list":    {phaseCustom, custom("a", `(ip.src in $nobody)`), "CompileRuleError"},
		"no interval":     {phaseRateLimit, strings.Replace(limit, `"Interval":10,`, "", 1), "InvalidParameter.RateLimit"},
		"no ttl":          {phaseRateLimit, strings.Replace(limit, `"TTL":60`, `"TTL":0`, 1), "InvalidParameter.RateLimit"},
		"no threshold":    {phaseRateLimit, strings.Replace(limit, "Request", "Other", 1), "InvalidParameter.RateLimit"},
		"counted by what": {phaseRateLimit, strings.Replace(limit, "Criteria", "Other", 1), "InvalidParameter.RateLimit"},
		"value":           {phaseIPAccess, `{"Action":"deny","Value":"10.0.0"}`, "InvalidParameter.Value"},
		"level":           {phaseLevel, `{"Name":"a","Expression":"true","SecurityLevel":{"Value":"x"}}`, "InvalidConfig"},
		"no level":        {phaseLevel, `{"Name":"a","Expression":"true"}`, "InvalidParameter.SecurityLevel"},
		"list for text":   {phaseCustom, `{"Name":["a"],"Action":"deny","Expression":"true"}`, "InvalidConfig"},
		"text for object": {phaseCustom, `{"Name":"a","Action":"deny","Expression":"true","Actions":"x"}`, "InvalidConfig"},
		"text for number": {phaseCustom, `{"Name":"a","Action":"deny","Expression":"true","Actions":{"Response":{"Code":"x"}}}`, "InvalidConfig"},
		"too many bits":   {phaseCustom, `{"Name":"a","Action":"deny","Expression":"true","Actions":{"Response":{"Code":4294967296}}}`, "InvalidConfig"},
		"managed":         {phaseManaged, `{"Name":"a","ManagedRulesets":[{"Action":"deny"}]}`, "InvalidParameter.ManagedRulesets"},
		"skip":            {phaseWhitelist, `{"Name":"a","Expression":"true","Actions":{"Bypass":{"Skip":"x"}}}`, "InvalidParameter.Actions"},
	} {
		_, _, code := b.create(c.phase, c.config)
		require.Equal(t, c.code, code, name)
	}
	require.Empty(t, b.Must("ListWafRulesets", api.Params{})["Rulesets"], "a refused rule leaves no rule set behind")
	for phase, config := range map[string]string{
		phaseRateLimit: limit, phaseIPAccess: `{"Action":"deny","Value":"10.0.0.0/8"}`,
		phaseLevel:     `{"Name":"a","Expression":"true","SecurityLevel":{"Value":"high"}}`,
		phaseManaged:   `{"ManagedRulesets":[{"AttackType":11,"Action":"deny","ProtectionLevel":2}]}`,
		phaseWhitelist: `{"Name":"a","Expression":"true","Actions":{"Bypass":{"Skip":"part","Tags":["http_custom"]}}}`,
		phaseBot:       `{"Name":"a","Type":"web"}`,
		phaseAntiScan:  `{"Name":"a","Action":"deny","Type":"http_directory_traversal"}`,
	} {
		_, _, code := b.create(phase, config)
		require.Empty(t, code, phase)
	}
	_, _, code := b.create(phaseRateLimit, limit)
	require.Empty(t, code)
	_, _, code = b.create(phaseRateLimit, limit)
	require.Equal(t, "RuleQuotaCheckFailed", code)
	_, code = b.Call("CreateWafRule", api.Params{"Phase": phaseCustom})
	require.Equal(t, "MissingConfig", code)
	_, code = b.Call("CreateWafRule", api.Params{"SiteId": "1", "Phase": phaseCustom, "Config": custom("a", "true")})
	require.Equal(t, "SiteNotFound", code)
	_, code = b.Call("ListWafPhases", api.Params{"SiteVersion": "3"})
	require.Equal(t, "InvalidSiteVersion", code)
}

// TestConfigurationsAreTyped has the edge and clients find what the catalogue says
// of a configuration, whatever it was sent as.
func TestConfigurationsAreTyped(t *testing.T) {
	b := newBench(t, Config{})
	id, _, code := b.create(phaseCustom, `{"Name":5,"Action":"deny","Expression":"true","Timer":null,"Other":1,
		"Actions":{"Response":{"Code":"403","Id":" +7 "}},"RateLimit":{"OnHit":"TRUE"}}`)
	require.Empty(t, code)
	got := b.Must("GetWafRule", api.Params{"Id": id})["Config"].(map[string]any)
	require.Equal(t, map[string]any{"Id": json.Number(id), "Name": "5", "Action": "deny", "Expression": "true", "Status": "on",
		"Actions":   map[string]any{"Response": map[string]any{"Code": json.Number("403"), "Id": json.Number("7")}},
		"RateLimit": map[string]any{"OnHit": true}}, got)
	_, code = b.Call("BatchCreateWafRules", api.Params{"Phase": phaseCustom, "Configs": "[" + custom("a", "true") + `,{"Name":{}}]`})
	require.Equal(t, "InvalidConfigs", code)
	_, code = b.Call("BatchCreateWafRules", api.Params{"Phase": phaseCustom, "Shared": `{"Name":[]}`, "Configs": "[" + custom("a", "true") + "]"})
	require.Equal(t, "InvalidShared", code)
}

func TestRulesets(t *testing.T) {
	b := newBench(t, Config{Quotas: quota.Set{}.With(quota.WAFRulesets, 2)})
	id := text(b.Must("CreateWafRuleset", api.Params{"Phase": phaseBot, "Name": "bots"})["Id"])
	b.Must("CreateWafRuleset", api.Params{"Phase": phaseBot})
	_, code := b.Call("CreateWafRuleset", api.Params{"Phase": phaseBot})
	require.Equal(t, "RulesetQuotaCheckFailed", code)
	_, code = b.Call("CreateWafRuleset", api.Params{"Phase": "x"})
	require.Equal(t, "InvalidParameter.Phase", code)
	b.Must("UpdateWafRuleset", api.Params{"Id": id, "Status": "off"})
	_, code = b.Call("UpdateWafRuleset", api.Params{"Id": id, "Status": "x"})
	require.Equal(t, "InvalidParameter.Status", code)

	batch := b.Must("BatchCreateWafRules", api.Params{"RulesetId": id, "Shared": `{"Name":"shared","Target":"web","Expression":"true"}`,
		"Configs": `[{"Name":"one","Type":"web"},{"Name":"two","Type":"app"}]`})
	ids := batch["Ids"].([]any)
	require.Len(t, ids, 2)
	_, code = b.Call("BatchCreateWafRules", api.Params{"RulesetId": id, "Configs": `[{"Name":"three"},{"Name":""}]`})
	require.Equal(t, "InvalidParameter.Name", code)
	require.Equal(t, "one two", b.order(phaseBot), "all or none")
	b.Must("BatchUpdateWafRules", api.Params{"RulesetId": id, "Configs": `[{"Id":` + text(ids[1]) + `,"Name":"zwei"}]`})
	require.Equal(t, "one zwei", b.order(phaseBot))
	_, code = b.Call("BatchUpdateWafRules", api.Params{"RulesetId": id, "Configs": `[{"Name":"x"}]`})
	require.Equal(t, "InvalidConfigs", code)
	_, code = b.Call("BatchUpdateWafRules", api.Params{"RulesetId": id, "Configs": `[{"Id":7,"Name":"x"}]`})
	require.Equal(t, "InvalidRule.NotFound", code)
	_, code = b.Call("BatchCreateWafRules", api.Params{"RulesetId": id, "Phase": phaseCustom, "Configs": `[{"Name":"x"}]`})
	require.Equal(t, "InvalidParameter.Phase", code)
	_, code = b.Call("BatchCreateWafRules", api.Params{"RulesetId": id})
	require.Equal(t, "MissingConfigs", code)

	got := b.Must("GetWafRuleset", api.Params{"Phase": phaseBot})
	require.Equal(t, id, text(got["Id"]))
	require.Equal(t, "shared", got["Name"])
	require.Equal(t, "off", got["Status"])
	require.Len(t, got["Rules"], 2)
	sets := b.Must("ListWafRulesets", api.Params{"Phase": phaseBot, "QueryArgs": `{"NameLike":"sha"}`})["Rulesets"].([]any)
	require.Len(t, sets, 1)
	require.Equal(t, []any{"web"}, sets[0].(map[string]any)["Types"])
	phases := b.Must("ListWafPhases", api.Params{})["Phases"].([]any)
	require.Len(t, phases, 8)

	b.Must("DeleteWafRuleset", api.Params{"Id": id})
	require.Empty(t, b.order(phaseBot))
	_, code = b.Call("GetWafRuleset", api.Params{"Id": id})
	require.Equal(t, "InvalidRuleset.NotFound", code)
	_, code = b.Call("GetWafRuleset", api.Params{"Phase": phaseCustom})
	require.Equal(t, "InvalidRuleset.NotFound", code)
}

func TestListsInUse(t *testing.T) {
	b := newBench(t, Config{})
	list := text(b.Must("CreateList", api.Params{"Name": "bad_ips", "Kind": "ip", "Items": `["10.0.0.1"]`})["Id"])
	spare := text(b.Must("CreateList", api.Params{"Name": "bad", "Kind": "ip", "Items": `[]`})["Id"])
	rule, _, code := b.create(phaseCustom, custom("a", `(ip.src in $bad_ips and http.host ne "$bad")`))
	require.Empty(t, code)
	_, code = b.Call("DeleteList", api.Params{"Id": list})
	require.Equal(t, "DependedByOthers", code)
	b.Must("DeleteList", api.Params{"Id": spare}) // part of another name, and inside a string
	b.Must("DeleteWafRule", api.Params{"Id": rule})
	b.Must("DeleteList", api.Params{"Id": list})
}

func TestRulesGoWithTheirSite(t *testing.T) {
	b := newBench(t, Config{})
	_, _, code := b.create(phaseCustom, custom("a", "true"))
	require.Empty(t, code)
	b.Must("DeleteSite", api.Params{})
	require.NoError(t, b.Store.Tx(t.Context(), func(tx *sql.Tx) error {
		var n int
		require.NoError(t, tx.QueryRow(`SELECT COUNT(*) FROM waf_rules`).Scan(&n))
		require.Zero(t, n)
		return nil
	}))
}
