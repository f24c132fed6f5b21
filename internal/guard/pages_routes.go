package guard

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/esa"
	"github.com/esa-mcp/esa-mcp/internal/rule"
)

// ParseRoutePattern reads what a route matches as people write it: example.com/*,
// *.example.com/api/*, example.com/logo.png. A host alone means all its paths.
func ParseRoutePattern(text string) (rule.Pattern, error) {
	p, err := rule.ParsePattern(text)
	why := ""
	switch {
	case err != nil:
		why = strings.TrimPrefix(err.Error(), "pattern ")
	case p.Host == "":
		why = rule.Quote(text) + " does not begin with a host name"
	case p.Asks:
		why = rule.Quote(text) + " has a query string: a pattern of a route is for paths"
	default:
		return p, nil
	}
	return p, fmt.Errorf("pattern %s (er-route-pattern). Examples: example.com/*, *.example.com/api/*, example.com/logo.png; for anything else give a rule expression", why)
}

// DescribeRoutePattern says what a pattern became and what it is for.
func DescribeRoutePattern(given string, p rule.Pattern) esa.Note {
	text := fmt.Sprintf("pattern %s became the rule %s.", given, p.Expression())
	switch {
	case !strings.Contains(strings.TrimPrefix(given, "https://"), "/"):
		text += " Without a path it is for all paths."
	case p.Exact && p.Prefix == "/":
		text += " It is for the home page alone: end it with /* for all paths."
	}
	if p.Apex {
		text += " It is for " + p.Host + " and all names below."
	}
	return esa.Note{ID: "er-route-pattern", Text: text}
}

// fixRoutePattern makes an expression of a pattern, given as Rule or under a name
// of clients that take patterns.
func fixRoutePattern(ctx context.Context, c *Call) error {
	name, text := "Rule", strings.TrimSpace(c.Text("Rule"))
	for _, other := range []string{"Route", "Pattern"} {
		if text == "" {
			name, text = other, strings.TrimSpace(c.Text(other))
		}
	}
	if text == "" || strings.ContainsAny(text, " \t\n\"'()") || c.Site() == "" {
		return nil
	}
	if _, err := rule.Parse(text); err == nil {
		return nil // such as true
	}
	p, err := ParseRoutePattern(text)
	if err != nil {
		if strings.ContainsAny(text, "/*") {
			return c.Block("%s.", err)
		}
		return nil // the guardrails of rules say what is wrong
	}
	site, err := c.State.Site(ctx, c.Site())
	if err != nil {
		return err
	}
	if _, under := FullRecordName(p.Host+".", hostName(site.Name)); !under {
		if strings.ContainsAny(text, "/*") {
			return c.Block("The pattern %s is for %s, which is not under the site %s: give the SiteId of its own site (get_site finds it).", text, p.Host, site.Name)
		}
		return nil
	}
	if name != "Rule" {
		c.Drop(name)
	}
	c.Set("Rule", p.Expression())
	c.Fixed("%s", DescribeRoutePattern(text, p).Text)
	return nil
}

func sayPropagation(_ context.Context, c *Call) error {
	if !c.localOrigins {
		c.Warn("A change of routes takes 3 to 5 minutes to reach the whole edge.")
	}
	return nil
}

// maxHostsLooked bounds the hosts of a rule whose records are looked for.
const maxHostsLooked = 5

