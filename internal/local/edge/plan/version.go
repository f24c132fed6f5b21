package plan

import (
	"context"
	"fmt"

	"github.com/esa-mcp/esa-mcp/internal/local/version"
)

// Environment is for which requests a version of a site's configuration is.
type Environment struct {
	Name    string
	When    Condition
	Version int64
}

// inProduction stands for the version that production has.
const inProduction = -1

// siteKey names a version of a site.
type siteKey struct{ id, version int64 }

// InVersion is a host with another version of its site's configuration.
func (s *Source) InVersion(ctx context.Context, h *Host, number int64) (*Host, error) {
	if h.Site == nil || h.Site.Version == number {
		return h, nil
	}
	now, err := s.current(ctx)
	if err != nil {
		return nil, err
	}
	other := *h
	if other.Site, err = s.site(ctx, now, h.Site.ID, number); err != nil {
		return nil, err
	}
	return &other, nil
}

// loadEnvironments reads the environments of a site with version management in
// their order. Production, which is for the rest, is not among them; its version is
// the site's, unless another is asked for.
func (t *Site) loadEnvironments(ctx context.Context, q querier, number int64) error {
	t.Version = max(number, 0)
	if !t.Managed {
		t.Version = 0
		return nil
	}
	rows, err := q.QueryContext(ctx, `SELECT name, rule, version FROM site_environments WHERE site_id = ? ORDER BY position`, t.ID)
	if err != nil {
		return fmt.Errorf("list the environments of site %d: %w", t.ID, err)
	}
	defer rows.Close()
	for rows.Next() {
		e := &Environment{}
		var rule string
		if err := rows.Scan(&e.Name, &rule, &e.Version); err != nil {
			return fmt.Errorf("read an environment of site %d: %w", t.ID, err)
		}
		if e.Name != version.Production {
			e.When = compile(rule)
			t.Environments = append(t.Environments, e)
		} else if number == inProduction {
			t.Version = e.Version
		}
	}
	return rows.Err()
}

// versionOf is the version of what an operation stores that counts in a version of
// the site: what has no versions is that of version 0.
func versionOf(action string, number int64) int64 {
	if !version.Versioned(action) {
		return 0
	}
	return number
}
