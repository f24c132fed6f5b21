package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/esa"
	"github.com/esa-mcp/esa-mcp/tools"
)

// stepStates maps the steps of a set-up to their status.
func stepStates(steps []tools.SetupStep) map[string]string {
	out := map[string]string{}
	for _, s := range steps {
		out[s.Step] = s.Status
	}
	return out
}

func bind(t *testing.T, s *server, a arguments) tools.BindCustomDomainOutput {
	t.Helper()
	return callOK[tools.BindCustomDomainOutput](t, s, "bind_custom_domain", a)
}

func TestBindDomainOnCnameSite(t *testing.T) {
	t.Parallel()
	s, c := withSite(t, routeToolsets, "shop.example", "CNAME")
	callOK[tools.DeployOutput](t, s, "deploy_html", arguments{"name": "web", "html": "page"})
	out := bind(t, s, arguments{"routine": "web", "domain": "WWW.shop.example."})
	require.Equal(t, "www.shop.example", out.Domain)
	require.Equal(t, tools.StepDone, stepStates(out.Steps)["record"], out.Steps)
	require.Equal(t, tools.StepDone, stepStates(out.Steps)["route"], out.Steps)
	require.NotEqual(t, tools.StepFailed, stepStates(out.Steps)["certificate"], out.Steps)
	require.NotNil(t, out.DNS)
	require.Equal(t, "CNAME", out.DNS.Type)
	require.Contains(t, out.DNS.Value, "www.shop.example.")
	require.Contains(t, out.Next[0], out.DNS.Value)
	require.Contains(t, noteIDs(out.Notes), "er-origin")

	list := callOK[tools.ListRecordsOutput](t, s, "list_records", arguments{"site_name": "shop.example"})
	require.Len(t, list.Records, 1)
	require.True(t, list.Records[0].Proxied)
	routes := callOK[tools.ListRoutesOutput](t, s, "list_routes", arguments{"site_name": "shop.example"}).Routes
	require.Len(t, routes, 1)
	require.Equal(t, `(http.host eq "www.shop.example")`, routes[0].Rule)

	again := bind(t, s, arguments{"routine": "web", "domain": "www.shop.example"})
	require.Equal(t, tools.StepExisting, stepStates(again.Steps)["record"])
	require.Equal(t, tools.StepExisting, stepStates(again.Steps)["route"])
	require.Equal(t, out.Steps[0].ID, again.Steps[0].ID)
	require.Equal(t, out.Steps[1].ID, again.Steps[1].ID)
	certificates, err := c.Call(t.Context(), "ListCertificates", esa.Params{"SiteId": out.SiteID, "PageNumber": 1, "PageSize": 10})
	require.NoError(t, err)
	require.Len(t, certificates.Body["Result"], 1, "one application, however often it is called")

	// A related record does not work there, so it has to go first.
	_, err = c.Call(t.Context(), "CreateRoutineRelatedRecord", esa.Params{"Name": "web", "SiteId": out.SiteID, "RecordName": "app.shop.example"})
	require.NoError(t, err)
	app := bind(t, s, arguments{"routine": "web", "domain": "app.shop.example"})
	require.Equal(t, tools.StepFailed, stepStates(app.Steps)["record"])
	require.Contains(t, app.Steps[0].Detail, "er-related-cname")
	require.False(t, app.Complete)
	callOK[tools.RelatedRecordOutput](t, s, "delete_related_record", arguments{"routine": "web", "record": "app.shop.example"})
	app = bind(t, s, arguments{"routine": "web", "domain": "app.shop.example"})
	require.Equal(t, tools.StepDone, stepStates(app.Steps)["record"], "it goes on where it stopped")
	require.Equal(t, tools.StepExisting, stepStates(app.Steps)["route"])
}

