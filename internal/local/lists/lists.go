// Package lists is the part of the local ESA that keeps the account's lists of
// IP addresses, host names and AS numbers, which rules use as $name.
//
// It must not know how calls arrive or are signed, nor which rules there are.
//
// DependedByOthers is the documented code of these operations; the others follow
// the service's patterns.
package lists

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/quota"
	"github.com/esa-mcp/esa-mcp/internal/local/state"
)

// Limits of the service.
const (
	maxText = 255 // characters of a description
)

// Config is what the service needs. The zero value of each field has a default.
type Config struct {
	// Now is the clock; time.Now if nil.
	Now func() time.Time
	// Quotas are how many lists the account has, and items a list.
	Quotas quota.Set
	// InUse tells whether anything refers to the list of that name; nothing does
	// if nil.
	InUse func(ctx context.Context, tx *sql.Tx, name string) (bool, error)
}

// Service answers the operations of lists.
type Service struct {
	store *state.Store
	cfg   Config
}

// New makes the service.
func New(store *state.Store, cfg Config) *Service {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.InUse == nil {
		cfg.InUse = func(context.Context, *sql.Tx, string) (bool, error) { return false, nil }
	}
	return &Service{store: store, cfg: cfg}
}

// Table returns the operations.
func (s *Service) Table() api.Table {
	return api.Table{"CreateList": s.create, "DeleteList": s.delete, "GetList": s.get, "ListLists": s.list, "UpdateList": s.update}
}

// Exists tells whether the account has a list of that name.
func Exists(ctx context.Context, tx *sql.Tx, name string) (bool, error) {
	var is bool
	if err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM lists WHERE name = ?)`, name).Scan(&is); err != nil {
		return false, fmt.Errorf("look for the list %s: %w", name, err)
	}
	return is, nil
}

// entry is a row of the table lists.
type entry struct {
	id                      int64
	name, kind, description string
	items                   []string
	updated                 int64
}

// create answers CreateList.
func (s *Service) create(ctx context.Context, r *api.Request) (any, error) {
	e := entry{name: r.Params.String("Name"), kind: r.Params.String("Kind"), description: r.Params.String("Description")}
	if _, err := r.Params.JSON("Items", &e.items); err != nil {
		return nil, err
	}
	if err := e.check(s.cfg.Quotas.Of("", quota.ListItems)); err != nil {
		return nil, err
	}
	err := s.store.Tx(ctx, func(tx *sql.Tx) error {
		var count int
		if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM lists`).Scan(&count); err != nil {
			return fmt.Errorf("count the lists: %w", err)
		}
		if most := s.cfg.Quotas.Of("", quota.Lists); count >= most {
			return api.Errorf(400, "QuotaExceed.List", "The account has all its %d lists already.", most)
		}
		if err := free(ctx, tx, e); err != nil {
			return err
		}
		var err error
		if e.id, err = state.NextID(ctx, tx); err != nil {
			return err
		}
		return s.keep(ctx, tx, e)
	})
	return struct {
		ID int64 `json:"Id"`
	}{e.id}, err
}

// free refuses a name that another list has.
func free(ctx context.Context, tx *sql.Tx, e entry) error {
	var taken bool
	err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM lists WHERE name = ? AND id <> ?)`, e.name, e.id).Scan(&taken)
	if err != nil {
		return fmt.Errorf("look for the name: %w", err)
	}
	if taken {
		return api.Errorf(400, "List.AlreadyExist", "There is a list of the name %s already.", e.name)
	}
	return nil
}

func (s *Service) keep(ctx context.Context, tx *sql.Tx, e entry) error {
	items, err := json.Marshal(e.items)
	if err != nil {
		return fmt.Errorf("encode the items: %w", err)
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO lists (id, name, kind, description, items, length, updated) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET name = excluded.name, description = excluded.description, items = excluded.items,
		length = excluded.length, updated = excluded.updated`,
		e.id, e.name, e.kind, e.description, string(items), len(e.items), s.cfg.Now().Unix())
	if err != nil {
		return fmt.Errorf("store the list: %w", err)
	}
	return nil
}

// one loads the list that the call names in Id.
func one(ctx context.Context, q interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}, p api.Params) (entry, error) {
	id, err := p.Int("Id", 0)
	if err != nil {
		return entry{}, err
	}
	e := entry{id: id}
	var items string
	err = q.QueryRowContext(ctx, `SELECT name, kind, description, items, updated FROM lists WHERE id = ?`, id).
		Scan(&e.name, &e.kind, &e.description, &items, &e.updated)
	if errors.Is(err, sql.ErrNoRows) {
		return e, api.Errorf(404, "List.NotFound", "The account has no list %d.", id)
	}
	if err == nil {
		err = json.Unmarshal([]byte(items), &e.items)
	}
	if err != nil {
		return e, fmt.Errorf("read the list %d: %w", id, err)
	}
	return e, nil
}

