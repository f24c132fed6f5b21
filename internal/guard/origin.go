package guard

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
	"github.com/esa-mcp/esa-mcp/internal/esa"
	"github.com/esa-mcp/esa-mcp/internal/rule"
)

func originRows() []Row {
	writes := []string{"CreateOriginRule", "UpdateOriginRule"}
	return area("Origin rules",
		Row{ID: "origin-ip", Do: []Severity{Block}, Source: fromGuide,
			Text:    "An origin rule's DnsRecord is the name of a record, never an IP address: the edge would answer 502 destination_not_found.",
			Actions: writes, Check: checkOriginIP,
			Reads: reads("ListRecords")},
		Row{ID: "origin-record-missing", Do: []Severity{Block}, Source: fromGuide,
			Text:    "DnsRecord names no record of the site.",
			Actions: writes, Check: checkOriginRecord,
			Reads: reads("ListRecords")},
		Row{ID: "origin-scheme", Do: []Severity{Fix, Warn}, Source: fromGuide,
			Text:    "OriginScheme left out means https: it is set, with a warning when the port is one that usually speaks http.",
			Actions: writes, Check: fixOriginScheme},
		Row{ID: "origin-port", Do: []Severity{Fix, Block}, Source: fromAPI,
			Text:    "There is no OriginPort: OriginHttpPort or OriginHttpsPort, by the scheme; with follow both are to be given.",
			Actions: writes, Check: fixOriginPort},
		Row{ID: "origin-not-proxied", Do: []Severity{Warn}, Source: fromGuide,
			Text:    "The rule's host has no proxied record, so the rule never runs.",
			Actions: writes, Check: warnNotProxied,
			Reads: reads("ListRecords")},
		Row{ID: "origin-route-wins", Do: []Severity{Warn}, Source: fromGuide,
			Text:    "A routine's route matches the same host and comes before the origin.",
			Actions: writes, Check: warnRouteWins,
			Reads: reads("ListSiteRoutes")},
		Row{ID: "origin-stale", Do: []Severity{Warn}, Source: fromGuide,
			Text:    "After a change, content from before may still be cached.",
			Actions: []string{"UpdateOriginRule"}, After: warnStale,
			Reads: reads("ListRecords")},
	)
}

// checkOriginIP refuses an address where the name of a record belongs, and names
// the record that has the address.
func checkOriginIP(ctx context.Context, c *Call) error {
	ip, err := netip.ParseAddr(strings.Trim(strings.TrimSpace(c.Text("DnsRecord")), "[]"))
	if err != nil {
		return nil
	}
	const why = "DnsRecord cannot be an IP address: the edge would answer 502 destination_not_found."
	records, err := c.State.AllRecords(ctx, c.Site())
	if err != nil {
		return c.Block("%s Give the name of an A/AAAA record that has %s.", why, ip)
	}
	for _, r := range records {
		for part := range strings.SplitSeq(r.Value(), ",") {
			if have, err := netip.ParseAddr(strings.TrimSpace(part)); err == nil && r.Type == typeAddress && have == ip {
				return c.Block("%s Use the record that has it, %s.", why, r.Name).With(c, esa.Params{"DnsRecord": r.Name})
			}
		}
	}
	return c.Block("%s Create an A/AAAA record with %s on the site (create_record) and give its name.", why, ip)
}

// checkOriginRecord refuses an origin that the edge would not find.
func checkOriginRecord(ctx context.Context, c *Call) error {
	name := c.Text("DnsRecord")
	if name == "" {
		return nil
	}
	found, err := c.State.Records(ctx, c.Site(), name)
	if err != nil || slices.ContainsFunc(found, Record.Web) {
		return err
	}
	all, err := c.State.AllRecords(ctx, c.Site())
	if err != nil {
		return err
	}
	var names []string
	for _, r := range all {
		if r.Web() {
			names = append(names, r.Name)
		}
	}
	near := catalog.Nearest(hostName(name), names)
	if near == "" {
		return c.Block("DnsRecord %s is no A/AAAA or CNAME record of the site, which has none: create it first (create_record).", name)
	}
	return c.Block("DnsRecord %s is no A/AAAA or CNAME record of the site: did you mean %s? Otherwise create it first (create_record).", name, near).
		With(c, esa.Params{"DnsRecord": near})
}

// originRule reads the rule that UpdateOriginRule changes; nil for a new one.
func originRule(ctx context.Context, c *Call) (map[string]any, error) {
	if c.Op.Action != "UpdateOriginRule" || c.Text("ConfigId") == "" {
		return nil, nil
	}
	return Read[map[string]any](ctx, c.State, "GetOriginRule", esa.Params{"SiteId": json.Number(c.Site()), "ConfigId": json.Number(c.Text("ConfigId"))})
}

// originScheme is that of the call, or of the rule that it changes.
func originScheme(ctx context.Context, c *Call) (string, error) {
	if scheme := c.Text("OriginScheme"); scheme != "" {
		return scheme, nil
	}
	stored, err := originRule(ctx, c)
	return scalar(stored["OriginScheme"]), err
}

func fixOriginScheme(ctx context.Context, c *Call) error {
	port, reaches := 0, c.Text("DnsRecord") != "" || c.Text("OriginHost") != ""
	for _, name := range []string{"OriginHttpsPort", "OriginHttpPort", "OriginPort"} {
		if n, ok := c.Int(name); ok {
			port, reaches = int(n), true
		}
	}
	scheme, err := originScheme(ctx, c)
	if err != nil || scheme != "" || !reaches {
		return err
	}
	c.Set("OriginScheme", "https")
	c.Fixed("%s.", OriginSchemeNote(port))
	return nil
}

