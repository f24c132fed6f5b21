package generic

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
)

// setting is what a site, or the account, has once: read by one operation and
// set by others.
type setting struct {
	name string
	get  string
	set  []string
	// of are the parameters that say whose setting it is, besides SiteId: each
	// value has its own.
	of []string
	// holder is a kind whose thing the first of names must exist; empty if none.
	holder   string
	defaults map[string]any
	// wrap is the member of the answer that has the setting; empty if the answer
	// is it.
	wrap string
	full bool
	// check refuses a change; nil if there is nothing to check.
	check func(ctx context.Context, tx *sql.Tx, s *Service, fields map[string]any) error
	// view adds to the answer what follows from elsewhere.
	view func(fields map[string]any)
}

// row finds whose setting a call is about, and makes the key of its row.
func (x setting) row(ctx context.Context, tx *sql.Tx, s *Service, r *api.Request) (site int64, key string, known map[string]any, err error) {
	known = map[string]any{}
	if _, has := operation(r.Action).Param("SiteId"); has && r.Params.String("SiteId") != "" {
		if site, err = r.Params.Int("SiteId", 0); err != nil {
			return 0, "", nil, err
		}
		name, err := siteOf(ctx, tx, site)
		if err != nil {
			return 0, "", nil, err
		}
		known["SiteId"], known["SiteName"] = site, name
	}
	if x.holder != "" {
		k := kindOf(x.holder)
		if _, err := s.one(ctx, tx, k, api.Params{k.id: r.Params.String(x.of[0])}); err != nil {
			return 0, "", nil, err
		}
	}
	for _, name := range x.of {
		known[name] = r.Params.String(name)
		key += "/" + r.Params.String(name)
	}
	return site, key, known, nil
}

func (x setting) load(ctx context.Context, tx *sql.Tx, site int64, key string) (id int64, fields map[string]any, err error) {
	fields = map[string]any{}
	for name, value := range x.defaults {
		fields[name] = value
	}
	var text string
	err = tx.QueryRowContext(ctx, `SELECT id, fields FROM resources WHERE kind = ? AND key = ? AND COALESCE(site_id, 0) = ?`,
		settingPrefix+x.name, key, site).Scan(&id, &text)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, fields, nil
	}
	if err != nil {
		return 0, nil, fmt.Errorf("read a setting: %w", err)
	}
	stored, err := decode(text)
	for name, value := range stored {
		fields[name] = value
	}
	return id, fields, err
}

func (s *Service) getSetting(ctx context.Context, x setting, r *api.Request) (any, error) {
	var out map[string]any
	err := s.store.Tx(ctx, func(tx *sql.Tx) error {
		site, key, known, err := x.row(ctx, tx, s, r)
		if err != nil {
			return err
		}
		_, fields, err := x.load(ctx, tx, site, key)
		if err != nil {
			return err
		}
		out = x.members(fields, known)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return answer(r.Action, out), nil
}

func (x setting) members(fields, known map[string]any) map[string]any {
	if x.view != nil {
		x.view(fields)
	}
	out := map[string]any{}
	for name, value := range fields {
		out[name] = value
	}
	if x.wrap != "" {
		out[x.wrap] = fields
	}
	for name, value := range known {
		out[name] = value
	}
	return out
}

func (s *Service) setSetting(ctx context.Context, x setting, r *api.Request) (any, error) {
	taken, err := take(operation(r.Action), r.Params)
	if err != nil {
		return nil, err
	}
	var out map[string]any
	err = s.store.Tx(ctx, func(tx *sql.Tx) error {
		site, key, known, err := x.row(ctx, tx, s, r)
		if err != nil {
			return err
		}
		id, fields, err := x.load(ctx, tx, site, key)
		if err != nil {
			return err
		}
		if wrapped := object(taken[x.wrap]); x.wrap != "" {
			taken = wrapped
		}
		for name, value := range taken {
			if _, subject := known[name]; !subject && name != "SiteVersion" {
				fields[name] = value
			}
		}
		if x.check != nil {
			if err := x.check(ctx, tx, s, fields); err != nil {
				return err
			}
		}
		out = x.members(fields, known)
		return s.storeSetting(ctx, tx, x, id, site, key, fields)
	})
	if err != nil {
		return nil, err
	}
	return answer(r.Action, out), nil
}

func (s *Service) storeSetting(ctx context.Context, tx *sql.Tx, x setting, id, site int64, key string, fields map[string]any) error {
	text, err := json.Marshal(fields)
	if err != nil {
		return fmt.Errorf("write a setting: %w", err)
	}
	if id == 0 {
		it := &item{key: key, site: site, fields: fields, created: s.clock()}
		k := kind{name: "setting/" + x.name, what: "setting"}
		if it.id, _, err = k.newKey(ctx, tx); err != nil {
			return err
		}
		return s.keep(ctx, tx, k, it)
	}
	if _, err := tx.ExecContext(ctx, `UPDATE resources SET fields = ?, updated = ? WHERE id = ?`, string(text), s.clock(), id); err != nil {
		return fmt.Errorf("store a setting: %w", err)
	}
	return nil
}
