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
	Routes        []*Route
	// Security are the security rules by phase.
	Security map[string][]*SecurityRule
	// Rooms are the waiting rooms that are switched on.
	Rooms []*Room

	configs map[string]Settings
	options map[string]map[string]string

	pools     map[int64]*Pool
	balancers []*Balancer
}

// Option is what a setting that a site has once says of a parameter, such as
// DevelopmentMode of Enable; empty if it was never set.
func (t *Site) Option(setting, parameter string) string { return t.options[setting][parameter] }

// Configs are the configurations of a family that are switched on.
func (t *Site) Configs(family string) Settings { return t.configs[family] }

// loadSite reads and compiles a site.
func loadSite(ctx context.Context, q querier, id int64) (*Site, error) {
	t := &Site{ID: id}
	err := q.QueryRowContext(ctx, `SELECT s.name, s.access_type, s.status, s.offline_reason, coalesce(o.paused, 0)
		FROM sites s LEFT JOIN site_options o ON o.site_id = s.id WHERE s.id = ?`, id).
		Scan(&t.Name, &t.Access, &t.Status, &t.OfflineReason, &t.Paused)
	if err != nil {
		return nil, fmt.Errorf("read the site %d: %w", id, err)
	}
	if t.configs, err = loadConfigs(ctx, q, id); err != nil {
		return nil, err
	}
	if t.Routes, err = loadRoutes(ctx, q, id); err != nil {
		return nil, err
	}
	if t.Security, err = loadSecurity(ctx, q, id); err != nil {
		return nil, err
	}
	if t.options, err = loadOptions(ctx, q, id); err != nil {
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

func loadOptions(ctx context.Context, q querier, id int64) (map[string]map[string]string, error) {
	rows, err := q.QueryContext(ctx, `SELECT name, fields FROM site_settings WHERE site_id = ? AND site_version = 0`, id)
	if err != nil {
		return nil, fmt.Errorf("list the settings of site %d: %w", id, err)
	}
	defer rows.Close()
	all := map[string]map[string]string{}
	for rows.Next() {
		var name, text string
		if err := rows.Scan(&name, &text); err != nil {
			return nil, fmt.Errorf("read a setting of site %d: %w", id, err)
		}
		if all[name], _, err = decodeFields(text); err != nil {
			return nil, fmt.Errorf("read the setting %s of site %d: %w", name, id, err)
		}
	}
	return all, rows.Err()
}
