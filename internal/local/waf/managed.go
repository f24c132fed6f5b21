package waf

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/quota"
)

// attackTypes are the kinds of attack that managed rules know, in the order in
// which the service documents them, from 11 on. Their rules here are stand-ins:
// the service's own are many, and theirs.
func attackTypes() []string {
	return []string{"SQL injection", "Cross-site scripting", "Code execution", "CRLF injection", "Local file inclusion",
		"Remote file inclusion", "Webshell", "Cross-site request forgery", "Other", "Semantic analysis"}
}

const (
	firstAttackType = 11
	maxLevel        = 4 // protection levels: 1 loose, 2 medium, 3 strict, 4 super strict
)

type managedRule struct {
	Action          string
	ID              int64 `json:"Id"`
	Name            string
	ProtectionLevel int64
	Status          string
}

// managedRulesOf makes the rules of an attack type, one of each level: off as
// long as no rule set turns them on.
func managedRulesOf(attack int64) []managedRule {
	names := attackTypes()
	if attack < firstAttackType || attack >= firstAttackType+int64(len(names)) {
		return nil
	}
	var list []managedRule
	for level := int64(1); level <= maxLevel; level++ {
		list = append(list, managedRule{Action: "deny", ID: attack*10_000 + level, ProtectionLevel: level, Status: "off",
			Name: fmt.Sprintf("%s %d", names[attack-firstAttackType], level)})
	}
	return list
}

// managedSet is what the configuration of a rule says of one attack type.
type managedSet struct {
	Action                      string
	AttackType, ProtectionLevel int64
	ManagedRules                []struct {
		Action, Status string
		ID             int64 `json:"Id"`
	}
}

// apply turns rules on as the set says: those of its level and the looser ones,
// and then each as it is named.
func (m managedSet) apply(list []managedRule) {
	for i := range list {
		r := &list[i]
		if r.ProtectionLevel <= m.ProtectionLevel {
			r.Status = "on"
		}
		if m.Action != "" {
			r.Action = m.Action
		}
		for _, own := range m.ManagedRules {
			if own.ID != r.ID {
				continue
			}
			if own.Status != "" {
				r.Status = own.Status
			}
			if own.Action != "" {
				r.Action = own.Action
			}
		}
	}
}

// setOf finds what a rule's configuration says of an attack type.
func (c config) setOf(attack int64) (managedSet, bool) {
	var sets []managedSet
	raw, err := json.Marshal(c["ManagedRulesets"])
	if err != nil || json.Unmarshal(raw, &sets) != nil {
		return managedSet{}, false
	}
	i := slices.IndexFunc(sets, func(m managedSet) bool { return m.AttackType == attack })
	if i < 0 {
		return managedSet{}, false
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
	attack, err := r.Params.Int("AttackType", 0)
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
	list := managedRulesOf(attack)
	if list == nil {
		return nil, api.Errorf(400, "InvalidParameter.AttackType", "AttackType must be %d to %d.", firstAttackType, firstAttackType+len(attackTypes())-1)
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
			if set, ok := owners[0].config.setOf(attack); ok {
				set.apply(list)
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
