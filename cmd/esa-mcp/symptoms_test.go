package main

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/esa"
	"github.com/esa-mcp/esa-mcp/tools"
)

// Every symptom of the table happens on the local ESA as it does on the service,
// and the tools do what its row says.
func TestEverySymptomHappens(t *testing.T) {
	t.Parallel()
	s := startLocal(t)
	tests := map[string]func(t *testing.T){
		"401 on a default domain of a routine or Pages site": func(t *testing.T) {
			page := callOK[tools.DeployOutput](t, s, "deploy_html", arguments{"name": "private", "html": "<p>hello"})
			bare, _, _ := strings.Cut(page.URL, "?")
			status, _ := browse(t, bare)
			require.Equal(t, 401, status)
			opens := callOK[tools.GetRoutineOutput](t, s, "get_routine", arguments{"name": "private"}).URL
			status, body := browse(t, opens)
			require.Equal(t, 200, status)
			require.Contains(t, body, "hello")
		},
		"502 destination_not_found on the edge": edgeWithoutDestination,
		"A site search finds nothing": func(t *testing.T) {
			newSite(t, s, "searched.example", "NS")
			exact := callOK[tools.ReadAPIOutput](t, s, "read_api", arguments{"action": "ListSites", "params": arguments{"SiteName": "searched", "SiteSearchType": "exact"}, "fields": []string{"TotalCount"}})
			require.JSONEq(t, `{"TotalCount":0}`, string(exact.Result))
			require.Equal(t, 1, callOK[tools.ListSitesOutput](t, s, "list_sites", arguments{"name": "searched"}).Total)
			require.Equal(t, 1, callOK[tools.ListSitesOutput](t, s, "list_sites", arguments{"name": "searched.example.", "match": "exact"}).Total)
		},
		"HTTP 200, and yet something failed": func(t *testing.T) {
			site := newSite(t, s, "batch.example", "NS")
			text := s.refuse(t, "batch_create_records", arguments{"site_id": site.ID, "records": []arguments{
				{"name": "a", "type": "TXT", "value": "x"}, {"name": "b", "type": "NS", "value": "ns.batch.example"}, {"name": "b", "type": "TXT", "value": "x"}}})
			require.Contains(t, text, "b.batch.example", "the row that failed is named")
		},
		"Environment variables are empty after a deploy": func(t *testing.T) {
			callOK[tools.DeployOutput](t, s, "deploy_routine", arguments{"name": "vars", "code": `export default { fetch() { return new Response("x") } }`})
			answer := callOK[tools.ReadAPIOutput](t, s, "read_api", arguments{"action": "ListRoutineCodeVersions", "params": arguments{"Name": "vars"}, "jq": ".CodeVersions[0].DeployEnv"})
			require.JSONEq(t, `"production"`, string(answer.Result))
		},
	}
	for _, row := range esa.Symptoms() {
		test, ok := tests[row.What]
		require.True(t, ok, "no test for the symptom %q", row.What)
		t.Run(row.What, test)
	}
}

// edgeWithoutDestination gives an origin rule a raw address: past the guardrails,
// as other clients do.
func edgeWithoutDestination(t *testing.T) {
	w := newWorld(t, "")
	w.furnish()
	w.must("CreateRecord", record(arguments{"RecordName": "www.codes.example", "Proxied": true, "BizName": "web"}))
	w.must("CreateOriginRule", arguments{"SiteId": "$SITE", "RuleEnable": "on", "RuleName": "raw", "Rule": `(http.host eq "www.codes.example")`,
		"DnsRecord": "203.0.113.9", "OriginScheme": "http"})
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.info.Edge, nil)
	require.NoError(t, err)
	r.Host = "www.codes.example"
	res, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Equal(t, 502, res.StatusCode)
	require.Contains(t, string(body), "destination_not_found")
}
