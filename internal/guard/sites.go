package guard

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
	"github.com/esa-mcp/esa-mcp/internal/esa"
)

func siteRows() []Row {
	return area("Sites",
		Row{ID: "site-pending", Do: []Severity{Warn}, Source: fromGuide,
			Text:    "A new site is pending until its owner is verified: the TXT record or name servers that do it are named, and verify_site.",
			Actions: []string{"CreateSite"}, After: saySitePending},
		Row{ID: "site-delete", Do: []Severity{Ask}, Source: fromGuide,
			Text:    "Deleting a site deletes its records, rules, certificates, routes and settings.",
			Actions: []string{"DeleteSite"}, Check: askSiteDelete,
			Reads: reads(listsOfSite()...)},
		Row{ID: "site-access-switch", Do: []Severity{Block}, Source: fromGuide,
			Text:    "From NS to CNAME access only proxied A/AAAA and CNAME records may be left, and no custom name servers: what is in the way is listed.",
			Actions: []string{"UpdateSiteAccessType"}, Check: checkAccessSwitch,
			Reads: reads("GetSite", "ListRecords")},
		Row{ID: "site-plan", Do: []Severity{Block}, Source: fromAPI,
			Text:    "A site goes on a plan instance with room: those that have some are listed; none is ever bought.",
			Actions: []string{"CreateSite"}, Check: checkPlan,
			Reads: reads("ListUserRatePlanInstances")},
		Row{ID: "site-icp", Do: []Severity{Warn}, Source: fromAPI,
			Text:    "Coverage of mainland China needs an ICP filing of the domain; without it ESA takes the site offline.",
			Actions: []string{"CreateSite", "UpdateSiteCoverage"}, Check: warnICP},
		Row{ID: "site-pause", Do: []Severity{Block}, Source: fromAPI,
			Text:    "Only an active site with NS access can be paused.",
			Actions: []string{"UpdateSitePause"}, Check: checkPause,
			Reads: reads("GetSite")},
		Row{ID: "site-version", Do: []Severity{Block}, Source: fromAPI,
			Text:   "A site with version management needs SiteVersion on writes: without it they go to version 0.",
			Covers: takesSiteVersion, Check: checkSiteVersion,
			Reads: reads("GetSite")},
		Row{ID: "site-search", Do: []Severity{Fix}, Source: fromAPI,
			Text:    "A search for a site's name is exact unless told, and a trailing dot finds nothing: it is made fuzzy, without the dot.",
			Actions: []string{"ListSites"}, Check: fuzzySearch("Site", "SiteName", "SiteSearchType")},
		Row{ID: "site-money", Do: []Severity{Ask}, Source: fromReports,
			Text:   "What costs money, or ends something paid for.",
			Covers: spends, Check: askMoney},
	)
}

func saySitePending(_ context.Context, c *Call) error {
	a := c.Answer()
	id, name := scalar(a["SiteId"]), hostName(c.Text("SiteName"))
	switch ns, code := scalar(a["NameServerList"]), scalar(a["VerifyCode"]); {
	case code != "":
		c.Warn("The site is pending: create the TXT record _esaauth.%s with the value %s at the domain's DNS provider, then verify_site with site_id %s.", name, code, id)
	case ns != "":
		c.Warn("The site is pending: set the name servers of %s at its registrar to %s, then verify_site with site_id %s.",
			name, strings.Join(strings.Split(ns, ","), " and "), id)
	}
	return nil
}

func askSiteDelete(ctx context.Context, c *Call) error {
	site, err := c.State.Site(ctx, c.Site())
	if esa.IsNotFound(err) {
		return nil
	}
	if err != nil {
		c.Ask("site %s with all its records, rules, certificates, routes and settings", c.Site())
		return err
	}
	c.Ask("site %s (%s): %s", site.Name, c.Site(), goesWithSite(ctx, c.State, c.Site()))
	return nil
}

// listsOfSite are the operations that list what is deleted with a site.
func listsOfSite() []string {
	return []string{"ListRecords", "ListCertificates", "ListSiteRoutes", "ListCacheRules", "ListCompressionRules",
		"ListHttpRequestHeaderModificationRules", "ListHttpResponseHeaderModificationRules", "ListHttpsApplicationConfigurations",
		"ListOriginRules", "ListRedirectRules", "ListRewriteUrlRules"}
}

// goesWithSite counts what is deleted with a site. What cannot be counted is
// said to be unknown: the plan may not have it.
func goesWithSite(ctx context.Context, s *State, site string) string {
	kinds := []string{"DNS records", "rules", "certificates", "routes"}
	counts, unknown := map[string]int64{}, map[string]bool{}
	for _, action := range listsOfSite() {
		kind := "rules"
		switch action {
		case "ListRecords":
			kind = "DNS records"
		case "ListCertificates":
			kind = "certificates"
		case "ListSiteRoutes":
			kind = "routes"
		}
		answer, err := Read[struct{ TotalCount json.Number }](ctx, s, action, esa.Params{"SiteId": json.Number(site), "PageNumber": 1, "PageSize": 1})
		n, ok := number(answer.TotalCount)
		if err != nil || !ok {
			unknown[kind] = true
			continue
		}
		counts[kind] += n
	}
	parts := make([]string, len(kinds))
	for i, kind := range kinds {
		parts[i] = fmt.Sprintf("%s: %d", kind, counts[kind])
		if unknown[kind] {
			parts[i] += " or more (not all could be counted)"
		}
	}
	return strings.Join(parts, ", ") + ", and every other setting of the site"
}

