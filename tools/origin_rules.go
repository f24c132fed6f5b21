package tools

import (
	"context"
	"encoding/json"
	"strconv"

	"github.com/esa-mcp/esa-mcp/internal/esa"
	"github.com/esa-mcp/esa-mcp/internal/guard"
)

// SetOriginRuleInput are the arguments of set_origin_rule.
type SetOriginRuleInput struct {
	RuleRef
	OriginScheme string                     `json:"origin_scheme,omitempty" jsonschema:"enum=http,enum=https,enum=follow" jsonschema_description:"follow: the visitor's"`
	OriginPort   int                        `json:"origin_port,omitempty" jsonschema_description:"Port of that scheme"`
	OriginHost   string                     `json:"origin_host,omitempty" jsonschema_description:"Host header to the origin"`
	OriginSNI    string                     `json:"origin_sni,omitempty" jsonschema_description:"TLS server name to the origin"`
	DNSRecord    string                     `json:"dns_record,omitempty" jsonschema_description:"Record of the site to fetch from; never an IP"`
	Settings     map[string]json.RawMessage `json:"settings,omitempty" jsonschema_description:"More: range, follow302_enable, follow302_max_tries, origin_read_timeout, origin_verify, origin_mtls ..."`
}

func originRules() settingsFamily { return settingsFamily{noun: "OriginRule", check: checkOriginRule} }

func originTools() []Tool {
	return []Tool{
		Define(Meta{
			Name: "set_origin_rule", Title: "Create or change an origin rule", Toolset: "origin",
			Description: "Create an origin rule, or change one (rule_id): how the edge reaches the origin. What is not given stays. proxy_subdomain sets up a whole host.",
			Calls:       []string{"ListSites", "ListOriginRules", "GetOriginRule", "CreateOriginRule", "UpdateOriginRule"},
			ReadOnly:    No, Destructive: Yes, Idempotent: No, OpenWorld: Yes, Versioned: true,
		}, setOriginRule),
		Define(Meta{
			Name: "list_origin_rules", Title: "List origin rules", Toolset: "origin",
			Description: "List a site's origin rules with their settings, or show one.",
			Calls:       []string{"ListSites", "ListOriginRules", "GetOriginRule"},
			ReadOnly:    Yes, Destructive: No, Idempotent: Yes, OpenWorld: Yes, Versioned: true,
		}, func(ctx context.Context, d *Deps, in ListSettingsInput) (ListSettingsOutput, error) {
			return originRules().list(ctx, d, in)
		}),
		Define(Meta{
			Name: "delete_origin_rule", Title: "Delete an origin rule", Toolset: "origin",
			Description: "Delete an origin rule.",
			Calls:       []string{"ListSites", "DeleteOriginRule"},
			ReadOnly:    No, Destructive: Yes, Idempotent: Yes, OpenWorld: Yes,
		}, func(ctx context.Context, d *Deps, in DeleteRuleInput) (DeleteRuleOutput, error) {
			return originRules().delete(ctx, d, in)
		}),
		proxySubdomain(),
	}
}

func setOriginRule(ctx context.Context, d *Deps, in SetOriginRuleInput) (SetRuleOutput, error) {
	given := settings{}
	for name, value := range map[string]string{
		"OriginScheme": in.OriginScheme, "OriginHost": in.OriginHost, "OriginSni": in.OriginSNI, "DnsRecord": siteName(in.DNSRecord),
	} {
		if value != "" {
			given[name] = value
		}
	}
	// The API has no origin_port of its own: models that know another CDN put it
	// where they know it.
	if text, inSettings := in.Settings["origin_port"]; inSettings {
		return SetRuleOutput{}, Refuse("settings: origin_port is no setting (origin-port): give origin_port %s beside settings, "+
			"or origin_http_port and origin_https_port.", text)
	}
	if err := readSettings(originRules(), in.Settings, given); err != nil {
		return SetRuleOutput{}, err
	}
	if in.RuleID != "" && len(given) == 0 && in.OriginPort == 0 && in.changesNothing() {
		return SetRuleOutput{}, nothingToChange("settings")
	}
	site, err := in.resolve(ctx, d)
	if err != nil {
		return SetRuleOutput{}, err
	}
	in.SiteRef = SiteRef{SiteID: site}
	family := originRules()
	if in.OriginPort != 0 {
		family.check = func(given, all settings, notes *Noted) error {
			return checkOriginPort(in.OriginPort, given, all, notes)
		}
	}
	return family.set(ctx, d, in.RuleRef, given)
}

// checkOriginPort puts the port where the scheme has it.
func checkOriginPort(port int, given, all settings, notes *Noted) error {
	if port < 1 || port > 65535 {
		return Refuse("origin_port must be from 1 to 65535, not %d.", port)
	}
	if all["OriginScheme"] == "" {
		notes.Note(esa.Note{ID: "origin-scheme", Text: guard.OriginSchemeNote(port)})
		all["OriginScheme"] = "https"
	}
	name, ok := guard.OriginPortName(all["OriginScheme"])
	if !ok {
		return Refuse("origin_port needs origin_scheme http or https. With follow give origin_http_port and origin_https_port in settings (origin-port).")
	}
	all[name] = strconv.Itoa(port)
	return checkOriginRule(given, all, notes)
}

func checkOriginRule(_, all settings, notes *Noted) error {
	reaches := all["DnsRecord"] != "" || all["OriginHost"] != "" || all["OriginHttpPort"] != "" || all["OriginHttpsPort"] != ""
	if all["OriginScheme"] == "" && reaches {
		all["OriginScheme"] = "https"
		notes.Note(esa.Note{ID: "origin-scheme", Text: guard.OriginSchemeNote(portOf(all["OriginHttpPort"]))})
	}
	for _, name := range []string{"OriginHttpPort", "OriginHttpsPort"} {
		if text := all[name]; text != "" && (portOf(text) < 1 || portOf(text) > 65535) {
			return Refuse("%s must be a port from 1 to 65535, not %q.", snake(name), text)
		}
	}
	return nil
}

func portOf(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0
	}
	return n
}
