package tools

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/esa"
	"github.com/esa-mcp/esa-mcp/internal/guard"
)

// set creates or changes a rule. A change is sent whole, what stays included, so
// that nothing gets lost whatever the service makes of what is left out.
func (f settingsFamily) set(ctx context.Context, d *Deps, in RuleRef, given settings) (SetRuleOutput, error) {
	var out SetRuleOutput
	site, err := in.resolve(ctx, d)
	if err != nil {
		return out, err
	}
	out.SiteID = site
	release, err := d.Locks.Lock(ctx, f.noun+" "+string(site))
	if err != nil {
		return out, err
	}
	defer release()
	if err := f.base(ctx, d, in, &out); err != nil {
		return out, err
	}
	rule := &out.Rule
	all, err := f.stored(rule.Settings)
	if err != nil {
		return out, err
	}
	maps.Copy(all, given)
	if err := f.check(given, all, &out.Noted); err != nil {
		return out, err
	}
	if out.Created && len(all) == 0 {
		return out, Refuse("Nothing is set: give at least one setting beside the condition.")
	}
	params := rule.params(site)
	rule.Settings = map[string]string{}
	for name, value := range all {
		params[name] = value
		if value != "" {
			rule.Settings[snake(name)] = value
		}
	}
	return out, f.send(ctx, d, params, &out)
}

func (f settingsFamily) send(ctx context.Context, d *Deps, params esa.Params, out *SetRuleOutput) error {
	verb := "Update"
	if out.Created {
		verb = "Create"
	}
	if out.Rule.Scope == "global" { // said in so many words
		ctx = guard.WithSaid(ctx, "rule-global")
	}
	answer, err := invoke[struct {
		ConfigID ID `json:"ConfigId"`
	}](ctx, d, &out.Noted, f.action(verb), params)
	if err == nil && out.Created {
		out.Rule.ID = answer.ConfigID
	}
	if err == nil && slices.ContainsFunc(out.Notes, func(n esa.Note) bool { return strings.HasPrefix(n.ID, "rule-") }) {
		// A guardrail may have mended the expression: what is stored is shown.
		if stored, readErr := f.get(ctx, d, &out.Noted, out.SiteID, out.Rule.ID); readErr == nil {
			out.Rule.Rule = stored.Rule
		}
	}
	return err
}

// base fills in the rule to write: the existing one with the changes, or a new
// one. The site's default is one thing: setting it changes it where it exists.
func (f settingsFamily) base(ctx context.Context, d *Deps, in RuleRef, out *SetRuleOutput) error {
	rule := &out.Rule
	switch {
	case in.RuleID != "":
		found, err := f.get(ctx, d, &out.Noted, out.SiteID, in.RuleID)
		if err != nil {
			return err
		}
		*rule, rule.ID = found, in.RuleID
		if in.Scope != "" && in.Scope != rule.Scope {
			return Refuse("%s is of scope %s, which cannot change: leave scope out, or delete it and create another.", in.RuleID, rule.Scope)
		}
	case in.Scope == "global":
		found, _, err := f.configs(ctx, d, &out.Noted, esa.Params{"SiteId": out.SiteID.number(), "ConfigType": "global", "PageNumber": 1, "PageSize": 1})
		if err != nil {
			return err
		}
		if len(found) > 0 {
			*rule = found[0]
		} else {
			*rule, out.Created = SettingsRule{Scope: "global", Enabled: true}, true
		}
	case in.Rule == "":
		return Refuse("Which requests? Give rule, a condition such as (http.host eq \"a.example.com\") or true for all, " +
			"or scope global for the site's default (rule-global).")
	default:
		*rule, out.Created = SettingsRule{Scope: "rule", Enabled: true}, true
	}
	if rule.Scope == "global" {
		if in.Rule != "" || in.Name != "" || in.Enabled != nil || in.Sequence != 0 {
			return Refuse("The site's default (scope global) has no rule, name, enabled or sequence: leave them out.")
		}
		return nil
	}
	return rule.change(in)
}

func (r *SettingsRule) change(in RuleRef) error {
	if in.Rule != "" {
		r.Rule = in.Rule
	}
	if in.Name != "" {
		r.Name = in.Name
	}
	if in.Enabled != nil {
		r.Enabled = *in.Enabled
	}
	if in.Sequence != 0 {
		r.Sequence = in.Sequence
	}
	if r.Name == "" {
		r.Name = "rule"
		if host := ruleHost(r.Rule); host != "" {
			r.Name = host
		}
	}
	if len(r.Name) > 128 {
		return Refuse("name has %d bytes, more than 128.", len(r.Name))
	}
	if len(r.Rule) > 4096 {
		return Refuse("rule has %d bytes, more than 4096: split it into several rules (rule-size).", len(r.Rule))
	}
	return nil
}

// params are the parameters of the rule but for its settings.
func (r *SettingsRule) params(site ID) esa.Params {
	p := esa.Params{"SiteId": site.number()}
	if r.ID != "" {
		p["ConfigId"] = r.ID.number()
	}
	if r.Scope == "global" {
		return p
	}
	p["Rule"], p["RuleName"], p["RuleEnable"] = r.Rule, r.Name, "on"
	if !r.Enabled {
		p["RuleEnable"] = "off"
	}
	if r.Sequence > 0 {
		p["Sequence"] = r.Sequence
	}
	return p
}
