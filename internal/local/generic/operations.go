package generic

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
)

// own takes from the parameters of a call those that the thing itself has.
func (k kind) own(taken map[string]any) map[string]any {
	for _, name := range []string{"SiteId", "SiteVersion", k.parentID, k.account} {
		delete(taken, name)
	}
	if k.id != k.unique {
		delete(taken, k.id)
	}
	return taken
}

// create answers CreateX.
func (s *Service) create(ctx context.Context, k kind, r *api.Request) (any, error) {
	taken, err := take(operation(r.Action), r.Params)
	if err != nil {
		return nil, err
	}
	it := &item{fields: map[string]any{}, created: s.clock()}
	for name, value := range k.defaults {
		it.fields[name] = value
	}
	var out map[string]any
	err = s.store.Tx(ctx, func(tx *sql.Tx) error {
		at, err := s.placeOf(ctx, tx, k, r.Params)
		if err != nil {
			return err
		}
		if k.parent != "" && at.parent == 0 {
			return api.Errorf(400, "Missing"+k.parentID, "%s is mandatory for this action.", k.parentID)
		}
		it.site, it.parent, it.siteName, it.parentKey, it.account = at.site, at.parent, at.siteName, at.parentKey, at.account
		for name, value := range k.own(taken) {
			it.set(name, value)
		}
		if it.id, it.key, err = k.newKey(ctx, tx); err != nil {
			return err
		}
		if err := s.settle(ctx, tx, k, it, r.Params); err != nil {
			return err
		}
		out, err = s.members(ctx, tx, k, it)
		return err
	})
	if err != nil {
		return nil, err
	}
	return answer(r.Action, out), nil
}

// settle checks and stores a thing that was made or changed.
func (s *Service) settle(ctx context.Context, tx *sql.Tx, k kind, it *item, sent api.Params) error {
	if k.unique != "" {
		it.name = it.text(k.unique)
	}
	if k.id == k.unique {
		it.key = it.name
	}
	if k.check != nil {
		if err := k.check(ctx, tx, s, it, sent); err != nil {
			return err
		}
	}
	if err := s.room(ctx, tx, k, it); err != nil {
		return err
	}
	return s.keep(ctx, tx, k, it)
}

// existing runs fn with the thing that the call names, and answers with what fn
// returns beside the thing's own members.
func (s *Service) existing(ctx context.Context, k kind, r *api.Request, fn func(tx *sql.Tx, it *item) (map[string]any, error)) (any, error) {
	var out map[string]any
	err := s.store.Tx(ctx, func(tx *sql.Tx) error {
		it, err := s.one(ctx, tx, k, r.Params)
		if err != nil {
			return err
		}
		more, err := fn(tx, it)
		if err != nil {
			return err
		}
		if out, err = s.members(ctx, tx, k, it); err != nil {
			return err
		}
		for name, value := range more {
			out[name] = value
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return answer(r.Action, out), nil
}

// update answers UpdateX: what the call does not say stays.
func (s *Service) update(ctx context.Context, k kind, r *api.Request) (any, error) {
	taken, err := take(operation(r.Action), r.Params)
	if err != nil {
		return nil, err
	}
	return s.existing(ctx, k, r, func(tx *sql.Tx, it *item) (map[string]any, error) {
		for name, value := range k.own(taken) {
			it.set(name, value)
		}
		return nil, s.settle(ctx, tx, k, it, r.Params)
	})
}

// put answers SetX: an update of the one that is named, or else a creation.
func (s *Service) put(ctx context.Context, k kind, r *api.Request) (any, error) {
	if r.Params.String(k.id) == "" {
		return s.create(ctx, k, r)
	}
	return s.update(ctx, k, r)
}

// verb answers any other operation on one thing, which it keeps if it changed.
func (s *Service) verb(ctx context.Context, k kind, do change, changes bool, r *api.Request) (any, error) {
	if _, err := take(operation(r.Action), r.Params); err != nil {
		return nil, err
	}
	return s.existing(ctx, k, r, func(tx *sql.Tx, it *item) (map[string]any, error) {
		more, err := do(ctx, tx, s, it, r.Params)
		if err != nil || !changes {
			return more, err
		}
		return more, s.keep(ctx, tx, k, it)
	})
}

// get answers GetX.
func (s *Service) get(ctx context.Context, k kind, r *api.Request) (any, error) {
	out := map[string]any{}
	err := s.store.Tx(ctx, func(tx *sql.Tx) error {
		it, err := s.one(ctx, tx, k, r.Params)
		if err != nil {
			return err
		}
		m, err := s.members(ctx, tx, k, it)
		if err != nil {
			return err
		}
		if out = m; k.wrap != "" {
			out = map[string]any{k.wrap: m, "SiteId": it.site, "SiteName": it.siteName, "Status": m["Status"]}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return answer(r.Action, out), nil
}

// remove answers DeleteX.
func (s *Service) remove(ctx context.Context, k kind, r *api.Request) (any, error) {
	return s.existing(ctx, k, r, func(tx *sql.Tx, it *item) (map[string]any, error) {
		if k.free != nil {
			if err := k.free(ctx, tx, it); err != nil {
				return nil, err
			}
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM resources WHERE id = ?`, it.id); err != nil {
			return nil, fmt.Errorf("delete the %s: %w", k.what, err)
		}
		return nil, nil
	})
}
