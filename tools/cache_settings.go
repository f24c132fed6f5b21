package tools

import (
	"context"
	"fmt"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// GetCacheSettingsInput are the arguments of get_cache_settings.
type GetCacheSettingsInput struct{ SiteRef }

// GetCacheSettingsOutput is the result of get_cache_settings.
type GetCacheSettingsOutput struct {
	Noted
	SiteID ID `json:"site_id"`
	CacheSettings
	Quotas []PurgeQuota `json:"quotas" jsonschema_description:"Of purges, by type"`
}

// CacheSettings are what a site's cache is set to besides its rules.
type CacheSettings struct {
	TieredCache        string `json:"tiered_cache,omitempty"`
	TagName            string `json:"tag_name,omitempty" jsonschema_description:"Response header with cache tags"`
	TagCaseInsensitive *bool  `json:"tag_case_insensitive,omitempty"`
}

// SetCacheSettingsInput are the arguments of set_cache_settings.
type SetCacheSettingsInput struct {
	SiteRef
	TieredCache        string  `json:"tiered_cache,omitempty" jsonschema:"enum=edge,enum=edge_smart,enum=edge_regional,enum=edge_regional_smart" jsonschema_description:"Cache layers"`
	TagName            *string `json:"tag_name,omitempty" jsonschema_description:"Origin response header with cache tags"`
	TagCaseInsensitive *bool   `json:"tag_case_insensitive,omitempty" jsonschema_description:"Ignore case in tags"`
}

// SetCacheSettingsOutput is the result of set_cache_settings.
type SetCacheSettingsOutput struct {
	Noted
	SiteID ID `json:"site_id"`
	CacheSettings
}

func cacheSettingsTools() []Tool {
	return []Tool{
		Define(Meta{
			Name: "get_cache_settings", Title: "Show cache settings", Toolset: "cache",
			Description: "Show a site's tiered cache, cache tag header and purge quotas.",
			Calls:       []string{"ListSites", "GetTieredCache", "GetCacheTag", "GetPurgeQuota"},
			ReadOnly:    Yes, Destructive: No, Idempotent: Yes, OpenWorld: Yes, Versioned: true,
		}, getCacheSettings),
		Define(Meta{
			Name: "set_cache_settings", Title: "Change cache settings", Toolset: "cache",
			Description: "Set a site's tiered cache and cache tag header. What is not given stays.",
			Calls:       []string{"ListSites", "UpdateTieredCache", "GetCacheTag", "UpdateCacheTag"},
			ReadOnly:    No, Destructive: Yes, Idempotent: Yes, OpenWorld: Yes, Versioned: true,
		}, setCacheSettings),
	}
}

type cacheTagAnswer struct{ TagName, CaseInsensitive string }

func getCacheSettings(ctx context.Context, d *Deps, in GetCacheSettingsInput) (GetCacheSettingsOutput, error) {
	var out GetCacheSettingsOutput
	site, err := in.resolve(ctx, d)
	if err != nil {
		return out, err
	}
	out.SiteID = site
	ofSite := esa.Params{"SiteId": site.number()}
	tiered, err := invoke[struct{ CacheArchitectureMode string }](ctx, d, &out.Noted, "GetTieredCache", ofSite)
	if err != nil {
		return out, err
	}
	tag, err := invoke[cacheTagAnswer](ctx, d, &out.Noted, "GetCacheTag", ofSite)
	if err != nil {
		return out, err
	}
	out.TieredCache = tiered.CacheArchitectureMode
	out.tags(tag)
	for _, kind := range purgeTypes() {
		quota, err := purgeQuota(ctx, d, &out.Noted, site, kind)
		if err != nil {
			return out, err
		}
		out.Quotas = append(out.Quotas, quota)
	}
	return out, nil
}

func (s *CacheSettings) tags(tag cacheTagAnswer) {
	s.TagName = tag.TagName
	s.TagCaseInsensitive = isOn(tag.CaseInsensitive)
}

func setCacheSettings(ctx context.Context, d *Deps, in SetCacheSettingsInput) (SetCacheSettingsOutput, error) {
	var out SetCacheSettingsOutput
	if in.TieredCache == "" && in.TagName == nil && in.TagCaseInsensitive == nil {
		return out, Refuse("Nothing to set: give tiered_cache, tag_name or tag_case_insensitive.")
	}
	site, err := in.resolve(ctx, d)
	if err != nil {
		return out, err
	}
	out.SiteID = site
	if in.TieredCache != "" {
		_, err := invoke[struct{}](ctx, d, &out.Noted, "UpdateTieredCache", esa.Params{"SiteId": site.number(), "CacheArchitectureMode": in.TieredCache})
		if err != nil {
			return out, err
		}
		out.TieredCache = in.TieredCache
	}
	if in.TagName == nil && in.TagCaseInsensitive == nil {
		return out, nil
	}
	tag, err := invoke[cacheTagAnswer](ctx, d, &out.Noted, "GetCacheTag", esa.Params{"SiteId": site.number()})
	if err != nil {
		return out, in.halfDone(err)
	}
	if in.TagName != nil {
		tag.TagName = *in.TagName
	}
	if in.TagCaseInsensitive != nil {
		tag.CaseInsensitive = onOff(*in.TagCaseInsensitive)
	}
	params := esa.Params{"SiteId": site.number(), "TagName": tag.TagName}
	if tag.CaseInsensitive != "" {
		params["CaseInsensitive"] = tag.CaseInsensitive
	}
	_, err = invoke[struct{}](ctx, d, &out.Noted, "UpdateCacheTag", params)
	out.tags(tag)
	return out, in.halfDone(err)
}

// halfDone says of a failure after the first of the two settings that it was set.
func (in SetCacheSettingsInput) halfDone(err error) error {
	if err == nil || in.TieredCache == "" {
		return err
	}
	return fmt.Errorf("set the cache tag (tiered_cache was set): %w", err)
}
