package tools

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// ruleKind is one family of rules that the tools of this set write.
type ruleKind struct {
	name string // as the tools call it
	noun string // of the API: the X of CreateX
	// headers is the parameter that lists changes of headers; empty for a kind
	// that has settings.
	headers string
	check   func(given, all settings, notes *Noted) error
}

// ruleKinds returns all kinds, in the order in which a request meets them.
func ruleKinds() []ruleKind {
	const request, response = "RequestHeaderModification", "ResponseHeaderModification"
	return []ruleKind{
		{name: "tls", noun: "HttpsBasicConfiguration", check: checkTLS},
		{name: "https", noun: "HttpsApplicationConfiguration", check: checkHTTPS},
		{name: "incoming_request_headers", noun: "HttpIncomingRequestHeaderModificationRule", headers: request},
		{name: "redirect", noun: "RedirectRule", check: checkRedirect},
		{name: "rewrite", noun: "RewriteUrlRule", check: checkRewrite},
		{name: "network", noun: "NetworkOptimization", check: checkNothing},
		{name: "request_headers", noun: "HttpRequestHeaderModificationRule", headers: request},
		{name: "incoming_response_headers", noun: "HttpIncomingResponseHeaderModificationRule", headers: response},
		{name: "image", noun: "ImageTransform", check: checkNothing},
		{name: "video", noun: "VideoProcessing", check: checkNothing},
		{name: "compression", noun: "CompressionRule", check: checkNothing},
		{name: "response_headers", noun: "HttpResponseHeaderModificationRule", headers: response},
		{name: "custom_response", noun: "CustomResponseCodeRule", check: checkCustomResponse},
	}
}

// KindRule is one rule of any kind.
type KindRule struct {
	Kind string `json:"kind"`
	SettingsRule
	Headers []HeaderChange `json:"headers,omitempty"`
}

// ListRulesInput are the arguments of list_rules.
type ListRulesInput struct {
	SiteRef
	Kind string `json:"kind,omitempty" jsonschema_description:"Only this kind, as set_rule names it"`
}

// ListRulesOutput is the result of list_rules.
type ListRulesOutput struct {
	Noted
	SiteID ID         `json:"site_id"`
	Rules  []KindRule `json:"rules" jsonschema_description:"In the order in which they apply; within a kind, a rule overrides the global one"`
}

// SetRuleInput are the arguments of set_rule.
type SetRuleInput struct {
	Kind string `json:"kind" jsonschema:"enum=redirect,enum=rewrite,enum=request_headers,enum=response_headers,enum=incoming_request_headers,enum=incoming_response_headers,enum=compression,enum=https,enum=tls,enum=network,enum=image,enum=video,enum=custom_response" jsonschema_description:"incoming_: as ESA receives them"`
	RuleRef
	Settings map[string]json.RawMessage `json:"settings,omitempty" jsonschema_description:"redirect: target_url, status_code (302), reserve_query_string (on); rewrite: uri, query_string; compression: gzip, brotli, zstd; https: https_force, hsts, hsts_max_age; tls: http2, http3, tls10 to tls13; network: websocket, grpc ... A wrong name is answered with all"`
	Headers  []HeaderChange             `json:"headers,omitempty" jsonschema_description:"For header kinds, the whole list"`
}

// SetKindRuleOutput is the result of set_rule.
type SetKindRuleOutput struct {
	Noted
	SiteID  ID       `json:"site_id"`
	Created bool     `json:"created" jsonschema_description:"false: an existing one was changed"`
	Rule    KindRule `json:"rule" jsonschema_description:"The rule as sent"`
}

// DeleteKindRuleInput are the arguments of delete_rule.
type DeleteKindRuleInput struct {
	DeleteRuleInput
	Kind string `json:"kind" jsonschema_description:"As set_rule names it"`
}

// DeleteKindRuleOutput is the result of delete_rule.
type DeleteKindRuleOutput struct {
	Noted
	SiteID  ID       `json:"site_id"`
	Deleted KindRule `json:"deleted" jsonschema_description:"The rule as it was"`
}

func rulesTools() []Tool {
	return []Tool{
		Define(Meta{
			Name: "set_rule", Title: "Create or change a rule", Toolset: "rules",
			Description: "Create a rule of a site, or change one (rule_id; what is not given stays): redirects, URL rewrites, headers, compression, HTTPS. Cache and origin rules have tools of their own.",
			Calls:       kindCalls("List", "Get", "Create", "Update"),
			ReadOnly:    No, Destructive: Yes, Idempotent: No, OpenWorld: Yes, Versioned: true,
		}, setRule),
		Define(Meta{
			Name: "list_rules", Title: "List rules", Toolset: "rules",
			Description: "List a site's rules (kinds of set_rule) in the order in which they apply.",
			Calls:       kindCalls("List"),
			ReadOnly:    Yes, Destructive: No, Idempotent: Yes, OpenWorld: Yes, Versioned: true,
		}, listRules),
		Define(Meta{
			Name: "delete_rule", Title: "Delete a rule", Toolset: "rules",
			Description: "Delete a rule of set_rule's kinds; answers what it was.",
			Calls:       kindCalls("Get", "Delete"),
			ReadOnly:    No, Destructive: Yes, Idempotent: Yes, OpenWorld: Yes,
		}, deleteRule),
	}
}

