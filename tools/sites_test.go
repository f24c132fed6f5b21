package tools

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

const (
	nsSite = `{"SiteId":974351557069296,"SiteName":"example.com","Status":"pending","AccessType":"NS","Coverage":"overseas",
		"PlanName":"basic","InstanceId":"sp-1","NameServerList":"a.ns.example, b.ns.example","CnameZone":"example.com.a1.example","CreateTime":"2026-01-02T03:04:05Z"}`
	cnameSite = `{"SiteId":9007199254740993,"SiteName":"shop.example","Status":"pending","AccessType":"CNAME","Coverage":"global","VerifyCode":"verify_abc"}`
)

// sitesOf answers ListSites as the service does: exact unless told otherwise.
func sitesOf(sites ...string) func(esa.Params) (any, error) {
	return func(p esa.Params) (any, error) {
		var list []json.RawMessage
		for _, s := range sites {
			var site struct{ SiteName string }
			if err := json.Unmarshal([]byte(s), &site); err != nil {
				return nil, err
			}
			if p["SiteName"] == nil || p["SiteName"] == site.SiteName {
				list = append(list, json.RawMessage(s))
			}
		}
		return map[string]any{"Sites": list, "TotalCount": len(list)}, nil
	}
}

func TestListSites(t *testing.T) {
	f := &fakeESA{
		answers: map[string]func(esa.Params) (any, error){"ListSites": say(`{"Sites":[` + nsSite + `,` + cnameSite + `],"TotalCount":41,"RequestId":"r"}`)},
		notes:   []esa.Note{{ID: "site-search", Text: "noted"}},
	}
	out, err := callTool(t, f, "list_sites", `{"name":"Example.COM.","status":"pending","page_size":20,"page":2}`)
	require.NoError(t, err)
	require.Equal(t, []fakeCall{{"ListSites", `{"PageNumber":2,"PageSize":20,"SiteName":"example.com","SiteSearchType":"fuzzy","Status":"pending"}`}}, f.calls)
	require.JSONEq(t, `{
		"notes":[{"id":"site-search","text":"noted"}],
		"sites":[
			{"id":"974351557069296","name":"example.com","status":"pending","access_type":"NS"},
			{"id":"9007199254740993","name":"shop.example","status":"pending","access_type":"CNAME"}],
		"total":41,"page":2,"next_page":3,
		"next_steps":[
			"example.com is pending: set its name servers at the registrar to a.ns.example and b.ns.example, then verify the site (verify_site)",
			"shop.example is pending: add the TXT record _esaauth.shop.example with the value verify_abc at its DNS provider, then verify the site (verify_site)"]}`, out)

	f.calls = nil
	_, err = callTool(t, f, "list_sites", `{}`)
	require.NoError(t, err)
	require.Equal(t, `{"PageNumber":1,"PageSize":20}`, f.calls[0].Params, "no search without a name")
	f.calls = nil
	_, err = callTool(t, f, "list_sites", `{"name":"a","match":"exact","access_type":"ns"}`)
	require.NoError(t, err)
	require.Equal(t, `{"AccessType":"NS","PageNumber":1,"PageSize":20,"SiteName":"a","SiteSearchType":"exact"}`, f.calls[0].Params)
}

func TestNextStepsOfSites(t *testing.T) {
	tests := []struct {
		site Site
		want string
	}{
		{Site{Name: "a", Status: "active", AccessType: "NS"}, ""},
		{Site{Name: "a", Status: "pending", AccessType: "NS"}, "not verified yet"},
		{Site{Name: "a", Status: "offline", OfflineReason: "missing_icp"}, "ICP filing"},
		{Site{Name: "a", Status: "offline", OfflineReason: "expiration_arrears"}, "renew it"},
		{Site{Name: "a", Status: "offline", OfflineReason: "content_violation"}, "a is offline: content_violation"},
		{Site{Name: "a", Status: "offline"}, "a is offline"},
	}
	for _, test := range tests {
		steps := test.site.nextSteps()
		if test.want == "" {
			require.Empty(t, steps)
			continue
		}
		require.Len(t, steps, 1)
		require.Contains(t, steps[0], test.want)
	}
}

func TestGetSite(t *testing.T) {
	f := &fakeESA{answers: map[string]func(esa.Params) (any, error){
		"ListSites": sitesOf(nsSite, cnameSite),
		"GetSite": say(`{"SiteModel":{"SiteId":9007199254740993,"SiteName":"shop.example","Status":"active","AccessType":"CNAME","Coverage":"global",
			"VersionManagement":true,"Tags":{"a":"b"},"UpdateTime":"u","ResourceGroupId":"rg"}}`),
	}}
	want := `{"id":"9007199254740993","name":"shop.example","status":"active","access_type":"CNAME","coverage":"global",
		"resource_group":"rg","version_management":true,"tags":{"a":"b"},"updated":"u"}`
	for _, args := range []string{`{"site_name":"Shop.example."}`, `{"site_id":"9007199254740993"}`, `{"site_id":9007199254740993}`,
		`{"site_id":"9007199254740993","site_name":"shop.example"}`} {
		f.calls = nil
		out, err := callTool(t, f, "get_site", args)
		require.NoError(t, err)
		require.JSONEq(t, want, out)
		require.Equal(t, fakeCall{"GetSite", `{"SiteId":9007199254740993}`}, f.calls[len(f.calls)-1])
	}
	out, err := callTool(t, f, "get_site", `{"site_name":"a.www.shop.example"}`)
	require.NoError(t, err)
	require.Contains(t, out, "a.www.shop.example is a host of the site shop.example.", "it is found by a host, too")
}

