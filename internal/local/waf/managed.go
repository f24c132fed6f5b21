package waf

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/attack"
	"github.com/esa-mcp/esa-mcp/internal/local/quota"
)

type managedRule struct {
	Action          string
	ID              int64 `json:"Id"`
	Name            string
	ProtectionLevel int64
	Status          string
}

// managedRules are rules as ListWafManagedRules shows them.
func managedRules(states []attack.State) []managedRule {
	var list []managedRule
	for _, r := range states {
		status := "off"
		if r.On {
			status = "on"
		}
		list = append(list, managedRule{Action: r.Action, ID: r.ID, Name: r.Name, ProtectionLevel: r.Level, Status: status})
	}
	return list
}

// setOf finds what a rule's configuration says of an attack type.
func (c config) setOf(kind int64) (attack.Set, bool) {
	var sets []attack.Set
	raw, err := json.Marshal(c["ManagedRulesets"])
	if err != nil || json.Unmarshal(raw, &sets) != nil {
		return attack.Set{}, false
	}
	i := slices.IndexFunc(sets, func(m attack.Set) bool { return m.AttackType == kind })
	if i < 0 {
		return attack.Set{}, false
	}
	return sets[i], true
}

type managedArgs struct {
	Action, IDNameLike, Status string
	ProtectionLevels           []int64
}

func (f managedArgs) fits(r managedRule) bool {
	return (f.Action == "" || f.Action == r.Action) && (f.Status == "" || f.Status == r.Status) &&
		(len(f.ProtectionLevels) == 0 || slices.Contains(f.ProtectionLevels, r.ProtectionLevel)) &&
		strings.Contains(fmt.Sprint(r.ID, " ", r.Name), f.IDNameLike)
}

// listManaged answers ListWafManagedRules: the managed rules of an attack type,
// as the rule Id of the site sets them, or its first managed one.
func (s *Service) listManaged(ctx context.Context, r *api.Request) (any, error) {
	page, err := r.Params.Page(20, 500)
	if err != nil {
		return nil, err
	}
	kind, err := r.Params.Int("AttackType", 0)
	if err != nil {
		return nil, err
	}
	id, err := r.Params.Int("Id", 0)
	if err != nil {
		return nil, err
	}
	var args managedArgs
	if _, err := r.Params.JSON("QueryArgs", &args); err != nil {
		return nil, err
	}
	list := managedRules(attack.States(kind))
	if list == nil {
		return nil, api.Errorf(400, "InvalidParameter.AttackType", "AttackType must be %d to %d.", attack.FirstType, attack.FirstType+len(attack.Types())-1)
	}
	out := struct {
		PageNumber, PageSize int64
		Rules                []managedRule
		TotalCount           int64
	}{PageNumber: page.Number, PageSize: page.Size, Rules: []managedRule{}}
	err = s.store.Tx(ctx, func(tx *sql.Tx) error {
		at, err := s.at(ctx, tx, r.Params)
		if err != nil {
			return err
		}
		owners, err := loadRules(ctx, tx, `WHERE s.site_id = ? AND s.site_version = ? AND s.phase = ? AND (? = 0 OR r.id = ?) ORDER BY r.id LIMIT 1`,
			at.site, at.version, phaseManaged, id, id)
		if err != nil {
			return err
		}
		if id != 0 && len(owners) == 0 {
			return api.Errorf(404, "InvalidRule.NotFound", "The site has no managed WAF rule %d.", id)
		}
		if len(owners) == 1 && owners[0].status == "on" {
			if set, ok := owners[0].config.setOf(kind); ok {
				list = managedRules(set.States())
			}
		}
		return nil
	})
	for _, m := range list {
		if !args.fits(m) {
			continue
		}
		if out.TotalCount >= page.Offset() && int64(len(out.Rules)) < page.Size {
			out.Rules = append(out.Rules, m)
		}
		out.TotalCount++
	}
	return out, err
}

// most is a bound as GetWafQuota writes it.
type most struct{ LessThanOrEqual int }

// getQuota answers GetWafQuota: all parts, or those that Paths names.
func (s *Service) getQuota(_ context.Context, r *api.Request) (any, error) {
	numbers := func(n int) map[string]any { return map[string]any{"Enable": n > 0, "NumberTotal": most{n}} }
	of := func(kind string) int { return s.cfg.Quotas.Of("", kind) }
	list := numbers(of(quota.Lists))
	list["NumberItemsPerList"], list["NumberItemsTotal"] = most{of(quota.ListItems)}, most{of(quota.Lists) * of(quota.ListItems)}
	all := map[string]struct {
		name  string
		value map[string]any
	}{
		"list":                {"List", list},
		"managed_rules_group": {"ManagedRulesGroup", numbers(0)},
		"page":                {"Page", numbers(of(quota.Pages))},
		"scene_policy":        {"ScenePolicy", numbers(of(quota.ScenePolicies))},
	}
	parts := map[string]any{}
	for path, part := range all {
		if wanted := r.Params.String("Paths"); wanted == "" || slices.Contains(strings.Split(wanted, ","), path) {
			parts[part.name] = part.value
		}
	}
	return struct{ Quota map[string]any }{parts}, nil
}

// listUsage answers ListWafUsageOfRules: how many rules of a phase, or of all,
// each site has.
func (s *Service) listUsage(ctx context.Context, r *api.Request) (any, error) {
	phase := r.Params.String("Phase")
	if phase != "" {
		if err := checkPhase(phase); err != nil {
			return nil, err
		}
	}
	only, err := r.Params.Int("SiteId", 0)
	if err != nil {
		return nil, err
	}
	type usage struct {
		ID    int64 `json:"Id"`
		Name  string
		Usage int64
	}
	out := struct {
		BatchConfigUsage, InstanceUsage int64
		Sites                           []usage
	}{Sites: []usage{}}
	rows, err := s.store.DB().QueryContext(ctx, `SELECT t.id, t.name, COUNT(*) FROM waf_rules r JOIN waf_rulesets s ON s.id = r.ruleset_id
		JOIN sites t ON t.id = s.site_id WHERE (? = '' OR s.phase = ?) AND (? = 0 OR t.id = ?) GROUP BY t.id ORDER BY t.id`, phase, phase, only, only)
	if err != nil {
		return nil, fmt.Errorf("count the rules: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var u usage
		if err := rows.Scan(&u.ID, &u.Name, &u.Usage); err != nil {
			return nil, fmt.Errorf("read a count: %w", err)
		}
		out.Sites, out.InstanceUsage = append(out.Sites, u), out.InstanceUsage+u.Usage
	}
	return out, rows.Err()
}
