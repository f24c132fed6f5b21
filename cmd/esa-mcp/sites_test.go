package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/tools"
)

// newSite makes an active site on the local ESA: names under .example verify.
func newSite(t *testing.T, s *server, name, access string) tools.SiteOutput {
	t.Helper()
	site := callOK[tools.SiteOutput](t, s, "create_site", arguments{"name": name, "access_type": access})
	require.True(t, callOK[tools.VerifySiteOutput](t, s, "verify_site", arguments{"site_id": site.ID}).Passed)
	return site
}

func TestSiteFromNameToDeletion(t *testing.T) {
	t.Parallel()
	s := startLocal(t, "--toolsets", "all")
	require.True(t, callOK[tools.CheckSiteNameOutput](t, s, "check_site_name", arguments{"name": "Shop.Example."}).Available)
	plans := callOK[tools.ListPlanInstancesOutput](t, s, "list_plan_instances", arguments{"with_room": true, "quotas": []string{"usual"}})
	require.Len(t, plans.Instances, 1)
	require.Equal(t, "20", plans.Instances[0].SiteQuota)
	require.Contains(t, plans.Instances[0].Quotas, tools.PlanQuota{Name: "siteCount", Value: "20", Usage: "0"})

	site := callOK[tools.SiteOutput](t, s, "create_site", arguments{"name": "Shop.Example.", "access_type": "NS", "coverage": "global"})
	require.Equal(t, "pending", site.Status)
	require.Equal(t, plans.Instances[0].ID, site.PlanInstance)
	require.Len(t, site.NameServers, 2)
	require.Contains(t, site.NextSteps[0], "verify_site")
	require.Equal(t, "site-icp", site.Notes[0].ID)
	text := s.refuse(t, "create_site", arguments{"name": "shop.example", "access_type": "CNAME"})
	require.Contains(t, text, "exists already")
	taken := callOK[tools.CheckSiteNameOutput](t, s, "check_site_name", arguments{"name": "shop.example"})
	require.False(t, taken.Available)
	require.Contains(t, taken.Reason, "Site.AlreadyExist")

	require.Contains(t, s.refuse(t, "update_site", arguments{"site_name": "shop.example", "paused": true}), "site-pause")
	require.True(t, callOK[tools.VerifySiteOutput](t, s, "verify_site", arguments{"site_name": "shop.example"}).Passed)

	callOK[tools.RecordOutput](t, s, "create_record", arguments{"site_id": site.ID, "name": "www", "type": "TXT", "value": "x"})
	require.Contains(t, s.preview(t, "delete_site", arguments{"site_id": site.ID}).Lost, "DNS records: 1")
	require.True(t, callOK[tools.DeleteSiteOutput](t, s, "delete_site", arguments{"site_id": site.ID}).Deleted)
	require.Contains(t, s.refuse(t, "get_site", arguments{"site_id": site.ID}), "SiteNotFound")
}

func TestVerifySiteSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	s := startLocal(t, "--toolsets", "all")
	for access, want := range map[string]string{"NS": "must be exactly male1-1.", "CNAME": "TXT record _esaauth.cname-really-mine.com with the value verify_"} {
		name := map[string]string{"NS": "really-mine.com", "CNAME": "cname-really-mine.com"}[access]
		callOK[tools.SiteOutput](t, s, "create_site", arguments{"name": name, "access_type": access})
		out := callOK[tools.VerifySiteOutput](t, s, "verify_site", arguments{"site_name": name})
		require.False(t, out.Passed)
		require.Equal(t, "pending", out.Status)
		require.Contains(t, out.Missing[0], want)
	}
}

