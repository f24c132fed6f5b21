package tools

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// DeleteSiteInput are the arguments of delete_site.
type DeleteSiteInput struct {
	SiteRef
	Confirm string `json:"confirm,omitempty" jsonschema_description:"The site's name"`
}

// DeleteSiteOutput is the result of delete_site.
type DeleteSiteOutput struct {
	Noted
	SiteID  ID     `json:"site_id"`
	Name    string `json:"name"`
	Deleted bool   `json:"deleted" jsonschema_description:"false: a preview"`
	Lost    string `json:"lost" jsonschema_description:"What goes with the site"`
	Next    string `json:"next,omitempty" jsonschema_description:"The call that deletes"`
}

// lostWithSite are the operations that list what is deleted with a site.
func lostWithSite() []string {
	return []string{"ListCacheRules", "ListCertificates", "ListCompressionRules", "ListHttpRequestHeaderModificationRules",
		"ListHttpResponseHeaderModificationRules", "ListHttpsApplicationConfigurations", "ListOriginRules", "ListRecords",
		"ListRedirectRules", "ListRewriteUrlRules", "ListSiteRoutes"}
}

func deleteSite(ctx context.Context, d *Deps, in DeleteSiteInput) (DeleteSiteOutput, error) {
	var out DeleteSiteOutput
	w, err := in.load(ctx, d, &out.Noted)
	if err != nil {
		return out, err
	}
	out.SiteID, out.Name = w.SiteID, w.SiteName
	if in.Confirm != "" && siteName(in.Confirm) != siteName(w.SiteName) {
		return out, Refuse("confirm is %q and the site is %s: confirm must repeat the site's name.", in.Confirm, w.SiteName)
	}
	if out.Lost, err = lost(ctx, d, w.SiteID); err != nil {
		return out, err
	}
	if in.Confirm == "" && !d.Confirmed {
		out.Next = fmt.Sprintf("delete_site with site_id %q and confirm %q", w.SiteID, w.SiteName)
		return out, nil
	}
	if _, err := invoke[struct{}](ctx, d, &out.Noted, "DeleteSite", esa.Params{"SiteId": w.SiteID.number()}); err != nil {
		return out, fmt.Errorf("delete site %s: %w", w.SiteName, err)
	}
	out.Deleted = true
	return out, nil
}

// lost counts what is deleted with a site. What cannot be counted is said to be
// unknown: the plan may not have it.
func lost(ctx context.Context, d *Deps, id ID) (string, error) {
	counts := map[string]int64{}
	unknown := map[string]bool{}
	for _, action := range lostWithSite() {
		kind := "rules"
		switch action {
		case "ListRecords":
			kind = "DNS records"
		case "ListCertificates":
			kind = "certificates"
		case "ListSiteRoutes":
			kind = "routes"
		}
		answer, err := esa.Call[struct{ TotalCount json.Number }](ctx, d.ESA, action, esa.Params{"SiteId": id.number(), "PageNumber": 1, "PageSize": 1})
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		n, countErr := answer.TotalCount.Int64()
		if err != nil || countErr != nil {
			unknown[kind] = true
			continue
		}
		counts[kind] += n
	}
	var parts []string
	for _, kind := range []string{"DNS records", "rules", "certificates", "routes"} {
		text := fmt.Sprintf("%s: %d", kind, counts[kind])
		if unknown[kind] {
			text += " or more (not all could be counted)"
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, ", ") + ", and every other setting of the site", nil
}