func checkAccessSwitch(ctx context.Context, c *Call) error {
	if c.Text("AccessType") != accessCNAME {
		return nil
	}
	site, err := c.State.Site(ctx, c.Site())
	if err != nil || site.AccessType != accessNS {
		return err
	}
	if len(site.VanityNSList) > 0 {
		return c.Block("%s has custom name servers, which CNAME access excludes: remove them first (UpdateSiteVanityNS with an empty VanityNSList, or vanity_ns [] of update_site).", site.Name)
	}
	records, err := c.State.AllRecords(ctx, c.Site())
	if err != nil {
		return err
	}
	var misfits []string
	for _, r := range records {
		switch {
		case !r.Web():
			misfits = append(misfits, fmt.Sprintf("%s %s (record_id %s, type)", r.Type, r.Name, r.ID))
		case !r.Proxied:
			misfits = append(misfits, fmt.Sprintf("%s %s (record_id %s, not proxied)", r.Type, r.Name, r.ID))
		}
	}
	if len(misfits) > 0 {
		return c.Block("CNAME access takes only proxied A/AAAA and CNAME records. In the way: %s. Export them, then delete them or set proxied with update_record.", listed(misfits))
	}
	return nil
}

func checkPlan(ctx context.Context, c *Call) error {
	plans, err := c.State.Plans(ctx, true)
	if err != nil {
		return err
	}
	instance := c.Text("InstanceId")
	room := make([]string, 0, len(plans))
	for _, p := range plans {
		if p.InstanceID == instance {
			return nil
		}
		room = append(room, fmt.Sprintf("%s (%s)", p.InstanceID, p.PlanName))
	}
	what := "InstanceId is missing"
	if instance != "" {
		what = "plan instance " + instance + " does not exist, or has no room for another site"
	}
	if len(room) == 0 {
		return c.Block("%s, and no other has room: delete a site, or buy a plan in the ESA console. Nothing is bought from here.", what)
	}
	refusal := c.Block("%s. These have room: %s.", what, listed(room))
	return refusal.With(c, esa.Params{"InstanceId": plans[0].InstanceID})
}

func warnICP(_ context.Context, c *Call) error {
	if coverage := c.Text("Coverage"); coverage == "domestic" || coverage == "global" {
		c.Warn("Coverage of mainland China needs an ICP filing of the domain: without it ESA takes the site offline (missing_icp).")
	}
	return nil
}

func checkPause(ctx context.Context, c *Call) error {
	if pause, ok := c.Bool("Paused"); !ok || !pause {
		return nil
	}
	site, err := c.State.Site(ctx, c.Site())
	if err != nil || site.AccessType == accessNS && site.Status == "active" {
		return err
	}
	return c.Block("Only an active site with NS access can be paused; %s is %s with %s access. To stop the edge for one name, set proxied to false with update_record.",
		site.Name, site.Status, site.AccessType)
}

// takesSiteVersion reports whether a write has a SiteVersion.
func takesSiteVersion(op *catalog.Operation) bool {
	_, ok := op.Param("SiteVersion")
	return ok && op.Effect != catalog.Read
}

func spends(op *catalog.Operation) bool { return op.Spend }

func checkSiteVersion(ctx context.Context, c *Call) error {
	if c.Has("SiteVersion") || c.Site() == "" {
		return nil
	}
	site, err := c.State.Site(ctx, c.Site())
	if err != nil || !site.VersionManagement {
		return err
	}
	refusal := c.Block("%s keeps its configuration in versions, so SiteVersion has to say which one is meant; without it the change goes to version 0.", site.Name)
	return refusal.With(c, esa.Params{"SiteVersion": 0})
}

// fuzzySearch makes the check of a search for names, which is exact unless the
// parameter match says otherwise, and finds none with a trailing dot.
func fuzzySearch(what, name, match string) func(context.Context, *Call) error {
	return func(_ context.Context, c *Call) error {
		given := c.Text(name)
		if given == "" {
			return nil
		}
		if host := hostName(given); host != given {
			c.Set(name, host)
			c.Fixed("%s names are lower case without a trailing dot: searched for %s.", what, host)
		}
		if !c.Has(match) {
			c.Set(match, "fuzzy")
			c.Fixed("The search is exact unless %s says otherwise: searched fuzzy, for names that contain it.", match)
		}
		return nil
	}
}

func askMoney(_ context.Context, c *Call) error {
	var details []string
	for _, name := range c.Names() {
		if p, ok := c.Op.Param(name); ok && p.Secret || slices.Contains([]string{"SiteId"}, name) {
			continue
		}
		if text := c.Text(name); text != "" {
			details = append(details, name+" "+text)
		}
	}
	what := "costs money, or ends something that was paid for"
	if len(details) > 0 {
		what += " (" + strings.Join(details, ", ") + ")"
	}
	c.Ask("%s %s", c.Op.Action, what)
	return nil
}