func TestSiteReferences(t *testing.T) {
	tests := []struct{ name, args, want string }{
		{"none", `{}`, "Give site_id or site_name"},
		{"unknown", `{"site_name":"exmple.com"}`, `did you mean "example.com"?`},
		{"unlike all", `{"site_name":"shop.test"}`, `There is no site "shop.test". list_sites shows all`},
		{"host name", `{"site_name":"www.example.com"}`, "it is a host name of the site example.com"},
		{"two sites", `{"site_id":"1","site_name":"example.com"}`, "are not the same site"},
		{"bad id", `{"site_id":"example.com"}`, "site_id:"},
	}
	f := &fakeESA{answers: map[string]func(esa.Params) (any, error){"ListSites": sitesOf(nsSite, cnameSite)}}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := callTool(t, f, "get_cache_settings", test.args)
			require.ErrorContains(t, err, test.want)
		})
	}
	f.answers["ListSites"] = sitesOf()
	_, err := callTool(t, f, "get_site", `{"site_name":"a.example"}`)
	require.ErrorContains(t, err, "this account has no sites")
	f.answers["ListSites"] = fail(&esa.Error{Action: "ListSites", Code: "Throttling", HTTPStatus: 429, Retryable: true})
	_, err = callTool(t, f, "get_site", `{"site_name":"a.example"}`)
	require.ErrorContains(t, err, "get_site failed to find site a.example: Throttling")
}

func TestListRecords(t *testing.T) {
	f := &fakeESA{answers: map[string]func(esa.Params) (any, error){
		"ListSites": sitesOf(nsSite),
		"ListRecords": say(`{"TotalCount":3,"Records":[
			{"RecordId":9007199254740993,"RecordName":"www.example.com","RecordType":"A/AAAA","Data":{"Value":"1.2.3.4,::1"},"Ttl":1,"Proxied":true,"BizName":"web","RecordCname":"www.example.com.a1.example","UpdateTime":"u"},
			{"RecordId":2,"RecordName":"oss.example.com","RecordType":"CNAME","RecordSourceType":"OSS","HostPolicy":"follow_hostname","Data":{"value":"b.oss.example"},"Ttl":30,"Proxied":true,"Comment":"c",
			 "AuthConf":{"AuthType":"private","AccessKey":"LTAI5tSECRETSECRET","SecretKey":"verysecretverysecret"}},
			{"RecordId":3,"RecordName":"example.com","RecordType":"MX","Data":{"Value":"mx.example","Priority":0},"Ttl":600}]}`),
	}}
	out, err := callTool(t, f, "list_records", `{"site_name":"example.com","name":"www","type":"aaaa","proxied":false,"page_size":2}`)
	require.NoError(t, err)
	require.Equal(t, fakeCall{"ListRecords", `{"PageNumber":1,"PageSize":2,"Proxied":false,"RecordMatchType":"fuzzy","RecordName":"www","SiteId":974351557069296,"Type":"A/AAAA"}`}, f.calls[1])
	require.JSONEq(t, `{"notes":[{"id":"dns-type","text":"ESA keeps A and AAAA in one type, A/AAAA: used that."}],"site_id":"974351557069296","records":[
		{"id":"9007199254740993","name":"www.example.com","type":"A/AAAA","data":{"value":"1.2.3.4,::1"},"ttl":1,"proxied":true,"biz_name":"web","cname":"www.example.com.a1.example","updated":"u"},
		{"id":"2","name":"oss.example.com","type":"CNAME","data":{"value":"b.oss.example"},"ttl":30,"proxied":true,"source_type":"OSS","host_policy":"follow_hostname","origin_auth":"private","comment":"c"},
		{"id":"3","name":"example.com","type":"MX","data":{"value":"mx.example","priority":0},"ttl":600,"proxied":false}],
		"total":3,"page":1,"next_page":2}`, out)
	require.NotContains(t, out, "SECRET")
	require.NotContains(t, out, "verysecret")

	f.calls = nil
	_, err = callTool(t, f, "list_records", `{"site_id":974351557069296,"name":"www.example.com.","match":"exact","type":"cname"}`)
	require.NoError(t, err)
	require.Equal(t, []fakeCall{{"ListRecords", `{"PageNumber":1,"PageSize":50,"RecordMatchType":"exact","RecordName":"www.example.com","SiteId":974351557069296,"Type":"CNAME"}`}}, f.calls)
}
