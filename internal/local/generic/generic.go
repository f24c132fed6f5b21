// Package generic is the part of the local ESA that answers the many operations
// which only keep what they are told: create, update, get, list and delete of
// some kind of thing, and settings that are read and set. It is driven by the
// catalogue, which has the parameters, their types and values, and the shape of
// each answer; a kind is a row of a table, with hooks where it is special.
//
// What no local ESA can do - show prices, open a terminal in a container that
// does not run - is refused with the reason.
//
// It must not know how calls arrive or are signed, nor anything of the ESA
// client. Few codes of these operations are documented: DependedByOthers,
// NotApplicable, SiteNotFound, OriginPoolNotExist and CompileRuleError are; the
// others follow the service's patterns.
package generic

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/quota"
	"github.com/esa-mcp/esa-mcp/internal/local/state"
)

// Config is what the service needs. The zero value of each field has a default.
type Config struct {
	// Now is the clock; time.Now if nil.
	Now func() time.Time
	// Quotas are how many of a kind there may be in one place.
	Quotas quota.Set
	// OriginHealth is what the monitor of a load balancer knows of an origin, and why
	// it is not healthy; nil: no monitor was heard of yet.
	OriginHealth func(balancer, origin int64) (status, reason string)
	// ReadFile reads an uploaded file of at most so many bytes by its address; nil:
	// none can be read.
	ReadFile func(ctx context.Context, tx *sql.Tx, address string, most int64) ([]byte, error)
	// Preload has addresses of a site preloaded; nil: nothing is.
	Preload func(ctx context.Context, site int64, addresses []string) error
}

// Service answers the operations of all kinds and settings.
type Service struct {
	store *state.Store
	cfg   Config
}

// New makes the service.
func New(store *state.Store, cfg Config) *Service {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Preload == nil {
		cfg.Preload = func(context.Context, int64, []string) error { return nil }
	}
	if cfg.OriginHealth == nil {
		cfg.OriginHealth = func(int64, int64) (string, string) { return originUnknown, "" }
	}
	return &Service{store: store, cfg: cfg}
}

// Table returns the operations, those that are refused included.
func (s *Service) Table() api.Table {
	t := api.Table{}
	for _, k := range kinds() {
		s.addKind(t, k)
	}
	for _, x := range settings() {
		t[x.get] = func(ctx context.Context, r *api.Request) (any, error) { return s.getSetting(ctx, x, r) }
		for _, action := range x.set {
			t[action] = func(ctx context.Context, r *api.Request) (any, error) { return s.setSetting(ctx, x, r) }
		}
	}
	for action, answer := range facts() {
		t[action] = func(ctx context.Context, r *api.Request) (any, error) { return s.fact(ctx, answer, r) }
	}
	for action, why := range Refused() {
		t[action] = func(context.Context, *api.Request) (any, error) {
			return nil, api.Errorf(400, "NotApplicable", "The local ESA does not do this: %s.", why)
		}
	}
	return t
}

func (s *Service) addKind(t api.Table, k kind) {
	add := func(action string, handle func(context.Context, kind, *api.Request) (any, error)) {
		if action != "" {
			t[action] = func(ctx context.Context, r *api.Request) (any, error) { return handle(ctx, k, r) }
		}
	}
	add(k.create, s.create)
	add(k.update, s.update)
	add(k.get, s.get)
	add(k.remove, s.remove)
	add(k.list, s.list)
	add(k.put, s.put)
	for action, do := range k.verbs {
		t[action] = func(ctx context.Context, r *api.Request) (any, error) { return s.verb(ctx, k, do, true, r) }
	}
	for action, do := range k.looks {
		t[action] = func(ctx context.Context, r *api.Request) (any, error) { return s.verb(ctx, k, do, false, r) }
	}
}

func (s *Service) clock() int64 { return s.cfg.Now().Unix() }

// siteOf finds the name of a site, or fails with SiteNotFound.
func siteOf(ctx context.Context, tx *sql.Tx, id int64) (name string, err error) {
	err = tx.QueryRowContext(ctx, `SELECT name FROM sites WHERE id = ?`, id).Scan(&name)
	if errors.Is(err, sql.ErrNoRows) {
		return "", api.Errorf(404, "SiteNotFound", "The specified site %d does not exist.", id)
	}
	if err != nil {
		return "", fmt.Errorf("look up the site: %w", err)
	}
	return name, nil
}

func stamp(unix int64) string { return time.Unix(unix, 0).UTC().Format("2006-01-02T15:04:05Z") }
