package version

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
)

// Known tells whether a site has that version of its configuration, besides
// version 0.
type Known func(ctx context.Context, tx *sql.Tx, siteID, version int64) (bool, error)

// Asked reads SiteId and SiteVersion from a call, and refuses those that do not
// exist.
func Asked(ctx context.Context, tx *sql.Tx, p api.Params, known Known) (site, version int64, err error) {
	if site, err = p.Int("SiteId", 0); err != nil {
		return 0, 0, err
	}
	if version, err = p.Int("SiteVersion", 0); err != nil {
		return 0, 0, err
	}
	var exists bool
	if err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM sites WHERE id = ?)`, site).Scan(&exists); err != nil {
		return 0, 0, fmt.Errorf("look up the site: %w", err)
	}
	if !exists {
		return 0, 0, api.Errorf(404, "SiteNotFound", "The specified site %d does not exist.", site)
	}
	if version == 0 {
		return site, 0, nil
	}
	if exists, err = known(ctx, tx, site, version); err != nil {
		return 0, 0, fmt.Errorf("look up the site's version: %w", err)
	}
	if !exists {
		return 0, 0, api.Errorf(400, "InvalidSiteVersion",
			"The site has no version %d. Without version management it has version 0 alone.", version)
	}
	return site, version, nil
}
