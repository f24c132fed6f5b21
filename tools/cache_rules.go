package tools

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// SetCacheRuleInput are the arguments of set_cache_rule.
type SetCacheRuleInput struct {
	RuleRef
	EdgeCacheMode   string                     `json:"edge_cache_mode,omitempty" jsonschema:"enum=follow_origin,enum=no_cache,enum=override_origin,enum=follow_origin_bypass,enum=follow_origin_override" jsonschema_description:"Caching at the edge"`
	EdgeCacheTTL    *int64                     `json:"edge_cache_ttl,omitempty" jsonschema:"minimum=0" jsonschema_description:"Seconds; implies override_origin"`
	BrowserCacheTTL *int64                     `json:"browser_cache_ttl,omitempty" jsonschema:"minimum=0" jsonschema_description:"Seconds; implies override_origin"`
	Settings        map[string]json.RawMessage `json:"settings,omitempty" jsonschema_description:"More: browser_cache_mode, bypass_cache (bypass_all), query_string_mode (ignore_all, include_query_string, exclude_query_string), query_string (names, blank-separated), edge_status_code_cache_ttl (5xx=0,404=10), serve_stale, include_cookie, user_device_type ..."`
}

func cacheRules() settingsFamily { return settingsFamily{noun: "CacheRule", check: checkCacheRule} }

func cacheTools() []Tool {
	return slices.Concat(cacheRuleTools(), purgeTools(), cacheTaskTools(), cacheSettingsTools())
}

func cacheRuleTools() []Tool {
	return []Tool{
		Define(Meta{
			Name: "set_cache_rule", Title: "Create or change a cache rule", Toolset: "cache",
			Description: "Create a cache rule, or change one (rule_id): what edge and browsers keep, how long, by which cache key. What is not given stays.",
			Calls:       []string{"ListSites", "ListCacheRules", "GetCacheRule", "CreateCacheRule", "UpdateCacheRule"},
			ReadOnly:    No, Destructive: Yes, Idempotent: No, OpenWorld: Yes, Versioned: true,
		}, setCacheRule),
		Define(Meta{
			Name: "list_cache_rules", Title: "List cache rules", Toolset: "cache",
			Description: "List a site's cache rules with their settings, or show one.",
			Calls:       []string{"ListSites", "ListCacheRules", "GetCacheRule"},
			ReadOnly:    Yes, Destructive: No, Idempotent: Yes, OpenWorld: Yes, Versioned: true,
		}, func(ctx context.Context, d *Deps, in ListSettingsInput) (ListSettingsOutput, error) {
			return cacheRules().list(ctx, d, in)
		}),
		Define(Meta{
			Name: "delete_cache_rule", Title: "Delete a cache rule", Toolset: "cache",
			Description: "Delete a cache rule.",
			Calls:       []string{"ListSites", "DeleteCacheRule"},
			ReadOnly:    No, Destructive: Yes, Idempotent: Yes, OpenWorld: Yes,
		}, func(ctx context.Context, d *Deps, in DeleteRuleInput) (DeleteRuleOutput, error) {
			return cacheRules().delete(ctx, d, in)
		}),
	}
}

func setCacheRule(ctx context.Context, d *Deps, in SetCacheRuleInput) (SetRuleOutput, error) {
	given := settings{}
	for name, value := range map[string]string{
		"EdgeCacheMode": in.EdgeCacheMode, "EdgeCacheTtl": numberText(in.EdgeCacheTTL), "BrowserCacheTtl": numberText(in.BrowserCacheTTL),
	} {
		if value != "" {
			given[name] = value
		}
	}
	if err := readSettings(cacheRules(), in.Settings, given); err != nil {
		return SetRuleOutput{}, err
	}
	if in.RuleID != "" && len(given) == 0 && in.changesNothing() {
		return SetRuleOutput{}, nothingToChange("settings")
	}
	return cacheRules().set(ctx, d, in.RuleRef, given)
}

// readSettings reads the settings of a call as texts, whatever they were said as.
func readSettings(f settingsFamily, values map[string]json.RawMessage, into settings) error {
	texts, err := settingTexts(values)
	if err != nil {
		return err
	}
	return f.read(texts, into)
}

func numberText(n *int64) string {
	if n == nil {
		return ""
	}
	return strconv.FormatInt(*n, 10)
}

// checkCacheRule keeps modes and what they need together: a TTL has an effect
// only where the origin is overridden, a list of parameters only where the mode
// has one.
func checkCacheRule(given, all settings, notes *Noted) error {
	for _, side := range []string{"Edge", "Browser"} {
		if err := checkTTL(side, given, all, notes); err != nil {
			return err
		}
	}
	mode := all["QueryStringMode"]
	takesList := mode == "include_query_string" || mode == "exclude_query_string"
	switch {
	case takesList && all["QueryString"] == "":
		return Refuse("query_string_mode %s needs query_string: the parameters, blank-separated.", mode)
	case !takesList && given["QueryString"] != "":
		return Refuse("query_string needs query_string_mode include_query_string or exclude_query_string.")
	case !takesList:
		delete(all, "QueryString")
	}
	return nil
}

func checkTTL(side string, given, all settings, notes *Noted) error {
	modeName, ttlName := side+"CacheMode", side+"CacheTtl"
	takesTTL := func(mode string) bool { return mode == "override_origin" || mode == "follow_origin_override" }
	if given[ttlName] != "" && given[modeName] == "" && !takesTTL(all[modeName]) {
		all[modeName] = "override_origin"
		notes.Note(esa.Note{ID: "cache-ttl", Text: "a TTL works with override_origin alone: set " + snake(modeName) + " to it"})
	}
	switch mode := all[modeName]; {
	case mode == "override_origin" && all[ttlName] == "":
		return Refuse("%s override_origin needs %s in seconds (cache-ttl).", snake(modeName), snake(ttlName))
	case !takesTTL(mode) && given[ttlName] != "":
		return Refuse("%s has no effect with %s %s: use override_origin, or leave it out (cache-ttl).", snake(ttlName), snake(modeName), mode)
	case !takesTTL(mode):
		delete(all, ttlName)
	}
	return nil
}