func TestChangingASite(t *testing.T) {
	t.Parallel()
	s := startLocal(t, "--toolsets", "all")
	site := newSite(t, s, "shop.example", "NS")
	at := func(more arguments) arguments {
		more["site_id"] = site.ID
		return more
	}
	out := callOK[tools.UpdateSiteOutput](t, s, "update_site", at(arguments{"coverage": "domestic", "paused": true, "ipv6": "mainland",
		"name_exclusive": true, "vanity_ns": []string{"ns1.shop.example", "ns2.shop.example"}, "version_management": true}))
	require.Equal(t, []string{"coverage", "vanity_ns", "name_exclusive", "ipv6", "version_management", "paused"}, out.Changed)
	require.Equal(t, "domestic", out.Coverage)
	require.True(t, out.VersionManagement)
	require.Equal(t, "site-icp", out.Notes[0].ID)
	shown := callOK[tools.GetSiteOutput](t, s, "get_site", at(arguments{"details": true}))
	require.Empty(t, shown.Notes)
	shown.Details.SiteSettings = tools.SiteSettings{} // have their own test
	require.Equal(t, &tools.SiteDetails{CurrentNameServers: []string{"ns1.shop.example", "ns2.shop.example"}, Paused: true, IPv6: "on", IPv6Region: "cn.cn",
		NameExclusive: "on", CustomNameServers: map[string]string{"ns1.shop.example": "192.0.2.53", "ns2.shop.example": "192.0.2.54"}}, shown.Details)
	require.Nil(t, callOK[tools.GetSiteOutput](t, s, "get_site", at(arguments{})).Details)

	mx := callOK[tools.RecordOutput](t, s, "create_record", at(arguments{"name": "@", "type": "MX", "value": "10 mx.mail.example"}))
	a := callOK[tools.RecordOutput](t, s, "create_record", at(arguments{"name": "www", "type": "A/AAAA", "value": "203.0.113.1"}))
	require.Contains(t, s.refuse(t, "update_site", at(arguments{"access_type": "CNAME"})), "vanity_ns []")
	text := s.refuse(t, "update_site", at(arguments{"access_type": "CNAME", "vanity_ns": []string{}, "paused": false}))
	require.Contains(t, text, "MX shop.example (record_id "+string(mx.ID)+", type)")
	require.Contains(t, text, "A/AAAA www.shop.example (record_id "+string(a.ID)+", not proxied)")
	callOK[tools.RecordOutput](t, s, "delete_record", arguments{"record_id": mx.ID})
	callOK[tools.RecordOutput](t, s, "update_record", arguments{"record_id": a.ID, "proxied": true})
	out = callOK[tools.UpdateSiteOutput](t, s, "update_site", at(arguments{"access_type": "CNAME", "vanity_ns": []string{}, "paused": false}))
	require.Equal(t, "CNAME", out.AccessType)
	require.NotEmpty(t, out.VerifyCode)

	require.Contains(t, s.refuse(t, "update_site", at(arguments{})), "Nothing to change")
	require.Contains(t, s.refuse(t, "update_site", at(arguments{"paused": true})), "CNAME access")
	require.Contains(t, s.refuse(t, "update_site", at(arguments{"coverage": "world"})), "coverage")
	require.Contains(t, s.refuse(t, "update_site", at(arguments{"vanity_ns": []string{"a.shop.example"}})), "2 to 5")
}

func TestSitesNeedRoomOnAPlan(t *testing.T) {
	t.Parallel()
	s := startLocal(t, "--toolsets", "all")
	for _, name := range []string{"not a name", "https://a.example/", "example"} {
		require.Contains(t, s.refuse(t, "create_site", arguments{"name": name, "access_type": "NS"}), "not a domain")
	}
	require.Contains(t, s.refuse(t, "create_site", arguments{"name": "a.example", "access_type": "NS", "plan_instance": "sp-none"}), "plan instance sp-none does not exist")
	for i := range 20 {
		callOK[tools.SiteOutput](t, s, "create_site", arguments{"name": string(rune('a'+i)) + ".example", "access_type": "NS"})
	}
	text := s.refuse(t, "create_site", arguments{"name": "z.example", "access_type": "NS"})
	require.Contains(t, text, "never buys")
	require.Empty(t, callOK[tools.ListPlanInstancesOutput](t, s, "list_plan_instances", arguments{"with_room": true}).Instances)
}

