package tools

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

const activeSite = `{"SiteModel":{"SiteId":12345678901234567,"SiteName":"a.test","Status":"active","AccessType":"NS"}}`

func TestFullCertificateQuotaNamesTheExpired(t *testing.T) {
	full := fail(&esa.Error{Action: "ApplyCertificate", Code: "CertQuotaCheckFailed", HTTPStatus: 400, RequestID: "R1"})
	for list, want := range map[string]string{
		`{"Result":[{"Id":"aa","SAN":"old.a.test","Status":"Expired"},{"Id":"bb","Status":"OK"}]}`: "aa (old.a.test)",
		`{"Result":[{"Id":"bb","Status":"OK"}]}`:                                                   "get_certificate_quota",
	} {
		f := &fakeESA{answers: map[string]func(esa.Params) (any, error){
			"GetSite": say(activeSite), "ApplyCertificate": full, "ListCertificates": say(list)}}
		_, err := callTool(t, f, "apply_certificate", `{"site_id":"12345678901234567","domains":["a.test"]}`)
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, err, "R1")
		require.NotContains(t, err.Error(), "bb")
	}
}

func TestApplyCertificateWaits(t *testing.T) {
	looks := 0
	f := &fakeESA{answers: map[string]func(esa.Params) (any, error){
		"GetSite":          say(activeSite),
		"ApplyCertificate": say(`{"Result":[{"Domain":"a.test","Id":"aa","Status":"Applying"}]}`),
		"GetCertificate": func(esa.Params) (any, error) {
			if looks++; looks < 3 {
				return `{"Result":{"Id":"aa","Status":"Applying"}}`, nil
			}
			return `{"Result":{"Id":"aa","Status":"OK","SAN":"a.test","NotAfter":"2026-06-01T00:00:00Z"}}`, nil
		}}}
	out, err := callTool(t, f, "apply_certificate", `{"site_id":"12345678901234567","domains":["a.test"],"wait":true}`)
	require.NoError(t, err)
	require.JSONEq(t, `{"site_id":"12345678901234567","certificates":[{"id":"aa","status":"OK","domains":["a.test"],"not_after":"2026-06-01T00:00:00Z"}]}`, out)

	f.answers["GetCertificate"] = say(`{"Result":{"Id":"aa","Status":"Applying"}}`)
	out, err = callTool(t, f, "apply_certificate", `{"site_id":"12345678901234567","domains":["a.test"],"wait":true}`)
	require.NoError(t, err, "the wait ends")
	require.Contains(t, out, "Not issued after 5 minutes")
}

func TestDuplicateThatIsNotFoundIsAnError(t *testing.T) {
	f := &fakeESA{answers: map[string]func(esa.Params) (any, error){
		"SetCertificate":   fail(&esa.Error{Action: "SetCertificate", Code: "Certificate.Duplicated", HTTPStatus: 400}),
		"ListCertificates": say(`{"Result":[]}`)}}
	_, err := callTool(t, f, "set_certificate", `{"site_id":"1","cas_id":"9007199254740993","cas_region":"ap-southeast-1"}`)
	require.ErrorContains(t, err, "Certificate.Duplicated")
	var sent map[string]any
	require.NoError(t, json.Unmarshal([]byte(f.calls[0].Params), &sent))
	require.Equal(t, "ap-southeast-1", sent["Region"])
	f.answers["ListCertificates"] = say(`{"Result":[{"Id":"aa","CasId":"9007199254740993"}]}`)
	out, err := callTool(t, f, "set_certificate", `{"site_id":"1","cas_id":"9007199254740993"}`)
	require.NoError(t, err)
	require.Contains(t, out, `"id":"aa","already":true`)
}
