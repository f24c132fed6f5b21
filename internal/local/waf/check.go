package waf

import (
	"context"
	"database/sql"
	"net/netip"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/expression"
	"github.com/esa-mcp/esa-mcp/internal/local/values"
)

// check refuses a configuration that the phase does not take, and fills in what
// has a default.
func check(ctx context.Context, tx *sql.Tx, set ruleset, c config) error {
	phase, shared := set.phase, set.shared
	if c["Status"] == nil {
		c["Status"] = "on"
	}
	if err := checkStatus(c.text("Status")); err != nil {
		return err
	}
	if n := utf8.RuneCountInString(c.text("Name")); n > 128 {
		return api.Errorf(400, "InvalidParameter.Name", "A rule's name has at most 128 characters.")
	}
	if needsName(phase) && c.text("Name") == "" {
		return api.Errorf(400, "InvalidParameter.Name", "A rule of %s needs a name.", phase)
	}
	if needsAction(phase) && !isWord(either(c, shared, "Action")) {
		return api.Errorf(400, "InvalidParameter.Action", "A rule of %s needs an action, such as deny or monitor.", phase)
	}
	if err := checkPhaseParts(phase, c); err != nil {
		return err
	}
	text := either(c, shared, "Expression")
	if text == "" && !needsExpression(phase) {
		return nil
	}
	_, err := expression.Compile(ctx, tx, set.place.site, phase, text)
	return err
}

// typed holds a configuration to its model in the catalogue: the edge, and the
// clients that are told the rule, read it as that.
func typed(model, name string, c config) (config, error) {
	fields, _ := catalog.Model(model)
	return values.Members(fields, name, c)
}

// isWord reports whether a text can be an action: the service's are not all
// known.
func isWord(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz_") == ""
}

func either(c, shared config, name string) string {
	if v := c.text(name); v != "" {
		return v
	}
	return shared.text(name)
}

func needsName(phase string) bool { return phase != phaseManaged && phase != phaseIPAccess }

func needsAction(phase string) bool {
	return slices.Contains([]string{phaseCustom, phaseRateLimit, phaseIPAccess, phaseAntiScan}, phase)
}

func needsExpression(phase string) bool {
	return slices.Contains([]string{phaseWhitelist, phaseCustom, phaseRateLimit, phaseLevel}, phase)
}

func checkStatus(status string) error {
	if status != "on" && status != "off" {
		return api.Errorf(400, "InvalidParameter.Status", "Status must be on or off.")
	}
	return nil
}

// checkPhaseParts checks what only one phase has.
func checkPhaseParts(phase string, c config) error {
	switch phase {
	case phaseRateLimit:
		return checkRateLimit(c.object("RateLimit"))
	case phaseIPAccess:
		return checkValue(c)
	case phaseLevel:
		level := c.object("SecurityLevel").text("Value")
		if !slices.Contains(values.SecurityLevels(), level) {
			return api.Errorf(400, "InvalidParameter.SecurityLevel", "SecurityLevel.Value must be off, essentially_off, low, medium, high or under_attack.")
		}
	case phaseManaged:
		for _, set := range members(c["ManagedRulesets"]) {
			if !set.positive("AttackType") {
				return api.Errorf(400, "InvalidParameter.ManagedRulesets", "A managed rule set needs its AttackType.")
			}
		}
	case phaseWhitelist:
		if skip := c.object("Actions").object("Bypass").text("Skip"); skip != "" && skip != "all" && skip != "part" {
			return api.Errorf(400, "InvalidParameter.Actions", "Actions.Bypass.Skip must be all or part.")
		}
	}
	return nil
}

func members(list any) []config {
	var out []config
	all, _ := list.([]any)
	for _, m := range all {
		object, _ := m.(map[string]any)
		out = append(out, object)
	}
	return out
}

// checkRateLimit wants what is counted, over what time, and for how long the
// action lasts.
func checkRateLimit(limit config) error {
	bad := func(what string) error {
		return api.Errorf(400, "InvalidParameter.RateLimit", "A rate limit needs %s.", what)
	}
	threshold := limit.object("Threshold")
	switch {
	case !limit.positive("Interval"):
		return bad("an Interval in seconds")
	case !limit.positive("TTL"):
		return bad("a TTL in seconds")
	case !threshold.positive("Request") && threshold.object("ResponseStatus") == nil && !threshold.positive("ManagedRulesBlocked") &&
		!threshold.positive("DistinctManagedRules"):
		return bad("a Threshold, such as Request")
	case len(members(limit.object("Characteristics")["Criteria"])) == 0 && limit.object("Characteristics").text("MatchType") == "":
		return bad("Characteristics: what requests are counted by, such as ip.src")
	}
	return nil
}

// checkValue wants the address, network, AS number or region of an IP access rule.
func checkValue(c config) error {
	value := c.text("Value")
	_, addrErr := netip.ParseAddr(value)
	_, prefixErr := netip.ParsePrefix(value)
	kind := c.text("Type")
	if value == "" || strings.ContainsAny(value, " ,") || (kind == "ip" || kind == "") && addrErr != nil && prefixErr != nil {
		return api.Errorf(400, "InvalidParameter.Value", "Value must be an IP address or a network, or with another Type what that takes.")
	}
	return nil
}
