package plan

import (
	"context"
	"fmt"
	"time"
)

// Site is a site as the edge works by it.
type Site struct {
	ID            int64
	Name          string
	Access        string // NS, CNAME
	Status        string // pending, active, offline ...
	OfflineReason string
	Paused        bool // it has DNS only
	// Managed says that its configuration has versions, of which this is Version. The
	// first of Environments that a request is for says which version is for it; if
	// none does, that of production is.
	Managed      bool
	Version      int64
	Environments []*Environment
	Routes       []*Route
	// Security are the security rules by phase.
	Security map[string][]*SecurityRule
	// Rooms are the waiting rooms that are switched on.
	Rooms []*Room

	configs map[string]Settings
	options map[string]map[string]string

	blocked   map[string]time.Time
	pools     map[int64]*Pool
	balancers []*Balancer
}

// Option is what a setting that a site has once says of a parameter, such as
// DevelopmentMode of Enable; empty if it was never set.
func (t *Site) Option(setting, parameter string) string { return t.options[setting][parameter] }

// Configs are the configurations of a family that are switched on.
func (t *Site) Configs(family string) Settings { return t.configs[family] }

// Plain reports whether the site has nothing to say of the files of its routines:
// no route, rule or setting that looks at a request or changes an answer. What is for
// origins and for what is kept of them does not count. A family that is not known to
// be for these alone does.
func (t *Site) Plain() bool {
	if t.Status != "active" || t.Paused || t.Managed || len(t.Routes)+len(t.Security)+len(t.Rooms)+len(t.blocked) > 0 {
		return false
	}
	for family := range t.configs {
		if family != Cache && family != Origin {
			return false
		}
	}
	return true
}

// loadSite reads and compiles a version of a site.
func loadSite(ctx context.Context, q querier, id, number int64) (*Site, error) {
	t := &Site{ID: id}
	err := q.QueryRowContext(ctx, `SELECT s.name, s.access_type, s.status, s.offline_reason, coalesce(o.paused, 0), coalesce(o.version_management, 0)
		FROM sites s LEFT JOIN site_options o ON o.site_id = s.id WHERE s.id = ?`, id).
		Scan(&t.Name, &t.Access, &t.Status, &t.OfflineReason, &t.Paused, &t.Managed)
	if err != nil {
		return nil, fmt.Errorf("read the site %d: %w", id, err)
	}
	if err := t.loadEnvironments(ctx, q, number); err != nil {
		return nil, err
	}
	if t.configs, err = loadConfigs(ctx, q, id, t.Version); err != nil {
		return nil, err
	}
	if t.Routes, err = loadRoutes(ctx, q, id); err != nil {
		return nil, err
	}
	if t.Security, err = loadSecurity(ctx, q, id, t.Version); err != nil {
		return nil, err
	}
	if t.options, err = loadOptions(ctx, q, id, t.Version); err != nil {
		return nil, err
	}
	if t.blocked, err = loadBlocked(ctx, q, id); err != nil {
		return nil, err
	}
	if err := t.loadBalancing(ctx, q); err != nil {
		return nil, err
	}
	if t.Rooms, err = loadRooms(ctx, q, t); err != nil {
		return nil, err
	}
	return t, nil
}

func loadOptions(ctx context.Context, q querier, id, number int64) (map[string]map[string]string, error) {
	rows, err := q.QueryContext(ctx, `SELECT name, site_version, fields FROM site_settings WHERE site_id = ? AND site_version IN (0, ?)`, id, number)
	if err != nil {
		return nil, fmt.Errorf("list the settings of site %d: %w", id, err)
	}
	defer rows.Close()
	all := map[string]map[string]string{}
	for rows.Next() {
		var name, text string
		var of int64
		if err := rows.Scan(&name, &of, &text); err != nil {
			return nil, fmt.Errorf("read a setting of site %d: %w", id, err)
		}
		if of != versionOf("Update"+name, number) {
			continue
		}
		if all[name], _, err = decodeFields(text); err != nil {
			return nil, fmt.Errorf("read the setting %s of site %d: %w", name, id, err)
		}
	}
	return all, rows.Err()
}
