package tools

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// settingsFamily is a family of operations, Create, Update, Get, List and Delete
// of one noun, that keep the settings of a site by rule: cache or origin rules.
type settingsFamily struct {
	noun string // of the API, such as CacheRule
	// check refuses or completes what is about to be sent. given has the settings
	// of the call, all has those of the rule besides; what the check changes in
	// all is sent.
	check func(given, all settings, notes *Noted) error
}

func (f settingsFamily) action(verb string) string {
	if verb == "List" {
		return verb + f.noun + "s"
	}
	return verb + f.noun
}

// settings are features of a rule by their names in the API.
type settings map[string]string

// RuleRef is embedded in the input of tools that write a rule with settings.
type RuleRef struct {
	SiteRef
	RuleID   ID     `json:"rule_id,omitempty" jsonschema_description:"Rule to change; leave out to create"`
	Rule     string `json:"rule,omitempty" jsonschema_description:"Condition: (http.host eq \"a.example.com\"), or true for all"`
	Scope    string `json:"scope,omitempty" jsonschema:"enum=global" jsonschema_description:"The site's default, without rule"`
	Name     string `json:"name,omitempty" jsonschema_description:"Rule name"`
	Enabled  *bool  `json:"enabled,omitempty" jsonschema_description:"Enabled"`
	Sequence int64  `json:"sequence,omitempty" jsonschema_description:"Order, 1 first"`
}

// SettingsRule is one rule with settings, or the site's default.
type SettingsRule struct {
	ID       ID                `json:"id" jsonschema_description:"Rule id"`
	Scope    string            `json:"scope" jsonschema_description:"rule, or global for the site's default"`
	Name     string            `json:"name,omitempty"`
	Rule     string            `json:"rule,omitempty" jsonschema_description:"Condition"`
	Enabled  bool              `json:"enabled"`
	Sequence int64             `json:"sequence,omitempty" jsonschema_description:"Order, 1 first"`
	Settings map[string]string `json:"settings" jsonschema_description:"What is set"`
}

// SetRuleOutput is the result of the tools that write a rule with settings.
type SetRuleOutput struct {
	Noted
	SiteID  ID           `json:"site_id"`
	Created bool         `json:"created" jsonschema_description:"false: an existing one was changed"`
	Rule    SettingsRule `json:"rule" jsonschema_description:"The rule as sent"`
}

// ListSettingsInput are the arguments of the tools that list rules with settings.
type ListSettingsInput struct {
	SiteRef
	RuleID ID  `json:"rule_id,omitempty" jsonschema_description:"Only this rule"`
	Page   int `json:"page,omitempty" jsonschema:"minimum=1" jsonschema_description:"Page of 50"`
}

// ListSettingsOutput is the result of the tools that list rules with settings.
type ListSettingsOutput struct {
	Noted
	SiteID   ID             `json:"site_id"`
	Rules    []SettingsRule `json:"rules" jsonschema_description:"In the order in which they apply"`
	Total    int            `json:"total"`
	NextPage int            `json:"next_page,omitempty"`
}

// DeleteRuleInput are the arguments of the tools that delete a rule with
// settings.
type DeleteRuleInput struct {
	SiteRef
	RuleID ID `json:"rule_id" jsonschema_description:"Rule id"`
}

// DeleteRuleOutput is the result of the tools that delete a rule with settings.
type DeleteRuleOutput struct {
	Noted
	SiteID  ID   `json:"site_id"`
	RuleID  ID   `json:"rule_id"`
	Deleted bool `json:"deleted"`
}

// common are the parameters of a rule that are no settings.
func common() []string {
	return []string{"ConfigId", "ConfigType", "Rule", "RuleEnable", "RuleName", "Sequence", "SiteId", "SiteVersion", "RequestId"}
}

type listConfigsAnswer struct {
	Configs    []map[string]any
	TotalCount int
}

func (f settingsFamily) list(ctx context.Context, d *Deps, in ListSettingsInput) (ListSettingsOutput, error) {
	var out ListSettingsOutput
	site, err := in.resolve(ctx, d)
	if err != nil {
		return out, err
	}
	out.SiteID = site
	if in.RuleID != "" {
		rule, err := f.get(ctx, d, &out.Noted, site, in.RuleID)
		out.Rules, out.Total = []SettingsRule{rule}, 1
		return out, err
	}
	page := max(in.Page, 1)
	out.Rules, out.Total, err = f.configs(ctx, d, &out.Noted, esa.Params{"SiteId": site.number(), "PageNumber": page, "PageSize": rulesPage})
	out.NextPage = nextPage(page, rulesPage, out.Total)
	return out, err
}

// rulesPage is how many rules are listed at a time.
const rulesPage = 50

