package tools

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/esa"
	"github.com/esa-mcp/esa-mcp/internal/rule"
)

// phaseRules are the security rules of a phase that are on, in their order.
type phaseRules struct {
	phase string
	rules []securityRule
}

// securityRule is a security rule as a request meets it.
type securityRule struct {
	WafRule
	// skips is what a whitelist rule lets a request past: all, or phases and rules
	// by id.
	skips []string
	// status is what a refused request is answered with; 0: 403.
	status int
}

// securityPhases are the phases whose rules name their requests, in the order of
// evaluation. What managed rules, bots and scans are is not in the configuration.
func securityPhases() []string {
	return []string{"http_whitelist", "ip_access_rule", "http_custom", "http_ratelimit"}
}

// readSecurity reads the rules of the phases that have any.
func (s *hostState) readSecurity(ctx context.Context, d *Deps, notes *Noted) error {
	sets := ListWafRulesetsOutput{SiteID: s.site.ID}
	err := sets.all(ctx, d)
	if notOnPlan(err) {
		return nil
	}
	if err != nil {
		return err
	}
	on, phases := map[ID]WafRuleset{}, map[string]bool{}
	for _, set := range sets.Rulesets {
		if set.Status != "off" && *set.Rules > 0 {
			on[set.ID], phases[set.Phase] = set, true
		}
	}
	for _, phase := range securityPhases() {
		if !phases[phase] {
			continue
		}
		p := phaseRules{phase: phase}
		for page := 1; page > 0; {
			answer, err := invoke[struct {
				Rules      []wireWafRule
				TotalCount int
			}](ctx, d, notes, "ListWafRules", esa.Params{"SiteId": s.site.ID.number(), "Phase": phase, "PageNumber": page, "PageSize": 100,
				"QueryArgs": map[string]any{"Status": "on", "OrderBy": "position"}})
			if err != nil {
				return err
			}
			for _, w := range answer.Rules {
				if set, ok := on[w.RulesetID]; ok || w.RulesetID == "" {
					p.rules = append(p.rules, w.security(set.Shared))
				}
			}
			page = nextPage(page, 100, answer.TotalCount)
		}
		s.security = append(s.security, p)
	}
	return nil
}

// security is the rule with what the rules of its set have in common.
func (w wireWafRule) security(shared map[string]any) securityRule {
	r := securityRule{WafRule: w.rule(false)}
	if r.Expression == "" {
		r.Expression = textIn(shared, "Expression")
	}
	if r.Action == "" {
		r.Action = textIn(shared, "Action")
	}
	if r.Expression == "" && r.Value != "" {
		r.Expression = visitorCondition(textIn(w.Config, "Type"), r.Value)
	}
	actions, _ := w.Config["Actions"].(map[string]any)
	response, _ := actions["Response"].(map[string]any)
	if n, ok := response["Code"].(json.Number); ok {
		r.status = numberOr(n.String(), 0)
	}
	bypass, _ := actions["Bypass"].(map[string]any)
	if textIn(bypass, "Skip") != "part" {
		r.skips = []string{"all"}
		return r
	}
	for _, name := range []string{"Tags", "CustomRules"} {
		list, _ := bypass[name].([]any)
		for _, one := range list {
			switch v := one.(type) {
			case string:
				r.skips = append(r.skips, v)
			case interface{ String() string }: // a number as it was sent
				r.skips = append(r.skips, v.String())
			}
		}
	}
	return r
}

// passes reports whether a whitelist rule lets a request past a rule of a phase.
func (r securityRule) passes(phase string, id ID) bool {
	return slices.ContainsFunc(r.skips, func(one string) bool { return one == "all" || one == phase || one == string(id) })
}

// visitorCondition is the expression of an IP access rule.
func visitorCondition(kind, value string) string {
	c := rule.Conditions{IPs: []string{value}}
	switch kind {
	case "", "ip":
	case "asn":
		n, err := strconv.ParseInt(strings.TrimPrefix(strings.ToUpper(value), "AS"), 10, 64)
		if err != nil {
			return ""
		}
		c = rule.Conditions{ASNs: []int64{n}}
	default:
		c = rule.Conditions{Countries: []string{strings.ToUpper(value)}}
	}
	text, err := rule.Build(c)
	if err != nil {
		return ""
	}
	return text
}

// expressions are all that decide about requests of the host.
func (s *hostState) expressions() []string {
	var all []string
	for _, r := range s.routes {
		all = append(all, r.Rule)
	}
	for _, rules := range s.rules {
		for _, r := range rules {
			all = append(all, r.Rule)
		}
	}
	for _, p := range s.security {
		for _, r := range p.rules {
			all = append(all, r.Expression)
		}
	}
	return all
}

// readLists reads the account's lists that expressions name.
func (s *hostState) readLists(ctx context.Context, d *Deps, notes *Noted) error {
	s.lists = map[string][]string{}
	var wanted []string
	for _, text := range s.expressions() {
		if !strings.Contains(text, "$") {
			continue
		}
		if e, err := rule.Parse(text); err == nil {
			wanted = append(wanted, e.Lists()...)
		}
	}
	for page := 1; page > 0 && len(wanted) > 0; {
		answer, err := invoke[struct {
			Lists      []wireList
			TotalCount int
		}](ctx, d, notes, "ListLists", esa.Params{"PageNumber": page, "PageSize": 100})
		if err != nil {
			return err
		}
		for _, l := range answer.Lists {
			if !slices.Contains(wanted, l.Name) {
				continue
			}
			whole, err := getList(ctx, d, notes, l.ID)
			if err != nil {
				return err
			}
			s.lists[l.Name] = whole.Items
		}
		page = nextPage(page, 100, answer.TotalCount)
	}
	return nil
}
