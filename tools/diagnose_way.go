package tools

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/guard"
)

// checkRoute looks at the routine that answers for the host, and at what never
// runs because of it.
func (x *diagnosis) checkRoute(ctx context.Context) error {
	for _, m := range x.sim.Missed {
		if m.Kind == "route" && strings.HasPrefix(m.Why, "switched off;") {
			x.find("er-route-off", SeverityInfo, x.fix("set_route", map[string]any{"id": m.ID, "enabled": true}), called("route", m.ID), "A route of the host is switched off")
		}
	}
	if x.sim.Answers != "route" {
		return nil
	}
	for _, r := range x.s.routes {
		if !slices.ContainsFunc(x.sim.Rules, func(one SimulatedRule) bool {
			return one.Kind == "route" && one.ID == r.ID && one.Outcome == RuleApplies
		}) {
			continue
		}
		x.routeOverOrigin(r)
		found, ok, err := getRoutine(ctx, x.d.ESA, r.Routine)
		if err != nil {
			return fmt.Errorf("look up routine %s: %w", r.Routine, err)
		}
		if !ok {
			x.find("er-routine-missing", SeverityError, x.fix("delete_route", map[string]any{"id": r.ID}), r.Rule, "The route runs the routine %s, which does not exist", r.Routine)
			return nil
		}
		return x.deployed(ctx, r.Routine, found)
	}
	return nil
}

// routeOverOrigin says that a route wins over the origin: an error of thought if
// an origin rule is for the host, too.
func (x *diagnosis) routeOverOrigin(r Route) {
	text := fmt.Sprintf("%s (%s)", called("route", r.ID), r.Rule)
	for _, o := range x.sim.Rules {
		if o.Kind == kindOrigin && slices.Contains(ruleHosts(o.Rule), x.out.Host) {
			x.find("origin-route-wins", SeverityWarning, x.fix("set_route", map[string]any{"id": r.ID, "enabled": false}), text+" before "+called(kindOrigin, o.ID),
				"Still served by the routine %s: a route wins over the origin, so the origin rule never runs", r.Routine)
			return
		}
	}
	x.find("er-route", SeverityInfo, nil, text, "Served by the routine %s", r.Routine)
}

// deployed checks that a routine has something in production.
func (x *diagnosis) deployed(ctx context.Context, name string, r routine) error {
	for _, env := range r.live() {
		if env.Environment != production || len(env.Versions) > 0 {
			continue
		}
		list, err := listVersions(ctx, x.d.ESA, name)
		if err != nil {
			return fmt.Errorf("list the versions of %s: %w", name, err)
		}
		var fix *Fix
		for _, v := range list {
			if v.Status == versionAvailable && fix == nil { // the newest is first
				fix = &Fix{Tool: "publish_routine_version", Arguments: map[string]any{"name": name, "version": v.CodeVersion}}
			}
		}
		x.find("er-not-deployed", SeverityError, fix, fmt.Sprintf("%d versions, none in production", len(list)), "The routine %s is not deployed: its requests get 404", name)
	}
	return nil
}

// checkOrigin looks at how the edge reaches the origin.
func (x *diagnosis) checkOrigin(ctx context.Context) {
	for _, row := range x.sim.Rules {
		if row.Kind == kindOrigin {
			i := slices.IndexFunc(x.s.rules[kindOrigin], func(r KindRule) bool { return r.ID == row.ID })
			x.checkOriginRule(ctx, x.s.rules[kindOrigin][i])
		}
	}
	o, r := x.sim.Origin, x.s.record
	if o == nil {
		return
	}
	if r != nil && r.Data.Value == placeholderOrigin && o.Record == r.Name {
		fix := &Fix{Tool: "update_record", Arguments: map[string]any{"record_id": r.ID, "value": x.in.Origin}}
		if x.in.Origin == "" {
			fix.Fill = []string{"value"}
		}
		x.find("er-origin", SeverityError, fix, x.recordText(), "The record points at an address where nothing answers, and no routine answers either")
	}
	evidence := "record " + o.Record
	if o.Host != x.out.Host {
		evidence += ", Host " + o.Host
	}
	x.find("origin", SeverityInfo, nil, evidence, "The edge asks %s. 502 or 504: it has to answer there, and let the edge in", o.URL)
}

