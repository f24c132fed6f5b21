package tools

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/esa"
	"github.com/esa-mcp/esa-mcp/internal/guard"
)

// SetRouteInput are the arguments of set_route.
type SetRouteInput struct {
	SiteRef
	ID       ID     `json:"id,omitempty" jsonschema_description:"Route to change; what is left out stays"`
	Routine  string `json:"routine,omitempty" jsonschema_description:"Routine name"`
	Pattern  string `json:"pattern,omitempty" jsonschema_description:"Like *.example.com/api/*; finds the site itself"`
	Rule     string `json:"rule,omitempty" jsonschema_description:"Or a rule expression"`
	Name     string `json:"name,omitempty" jsonschema_description:"Route name"`
	Enabled  *bool  `json:"enabled,omitempty" jsonschema:"default=true" jsonschema_description:"Enabled"`
	Bypass   *bool  `json:"bypass,omitempty" jsonschema_description:"Matching requests skip the routine"`
	Fallback *bool  `json:"fallback,omitempty" jsonschema_description:"Origin answers when the routine fails"`
	Sequence int64  `json:"sequence,omitempty" jsonschema:"minimum=1" jsonschema_description:"Smaller is tried first"`
	Timeout  int    `json:"timeout,omitempty" jsonschema:"minimum=5,maximum=60" jsonschema_description:"Seconds"`
}

// SetRouteOutput is the result of set_route.
type SetRouteOutput struct {
	Noted
	Status string `json:"status" jsonschema:"enum=created,enum=updated,enum=unchanged"`
	Route
}

func setRoute(ctx context.Context, d *Deps, in SetRouteInput) (SetRouteOutput, error) {
	var out SetRouteOutput
	rule, err := in.expression(&out.Noted)
	if err != nil {
		return out, err
	}
	site, err := in.site(ctx, d, rule)
	if err != nil {
		return out, err
	}
	if in.Routine != "" {
		if err := in.checkRoutine(ctx, d, &out.Noted); err != nil {
			return out, err
		}
	}
	release, err := d.Locks.Lock(ctx, "site "+string(site))
	if err != nil {
		return out, err
	}
	defer release()
	return in.ensure(ctx, d, site, rule, out)
}

// ensure makes the route as it is wanted, unless it is so already.
func (in SetRouteInput) ensure(ctx context.Context, d *Deps, site ID, rule string, out SetRouteOutput) (SetRouteOutput, error) {
	old, others, err := in.existing(ctx, d, &out.Noted, site, rule)
	if err != nil {
		return out, err
	}
	if old == nil {
		if in.Sequence, err = in.order(ctx, d, &out.Noted, site, rule, others); err != nil {
			return out, err
		}
	}
	params := esa.Params{"SiteId": site.number()}
	in.fill(params, rule, old)
	switch {
	case old == nil:
		answer, err := invoke[struct {
			ConfigID ID `json:"ConfigId"`
		}](ctx, d, &out.Noted, "CreateRoutineRoute", params)
		if err != nil {
			return out, fmt.Errorf("create the route: %w", err)
		}
		out.Status, in.ID = "created", answer.ConfigID
	case len(params) == 1:
		out.Status, in.ID = "unchanged", old.ID
	default:
		params["ConfigId"] = old.ID.number()
		if _, err := invoke[struct{}](ctx, d, &out.Noted, "UpdateRoutineRoute", params); err != nil {
			return out, fmt.Errorf("change route %s: %w", old.ID, err)
		}
		out.Status, in.ID = "updated", old.ID
	}
	if out.Route, err = readRoute(ctx, d, &out.Noted, site, in.ID); err != nil {
		out.Note(unread("list_routes shows the route"))
		out.Route = in.sent(site, params, old)
	}
	return out, nil
}

// sent is the route as it was sent, for when it cannot be read back.
func (in SetRouteInput) sent(site ID, params esa.Params, old *Route) Route {
	r := Route{SiteID: site, Enabled: true}
	if old != nil {
		r = *old
	}
	r.ID = in.ID
	for name, field := range map[string]*string{"RoutineName": &r.Routine, "RouteName": &r.Name, "Rule": &r.Rule, "Timeout": &r.Timeout} {
		if text, ok := params[name].(string); ok {
			*field = text
		}
	}
	for name, field := range map[string]*bool{"RouteEnable": &r.Enabled, "Bypass": &r.Bypass, "Fallback": &r.Fallback} {
		if text, ok := params[name].(string); ok {
			*field = text == "on"
		}
	}
	r.Sequence = cmp.Or(in.Sequence, r.Sequence)
	return r
}

