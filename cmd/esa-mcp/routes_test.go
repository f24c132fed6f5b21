package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/esa"
	"github.com/esa-mcp/esa-mcp/tools"
)

const routeToolsets = "pages,routines,dns"

// noteIDs lists what guardrails spoke.
func noteIDs(notes []esa.Note) []string {
	ids := []string{}
	for _, n := range notes {
		ids = append(ids, n.ID)
	}
	return ids
}

func TestRoutes(t *testing.T) {
	t.Parallel()
	s, c := withSite(t, routeToolsets, "shop.example", "NS")
	callOK[tools.DeployOutput](t, s, "deploy_routine", arguments{"name": "fn", "code": functionCode})

	made := callOK[tools.SetRouteOutput](t, s, "set_route", arguments{"routine": "fn", "pattern": "www.shop.example/api/*", "timeout": 10})
	require.Equal(t, "created", made.Status)
	require.Equal(t, `(http.host eq "www.shop.example" and starts_with(http.request.uri.path, "/api/"))`, made.Rule)
	require.True(t, made.Enabled)
	require.Equal(t, "10", made.Timeout)
	require.Equal(t, "fn-www-shop-example", made.Name)
	require.Equal(t, []string{"er-route-pattern", "er-route-needs-record", "er-propagation"}, noteIDs(made.Notes))

	_, err := c.Call(t.Context(), "CreateRecord", esa.Params{"SiteId": made.SiteID, "RecordName": "*.shop.example", "Type": "A/AAAA",
		"Ttl": 1, "Proxied": true, "BizName": "web", "Data": map[string]any{"Value": "203.0.113.7"}})
	require.NoError(t, err)
	again := callOK[tools.SetRouteOutput](t, s, "set_route", arguments{"routine": "fn", "rule": made.Rule})
	require.Equal(t, "unchanged", again.Status)
	require.Equal(t, made.ID, again.ID, "no second route for the same")
	require.Empty(t, again.Notes, "the wildcard record leads here")

	changed := callOK[tools.SetRouteOutput](t, s, "set_route", arguments{"site_name": "shop.example", "id": made.ID, "enabled": false, "fallback": true, "sequence": 7})
	require.Equal(t, "updated", changed.Status)
	require.False(t, changed.Enabled)
	require.True(t, changed.Fallback)
	require.Equal(t, int64(7), changed.Sequence)
	require.Equal(t, made.Rule, changed.Rule, "what is left out stays")

	all := callOK[tools.SetRouteOutput](t, s, "set_route", arguments{"site_name": "shop.example", "routine": "fn", "rule": "true", "name": "everything"})
	require.Equal(t, "everything", all.Name)

	list := callOK[tools.ListRoutesOutput](t, s, "list_routes", arguments{"site_name": "shop.example"})
	require.Equal(t, 2, list.Total)
	require.Zero(t, list.NextPage)
	list = callOK[tools.ListRoutesOutput](t, s, "list_routes", arguments{"routine": "fn"})
	require.Len(t, list.Routes, 2)
	require.Equal(t, "shop.example", list.Routes[0].SiteName)
	require.Equal(t, made.SiteID, list.Routes[0].SiteID)
	list = callOK[tools.ListRoutesOutput](t, s, "list_routes", arguments{"site_name": "shop.example", "id": made.ID})
	require.Equal(t, []tools.Route{changed.Route}, list.Routes)

	gone := callOK[tools.DeleteRouteOutput](t, s, "delete_route", arguments{"site_name": "shop.example", "id": made.ID})
	require.Equal(t, "fn", gone.Deleted.Routine)
	require.Contains(t, s.refuse(t, "delete_route", arguments{"site_name": "shop.example", "id": made.ID}), "RoutineRouteNotExist")

	for name, c := range map[string]struct {
		tool      string
		arguments arguments
		want      string
	}{
		"no routine":        {"set_route", arguments{"pattern": "shop.example/*"}, "needs routine"},
		"unknown routine":   {"set_route", arguments{"pattern": "shop.example/*", "routine": "none"}, "no routine"},
		"unknown site":      {"set_route", arguments{"pattern": "other.example/*", "routine": "fn"}, "other.example"},
		"which site":        {"set_route", arguments{"rule": "true", "routine": "fn"}, "Which site"},
		"bad pattern":       {"set_route", arguments{"pattern": "shop.example:8080/*", "routine": "fn"}, "er-route-pattern"},
		"bad rule":          {"set_route", arguments{"site_name": "shop.example", "rule": `(http.host eq )`, "routine": "fn"}, "rule-syntax"},
		"pattern and rule":  {"set_route", arguments{"pattern": "shop.example", "rule": "true", "routine": "fn"}, "give one"},
		"short timeout":     {"set_route", arguments{"pattern": "shop.example", "routine": "fn", "timeout": 1}, "timeout"},
		"no such route":     {"set_route", arguments{"site_name": "shop.example", "id": "12", "enabled": true}, "RoutineRouteNotExist"},
		"list of nothing":   {"list_routes", arguments{}, "Whose routes"},
		"list of both":      {"list_routes", arguments{"site_name": "shop.example", "routine": "fn"}, "not both"},
		"list without site": {"list_routes", arguments{"routine": "fn", "id": "1"}, "route of a site"},
		"list of no one's":  {"list_routes", arguments{"routine": "none"}, "no routine"},
	} {
		t.Run(name, func(t *testing.T) { require.Contains(t, s.refuse(t, c.tool, c.arguments), c.want) })
	}
}

