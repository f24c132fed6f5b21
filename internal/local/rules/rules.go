// Package rules is the part of the local ESA that keeps the configuration of
// sites: the families of rules (cache, origin, redirect, headers ...) and the
// settings that a site has once (tiered cache, cache tags ...).
//
// It is generic. A family is five operations, CreateX, UpdateX, GetX, ListXs and
// DeleteX, that differ in their own parameters alone; a setting is GetX and
// UpdateX. Names, types and values of the parameters come from the catalogue.
// What is special to a family is one function that checks a configuration. Origin
// protection, which follows no pattern, stands by itself.
//
// It must not know how calls arrive or are signed, what the edge makes of a
// configuration, nor anything of the ESA client.
//
// Few error codes of these operations are documented. CompileRuleError,
// SiteNotFound and the parameter errors are; the others follow the service's
// patterns.
package rules

import (
	"context"
	"database/sql"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/quota"
	"github.com/esa-mcp/esa-mcp/internal/local/state"
	"github.com/esa-mcp/esa-mcp/internal/local/version"
)

// Config is what the service needs. The zero value of each field has a default.
type Config struct {
	// Quotas are how many rules a family of a site takes.
	Quotas quota.Set
	// KnownVersion tells whether a site has that version of its configuration,
	// besides version 0, which all have. None has more if nil.
	KnownVersion version.Known
	// PageExists tells whether the account has the custom page that a response
	// is to have; every one exists if nil.
	PageExists func(ctx context.Context, tx *sql.Tx, id int64) (bool, error)
	// OriginAddresses is the list of origin protection as it is now;
	// ReservedWhitelist if nil.
	OriginAddresses func() Whitelist
}

// Service answers the operations of all families and settings.
type Service struct {
	store    *state.Store
	cfg      Config
	families []family
	settings []setting
}

// New makes the service.
func New(store *state.Store, cfg Config) *Service {
	if cfg.KnownVersion == nil {
		cfg.KnownVersion = func(context.Context, *sql.Tx, int64, int64) (bool, error) { return false, nil }
	}
	if cfg.OriginAddresses == nil {
		cfg.OriginAddresses = ReservedWhitelist
	}
	return &Service{store: store, cfg: cfg, families: families(), settings: settings()}
}

// Table returns the operations.
func (s *Service) Table() api.Table {
	t := api.Table{}
	for _, f := range s.families {
		t["Create"+f.name] = func(ctx context.Context, r *api.Request) (any, error) { return s.create(ctx, f, r) }
		t["Update"+f.name] = func(ctx context.Context, r *api.Request) (any, error) { return s.update(ctx, f, r) }
		t["Get"+f.name] = func(ctx context.Context, r *api.Request) (any, error) { return s.get(ctx, f, r) }
		t["Delete"+f.name] = func(ctx context.Context, r *api.Request) (any, error) { return s.remove(ctx, f, r) }
		t[f.listAction()] = func(ctx context.Context, r *api.Request) (any, error) { return s.list(ctx, f, r) }
	}
	for _, x := range s.settings {
		t["Get"+x.name] = func(ctx context.Context, r *api.Request) (any, error) { return s.getSetting(ctx, x, r) }
		t["Update"+x.name] = func(ctx context.Context, r *api.Request) (any, error) { return s.updateSetting(ctx, x, r) }
	}
	t.Add(s.protectionTable())
	return t
}

// place is what a configuration belongs to.
type place struct{ site, version int64 }

// place reads SiteId and SiteVersion, and refuses those that do not exist.
func (s *Service) place(ctx context.Context, tx *sql.Tx, p api.Params) (place, error) {
	site, version, err := version.Asked(ctx, tx, p, s.cfg.KnownVersion)
	return place{site, version}, err
}
