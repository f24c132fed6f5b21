package routine

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/quota"
)

// addSite puts a site into the state, as the sites' part would.
func (f *fixture) addSite(id int64, name string) string {
	f.t.Helper()
	db := f.store.DB()
	_, err := db.Exec(`INSERT OR IGNORE INTO plan_instances (instance_id, plan_name, subscribe_type, plan_type, status, site_quota, created, expires)
		VALUES ('p', 'basic', 'basicplan', 'normal', 'online', 9, 0, 0)`)
	require.NoError(f.t, err)
	_, err = db.Exec(`INSERT INTO sites (id, name, access_type, coverage, status, instance_id, name_servers, verify_code, cname_zone, created, updated)
		VALUES (?, ?, 'NS', 'overseas', 'active', 'p', '', '', 'zone.localhost', 0, 0)`, id, name)
	require.NoError(f.t, err)
	return fmt.Sprint(id)
}

func (f *fixture) addRecord(site, name, kind string) {
	f.t.Helper()
	_, err := f.store.DB().Exec(`INSERT INTO records (id, site_id, name, type, ttl, proxied, biz_name, source_type, host_policy, auth_conf,
		comment, data, http_ports, https_ports, created, updated) VALUES (?, ?, ?, ?, 1, 1, 'web', '', '', '', '', '{}', '', '', 0, 0)`,
		len(name), site, name, kind)
	require.NoError(f.t, err)
}

func routeParams(site, routine, rule string) api.Params {
	return api.Params{"SiteId": site, "RoutineName": routine, "RouteName": "r", "RouteEnable": "on", "Rule": rule}
}

const anyRule = `(http.host eq "shop.example")`

func TestRoutes(t *testing.T) {
	f := newFixture(t, Config{})
	f.call("CreateRoutine", api.Params{"Name": "fn"})
	f.call("CreateRoutine", api.Params{"Name": "other"})
	site := f.addSite(11, "shop.example")

	p := routeParams(site, "fn", anyRule)
	p["Fallback"], p["Timeout"] = "on", "30"
	id := fmt.Sprint(f.call("CreateRoutineRoute", p)["ConfigId"])
	second := fmt.Sprint(f.call("CreateRoutineRoute", routeParams(site, "other", "true"))["ConfigId"])
	require.NotEqual(t, id, second)

	one := api.Params{"SiteId": site, "ConfigId": id}
	got := f.call("GetRoutineRoute", one)
	require.Equal(t, "rule", got["ConfigType"])
	require.Equal(t, anyRule, got["Rule"])
	require.Equal(t, "on", got["Fallback"])
	require.Equal(t, "off", got["Bypass"])
	require.Equal(t, "30", got["Timeout"])
	require.EqualValues(t, "1", got["Sequence"])

	f.call("UpdateRoutineRoute", api.Params{"SiteId": site, "ConfigId": id, "RouteEnable": "off", "Sequence": "9"})
	got = f.call("GetRoutineRoute", one)
	require.Equal(t, "off", got["RouteEnable"])
	require.Equal(t, "30", got["Timeout"], "what is not sent stays")

	list := f.call("ListSiteRoutes", api.Params{"SiteId": site})["Configs"].([]any)
	require.Len(t, list, 2)
	require.Equal(t, "other", list[0].(map[string]any)["RoutineName"], "the smaller sequence comes first")
	require.NotContains(t, list[0], "SiteName")
	require.Len(t, f.call("ListSiteRoutes", api.Params{"SiteId": site, "ConfigId": id})["Configs"], 1)
	require.Empty(t, f.call("ListSiteRoutes", api.Params{"SiteId": site, "ConfigType": "global"})["Configs"])
	require.Empty(t, f.call("ListSiteRoutes", api.Params{"SiteId": site, "RouteName": "none"})["Configs"])

	list = f.call("ListRoutineRoutes", api.Params{"RoutineName": "fn"})["Configs"].([]any)
	require.Len(t, list, 1)
	require.Equal(t, "shop.example", list[0].(map[string]any)["SiteName"])

	f.call("DeleteRoutineRoute", one)
	f.refuses("RoutineRouteNotExist", "DeleteRoutineRoute", one)
	f.call("DeleteRoutine", api.Params{"Name": "other"})
	require.Empty(t, f.call("ListSiteRoutes", api.Params{"SiteId": site})["Configs"], "a routine's routes go with it")
}

