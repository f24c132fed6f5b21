package tools

import (
	"context"
	"fmt"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// DeleteSiteInput are the arguments of delete_site.
type DeleteSiteInput struct {
	SiteRef
}

// DeleteSiteOutput is the result of delete_site.
type DeleteSiteOutput struct {
	Noted
	SiteID  ID     `json:"site_id"`
	Name    string `json:"name"`
	Deleted bool   `json:"deleted"`
}

// lostWithSite are the operations that list what is deleted with a site, for the
// question whether to.
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
	if _, err := invoke[struct{}](ctx, d, &out.Noted, "DeleteSite", esa.Params{"SiteId": w.SiteID.number()}); err != nil {
		return out, fmt.Errorf("delete site %s: %w", w.SiteName, err)
	}
	out.Deleted = true
	return out, nil
}
