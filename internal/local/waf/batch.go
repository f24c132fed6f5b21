package waf

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
)

// batch is what a batch call brings.
type batch struct {
	configs []config
	shared  config
}

func readBatch(p api.Params) (batch, error) {
	var b batch
	if _, err := p.JSON("Configs", &b.configs); err != nil {
		return b, err
	}
	if _, err := p.JSON("Shared", &b.shared); err != nil {
		return b, err
	}
	if len(b.configs) == 0 && b.shared == nil {
		return b, api.Errorf(400, "MissingConfigs", "Configs is mandatory for this action.")
	}
	for i, c := range b.configs {
		if c == nil {
			return b, api.Errorf(400, "InvalidConfigs", "Each of Configs must be an object.")
		}
		var err error
		if b.configs[i], err = typed("WafRuleConfig", fmt.Sprintf("Configs[%d]", i), c); err != nil {
			return b, err
		}
	}
	if b.shared == nil {
		return b, nil
	}
	shared, err := typed("WafBatchRuleShared", "Shared", b.shared)
	b.shared = shared
	return b, err
}

// share stores what the rules of a set have in common.
func (s *Service) share(ctx context.Context, tx *sql.Tx, t *ruleset, shared config) error {
	if shared == nil {
		return nil
	}
	text, err := shared.encode()
	if err != nil {
		return err
	}
	t.shared = shared
	if name := shared.text("Name"); name != "" {
		t.name = name
	}
	if _, err := tx.ExecContext(ctx, `UPDATE waf_rulesets SET shared = ?, name = ?, updated = ? WHERE id = ?`, text, t.name, s.clock(), t.id); err != nil {
		return fmt.Errorf("store what the rules share: %w", err)
	}
	return nil
}

// batchCreate answers BatchCreateWafRules: all rules or none.
func (s *Service) batchCreate(ctx context.Context, r *api.Request) (any, error) {
	b, err := readBatch(r.Params)
	if err != nil {
		return nil, err
	}
	out := struct {
		IDs       []int64 `json:"Ids"`
		RulesetID int64   `json:"RulesetId"`
	}{IDs: []int64{}}
	err = s.store.Tx(ctx, func(tx *sql.Tx) error {
		t, err := s.target(ctx, tx, r.Params)
		if err != nil {
			return err
		}
		if err := s.share(ctx, tx, &t, b.shared); err != nil {
			return err
		}
		out.RulesetID = t.id
		for i, c := range b.configs {
			id, err := s.add(ctx, tx, t, c)
			if err != nil {
				return atIndex(err, i)
			}
			out.IDs = append(out.IDs, id)
		}
		return nil
	})
	return out, err
}

// batchUpdate answers BatchUpdateWafRules: each configuration replaces that of
// the rule its Id names; all or none.
func (s *Service) batchUpdate(ctx context.Context, r *api.Request) (any, error) {
	b, err := readBatch(r.Params)
	if err != nil {
		return nil, err
	}
	return nil, s.store.Tx(ctx, func(tx *sql.Tx) error {
		t, err := s.target(ctx, tx, r.Params)
		if err != nil {
			return err
		}
		if err := s.share(ctx, tx, &t, b.shared); err != nil {
			return err
		}
		for i, c := range b.configs {
			if err := s.replace(ctx, tx, t, c); err != nil {
				return atIndex(err, i)
			}
		}
		return nil
	})
}

func (s *Service) replace(ctx context.Context, tx *sql.Tx, t ruleset, c config) error {
	number, _ := c["Id"].(json.Number)
	id, err := number.Int64()
	if err != nil {
		return api.Errorf(400, "InvalidConfigs", "A configuration needs the Id of its rule.")
	}
	old, err := one(ctx, tx, t.place, id)
	if err != nil {
		return err
	}
	if old.setID != t.id {
		return api.Errorf(404, "InvalidRule.NotFound", "The rule set %d has no rule %d.", t.id, id)
	}
	if c["Status"] == nil {
		c["Status"] = old.status
	}
	if err := check(ctx, tx, t, c); err != nil {
		return err
	}
	return s.put(ctx, tx, id, c)
}

// atIndex says which of a batch was refused.
func atIndex(err error, i int) error {
	var e *api.Error
	if errors.As(err, &e) {
		return api.Errorf(e.Status, e.Code, "Configs[%d]: %s", i, e.Message)
	}
	return err
}