func TestRouteRefusals(t *testing.T) {
	f := newFixture(t, Config{Quotas: quota.Set{}.With(quota.RoutineRouteSites, 1)})
	f.call("CreateRoutine", api.Params{"Name": "fn"})
	site := f.addSite(11, "shop.example")
	for title, c := range map[string]struct {
		change api.Params
		code   string
	}{
		"no such routine":    {api.Params{"RoutineName": "nope"}, "RoutineNotExist"},
		"no such site":       {api.Params{"SiteId": "12"}, "SiteNotFound"},
		"neither on nor off": {api.Params{"RouteEnable": "true"}, "InvalidRouteEnable"},
		"bypass":             {api.Params{"Bypass": "yes"}, "InvalidBypass"},
		"short timeout":      {api.Params{"Timeout": "4"}, "InvalidTimeout"},
		"no rule":            {api.Params{"Rule": ""}, "MissingRule"},
		"a pattern as rule":  {api.Params{"Rule": "shop.example/*"}, "CompileRuleError"},
		"open parenthesis":   {api.Params{"Rule": `(http.host eq "a"`}, "CompileRuleError"},
		"open string":        {api.Params{"Rule": `(http.host eq "a)`}, "CompileRuleError"},
		"foreign operator":   {api.Params{"Rule": `(http.host == "a")`}, "CompileRuleError"},
		"no field":           {api.Params{"Rule": `("a" eq "a")`}, "CompileRuleError"},
	} {
		p := routeParams(site, "fn", anyRule)
		for k, v := range c.change {
			p[k] = v
		}
		t.Run(title, func(t *testing.T) { f.refuses(c.code, "CreateRoutineRoute", p) })
	}
	f.call("CreateRoutineRoute", routeParams(site, "fn", `(http.host eq "a\"(b" and starts_with(http.request.uri.path, "/"))`))
	f.refuses("QuotaExceed.RoutineRouteSite", "CreateRoutineRoute", routeParams(f.addSite(12, "other.example"), "fn", anyRule))
}

func TestRelatedRecords(t *testing.T) {
	f := newFixture(t, Config{})
	f.call("CreateRoutine", api.Params{"Name": "fn"})
	f.call("CreateRoutine", api.Params{"Name": "other"})
	site := f.addSite(11, "shop.example")
	f.addRecord(site, "taken.shop.example", "CNAME")
	f.addRecord(site, "text.shop.example", "TXT")
	p := func(name, record string) api.Params {
		return api.Params{"Name": name, "SiteId": site, "RecordName": record}
	}
	f.refuses("DependedByOthers", "CreateRoutineRelatedRecord", p("fn", "taken.shop.example"))
	f.refuses("InvalidParameter.InvalidRecordNameSuffix", "CreateRoutineRelatedRecord", p("fn", "www"))
	f.refuses("InvalidParameter.InvalidRecordNameSuffix", "CreateRoutineRelatedRecord", p("fn", "myshop.example"))
	f.call("CreateRoutineRelatedRecord", p("fn", "text.shop.example"))
	made := f.call("CreateRoutineRelatedRecord", p("fn", "WWW.shop.example"))
	require.Equal(t, "OK", made["Status"])
	f.refuses("Record.RecordNameConflictWithSameRecordType", "CreateRoutineRelatedRecord", p("fn", "www.shop.example"))
	f.refuses("DependedByOthers", "CreateRoutineRelatedRecord", p("other", "www.shop.example"))

	list := f.call("ListRoutineRelatedRecords", api.Params{"Name": "fn", "SearchKeyWord": "www"})["RelatedRecords"].([]any)
	require.Len(t, list, 1)
	require.Equal(t, made["RecordId"], list[0].(map[string]any)["RecordId"])
	for match, want := range map[string]int{"exact": 0, "prefix": 1, "fuzzy": 1, "suffix": 0} {
		all := f.call("ListEdgeRoutineRecords", api.Params{"SiteId": site, "RecordName": "www", "RecordMatchType": match})
		require.Len(t, all["Records"], want, match)
		if want > 0 {
			require.Equal(t, "www.shop.example.zone.localhost", all["Records"].([]any)[0].(map[string]any)["RecordCname"])
		}
	}
	gone := p("fn", "www.shop.example")
	gone["RecordId"] = "1"
	f.refuses("Record.NotFound", "DeleteRoutineRelatedRecord", gone)
	gone["RecordId"] = fmt.Sprint(made["RecordId"])
	f.call("DeleteRoutineRelatedRecord", gone)
	f.call("DeleteRoutine", api.Params{"Name": "fn"})
	require.Empty(t, f.call("ListEdgeRoutineRecords", api.Params{"SiteId": site})["Records"])
}

func TestAccountReads(t *testing.T) {
	f := newFixture(t, Config{})
	f.call("CreateRoutine", api.Params{"Name": "fn", "Description": "old"})
	f.call("UpdateRoutineConfigDescription", api.Params{"Name": "fn", "Description": "new"})
	f.refuses("RoutineNotExist", "UpdateRoutineConfigDescription", api.Params{"Name": "nope"})
	require.Equal(t, "new", f.call("GetRoutineUserInfo", nil)["Routines"].([]any)[0].(map[string]any)["Description"])
	require.Equal(t, []any{"127.0.0.1"}, f.call("GetRoutineStagingEnvIp", nil)["IPV4"])
	plan := f.call("ListEdgeRoutinePlans", nil)["PlanInfo"].([]any)[0].(map[string]any)
	require.Equal(t, "10", plan["ErRoutineCodeVersionQuota"])
	require.Empty(t, f.call("ListRoutineCanaryAreas", nil)["CanaryAreas"])

	url, fields := f.stagingForm("fn")
	status, text := post(t, url, fields, []byte("let a"))
	require.Equal(t, 200, status, text)
	v := f.call("CommitRoutineStagingCode", api.Params{"Name": "fn"})["CodeVersion"]
	require.Equal(t, "let a", f.call("GetRoutineCodeVersion", api.Params{"Name": "fn", "CodeVersion": v})["RoutineCode"])
	f.refuses("RoutineCodeVersionNotExist", "GetRoutineCodeVersion", api.Params{"Name": "fn", "CodeVersion": "1"})
}
