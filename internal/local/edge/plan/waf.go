package plan

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/local/attack"
	"github.com/esa-mcp/esa-mcp/internal/rule"
)

// The phases of security rules that the edge applies.
const (
	PhaseWhitelist = "http_whitelist"
	PhaseIPAccess  = "ip_access_rule"
	PhaseCustom    = "http_custom"
	PhaseRateLimit = "http_ratelimit"
	PhaseManaged   = "http_managed"
	PhaseAntiScan  = "http_anti_scan"
	PhaseBot       = "http_bot"
	PhaseLevel     = "http_security_level_rule"
)

// Phases are those that come after the whitelist, in their order.
func Phases() []string {
	return []string{PhaseIPAccess, PhaseCustom, PhaseRateLimit, PhaseManaged, PhaseAntiScan, PhaseBot, PhaseLevel}
}

// SecurityRule is a security rule that is switched on.
type SecurityRule struct {
	ID     int64
	Phase  string
	Name   string
	When   Condition
	Action string // deny, js, monitor ...
	// Code and Page are what a denied request is answered with; 0: 403 and the
	// edge's own page.
	Code int
	Page int64
	// SkipAll, SkipPhases and SkipRules are what a whitelist rule lets a request
	// past.
	SkipAll    bool
	SkipPhases []string
	SkipRules  []int64
	// SkipManaged and SkipTypes are managed rules by id, and by kind of attack.
	SkipManaged []int64
	SkipTypes   []string
	Limit       *RateLimit       // of a rate limiting rule, or one against scans
	Managed     map[int64]string // actions of the managed rules that are on
	Bots        string           // the class of bots that a rule is for; empty: it is for no bots
	Static      bool             // of a rule for bots: also for static files
	Scanners    bool             // is for known scanners
}

// RateLimit counts requests by what they have in common.
type RateLimit struct {
	By       []string // fields whose values make the counter: ip.src
	Interval time.Duration
	TTL      time.Duration // for how long the action lasts
	Requests int           // more than these in an interval; 0: no such threshold
	// Status and Count are the threshold of answers with a status; 0: none.
	Status, Count int
	// Ratio is how many percent of the requests had the status; 0: it does not
	// matter. Blocked and Distinct are the requests that managed rules stopped, and
	// how many rules did.
	Ratio, Blocked, Distinct int
}

// Scans tells whether the limit goes by what visitors got, all thresholds
// together, and not by a count alone.
func (l *RateLimit) Scans() bool { return l.Ratio > 0 || l.Blocked > 0 || l.Distinct > 0 }

// securityConfig is a rule's configuration as it is stored.
type securityConfig struct {
	Name, Expression, Action, Type, Value string
	ManagedList                           string
	ManagedRulesets                       []attack.Set
	SecurityLevel                         struct{ Value string }
	Actions                               struct {
		Response struct {
			Code int
			ID   int64 `json:"Id"`
		}
		Bypass struct {
			Skip         string
			Tags         []string
			CustomRules  []int64
			RegularRules []int64
			RegularTypes []string
		}
	}
	RateLimit *struct {
		Interval, TTL   int
		Characteristics criteria
		Threshold       struct {
			Request              int
			ResponseStatus       struct{ Code, Count, Ratio int }
			ManagedRulesBlocked  int
			DistinctManagedRules int
		}
	}
}

type criteria struct {
	MatchType string
	Criteria  []criteria
}

func (c criteria) fields() []string {
	var list []string
	if c.MatchType != "" {
		list = append(list, c.MatchType)
	}
	for _, one := range c.Criteria {
		list = append(list, one.fields()...)
	}
	return list
}

// loadSecurity reads the rules of a site by phase, in their order.
func loadSecurity(ctx context.Context, q querier, siteID, number int64) (map[string][]*SecurityRule, error) {
	rows, err := q.QueryContext(ctx, `SELECT r.id, s.phase, r.name, r.config, s.shared FROM waf_rules r JOIN waf_rulesets s ON s.id = r.ruleset_id
		WHERE s.site_id = ? AND s.site_version = ? AND s.status = 'on' AND r.status = 'on' ORDER BY s.id, r.position`, siteID, number)
	if err != nil {
		return nil, fmt.Errorf("list the security rules of site %d: %w", siteID, err)
	}
	defer rows.Close()
	phases := map[string][]*SecurityRule{}
	for rows.Next() {
		t := &SecurityRule{}
		var config, shared string
		if err := rows.Scan(&t.ID, &t.Phase, &t.Name, &config, &shared); err != nil {
			return nil, fmt.Errorf("read a security rule of site %d: %w", siteID, err)
		}
		acts, err := t.decode(shared, config)
		if err != nil {
			return nil, fmt.Errorf("read the security rule %d: %w", t.ID, err)
		}
		if acts {
			phases[t.Phase] = append(phases[t.Phase], t)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("list the security rules of site %d: %w", siteID, err)
	}
	return addSettings(ctx, q, siteID, phases)
}

// decode reads a configuration over what the rules of its set have in common, and
// reports whether the rule has an effect here.
func (t *SecurityRule) decode(texts ...string) (acts bool, err error) {
	var c securityConfig
	for _, text := range texts {
		if text == "" {
			continue
		}
		if err := json.Unmarshal([]byte(text), &c); err != nil {
			return false, err
		}
	}
	t.When, t.Action = compile(c.Expression), c.Action
	if t.Phase == PhaseIPAccess {
		t.When = visitorIs(c.Type, c.Value)
	}
	t.Code, t.Page = c.Actions.Response.Code, c.Actions.Response.ID
	skip := c.Actions.Bypass
	t.SkipAll, t.SkipPhases, t.SkipRules = skip.Skip != "part", skip.Tags, skip.CustomRules
	t.SkipManaged, t.SkipTypes = skip.RegularRules, skip.RegularTypes
	if l := c.RateLimit; l != nil {
		t.Limit = &RateLimit{By: l.Characteristics.fields(), Interval: time.Duration(l.Interval) * time.Second, TTL: time.Duration(l.TTL) * time.Second,
			Requests: l.Threshold.Request, Status: l.Threshold.ResponseStatus.Code, Count: l.Threshold.ResponseStatus.Count,
			Ratio: l.Threshold.ResponseStatus.Ratio, Blocked: l.Threshold.ManagedRulesBlocked, Distinct: l.Threshold.DistinctManagedRules}
	}
	return t.special(c), nil
}

// visitorIs is the condition of an IP access rule: an address or a network, an AS
// number, or a country or region.
func visitorIs(kind, value string) Condition {
	switch kind {
	case "", "ip":
		if ip, err := netip.ParseAddr(value); err == nil {
			return Condition{test: func(r *rule.Request) bool { return r.ClientIP == ip.Unmap() }}
		}
		network, err := netip.ParsePrefix(value)
		if err != nil {
			return Condition{}
		}
		return Condition{test: func(r *rule.Request) bool { return network.Contains(r.ClientIP) }}
	case "asn":
		n, err := strconv.ParseInt(strings.TrimPrefix(strings.ToUpper(value), "AS"), 10, 64)
		if err != nil {
			return Condition{}
		}
		return Condition{test: func(r *rule.Request) bool { return r.ASN == n }}
	}
	return Condition{test: func(r *rule.Request) bool {
		return strings.EqualFold(r.Country, value) || strings.EqualFold(r.Region, value) || strings.EqualFold(r.Continent, value)
	}}
}
