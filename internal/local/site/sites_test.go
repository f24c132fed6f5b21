package site

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/quota"
	"github.com/esa-mcp/esa-mcp/internal/local/state"
)

func TestSiteLife(t *testing.T) {
	b := newBench(t, Config{})
	made := b.Must("CreateSite", api.Params{"SiteName": "Shop.Example", "AccessType": "NS", "Coverage": "global",
		"InstanceId": b.instance(), "ResourceGroupId": "rg-1"})
	require.Regexp(t, `^male1-1\.[0-9a-f]{8}\.ns\.localhost,female1-1\.`, made["NameServerList"])
	require.Empty(t, made["VerifyCode"])
	id := made["SiteId"].(json.Number).String()
	require.Regexp(t, `^\d{15,16}$`, id)

	model := b.Must("GetSite", api.Params{"SiteId": id})["SiteModel"].(map[string]any)
	require.Equal(t, "shop.example", model["SiteName"])
	require.Equal(t, "pending", model["Status"])
	require.Equal(t, "global", model["Coverage"])
	require.Equal(t, "rg-1", model["ResourceGroupId"])
	require.Equal(t, "2026-03-01T12:00:00Z", model["CreateTime"])
	require.Equal(t, made["NameServerList"], model["NameServerList"])

	require.Equal(t, true, b.Must("VerifySite", api.Params{"SiteId": id})["Passed"])
	b.Now = b.Now.Add(time.Hour)
	require.Equal(t, true, b.Must("VerifySite", api.Params{"SiteId": id})["Passed"])
	model = b.Must("GetSite", api.Params{"SiteId": id})["SiteModel"].(map[string]any)
	require.Equal(t, "active", model["Status"])
	require.Equal(t, "2026-03-01T12:00:00Z", model["UpdateTime"])

	record := b.Must("CreateRecord", api.Params{"SiteId": id, "RecordName": "www.shop.example", "Type": "TXT", "Ttl": "1", "Data": `{"Value":"x"}`})
	b.Must("DeleteSite", api.Params{"SiteId": id})
	for action, param := range map[string]string{"GetSite": "SiteId", "DeleteSite": "SiteId", "VerifySite": "SiteId", "ListRecords": "SiteId"} {
		_, code := b.Call(action, api.Params{param: id})
		require.Equal(t, "SiteNotFound", code, action)
	}
	_, code := b.Call("GetRecord", api.Params{"RecordId": record["RecordId"]})
	require.Equal(t, "Record.NotFound", code, "records go with their site")
	require.NotEqual(t, id, b.site("shop.example", "NS"))
}

func TestCreateSiteRefusals(t *testing.T) {
	b := newBench(t, Config{})
	b.site("taken.example", "NS")
	base := func(change api.Params) api.Params {
		p := api.Params{"SiteName": "new.example", "AccessType": "NS", "Coverage": "overseas", "InstanceId": b.instance()}
		for k, v := range change {
			p[k] = v
		}
		return p
	}
	for name, c := range map[string]struct {
		change api.Params
		code   string
	}{
		"fits":             {api.Params{}, ""},
		"punycode":         {api.Params{"SiteName": "xn--fiqs8s.example"}, ""},
		"CNAME":            {api.Params{"SiteName": "c.example", "AccessType": "CNAME"}, ""},
		"taken":            {api.Params{"SiteName": "TAKEN.example"}, "Site.AlreadyExist"},
		"one label":        {api.Params{"SiteName": "example"}, "Site.InvalidName"},
		"trailing dot":     {api.Params{"SiteName": "a.example."}, "Site.InvalidName"},
		"underscore":       {api.Params{"SiteName": "a_b.example"}, "Site.InvalidName"},
		"international":    {api.Params{"SiteName": "中国.example"}, "Site.InvalidName"},
		"address":          {api.Params{"SiteName": "192.0.2.1"}, "Site.InvalidName"},
		"URL":              {api.Params{"SiteName": "https://a.example"}, "Site.InvalidName"},
		"label too long":   {api.Params{"SiteName": long(64) + ".example"}, "Site.InvalidName"},
		"access type":      {api.Params{"AccessType": "ns"}, "InvalidAccessType"},
		"coverage":         {api.Params{"Coverage": "world"}, "InvalidCoverage"},
		"unknown instance": {api.Params{"InstanceId": "sp-xcdn-none"}, "InvalidInstanceId.NotFound"},
	} {
		t.Run(name, func(t *testing.T) {
			made, code := b.Call("CreateSite", base(c.change))
			require.Equal(t, c.code, code)
			if code == "" {
				b.Must("DeleteSite", api.Params{"SiteId": made["SiteId"]})
			}
		})
	}
}

