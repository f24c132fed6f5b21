package waf

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/quota"
	"github.com/esa-mcp/esa-mcp/internal/local/state"
)

// rule is a row of the table waf_rules, with what its rule set says.
type rule struct {
	id, setID    int64
	place        place
	phase        string
	position     int64
	name, status string
	config       config
	shared       config
	updated      int64
}

// shown is the configuration as answers have it.
func (t rule) shown() config {
	c := config{}
	for name, v := range t.config {
		c[name] = v
	}
	c["Id"] = json.Number(strconv.FormatInt(t.id, 10))
	c["Name"], c["Status"] = t.name, t.status
	return c
}

func loadRules(ctx context.Context, tx *sql.Tx, rest string, args ...any) ([]rule, error) {
	rows, err := tx.QueryContext(ctx, `SELECT r.id, r.ruleset_id, s.site_id, s.site_version, s.phase, r.position, r.name, r.status, r.config, s.shared, r.updated
		FROM waf_rules r JOIN waf_rulesets s ON s.id = r.ruleset_id `+rest, args...)
	if err != nil {
		return nil, fmt.Errorf("list the rules: %w", err)
	}
	defer rows.Close()
	var list []rule
	for rows.Next() {
		var t rule
		var text, shared string
		if err := rows.Scan(&t.id, &t.setID, &t.place.site, &t.place.version, &t.phase, &t.position, &t.name, &t.status, &text, &shared, &t.updated); err != nil {
			return nil, fmt.Errorf("read a rule: %w", err)
		}
		if t.config, err = decodeConfig(text); err != nil {
			return nil, err
		}
		if shared != "" {
			if t.shared, err = decodeConfig(shared); err != nil {
				return nil, err
			}
		}
		list = append(list, t)
	}
	return list, rows.Err()
}

// one loads the rule of that id on that site.
func one(ctx context.Context, tx *sql.Tx, at place, id int64) (rule, error) {
	list, err := loadRules(ctx, tx, `WHERE r.id = ? AND s.site_id = ? AND s.site_version = ?`, id, at.site, at.version)
	if err != nil {
		return rule{}, err
	}
	if len(list) == 0 {
		return rule{}, api.Errorf(404, "InvalidRule.NotFound", "The site has no WAF rule %d.", id)
	}
	return list[0], nil
}

// target finds the rule set that a creation goes to: the named one, or the
// phase's first, which is made if need be.
func (s *Service) target(ctx context.Context, tx *sql.Tx, p api.Params) (ruleset, error) {
	at, err := s.at(ctx, tx, p)
	if err != nil {
		return ruleset{}, err
	}
	id, err := p.Int("RulesetId", 0)
	if err != nil {
		return ruleset{}, err
	}
	phase := p.String("Phase")
	if id != 0 {
		t, err := set(ctx, tx, at, id)
		if err == nil && phase != "" && phase != t.phase {
			err = api.Errorf(400, "InvalidParameter.Phase", "The rule set %d is of the phase %s, not %s.", id, t.phase, phase)
		}
		return t, err
	}
	if err := checkPhase(phase); err != nil {
		return ruleset{}, err
	}
	t, err := firstSet(ctx, tx, at, phase)
	if err != nil || t.id != 0 {
		return t, err
	}
	return s.makeSet(ctx, tx, ruleset{place: at, phase: phase})
}

// add stores a rule at the end of its set.
func (s *Service) add(ctx context.Context, tx *sql.Tx, t ruleset, c config) (int64, error) {
	if err := check(ctx, tx, t, c); err != nil {
		return 0, err
	}
	var used int
	err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM waf_rules r JOIN waf_rulesets s ON s.id = r.ruleset_id
		WHERE s.site_id = ? AND s.site_version = ? AND s.phase = ?`, t.place.site, t.place.version, t.phase).Scan(&used)
	if err != nil {
		return 0, fmt.Errorf("count the rules: %w", err)
	}
	most, err := s.cfg.Quotas.OfSite(ctx, tx, t.place.site, quota.WAFRules)
	if err != nil {
		return 0, err
	}
	if used >= most {
		return 0, api.Errorf(400, "RuleQuotaCheckFailed", "The site has all its %d rules of this phase already.", most)
	}
	id, err := state.NextID(ctx, tx)
	if err != nil {
		return 0, err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO waf_rules (id, ruleset_id, position, name, status, config, updated)
		VALUES (?, ?, (SELECT COUNT(*) + 1 FROM waf_rules WHERE ruleset_id = ?), '', '', '', 0)`, id, t.id, t.id)
	if err != nil {
		return 0, fmt.Errorf("store the rule: %w", err)
	}
	return id, s.put(ctx, tx, id, c)
}

