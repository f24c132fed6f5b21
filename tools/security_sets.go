package tools

import (
	"cmp"
	"context"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// WafRuleset is a set of security rules of one phase.
type WafRuleset struct {
	ID     ID             `json:"id"`
	Name   string         `json:"name,omitempty"`
	Phase  string         `json:"phase"`
	Status string         `json:"status,omitempty"`
	Rules  *int           `json:"rules,omitempty" jsonschema_description:"How many"`
	Shared map[string]any `json:"shared,omitempty" jsonschema_description:"What its rules have in common"`
}

type wireRuleset struct {
	ID                  ID `json:"Id"`
	Name, Phase, Status string
	Rules               []struct{}
	Shared              map[string]any
}

func (w wireRuleset) ruleset(phase string, counted bool) WafRuleset {
	s := WafRuleset{ID: w.ID, Name: w.Name, Phase: cmp.Or(w.Phase, phase), Status: w.Status, Shared: w.Shared}
	if counted {
		n := len(w.Rules)
		s.Rules = &n
	}
	return s
}

// ListWafRulesetsInput are the arguments of list_waf_rulesets.
type ListWafRulesetsInput struct {
	SiteRef
	Phase    string `json:"phase,omitempty" jsonschema_description:"Default: all"`
	ID       ID     `json:"id,omitempty" jsonschema_description:"Only this one"`
	Quotas   bool   `json:"quotas,omitempty" jsonschema_description:"Also how many rules there are, and the account's limits"`
	Page     int    `json:"page,omitempty" jsonschema:"minimum=1,default=1" jsonschema_description:"Page, with phase"`
	PageSize int    `json:"page_size,omitempty" jsonschema:"minimum=1,maximum=100,default=20" jsonschema_description:"Per page"`
}

// ListWafRulesetsOutput is the result of list_waf_rulesets.
type ListWafRulesetsOutput struct {
	Noted
	SiteID   ID           `json:"site_id"`
	Rulesets []WafRuleset `json:"rulesets"`
	NextPage int          `json:"next_page,omitempty"`
	Quotas   *WafQuotas   `json:"quotas,omitempty"`
}

func listWafRulesets() Tool {
	return Define(Meta{
		Name: "list_waf_rulesets", Title: "List WAF rule sets", Toolset: "security",
		Description: "Shows a site's security rule sets by phase, with the number of rules.",
		Calls:       []string{"GetWafQuota", "GetWafRuleset", "ListSites", "ListWafPhases", "ListWafRulesets", "ListWafUsageOfRules"},
		ReadOnly:    Yes, Destructive: No, Idempotent: Yes, OpenWorld: Yes, Versioned: true,
	}, func(ctx context.Context, d *Deps, in ListWafRulesetsInput) (ListWafRulesetsOutput, error) {
		var out ListWafRulesetsOutput
		site, err := in.resolve(ctx, d)
		if err != nil {
			return out, err
		}
		out.SiteID = site
		if in.Phase != "" {
			if err := checkPhase(in.Phase); err != nil {
				return out, err
			}
		}
		if in.Quotas {
			if out.Quotas, err = wafQuotas(ctx, d, &out.Noted, site, in.Phase); err != nil {
				return out, err
			}
		}
		switch {
		case in.ID != "":
			w, err := getWafRuleset(ctx, d, &out.Noted, site, in.ID)
			out.Rulesets = []WafRuleset{w.ruleset("", true)}
			return out, err
		case in.Phase == "":
			return out, out.all(ctx, d)
		}
		page, size := cmp.Or(in.Page, 1), cmp.Or(in.PageSize, 20)
		answer, err := invoke[struct {
			Rulesets   []wireRuleset
			TotalCount int
		}](ctx, d, &out.Noted, "ListWafRulesets", esa.Params{"SiteId": site.number(), "Phase": in.Phase, "PageNumber": page, "PageSize": size})
		for _, w := range answer.Rulesets {
			out.Rulesets = append(out.Rulesets, w.ruleset(in.Phase, false))
		}
		out.NextPage = nextPage(page, size, answer.TotalCount)
		return out, err
	})
}

// all lists the rule sets of all phases.
func (out *ListWafRulesetsOutput) all(ctx context.Context, d *Deps) error {
	answer, err := invoke[struct {
		Phases []struct {
			Phase    string
			Rulesets []wireRuleset
		}
	}](ctx, d, &out.Noted, "ListWafPhases", esa.Params{"SiteId": out.SiteID.number()})
	for _, p := range answer.Phases {
		for _, w := range p.Rulesets {
			out.Rulesets = append(out.Rulesets, w.ruleset(p.Phase, true))
		}
	}
	return err
}

func getWafRuleset(ctx context.Context, d *Deps, notes *Noted, site, id ID) (wireRuleset, error) {
	w, err := invoke[wireRuleset](ctx, d, notes, "GetWafRuleset", esa.Params{"SiteId": site.number(), "Id": id.number()})
	return w, wafRulesetError(err, id)
}

func wafRulesetError(err error, id ID) error {
	if code := esa.CodeOf(err); code == "InvalidRuleset.NotFound" || code == "WafRuleset.NotFound" {
		return Refuse("The site has no security rule set %s: list_waf_rulesets shows them. (%w)", id, err)
	}
	return err
}

// SetWafRulesetInput are the arguments of set_waf_ruleset.
type SetWafRulesetInput struct {
	SiteRef
	ID     ID     `json:"id,omitempty" jsonschema_description:"One to switch; else one is made"`
	Phase  string `json:"phase,omitempty" jsonschema_description:"Of a new one"`
	Name   string `json:"name,omitempty" jsonschema:"maxLength=128" jsonschema_description:"Of a new one"`
	Status string `json:"status,omitempty" jsonschema:"enum=on,enum=off" jsonschema_description:"Status"`
}

// SetWafRulesetOutput is the result of set_waf_ruleset.
type SetWafRulesetOutput struct {
	Noted
	ID      ID     `json:"id"`
	Created bool   `json:"created,omitempty"`
	Status  string `json:"status,omitempty"`
}

func setWafRuleset() Tool {
	return Define(Meta{
		Name: "set_waf_ruleset", Title: "Make or switch a WAF rule set", Toolset: "security",
		Description: "Makes a security rule set, or switches one on or off.",
		Calls:       []string{"CreateWafRuleset", "ListSites", "UpdateWafRuleset"},
		ReadOnly:    No, Destructive: Yes, Idempotent: No, OpenWorld: Yes, Versioned: true,
	}, func(ctx context.Context, d *Deps, in SetWafRulesetInput) (SetWafRulesetOutput, error) {
		out := SetWafRulesetOutput{ID: in.ID, Status: in.Status}
		switch {
		case in.ID == "" && in.Phase == "":
			return out, Refuse("Give phase to make a rule set, or id and status to switch one.")
		case in.ID != "" && (in.Status == "" || in.Phase != "" || in.Name != ""):
			return out, Refuse("With id only status can be set: give it, without phase and name.")
		}
		if in.ID == "" {
			if err := checkPhase(in.Phase); err != nil {
				return out, err
			}
		}
		site, err := in.resolve(ctx, d)
		if err != nil {
			return out, err
		}
		if in.ID == "" {
			params := esa.Params{"SiteId": site.number(), "Phase": in.Phase}
			if in.Name != "" {
				params["Name"] = in.Name
			}
			made, err := invoke[struct {
				ID ID `json:"Id"`
			}](ctx, d, &out.Noted, "CreateWafRuleset", params)
			if err != nil {
				return out, err
			}
			out.ID, out.Created = made.ID, true
		}
		if in.Status == "" || out.Created && in.Status == "on" {
			return out, nil
		}
		_, err = invoke[struct{}](ctx, d, &out.Noted, "UpdateWafRuleset", esa.Params{"SiteId": site.number(), "Id": out.ID.number(), "Status": in.Status})
		if err != nil && out.Created {
			return out, Refuse("Rule set %s was made, but not switched %s: call set_waf_ruleset with its id. (%w)", out.ID, in.Status, err)
		}
		return out, wafRulesetError(err, out.ID)
	})
}

// DeleteWafRulesetInput are the arguments of delete_waf_ruleset.
type DeleteWafRulesetInput struct {
	SiteRef
	ID ID `json:"id" jsonschema_description:"Rule set id"`
}

// DeleteWafRulesetOutput is the result of delete_waf_ruleset.
type DeleteWafRulesetOutput struct {
	Noted
	ID      ID   `json:"id"`
	Deleted bool `json:"deleted"`
}

func deleteWafRuleset() Tool {
	return Define(Meta{
		Name: "delete_waf_ruleset", Title: "Delete a WAF rule set", Toolset: "security",
		Description: "Deletes a rule set with its rules.",
		Calls:       []string{"DeleteWafRuleset", "GetWafRuleset", "ListSites"},
		ReadOnly:    No, Destructive: Yes, Idempotent: Yes, OpenWorld: Yes, Versioned: true,
	}, func(ctx context.Context, d *Deps, in DeleteWafRulesetInput) (DeleteWafRulesetOutput, error) {
		out := DeleteWafRulesetOutput{ID: in.ID}
		site, err := in.resolve(ctx, d)
		if err != nil {
			return out, err
		}
		_, err = invoke[struct{}](ctx, d, &out.Noted, "DeleteWafRuleset", esa.Params{"SiteId": site.number(), "Id": in.ID.number()})
		out.Deleted = err == nil
		return out, wafRulesetError(err, in.ID)
	})
}