func TestSiteQuota(t *testing.T) {
	b := newBench(t, Config{Quotas: quota.Set{}.With(quota.Sites, 2)})
	first := b.site("a.example", "NS")
	b.site("b.example", "NS")
	again := api.Params{"SiteName": "c.example", "AccessType": "NS", "Coverage": "overseas", "InstanceId": b.instance()}
	_, code := b.Call("CreateSite", again)
	require.Equal(t, "QuotaExceed.SiteCount", code)
	require.Empty(t, b.Must("ListUserRatePlanInstances", api.Params{"CheckRemainingSiteQuota": "true"})["InstanceInfo"])

	plan := b.Must("ListUserRatePlanInstances", api.Params{"Status": "online", "SortBy": "ExpireTime", "SortOrder": "asc"})
	require.Equal(t, json.Number("1"), plan["TotalCount"])
	require.Equal(t, json.Number("1"), plan["TotalPage"])
	info := plan["InstanceInfo"].([]any)[0].(map[string]any)
	require.Equal(t, "2", info["SiteQuota"])
	require.Equal(t, []string{"a.example", "b.example"}, names(info["Sites"], "SiteName"))

	b.Must("DeleteSite", api.Params{"SiteId": first})
	b.Must("CreateSite", again)
	require.Empty(t, b.Must("ListUserRatePlanInstances", api.Params{"Status": "overdue"})["InstanceInfo"])
	_, code = b.Call("ListUserRatePlanInstances", api.Params{"SortBy": "Name"})
	require.Equal(t, "InvalidSortBy", code)
	_, code = b.Call("ListUserRatePlanInstances", api.Params{"SortOrder": "up"})
	require.Equal(t, "InvalidSortOrder", code)
}

// A plan decides whether a site may lie under another, and only one that is
// online takes sites at all.
func TestPlansAndSites(t *testing.T) {
	for plan, want := range map[string]string{"enterprise": "", "basic": "Site.SubSiteUnavailable"} {
		b := newBench(t, Config{Plan: plan})
		b.site("shop.test", "NS")
		b.site("myshop.test", "NS")
		params := api.Params{"SiteName": "eu.shop.test", "AccessType": "NS", "Coverage": "overseas", "InstanceId": b.instance()}
		_, code := b.Call("CreateSite", params)
		require.Equal(t, want, code)
		check := b.Must("CheckSiteName", api.Params{"SiteName": "de.shop.test"})
		require.Equal(t, want == "", check["Passed"])
		require.Equal(t, true, check["IsSubSite"])
	}
	b := newBench(t, Config{PlanStatus: "overdue"})
	_, code := b.Call("CreateSite", api.Params{"SiteName": "shop.test", "AccessType": "NS", "Coverage": "overseas", "InstanceId": b.instance()})
	require.Equal(t, "Instance.NotOnline", code)
}

func TestPlanIsGrantedOnce(t *testing.T) {
	dir := t.TempDir()
	for range 2 {
		store, err := state.Open(t.Context(), dir)
		require.NoError(t, err)
		_, err = New(t.Context(), store, Config{})
		require.NoError(t, err)
		var n int
		require.NoError(t, store.DB().QueryRow(`SELECT COUNT(*) FROM plan_instances`).Scan(&n))
		require.Equal(t, 1, n)
		require.NoError(t, store.Close())
	}
}

