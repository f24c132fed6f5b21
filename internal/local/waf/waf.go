// Package waf is the part of the local ESA that keeps the security rules of
// sites: rule sets by phase, and in each its rules in order.
//
// It must not know how calls arrive or are signed, nor how the edge applies a
// rule.
//
// CompileRuleError and SiteNotFound are documented codes of these operations;
// the others follow the service's patterns.
package waf

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/expression"
	"github.com/esa-mcp/esa-mcp/internal/local/quota"
	"github.com/esa-mcp/esa-mcp/internal/local/state"
	"github.com/esa-mcp/esa-mcp/internal/local/version"
)

// Config is what the service needs. The zero value of each field has a default.
type Config struct {
	// Now is the clock; time.Now if nil.
	Now func() time.Time
	// Quotas are how many rules and rule sets one phase of a site takes, and what
	// GetWafQuota reports.
	Quotas quota.Set
	// KnownVersion tells whether a site has that version of its configuration,
	// besides version 0, which all have. None has more if nil.
	KnownVersion version.Known
}

// Service answers the operations of rule sets and rules.
type Service struct {
	store *state.Store
	cfg   Config
}

// New makes the service.
func New(store *state.Store, cfg Config) *Service {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.KnownVersion == nil {
		cfg.KnownVersion = func(context.Context, *sql.Tx, int64, int64) (bool, error) { return false, nil }
	}
	return &Service{store: store, cfg: cfg}
}

// Table returns the operations.
func (s *Service) Table() api.Table {
	return api.Table{
		"BatchGetExpressionFields": s.expressionFields,
		"GetWafFilter":             s.getFilter,
		"BatchCreateWafRules":      s.batchCreate,
		"BatchUpdateWafRules":      s.batchUpdate,
		"CreateWafRule":            s.createRule,
		"CreateWafRuleset":         s.createSet,
		"DeleteWafRule":            s.deleteRule,
		"DeleteWafRuleset":         s.deleteSet,
		"GetWafQuota":              s.getQuota,
		"GetWafRule":               s.getRule,
		"GetWafRuleset":            s.getSet,
		"ListWafManagedRules":      s.listManaged,
		"ListWafPhases":            s.listPhases,
		"ListWafRules":             s.listRules,
		"ListWafRulesets":          s.listSets,
		"ListWafUsageOfRules":      s.listUsage,
		"UpdateWafRule":            s.updateRule,
		"UpdateWafRuleset":         s.updateSet,
	}
}

// UsesList tells whether the expression of any rule refers to the list of that
// name: of security or of configuration, of a route, a load balancer, a waiting
// room or the account's own rule sets.
func UsesList(ctx context.Context, tx *sql.Tx, name string) (bool, error) {
	rows, err := tx.QueryContext(ctx, `SELECT COALESCE(json_extract(config, '$.Expression'), '') FROM waf_rules WHERE instr(config, ?1) > 0
		UNION ALL SELECT rule FROM rule_configs WHERE instr(rule, ?1) > 0
		UNION ALL SELECT rule FROM routine_routes WHERE instr(rule, ?1) > 0
		UNION ALL SELECT COALESCE(json_extract(shared, '$.Expression'), '') FROM waf_rulesets WHERE instr(shared, ?1) > 0
		UNION ALL SELECT t.value FROM resources r, json_tree(r.fields) t WHERE instr(r.fields, ?1) > 0 AND t.key IN ('Rule', 'Expression') AND t.type = 'text'`, "$"+name)
	if err != nil {
		return false, fmt.Errorf("look for rules with the list %s: %w", name, err)
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return false, fmt.Errorf("read a rule: %w", err)
		}
		if slices.Contains(expression.Lists(text), name) {
			return true, nil
		}
	}
	return false, rows.Err()
}

// The phases, in the order in which a request goes through them.
const (
	phaseWhitelist = "http_whitelist"
	phaseCustom    = "http_custom"
	phaseManaged   = "http_managed"
	phaseAntiScan  = "http_anti_scan"
	phaseRateLimit = "http_ratelimit"
	phaseIPAccess  = "ip_access_rule"
	phaseBot       = "http_bot"
	phaseLevel     = "http_security_level_rule"
)

func phases() []string {
	return []string{phaseWhitelist, phaseIPAccess, phaseCustom, phaseRateLimit, phaseManaged, phaseAntiScan, phaseBot, phaseLevel}
}

func checkPhase(phase string) error {
	if !slices.Contains(phases(), phase) {
		return api.Errorf(400, "InvalidParameter.Phase", "Phase must be one of %s.", strings.Join(phases(), ", "))
	}
	return nil
}

// place is where a configuration is: a site and a version of it.
type place struct{ site, version int64 }

// at reads the place from a call.
func (s *Service) at(ctx context.Context, tx *sql.Tx, p api.Params) (place, error) {
	site, version, err := version.Asked(ctx, tx, p, s.cfg.KnownVersion)
	return place{site, version}, err
}

// config is a rule's configuration as clients send it, numbers exact.
type config map[string]any

func decodeConfig(text string) (config, error) {
	var c config
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&c); err != nil {
		return nil, fmt.Errorf("read a stored configuration: %w", err)
	}
	return c, nil
}

func (c config) text(name string) string {
	s, _ := c[name].(string)
	return s
}

// object returns a member that is an object; nil if there is none.
func (c config) object(name string) config {
	m, _ := c[name].(map[string]any)
	return m
}

// positive tells whether a member is a number above 0.
func (c config) positive(name string) bool {
	n, ok := c[name].(json.Number)
	if !ok {
		return false
	}
	f, err := n.Float64()
	return err == nil && f > 0
}

func (c config) encode() (string, error) {
	b, err := json.Marshal(c)
	if err != nil {
		return "", fmt.Errorf("encode a configuration: %w", err)
	}
	return string(b), nil
}

func (s *Service) clock() int64 { return s.cfg.Now().Unix() }

func stamp(unix int64) string { return time.Unix(unix, 0).UTC().Format(time.RFC3339) }