// configs lists the rules of one page.
func (f settingsFamily) configs(ctx context.Context, d *Deps, notes *Noted, params esa.Params) ([]SettingsRule, int, error) {
	answer, err := invoke[listConfigsAnswer](ctx, d, notes, f.action("List"), params)
	rules := make([]SettingsRule, len(answer.Configs))
	for i, config := range answer.Configs {
		rules[i] = settingsRule(config)
	}
	return rules, answer.TotalCount, err
}

func (f settingsFamily) get(ctx context.Context, d *Deps, notes *Noted, site, rule ID) (SettingsRule, error) {
	config, err := invoke[map[string]any](ctx, d, notes, f.action("Get"), esa.Params{"SiteId": site.number(), "ConfigId": rule.number()})
	if err != nil {
		return SettingsRule{}, err
	}
	return settingsRule(config), nil
}

func (f settingsFamily) delete(ctx context.Context, d *Deps, in DeleteRuleInput) (DeleteRuleOutput, error) {
	out := DeleteRuleOutput{RuleID: in.RuleID}
	site, err := in.resolve(ctx, d)
	if err != nil {
		return out, err
	}
	out.SiteID = site
	_, err = invoke[struct{}](ctx, d, &out.Noted, f.action("Delete"), esa.Params{"SiteId": site.number(), "ConfigId": in.RuleID.number()})
	out.Deleted = err == nil
	return out, err
}

// settingsRule reads a rule of an answer.
func settingsRule(config map[string]any) SettingsRule {
	text := func(name string) string {
		switch v := config[name].(type) {
		case string:
			return v
		case json.Number:
			return v.String()
		}
		return ""
	}
	out := SettingsRule{
		ID: ID(text("ConfigId")), Scope: text("ConfigType"), Name: text("RuleName"), Rule: text("Rule"),
		Enabled: text("RuleEnable") != "off", Settings: map[string]string{},
	}
	out.Sequence, _ = json.Number(text("Sequence")).Int64()
	if out.Scope == "" { // not every answer says it
		out.Scope = "rule"
		if out.Rule == "" {
			out.Scope = "global"
		}
	}
	for name := range config {
		if value := text(name); value != "" && !slices.Contains(common(), name) {
			out.Settings[snake(name)] = value
		}
	}
	return out
}

// snake writes a name of the API as the tools do: DnsRecord is dns_record.
func snake(name string) string {
	var b strings.Builder
	for i, r := range name {
		if i > 0 && unicode.IsUpper(r) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// read finds the API's names of settings and checks their values against the
// words that the catalogue knows.
func (f settingsFamily) read(texts map[string]string, into settings) error {
	op, ok := catalog.Lookup(f.action("Create"))
	if !ok {
		return fmt.Errorf("the catalogue has no %s", f.action("Create"))
	}
	for _, key := range slices.Sorted(maps.Keys(texts)) {
		p, err := op.FindParam(key)
		switch {
		case err != nil:
			return Refuse("settings: %w", unknownSetting(op, key))
		case slices.Contains(common(), p.Name):
			return Refuse("settings: %s is no setting: give it beside settings.", key)
		}
		value := texts[key]
		if old, twice := into[p.Name]; twice && old != value {
			return Refuse("%s is given twice: as an argument and in settings.", snake(p.Name))
		}
		if into[p.Name], err = settingValue(p, value); err != nil {
			return err
		}
	}
	return nil
}

// stored is what a rule has already, under the API's names. It is not checked:
// the service knows more words than the catalogue.
func (f settingsFamily) stored(texts map[string]string) (settings, error) {
	op, ok := catalog.Lookup(f.action("Update"))
	if !ok {
		return nil, fmt.Errorf("the catalogue has no %s", f.action("Update"))
	}
	out := settings{}
	for key, value := range texts {
		if p, err := op.FindParam(key); err == nil {
			out[p.Name] = value
		}
	}
	return out, nil
}

func unknownSetting(op *catalog.Operation, key string) error {
	var names []string
	for i := range op.Params {
		if name := op.Params[i].Name; !slices.Contains(common(), name) {
			names = append(names, snake(name))
		}
	}
	return fmt.Errorf("there is no %q%s There are %s", key, DidYouMean(key, names), strings.Join(names, ", "))
}

// settingValue checks one value. Switches are on and off in the API; a list in a
// text is checked word by word.
func settingValue(p *catalog.Param, value string) (string, error) {
	known := func(word string) bool { return slices.Contains(p.Enum, catalog.EnumValue(word)) }
	if len(p.Enum) == 0 || value == "" {
		return value, nil
	}
	if known("on") && known("off") {
		switch value {
		case "true":
			value = "on"
		case "false":
			value = "off"
		}
	}
	for word := range strings.SplitSeq(value, ",") {
		if !known(strings.TrimSpace(word)) {
			words := make([]string, len(p.Enum))
			for i, v := range p.Enum {
				words[i] = string(v)
			}
			return "", Refuse("%s cannot be %q: use %s.", snake(p.Name), value, strings.Join(words, ", "))
		}
	}
	return value, nil
}