// sayMissingRecords warns of hosts of a route that no request can reach the edge
// by.
func sayMissingRecords(ctx context.Context, c *Call) error {
	enabled, given := c.Bool("RouteEnable")
	text := c.Text("Rule")
	if given && !enabled || c.Site() == "" {
		return nil
	}
	if text == "" && given { // an update that switches the route on
		answer, err := Read[struct{ Rule string }](ctx, c.State, "GetRoutineRoute", esa.Params{"SiteId": json.Number(c.Site()), "ConfigId": json.Number(c.Text("ConfigId"))})
		if err != nil {
			return err
		}
		text = answer.Rule
	}
	expr, err := rule.Parse(text)
	if err != nil {
		return nil // which was accepted all the same
	}
	for i, host := range expr.Hosts() {
		if i == maxHostsLooked {
			break
		}
		reached, err := c.State.reachesEdge(ctx, c.Site(), host)
		if err != nil {
			return err
		}
		if !reached {
			c.Warn("%s has no proxied record on the site, so the route gets no requests of it: bind_custom_domain makes one, or create a proxied record %s.", host, host)
		}
	}
	return nil
}

// reachesEdge reports whether a host, or for *.domain any host below it, has a
// record that leads to the edge: a proxied one, or one that leads to a routine.
func (s *State) reachesEdge(ctx context.Context, site, host string) (bool, error) {
	below, wild := strings.CutPrefix(host, "*")
	if !wild {
		if _, ok, err := s.Proxied(ctx, site, host); err != nil || ok {
			return ok, err
		}
		return s.isRoutineRecord(ctx, site, host, "exact")
	}
	answer, err := Read[recordsAnswer](ctx, s, "ListRecords", esa.Params{
		"SiteId": json.Number(site), "RecordName": below, "RecordMatchType": "suffix", "Proxied": true, "PageNumber": 1, "PageSize": 1})
	if err != nil || len(answer.Records) > 0 {
		return err == nil, err
	}
	return s.isRoutineRecord(ctx, site, below, "suffix")
}

// isRoutineRecord reports whether the site has a related record of a routine of
// that name, which lists of records leave out.
func (s *State) isRoutineRecord(ctx context.Context, site, name, match string) (bool, error) {
	answer, err := Read[struct{ Records []struct{ RecordName string } }](ctx, s, "ListEdgeRoutineRecords", esa.Params{
		"SiteId": json.Number(site), "RecordName": hostName(name), "RecordMatchType": match, "PageNumber": 1, "PageSize": 1})
	return len(answer.Records) > 0, err
}

func checkRelatedCNAME(ctx context.Context, c *Call) error {
	if c.Site() == "" {
		return nil
	}
	site, err := c.State.Site(ctx, c.Site())
	if err != nil || site.AccessType != accessCNAME {
		return err
	}
	return c.Block("The site %s has CNAME access: a related record makes no record there that the DNS provider could point at, and traffic would go to the origin. Use bind_custom_domain with routine %q and domain %q.",
		site.Name, c.Text("Name"), c.Text("RecordName"))
}

// checkRelatedFree wants no DNS record to have the name of a related record.
func checkRelatedFree(ctx context.Context, c *Call) error {
	name := hostName(c.Text("RecordName"))
	if c.Op.Action != "CreateRoutineRelatedRecord" || name == "" || c.Site() == "" {
		return nil
	}
	records, err := c.State.Records(ctx, c.Site(), name)
	if err != nil {
		return err
	}
	for _, r := range records {
		if hostName(r.Name) == name && (r.Web() || r.Type == "NS") {
			return c.Block("%s has the %s record %s: a name has either a DNS record or a related record. Delete that record, or keep it and add a route with bind_custom_domain.", name, r.Type, r.ID)
		}
	}
	return nil
}

// explainRelatedTaken says of a record that the service refuses that its name is
// a related record's. It is looked up only then: few names are.
func explainRelatedTaken(ctx context.Context, c *Call, cause error) error {
	if c.Op.Action != "CreateRecord" || esa.CodeOf(cause) != "DependedByOthers" {
		return nil
	}
	name := hostName(c.Text("RecordName"))
	if taken, err := c.State.isRoutineRecord(ctx, c.Site(), name, "exact"); err != nil || !taken {
		return err
	}
	c.Warn("%s is a related record of a routine, and a name has either that or a DNS record: keep it, or delete it first with delete_related_record (list_related_records shows it).", name)
	return nil
}
