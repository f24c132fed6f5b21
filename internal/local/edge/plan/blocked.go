package plan

import (
	"context"
	"fmt"
	"time"
)

// Blocked tells until when an address of the site is not to be served; false if
// nothing blocks it. The path is as it is escaped.
func (t *Site) Blocked(host, path, query string) (until time.Time, blocked bool) {
	if len(t.blocked) == 0 {
		return until, false
	}
	if query != "" {
		query = "?" + query
	}
	until, blocked = t.blocked[host+path+query]
	return until, blocked
}

// loadBlocked reads which addresses of a site are blocked, and until when.
func loadBlocked(ctx context.Context, q querier, siteID int64) (map[string]time.Time, error) {
	rows, err := q.QueryContext(ctx, `SELECT address, ends FROM blocked_objects WHERE site_id = ?`, siteID)
	if err != nil {
		return nil, fmt.Errorf("list what is blocked of site %d: %w", siteID, err)
	}
	defer rows.Close()
	all := map[string]time.Time{}
	for rows.Next() {
		var address string
		var ends int64
		if err := rows.Scan(&address, &ends); err != nil {
			return nil, fmt.Errorf("read what is blocked of site %d: %w", siteID, err)
		}
		all[address] = time.UnixMilli(ends)
	}
	return all, rows.Err()
}
