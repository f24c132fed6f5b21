package plan

import (
	"context"
	"fmt"
	"strconv"
	"time"
)

// Route is a routine route that is switched on: which requests run a routine.
type Route struct {
	ID      int64
	Routine string
	When    Condition
	// Bypass lets the requests past the routine, and past later routes.
	Bypass bool
	// Fallback asks the origin when the routine fails.
	Fallback bool
	// Timeout is how long the routine may take; 0: as the runtime has it.
	Timeout time.Duration
}

// loadRoutes reads the routes of a site in their order.
func loadRoutes(ctx context.Context, q querier, siteID int64) ([]*Route, error) {
	rows, err := q.QueryContext(ctx, `SELECT t.id, r.name, t.rule, t.bypass = 'on', t.fallback = 'on', t.timeout
		FROM routine_routes t JOIN routines r ON r.id = t.routine_id WHERE t.site_id = ? AND t.enable = 'on' ORDER BY t.sequence, t.id`, siteID)
	if err != nil {
		return nil, fmt.Errorf("list the routes of site %d: %w", siteID, err)
	}
	defer rows.Close()
	var routes []*Route
	for rows.Next() {
		t := &Route{}
		var rule, timeout string
		if err := rows.Scan(&t.ID, &t.Routine, &rule, &t.Bypass, &t.Fallback, &timeout); err != nil {
			return nil, fmt.Errorf("read a route of site %d: %w", siteID, err)
		}
		t.When = compile(rule)
		if seconds, err := strconv.Atoi(timeout); err == nil {
			t.Timeout = time.Duration(seconds) * time.Second
		}
		routes = append(routes, t)
	}
	return routes, rows.Err()
}