func TestBindDomainOnNSSite(t *testing.T) {
	t.Parallel()
	s, c := withSite(t, routeToolsets, "shop.example", "NS")
	callOK[tools.DeployOutput](t, s, "deploy_routine", arguments{"name": "fn", "code": functionCode})
	callOK[tools.DeployOutput](t, s, "deploy_routine", arguments{"name": "other", "code": functionCode})
	first := bind(t, s, arguments{"routine": "fn", "domain": "*.shop.example", "origin": "203.0.113.9"})
	require.Equal(t, tools.StepDone, stepStates(first.Steps)["record"], first.Steps)
	require.Nil(t, first.DNS, "ESA itself is the DNS provider")
	require.NotContains(t, noteIDs(first.Notes), "er-origin")

	// A plain record is switched on.
	_, err := c.Call(t.Context(), "CreateRecord", esa.Params{"SiteId": first.SiteID, "RecordName": "shop.example", "Type": "A/AAAA",
		"Ttl": 60, "Data": map[string]any{"Value": "203.0.113.7"}})
	require.NoError(t, err)
	apex := bind(t, s, arguments{"routine": "fn", "domain": "shop.example"})
	require.Equal(t, tools.StepDone, stepStates(apex.Steps)["record"], apex.Steps)
	list := callOK[tools.ListRecordsOutput](t, s, "list_records", arguments{"site_name": "shop.example", "name": "shop.example", "match": "exact"})
	require.True(t, list.Records[0].Proxied)
	require.Equal(t, "203.0.113.7", list.Records[0].Data.Value, "it points where it did")

	// Another routine's domain is not taken over.
	taken := bind(t, s, arguments{"routine": "other", "domain": "shop.example"})
	require.Equal(t, tools.StepFailed, stepStates(taken.Steps)["route"])
	require.Contains(t, taken.Steps[1].Detail, "runs the routine fn")
	require.Contains(t, taken.Next[len(taken.Next)-1], "route")

	// A related record of the routine will do.
	callOK[tools.RelatedRecordOutput](t, s, "create_related_record", arguments{"routine": "fn", "record": "app.shop.example"})
	app := bind(t, s, arguments{"routine": "fn", "domain": "app.shop.example"})
	require.Equal(t, tools.StepExisting, stepStates(app.Steps)["record"])
	require.Equal(t, tools.StepExisting, stepStates(app.Steps)["route"])
	other := bind(t, s, arguments{"routine": "other", "domain": "app.shop.example"})
	require.Equal(t, tools.StepFailed, stepStates(other.Steps)["record"], "the name is another routine's")
	require.Contains(t, other.Steps[0].Detail, "DependedByOthers")

	for name, c := range map[string]struct {
		arguments arguments
		want      string
	}{
		"no routine":  {arguments{"routine": "none", "domain": "www.shop.example"}, "no routine"},
		"no site":     {arguments{"routine": "fn", "domain": "www.other.example"}, "www.other.example"},
		"an address":  {arguments{"routine": "fn", "domain": "https://shop.example/a"}, "host name"},
		"both in one": {arguments{"routine": "fn", "domain": "*shop.example"}, "host name"},
	} {
		t.Run(name, func(t *testing.T) { require.Contains(t, s.refuse(t, "bind_custom_domain", c.arguments), c.want) })
	}
}

// A step that fails leaves the others done, and the next call goes on.
func TestBindDomainGoesOnAfterAFailure(t *testing.T) {
	t.Parallel()
	s, _ := withSite(t, routeToolsets, "shop.example", "NS")
	callOK[tools.DeployOutput](t, s, "deploy_html", arguments{"name": "web", "html": "page"})
	out := bind(t, s, arguments{"routine": "web", "domain": "a.shop.example", "origin": "10.0.0.1"})
	require.Equal(t, tools.StepFailed, stepStates(out.Steps)["record"], "no public origin")
	require.Contains(t, out.Steps[0].Detail, "dns-private-ip")
	require.Equal(t, tools.StepDone, stepStates(out.Steps)["route"], "a failed step does not keep the next from being done")
	require.Equal(t, tools.StepWaiting, stepStates(out.Steps)["certificate"])
	require.False(t, out.Complete)
	out = bind(t, s, arguments{"routine": "web", "domain": "a.shop.example"})
	require.Equal(t, tools.StepDone, stepStates(out.Steps)["record"])
	require.Equal(t, tools.StepExisting, stepStates(out.Steps)["route"])
}

// A route of one path that comes after its domain was bound is reached, and so
// are the routes that were there.
func TestNarrowRouteAfterADomain(t *testing.T) {
	t.Parallel()
	s := startLocal(t)
	newSite(t, s, "shop.example", "NS")
	web := callOK[tools.DeployOutput](t, s, "deploy_html", arguments{"name": "web", "html": "page"})
	for _, name := range []string{"api", "v2", "any"} {
		callOK[tools.DeployOutput](t, s, "deploy_routine", arguments{"name": name,
			"code": "export default { fetch() { return new Response('" + name + "') } }"})
	}
	require.Equal(t, tools.StepDone, stepStates(bind(t, s, arguments{"routine": "web", "domain": "www.shop.example"}).Steps)["route"])
	bind(t, s, arguments{"routine": "any", "domain": "*.shop.example"})
	answers := func(path string) string {
		_, body := browse(t, "http://www.shop.example:"+port(t, web.URL)+path)
		return body
	}
	require.Equal(t, "page", answers("/"))

	api := callOK[tools.SetRouteOutput](t, s, "set_route", arguments{"routine": "api", "pattern": "www.shop.example/api/*"})
	require.Contains(t, noteIDs(api.Notes), "er-route-order")
	v2 := callOK[tools.SetRouteOutput](t, s, "set_route", arguments{"routine": "v2", "pattern": "www.shop.example/v2/*"})
	require.Equal(t, []string{"api", "v2", "page"}, []string{answers("/api/x"), answers("/v2/x"), answers("/")})
	_, body := browse(t, "http://app.shop.example:"+port(t, web.URL)+"/api/x")
	require.Equal(t, "any", body)
	require.Greater(t, v2.Sequence, api.Sequence)

	// Where there is room, nothing moves; what was given is kept.
	callOK[tools.SetRouteOutput](t, s, "set_route", arguments{"site_name": "shop.example", "id": v2.ID, "sequence": 100})
	moved := callOK[tools.SetRouteOutput](t, s, "set_route", arguments{"routine": "v2", "pattern": "www.shop.example/v3/*", "sequence": 50})
	require.EqualValues(t, 50, moved.Sequence)
	require.NotContains(t, noteIDs(moved.Notes), "er-route-order")
}
