package guard_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local"
	"github.com/esa-mcp/esa-mcp/internal/local/quota"
)

func TestGuardrail_site_pending(t *testing.T) {
	create := func(w *world, access string) params {
		return params{"SiteName": access + ".really-mine.com", "AccessType": access, "Coverage": "overseas", "InstanceId": w.plan()}
	}
	prove(t, "site-pending", proof{
		with: func(w *world) {
			w.warned("TXT record _esaauth.cname.really-mine.com with the value verify_", "CreateSite", create(w, "CNAME"))
			w.warned("name servers of ns.really-mine.com at its registrar", "CreateSite", create(w, "NS"))
		},
		without: func(w *world) {
			a := w.goesThrough("CreateSite", create(w, "CNAME"))
			a = w.do("GetSite", params{"SiteId": a["SiteId"]})
			require.Equal(w, "pending", a["SiteModel"].(map[string]any)["Status"], "and nobody said so")
		},
	})
}

func TestGuardrail_site_delete(t *testing.T) {
	prove(t, "site-delete", proof{
		setup: func(w *world) {
			w.active("shop.example", "NS")
			w.record("www.shop.example", "TXT", "x", false)
		},
		with:    func(w *world) { w.asks("site shop.example", "DeleteSite", w.on(params{})) },
		without: func(w *world) { w.asks("DNS records: 1, rules: 0", "DeleteSite", w.on(params{})) },
	})
}

func TestGuardrail_site_access_switch(t *testing.T) {
	prove(t, "site-access-switch", proof{
		setup: func(w *world) {
			w.active("shop.example", "NS")
			w.record("shop.example", "TXT", "x", false)
			w.record("www.shop.example", "A/AAAA", "203.0.113.1", false)
			w.record("cdn.shop.example", "A/AAAA", "203.0.113.1", true)
		},
		with: func(w *world) {
			to := func() params { return w.on(params{"AccessType": "CNAME"}) }
			w.refused("TXT shop.example (record_id ", "UpdateSiteAccessType", to())
			w.refused("A/AAAA www.shop.example (record_id ", "UpdateSiteAccessType", to())
			w.do("UpdateSiteVanityNS", w.on(params{"VanityNSList": "ns1.shop.example,ns2.shop.example"}))
			w.caller.Forget()
			w.refused("custom name servers", "UpdateSiteAccessType", to())
		},
		without: func(w *world) {
			w.fails("InvalidParameter.CnameSiteRecordUnsupport", "UpdateSiteAccessType", w.on(params{"AccessType": "CNAME"}))
		},
	})
}

func TestGuardrail_site_plan(t *testing.T) {
	site := params{"SiteName": "shop.example", "AccessType": "NS", "Coverage": "overseas", "InstanceId": "sp-none"}
	prove(t, "site-plan", proof{
		with:    func(w *world) { w.sends(w.refused("These have room: "+w.plan(), "CreateSite", site)) },
		without: func(w *world) { w.fails("InvalidInstanceId.NotFound", "CreateSite", site) },
	})
	full := local.Options{Quotas: quota.Set{}.With(quota.Sites, 1)}
	prove(t, "site-plan", proof{
		options: full,
		setup:   func(w *world) { w.active("first.example", "NS") },
		with: func(w *world) {
			require.Nil(w, w.refused("no other has room", "CreateSite", site))
		},
		without: func(w *world) {
			site := params{"SiteName": "shop.example", "AccessType": "NS", "Coverage": "overseas", "InstanceId": w.plan()}
			w.fails("QuotaExceed.SiteCount", "CreateSite", site)
		},
	})
}

func TestGuardrail_site_icp(t *testing.T) {
	prove(t, "site-icp", proof{
		setup: func(w *world) { w.active("shop.example", "NS") },
		with: func(w *world) {
			w.warned("missing_icp", "UpdateSiteCoverage", w.on(params{"coverage": "domestic"}))
			w.goesThrough("UpdateSiteCoverage", w.on(params{"Coverage": "overseas"}))
		},
		without: func(w *world) { w.goesThrough("UpdateSiteCoverage", w.on(params{"Coverage": "global"})) },
	})
}

func TestGuardrail_site_pause(t *testing.T) {
	prove(t, "site-pause", proof{
		setup: func(w *world) { w.active("shop.example", "CNAME") },
		with: func(w *world) {
			w.refused("shop.example is active with CNAME access", "UpdateSitePause", w.on(params{"paused": true}))
			w.pending("new.really-mine.com", "NS")
			w.refused("new.really-mine.com is pending", "UpdateSitePause", w.on(params{"Paused": "true"}))
			w.active("ns.example", "NS")
			w.goesThrough("UpdateSitePause", w.on(params{"Paused": true}))
		},
		without: func(w *world) { w.fails("Site.PauseNotSupported", "UpdateSitePause", w.on(params{"Paused": true})) },
	})
}

func TestGuardrail_site_version(t *testing.T) {
	rule := params{"EdgeCacheMode": "no_cache", "Rule": `(http.host eq "a.shop.example")`, "RuleName": "a", "RuleEnable": "on"}
	prove(t, "site-version", proof{
		setup: func(w *world) {
			w.active("shop.example", "NS")
			w.do("ActivateVersionManagement", w.on(params{}))
		},
		with: func(w *world) {
			w.sends(w.refused("keeps its configuration in versions", "CreateCacheRule", w.on(rule)))
			w.active("plain.example", "NS")
			w.goesThrough("CreateCacheRule", w.on(rule))
		},
		without: func(w *world) {
			id := w.goesThrough("CreateCacheRule", w.on(rule))["ConfigId"]
			made := w.do("GetCacheRule", w.on(params{"ConfigId": id}))
			require.Equal(w, json.Number("0"), made["SiteVersion"], "version 0 was changed, whatever was meant")
		},
	})
}

func TestGuardrail_site_search(t *testing.T) {
	prove(t, "site-search", proof{
		setup: func(w *world) { w.active("shop.example", "NS") },
		with: func(w *world) {
			require.Len(w, w.fixed("searched for shop.example", "ListSites", params{"site_name": "Shop.example."})["Sites"], 1)
			require.Len(w, w.fixed("searched fuzzy", "ListSites", params{"SiteName": "shop"})["Sites"], 1)
			w.goesThrough("ListSites", params{"SiteName": "shop.example", "SiteSearchType": "exact"})
			w.goesThrough("ListSites", params{})
		},
		without: func(w *world) {
			require.Empty(w, w.goesThrough("ListSites", params{"SiteName": "shop.example."})["Sites"])
			require.Empty(w, w.goesThrough("ListSites", params{"SiteName": "shop"})["Sites"])
		},
	})
}

func TestGuardrail_site_money(t *testing.T) {
	buy := params{"PlanName": "basic", "Amount": 1, "Period": 1, "Type": "NS", "SiteName": "shop.example", "Coverage": "overseas", "ChargeType": "PREPAY"}
	prove(t, "site-money", proof{
		with:    func(w *world) { w.asks("PurchaseRatePlan costs money", "PurchaseRatePlan", buy) },
		without: func(w *world) { w.asks("PlanName basic", "PurchaseRatePlan", buy) },
	})
}
