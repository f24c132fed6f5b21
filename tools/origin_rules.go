package tools

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/esa"
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
			Calls:       []string{"ListSites", "ListOriginRules", "GetOriginRule", "ListRecords", "CreateOriginRule", "UpdateOriginRule"},
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
	var notes Noted
	site, err := in.resolve(ctx, d)
	if err != nil {
		return SetRuleOutput{}, err
	}
	in.SiteRef = SiteRef{SiteID: site}
	if err := checkDNSRecord(ctx, d, &notes, site, given["DnsRecord"]); err != nil {
		return SetRuleOutput{}, err
	}
	family := originRules()
	if in.OriginPort != 0 {
		family.check = func(given, all settings, notes *Noted) error {
			return checkOriginPort(in.OriginPort, given, all, notes)
		}
	}
	out, err := family.set(ctx, d, in.RuleRef, given)
	if err != nil {
		return out, err
	}
	out.Note(notes.Notes...)
	if host := ruleHost(out.Rule.Rule); host != "" {
		out.noteHost(ctx, d, host)
	}
	return out, nil
}

// checkOriginPort puts the port where the scheme has it.
func checkOriginPort(port int, given, all settings, notes *Noted) error {
	if port < 1 || port > 65535 {
		return Refuse("origin_port must be from 1 to 65535, not %d.", port)
	}
	if all["OriginScheme"] == "" {
		notes.Note(esa.Note{ID: "origin-scheme", Text: schemeNote(port)})
		all["OriginScheme"] = "https"
	}
	switch all["OriginScheme"] {
	case "http":
		all["OriginHttpPort"] = strconv.Itoa(port)
	case "https":
		all["OriginHttpsPort"] = strconv.Itoa(port)
	default:
		return Refuse("origin_port needs origin_scheme http or https. With follow give origin_http_port and origin_https_port in settings (origin-port).")
	}
	return checkOriginRule(given, all, notes)
}

func schemeNote(port int) string {
	text := "origin_scheme was left out: set to https, the service's default"
	if slices.Contains([]int{80, 3000, 5000, 8000, 8080, 8880, 8888}, port) {
		text += fmt.Sprintf(". Port %d usually speaks http: if the edge then answers 502, set origin_scheme to http", port)
	}
	return text
}

func checkOriginRule(_, all settings, notes *Noted) error {
	reaches := all["DnsRecord"] != "" || all["OriginHost"] != "" || all["OriginHttpPort"] != "" || all["OriginHttpsPort"] != ""
	if all["OriginScheme"] == "" && reaches {
		all["OriginScheme"] = "https"
		notes.Note(esa.Note{ID: "origin-scheme", Text: schemeNote(portOf(all["OriginHttpPort"]))})
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

// checkDNSRecord refuses an origin that the edge would not find: it answers 502
// then, with destination_not_found.
func checkDNSRecord(ctx context.Context, d *Deps, notes *Noted, site ID, name string) error {
	switch {
	case name == "":
		return nil
	case isIP(name):
		return ipAsRecord(ctx, d, notes, site, name)
	}
	found, err := recordsNamed(ctx, d, notes, site, name)
	if err != nil {
		return fmt.Errorf("look up the record %s: %w", name, err)
	}
	if len(found) > 0 {
		return nil
	}
	all, err := searchRecords(ctx, d, notes, esa.Params{"SiteId": site.number(), "PageNumber": 1, "PageSize": 500})
	if err != nil {
		return fmt.Errorf("list the records: %w", err)
	}
	if len(all) == 0 {
		return Refuse("dns_record %s is no record of the site, which has none (origin-record-missing): create it first.", name)
	}
	names := make([]string, len(all))
	for i, r := range all {
		names[i] = r.Name
	}
	return Refuse("dns_record %s is no record of the site (origin-record-missing): did you mean %s? Otherwise create it first.", name, Nearest(name, names))
}

// ipAsRecord names the record that has the address.
func ipAsRecord(ctx context.Context, d *Deps, notes *Noted, site ID, ip string) error {
	ip = strings.Trim(ip, "[]")
	records, err := searchRecords(ctx, d, notes, esa.Params{"SiteId": site.number(), "Type": "A/AAAA", "PageNumber": 1, "PageSize": 500})
	if err != nil {
		return fmt.Errorf("list the address records: %w", err)
	}
	for _, r := range records {
		for value := range strings.SplitSeq(r.Data.Value, ",") {
			if strings.TrimSpace(value) == ip {
				return Refuse("dns_record cannot be an IP address: the edge would answer 502 (origin-ip). Use the record that has it, %s.", r.Name)
			}
		}
	}
	return Refuse("dns_record cannot be an IP address: the edge would answer 502 (origin-ip). "+
		"Create an A/AAAA record with %s on the site and give its name.", ip)
}

// noteHost adds what to know of the host that the rule is about.
func (out *SetRuleOutput) noteHost(ctx context.Context, d *Deps, host string) {
	records, err := recordsNamed(ctx, d, &out.Noted, out.SiteID, host)
	proxied := slices.ContainsFunc(records, func(r Record) bool { return r.Proxied })
	switch {
	case err != nil: // the rule stands; this is a courtesy
	case len(records) == 0:
		out.Note(esa.Note{ID: "origin-not-proxied", Text: host + " has no record on the site (a wildcard may cover it): without a proxied one the rule never runs"})
	case !proxied:
		out.Note(esa.Note{ID: "origin-not-proxied", Text: fmt.Sprintf("record %s of %s is not proxied, so the rule never runs: update it", records[0].ID, host)})
	case !out.Created:
		out.Note(esa.Note{ID: "origin-stale", Text: "content from before may still be cached: purge_cache with type hostname and " + host})
	}
}
