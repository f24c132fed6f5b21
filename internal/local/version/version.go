// Package version keeps the versions of sites' configurations, and the environments
// that say which version is for which requests. The service has no operations for
// either, only its console: this package is how the local ESA is told instead, and
// where operations read which version a call is about.
//
// It must not know how it is asked, nor how the edge serves.
package version

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/expression"
	"github.com/esa-mcp/esa-mcp/internal/local/state"
	"github.com/esa-mcp/esa-mcp/internal/rule"
)

const (
	// Production is the environment that is always there. It is for all requests that
	// no other environment is for.
	Production = "production"
	// Last is the highest version of a site's configuration.
	Last = 50
)

// Environment is what a version of a site's configuration is for.
type Environment struct {
	Name string `json:"name"`
	// Rule is the traffic filter: an expression; empty for production alone.
	Rule    string `json:"rule,omitempty"`
	Version int64  `json:"version"`
	// Previous is the version before, to which Rollback returns; nil: there was none.
	Previous *int64 `json:"previous,omitempty"`
}

// Service keeps versions and environments.
type Service struct{ store *state.Store }

// New makes the service.
func New(store *state.Store) *Service { return &Service{store} }

// siteOf finds a site with version management by its name.
func siteOf(ctx context.Context, tx *sql.Tx, name string) (id int64, err error) {
	var managed bool
	err = tx.QueryRowContext(ctx, `SELECT s.id, coalesce(o.version_management, 0) FROM sites s LEFT JOIN site_options o ON o.site_id = s.id
		WHERE s.name = ?`, name).Scan(&id, &managed)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return 0, api.Errorf(404, "SiteNotFound", "There is no site %s.", name)
	case err != nil:
		return 0, fmt.Errorf("look up the site %s: %w", name, err)
	case !managed:
		return 0, api.Errorf(400, "VersionManagementOff", "The site %s has no versions: call ActivateVersionManagement first.", name)
	}
	return id, nil
}

// List returns the environments of a site in the order in which they are tried,
// production last.
func (s *Service) List(ctx context.Context, site string) (list []Environment, err error) {
	err = s.store.Tx(ctx, func(tx *sql.Tx) error {
		id, err := siteOf(ctx, tx, site)
		if err != nil {
			return err
		}
		list, err = environments(ctx, tx, id)
		return err
	})
	return list, err
}

func environments(ctx context.Context, tx *sql.Tx, id int64) ([]Environment, error) {
	rows, err := tx.QueryContext(ctx, `SELECT name, rule, version, previous FROM site_environments WHERE site_id = ? ORDER BY name = ?, position`, id, Production)
	if err != nil {
		return nil, fmt.Errorf("list the environments: %w", err)
	}
	defer rows.Close()
	var list []Environment
	for rows.Next() {
		var e Environment
		var previous int64
		if err := rows.Scan(&e.Name, &e.Rule, &e.Version, &previous); err != nil {
			return nil, fmt.Errorf("read an environment: %w", err)
		}
		if previous >= 0 {
			e.Previous = &previous
		}
		list = append(list, e)
	}
	if n := len(list); n == 0 || list[n-1].Name != Production {
		list = append(list, Environment{Name: Production})
	}
	return list, rows.Err()
}

// Deploy gives an environment a version, and makes the environment if there is none
// of the name: then it is tried after those that there are, before production. An
// empty rule leaves that of an environment as it is.
func (s *Service) Deploy(ctx context.Context, site string, e Environment) error {
	return s.store.Tx(ctx, func(tx *sql.Tx) error {
		id, err := siteOf(ctx, tx, site)
		if err != nil {
			return err
		}
		list, err := environments(ctx, tx, id)
		if err != nil {
			return err
		}
		before := Environment{}
		for _, one := range list {
			if one.Name == e.Name {
				before = one
			}
		}
		switch {
		case e.Name == Production && e.Rule != "":
			return api.Errorf(400, "InvalidRule", "The environment production has no rule: it is for all requests that no other is for.")
		case e.Version < 0 || e.Version > Last:
			return api.Errorf(400, "InvalidVersion", "version must be between 0 and %d, not %d.", Last, e.Version)
		case e.Name != Production && e.Rule == "" && before.Name == "":
			return api.Errorf(400, "MissingRule", "A new environment needs a rule: which requests it is for.")
		case e.Rule == "":
			e.Rule = before.Rule
		}
		if e.Rule != "" {
			if _, err := expression.Compile(ctx, tx, id, string(rule.KindVersion), e.Rule); err != nil {
				return err
			}
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO site_environments (site_id, name, position, rule, version, previous)
			VALUES (?1, ?2, (SELECT coalesce(max(position), 0) + 1 FROM site_environments WHERE site_id = ?1), ?3, ?4, ?5)
			ON CONFLICT (site_id, name) DO UPDATE SET rule = excluded.rule, version = excluded.version,
			previous = CASE WHEN version = excluded.version THEN previous ELSE version END`, id, e.Name, e.Rule, e.Version, first(e))
		if err != nil {
			return fmt.Errorf("store the environment: %w", err)
		}
		return nil
	})
}

// first is the version that a new environment had before: production had 0.
func first(e Environment) int64 {
	if e.Name == Production && e.Version != 0 {
		return 0
	}
	return -1
}

// Restore gives a site the environments that List once told, in their order.
func (s *Service) Restore(ctx context.Context, site string, list []Environment) error {
	return s.store.Tx(ctx, func(tx *sql.Tx) error {
		id, err := siteOf(ctx, tx, site)
		if err != nil {
			return err
		}
		for i, e := range list {
			previous := int64(-1)
			if e.Previous != nil {
				previous = *e.Previous
			}
			_, err := tx.ExecContext(ctx, `INSERT INTO site_environments (site_id, name, position, rule, version, previous) VALUES (?, ?, ?, ?, ?, ?)`,
				id, e.Name, i+1, e.Rule, e.Version, previous)
			if err != nil {
				return fmt.Errorf("store the environment %s: %w", e.Name, err)
			}
		}
		return nil
	})
}

// Rollback returns an environment to the version before.
func (s *Service) Rollback(ctx context.Context, site, name string) error {
	return s.change(ctx, site, name, "no version was deployed to it before",
		`UPDATE site_environments SET version = previous, previous = -1 WHERE site_id = ? AND name = ? AND previous >= 0`)
}

// Remove deletes an environment; production stays.
func (s *Service) Remove(ctx context.Context, site, name string) error {
	return s.change(ctx, site, name, "production cannot be deleted", `DELETE FROM site_environments WHERE site_id = ? AND name = ? AND name <> 'production'`)
}

func (s *Service) change(ctx context.Context, site, name, otherwise, statement string) error {
	return s.store.Tx(ctx, func(tx *sql.Tx) error {
		id, err := siteOf(ctx, tx, site)
		if err != nil {
			return err
		}
		done, err := tx.ExecContext(ctx, statement, id, name)
		if err != nil {
			return fmt.Errorf("change the environment %s: %w", name, err)
		}
		if n, err := done.RowsAffected(); err != nil || n > 0 {
			return err
		}
		return api.Errorf(400, "InvalidEnvironment", "There is no such environment of %s, or %s: %s.", site, otherwise, name)
	})
}

// Versioned tells whether an operation is about one version of a site's
// configuration; what others store is the same for all versions.
func Versioned(action string) bool {
	op, ok := catalog.Lookup(action)
	if !ok {
		return false
	}
	_, has := op.Param("SiteVersion")
	return has
}
