package plan

import (
	"context"
	"fmt"
)

// Site is a site as the edge works by it.
type Site struct {
	ID            int64
	Name          string
	Access        string // NS, CNAME
	Status        string // pending, active, offline ...
	OfflineReason string
	Paused        bool // it has DNS only
}

// loadSite reads and compiles a site.
func loadSite(ctx context.Context, q querier, id int64) (*Site, error) {
	t := &Site{ID: id}
	err := q.QueryRowContext(ctx, `SELECT s.name, s.access_type, s.status, s.offline_reason, coalesce(o.paused, 0)
		FROM sites s LEFT JOIN site_options o ON o.site_id = s.id WHERE s.id = ?`, id).
		Scan(&t.Name, &t.Access, &t.Status, &t.OfflineReason, &t.Paused)
	if err != nil {
		return nil, fmt.Errorf("read the site %d: %w", id, err)
	}
	return t, nil
}
