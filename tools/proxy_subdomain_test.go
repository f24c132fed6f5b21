package tools

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// proxyESA has the site example.com, its proxied host a.example.com, one
// certificate and one route.
func proxyESA(certificates string, apply func(esa.Params) (any, error)) *fakeESA {
	return &fakeESA{answers: map[string]func(esa.Params) (any, error){
		"ListSites": func(p esa.Params) (any, error) {
			if p["SiteName"] != "example.com" {
				return `{"Sites":[]}`, nil
			}
			return `{"Sites":[{"SiteId":9007199254740993,"SiteName":"example.com","Status":"active","AccessType":"NS"}],"TotalCount":1}`, nil
		},
		"ListRecords":      say(`{"Records":[{"RecordId":2,"RecordName":"a.example.com","RecordType":"A/AAAA","Proxied":true,"Data":{"Value":"8.8.8.8,2001:db8::1"}}],"TotalCount":1}`),
		"ListCertificates": say(`{"Result":[` + certificates + `],"TotalCount":1}`), "ApplyCertificate": apply,
		"ListOriginRules": say(`{"Configs":[{"ConfigId":3,"ConfigType":"rule","Rule":"http.host  eq \"a.example.com\"","RuleEnable":"on","OriginScheme":"http","OriginHttpPort":"81"}],"TotalCount":1}`),
		"ListSiteRoutes":  say(`{"Configs":[{"RouteName":"r","RoutineName":"fn","Rule":"(http.host eq \"a.example.com\")","RouteEnable":"on"}]}`),
	}}
}

func proxy(t *testing.T, f *fakeESA, args string) ProxySubdomainOutput {
	t.Helper()
	text, err := callTool(t, f, "proxy_subdomain", args)
	require.NoError(t, err)
	var out ProxySubdomainOutput
	require.NoError(t, json.Unmarshal([]byte(text), &out))
	require.Len(t, out.Steps, 4)
	return out
}

func TestProxySubdomainCertificates(t *testing.T) {
	applied := say(`{"Result":[{"Domain":"a.example.com","Id":"c9","Status":"Applying"}]}`)
	full := fail(&esa.Error{Action: "ApplyCertificate", Code: "CertQuotaCheckFailed", HTTPStatus: 400})
	for name, c := range map[string]struct {
		certificates string
		apply        func(esa.Params) (any, error)
		status, id   string
		detail       string
		check        string
	}{
		"valid":                  {`{"Id":"c1","CommonName":"a.example.com","Status":"OK"}`, nil, StepExisting, "c1", "valid", StepDone},
		"wildcard":               {`{"Id":"c1","SAN":"example.com,*.example.com","Status":"Expiring"}`, nil, StepExisting, "c1", "valid", StepDone},
		"under way":              {`{"Id":"c1","SAN":"a.example.com","Status":"Applying"}`, nil, StepWaiting, "c1", "not issued yet", StepWaiting},
		"none":                   {``, applied, StepWaiting, "c9", "applied for", StepWaiting},
		"another's":              {`{"Id":"c1","SAN":"b.example.com,*.a.example.com","Status":"OK"}`, applied, StepWaiting, "c9", "applied for", StepWaiting},
		"failed before":          {`{"Id":"c1","SAN":"a.example.com","Status":"ApplyFailed","ApplyMessage":"no DNS"}`, applied, StepWaiting, "c9", "no DNS", StepWaiting},
		"expired fill the quota": {`{"Id":"c1","SAN":"b.example.com","Status":"Expired"}`, full, StepFailed, "", "c1 (b.example.com)", StepWaiting},
		"refused":                {``, fail(&esa.Error{Action: "ApplyCertificate", Code: "NoPermission", HTTPStatus: 403}), StepFailed, "", "NoPermission", StepWaiting},
	} {
		t.Run(name, func(t *testing.T) {
			out := proxy(t, proxyESA(c.certificates, c.apply), `{"host":"A.example.com","origin":"2001:DB8:0::1, 8.8.8.8","origin_scheme":"http","origin_port":81}`)
			require.Equal(t, SetupStep{Step: "record", Status: StepExisting, ID: "2", Detail: out.Steps[0].Detail}, out.Steps[0])
			require.Equal(t, c.status, out.Steps[1].Status)
			require.Equal(t, c.id, out.Steps[1].ID)
			require.Contains(t, out.Steps[1].Detail, c.detail)
			require.Equal(t, StepExisting, out.Steps[2].Status, "the rest is done whatever the certificate does")
			require.Equal(t, c.check, out.Steps[3].Status)
			require.Equal(t, c.check == StepDone, out.Complete)
			require.NotEmpty(t, out.Next)
			require.Equal(t, "origin-route-wins", out.Notes[0].ID)
		})
	}
}

func TestProxySubdomainLeavesARecordAlone(t *testing.T) {
	f := proxyESA(`{"Id":"c1","CommonName":"a.example.com","Status":"OK"}`, nil)
	out := proxy(t, f, `{"host":"a.example.com","origin":"9.9.9.9"}`)
	require.Equal(t, StepFailed, out.Steps[0].Status)
	require.Contains(t, out.Steps[0].Detail, "record_id 2")
	require.False(t, out.Complete)
	for _, c := range f.calls {
		require.NotContains(t, []string{"UpdateRecord", "CreateRecord"}, c.Action)
	}
}

func TestProxySubdomainStopsWhenCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	f := proxyESA("", nil)
	f.answers["ListRecords"] = func(esa.Params) (any, error) { cancel(); return nil, ctx.Err() }
	_, err := toolNamed(t, "proxy_subdomain").Call(ctx, fakeDeps(f), json.RawMessage(`{"host":"a.example.com"}`))
	require.ErrorContains(t, err, "cancelled")
}