func TestListSites(t *testing.T) {
	b := newBench(t, Config{})
	for _, name := range []string{"shop.example", "myshop.example", "shop.test"} {
		b.Now = b.Now.Add(time.Minute)
		b.site(name, "NS")
	}
	b.Now = b.Now.Add(time.Minute)
	cname := b.site("c.example", "CNAME")
	b.Must("VerifySite", api.Params{"SiteId": cname})

	for name, c := range map[string]struct {
		params api.Params
		want   []string
	}{
		"all, newest first": {api.Params{}, []string{"c.example", "shop.test", "myshop.example", "shop.example"}},
		"exact by default":  {api.Params{"SiteName": "shop"}, []string{}},
		"exact":             {api.Params{"SiteName": "SHOP.example", "SiteSearchType": "exact"}, []string{"shop.example"}},
		"trailing dot":      {api.Params{"SiteName": "shop.example."}, []string{}},
		"prefix":            {api.Params{"SiteName": "shop", "SiteSearchType": "prefix"}, []string{"shop.test", "shop.example"}},
		"suffix":            {api.Params{"SiteName": "shop.example", "SiteSearchType": "suffix"}, []string{"myshop.example", "shop.example"}},
		"fuzzy":             {api.Params{"SiteName": "op.e", "SiteSearchType": "fuzzy"}, []string{"myshop.example", "shop.example"}},
		"no wildcard":       {api.Params{"SiteName": "shop%", "SiteSearchType": "fuzzy"}, []string{}},
		"status":            {api.Params{"Status": "active"}, []string{"c.example"}},
		"access":            {api.Params{"AccessType": "CNAME", "Coverage": "overseas"}, []string{"c.example"}},
		"plan":              {api.Params{"PlanSubscribeType": "basicplan"}, []string{}},
		"enterprise":        {api.Params{"OnlyEnterprise": "true", "SiteName": "shop.test"}, []string{"shop.test"}},
		"tags":              {api.Params{"TagFilter": `[{"Key":"a","Value":"b"}]`}, []string{}},
		"second page":       {api.Params{"PageSize": "3", "PageNumber": "2"}, []string{"shop.example"}},
		"past the end":      {api.Params{"PageSize": "3", "PageNumber": "3"}, []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			out := b.Must("ListSites", c.params)
			require.Equal(t, c.want, names(out["Sites"], "SiteName"))
			if name == "second page" || name == "past the end" {
				require.Equal(t, json.Number("4"), out["TotalCount"])
				require.Equal(t, json.Number("3"), out["PageSize"])
			}
		})
	}
	for param, v := range map[string]string{"SiteSearchType": "regex", "OrderBy": "name", "PageSize": "501", "PageNumber": "0", "TagFilter": "a"} {
		_, code := b.Call("ListSites", api.Params{"SiteName": "x", param: v})
		require.Equal(t, "Invalid"+param, code)
	}
}

func TestCheckSiteName(t *testing.T) {
	b := newBench(t, Config{})
	b.site("shop.example", "NS")
	for name, want := range map[string]struct {
		description string
		passed, sub bool
	}{
		"new.example":      {"success", true, false},
		"www.shop.example": {"success", true, true},
		"myshop.example":   {"success", true, false},
		"shop.example":     {"Site.AlreadyExist", false, false},
		"nonsense":         {"Site.InvalidName", false, false},
	} {
		out := b.Must("CheckSiteName", api.Params{"SiteName": name})
		require.Equal(t, want.description, out["Description"], name)
		require.Equal(t, want.passed, out["Passed"], name)
		require.Equal(t, want.sub, out["IsSubSite"], name)
		require.Contains(t, out, "Messeage")
	}
}

