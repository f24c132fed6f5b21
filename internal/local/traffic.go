package local

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/local/analytics"
	"github.com/esa-mcp/esa-mcp/internal/local/state"
	"github.com/esa-mcp/esa-mcp/internal/local/traffic"
)

// trafficBatch is how many requests are stored in one transaction.
const trafficBatch = 50_000

// GenerateTraffic writes the described requests, which end now, into the request
// log of the state in dir, and returns how many. A local ESA may have the state
// open.
func GenerateTraffic(ctx context.Context, dir string, d traffic.Description, now time.Time) (n int, err error) {
	if d, err = d.Complete(); err != nil {
		return 0, err
	}
	store, err := state.Open(ctx, dir)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	var active bool
	err = store.DB().QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM sites WHERE name = ? AND status = 'active')`, d.Site).Scan(&active)
	if err != nil {
		return 0, fmt.Errorf("look up the site: %w", err)
	}
	if !active {
		return 0, fmt.Errorf("the local ESA in %s has no active site %q: make it with create_site and verify_site first", dir, d.Site)
	}
	err = traffic.Generate(d, now, trafficBatch, func(visits []analytics.Visit) error {
		if err := analytics.Seed(ctx, store, visits); err != nil {
			return err
		}
		n += len(visits)
		return nil
	})
	return n, err
}
