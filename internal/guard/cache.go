package guard

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

func cacheRows() []Row {
	writes := []string{"CreateCacheRule", "UpdateCacheRule"}
	return area("Cache",
		Row{ID: "cache-flat", Do: []Severity{Fix}, Source: fromGuide,
			Text:    "A cache rule's settings are parameters side by side: those of a nested object are taken out of it.",
			Actions: writes, Check: flattenCacheRule},
		Row{ID: "cache-ttl", Do: []Severity{Block, Warn}, Source: fromGuide,
			Text:    "override_origin needs a TTL, and a TTL has an effect with it alone.",
			Actions: writes, Check: checkCacheTTL},
		Row{ID: "cache-purge-wide", Do: []Severity{Ask, Warn}, Source: fromAPI,
			Text:    "Purging everything, a host name or a directory sends its traffic to the origin: asked for everything, a warning otherwise.",
			Actions: []string{"PurgeCaches"}, Check: checkPurgeWidth,
			Reads: reads("GetSite")},
		Row{ID: "cache-purge-quota", Do: []Severity{Warn}, Source: fromAPI,
			Text:    "Not enough purges are left today.",
			Actions: []string{"PurgeCaches"}, Check: checkPurgeQuota,
			Reads: reads("GetPurgeQuota")},
	)
}

// flattenCacheRule takes settings out of objects: no parameter of a cache rule
// is one.
func flattenCacheRule(_ context.Context, c *Call) error {
	for _, name := range c.Names() {
		nested := c.Object(name)
		if nested == nil {
			continue
		}
		c.Drop(name)
		for inner, value := range nested {
			if p, err := c.Op.FindParam(inner); err == nil {
				inner = p.Name
			}
			if !c.Has(inner) {
				c.Set(inner, value)
			}
		}
		c.Fixed("Parameters of a cache rule stand side by side: took those of %s out of it.", name)
	}
	return nil
}

func checkCacheTTL(ctx context.Context, c *Call) error {
	for _, side := range []string{"Edge", "Browser"} {
		modeName, ttlName := side+"CacheMode", side+"CacheTtl"
		mode, ttl := c.Text(modeName), c.Text(ttlName)
		if mode == "" && ttl == "" {
			continue
		}
		if id := c.Text("ConfigId"); id != "" && (mode == "" || ttl == "") {
			stored, err := Read[map[string]any](ctx, c.State, "GetCacheRule", esa.Params{"SiteId": json.Number(c.Site()), "ConfigId": json.Number(id)})
			if err != nil {
				return err
			}
			if mode == "" {
				mode = scalar(stored[modeName])
			}
			if ttl == "" && !c.Has(ttlName) {
				ttl = scalar(stored[ttlName])
			}
		}
		takesTTL := mode == "override_origin" || mode == "follow_origin_override"
		switch {
		case mode == "override_origin" && ttl == "":
			return c.Block("%s override_origin needs %s, in seconds.", modeName, ttlName).With(c, esa.Params{ttlName: "3600"})
		case !takesTTL && c.Text(ttlName) != "":
			c.Warn("%s has no effect with %s %s: it works with override_origin.", ttlName, modeName, orNone(mode))
		}
	}
	return nil
}

func orNone(text string) string {
	if text == "" {
		return "left out"
	}
	return text
}

func checkPurgeWidth(ctx context.Context, c *Call) error {
	switch c.Text("Type") {
	case "purgeall":
		name := "site " + c.Site()
		site, err := c.State.Site(ctx, c.Site())
		if err == nil {
			name = site.Name
		}
		c.Ask("everything cached of %s: all of its traffic goes to the origin until the cache is filled again", name)
		return err
	case "hostname", "directory":
		c.Warn("All that is below is fetched from the origin again.")
	}
	return nil
}

// purgeTargets counts what a purge is to drop.
func purgeTargets(c *Call) int64 {
	var n int64
	for _, list := range c.Object("Content") {
		if list, ok := list.([]any); ok {
			n += int64(len(list))
		}
	}
	return max(n, 1)
}

func checkPurgeQuota(ctx context.Context, c *Call) error {
	kind := c.Text("Type")
	if kind == "cachekey" { // counted as files
		kind = "file"
	}
	if kind == "" || c.Site() == "" {
		return nil
	}
	answer, err := Read[struct{ Quota, Usage json.Number }](ctx, c.State, "GetPurgeQuota", esa.Params{"SiteId": json.Number(c.Site()), "Type": kind})
	if err != nil {
		return err
	}
	limit, known := number(answer.Quota)
	used, _ := number(answer.Usage)
	if want, left := purgeTargets(c), max(limit-used, 0); known && limit > 0 && want > left {
		c.Warn("%s", strings.TrimSpace(fmt.Sprintf("%d asked for, %d of %d purges of type %s are left today.", want, left, limit, kind)))
	}
	return nil
}