func TestGetMatchSite(t *testing.T) {
	b := newBench(t, Config{})
	b.site("shop.example", "NS")
	sub := b.site("eu.shop.example", "NS")
	for name, want := range map[string]string{"shop.example": "shop.example", "www.shop.example": "shop.example",
		"EU.shop.example": "eu.shop.example", "a.b.eu.shop.example": "eu.shop.example", "neu.shop.example": "shop.example"} {
		require.Equal(t, want, b.Must("GetMatchSite", api.Params{"RecordName": name})["SiteName"], name)
	}
	require.Equal(t, json.Number(sub), b.Must("GetMatchSite", api.Params{"RecordName": "eu.shop.example"})["SiteId"])
	for name, code := range map[string]string{"evilshop.example": "SiteNotFound", "example": "SiteNotFound", "": "MissingRecordName"} {
		_, got := b.Call("GetMatchSite", api.Params{"RecordName": name})
		require.Equal(t, code, got, name)
	}
}

func TestPendingUntilProven(t *testing.T) {
	b := newBench(t, Config{})
	id := b.site("really-mine.com", "CNAME")
	require.Equal(t, false, b.Must("VerifySite", api.Params{"SiteId": id})["Passed"])
	require.Equal(t, "pending", b.Must("GetSite", api.Params{"SiteId": id})["SiteModel"].(map[string]any)["Status"])

	b = newBench(t, Config{Verify: fails})
	id = b.site("shop.example", "NS")
	_, err := b.Table["VerifySite"](t.Context(), &api.Request{Params: api.Params{"SiteId": id}})
	require.ErrorContains(t, err, "no network")
}

func TestVerifyReserved(t *testing.T) {
	for name, want := range map[string]bool{"shop.test": true, "a.b.example": true, "example.com": true, "www.example.org": true,
		"x.localhost": true, "myexample.com": false, "shop.com": false, "test.com": false, "example.com.cn": false} {
		got, err := VerifyReserved(t.Context(), Claim{SiteName: name})
		require.NoError(t, err)
		require.Equal(t, want, got, name)
	}
}

type zone struct {
	ns  []string
	txt map[string][]string
	err error
}

func (z zone) LookupNS(context.Context, string) (out []*net.NS, err error) {
	for _, host := range z.ns {
		out = append(out, &net.NS{Host: host})
	}
	return out, z.err
}

func (z zone) LookupTXT(_ context.Context, name string) ([]string, error) { return z.txt[name], z.err }

func TestVerifyDNS(t *testing.T) {
	ns := Claim{SiteName: "a.com", AccessType: "NS", NameServers: []string{"m.ns.localhost", "f.ns.localhost"}}
	cname := Claim{SiteName: "a.com", AccessType: "CNAME", VerifyCode: "verify_1"}
	for name, c := range map[string]struct {
		zone  zone
		claim Claim
		want  bool
		fails bool
	}{
		"both servers":      {zone{ns: []string{"F.ns.localhost.", "m.ns.localhost."}}, ns, true, false},
		"one server":        {zone{ns: []string{"f.ns.localhost."}}, ns, false, false},
		"one too many":      {zone{ns: []string{"f.ns.localhost.", "m.ns.localhost.", "old.net."}}, ns, false, false},
		"no such name":      {zone{err: &net.DNSError{IsNotFound: true}}, ns, false, false},
		"resolver is down":  {zone{err: errors.New("refused")}, ns, false, true},
		"code":              {zone{txt: map[string][]string{"_esaauth.a.com": {"x", "verify_1"}}}, cname, true, false},
		"other code":        {zone{txt: map[string][]string{"_esaauth.a.com": {"verify_2"}}}, cname, false, false},
		"code at the apex":  {zone{txt: map[string][]string{"a.com": {"verify_1"}}}, cname, false, false},
		"resolver down too": {zone{err: errors.New("refused")}, cname, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := VerifyDNS(c.zone)(t.Context(), c.claim)
			require.Equal(t, c.fails, err != nil, "%v", err)
			require.Equal(t, c.want, got)
		})
	}
}
