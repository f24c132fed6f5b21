package rules

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"regexp"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/values"
)

// setting is what a site has once: GetX and UpdateX. Those that change what the
// site itself is, such as its pause, are not here but with the sites.
type setting struct {
	name     string
	defaults fields
	// check refuses a change; nil if there is nothing to check.
	check func(fields) *api.Error
}

func settings() []setting {
	off := fields{"Enable": "off"}
	return []setting{
		{name: "CacheTag", defaults: fields{"TagName": "Cache-Tag", "CaseInsensitive": "off"}, check: checkCacheTag},
		{name: "CnameFlattening", defaults: fields{"FlattenMode": "flatten_at_root"}},
		{name: "CrossBorderOptimization", defaults: off},
		{name: "DevelopmentMode", defaults: off},
		{name: "ManagedTransform", defaults: fields{"AddClientGeolocationHeader": "off", "AddRealClientIpHeader": "off"}},
		{name: "PerformanceDataCollection", defaults: off},
		{name: "SeoBypass", defaults: off},
		{name: "TieredCache", defaults: fields{"CacheArchitectureMode": "edge"}},
	}
}

// load reads a setting as it is, or its default.
func (x setting) load(ctx context.Context, tx *sql.Tx, at place) (fields, error) {
	var text string
	err := tx.QueryRowContext(ctx, `SELECT fields FROM site_settings WHERE site_id = ? AND name = ? AND site_version = ?`,
		at.site, x.name, at.version).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return maps.Clone(x.defaults), nil
	}
	if err != nil {
		return nil, fmt.Errorf("read a setting: %w", err)
	}
	return decodeFields(text)
}

func (s *Service) getSetting(ctx context.Context, x setting, r *api.Request) (any, error) {
	var out fields
	err := s.store.Tx(ctx, func(tx *sql.Tx) error {
		at, err := s.place(ctx, tx, r.Params)
		if err != nil {
			return err
		}
		if out, err = x.load(ctx, tx, at); err != nil {
			return err
		}
		if answerNames("Get" + x.name)["SiteVersion"] {
			out["SiteVersion"] = at.version
		}
		return nil
	})
	return out, err
}

func (s *Service) updateSetting(ctx context.Context, x setting, r *api.Request) (any, error) {
	return nil, s.store.Tx(ctx, func(tx *sql.Tx) error {
		at, err := s.place(ctx, tx, r.Params)
		if err != nil {
			return err
		}
		f, err := x.load(ctx, tx, at)
		if err != nil {
			return err
		}
		if err := f.merge(ownParams("Update"+x.name), r.Params); err != nil {
			return err
		}
		if x.check != nil {
			if err := x.check(f); err != nil {
				return err
			}
		}
		text, err := f.encode()
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO site_settings (site_id, site_version, name, fields) VALUES (?, ?, ?, ?)
			ON CONFLICT (site_id, name, site_version) DO UPDATE SET fields = excluded.fields`, at.site, at.version, x.name, text)
		if err != nil {
			return fmt.Errorf("store a setting: %w", err)
		}
		return nil
	})
}

func checkCacheTag(f fields) *api.Error {
	if name := f.text("TagName"); !regexp.MustCompile(`^[0-9A-Za-z_-]{1,128}$`).MatchString(name) {
		return values.Invalid("TagName", "it is the name of a response header, not %q", name)
	}
	return nil
}
