package waf

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/quota"
	"github.com/esa-mcp/esa-mcp/internal/local/state"
)

// ruleset is a row of the table waf_rulesets.
type ruleset struct {
	id                  int64
	place               place
	phase, name, status string
	shared              config
	updated             int64
}

func loadSets(ctx context.Context, tx *sql.Tx, rest string, args ...any) ([]ruleset, error) {
	rows, err := tx.QueryContext(ctx, `SELECT id, site_id, site_version, phase, name, status, shared, updated FROM waf_rulesets `+rest, args...)
	if err != nil {
		return nil, fmt.Errorf("list the rule sets: %w", err)
	}
	defer rows.Close()
	var list []ruleset
	for rows.Next() {
		var t ruleset
		var shared string
		if err := rows.Scan(&t.id, &t.place.site, &t.place.version, &t.phase, &t.name, &t.status, &shared, &t.updated); err != nil {
			return nil, fmt.Errorf("read a rule set: %w", err)
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

// set loads the rule set of that id on that site.
func set(ctx context.Context, tx *sql.Tx, at place, id int64) (ruleset, error) {
	list, err := loadSets(ctx, tx, `WHERE id = ? AND site_id = ? AND site_version = ?`, id, at.site, at.version)
	if err != nil {
		return ruleset{}, err
	}
	if len(list) == 0 {
		return ruleset{}, api.Errorf(404, "InvalidRuleset.NotFound", "The site has no rule set %d.", id)
	}
	return list[0], nil
}

// firstSet is the phase's first rule set; its id is 0 if there is none.
func firstSet(ctx context.Context, tx *sql.Tx, at place, phase string) (ruleset, error) {
	list, err := loadSets(ctx, tx, `WHERE site_id = ? AND site_version = ? AND phase = ? ORDER BY id LIMIT 1`, at.site, at.version, phase)
	if err != nil || len(list) == 0 {
		return ruleset{}, err
	}
	return list[0], nil
}

func (s *Service) makeSet(ctx context.Context, tx *sql.Tx, t ruleset) (ruleset, error) {
	var used int
	err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM waf_rulesets WHERE site_id = ? AND site_version = ? AND phase = ?`,
		t.place.site, t.place.version, t.phase).Scan(&used)
	if err != nil {
		return t, fmt.Errorf("count the rule sets: %w", err)
	}
	most, err := s.cfg.Quotas.OfSite(ctx, tx, t.place.site, quota.WAFRulesets)
	if err != nil {
		return t, err
	}
	if used >= most {
		return t, api.Errorf(400, "RulesetQuotaCheckFailed", "The site has all its %d rule sets of this phase already.", most)
	}
	if t.id, err = state.NextID(ctx, tx); err != nil {
		return t, err
	}
	t.status, t.updated = "on", s.clock()
	_, err = tx.ExecContext(ctx, `INSERT INTO waf_rulesets (id, site_id, site_version, phase, name, status, updated) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		t.id, t.place.site, t.place.version, t.phase, t.name, t.status, t.updated)
	if err != nil {
		return t, fmt.Errorf("store the rule set: %w", err)
	}
	return t, nil
}

type made struct {
	ID        int64 `json:"Id"`
	RulesetID int64 `json:"RulesetId,omitempty"`
}

// createSet answers CreateWafRuleset.
func (s *Service) createSet(ctx context.Context, r *api.Request) (any, error) {
	t := ruleset{phase: r.Params.String("Phase"), name: r.Params.String("Name")}
	if err := checkPhase(t.phase); err != nil {
		return nil, err
	}
	if len(t.name) > 128 {
		return nil, api.Errorf(400, "InvalidParameter.Name", "A rule set's name has at most 128 characters.")
	}
	err := s.store.Tx(ctx, func(tx *sql.Tx) (err error) {
		if t.place, err = s.at(ctx, tx, r.Params); err != nil {
			return err
		}
		t, err = s.makeSet(ctx, tx, t)
		return err
	})
	return made{ID: t.id}, err
}

// withOne runs fn on the rule or rule set that a call names in Id; find looks it
// up.
func withOne[T any](ctx context.Context, s *Service, p api.Params, find func(context.Context, *sql.Tx, place, int64) (T, error),
	fn func(tx *sql.Tx, found T) error) error {
	id, err := p.Int("Id", 0)
	if err != nil {
		return err
	}
	return s.store.Tx(ctx, func(tx *sql.Tx) error {
		at, err := s.at(ctx, tx, p)
		if err != nil {
			return err
		}
		found, err := find(ctx, tx, at, id)
		if err != nil {
			return err
		}
		return fn(tx, found)
	})
}

// updateSet answers UpdateWafRuleset.
func (s *Service) updateSet(ctx context.Context, r *api.Request) (any, error) {
	status := r.Params.String("Status")
	if err := checkStatus(status); err != nil {
		return nil, err
	}
	return nil, withOne(ctx, s, r.Params, set, func(tx *sql.Tx, t ruleset) error {
		if _, err := tx.ExecContext(ctx, `UPDATE waf_rulesets SET status = ?, updated = ? WHERE id = ?`, status, s.clock(), t.id); err != nil {
			return fmt.Errorf("store the rule set: %w", err)
		}
		return nil
	})
}

// deleteSet answers DeleteWafRuleset; the rules go with it.
func (s *Service) deleteSet(ctx context.Context, r *api.Request) (any, error) {
	return nil, withOne(ctx, s, r.Params, set, func(tx *sql.Tx, t ruleset) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM waf_rulesets WHERE id = ?`, t.id); err != nil {
			return fmt.Errorf("delete the rule set: %w", err)
		}
		return nil
	})
}

// getSet answers GetWafRuleset, by Id or as the first of a phase.
func (s *Service) getSet(ctx context.Context, r *api.Request) (any, error) {
	out := struct {
		ID          int64 `json:"Id"`
		Name, Phase string
		Rules       []config
		Shared      config `json:",omitempty"`
		Status      string
		UpdateTime  string
	}{}
	id, err := r.Params.Int("Id", 0)
	if err != nil {
		return nil, err
	}
	err = s.store.Tx(ctx, func(tx *sql.Tx) error {
		at, err := s.at(ctx, tx, r.Params)
		if err != nil {
			return err
		}
		if id == 0 {
			if err := checkPhase(r.Params.String("Phase")); err != nil {
				return err
			}
			first, err := firstSet(ctx, tx, at, r.Params.String("Phase"))
			if err != nil {
				return err
			}
			id = first.id
		}
		t, err := set(ctx, tx, at, id)
		if err != nil {
			return err
		}
		out.ID, out.Name, out.Phase, out.Shared, out.Status, out.UpdateTime = t.id, t.name, t.phase, t.shared, t.status, stamp(t.updated)
		out.Rules, err = configs(ctx, tx, t.id)
		return err
	})
	return out, err
}

// configs are the configurations of a rule set's rules, in order.
func configs(ctx context.Context, tx *sql.Tx, id int64) ([]config, error) {
	list, err := loadRules(ctx, tx, `WHERE r.ruleset_id = ? ORDER BY r.position`, id)
	out := []config{}
	for _, t := range list {
		out = append(out, t.shown())
	}
	return out, err
}

type setModel struct {
	ID          int64 `json:"Id"`
	Name, Phase string
	Status      string
	Types       []string
	UpdateTime  string
}

type listArgs struct {
	Desc                                                            bool
	AnyLike, ConfigValueLike, IDNameLike, NameLike, OrderBy, Status string
	ID                                                              int64
}

// listSets answers ListWafRulesets.
func (s *Service) listSets(ctx context.Context, r *api.Request) (any, error) {
	page, err := r.Params.Page(20, 500)
	if err != nil {
		return nil, err
	}
	var args listArgs
	if _, err := r.Params.JSON("QueryArgs", &args); err != nil {
		return nil, err
	}
	phase := r.Params.String("Phase")
	if phase != "" {
		if err := checkPhase(phase); err != nil {
			return nil, err
		}
	}
	out := struct {
		InstanceUsage        int64
		PageNumber, PageSize int64
		Rulesets             []setModel
		SiteUsage            int64
		TotalCount           int64
	}{PageNumber: page.Number, PageSize: page.Size, Rulesets: []setModel{}}
	err = s.store.Tx(ctx, func(tx *sql.Tx) error {
		at, err := s.at(ctx, tx, r.Params)
		if err != nil {
			return err
		}
		list, err := loadSets(ctx, tx, `WHERE site_id = ? AND site_version = ? AND (? = '' OR phase = ?) ORDER BY id`, at.site, at.version, phase, phase)
		if err != nil {
			return err
		}
		out.SiteUsage, out.InstanceUsage = int64(len(list)), int64(len(list))
		if args.Desc {
			slices.Reverse(list)
		}
		for _, t := range list {
			if !strings.Contains(t.name, args.NameLike) || !strings.Contains(fmt.Sprint(t.id, t.name), args.AnyLike) {
				continue
			}
			if out.TotalCount >= page.Offset() && int64(len(out.Rulesets)) < page.Size {
				m := setModel{ID: t.id, Name: t.name, Phase: t.phase, Status: t.status, UpdateTime: stamp(t.updated)}
				if m.Types, err = typesOf(ctx, tx, t.id); err != nil {
					return err
				}
				out.Rulesets = append(out.Rulesets, m)
			}
			out.TotalCount++
		}
		return nil
	})
	return out, err
}

func typesOf(ctx context.Context, tx *sql.Tx, id int64) ([]string, error) {
	all, err := configs(ctx, tx, id)
	types := []string{}
	for _, c := range all {
		if t := c.text("Type"); t != "" && !slices.Contains(types, t) {
			types = append(types, t)
		}
	}
	return types, err
}

type phaseSet struct {
	ID     int64 `json:"Id"`
	Name   string
	Rules  []config
	Shared config `json:",omitempty"`
}

type phaseModel struct {
	Phase    string
	Rulesets []phaseSet
}

// listPhases answers ListWafPhases: everything there is.
func (s *Service) listPhases(ctx context.Context, r *api.Request) (any, error) {
	out := struct{ Phases []phaseModel }{}
	err := s.store.Tx(ctx, func(tx *sql.Tx) error {
		at, err := s.at(ctx, tx, r.Params)
		if err != nil {
			return err
		}
		for _, phase := range phases() {
			m := phaseModel{Phase: phase, Rulesets: []phaseSet{}}
			list, err := loadSets(ctx, tx, `WHERE site_id = ? AND site_version = ? AND phase = ? ORDER BY id`, at.site, at.version, phase)
			if err != nil {
				return err
			}
			for _, t := range list {
				all, err := configs(ctx, tx, t.id)
				if err != nil {
					return err
				}
				m.Rulesets = append(m.Rulesets, phaseSet{t.id, t.name, all, t.shared})
			}
			out.Phases = append(out.Phases, m)
		}
		return nil
	})
	return out, err
}
