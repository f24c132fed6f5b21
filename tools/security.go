package tools

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// securityTools are the tools of the toolset "security".
func securityTools() []Tool {
	return []Tool{
		Define(Meta{
			Name: "list_waf_rules", Title: "List WAF rules", Toolset: "security",
			Description: "Lists a site's security rules of a phase, or shows one by id in full; with attack_type the managed rules behind it.",
			Calls:       []string{"GetWafRule", "ListSites", "ListWafManagedRules", "ListWafRules"},
			ReadOnly:    Yes, Destructive: No, Idempotent: Yes, OpenWorld: Yes, Versioned: true,
		}, listWafRules),
		Define(Meta{
			Name: "create_waf_rules", Title: "Create WAF rules", Toolset: "security",
			Description: "Adds security rules to a phase; all or none.",
			Calls:       []string{"BatchCreateWafRules", "CreateWafRule", "ListSites"},
			ReadOnly:    No, Destructive: No, Idempotent: No, OpenWorld: Yes, Versioned: true,
		}, createWafRules),
		Define(Meta{
			Name: "update_waf_rule", Title: "Change WAF rules", Toolset: "security",
			Description: "Changes what is given; several rules get the same change.",
			Calls:       []string{"BatchUpdateWafRules", "GetWafRule", "ListSites", "UpdateWafRule"},
			ReadOnly:    No, Destructive: Yes, Idempotent: Yes, OpenWorld: Yes, Versioned: true,
		}, updateWafRules),
		Define(Meta{
			Name: "delete_waf_rule", Title: "Delete a WAF rule", Toolset: "security",
			Description: "Deletes a security rule.",
			Calls:       []string{"DeleteWafRule", "ListSites"},
			ReadOnly:    No, Destructive: Yes, Idempotent: Yes, OpenWorld: Yes, Versioned: true,
		}, deleteWafRule),
		listWafRulesets(), setWafRuleset(), deleteWafRuleset(),
		listLists(), createList(), updateList(), deleteList(),
	}
}

// WafPhases returns the phases of security rules.
func WafPhases() []string {
	return []string{"http_whitelist", "ip_access_rule", "http_custom", "http_ratelimit", "http_managed", "http_anti_scan", "http_bot",
		"http_security_level_rule"}
}

// checkPhase refuses what is no phase of security rules.
func checkPhase(phase string) error {
	if slices.Contains(WafPhases(), phase) {
		return nil
	}
	return Refuse("phase: %q is none. The phases are %s.", phase, strings.Join(WafPhases(), ", "))
}

// WafRule is one security rule.
type WafRule struct {
	ID         ID             `json:"id"`
	Name       string         `json:"name,omitempty"`
	Phase      string         `json:"phase,omitempty"`
	RulesetID  ID             `json:"ruleset_id,omitempty"`
	Position   int64          `json:"position,omitempty"`
	Status     string         `json:"status,omitempty"`
	Action     string         `json:"action,omitempty"`
	Expression string         `json:"expression,omitempty"`
	Value      string         `json:"value,omitempty"`
	Updated    string         `json:"updated,omitempty"`
	Level      int            `json:"protection_level,omitempty" jsonschema_description:"Of a managed rule: 1 loose to 4 super strict"`
	Config     map[string]any `json:"config,omitempty" jsonschema_description:"All of it, as the API has it"`
}

// wireWafRule is a rule as the API has it.
type wireWafRule struct {
	ID                  ID `json:"Id"`
	Name, Phase, Status string
	RulesetID           ID `json:"RulesetId"`
	Position            int64
	Action, UpdateTime  string
	Config              map[string]any
}

func (w wireWafRule) rule(whole bool) WafRule {
	r := WafRule{
		ID: w.ID, Name: w.Name, Phase: w.Phase, RulesetID: w.RulesetID, Position: w.Position, Status: w.Status,
		Action: w.Action, Expression: textIn(w.Config, "Expression"), Value: textIn(w.Config, "Value"), Updated: w.UpdateTime,
	}
	r.Action = cmp.Or(r.Action, textIn(w.Config, "Action"))
	if whole {
		r.Config = w.Config
	}
	return r
}

func textIn(object map[string]any, name string) string {
	s, _ := object[name].(string)
	return s
}

// ListWafRulesInput are the arguments of list_waf_rules.
type ListWafRulesInput struct {
	SiteRef
	Phase     string `json:"phase,omitempty" jsonschema:"enum=http_whitelist,enum=ip_access_rule,enum=http_custom,enum=http_ratelimit,enum=http_managed,enum=http_anti_scan,enum=http_bot,enum=http_security_level_rule" jsonschema_description:"Kind of rule; needed without id"`
	ID        ID     `json:"id,omitempty" jsonschema_description:"Rule id"`
	RulesetID ID     `json:"ruleset_id,omitempty" jsonschema_description:"Only this rule set"`
	Attack    int    `json:"attack_type,omitempty" jsonschema:"minimum=1" jsonschema_description:"11 SQL injection, 12 XSS ..."`
	Search    string `json:"search,omitempty" jsonschema_description:"In name or id"`
	Status    string `json:"status,omitempty" jsonschema:"enum=on,enum=off" jsonschema_description:"Status"`
	Page      int    `json:"page,omitempty" jsonschema:"minimum=1,default=1" jsonschema_description:"Page"`
	PageSize  int    `json:"page_size,omitempty" jsonschema:"minimum=1,maximum=100,default=20" jsonschema_description:"Per page"`
}

