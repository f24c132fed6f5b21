package site

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/quota"
)

func (b *bench) active(name, access string) string {
	b.T.Helper()
	id := b.site(name, access)
	require.Equal(b.T, true, b.Must("VerifySite", api.Params{"SiteId": id})["Passed"])
	return id
}

func (b *bench) model(id string) map[string]any {
	b.T.Helper()
	return b.Must("GetSite", api.Params{"SiteId": id})["SiteModel"].(map[string]any)
}

func TestVersionManagement(t *testing.T) {
	b := newBench(t, Config{})
	id, other := b.active("a.example", "NS"), b.active("b.example", "NS")
	require.Equal(t, false, b.model(id)["VersionManagement"])
	b.Must("ActivateVersionManagement", api.Params{"SiteId": id})
	require.Equal(t, true, b.model(id)["VersionManagement"])
	require.Equal(t, false, b.model(other)["VersionManagement"])
	b.Must("DeactivateVersionManagement", api.Params{"SiteId": id})
	require.Equal(t, false, b.model(id)["VersionManagement"])
	b.Must("DeleteSite", api.Params{"SiteId": id})
	for _, action := range []string{"GetSiteCurrentNS", "ActivateVersionManagement", "UpdateSiteVanityNS", "UpdateSiteAccessType"} {
		_, code := b.Call(action, api.Params{"SiteId": id, "AccessType": "NS"})
		require.Equal(t, "SiteNotFound", code, action)
	}
}

func TestPauseNeedsAnActiveSiteWithNSAccess(t *testing.T) {
	b := newBench(t, Config{})
	pending, cname, active := b.site("p.example", "NS"), b.active("c.example", "CNAME"), b.active("a.example", "NS")
	for _, id := range []string{pending, cname} {
		_, code := b.Call("UpdateSitePause", api.Params{"SiteId": id, "Paused": "true"})
		require.Equal(t, "Site.PauseNotSupported", code)
	}
	b.Must("UpdateSitePause", api.Params{"SiteId": active, "Paused": "true"})
	require.Equal(t, true, b.Must("GetSitePause", api.Params{"SiteId": active})["Paused"])
	_, code := b.Call("UpdateSiteAccessType", api.Params{"SiteId": active, "AccessType": "CNAME"})
	require.Equal(t, "Site.Paused", code)
	b.Must("UpdateSitePause", api.Params{"SiteId": active, "Paused": "false"})
	require.Equal(t, false, b.Must("GetSitePause", api.Params{"SiteId": active})["Paused"])
}

func TestSwitches(t *testing.T) {
	b := newBench(t, Config{})
	id, other := b.active("a.example", "NS"), b.active("b.example", "NS")
	require.Equal(t, map[string]any{"Enable": "off", "Region": "x.x"}, b.Must("GetIPv6", api.Params{"SiteId": id}))
	b.Must("UpdateIPv6", api.Params{"SiteId": id, "Enable": "on", "Region": "cn.cn"})
	b.Must("UpdateSiteNameExclusive", api.Params{"SiteId": id, "Enable": "on"})
	require.Equal(t, map[string]any{"Enable": "on", "Region": "cn.cn"}, b.Must("GetIPv6", api.Params{"SiteId": id}))
	require.Equal(t, "on", b.Must("GetSiteNameExclusive", api.Params{"SiteId": id})["Enable"])
	require.Equal(t, "off", b.Must("GetSiteNameExclusive", api.Params{"SiteId": other})["Enable"])
	for action, c := range map[string]struct {
		params api.Params
		code   string
	}{
		"UpdateIPv6":              {api.Params{"Enable": "yes"}, "InvalidEnable"},
		"UpdateSiteNameExclusive": {api.Params{"Enable": "true"}, "InvalidEnable"},
		"GetIPv6":                 {api.Params{"SiteId": "1"}, "SiteNotFound"},
		"GetSitePause":            {api.Params{"SiteId": "1"}, "SiteNotFound"},
	} {
		if !c.params.Has("SiteId") {
			c.params["SiteId"] = id
		}
		_, code := b.Call(action, c.params)
		require.Equal(t, c.code, code, action)
	}
	_, code := b.Call("UpdateIPv6", api.Params{"SiteId": id, "Enable": "on", "Region": "eu"})
	require.Equal(t, "InvalidRegion", code)
}