// put stores the checked configuration of a rule that exists.
func (s *Service) put(ctx context.Context, tx *sql.Tx, id int64, c config) error {
	name, status := c.text("Name"), c.text("Status")
	delete(c, "Id")
	text, err := c.encode()
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE waf_rules SET name = ?, status = ?, config = ?, updated = ? WHERE id = ?`, name, status, text, s.clock(), id)
	if err != nil {
		return fmt.Errorf("store the rule: %w", err)
	}
	return nil
}

func readConfig(p api.Params) (config, error) {
	var c config
	sent, err := p.JSON("Config", &c)
	if err != nil || !sent {
		return nil, err
	}
	if c == nil {
		return nil, api.Errorf(400, "InvalidConfig", "Config must be an object.")
	}
	return typed("WafRuleConfig", "Config", c)
}

// createRule answers CreateWafRule.
func (s *Service) createRule(ctx context.Context, r *api.Request) (any, error) {
	c, err := readConfig(r.Params)
	if err != nil {
		return nil, err
	}
	if c == nil {
		return nil, api.Errorf(400, "MissingConfig", "Config is mandatory for this action.")
	}
	var out made
	err = s.store.Tx(ctx, func(tx *sql.Tx) error {
		t, err := s.target(ctx, tx, r.Params)
		if err != nil {
			return err
		}
		out.RulesetID = t.id
		out.ID, err = s.add(ctx, tx, t, c)
		return err
	})
	return out, err
}

// updateRule answers UpdateWafRule: a new configuration, status or position.
func (s *Service) updateRule(ctx context.Context, r *api.Request) (any, error) {
	c, err := readConfig(r.Params)
	if err != nil {
		return nil, err
	}
	position, err := r.Params.Int("Position", 0)
	if err != nil {
		return nil, err
	}
	var out made
	err = withOne(ctx, s, r.Params, one, func(tx *sql.Tx, t rule) error {
		out.ID = t.id
		if c == nil {
			c = t.config
		} else if c["Status"] == nil {
			c["Status"] = t.status
		}
		if status := r.Params.String("Status"); status != "" {
			c["Status"] = status
		}
		if err := check(ctx, tx, ruleset{place: t.place, phase: t.phase, shared: t.shared}, c); err != nil {
			return err
		}
		if err := s.put(ctx, tx, t.id, c); err != nil {
			return err
		}
		if position == 0 {
			return nil
		}
		return move(ctx, tx, t, position)
	})
	return out, err
}

// move gives a rule another position; those between shift by one.
func move(ctx context.Context, tx *sql.Tx, t rule, to int64) error {
	var last int64
	if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM waf_rules WHERE ruleset_id = ?`, t.setID).Scan(&last); err != nil {
		return fmt.Errorf("count the rules: %w", err)
	}
	if to < 1 || to > last {
		return api.Errorf(400, "InvalidParameter.Position", "Position must be between 1 and %d.", last)
	}
	_, err := tx.ExecContext(ctx, `UPDATE waf_rules SET position = CASE
		WHEN id = ?1 THEN ?2
		WHEN position > ?3 AND position <= ?2 THEN position - 1
		WHEN position < ?3 AND position >= ?2 THEN position + 1
		ELSE position END WHERE ruleset_id = ?4`, t.id, to, t.position, t.setID)
	if err != nil {
		return fmt.Errorf("move the rule: %w", err)
	}
	return nil
}

// deleteRule answers DeleteWafRule.
func (s *Service) deleteRule(ctx context.Context, r *api.Request) (any, error) {
	return nil, withOne(ctx, s, r.Params, one, func(tx *sql.Tx, t rule) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM waf_rules WHERE id = ?`, t.id); err != nil {
			return fmt.Errorf("delete the rule: %w", err)
		}
		_, err := tx.ExecContext(ctx, `UPDATE waf_rules SET position = position - 1 WHERE ruleset_id = ? AND position > ?`, t.setID, t.position)
		if err != nil {
			return fmt.Errorf("close the gap: %w", err)
		}
		return nil
	})
}

// getRule answers GetWafRule.
func (s *Service) getRule(ctx context.Context, r *api.Request) (any, error) {
	out := struct {
		Config      config
		ID          int64 `json:"Id"`
		Name, Phase string
		Position    int64
		RulesetID   int64 `json:"RulesetId"`
		Status      string
		UpdateTime  string
	}{}
	err := withOne(ctx, s, r.Params, one, func(_ *sql.Tx, t rule) error {
		out.Config, out.ID, out.Name, out.Phase = t.shown(), t.id, t.name, t.phase
		out.Position, out.RulesetID, out.Status, out.UpdateTime = t.position, t.setID, t.status, stamp(t.updated)
		return nil
	})
	return out, err
}
