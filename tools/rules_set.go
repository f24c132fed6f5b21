package tools

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// HeaderChange is one change of a header.
type HeaderChange struct {
	Action  string `json:"action" jsonschema:"enum=add,enum=modify,enum=del" jsonschema_description:"Action"`
	Name    string `json:"name" jsonschema:"minLength=1,maxLength=128" jsonschema_description:"Header"`
	Value   string `json:"value,omitempty" jsonschema_description:"Not for del"`
	Dynamic bool   `json:"dynamic,omitempty" jsonschema_description:"value is an expression"`
}

// setRule creates or changes a rule of any kind.
func setRule(ctx context.Context, d *Deps, in SetRuleInput) (SetKindRuleOutput, error) {
	var out SetKindRuleOutput
	k, err := kindNamed(in.Kind)
	if err != nil {
		return out, err
	}
	if k.headers != "" {
		return k.setHeaders(ctx, d, in)
	}
	if in.Headers != nil {
		return out, Refuse("headers: kind %s has none; use request_headers or response_headers, or give settings.", k.name)
	}
	texts, err := settingTexts(in.Settings)
	if err != nil {
		return out, err
	}
	given := settings{}
	if err := k.family().read(texts, given); err != nil {
		return out, err
	}
	if in.RuleID != "" && len(given) == 0 && in.changesNothing() {
		return out, nothingToChange("settings")
	}
	done, err := k.family().set(ctx, d, in.RuleRef, given)
	return SetKindRuleOutput{
		Noted: done.Noted, SiteID: done.SiteID, Created: done.Created,
		Rule: KindRule{Kind: k.name, SettingsRule: done.Rule},
	}, err
}

// settingTexts writes settings as text, as the API has them all. A model may well
// say true or 301.
func settingTexts(values map[string]json.RawMessage) (map[string]string, error) {
	texts := make(map[string]string, len(values))
	for name, raw := range values {
		var text string
		switch trimmed := strings.TrimSpace(string(raw)); {
		case trimmed == "null" || strings.HasPrefix(trimmed, "[") || strings.HasPrefix(trimmed, "{"):
			return nil, Refuse("settings: %s must be a text, a number, true or false.", name)
		case json.Unmarshal(raw, &text) == nil:
			texts[name] = text
		default:
			texts[name] = trimmed
		}
	}
	return texts, nil
}

func (r RuleRef) changesNothing() bool {
	return r.Rule == "" && r.Name == "" && r.Enabled == nil && r.Sequence == 0
}

func nothingToChange(what string) error {
	return Refuse("Nothing to change: give %s, rule, name, enabled or sequence.", what)
}

// setHeaders is setRule for the kinds that change headers. The list is sent
// whole; without a new one the old one stays.
func (k ruleKind) setHeaders(ctx context.Context, d *Deps, in SetRuleInput) (SetKindRuleOutput, error) {
	var out SetKindRuleOutput
	if len(in.Settings) > 0 {
		return out, Refuse("settings: kind %s has none; give headers, such as [{\"action\":\"add\",\"name\":\"X-A\",\"value\":\"1\"}].", k.name)
	}
	if in.RuleID != "" && in.Headers == nil && in.changesNothing() {
		return out, nothingToChange("headers")
	}
	if err := checkHeaders(in.Headers); err != nil {
		return out, err
	}
	site, err := in.resolve(ctx, d)
	if err != nil {
		return out, err
	}
	release, err := d.Locks.Lock(ctx, k.noun+" "+string(site))
	if err != nil {
		return out, err
	}
	defer release()
	done := SetRuleOutput{SiteID: site}
	if err := k.family().base(ctx, d, in.RuleRef, &done); err != nil {
		return out, err
	}
	headers := in.Headers
	if len(headers) == 0 {
		if done.Created || in.Headers != nil {
			return out, Refuse("headers: give at least one, such as [{\"action\":\"add\",\"name\":\"X-A\",\"value\":\"1\"}].")
		}
		old, err := k.get(ctx, d, &done.Noted, site, done.Rule.ID)
		if err != nil {
			return out, err
		}
		headers = old.Headers
	}
	params := done.Rule.params(site)
	params[k.headers] = wireHeaders(headers)
	err = k.family().send(ctx, d, params, &done)
	return SetKindRuleOutput{
		Noted: done.Noted, SiteID: site, Created: done.Created,
		Rule: KindRule{Kind: k.name, SettingsRule: done.Rule, Headers: headers},
	}, err
}

