package rules

import (
	"context"
	"database/sql"
	"encoding/json"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/apitest"
	"github.com/esa-mcp/esa-mcp/internal/local/quota"
	"github.com/esa-mcp/esa-mcp/internal/local/site"
)

// bench is the service on a fresh state with one site, called as the gateway
// calls it.
type bench struct {
	*apitest.Bench
	site string
}

func newBench(t *testing.T, cfg Config) *bench {
	t.Helper()
	b := &bench{Bench: apitest.New(t)}
	sites, err := site.New(t.Context(), b.Store, site.Config{})
	require.NoError(t, err)
	b.Table = sites.Table()
	b.Table.Add(New(b.Store, cfg).Table())
	b.site = b.newSite("example.com")
	b.Defaults = api.Params{"SiteId": b.site}
	return b
}

func (b *bench) newSite(name string) string {
	b.T.Helper()
	plan := b.Must("ListUserRatePlanInstances", api.Params{})["InstanceInfo"].([]any)[0].(map[string]any)["InstanceId"].(string)
	out := b.Must("CreateSite", api.Params{"SiteName": name, "AccessType": "NS", "Coverage": "overseas", "InstanceId": plan})
	return out["SiteId"].(json.Number).String()
}

const host = `(http.host eq "www.example.com")`

// rule is the parameters of a rule with more of them.
func rule(name string, more ...any) api.Params {
	p := api.Params{"RuleName": name, "RuleEnable": "on", "Rule": host}
	for i := 0; i < len(more); i += 2 {
		p[more[i].(string)] = more[i+1]
	}
	return p
}

// samples has one right configuration of each family.
func samples() map[string]api.Params {
	headers := func(param string) api.Params {
		return api.Params{param: `[{"Name":"X-A","Operation":"add","Value":"1"},{"Name":"X-B","Operation":"del"}]`}
	}
	return map[string]api.Params{
		"CacheRule":              {"EdgeCacheMode": "override_origin", "EdgeCacheTtl": "300", "AdditionalCacheablePorts": "8880,2052", "EdgeStatusCodeCacheTtl": "5xx=0,404=10"},
		"CompressionRule":        {"Gzip": "on", "Brotli": "off"},
		"CustomResponseCodeRule": {"PageId": "0", "ReturnCode": "503"},
		"HttpIncomingRequestHeaderModificationRule":  headers("RequestHeaderModification"),
		"HttpIncomingResponseHeaderModificationRule": headers("ResponseHeaderModification"),
		"HttpRequestHeaderModificationRule":          headers("RequestHeaderModification"),
		"HttpResponseHeaderModificationRule":         headers("ResponseHeaderModification"),
		"HttpsApplicationConfiguration":              {"HttpsForce": "on", "Hsts": "on", "HstsMaxAge": "3600"},
		"HttpsBasicConfiguration":                    {"Tls10": "off", "Http3": "on"},
		"ImageTransform":                             {"Enable": "on"},
		"NetworkOptimization":                        {"Websocket": "on", "UploadMaxFilesize": "200"},
		"OriginRule":                                 {"OriginScheme": "http", "OriginHttpPort": "8080", "DnsRecord": "a.example.com"},
		"RedirectRule":                               {"Type": "static", "StatusCode": "301", "TargetUrl": "https://example.org/", "ReserveQueryString": "on"},
		"RewriteUrlRule":                             {"Uri": "/new", "RewriteUriType": "static"},
		"VideoProcessing":                            {"VideoSeekEnable": "on", "FlvVideoSeekMode": "by_time"},
	}
}

func TestEveryFamily(t *testing.T) {
	b := newBench(t, Config{})
	sample := samples()
	for _, f := range families() {
		t.Run(f.name, func(t *testing.T) {
			b.T = t
			params, ok := sample[f.name]
			require.True(t, ok)
			made := rule("r", "Sequence", "7")
			for k, v := range params {
				made[k] = v
			}
			id := b.Must("Create"+f.name, made)["ConfigId"].(json.Number).String()
			require.GreaterOrEqual(t, len(id), 15)
			got := b.Must("Get"+f.name, api.Params{"ConfigId": id})
			require.Equal(t, "rule", got["ConfigType"])
			require.Equal(t, host, got["Rule"])
			require.Equal(t, json.Number("7"), got["Sequence"])
			for name, want := range params {
				if value, isText := got[name].(string); isText {
					require.Equal(t, want, value, name)
				} else {
					require.NotEmpty(t, got[name], name)
				}
			}
			list := b.Must(f.listAction(), api.Params{})
			require.Equal(t, json.Number("1"), list["TotalCount"])
			delete(got, "RequestId")
			require.Equal(t, []any{got}, list["Configs"])

			b.Must("Update"+f.name, api.Params{"ConfigId": id, "RuleEnable": "off"})
			after := b.Must("Get"+f.name, api.Params{"ConfigId": id})
			require.Equal(t, "off", after["RuleEnable"])
			got["RuleEnable"] = "off"
			require.Equal(t, got, after, "what is not said stays")

			b.Must("Delete"+f.name, api.Params{"ConfigId": id})
			for _, action := range []string{"Get", "Update", "Delete"} {
				_, code := b.Call(action+f.name, api.Params{"ConfigId": id})
				require.Equal(t, "InvalidConfigId.NotFound", code, action)
			}
		})
	}
}