// UsuallyHTTP reports whether servers at a port mostly speak http.
func UsuallyHTTP(port int) bool {
	return slices.Contains([]int{80, 3000, 5000, 8000, 8080, 8880, 8888}, port)
}

// OriginSchemeNote says that https was taken for an origin whose scheme was left
// out, and that its port, 0 if none was given, usually speaks http.
func OriginSchemeNote(port int) string {
	text := "OriginScheme was left out: set to https, the service's default"
	if UsuallyHTTP(port) {
		text += fmt.Sprintf(". Port %d usually speaks http: if the edge then answers 502, set it to http", port)
	}
	return text
}

// OriginPortName is the parameter for the port of an origin that is reached by
// the scheme; ok is false for follow, which needs both.
func OriginPortName(scheme string) (name string, ok bool) {
	switch scheme {
	case "http":
		return "OriginHttpPort", true
	case "https":
		return "OriginHttpsPort", true
	}
	return "", false
}

func fixOriginPort(ctx context.Context, c *Call) error {
	port := c.Text("OriginPort")
	if port == "" {
		return nil
	}
	scheme, err := originScheme(ctx, c)
	if err != nil {
		return err
	}
	name, ok := OriginPortName(scheme)
	if !ok {
		return c.Block("There is no OriginPort, and OriginScheme %s uses a port of each: give OriginHttpPort and OriginHttpsPort.", scheme).
			With(c, esa.Params{"OriginPort": nil, "OriginHttpPort": port, "OriginHttpsPort": port})
	}
	c.Drop("OriginPort")
	c.Set(name, port)
	c.Fixed("There is no OriginPort: used %s, by the scheme.", name)
	return nil
}

// hostsOfRule are the whole host names that the rule of a call asks for, of the
// stored one if the call leaves it out.
func hostsOfRule(ctx context.Context, c *Call) ([]string, error) {
	text := c.Text("Rule")
	if text == "" {
		stored, err := originRule(ctx, c)
		if err != nil {
			return nil, err
		}
		text = scalar(stored["Rule"])
	}
	return slices.DeleteFunc(hostsIn(text), func(host string) bool { return strings.HasPrefix(host, "*.") }), nil
}

// hostsIn are the hosts that an expression asks for, also of one that can be
// mended.
func hostsIn(text string) []string {
	parsed, err := rule.Parse(text)
	if err != nil {
		fixed, _, _ := rule.Fix(text, rule.Options{})
		if parsed, err = rule.Parse(fixed); err != nil {
			return nil
		}
	}
	return parsed.Hosts()
}

func warnNotProxied(ctx context.Context, c *Call) error {
	hosts, err := hostsOfRule(ctx, c)
	if err != nil {
		return err
	}
	for _, host := range hosts {
		_, proxied, err := c.State.Proxied(ctx, c.Site(), host)
		if err != nil {
			return err
		}
		if proxied {
			continue
		}
		records, err := c.State.Records(ctx, c.Site(), host)
		if err != nil {
			return err
		}
		if i := slices.IndexFunc(records, Record.Web); i >= 0 {
			c.Warn("Record %s of %s is not proxied, so the rule never runs for it: update_record with record_id %s and proxied true.", records[i].ID, host, records[i].ID)
			continue
		}
		c.Warn("%s has no record on the site that the edge serves, so the rule never runs for it: create_record with proxied true.", host)
	}
	return nil
}

// warnRouteWins names the routes of edge functions that take requests for the
// rule's hosts before the origin does.
func warnRouteWins(ctx context.Context, c *Call) error {
	hosts, err := hostsOfRule(ctx, c)
	if err != nil || len(hosts) == 0 {
		return err
	}
	answer, err := Read[struct {
		Configs []struct{ RouteName, RoutineName, Rule, RouteEnable, Bypass string }
	}](ctx, c.State, "ListSiteRoutes", esa.Params{"SiteId": json.Number(c.Site()), "PageNumber": 1, "PageSize": 500})
	if err != nil {
		return err
	}
	for _, r := range answer.Configs {
		if r.RouteEnable == "off" || r.Bypass == "on" {
			continue
		}
		wanted := hostsIn(r.Rule)
		for _, host := range hosts {
			if slices.ContainsFunc(wanted, func(w string) bool { return hostFits(w, host) }) {
				c.Warn("Route %s of routine %s takes requests of %s before the origin: %s.", r.RouteName, r.RoutineName, host, r.Rule)
			}
		}
	}
	return nil
}

// hostFits reports whether a host is the wanted one, or ends as "*." and an end
// want it to.
func hostFits(wanted, host string) bool {
	end, any := strings.CutPrefix(wanted, "*.")
	return wanted == host || any && strings.HasSuffix(host, "."+end)
}

func warnStale(ctx context.Context, c *Call) error {
	hosts, err := hostsOfRule(ctx, c)
	if err != nil {
		return err
	}
	if len(hosts) == 0 {
		c.Warn("Content from before may still be cached: purge_cache for what the rule is about.")
		return nil
	}
	for _, host := range hosts {
		if _, proxied, err := c.State.Proxied(ctx, c.Site(), host); err != nil || !proxied {
			return err // nothing of it is cached
		}
	}
	c.Warn("Content from before may still be cached: purge_cache with type hostname and %s.", listed(hosts))
	return nil
}
