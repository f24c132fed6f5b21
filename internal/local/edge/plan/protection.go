package plan

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// The classes of visitors that are programs, as the settings of bots name them.
const (
	BotsDefinite = "definite"
	BotsLikely   = "likely"
	BotsVerified = "verified" // crawlers of search engines
)

// wafSettings are a site's settings for all phases, as far as they act here.
type wafSettings struct {
	BotManagement struct {
		DefiniteBots, LikelyBots, VerifiedBots struct {
			Action string
			ID     int64 `json:"Id"`
		}
		EffectOnStatic struct{ Enable bool }
	}
	SecurityLevel         struct{ Value string }
	DisableSecurityModule struct{ Status string }
}

// addSettings adds the rules that the site's settings are, or takes all away if
// they switch security off.
func addSettings(ctx context.Context, q querier, siteID int64, phases map[string][]*SecurityRule) (map[string][]*SecurityRule, error) {
	var text string
	err := q.QueryRowContext(ctx, `SELECT fields FROM resources WHERE kind = 'setting/SiteWafSettings' AND site_id = ?`, siteID).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return phases, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look up the security settings of site %d: %w", siteID, err)
	}
	var s wafSettings
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return nil, fmt.Errorf("read the security settings of site %d: %w", siteID, err)
	}
	if s.DisableSecurityModule.Status == "on" {
		return nil, nil
	}
	b := s.BotManagement
	for class, one := range map[string]struct {
		Action string
		ID     int64 `json:"Id"`
	}{BotsDefinite: b.DefiniteBots, BotsLikely: b.LikelyBots, BotsVerified: b.VerifiedBots} {
		if one.Action != "" {
			t := &SecurityRule{ID: one.ID, Phase: PhaseBot, Name: class + " bots", When: everything(), Action: one.Action, Bots: class, Static: b.EffectOnStatic.Enable}
			if t.ID == 0 {
				t.ID = siteID
			}
			phases[PhaseBot] = append(phases[PhaseBot], t) // a visitor is of one class, so their order does not matter
		}
	}
	if s.SecurityLevel.Value == underAttack {
		phases[PhaseLevel] = append(phases[PhaseLevel], &SecurityRule{ID: siteID, Phase: PhaseLevel, Name: underAttack, When: everything(), Action: "js"})
	}
	return phases, nil
}

// underAttack is the security level at which every browser is checked. Lower ones
// go by what the service knows of an address.
const underAttack = "under_attack"

// special completes a rule of a phase that is not about conditions alone. It
// reports false for one that has no effect here: it goes by what only the
// service knows.
func (t *SecurityRule) special(c securityConfig) bool {
	if c.Expression == "" && (t.Phase == PhaseManaged || t.Phase == PhaseAntiScan || t.Phase == PhaseBot) {
		t.When = everything()
	}
	switch t.Phase {
	case PhaseManaged:
		t.manage(c)
	case PhaseAntiScan:
		t.scan(c.Type)
	case PhaseLevel:
		t.Action = "js"
		return c.SecurityLevel.Value == underAttack
	case PhaseBot:
		t.Bots = BotsDefinite
		if c.ManagedList != "" {
			t.Bots = BotsVerified
		}
		t.Static = true
		return c.Action != "" && c.Type != "app" && (c.ManagedList == "" || c.ManagedList == "intelligence_crawler")
	}
	return true
}

// manage collects the managed rules that are on, with their actions.
func (t *SecurityRule) manage(c securityConfig) {
	t.Managed = map[int64]string{}
	for _, set := range c.ManagedRulesets {
		if set.Action == "" {
			set.Action = c.Action
		}
		for _, r := range set.States() {
			if r.On {
				t.Managed[r.ID] = r.Action
			}
		}
	}
}

// scan gives a rule against scans the thresholds that it does not say: those of
// Alibaba Cloud's WAF.
func (t *SecurityRule) scan(kind string) {
	switch {
	case t.Limit != nil:
	case strings.Contains(kind, "traversal"):
		t.Limit = &RateLimit{Interval: 10 * time.Second, TTL: 30 * time.Minute, Requests: 50, Status: 404, Ratio: 70}
	case strings.Contains(kind, "scanner"), strings.Contains(kind, "tool"):
		t.Scanners = true
		return
	default:
		t.Limit = &RateLimit{Interval: time.Minute, TTL: 30 * time.Minute, Blocked: 20, Distinct: 2}
	}
	if len(t.Limit.By) == 0 {
		t.Limit.By = []string{"ip.src"}
	}
}