func TestVanityNS(t *testing.T) {
	b := newBench(t, Config{})
	id, cname := b.active("a.example", "NS"), b.active("c.example", "CNAME")
	for list, code := range map[string]string{
		"ns1.a.example":               "InvalidVanityNSList",
		"ns1.a.example,ns1.a.example": "InvalidVanityNSList",
		"ns1.a.example,ns1.b.example": "InvalidVanityNSList",
		"ns1.a.example,a.example":     "InvalidVanityNSList",
		"1.a.example,2.a.example,3.a.example,4.a.example,5.a.example,6.a.example": "InvalidVanityNSList",
	} {
		_, got := b.Call("UpdateSiteVanityNS", api.Params{"SiteId": id, "VanityNSList": list})
		require.Equal(t, code, got, list)
	}
	_, code := b.Call("UpdateSiteVanityNS", api.Params{"SiteId": cname, "VanityNSList": "ns1.c.example,ns2.c.example"})
	require.Equal(t, "InvalidParameter.VanityNS", code)

	b.Must("UpdateSiteVanityNS", api.Params{"SiteId": id, "VanityNSList": "ns1.a.example, NS2.a.example"})
	require.Equal(t, map[string]any{"ns1.a.example": "192.0.2.53", "ns2.a.example": "192.0.2.54"}, b.model(id)["VanityNSList"])
	require.Equal(t, []any{"ns1.a.example", "ns2.a.example"}, b.Must("GetSiteCurrentNS", api.Params{"SiteId": id})["NSList"])
	_, code = b.Call("UpdateSiteAccessType", api.Params{"SiteId": id, "AccessType": "CNAME"})
	require.Equal(t, "Site.VanityNSExist", code)
	b.Must("UpdateSiteVanityNS", api.Params{"SiteId": id, "VanityNSList": ""})
	require.Empty(t, b.model(id)["VanityNSList"])
}

func TestCurrentNS(t *testing.T) {
	b := newBench(t, Config{})
	pending := b.site("p.example", "NS")
	require.Empty(t, b.Must("GetSiteCurrentNS", api.Params{"SiteId": pending})["NSList"])
	b.Must("VerifySite", api.Params{"SiteId": pending})
	require.Len(t, b.Must("GetSiteCurrentNS", api.Params{"SiteId": pending})["NSList"], 2)

	b = newBench(t, Config{CurrentNS: func(_ context.Context, name string) ([]string, error) { return []string{"ns." + name}, nil }})
	id := b.site("p.example", "NS")
	require.Equal(t, []any{"ns.p.example"}, b.Must("GetSiteCurrentNS", api.Params{"SiteId": id})["NSList"])
}

