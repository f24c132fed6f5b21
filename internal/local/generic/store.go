package generic

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/quota"
	"github.com/esa-mcp/esa-mcp/internal/local/state"
)

const columns = `r.id, r.key, r.name, COALESCE(r.site_id, 0), COALESCE(r.parent_id, 0), COALESCE(s.name, ''), COALESCE(p.key, ''), r.account, r.fields, r.created, r.updated`

// find loads the things of a kind that fit a condition, oldest first.
func find(ctx context.Context, tx *sql.Tx, k kind, condition string, args ...any) ([]*item, error) {
	rows, err := tx.QueryContext(ctx, `SELECT `+columns+` FROM resources r
		LEFT JOIN sites s ON s.id = r.site_id LEFT JOIN resources p ON p.id = r.parent_id
		WHERE r.kind = ? AND `+condition+` ORDER BY r.id`, append([]any{k.name}, args...)...)
	if err != nil {
		return nil, fmt.Errorf("look for %ss: %w", k.what, err)
	}
	defer rows.Close()
	var found []*item
	for rows.Next() {
		it := &item{}
		var fields string
		if err := rows.Scan(&it.id, &it.key, &it.name, &it.site, &it.parent, &it.siteName, &it.parentKey,
			&it.account, &fields, &it.created, &it.updated); err != nil {
			return nil, fmt.Errorf("read the %s: %w", k.what, err)
		}
		if it.fields, err = decode(fields); err != nil {
			return nil, fmt.Errorf("read the %s: %w", k.what, err)
		}
		found = append(found, it)
	}
	return found, rows.Err()
}

func decode(text string) (map[string]any, error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var fields map[string]any
	err := d.Decode(&fields)
	return fields, err
}

// keep stores a thing, new or changed.
func (s *Service) keep(ctx context.Context, tx *sql.Tx, k kind, it *item) error {
	fields, err := json.Marshal(it.fields)
	if err != nil {
		return fmt.Errorf("write the %s: %w", k.what, err)
	}
	it.updated = s.clock()
	optional := func(id int64) sql.NullInt64 { return sql.NullInt64{Int64: id, Valid: id != 0} }
	_, err = tx.ExecContext(ctx, `INSERT INTO resources (id, kind, key, name, site_id, parent_id, account, fields, created, updated)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET name = excluded.name, fields = excluded.fields, updated = excluded.updated`,
		it.id, k.name, it.key, it.name, optional(it.site), optional(it.parent), it.account, string(fields), it.created, it.updated)
	if err != nil {
		return fmt.Errorf("store the %s: %w", k.what, err)
	}
	return nil
}

// place is where things of a kind are: a site, a parent, a part of the account.
type place struct {
	site, parent int64
	siteName     string
	parentKey    string
	account      string
}

// condition finds those of a kind that are there.
func (p place) condition(k kind) (string, []any) {
	condition, args := `COALESCE(r.parent_id, 0) = ? AND r.account = ?`, []any{p.parent, p.account}
	if k.site {
		condition, args = condition+` AND r.site_id = ?`, append(args, p.site)
	}
	return condition, args
}

// placeOf reads from a call where it wants to create or list.
func (s *Service) placeOf(ctx context.Context, tx *sql.Tx, k kind, sent api.Params) (p place, err error) {
	if k.site {
		if p.site, err = sent.Int("SiteId", 0); err != nil {
			return p, err
		}
		if p.siteName, err = siteOf(ctx, tx, p.site); err != nil {
			return p, err
		}
	}
	if k.account != "" {
		p.account = sent.String(k.account)
	}
	if k.parent == "" {
		return p, nil
	}
	of := kindOf(k.parent)
	key := sent.String(k.parentID)
	if key == "" {
		return p, nil
	}
	parents, err := find(ctx, tx, of, `r.key = ?`, key)
	if err != nil {
		return p, err
	}
	if len(parents) == 0 || k.site && parents[0].site != p.site {
		return p, of.notFound(key)
	}
	p.parent, p.parentKey = parents[0].id, key
	return p, nil
}

// one loads the thing that a call names.
func (s *Service) one(ctx context.Context, tx *sql.Tx, k kind, sent api.Params) (*item, error) {
	condition, args := `r.key = ?`, []any{sent.String(k.id)}
	if k.site && (!k.byID || sent.Has("SiteId")) {
		at, err := s.placeOf(ctx, tx, kind{site: true}, sent)
		if err != nil {
			return nil, err
		}
		condition, args = condition+` AND r.site_id = ?`, append(args, at.site)
	}
	if k.account != "" && sent.Has(k.account) {
		condition, args = condition+` AND r.account = ?`, append(args, sent.String(k.account))
	}
	if k.parent != "" && sent.Has(k.parentID) && k.parentID != k.id {
		at, err := s.placeOf(ctx, tx, kind{parent: k.parent, parentID: k.parentID}, sent)
		if err != nil {
			return nil, err
		}
		condition, args = condition+` AND r.parent_id = ?`, append(args, at.parent)
	}
	found, err := find(ctx, tx, k, condition, args...)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, k.notFound(sent.String(k.id))
	}
	return found[0], nil
}

func (k kind) notFound(key string) error {
	code := k.missing
	if code == "" {
		code = k.name + "NotExist"
	}
	return api.Errorf(404, code, "There is no %s %s.", k.what, key)
}

// room refuses a name that is taken, and one thing more than the quota.
func (s *Service) room(ctx context.Context, tx *sql.Tx, k kind, it *item) error {
	condition, args := place{site: it.site, parent: it.parent, account: it.account}.condition(k)
	others, err := find(ctx, tx, k, condition, args...)
	if err != nil {
		return err
	}
	most, err := s.quotaOf(ctx, tx, k, it.site)
	if err != nil {
		return err
	}
	known := false
	for _, o := range others {
		known = known || o.id == it.id
		if o.id != it.id && it.name != "" && strings.EqualFold(o.name, it.name) {
			return api.Errorf(400, k.name+".AlreadyExist", "The %s %s is there already.", k.what, it.name)
		}
	}
	if !known && len(others) >= most {
		return api.Errorf(400, "QuotaExceed."+k.name, "There are %d %ss already, as many as there may be.", len(others), k.what)
	}
	return nil
}

// quotaOf is how many of a kind there may be in one place.
func (s *Service) quotaOf(ctx context.Context, tx *sql.Tx, k kind, site int64) (int, error) {
	of := k.quota
	if of == "" {
		of = quota.Others
	}
	return s.cfg.Quotas.OfSite(ctx, tx, site, of)
}

// newKey takes an id, and makes from it what calls name the thing by.
func (k kind) newKey(ctx context.Context, tx *sql.Tx) (id int64, key string, err error) {
	if id, err = state.NextID(ctx, tx); err != nil {
		return 0, "", err
	}
	return id, k.prefix + strconv.FormatInt(id, 10), nil
}

// isDependent makes the refusal to delete what is in use.
func isDependent(what, by string) error {
	return api.Errorf(400, "DependedByOthers", "The %s is used by %s. Change or delete that first.", what, by)
}