// ListWafRulesOutput is the result of list_waf_rules.
type ListWafRulesOutput struct {
	Noted
	SiteID   ID        `json:"site_id"`
	Rules    []WafRule `json:"rules"`
	Total    int       `json:"total"`
	NextPage int       `json:"next_page,omitempty"`
}

func listWafRules(ctx context.Context, d *Deps, in ListWafRulesInput) (ListWafRulesOutput, error) {
	var out ListWafRulesOutput
	if in.Attack != 0 && (in.RulesetID != "" || in.Phase != "" && in.Phase != "http_managed") {
		return out, Refuse("attack_type shows managed rules: leave out ruleset_id, and phase but http_managed.")
	}
	if in.Attack == 0 && (in.Phase == "") == (in.ID == "") {
		return out, Refuse("Give either phase, to list its rules, or id, to show one. list_waf_rulesets shows which phases have rules.")
	}
	site, err := in.resolve(ctx, d)
	if err != nil {
		return out, err
	}
	out.SiteID = site
	if in.Attack != 0 {
		return out, out.managed(ctx, d, in)
	}
	if in.ID != "" {
		w, err := getWafRule(ctx, d, &out.Noted, site, in.ID)
		out.Rules, out.Total = []WafRule{w.rule(true)}, 1
		return out, err
	}
	page, size := cmp.Or(in.Page, 1), cmp.Or(in.PageSize, 20)
	params := esa.Params{"SiteId": site.number(), "Phase": in.Phase, "PageNumber": page, "PageSize": size}
	if in.RulesetID != "" {
		params["RulesetId"] = in.RulesetID.number()
	}
	query := in.query()
	query["OrderBy"] = "position"
	params["QueryArgs"] = query
	answer, err := invoke[struct {
		Rules      []wireWafRule
		TotalCount int
	}](ctx, d, &out.Noted, "ListWafRules", params)
	if err != nil {
		return out, err
	}
	for _, w := range answer.Rules {
		r := w.rule(false)
		r.Phase = "" // the one that was asked for
		out.Rules = append(out.Rules, r)
	}
	out.Total, out.NextPage = answer.TotalCount, nextPage(page, size, answer.TotalCount)
	return out, nil
}

// query is what narrows a list.
func (in ListWafRulesInput) query() map[string]any {
	query := map[string]any{}
	if in.Search != "" {
		query["IdNameLike"] = in.Search
	}
	if in.Status != "" {
		query["Status"] = in.Status
	}
	return query
}

// managed lists the service's own rules against one kind of attack, as the
// site's managed rule sets them.
func (out *ListWafRulesOutput) managed(ctx context.Context, d *Deps, in ListWafRulesInput) error {
	page, size := cmp.Or(in.Page, 1), cmp.Or(in.PageSize, 20)
	params := esa.Params{"SiteId": out.SiteID.number(), "AttackType": in.Attack, "Language": "en", "PageNumber": page, "PageSize": size, "QueryArgs": in.query()}
	if in.ID != "" {
		params["Id"] = in.ID.number()
	}
	answer, err := invoke[struct {
		Rules []struct {
			ID                   ID `json:"Id"`
			Name, Status, Action string
			ProtectionLevel      int
		}
		TotalCount int
	}](ctx, d, &out.Noted, "ListWafManagedRules", params)
	for _, r := range answer.Rules {
		out.Rules = append(out.Rules, WafRule{ID: r.ID, Name: r.Name, Status: r.Status, Action: r.Action, Level: r.ProtectionLevel})
	}
	out.Total, out.NextPage = answer.TotalCount, nextPage(page, size, answer.TotalCount)
	return wafRuleError(err, in.ID)
}

func getWafRule(ctx context.Context, d *Deps, notes *Noted, site, id ID) (wireWafRule, error) {
	w, err := invoke[wireWafRule](ctx, d, notes, "GetWafRule", esa.Params{"SiteId": site.number(), "Id": id.number()})
	return w, wafRuleError(err, id)
}

// wafRuleError names the tool that shows what there is.
func wafRuleError(err error, id ID) error {
	if code := esa.CodeOf(err); code == "InvalidRule.NotFound" || code == "WafRule.NotFound" {
		return Refuse("The site has no security rule %s: list_waf_rules shows those of a phase. (%w)", id, err)
	}
	return err
}

// DeleteWafRuleInput are the arguments of delete_waf_rule.
type DeleteWafRuleInput struct {
	SiteRef
	ID ID `json:"id" jsonschema_description:"Rule id"`
}

// DeleteWafRuleOutput is the result of delete_waf_rule.
type DeleteWafRuleOutput struct {
	Noted
	ID      ID   `json:"id"`
	Deleted bool `json:"deleted"`
}

func deleteWafRule(ctx context.Context, d *Deps, in DeleteWafRuleInput) (DeleteWafRuleOutput, error) {
	out := DeleteWafRuleOutput{ID: in.ID}
	site, err := in.resolve(ctx, d)
	if err != nil {
		return out, err
	}
	_, err = invoke[struct{}](ctx, d, &out.Noted, "DeleteWafRule", esa.Params{"SiteId": site.number(), "Id": in.ID.number()})
	out.Deleted = err == nil
	return out, wafRuleError(err, in.ID)
}