// kindCalls are the operations of all kinds with those verbs.
func kindCalls(verbs ...string) []string {
	calls := []string{"ListSites"}
	for _, k := range ruleKinds() {
		for _, verb := range verbs {
			calls = append(calls, k.family().action(verb))
		}
	}
	return calls
}

func (k ruleKind) family() settingsFamily { return settingsFamily{noun: k.noun, check: k.check} }

// kindNamed finds a kind. Its error names the nearest one and all.
func kindNamed(name string) (ruleKind, error) {
	var names []string
	for _, k := range ruleKinds() {
		if k.name == strings.ToLower(strings.TrimSpace(name)) {
			return k, nil
		}
		names = append(names, k.name)
	}
	return ruleKind{}, Refuse("kind: there is no %q%s There are %s.", name, DidYouMean(name, names), strings.Join(names, ", "))
}

func listRules(ctx context.Context, d *Deps, in ListRulesInput) (ListRulesOutput, error) {
	var out ListRulesOutput
	kinds := ruleKinds()
	if in.Kind != "" {
		k, err := kindNamed(in.Kind)
		if err != nil {
			return out, err
		}
		kinds = []ruleKind{k}
	}
	site, err := in.resolve(ctx, d)
	if err != nil {
		return out, err
	}
	out.SiteID = site
	for i, k := range kinds {
		Progress(ctx, float64(i), float64(len(kinds)), "listing "+k.name)
		rules, err := k.list(ctx, d, &out.Noted, site)
		if len(kinds) > 1 && notOnPlan(err) {
			out.Note(esa.Note{ID: "rule-plan", Text: "The site's plan has no rules of kind " + k.name + "."})
			continue
		}
		if err != nil {
			return out, err
		}
		out.Rules = append(out.Rules, rules...)
	}
	return out, nil
}

// notOnPlan tells that a kind does not exist for the site, which the other kinds
// do not suffer from.
func notOnPlan(err error) bool {
	var e *esa.Error
	return errors.As(err, &e) && (e.Code == "ProductCheckError" || e.Code == "NotApplicable")
}

// list reads all rules of the kind, page by page: the global one, then by
// sequence.
func (k ruleKind) list(ctx context.Context, d *Deps, notes *Noted, site ID) ([]KindRule, error) {
	const size = 500
	var rules []KindRule
	for page := 1; page > 0; {
		answer, err := invoke[listConfigsAnswer](ctx, d, notes, k.family().action("List"),
			esa.Params{"SiteId": site.number(), "PageNumber": page, "PageSize": size})
		if err != nil {
			return nil, err
		}
		for _, config := range answer.Configs {
			rules = append(rules, k.rule(config))
		}
		page = nextPage(page, size, answer.TotalCount)
	}
	slices.SortStableFunc(rules, func(a, b KindRule) int {
		if (a.Scope == "global") != (b.Scope == "global") {
			if a.Scope == "global" {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.Sequence, b.Sequence)
	})
	return rules, nil
}

// rule reads a rule of an answer.
func (k ruleKind) rule(config map[string]any) KindRule {
	return KindRule{Kind: k.name, SettingsRule: settingsRule(config), Headers: readHeaders(config[k.headers])}
}

func (k ruleKind) get(ctx context.Context, d *Deps, notes *Noted, site, rule ID) (KindRule, error) {
	config, err := invoke[map[string]any](ctx, d, notes, k.family().action("Get"),
		esa.Params{"SiteId": site.number(), "ConfigId": rule.number()})
	if err != nil {
		return KindRule{}, err
	}
	out := k.rule(config)
	out.ID = rule
	return out, nil
}

func deleteRule(ctx context.Context, d *Deps, in DeleteKindRuleInput) (DeleteKindRuleOutput, error) {
	var out DeleteKindRuleOutput
	k, err := kindNamed(in.Kind)
	if err != nil {
		return out, err
	}
	if out.SiteID, err = in.resolve(ctx, d); err != nil {
		return out, err
	}
	if out.Deleted, err = k.get(ctx, d, &out.Noted, out.SiteID, in.RuleID); err != nil {
		return out, err
	}
	_, err = invoke[struct{}](ctx, d, &out.Noted, k.family().action("Delete"),
		esa.Params{"SiteId": out.SiteID.number(), "ConfigId": in.RuleID.number()})
	return out, err
}

// RuleKinds returns the kinds of rules that set_rule and list_rules know, in the
// order in which a request meets them.
func RuleKinds() []string {
	var names []string
	for _, k := range ruleKinds() {
		names = append(names, k.name)
	}
	return names
}
