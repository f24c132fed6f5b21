package rules

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/values"
)

// existing runs fn with the configuration that the call names.
func (s *Service) existing(ctx context.Context, f family, p api.Params, fn func(*sql.Tx, config) error) error {
	return s.store.Tx(ctx, func(tx *sql.Tx) error {
		at, err := s.place(ctx, tx, p)
		if err != nil {
			return err
		}
		c, err := find(ctx, tx, f, at.site, p)
		if err != nil {
			return err
		}
		return fn(tx, c)
	})
}

// update answers UpdateX: what the call does not say stays.
func (s *Service) update(ctx context.Context, f family, r *api.Request) (any, error) {
	return nil, s.existing(ctx, f, r.Params, func(tx *sql.Tx, c config) error {
		if err := s.take(ctx, tx, &c, f, r.Params); err != nil {
			return err
		}
		if err := s.checkPage(ctx, tx, c, f); err != nil {
			return err
		}
		if err := s.order(ctx, tx, &c, f, r.Params); err != nil {
			return err
		}
		return store(ctx, tx, c, f)
	})
}

// get answers GetX.
func (s *Service) get(ctx context.Context, f family, r *api.Request) (any, error) {
	var out map[string]any
	err := s.existing(ctx, f, r.Params, func(_ *sql.Tx, c config) error {
		out = c.answer(f.answers())
		return nil
	})
	return out, err
}

// remove answers DeleteX.
func (s *Service) remove(ctx context.Context, f family, r *api.Request) (any, error) {
	return nil, s.existing(ctx, f, r.Params, func(tx *sql.Tx, c config) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM rule_configs WHERE id = ?`, c.id); err != nil {
			return fmt.Errorf("delete the configuration: %w", err)
		}
		return nil
	})
}

// list answers ListXs, in the order of evaluation.
func (s *Service) list(ctx context.Context, f family, r *api.Request) (any, error) {
	page, err := r.Params.Page(500, 500)
	if err != nil {
		return nil, err
	}
	configs, total, answers := []map[string]any{}, int64(0), f.answers()
	err = s.store.Tx(ctx, func(tx *sql.Tx) error {
		at, err := s.place(ctx, tx, r.Params)
		if err != nil {
			return err
		}
		where, args, err := filter(f, at, r.Params)
		if err != nil {
			return err
		}
		if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM rule_configs`+where, args...).Scan(&total); err != nil {
			return fmt.Errorf("count the configurations: %w", err)
		}
		rows, err := tx.QueryContext(ctx, `SELECT `+columns+` FROM rule_configs`+where+
			` ORDER BY config_type <> 'global', sequence, id LIMIT ? OFFSET ?`, append(args, page.Size, page.Offset())...)
		if err != nil {
			return fmt.Errorf("list the configurations: %w", err)
		}
		defer rows.Close()
		for rows.Next() {
			c, err := scan(rows)
			if err != nil {
				return fmt.Errorf("read a configuration: %w", err)
			}
			configs = append(configs, c.answer(answers))
		}
		return rows.Err()
	})
	if err != nil {
		return nil, err
	}
	return map[string]any{
		"Configs": configs, "PageNumber": page.Number, "PageSize": page.Size,
		"TotalCount": total, "TotalPage": (total + page.Size - 1) / page.Size,
	}, nil
}

func filter(f family, at place, p api.Params) (where string, args []any, err error) {
	terms := []string{"site_id = ?", "site_version = ?", "family = ?"}
	args = []any{at.site, at.version, f.name}
	if kind := p.String("ConfigType"); kind != "" {
		if kind != global && kind != ruled {
			return "", nil, values.Invalid("ConfigType", "it must be global or rule, not %q", kind)
		}
		terms, args = append(terms, "config_type = ?"), append(args, kind)
	}
	if name := p.String("RuleName"); name != "" {
		terms, args = append(terms, "rule_name = ?"), append(args, name)
	}
	id, err := p.Int("ConfigId", 0)
	if err != nil {
		return "", nil, err
	}
	if id != 0 {
		terms, args = append(terms, "id = ?"), append(args, id)
	}
	return " WHERE " + strings.Join(terms, " AND "), args, nil
}
