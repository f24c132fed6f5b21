package guard_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/esa"
	"github.com/esa-mcp/esa-mcp/internal/local"
	"github.com/esa-mcp/esa-mcp/internal/local/quota"
)

func TestGuardrail_cache_flat(t *testing.T) {
	nested := func(w *world) params {
		return w.on(params{"RuleName": "img", "Rule": map[string]any{"rule": `(http.host eq "a.shop.example")`, "RuleEnable": "on", "edge_cache_mode": "no_cache"}})
	}
	prove(t, "cache-flat", proof{
		setup: func(w *world) { w.active("shop.example", "NS") },
		with: func(w *world) {
			id := w.fixed("took those of Rule out of it", "CreateCacheRule", nested(w))["ConfigId"]
			made := w.do("GetCacheRule", w.on(params{"ConfigId": id}))
			require.Equal(w, "no_cache", made["EdgeCacheMode"])
			require.Equal(w, `(http.host eq "a.shop.example")`, made["Rule"])
			w.goesThrough("UpdateCacheRule", w.on(params{"ConfigId": id, "EdgeCacheMode": "follow_origin"}))
			w.fixed("took those of Settings out of it", "UpdateCacheRule", w.on(params{"ConfigId": id, "Settings": `{"ServeStale":"on"}`}))
		},
		without: func(w *world) { w.fails(esa.CodeInvalidArgument, "CreateCacheRule", nested(w)) },
	})
}

func TestGuardrail_cache_ttl(t *testing.T) {
	rule := func(w *world, p params) params {
		p["RuleName"], p["RuleEnable"], p["Rule"] = "a", "on", `(http.host eq "a.shop.example")`
		return w.on(p)
	}
	prove(t, "cache-ttl", proof{
		setup: func(w *world) { w.active("shop.example", "NS") },
		with: func(w *world) {
			made := w.sends(w.refused("EdgeCacheMode override_origin needs EdgeCacheTtl", "CreateCacheRule", rule(w, params{"EdgeCacheMode": "override_origin"})))
			w.warned("BrowserCacheTtl has no effect with BrowserCacheMode left out", "CreateCacheRule", rule(w, params{"BrowserCacheTtl": "60"}))
			at := func(p params) params { p["ConfigId"] = made["ConfigId"]; return w.on(p) }
			w.goesThrough("UpdateCacheRule", at(params{"EdgeCacheTtl": "60"}))
			w.warned("no effect with EdgeCacheMode no_cache", "UpdateCacheRule", at(params{"EdgeCacheMode": "no_cache", "EdgeCacheTtl": "60"}))
			w.refused("override_origin needs", "UpdateCacheRule", at(params{"EdgeCacheMode": "override_origin", "EdgeCacheTtl": ""}))
		},
		without: func(w *world) {
			w.fails("MissingEdgeCacheTtl", "CreateCacheRule", rule(w, params{"EdgeCacheMode": "override_origin"}))
			w.goesThrough("CreateCacheRule", rule(w, params{"BrowserCacheTtl": "60"}))
		},
	})
}

func TestGuardrail_cache_purge_wide(t *testing.T) {
	all := params{"Type": "purgeall", "Content": map[string]any{"PurgeAll": true}}
	host := params{"Type": "hostname", "Content": map[string]any{"Hostnames": []string{"www.shop.example"}}}
	prove(t, "cache-purge-wide", proof{
		setup: func(w *world) { w.active("shop.example", "NS") },
		with: func(w *world) {
			w.asks("everything cached of shop.example", "PurgeCaches", w.on(all))
			w.warned("fetched from the origin again", "PurgeCaches", w.on(host))
			w.goesThrough("PurgeCaches", w.on(params{"Type": "file", "Content": `{"Files":["https://www.shop.example/a.js"]}`}))
		},
		without: func(w *world) {
			w.asks("everything cached of shop.example", "PurgeCaches", w.on(all))
			w.goesThrough("PurgeCaches", w.on(host))
		},
	})
}

func TestGuardrail_cache_purge_quota(t *testing.T) {
	files := func(w *world, names ...string) params {
		for i, name := range names {
			names[i] = "https://www.shop.example/" + name
		}
		return w.on(params{"Type": "file", "Content": map[string]any{"Files": names}})
	}
	prove(t, "cache-purge-quota", proof{
		options: local.Options{Quotas: quota.Set{}.With(quota.PurgeFiles, 3)},
		setup:   func(w *world) { w.active("shop.example", "NS") },
		with: func(w *world) {
			w.goesThrough("PurgeCaches", files(w, "a", "b"))
			_, err := w.try("PurgeCaches", files(w, "c", "d"))
			require.Equal(w, "QuotaExceeded.Refresh", esa.CodeOf(err))
			require.Contains(w, string(mustJSON(w, notesOf(err))), "2 asked for, 1 of 3 purges of type file are left today")
		},
		without: func(w *world) {
			w.goesThrough("PurgeCaches", files(w, "a", "b"))
			w.fails("QuotaExceeded.Refresh", "PurgeCaches", files(w, "c", "d"))
		},
	})
}

func mustJSON(w *world, v any) []byte {
	raw, err := json.Marshal(v)
	require.NoError(w, err)
	return raw
}