// expression is the rule that is wanted; empty if none is given.
func (in SetRouteInput) expression(notes *Noted) (string, error) {
	switch {
	case in.Pattern != "" && in.Rule != "":
		return "", Refuse("Both pattern and rule are given: give one.")
	case in.ID == "" && (in.Routine == "" || in.Pattern == "" && in.Rule == ""):
		return "", Refuse("A new route needs routine, and pattern or rule. To change a route give its id.")
	case in.Pattern == "":
		return in.Rule, nil
	}
	p, err := parsePattern(in.Pattern)
	if err != nil {
		return "", err
	}
	notes.Note(guard.DescribeRoutePattern(in.Pattern, p))
	return p.Expression(), nil
}

// site is the site that is named, or else the one of the rule's host.
func (in SetRouteInput) site(ctx context.Context, d *Deps, rule string) (ID, error) {
	if in.SiteID != "" || in.SiteName != "" {
		return in.resolve(ctx, d)
	}
	hosts := ruleHosts(rule)
	if len(hosts) == 0 {
		return "", Refuse("Which site? Give site_id or site_name; list_sites shows both.")
	}
	found, err := siteOfHost(ctx, d, strings.TrimPrefix(hosts[0], "*."))
	return found.ID, err
}

// checkRoutine wants the routine to exist and something of it to be live.
func (in SetRouteInput) checkRoutine(ctx context.Context, d *Deps, notes *Noted) error {
	r, ok, err := getRoutine(ctx, d.ESA, in.Routine)
	if err != nil {
		return fmt.Errorf("look up routine %s: %w", in.Routine, err)
	}
	if !ok {
		return noRoutine(in.Routine)
	}
	if len(r.versionsIn(production)) == 0 {
		notes.Note(esa.Note{ID: "er-not-live", Text: "Nothing of " + in.Routine + " is live in production yet: deploy it."})
	}
	return nil
}

// existing is the route to change: that of the id, or else one that already runs
// the same routine for the same rule. It is nil if one has to be made; then the
// site's routes are returned.
func (in SetRouteInput) existing(ctx context.Context, d *Deps, notes *Noted, site ID, rule string) (*Route, []wireRoute, error) {
	if in.ID != "" {
		old, err := readRoute(ctx, d, notes, site, in.ID)
		return &old, nil, err
	}
	answer, err := invoke[routesAnswer](ctx, d, notes, "ListSiteRoutes", esa.Params{"SiteId": site.number(), "PageNumber": 1, "PageSize": 500})
	if err != nil {
		return nil, nil, fmt.Errorf("list the site's routes: %w", err)
	}
	for _, w := range answer.Configs {
		if w.Rule != rule {
			continue
		}
		if w.RoutineName == in.Routine {
			old := w.route(site)
			return &old, nil, nil
		}
		notes.Note(esa.Note{ID: "er-route-conflict", Text: fmt.Sprintf(
			"Route %s has the same rule and runs %s: the one with the smaller sequence wins.", w.ConfigID, w.RoutineName)})
	}
	return nil, answer.Configs, nil
}

// fill puts in what has to be sent: everything for a new route, else what is
// different.
func (in SetRouteInput) fill(params esa.Params, rule string, old *Route) {
	isNew := old == nil
	if isNew {
		old = &Route{Enabled: true}
		params["RouteEnable"], params["RouteName"] = "on", routeName(in.Routine, rule)
	}
	text := func(name, want, have string) {
		if want != "" && want != have {
			params[name] = want
		}
	}
	text("RoutineName", in.Routine, old.Routine)
	text("RouteName", in.Name, old.Name)
	text("Rule", rule, old.Rule)
	if in.Timeout != 0 {
		text("Timeout", strconv.Itoa(in.Timeout), old.Timeout)
	}
	if in.Sequence != 0 && in.Sequence != old.Sequence {
		params["Sequence"] = in.Sequence
	}
	flag := func(name string, want *bool, have bool) {
		if want != nil && *want != have {
			params[name] = onOff(*want)
		}
	}
	flag("RouteEnable", in.Enabled, old.Enabled)
	flag("Bypass", in.Bypass, old.Bypass)
	flag("Fallback", in.Fallback, old.Fallback)
}

// routeName makes a name for a route that has been given none.
func routeName(routine, rule string) string {
	hosts := ruleHosts(rule)
	if len(hosts) == 0 {
		return routine
	}
	return routine + "-" + strings.ReplaceAll(strings.TrimPrefix(hosts[0], "*."), ".", "-")
}
