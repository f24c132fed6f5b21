package tools

import (
	"context"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// WafQuotas are how much of WAF is used and allowed. Limits are of the account;
// what it does not have is left out.
type WafQuotas struct {
	RulesOfSite    int64          `json:"rules_of_site"`
	RulesOfAccount int64          `json:"rules_of_account"`
	Limits         map[string]int `json:"limits"`
}

// wafBound is a limit as the API has it: one of the comparisons is given.
type wafBound struct{ Equal, LessThan, LessThanOrEqual *int }

// most is the largest number that the bound allows.
func (b wafBound) most() (int, bool) {
	switch {
	case b.LessThanOrEqual != nil:
		return *b.LessThanOrEqual, true
	case b.LessThan != nil:
		return *b.LessThan - 1, true
	case b.Equal != nil:
		return *b.Equal, true
	}
	return 0, false
}

type wafPart struct {
	Enable                                            bool
	NumberTotal, NumberItemsPerList, NumberItemsTotal wafBound
}

// wafQuotas asks for the use, of one phase if it is given, and for the limits.
func wafQuotas(ctx context.Context, d *Deps, notes *Noted, site ID, phase string) (*WafQuotas, error) {
	params := esa.Params{}
	if phase != "" {
		params["Phase"] = phase
	}
	usage, err := invoke[struct {
		InstanceUsage int64
		Sites         []struct {
			ID    ID `json:"Id"`
			Usage int64
		}
	}](ctx, d, notes, "ListWafUsageOfRules", params)
	if err != nil {
		return nil, err
	}
	answer, err := invoke[struct {
		Quota struct{ Captcha, List, ManagedRulesGroup, Page, ScenePolicy wafPart }
	}](ctx, d, notes, "GetWafQuota", nil)
	if err != nil {
		return nil, err
	}
	out := &WafQuotas{RulesOfAccount: usage.InstanceUsage, Limits: map[string]int{}}
	for _, s := range usage.Sites {
		if s.ID == site {
			out.RulesOfSite = s.Usage
		}
	}
	q := answer.Quota
	for name, part := range map[string]wafPart{"captchas": q.Captcha, "lists": q.List, "managed_rule_groups": q.ManagedRulesGroup,
		"pages": q.Page, "scene_policies": q.ScenePolicy} {
		if n, ok := part.NumberTotal.most(); ok && part.Enable {
			out.Limits[name] = n
		}
	}
	for name, bound := range map[string]wafBound{"items_per_list": q.List.NumberItemsPerList, "items_of_all_lists": q.List.NumberItemsTotal} {
		if n, ok := bound.most(); ok && q.List.Enable {
			out.Limits[name] = n
		}
	}
	return out, nil
}
