package tools

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// protectedSite answers as a site with or without origin protection.
func protectedSite(state string) *fakeESA {
	f := &fakeESA{answers: map[string]func(esa.Params) (any, error){
		"GetSite":             say(`{"SiteModel":{"SiteId":7,"SiteName":"a.example","Status":"active","AccessType":"NS"}}`),
		"GetOriginProtection": say(state),
	}}
	for _, action := range siteSettingWrites() {
		if !strings.HasPrefix(action, "Get") {
			f.answers[action] = say(`{}`)
		}
	}
	return f
}

// Origin protection is made, changed and deleted by different operations, and a
// change repeats what stays.
func TestOriginProtection(t *testing.T) {
	const off = `{"OriginProtection":"off","OriginConverge":"off","AutoConfirmIPList":"off"}`
	const on = `{"OriginProtection":"on","OriginConverge":"on","AutoConfirmIPList":"off"}`
	for _, test := range []struct {
		name, state, args string
		want              []fakeCall // SiteId 7 left out
		refused           string
	}{
		{"on", off, `"origin_protection":"on"`, []fakeCall{{"CreateOriginProtection", `{"AutoConfirmIPList":"off","SiteId":7}`}}, ""},
		{"auto, fewer", off, `"origin_protection":"auto","origin_converge":true`, []fakeCall{
			{"CreateOriginProtection", `{"AutoConfirmIPList":"on","SiteId":7}`},
			{"UpdateOriginProtection", `{"AutoConfirmIPList":"on","OriginConverge":"on","SiteId":7}`}}, ""},
		{"on already", on, `"origin_protection":"on"`, nil, ""},
		{"to auto", on, `"origin_protection":"auto"`, []fakeCall{{"UpdateOriginProtection", `{"AutoConfirmIPList":"on","OriginConverge":"on","SiteId":7}`}}, ""},
		{"spread", on, `"origin_converge":false`, []fakeCall{{"UpdateOriginProtection", `{"AutoConfirmIPList":"off","OriginConverge":"off","SiteId":7}`}}, ""},
		{"confirm", on, `"origin_protection":"confirm"`, []fakeCall{{"UpdateOriginProtectionIpWhiteList", `{"SiteId":7}`}}, ""},
		{"off", on, `"origin_protection":"off"`, []fakeCall{{"DeleteOriginProtection", `{"SiteId":7}`}}, ""},
		{"off already", off, `"origin_protection":"off"`, nil, ""},
		{"nothing to confirm", off, `"origin_protection":"confirm"`, nil, "give origin_protection on first"},
		{"converge without", off, `"origin_converge":true`, nil, "give origin_protection on as well"},
		{"converge and off", on, `"origin_protection":"off","origin_converge":true`, nil, "leave it out"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := protectedSite(test.state)
			_, err := callTool(t, f, "update_site", `{"site_id":"7",`+test.args+`}`)
			if test.refused != "" {
				require.ErrorContains(t, err, test.refused)
			} else {
				require.NoError(t, err)
			}
			sent := slices.DeleteFunc(f.calls, func(c fakeCall) bool { return strings.HasPrefix(c.Action, "Get") })
			require.Equal(t, test.want, append([]fakeCall(nil), sent...))
		})
	}
}

// Every other setting is sent with the operation that it has, and both headers
// go in one call.
func TestSiteSettingsAreSent(t *testing.T) {
	f := protectedSite(`{}`)
	out, err := callTool(t, f, "update_site", `{"site_id":"7","development_mode":true,"seo_bypass":false,"cname_flattening":"flatten_all",
		"cross_border":true,"performance_data":true,"client_geo_header":true,"client_ip_header":"X-Visitor","site_version":3}`)
	require.NoError(t, err)
	require.Contains(t, out, `"changed":["development_mode","seo_bypass","cross_border","performance_data","cname_flattening","client_geo_header, client_ip_header"]`)
	require.Contains(t, f.calls, fakeCall{"UpdateDevelopmentMode", `{"Enable":"on","SiteId":7}`})
	require.Contains(t, f.calls, fakeCall{"UpdateSeoBypass", `{"Enable":"off","SiteId":7}`})
	require.Contains(t, f.calls, fakeCall{"UpdateCnameFlattening", `{"FlattenMode":"flatten_all","SiteId":7}`})
	require.Contains(t, f.calls, fakeCall{"UpdateManagedTransform",
		`{"AddClientGeolocationHeader":"on","AddRealClientIpHeader":"on","RealClientIpHeaderName":"X-Visitor","SiteId":7,"SiteVersion":3}`})
	_, err = callTool(t, f, "update_site", `{"site_id":"7","client_ip_header":""}`)
	require.NoError(t, err)
	require.Contains(t, f.calls, fakeCall{"UpdateManagedTransform", `{"AddRealClientIpHeader":"off","SiteId":7}`})
}

// A tool takes site_version when an operation of it does, unless the version is
// not the caller's to choose.
func TestSiteVersion(t *testing.T) {
	without := map[string]string{
		"delete_site": "a site goes with all its versions",
	}
	for _, tool := range All() {
		m := tool.Meta()
		takes := slices.ContainsFunc(m.Calls, takesSiteVersion)
		if without[m.Name] != "" {
			require.True(t, takes && !m.Versioned, m.Name)
			continue
		}
		require.Equal(t, takes, m.Versioned, "%s: set Versioned if and only if an operation takes SiteVersion", m.Name)
	}
	f := &fakeESA{answers: map[string]func(esa.Params) (any, error){"ListSites": say(`{"Sites":[{"SiteId":7,"SiteName":"a.example"}]}`),
		"ListCacheRules": say(`{"Configs":[],"TotalCount":0}`)}}
	_, err := callTool(t, f, "list_cache_rules", `{"site_name":"a.example","site_version":"2"}`)
	require.NoError(t, err)
	require.NotContains(t, f.calls[0].Params, siteVersion, "ListSites does not take it")
	require.Contains(t, f.calls[1].Params, `"SiteVersion":2`)
	_, err = callTool(t, f, "list_cache_rules", `{"site_id":"7","site_version":-1}`)
	require.ErrorContains(t, err, "site_version: -1 is less than the minimum of 0")
	_, err = callTool(t, f, "list_cache_rules", `{"site_id":"7"}`)
	require.NoError(t, err)
	require.NotContains(t, f.calls[len(f.calls)-1].Params, siteVersion)
}