func TestOneGlobalConfiguration(t *testing.T) {
	b := newBench(t, Config{})
	id := b.Must("CreateCompressionRule", api.Params{"Gzip": "on"})["ConfigId"].(json.Number).String()
	got := b.Must("GetCompressionRule", api.Params{"ConfigId": id})
	require.Equal(t, "global", got["ConfigType"])
	require.NotContains(t, got, "Rule")
	_, code := b.Call("CreateCompressionRule", api.Params{"Gzip": "off"})
	require.Equal(t, "Config.AlreadyExist", code)
	_, code = b.Call("UpdateCompressionRule", api.Params{"ConfigId": id, "Rule": "true"})
	require.Equal(t, "InvalidRule", code)
	b.Must("CreateCompressionRule", rule("r", "Gzip", "on"))
	b.Must("CreateImageTransform", api.Params{"Enable": "on"})
	other := b.newSite("example.org")
	b.Must("CreateCompressionRule", api.Params{"Gzip": "on", "SiteId": other})
}

func TestListInOrder(t *testing.T) {
	b := newBench(t, Config{Quotas: fourRules()})
	b.Must("CreateCacheRule", rule("second", "Sequence", "5"))
	b.Must("CreateCacheRule", rule("last"))
	b.Must("CreateCacheRule", rule("first", "Sequence", "2"))
	b.Must("CreateCacheRule", api.Params{"EdgeCacheMode": "follow_origin"})
	names := func(p api.Params) (out []string) {
		for _, c := range b.Must("ListCacheRules", p)["Configs"].([]any) {
			name, _ := c.(map[string]any)["RuleName"].(string)
			out = append(out, name)
		}
		return out
	}
	require.Equal(t, []string{"", "first", "second", "last"}, names(api.Params{}))
	require.Equal(t, []string{"first", "second", "last"}, names(api.Params{"ConfigType": "rule"}))
	require.Equal(t, []string{"second"}, names(api.Params{"RuleName": "second"}))
	require.Equal(t, []string{"last"}, names(api.Params{"PageNumber": "2", "PageSize": "3"}))
	out := b.Must("ListCacheRules", api.Params{"PageSize": "3"})
	require.Equal(t, []json.Number{"4", "2"}, []json.Number{out["TotalCount"].(json.Number), out["TotalPage"].(json.Number)})
	_, code := b.Call("ListCacheRules", api.Params{"ConfigType": "all"})
	require.Equal(t, "InvalidConfigType", code)
	_, code = b.Call("ListCacheRules", api.Params{"PageSize": "501"})
	require.Equal(t, "InvalidPageSize", code)

	b.Must("CreateCacheRule", rule("fourth"))
	_, code = b.Call("CreateCacheRule", rule("fifth"))
	require.Equal(t, "RuleQuotaCheckFailed", code)
}

func TestConfigurationsGoWithTheirSite(t *testing.T) {
	b := newBench(t, Config{})
	id := b.Must("CreateCacheRule", rule("r"))["ConfigId"].(json.Number).String()
	b.Must("UpdateTieredCache", api.Params{"CacheArchitectureMode": "edge_smart"})
	other := b.newSite("example.org")
	_, code := b.Call("GetCacheRule", api.Params{"ConfigId": id, "SiteId": other})
	require.Equal(t, "InvalidConfigId.NotFound", code, "of another site")
	_, code = b.Call("GetOriginRule", api.Params{"ConfigId": id})
	require.Equal(t, "InvalidConfigId.NotFound", code, "of another family")
	b.Must("DeleteSite", api.Params{"SiteId": b.site})
	_, code = b.Call("GetCacheRule", api.Params{"ConfigId": id})
	require.Equal(t, "SiteNotFound", code)
	_, code = b.Call("GetTieredCache", api.Params{})
	require.Equal(t, "SiteNotFound", code)
}

func TestUpdateClears(t *testing.T) {
	b := newBench(t, Config{})
	id := b.Must("CreateCacheRule", rule("r", "EdgeCacheMode", "follow_origin", "UserGeo", "on"))["ConfigId"].(json.Number).String()
	b.Must("UpdateCacheRule", api.Params{"ConfigId": id, "UserGeo": "", "RuleName": "renamed", "Sequence": "9"})
	got := b.Must("GetCacheRule", api.Params{"ConfigId": id})
	require.NotContains(t, got, "UserGeo")
	require.Equal(t, "renamed", got["RuleName"])
	require.Equal(t, json.Number("9"), got["Sequence"])
	_, code := b.Call("UpdateCacheRule", api.Params{"ConfigId": id, "EdgeCacheMode": "override_origin", "RuleName": "lost"})
	require.Equal(t, "MissingEdgeCacheTtl", code)
	require.Equal(t, "renamed", b.Must("GetCacheRule", api.Params{"ConfigId": id})["RuleName"], "a refused update changes nothing")
}