func TestRelatedRecords(t *testing.T) {
	t.Parallel()
	s, c := withSite(t, routeToolsets, "shop.example", "NS")
	callOK[tools.DeployOutput](t, s, "deploy_routine", arguments{"name": "fn", "code": functionCode})
	made := callOK[tools.RelatedRecordOutput](t, s, "create_related_record", arguments{"routine": "fn", "record": "App.shop.example"})
	require.Equal(t, "created", made.Status)
	require.Equal(t, "app.shop.example", made.Name)
	again := callOK[tools.RelatedRecordOutput](t, s, "create_related_record", arguments{"routine": "fn", "record": "app.shop.example"})
	require.Equal(t, "unchanged", again.Status)
	require.Equal(t, made.ID, again.ID)

	record := func(name string) esa.Params {
		return esa.Params{"SiteId": made.SiteID, "RecordName": name, "Type": "A/AAAA", "Ttl": 1, "Data": map[string]any{"Value": "203.0.113.7"}}
	}
	_, err := c.Call(t.Context(), "CreateRecord", record("app.shop.example"))
	require.Equal(t, "DependedByOthers", esa.CodeOf(err), "the name is taken")
	_, err = c.Call(t.Context(), "CreateRecord", record("www.shop.example"))
	require.NoError(t, err)
	require.Contains(t, s.refuse(t, "create_related_record", arguments{"routine": "fn", "record": "www.shop.example"}), "er-record-conflict")
	require.Len(t, callOK[tools.ListRecordsOutput](t, s, "list_records", arguments{"site_name": "shop.example"}).Records, 1, "it is no DNS record")

	byRoutine := callOK[tools.ListRelatedRecordsOutput](t, s, "list_related_records", arguments{"routine": "fn"})
	require.Equal(t, []tools.RelatedRecord{{ID: made.ID, Name: "app.shop.example", SiteID: made.SiteID, SiteName: "shop.example"}}, byRoutine.Records)
	bySite := callOK[tools.ListRelatedRecordsOutput](t, s, "list_related_records", arguments{"site_name": "shop.example", "search": "app"})
	require.Len(t, bySite.Records, 1)
	require.Contains(t, bySite.Records[0].Cname, "app.shop.example.")
	routed := callOK[tools.SetRouteOutput](t, s, "set_route", arguments{"routine": "fn", "pattern": "app.shop.example"})
	require.NotContains(t, noteIDs(routed.Notes), "er-route-needs-record")

	callOK[tools.RelatedRecordOutput](t, s, "delete_related_record", arguments{"routine": "fn", "record": "app.shop.example"})
	require.Contains(t, s.refuse(t, "delete_related_record", arguments{"routine": "fn", "record": "app.shop.example"}), "no related record")
	require.Contains(t, s.refuse(t, "create_related_record", arguments{"routine": "none", "record": "a.shop.example"}), "no routine")
	require.Contains(t, s.refuse(t, "create_related_record", arguments{"routine": "fn", "record": "a.other.example"}), "a.other.example")
	require.Contains(t, s.refuse(t, "list_related_records", arguments{}), "Whose records")
}

func TestRelatedRecordOnCnameSite(t *testing.T) {
	t.Parallel()
	s, _ := withSite(t, routeToolsets, "cname.example", "CNAME")
	callOK[tools.DeployOutput](t, s, "deploy_routine", arguments{"name": "fn", "code": functionCode})
	text := s.refuse(t, "create_related_record", arguments{"routine": "fn", "record": "www.cname.example"})
	require.Contains(t, text, "er-related-cname")
	require.Contains(t, text, "bind_custom_domain")
}

func TestDeletingARoutineSaysWhatLeadsToIt(t *testing.T) {
	t.Parallel()
	s, _ := withSite(t, routeToolsets, "shop.example", "NS")
	callOK[tools.DeployOutput](t, s, "deploy_routine", arguments{"name": "fn", "code": functionCode})
	callOK[tools.SetRouteOutput](t, s, "set_route", arguments{"routine": "fn", "pattern": "www.shop.example/*"})
	callOK[tools.RelatedRecordOutput](t, s, "create_related_record", arguments{"routine": "fn", "record": "app.shop.example"})
	require.Contains(t, s.preview(t, "delete_routine", arguments{"name": "fn"}).Lost, "; routes: 1; related records: 1")
	callOK[tools.DeleteRoutineOutput](t, s, "delete_routine", arguments{"name": "fn"})
	require.Empty(t, callOK[tools.ListRoutesOutput](t, s, "list_routes", arguments{"site_name": "shop.example"}).Routes)
}
