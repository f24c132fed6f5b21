package tools

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// rateLimitExample shows the least that a rate limit needs.
const rateLimitExample = `{"RateLimit": {"Interval": 10, "TTL": 60, "Threshold": {"Request": 100}, ` +
	`"Characteristics": {"Logic": "and", "Criteria": [{"MatchType": "ip.src"}]}}}`

// NewWafRule is a rule to be made.
type NewWafRule struct {
	Name       string         `json:"name,omitempty" jsonschema:"maxLength=128" jsonschema_description:"Rule name"`
	Action     string         `json:"action,omitempty" jsonschema_description:"deny, monitor, captcha ..."`
	Expression string         `json:"expression,omitempty" jsonschema_description:"Such as (ip.src in $listname)"`
	Status     string         `json:"status,omitempty" jsonschema:"enum=on,enum=off,default=on" jsonschema_description:"Status"`
	Config     map[string]any `json:"config,omitempty" jsonschema_description:"More of WafRuleConfig: RateLimit, Value (ip_access_rule) ..."`
}

// config is the rule as the API takes it, refused if the phase needs more.
func (r NewWafRule) config(phase string) (map[string]any, error) {
	c := maps.Clone(r.Config)
	if c == nil {
		c = map[string]any{}
	}
	for name, value := range map[string]string{"Name": r.Name, "Action": r.Action, "Expression": r.Expression, "Status": r.Status} {
		if value != "" {
			c[name] = value
		}
	}
	switch {
	case phase == "http_ratelimit" && c["RateLimit"] == nil:
		return nil, Refuse("A rule of http_ratelimit needs config, such as %s: 100 requests of an address in 10 seconds bring the action for 60 seconds.", rateLimitExample)
	case phase == "ip_access_rule" && textIn(c, "Value") == "":
		return nil, Refuse(`A rule of ip_access_rule needs config {"Value": "1.2.3.4"}: an address or a network.`)
	case slices.Contains([]string{"http_custom", "http_ratelimit", "http_whitelist"}, phase) && textIn(c, "Expression") == "":
		return nil, Refuse("A rule of %s needs expression, such as (http.host eq \"www.example.com\").", phase)
	case slices.Contains([]string{"http_custom", "http_ratelimit", "ip_access_rule"}, phase) && textIn(c, "Action") == "":
		return nil, Refuse("A rule of %s needs action, such as deny or monitor.", phase)
	case phase != "ip_access_rule" && phase != "http_managed" && textIn(c, "Name") == "":
		return nil, Refuse("A rule of %s needs name.", phase)
	}
	return c, nil
}

// CreateWafRulesInput are the arguments of create_waf_rules.
type CreateWafRulesInput struct {
	SiteRef
	Phase     string       `json:"phase" jsonschema_description:"As for list_waf_rules"`
	RulesetID ID           `json:"ruleset_id,omitempty" jsonschema_description:"Default: the phase's first"`
	Rules     []NewWafRule `json:"rules" jsonschema:"minItems=1,maxItems=50" jsonschema_description:"In order"`
}

// CreateWafRulesOutput is the result of create_waf_rules.
type CreateWafRulesOutput struct {
	Noted
	SiteID    ID   `json:"site_id"`
	RulesetID ID   `json:"ruleset_id,omitempty"`
	IDs       []ID `json:"ids"`
}

func createWafRules(ctx context.Context, d *Deps, in CreateWafRulesInput) (CreateWafRulesOutput, error) {
	var out CreateWafRulesOutput
	if err := checkPhase(in.Phase); err != nil {
		return out, err
	}
	configs := make([]any, len(in.Rules))
	for i, r := range in.Rules {
		c, err := r.config(in.Phase)
		if err != nil {
			return out, Refuse("rules[%d]: %w", i, err)
		}
		if in.Phase == "http_whitelist" && c["Actions"] == nil {
			c["Actions"] = map[string]any{"Bypass": map[string]any{"Skip": "all"}}
			out.Note(esa.Note{ID: "waf-bypass", Text: fmt.Sprintf("rules[%d] skips all security checks; config.Actions.Bypass narrows it.", i)})
		}
		configs[i] = c
	}
	site, err := in.resolve(ctx, d)
	if err != nil {
		return out, err
	}
	out.SiteID = site
	params := esa.Params{"SiteId": site.number(), "Phase": in.Phase}
	if in.RulesetID != "" {
		params["RulesetId"] = in.RulesetID.number()
	}
	action := "CreateWafRule"
	if len(configs) > 1 {
		action, params["Configs"] = "BatchCreateWafRules", configs
	} else {
		params["Config"] = configs[0]
	}
	answer, err := invoke[struct {
		ID        ID   `json:"Id"`
		IDs       []ID `json:"Ids"`
		RulesetID ID   `json:"RulesetId"`
	}](ctx, d, &out.Noted, action, params)
	out.RulesetID, out.IDs = answer.RulesetID, answer.IDs
	if answer.ID != "" {
		out.IDs = []ID{answer.ID}
	}
	return out, err
}