// checkOriginRule finds what makes an origin rule end in 502.
func (x *diagnosis) checkOriginRule(ctx context.Context, r KindRule) {
	s, rule := r.Settings, called(kindOrigin, r.ID)
	set := func(more map[string]any) *Fix {
		more["rule_id"] = r.ID
		return x.fix("set_origin_rule", more)
	}
	switch name := siteName(s["dns_record"]); {
	case name == "":
	case isIP(name):
		x.find("origin-ip", SeverityError, x.recordOfAddress(ctx, name, set), rule+": dns_record="+name,
			"dns_record is an address, not a record: 502 destination_not_found")
	case x.s.originRecords[name] == nil:
		fix := set(map[string]any{"dns_record": x.out.Host})
		if x.s.record == nil {
			fix = nil
		}
		x.find("origin-record-missing", SeverityError, fix, rule+": dns_record="+name, "dns_record is no record of the site: 502 destination_not_found")
	}
	scheme := cmp.Or(s["origin_scheme"], "https")
	port, plain := portOf(s["origin_"+scheme+"_port"]), portOf(s["origin_http_port"])
	switch {
	case scheme == "https" && port == 0 && plain != 0:
		x.find("origin-scheme", SeverityError, set(map[string]any{"origin_scheme": "http"}), fmt.Sprintf("%s: https, origin_http_port=%d", rule, plain),
			"The rule has a port for http but asks by https, so the port does not count: 502 if the origin speaks http only")
	case scheme == "https" && guard.UsuallyHTTP(port):
		x.find("origin-scheme", SeverityWarning, set(map[string]any{"origin_scheme": "http", "origin_port": port}), fmt.Sprintf("%s: https, port %d", rule, port),
			"Port %d usually speaks http, and the rule asks by https: 502 then", port)
	case scheme == "http" && (port == 443 || port == 8443):
		x.find("origin-scheme", SeverityWarning, set(map[string]any{"origin_scheme": "https", "origin_port": port}), fmt.Sprintf("%s: http, port %d", rule, port),
			"Port %d usually speaks https, and the rule asks by http", port)
	case s["origin_scheme"] == "":
		x.find("origin-scheme", SeverityInfo, set(map[string]any{"origin_scheme": "http"}), rule, "The rule says no origin_scheme, so it is https: 502 if the origin speaks http only")
	}
}

// recordOfAddress leads a rule to the record that has an address, or offers to
// make one.
func (x *diagnosis) recordOfAddress(ctx context.Context, ip string, set func(map[string]any) *Fix) *Fix {
	ip = strings.Trim(ip, "[]")
	if name, err := recordWith(ctx, x.d, &x.out.Noted, x.s.site.ID, ip); err == nil && name != "" {
		return set(map[string]any{"dns_record": name})
	}
	return x.fix("create_record", map[string]any{"name": "origin." + x.s.site.Name, "type": "A/AAAA", "value": ip})
}

// checkAnswer looks at what answers before routine and origin do.
func (x *diagnosis) checkAnswer() {
	i := slices.IndexFunc(x.sim.Rules, func(r SimulatedRule) bool { return r.Kind == x.sim.Answers && r.Outcome == RuleApplies })
	if i < 0 {
		return
	}
	r := x.sim.Rules[i]
	text := called(r.Kind, r.ID) + ": " + cmp.Or(r.Rule, "all requests")
	switch r.Kind {
	case "waf":
		fix := x.fix("update_waf_rule", map[string]any{"ids": []ID{r.ID}, "status": "off"})
		if r.ID == x.s.site.ID { // a setting of the site
			fix = &Fix{Tool: "write_api", Arguments: map[string]any{"action": "EditSiteWafSettings",
				"params": map[string]any{"SiteId": r.ID, "Settings": map[string]any{"SecurityLevel": map[string]any{"Value": "medium"}}}}}
		}
		x.find("waf-denies", SeverityWarning, fix, text, "A security rule answers a plain GET: %s", x.sim.Verdict)
	case kindRoom:
		fix := &Fix{Tool: "write_api", Arguments: map[string]any{"action": "UpdateWaitingRoom",
			"params": map[string]any{"SiteId": x.s.site.ID, "WaitingRoomId": r.ID, "Enable": "off"}}}
		x.find("waiting-room", SeverityWarning, fix, called(r.Kind, r.ID)+": "+r.Does, "A waiting room lets nobody in: %s", x.sim.Verdict)
	case "redirect":
		severity, finding := SeverityInfo, "A redirect rule answers"
		if x.sim.Location == "https://"+x.out.Host+cmp.Or(x.in.Path, "/") {
			severity, finding = SeverityError, "A redirect rule leads to itself: browsers see a loop"
		}
		x.find("redirect", severity, x.fix("set_rule", map[string]any{"kind": "redirect", "rule_id": r.ID, "enabled": false}), text, "%s: to %s", finding, x.sim.Location)
	case "custom_response":
		x.find("custom-response", SeverityWarning, x.fix("set_rule", map[string]any{"kind": "custom_response", "rule_id": r.ID, "enabled": false}), text,
			"A rule answers with %d instead of the origin", x.sim.Status)
	}
}

// checkCache looks for old content.
func (x *diagnosis) checkCache() {
	if x.s.devMode {
		x.find("cache-dev-mode", SeverityWarning, x.fix("update_site", map[string]any{"development_mode": false}), "development_mode on", "Nothing is cached: the site is in development mode")
	}
	if strings.HasPrefix(x.sim.Cache, "MISS") {
		x.find("cache-purge", SeverityInfo, x.fix("purge_cache", map[string]any{"type": "hostname", "targets": []string{x.out.Host}}), x.sim.Cache, "Answers are cached. If content is old, purge")
	}
}
