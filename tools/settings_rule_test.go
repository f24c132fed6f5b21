package tools

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// sent returns the parameters of the only call of an action.
func (f *fakeESA) sent(t *testing.T, action string) string {
	t.Helper()
	var found []string
	for _, c := range f.calls {
		if c.Action == action {
			found = append(found, c.Params)
		}
	}
	require.Len(t, found, 1, action)
	return found[0]
}

func TestChangedRuleIsSentWhole(t *testing.T) {
	f := &fakeESA{answers: map[string]func(esa.Params) (any, error){
		"GetCacheRule": say(`{"ConfigId":9007199254740993,"ConfigType":"rule","Rule":"(http.host eq \"a.b\")","RuleName":"n","RuleEnable":"on",
			"Sequence":3,"SiteVersion":0,"EdgeCacheMode":"override_origin","EdgeCacheTtl":"60","UserGeo":"on","BypassCache":"word_of_tomorrow","QueryString":""}`),
		"UpdateCacheRule": say(`{}`),
	}}
	out, err := callTool(t, f, "set_cache_rule", `{"site_id":9007199254740995,"rule_id":"9007199254740993","edge_cache_mode":"no_cache","settings":{"user_geo":"","serve_stale":true}}`)
	require.NoError(t, err)
	require.JSONEq(t, `{"SiteId":9007199254740995,"ConfigId":9007199254740993,"Rule":"(http.host eq \"a.b\")","RuleName":"n","RuleEnable":"on","Sequence":3,
		"EdgeCacheMode":"no_cache","UserGeo":"","ServeStale":"on","BypassCache":"word_of_tomorrow"}`, f.sent(t, "UpdateCacheRule"),
		"what is not given stays, the TTL goes with its mode")
	require.Contains(t, out, `"id":"9007199254740993"`)
	require.NotContains(t, out, "user_geo", "cleared")
}

func TestScopeOfARule(t *testing.T) {
	of := func(kind string) *fakeESA {
		return &fakeESA{answers: map[string]func(esa.Params) (any, error){
			"GetOriginRule":   say(`{"ConfigId":5,"ConfigType":"` + kind + `","OriginScheme":"http"}`),
			"ListOriginRules": say(`{"Configs":[],"TotalCount":0}`), "CreateOriginRule": say(`{"ConfigId":7}`), "UpdateOriginRule": say(`{}`),
		}}
	}
	f := of("global")
	out, err := callTool(t, f, "set_origin_rule", `{"site_id":"1","scope":"global","origin_scheme":"http"}`)
	require.NoError(t, err)
	require.JSONEq(t, `{"SiteId":1,"OriginScheme":"http"}`, f.sent(t, "CreateOriginRule"), "the default has no rule at all")
	require.Contains(t, out, `"scope":"global"`)
	f = of("global")
	_, err = callTool(t, f, "set_origin_rule", `{"site_id":"1","rule_id":"5","rule":"true","origin_scheme":"http"}`)
	require.ErrorContains(t, err, "leave them out")
	f = of("rule")
	_, err = callTool(t, f, "set_origin_rule", `{"site_id":"1","rule_id":"5","scope":"global","origin_scheme":"http"}`)
	require.ErrorContains(t, err, "cannot change")
}

func TestSnake(t *testing.T) {
	for name, want := range map[string]string{"DnsRecord": "dns_record", "Follow302MaxTries": "follow302_max_tries", "Tls10": "tls10"} {
		require.Equal(t, want, snake(name))
	}
}

func TestRuleHost(t *testing.T) {
	for rule, want := range map[string]string{
		`(http.host eq "A.example.com")`:                       "a.example.com",
		`http.host eq "a.b" and http.request.uri.path eq "/x"`: "a.b",
		`(http.host eq "a.b") or (http.host eq "c.d")`:         "",
		`(not http.host in {"a.b"}) and (http.host eq "c.d")`:  "",
		`true`: "",
	} {
		require.Equal(t, want, ruleHost(rule), rule)
	}
}

func TestPurgeContentIsThatOfTheType(t *testing.T) {
	for kind, want := range map[string]string{
		"file": `{"Files":["https://a.b/c"]}`, "directory": `{"Directories":["https://a.b/c/"]}`, "ignoreParams": `{"IgnoreParams":["https://a.b/c"]}`,
	} {
		f := &fakeESA{answers: map[string]func(esa.Params) (any, error){
			"GetPurgeQuota": say(`{"Quota":"10","Usage":"10"}`), "PurgeCaches": say(`{"TaskId":"9007199254740993"}`),
		}}
		out, err := callTool(t, f, "purge_cache", `{"site_id":"1","type":"`+kind+`","targets":["https://a.b/c"]}`)
		require.NoError(t, err)
		var sent struct{ Content json.RawMessage }
		require.NoError(t, json.Unmarshal([]byte(f.sent(t, "PurgeCaches")), &sent))
		require.JSONEq(t, want, string(sent.Content))
		require.Contains(t, out, `"quota_left":0`)
		require.Contains(t, out, `"quota_left":0`, "the quota is used up: left to the service to refuse")
	}
}

// The service has no filter by task: its targets are found across pages.
func TestTaskAcrossPages(t *testing.T) {
	f := &fakeESA{answers: map[string]func(esa.Params) (any, error){"DescribePurgeTasks": func(p esa.Params) (any, error) {
		page := p["PageNumber"].(int)
		if p["Type"] != "directory" {
			return `{"TotalCount":0,"Tasks":[]}`, nil
		}
		if page > 3 {
			return nil, fmt.Errorf("page %d was asked for", page)
		}
		rows := make([]string, 50)
		for i := range rows {
			task := (page*50 + i) / 60 // 50 to 59 are of 0, then 60 of 1 and so on
			rows[i] = fmt.Sprintf(`{"TaskId":"%d","Content":"u%d","Status":"Complete"}`, task, i)
		}
		return `{"TotalCount":1000,"Tasks":[` + strings.Join(rows, ",") + `]}`, nil
	}}}
	out, err := callTool(t, f, "list_cache_tasks", `{"task_id":"1"}`)
	require.NoError(t, err)
	require.Contains(t, out, `"statuses":{"Complete":60}`)
}