func TestSettings(t *testing.T) {
	b := newBench(t, Config{})
	for _, x := range settings() {
		got := b.Must("Get"+x.name, api.Params{})
		for name, want := range x.defaults {
			require.Equal(t, want, got[name], "%s.%s", x.name, name)
		}
	}
	b.Must("UpdateCacheTag", api.Params{"TagName": "X-Tag"})
	require.Equal(t, map[string]any{"TagName": "X-Tag", "CaseInsensitive": "off", "SiteVersion": json.Number("0")}, b.Must("GetCacheTag", api.Params{}))
	b.Must("UpdateDevelopmentMode", api.Params{"Enable": "on"})
	require.Equal(t, "on", b.Must("GetDevelopmentMode", api.Params{})["Enable"])
	require.Equal(t, "off", b.Must("GetSeoBypass", api.Params{})["Enable"], "settings share no state")
	for action, params := range map[string]api.Params{
		"UpdateTieredCache":     {"CacheArchitectureMode": "x"},
		"UpdateDevelopmentMode": {"Enable": "yes"},
		"UpdateCacheTag":        {"TagName": "a b"},
	} {
		_, code := b.Call(action, params)
		require.Contains(t, code, "Invalid", action)
	}
}

func TestExpressionsByFamilyAndPlan(t *testing.T) {
	b := newBench(t, Config{})
	regex := `(http.request.uri matches "^/a[0-9]")`
	b.Must("CreateCacheRule", rule("a", "Rule", regex))
	b.Must("CreateCacheRule", rule("b", "Rule", `(http.request.uri contains "contested")`))
	_, code := b.Call("CreateHttpsBasicConfiguration", rule("c", "Rule", `(http.request.method eq "GET")`))
	require.Equal(t, "CompileRuleError", code, "HTTPS rules ask for the host alone")
	b.Must("CreateHttpsBasicConfiguration", rule("c", "Rule", `(http.host eq "www.example.com")`))
	_, err := b.Store.DB().ExecContext(t.Context(), `UPDATE plan_instances SET plan_name = 'basic'`)
	require.NoError(t, err)
	_, code = b.Call("CreateCacheRule", rule("d", "Rule", regex))
	require.Equal(t, "RuleRegexQuotaCheckFailed", code)
	_, code = b.Call("CreateCacheRule", rule("d", "Rule", `(http.request.uri matches "(")`))
	require.Equal(t, "CompileRuleError", code)
}

func TestSiteSize(t *testing.T) {
	b := newBench(t, Config{Quotas: quota.Set{}.With(quota.CacheRules, 1000).With(quota.RedirectRules, 1000).With(quota.TransformRules, 1000).With(quota.ConfigurationRules, 1000)})
	code := ""
	made := 0
	for ; code == "" && made < 200; made++ {
		_, code = b.Call("CreateCacheRule", rule("r", "QueryStringMode", "include_query_string", "QueryString", strings.Repeat("a", 4000)))
	}
	require.Equal(t, "ConfigSizeQuotaCheckFailed", code)
	require.InDelta(t, 130, made, 5)
}

func TestVersionsOfTheCaller(t *testing.T) {
	b := newBench(t, Config{KnownVersion: func(_ context.Context, _ *sql.Tx, _, version int64) (bool, error) { return version == 2, nil }})
	b.Must("CreateCompressionRule", api.Params{"Gzip": "on"})
	id := b.Must("CreateCompressionRule", api.Params{"Gzip": "off", "SiteVersion": "2"})["ConfigId"].(json.Number).String()
	require.Equal(t, json.Number("2"), b.Must("GetCompressionRule", api.Params{"ConfigId": id})["SiteVersion"])
	for version, want := range map[string]string{"0": "on", "2": "off"} {
		list := b.Must("ListCompressionRules", api.Params{"SiteVersion": version})["Configs"].([]any)
		require.Len(t, list, 1)
		require.Equal(t, want, list[0].(map[string]any)["Gzip"])
	}
	_, code := b.Call("ListCompressionRules", api.Params{"SiteVersion": "3"})
	require.Equal(t, "InvalidSiteVersion", code)
}

func TestConcurrentGlobalsLeaveOne(t *testing.T) {
	b := newBench(t, Config{})
	var done sync.WaitGroup
	failed := make([]error, 8)
	for i := range failed {
		done.Go(func() {
			_, failed[i] = b.Table["CreateImageTransform"](t.Context(), &api.Request{Params: api.Params{"SiteId": b.site, "Enable": "on"}})
		})
	}
	done.Wait()
	ok := 0
	for _, err := range failed {
		if err == nil {
			ok++
			continue
		}
		require.ErrorContains(t, err, "Config.AlreadyExist")
	}
	require.Equal(t, 1, ok)
}

// fourRules are so many of each family.
func fourRules() (set quota.Set) {
	for _, kind := range []string{quota.CacheRules, quota.OriginRules, quota.RedirectRules, quota.CompressionRules, quota.HTTPSRules,
		quota.TransformRules, quota.ConfigurationRules} {
		set = set.With(kind, 4)
	}
	return set
}