func checkHeaders(headers []HeaderChange) error {
	for _, h := range headers {
		switch {
		case strings.ContainsAny(h.Name, " \t\r\n:"):
			return Refuse("headers: %q is not the name of a header.", h.Name)
		case h.Action == "del" && h.Value != "":
			return Refuse("headers: del of %s takes no value; use modify to set another.", h.Name)
		case h.Action != "del" && h.Value == "":
			return Refuse("headers: %s of %s needs a value; use del to remove the header.", h.Action, h.Name)
		}
	}
	return nil
}

// wireHeaders writes changes as the API does, readHeaders reads them.
func wireHeaders(headers []HeaderChange) []any {
	out := make([]any, len(headers))
	for i, h := range headers {
		change := map[string]any{"Name": h.Name, "Operation": h.Action, "Type": "static"}
		if h.Dynamic {
			change["Type"] = "dynamic"
		}
		if h.Value != "" {
			change["Value"] = h.Value
		}
		out[i] = change
	}
	return out
}

func readHeaders(value any) []HeaderChange {
	list, _ := value.([]any)
	var out []HeaderChange
	for _, v := range list {
		change, _ := v.(map[string]any)
		text := func(name string) string { s, _ := change[name].(string); return s }
		out = append(out, HeaderChange{
			Action: text("Operation"), Name: text("Name"), Value: text("Value"), Dynamic: text("Type") == "dynamic",
		})
	}
	return out
}

func checkNothing(_, _ settings, _ *Noted) error { return nil }

// checkRedirect fills in what a redirect must have: a temporary one, since
// browsers never forget a permanent one, that keeps the query.
func checkRedirect(_, all settings, notes *Noted) error {
	target := all["TargetUrl"]
	if target == "" {
		return Refuse("settings: a redirect needs target_url, such as https://www.example.com/new.")
	}
	all.fill("Type", "static")
	all.fill("ReserveQueryString", "on")
	if all["StatusCode"] == "" {
		all["StatusCode"] = "302"
		notes.Note(esa.Note{ID: "redirect-status", Text: "status_code was not given: 302 (temporary)"})
	}
	if all["Type"] == "dynamic" {
		return nil
	}
	if u, err := url.Parse(target); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return Refuse("settings: target_url %q is not a whole URL such as https://www.example.com/new; for an expression add type dynamic.", target)
	}
	return nil
}

// checkRewrite fills in the types of what is rewritten.
func checkRewrite(_, all settings, _ *Noted) error {
	if all["Uri"] == "" && all["QueryString"] == "" && all["RewriteQueryStringType"] == "" {
		return Refuse("settings: a rewrite needs uri (the new path), query_string or both.")
	}
	if all["Uri"] != "" {
		all.fill("RewriteUriType", "static")
	} else if all["RewriteUriType"] != "" {
		all["RewriteUriType"] = "" // the path is no longer rewritten
	}
	if all["QueryString"] != "" {
		all.fill("RewriteQueryStringType", "static")
	}
	if uri := all["Uri"]; uri != "" && all["RewriteUriType"] == "static" && !strings.HasPrefix(uri, "/") {
		return Refuse("settings: uri %q is a path and starts with /; for an expression add rewrite_uri_type dynamic.", uri)
	}
	return nil
}

func checkHTTPS(_, all settings, _ *Noted) error {
	if all["HttpsForce"] == "on" {
		all.fill("HttpsForceCode", "301")
	}
	if all["Hsts"] == "on" && all["HstsMaxAge"] == "" {
		return Refuse("settings: hsts on needs hsts_max_age in seconds. Browsers refuse plain HTTP for that long, so begin small, such as 3600.")
	}
	return nil
}

func checkTLS(_, all settings, _ *Noted) error {
	if all["CiphersuiteGroup"] == "custom" && all["Ciphersuite"] == "" {
		return Refuse("settings: ciphersuite_group custom needs ciphersuite, the names of the suites separated by commas.")
	}
	return nil
}

func checkCustomResponse(_, all settings, _ *Noted) error {
	if all["PageId"] == "" || all["ReturnCode"] == "" {
		return Refuse("settings: custom_response needs page_id and return_code.")
	}
	return nil
}

// fill sets what is not set.
func (s settings) fill(name, value string) {
	if s[name] == "" {
		s[name] = value
	}
}
