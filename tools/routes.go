package tools

import (
	"cmp"
	"context"
	"fmt"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// Route says which requests of a site run a routine.
type Route struct {
	ID       ID     `json:"id" jsonschema_description:"Route id, of its site"`
	SiteID   ID     `json:"site_id"`
	SiteName string `json:"site_name,omitempty"`
	Routine  string `json:"routine" jsonschema_description:"Routine that runs"`
	Name     string `json:"name,omitempty"`
	Rule     string `json:"rule" jsonschema_description:"Expression of the requests it is for"`
	Enabled  bool   `json:"enabled"`
	Bypass   bool   `json:"bypass,omitempty" jsonschema_description:"Matching requests skip the routine"`
	Fallback bool   `json:"fallback,omitempty" jsonschema_description:"When the routine fails, the origin answers"`
	Sequence int64  `json:"sequence" jsonschema_description:"Smaller is tried first"`
	Timeout  string `json:"timeout,omitempty" jsonschema_description:"Seconds"`
}

// wireRoute is a route as the API tells it.
type wireRoute struct {
	ConfigID, SiteID                       ID
	SiteName, RoutineName, RouteName, Rule string
	RouteEnable, Bypass, Fallback, Timeout string
	Sequence                               int64
}

func (w wireRoute) route(site ID) Route {
	return Route{
		ID: w.ConfigID, SiteID: cmp.Or(w.SiteID, site), SiteName: w.SiteName, Routine: w.RoutineName, Name: w.RouteName, Rule: w.Rule,
		Enabled: w.RouteEnable == "on", Bypass: w.Bypass == "on", Fallback: w.Fallback == "on", Sequence: w.Sequence, Timeout: w.Timeout,
	}
}

type routesAnswer struct {
	Configs    []wireRoute
	TotalCount int
}

// ListRoutesInput are the arguments of list_routes.
type ListRoutesInput struct {
	SiteRef
	Routine string `json:"routine,omitempty" jsonschema_description:"Routine name, instead of a site"`
	ID      ID     `json:"id,omitempty" jsonschema_description:"Only this route of the site"`
	Page    int    `json:"page,omitempty" jsonschema:"minimum=1,default=1" jsonschema_description:"Page of 50"`
}

// ListRoutesOutput is the result of list_routes.
type ListRoutesOutput struct {
	Noted
	Routes   []Route `json:"routes"`
	Total    int     `json:"total" jsonschema_description:"Routes on all pages"`
	NextPage int     `json:"next_page,omitempty" jsonschema_description:"Left out on the last page"`
}

// routeTools are the tools for routes and related records.
func routeTools() []Tool {
	return []Tool{
		Define(Meta{
			Name: "list_routes", Title: "List routine routes", Toolset: "routines",
			Description: "List the routes of a site or of a routine: which requests run what.",
			Calls:       []string{"ListRoutineRoutes", "ListSiteRoutes", "GetRoutineRoute", "ListSites"},
			ReadOnly:    Yes, Destructive: No, Idempotent: Yes, OpenWorld: Yes,
		}, listRoutes),
		Define(Meta{
			Name: "set_route", Title: "Create or change a route", Toolset: "routines",
			Description: "Run a routine for the requests of a pattern or rule; with id, change that route. For a whole domain, certificate included, use bind_custom_domain.",
			Calls: []string{"CreateRoutineRoute", "UpdateRoutineRoute", "GetRoutineRoute", "ListSiteRoutes", "ListSites", "GetRoutine",
				"ListRecords", "ListEdgeRoutineRecords"},
			ReadOnly: No, Destructive: No, Idempotent: Yes, OpenWorld: Yes,
		}, setRoute),
		Define(Meta{
			Name: "delete_route", Title: "Delete a route", Toolset: "routines",
			Description: "Delete a route: its requests go to the origin again.",
			Calls:       []string{"GetRoutineRoute", "DeleteRoutineRoute", "ListSites"},
			ReadOnly:    No, Destructive: Yes, Idempotent: Yes, OpenWorld: Yes,
		}, deleteRoute),
	}
}

// routePage is the size of a page of routes.
const routePage = 50

func listRoutes(ctx context.Context, d *Deps, in ListRoutesInput) (ListRoutesOutput, error) {
	var out ListRoutesOutput
	bySite := in.SiteID != "" || in.SiteName != ""
	if bySite == (in.Routine != "") {
		return out, Refuse("Whose routes? Give routine, or a site (site_id or site_name), not both.")
	}
	if in.ID != "" && !bySite {
		return out, Refuse("id is a route of a site: give site_id or site_name with it.")
	}
	var site ID
	action, params := "ListRoutineRoutes", esa.Params{"RoutineName": in.Routine}
	if bySite {
		var err error
		if site, err = in.resolve(ctx, d); err != nil {
			return out, err
		}
		if in.ID != "" {
			one, err := readRoute(ctx, d, &out.Noted, site, in.ID)
			out.Routes, out.Total = []Route{one}, 1
			return out, err
		}
		action, params = "ListSiteRoutes", esa.Params{"SiteId": site.number()}
	}
	page := cmp.Or(in.Page, 1)
	params["PageNumber"], params["PageSize"] = page, routePage
	answer, err := invoke[routesAnswer](ctx, d, &out.Noted, action, params)
	if esa.CodeOf(err) == "RoutineNotExist" {
		return out, noRoutine(in.Routine)
	}
	if err != nil {
		return out, err
	}
	for _, w := range answer.Configs {
		out.Routes = append(out.Routes, w.route(site))
	}
	out.Total, out.NextPage = answer.TotalCount, nextPage(page, routePage, answer.TotalCount)
	return out, nil
}

// readRoute reads one route.
func readRoute(ctx context.Context, d *Deps, notes *Noted, site, id ID) (Route, error) {
	w, err := invoke[wireRoute](ctx, d, notes, "GetRoutineRoute", esa.Params{"SiteId": site.number(), "ConfigId": id.number()})
	if err != nil {
		return Route{}, fmt.Errorf("read route %s: %w", id, err)
	}
	return w.route(site), nil
}

// DeleteRouteInput are the arguments of delete_route.
type DeleteRouteInput struct {
	SiteRef
	ID ID `json:"id" jsonschema_description:"Route id, from list_routes"`
}

// DeleteRouteOutput is the result of delete_route.
type DeleteRouteOutput struct {
	Noted
	Deleted Route `json:"deleted" jsonschema_description:"The route that is gone"`
}

func deleteRoute(ctx context.Context, d *Deps, in DeleteRouteInput) (DeleteRouteOutput, error) {
	var out DeleteRouteOutput
	site, err := in.resolve(ctx, d)
	if err != nil {
		return out, err
	}
	release, err := d.Locks.Lock(ctx, "site "+string(site))
	if err != nil {
		return out, err
	}
	defer release()
	if out.Deleted, err = readRoute(ctx, d, &out.Noted, site, in.ID); err != nil {
		return out, err
	}
	_, err = invoke[struct{}](ctx, d, &out.Noted, "DeleteRoutineRoute", esa.Params{"SiteId": site.number(), "ConfigId": in.ID.number()})
	if err != nil {
		return out, fmt.Errorf("delete route %s: %w", in.ID, err)
	}
	return out, nil
}