// update answers UpdateList, which replaces all but the kind. A name in use
// stays: the rules that have it would find nothing.
func (s *Service) update(ctx context.Context, r *api.Request) (any, error) {
	return nil, s.store.Tx(ctx, func(tx *sql.Tx) error {
		e, err := one(ctx, tx, r.Params)
		if err != nil {
			return err
		}
		old := e.name
		e.name, e.description, e.items = r.Params.String("Name"), r.Params.String("Description"), nil
		if _, err := r.Params.JSON("Items", &e.items); err != nil {
			return err
		}
		if err := e.check(s.cfg.Quotas.Of("", quota.ListItems)); err != nil {
			return err
		}
		if e.name != old {
			if err := s.unused(ctx, tx, old); err != nil {
				return err
			}
			if err := free(ctx, tx, e); err != nil {
				return err
			}
		}
		return s.keep(ctx, tx, e)
	})
}

func (s *Service) unused(ctx context.Context, tx *sql.Tx, name string) error {
	used, err := s.cfg.InUse(ctx, tx, name)
	if err != nil {
		return fmt.Errorf("look for uses of the list %s: %w", name, err)
	}
	if used {
		return api.Errorf(400, "DependedByOthers", "The list %s is used by rules.", name)
	}
	return nil
}

// delete answers DeleteList.
func (s *Service) delete(ctx context.Context, r *api.Request) (any, error) {
	return nil, s.store.Tx(ctx, func(tx *sql.Tx) error {
		e, err := one(ctx, tx, r.Params)
		if err != nil {
			return err
		}
		if err := s.unused(ctx, tx, e.name); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM lists WHERE id = ?`, e.id); err != nil {
			return fmt.Errorf("delete the list: %w", err)
		}
		return nil
	})
}

// get answers GetList.
func (s *Service) get(ctx context.Context, r *api.Request) (any, error) {
	e, err := one(ctx, s.store.DB(), r.Params)
	if err != nil {
		return nil, err
	}
	return struct {
		Description string
		ID          int64 `json:"Id"`
		Items       []string
		Kind, Name  string
		UpdateTime  string
	}{e.description, e.id, e.items, e.kind, e.name, stamp(e.updated)}, nil
}

type model struct {
	Description string
	ID          int64 `json:"Id"`
	Kind        string
	Length      int
	Name        string
	UpdateTime  string
}

type filter struct {
	Desc                                                                     bool
	DescriptionLike, IDLike, ItemLike, Kind, NameItemLike, NameLike, OrderBy string
}

// list answers ListLists.
func (s *Service) list(ctx context.Context, r *api.Request) (any, error) {
	page, err := r.Params.Page(20, 500)
	if err != nil {
		return nil, err
	}
	var f filter
	if _, err := r.Params.JSON("QueryArgs", &f); err != nil {
		return nil, err
	}
	if !slices.Contains([]string{"", "id", "name", "update_time"}, f.OrderBy) {
		return nil, api.Errorf(400, "InvalidOrderBy", "OrderBy must be id, name or update_time.")
	}
	out := struct {
		ItemsUsage           int64
		Lists                []model
		PageNumber, PageSize int64
		TotalCount, Usage    int64
	}{Lists: []model{}, PageNumber: page.Number, PageSize: page.Size}
	rows, err := s.store.DB().QueryContext(ctx, `SELECT id, name, kind, description, items, updated FROM lists ORDER BY id`)
	if err != nil {
		return nil, fmt.Errorf("list the lists: %w", err)
	}
	defer rows.Close()
	var fitting []model
	for rows.Next() {
		var e entry
		var items string
		if err := rows.Scan(&e.id, &e.name, &e.kind, &e.description, &items, &e.updated); err != nil {
			return nil, fmt.Errorf("read a list: %w", err)
		}
		if err := json.Unmarshal([]byte(items), &e.items); err != nil {
			return nil, fmt.Errorf("read the items of list %d: %w", e.id, err)
		}
		out.Usage++
		out.ItemsUsage += int64(len(e.items))
		if f.fits(e) {
			fitting = append(fitting, model{e.description, e.id, e.kind, len(e.items), e.name, stamp(e.updated)})
		}
	}
	f.sort(fitting)
	out.TotalCount = int64(len(fitting))
	from := min(page.Offset(), out.TotalCount)
	out.Lists = append(out.Lists, fitting[from:min(from+page.Size, out.TotalCount)]...)
	return out, rows.Err()
}

func (f filter) fits(e entry) bool {
	item := func(part string) bool {
		return slices.ContainsFunc(e.items, func(i string) bool { return strings.Contains(i, part) })
	}
	return (f.Kind == "" || f.Kind == e.kind) && strings.Contains(e.name, f.NameLike) && strings.Contains(e.description, f.DescriptionLike) &&
		strings.Contains(fmt.Sprint(e.id), f.IDLike) && (f.ItemLike == "" || item(f.ItemLike)) &&
		(f.NameItemLike == "" || strings.Contains(e.name, f.NameItemLike) || item(f.NameItemLike))
}

func (f filter) sort(list []model) {
	slices.SortStableFunc(list, func(a, b model) int {
		order := int(a.ID - b.ID)
		switch f.OrderBy {
		case "name":
			order = strings.Compare(a.Name, b.Name)
		case "update_time":
			order = strings.Compare(a.UpdateTime, b.UpdateTime)
		}
		if f.Desc {
			return -order
		}
		return order
	})
}

func stamp(unix int64) string { return time.Unix(unix, 0).UTC().Format(time.RFC3339) }