// UpdateWafRuleInput are the arguments of update_waf_rule.
type UpdateWafRuleInput struct {
	SiteRef
	IDs        []ID           `json:"ids" jsonschema:"minItems=1,maxItems=50" jsonschema_description:"Rule ids"`
	Name       string         `json:"name,omitempty" jsonschema:"maxLength=128" jsonschema_description:"New name"`
	Action     string         `json:"action,omitempty" jsonschema_description:"New action"`
	Expression string         `json:"expression,omitempty" jsonschema_description:"New expression"`
	Status     string         `json:"status,omitempty" jsonschema:"enum=on,enum=off" jsonschema_description:"New state"`
	Position   int64          `json:"position,omitempty" jsonschema:"minimum=1" jsonschema_description:"1 is first; one id only"`
	Config     map[string]any `json:"config,omitempty" jsonschema_description:"WafRuleConfig members to set; null removes"`
}

// UpdateWafRuleOutput is the result of update_waf_rule.
type UpdateWafRuleOutput struct {
	Noted
	SiteID ID        `json:"site_id"`
	Rules  []WafRule `json:"rules"`
}

func updateWafRules(ctx context.Context, d *Deps, in UpdateWafRuleInput) (UpdateWafRuleOutput, error) {
	var out UpdateWafRuleOutput
	changes := in.changes()
	if len(changes) == 0 && in.Status == "" && in.Position == 0 {
		return out, Refuse("Nothing to change: give name, action, expression, status, position or config.")
	}
	if len(in.IDs) > 1 && in.Position != 0 {
		return out, Refuse("position is for one rule: give one id.")
	}
	site, err := in.resolve(ctx, d)
	if err != nil {
		return out, err
	}
	out.SiteID = site
	rules := make([]wireWafRule, len(in.IDs))
	for i, id := range in.IDs {
		if rules[i], err = getWafRule(ctx, d, &out.Noted, site, id); err != nil {
			return out, err
		}
		if rules[i].RulesetID != rules[0].RulesetID {
			return out, Refuse("The rules %s and %s are in different rule sets: change those of one set at a time.", in.IDs[0], id)
		}
		in.change(&rules[i], changes)
	}
	if len(rules) > 1 {
		err = in.sendBatch(ctx, d, &out.Noted, site, rules)
	} else {
		err = in.sendOne(ctx, d, &out.Noted, site, rules[0], len(changes) > 0)
	}
	if err != nil {
		return out, err
	}
	for _, id := range in.IDs {
		w, err := getWafRule(ctx, d, &out.Noted, site, id)
		if err != nil {
			return out, fmt.Errorf("read rule %s, which was changed: %w", id, err)
		}
		out.Rules = append(out.Rules, w.rule(false))
	}
	return out, nil
}

// changes are the members of the configuration that get new values.
func (in UpdateWafRuleInput) changes() map[string]any {
	c := maps.Clone(in.Config)
	if c == nil {
		c = map[string]any{}
	}
	for name, value := range map[string]string{"Name": in.Name, "Action": in.Action, "Expression": in.Expression} {
		if value != "" {
			c[name] = value
		}
	}
	return c
}

func (in UpdateWafRuleInput) change(w *wireWafRule, changes map[string]any) {
	if w.Config == nil {
		w.Config = map[string]any{}
	}
	w.Config["Id"], w.Config["Name"], w.Config["Status"] = w.ID.number(), w.Name, w.Status
	for name, value := range changes {
		w.Config[name] = value
		if value == nil {
			delete(w.Config, name)
		}
	}
	if in.Status != "" {
		w.Config["Status"] = in.Status
	}
}

func (in UpdateWafRuleInput) sendOne(ctx context.Context, d *Deps, notes *Noted, site ID, w wireWafRule, whole bool) error {
	params := esa.Params{"SiteId": site.number(), "Id": w.ID.number()}
	if whole {
		params["Config"] = w.Config
	}
	if in.Status != "" {
		params["Status"] = in.Status
	}
	if in.Position != 0 {
		params["Position"] = in.Position
	}
	_, err := invoke[struct{}](ctx, d, notes, "UpdateWafRule", params)
	return wafRuleError(err, w.ID)
}

func (in UpdateWafRuleInput) sendBatch(ctx context.Context, d *Deps, notes *Noted, site ID, rules []wireWafRule) error {
	configs := make([]any, len(rules))
	for i, w := range rules {
		configs[i] = w.Config
	}
	_, err := invoke[struct{}](ctx, d, notes, "BatchUpdateWafRules", esa.Params{
		"SiteId": site.number(), "Phase": rules[0].Phase, "RulesetId": rules[0].RulesetID.number(), "Configs": configs,
	})
	return err
}