func TestAccessType(t *testing.T) {
	b := newBench(t, Config{})
	id := b.active("shop.example", "NS")
	txt := b.Must("CreateRecord", recordParams(id, api.Params{"Type": "TXT", "Data": `{"Value":"x"}`, "RecordName": "t.shop.example"}))
	plain := b.Must("CreateRecord", recordParams(id, nil))
	switchTo := func(to string) (string, error) {
		_, err := b.Table["UpdateSiteAccessType"](t.Context(), &api.Request{Params: api.Params{"SiteId": id, "AccessType": to}})
		if err == nil {
			return "", nil
		}
		var refused *api.Error
		require.ErrorAs(t, err, &refused)
		return refused.Code, err
	}
	code, err := switchTo("CNAME")
	require.Equal(t, "InvalidParameter.CnameSiteRecordUnsupport", code)
	require.ErrorContains(t, err, "TXT t.shop.example")
	b.Must("DeleteRecord", api.Params{"RecordId": txt["RecordId"]})
	code, err = switchTo("CNAME")
	require.Equal(t, "InvalidParameter.CnameSiteRecordNoProxied", code)
	require.ErrorContains(t, err, "A/AAAA www.shop.example")
	b.Must("UpdateRecord", api.Params{"RecordId": plain["RecordId"], "Data": `{"Value":"203.0.113.1"}`, "Proxied": "true", "BizName": "web"})

	b.Must("UpdateSiteAccessType", api.Params{"SiteId": id, "AccessType": "CNAME"})
	model := b.model(id)
	require.Equal(t, "CNAME", model["AccessType"])
	require.Equal(t, "active", model["Status"])
	require.Empty(t, model["NameServerList"])
	require.Regexp(t, "^verify_[0-9a-f]{32}$", model["VerifyCode"])
	b.Must("UpdateSiteAccessType", api.Params{"SiteId": id, "AccessType": "CNAME"})
	require.Equal(t, model["VerifyCode"], b.model(id)["VerifyCode"], "nothing changes")
	b.Must("UpdateSiteAccessType", api.Params{"SiteId": id, "AccessType": "NS"})
	require.Contains(t, b.model(id)["NameServerList"], "male1-1.")
	require.Empty(t, b.model(id)["VerifyCode"])

	_, code = b.Call("UpdateSiteAccessType", api.Params{"SiteId": id, "AccessType": "cname"})
	require.Equal(t, "InvalidAccessType", code)
	_, code = b.Call("UpdateSiteCoverage", api.Params{"SiteId": id, "Coverage": "world"})
	require.Equal(t, "InvalidCoverage", code)
	b.Must("UpdateSiteCoverage", api.Params{"SiteId": id, "Coverage": "global"})
	require.Equal(t, "global", b.model(id)["Coverage"])
}

func TestQuotas(t *testing.T) {
	b := newBench(t, Config{Quotas: quota.Set{}.With(quota.Records, 7)})
	id := b.active("a.example", "NS")
	other := b.active("b.example", "NS")
	b.Must("CreateRecord", recordParams(id, api.Params{"RecordName": "*.a.example"}))
	b.Must("CreateRecord", recordParams(other, api.Params{"RecordName": "www.b.example"}))
	out := b.Must("ListInstanceQuotas", api.Params{"SiteId": id, "QuotaNames": "recordCount,rules_support_regex,unheard_of"})
	require.Equal(t, b.instance(), out["InstanceId"])
	require.Equal(t, []any{
		map[string]any{"QuotaName": "recordCount", "QuotaValue": "7", "QuotaValueType": "num"},
		map[string]any{"QuotaName": "rules_support_regex", "QuotaValue": "true", "QuotaValueType": "bool"},
	}, out["Quotas"])
	rows := b.Must("ListInstanceQuotasWithUsage", api.Params{"InstanceId": b.instance(), "QuotaNames": "siteCount,recordCount,wildcard"})["Quotas"].([]any)
	var used []any
	for _, r := range rows {
		used = append(used, r.(map[string]any)["Usage"])
		require.Len(t, r.(map[string]any)["SiteUsage"], 2)
	}
	require.Equal(t, []any{"2", "2", "1"}, used)
	rows = b.Must("ListInstanceQuotasWithUsage", api.Params{"SiteId": id, "QuotaNames": "recordCount"})["Quotas"].([]any)
	require.Equal(t, "1", rows[0].(map[string]any)["Usage"])

	for _, c := range []struct {
		params api.Params
		code   string
	}{
		{api.Params{"QuotaNames": "wildcard"}, "MissingInstanceId"},
		{api.Params{"SiteId": id}, "MissingQuotaNames"},
		{api.Params{"SiteId": id, "QuotaNames": "a,b,c,d,e,f,g,h,i,j,k"}, "InvalidQuotaNames"},
		{api.Params{"InstanceId": "none", "QuotaNames": "wildcard"}, "InvalidInstanceId.NotFound"},
		{api.Params{"SiteId": "1", "QuotaNames": "wildcard"}, "SiteNotFound"},
	} {
		_, code := b.Call("ListInstanceQuotas", c.params)
		require.Equal(t, c.code, code)
	}
}
