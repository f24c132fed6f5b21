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

// securityPhases are the phases of security rules in the order of evaluation.
func securityPhases() []string {
	return []string{"http_whitelist", "ip_access_rule", "http_custom", "http_ratelimit", "http_managed", "http_anti_scan", "http_bot", phaseLevel}
}

const (
	phaseLevel = "http_security_level_rule"
	// underAttack is the security level at which every browser is checked; lower
	// ones go by what the service knows of an address.
	underAttack = "under_attack"
)

// judges reports whether rules of a phase go by more than the configuration
// shows of a single request: what came before, what it has in it, who sends it.
func judges(phase string, r securityRule) bool {
	switch phase {
	case "http_ratelimit", "http_managed", "http_anti_scan", "http_bot":
		return true
	}
	return phase == phaseLevel && r.Action == ""
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
	return s.readSecuritySettings(ctx, d, notes)
}

// readSecuritySettings reads what a site has for all phases, and adds it as the
// rules that it amounts to. They have the site's id.
func (s *hostState) readSecuritySettings(ctx context.Context, d *Deps, notes *Noted) error {
	answer, err := invoke[struct {
		Settings struct {
			BotManagement         struct{ DefiniteBots, LikelyBots, VerifiedBots struct{ Action string } }
			SecurityLevel         struct{ Value string }
			DisableSecurityModule struct{ Status string }
		}
	}](ctx, d, notes, "GetSiteWafSettings", esa.Params{"SiteId": s.site.ID.number()})
	if notOnPlan(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if answer.Settings.DisableSecurityModule.Status == "on" {
		s.security = nil
		return nil
	}
	add := func(phase, name, action string) {
		i := slices.IndexFunc(s.security, func(p phaseRules) bool { return p.phase == phase })
		if i < 0 {
			i = len(s.security)
			s.security = append(s.security, phaseRules{phase: phase})
		}
		s.security[i].rules = append(s.security[i].rules, securityRule{WafRule: WafRule{ID: s.site.ID, Name: name, Expression: "true", Action: action}})
	}
	bots := answer.Settings.BotManagement
	for _, one := range []struct{ name, action string }{{"definite bots", bots.DefiniteBots.Action}, {"likely bots", bots.LikelyBots.Action},
		{"verified bots", bots.VerifiedBots.Action}} {
		if one.action != "" {
			add("http_bot", one.name, one.action)
		}
	}
	if answer.Settings.SecurityLevel.Value == underAttack {
		add(phaseLevel, underAttack, "js")
	}
	slices.SortStableFunc(s.security, func(a, b phaseRules) int {
		return slices.Index(securityPhases(), a.phase) - slices.Index(securityPhases(), b.phase)
	})
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
	if level, _ := w.Config["SecurityLevel"].(map[string]any); textIn(level, "Value") == underAttack {
		r.Action = "js"
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