// raw shows what the service itself answered, as a client sees it.
func TestRawAnswers(t *testing.T) {
	t.Parallel()
	s := startLocal(t)
	type rawOutput struct {
		Raw []struct {
			Action string
			Answer map[string]any
		}
	}
	made := callOK[rawOutput](t, s, "create_site", arguments{"name": "raw.example", "access_type": "NS", "raw": true})
	answers := map[string]map[string]any{}
	for _, r := range made.Raw {
		answers[r.Action] = r.Answer
	}
	require.NotEmpty(t, answers["CreateSite"]["RequestId"])
	require.Contains(t, answers["GetSite"], "SiteModel", "in the words of the API")
	listed := callOK[rawOutput](t, s, "list_sites", arguments{"raw": "true"})
	require.Equal(t, "ListSites", listed.Raw[0].Action)
	require.Contains(t, listed.Raw[0].Answer, "Sites")
	require.Empty(t, callOK[rawOutput](t, s, "list_sites", arguments{"raw": false}).Raw)
}

// Every setting of a site is changed and seen again with its value.
func TestSiteSettings(t *testing.T) {
	t.Parallel()
	s := startLocal(t)
	site := newSite(t, s, "settings.example", "NS")
	before := callOK[tools.GetSiteOutput](t, s, "get_site", arguments{"site_id": site.ID, "details": true}).Details
	require.False(t, *before.DevelopmentMode)
	require.Equal(t, "flatten_at_root", before.CNAMEFlattening)
	require.Equal(t, "", *before.ClientIPHeader)
	require.Equal(t, "off", before.OriginProtection)
	require.Nil(t, before.OriginConverge)

	changed := callOK[tools.UpdateSiteOutput](t, s, "update_site", arguments{"site_id": site.ID, "development_mode": true, "seo_bypass": true,
		"cname_flattening": "flatten_all", "cross_border": true, "performance_data": true, "client_geo_header": true,
		"client_ip_header": "X-Visitor-IP", "origin_protection": "auto", "origin_converge": true})
	require.Contains(t, changed.Changed, "origin_protection")
	after := callOK[tools.GetSiteOutput](t, s, "get_site", arguments{"site_name": "settings.example", "details": true, "site_version": 0}).Details
	for name, on := range map[string]*bool{"development_mode": after.DevelopmentMode, "seo_bypass": after.SEOBypass, "cross_border": after.CrossBorder,
		"performance_data": after.PerformanceData, "client_geo_header": after.ClientGeoHeader, "origin_converge": after.OriginConverge} {
		require.NotNil(t, on, name)
		require.True(t, *on, name)
	}
	require.Equal(t, "flatten_all", after.CNAMEFlattening)
	require.Equal(t, "X-Visitor-IP", *after.ClientIPHeader)
	require.Equal(t, "auto", after.OriginProtection)
	require.Equal(t, 3, after.OriginAddresses.Current)
	require.False(t, after.OriginAddresses.NeedUpdate)

	callOK[tools.UpdateSiteOutput](t, s, "update_site", arguments{"site_id": site.ID, "origin_protection": "off", "client_ip_header": ""})
	off := callOK[tools.GetSiteOutput](t, s, "get_site", arguments{"site_id": site.ID, "details": true}).Details
	require.Equal(t, "off", off.OriginProtection)
	require.Equal(t, "", *off.ClientIPHeader)
	require.True(t, *off.ClientGeoHeader, "what is not given stays")

	require.Contains(t, s.refuse(t, "update_site", arguments{"site_id": site.ID, "origin_protection": "confirm"}), "give origin_protection on first")
	require.Contains(t, s.refuse(t, "update_site", arguments{"site_id": site.ID}), "Nothing to change")
	require.Contains(t, s.refuse(t, "update_site", arguments{"site_id": site.ID, "cname_flattening": "always"}), `"flatten_all"`)
	require.Contains(t, s.refuse(t, "set_rule", arguments{"site_id": site.ID, "kind": "compression", "scope": "global",
		"settings": arguments{"gzip": "on"}, "site_version": 5}), "InvalidSiteVersion")
}
