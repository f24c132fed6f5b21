package version

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/state"
)

// Clone makes a new version of a site's configuration from another, and returns its
// number: one more than that of the last.
func (s *Service) Clone(ctx context.Context, site string, from int64) (version int64, err error) {
	err = s.store.Tx(ctx, func(tx *sql.Tx) error {
		id, err := siteOf(ctx, tx, site)
		if err != nil {
			return err
		}
		err = tx.QueryRowContext(ctx, `SELECT 1 + max(v) FROM (SELECT 0 AS v UNION ALL SELECT site_version FROM rule_configs WHERE site_id = ?1
			UNION ALL SELECT site_version FROM site_settings WHERE site_id = ?1 UNION ALL SELECT site_version FROM waf_rulesets WHERE site_id = ?1
			UNION ALL SELECT version FROM site_environments WHERE site_id = ?1)`, id).Scan(&version)
		if err != nil {
			return fmt.Errorf("look for the last version: %w", err)
		}
		if from < 0 || from >= version {
			return api.Errorf(400, "InvalidVersion", "from is a version that there is: 0 to %d, not %d.", version-1, from)
		}
		if version > Last {
			return api.Errorf(400, "QuotaExceed.Version", "The site has %d versions already, as many as there may be.", Last)
		}
		c := clone{tx: tx, site: id, from: from, to: version}
		for _, copy := range []func(context.Context) error{c.configs, c.settings, c.security} {
			if err := copy(ctx); err != nil {
				return fmt.Errorf("clone version %d: %w", from, err)
			}
		}
		return nil
	})
	return version, err
}

// clone copies one version to another.
type clone struct {
	tx             *sql.Tx
	site, from, to int64
}

// row is what is copied: an id, and the name of what has it.
type row struct {
	id   int64
	name string
}

func (c clone) rows(ctx context.Context, query string, args ...any) ([]row, error) {
	rows, err := c.tx.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []row
	for rows.Next() {
		var r row
		if err := rows.Scan(&r.id, &r.name); err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, rows.Err()
}

// again copies a row by a statement whose parameters are the new id, the old one,
// and more; it returns the new id.
func (c clone) again(ctx context.Context, old int64, statement string, more ...any) (int64, error) {
	id, err := state.NextID(ctx, c.tx)
	if err != nil {
		return 0, err
	}
	_, err = c.tx.ExecContext(ctx, statement, append([]any{id, old}, more...)...)
	return id, err
}

func (c clone) configs(ctx context.Context) error {
	list, err := c.rows(ctx, `SELECT id, family FROM rule_configs WHERE site_id = ? AND site_version = ? ORDER BY id`, c.site, c.from)
	if err != nil {
		return err
	}
	for _, r := range list {
		if !Versioned("Create" + r.name) {
			continue
		}
		if _, err := c.again(ctx, r.id, `INSERT INTO rule_configs (id, site_id, site_version, family, config_type, rule_name, rule, rule_enable, sequence, fields)
			SELECT ?1, site_id, ?3, family, config_type, rule_name, rule, rule_enable, sequence, fields FROM rule_configs WHERE id = ?2`, c.to); err != nil {
			return err
		}
	}
	return nil
}

func (c clone) settings(ctx context.Context) error {
	list, err := c.rows(ctx, `SELECT rowid, name FROM site_settings WHERE site_id = ? AND site_version = ?`, c.site, c.from)
	if err != nil {
		return err
	}
	for _, r := range list {
		if !Versioned("Update" + r.name) {
			continue
		}
		if _, err := c.tx.ExecContext(ctx, `INSERT INTO site_settings (site_id, site_version, name, fields)
			SELECT site_id, ?2, name, fields FROM site_settings WHERE rowid = ?1`, r.id, c.to); err != nil {
			return err
		}
	}
	return nil
}

// security copies the rule sets with their rules. Rules that name others by their
// ids name the copies.
func (c clone) security(ctx context.Context) error {
	sets, err := c.rows(ctx, `SELECT id, name FROM waf_rulesets WHERE site_id = ? AND site_version = ? ORDER BY id`, c.site, c.from)
	if err != nil {
		return err
	}
	ids := []string{} // old, new, old, new ...
	for _, set := range sets {
		id, err := c.again(ctx, set.id, `INSERT INTO waf_rulesets (id, site_id, site_version, phase, name, status, shared, updated)
			SELECT ?1, site_id, ?3, phase, name, status, shared, updated FROM waf_rulesets WHERE id = ?2`, c.to)
		if err != nil {
			return err
		}
		rules, err := c.rows(ctx, `SELECT id, name FROM waf_rules WHERE ruleset_id = ? ORDER BY position`, set.id)
		if err != nil {
			return err
		}
		for _, r := range rules {
			copied, err := c.again(ctx, r.id, `INSERT INTO waf_rules (id, ruleset_id, position, name, status, config, updated)
				SELECT ?1, ?3, position, name, status, config, updated FROM waf_rules WHERE id = ?2`, id)
			if err != nil {
				return err
			}
			ids = append(ids, strconv.FormatInt(r.id, 10), strconv.FormatInt(copied, 10))
		}
	}
	copies := strings.NewReplacer(ids...)
	configs, err := c.rows(ctx, `SELECT r.id, r.config FROM waf_rules r JOIN waf_rulesets s ON s.id = r.ruleset_id WHERE s.site_id = ? AND s.site_version = ?`, c.site, c.to)
	if err != nil {
		return err
	}
	for _, r := range configs {
		if _, err := c.tx.ExecContext(ctx, `UPDATE waf_rules SET config = ? WHERE id = ?`, copies.Replace(r.name), r.id); err != nil {
			return err
		}
	}
	return nil
}
