package routine

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/expression"
	"github.com/esa-mcp/esa-mcp/internal/local/quota"
	"github.com/esa-mcp/esa-mcp/internal/local/state"
)

// The modes of a route: simple ones are those that clients made of a pattern.
const (
	modeSimple = "simple"
	modeCustom = "custom"
)

// route is a row of routine_routes.
type route struct {
	id, siteID, routineID          int64
	routine, siteName              string
	name, rule, mode               string
	enable, bypass, fallback, wait string
	sequence                       int64
}

const routeQuery = `SELECT t.id, t.site_id, t.routine_id, r.name, s.name, t.name, t.rule, t.mode, t.enable, t.bypass, t.fallback, t.timeout, t.sequence
	FROM routine_routes t JOIN routines r ON r.id = t.routine_id JOIN sites s ON s.id = t.site_id `

func (t *route) scan(row interface{ Scan(...any) error }) error {
	return row.Scan(&t.id, &t.siteID, &t.routineID, &t.routine, &t.siteName, &t.name, &t.rule, &t.mode,
		&t.enable, &t.bypass, &t.fallback, &t.wait, &t.sequence)
}

// routeAnswer is a route as the operations show it. Only the list of a
// routine's routes names their sites.
type routeAnswer struct {
	ConfigID    int64 `json:"ConfigId"`
	ConfigType  string
	Mode        string
	RoutineName string
	RouteName   string
	RouteEnable string
	Rule        string
	Bypass      string
	Fallback    string
	Sequence    int64
	SiteVersion int64
	Timeout     string `json:",omitempty"`
	SiteID      int64  `json:"SiteId,omitempty"`
	SiteName    string `json:",omitempty"`
}

func (t *route) answer(withSite bool) routeAnswer {
	out := routeAnswer{
		ConfigID: t.id, ConfigType: "rule", Mode: t.mode, RoutineName: t.routine, RouteName: t.name, RouteEnable: t.enable,
		Rule: t.rule, Bypass: t.bypass, Fallback: t.fallback, Sequence: t.sequence, Timeout: t.wait,
	}
	if withSite {
		out.SiteID, out.SiteName = t.siteID, t.siteName
	}
	return out
}

// apply puts the parameters that were sent over the route's own and checks them.
func (t *route) apply(ctx context.Context, tx *sql.Tx, p api.Params) error {
	if p.Has("RoutineName") {
		id, name, err := routineID(ctx, tx, api.Params{"Name": p.String("RoutineName")})
		if err != nil {
			return err
		}
		t.routineID, t.routine = id, name
	}
	if p.Has("RouteName") {
		if t.name = p.String("RouteName"); strings.TrimSpace(t.name) == "" {
			return api.Errorf(400, "InvalidRouteName", "RouteName must not be empty.")
		}
	}
	for name, field := range map[string]*string{"RouteEnable": &t.enable, "Bypass": &t.bypass, "Fallback": &t.fallback} {
		if !p.Has(name) {
			continue
		}
		if *field = p.String(name); *field != "on" && *field != "off" {
			return api.Errorf(400, "Invalid"+name, "%s must be on or off, not %.40q.", name, *field)
		}
	}
	if p.Has("Rule") {
		t.rule, t.mode = p.String("Rule"), modeCustom
		if _, err := expression.Compile(ctx, tx, t.siteID, "RoutineRoute", t.rule); err != nil {
			return err
		}
	}
	if mode := p.String("Mode"); mode == modeSimple || mode == modeCustom {
		t.mode = mode
	}
	return t.applyNumbers(p)
}

func (t *route) applyNumbers(p api.Params) error {
	var err error
	if t.sequence, err = p.Int("Sequence", t.sequence); err != nil {
		return err
	}
	if t.sequence < 0 {
		return api.Errorf(400, "InvalidSequence", "Sequence must be 1 or more, not %d.", t.sequence)
	}
	if p.String("Timeout") == "" {
		return nil
	}
	seconds, err := p.Int("Timeout", 0)
	if err != nil {
		return err
	}
	if seconds < 5 || seconds > 60 {
		return api.Errorf(400, "InvalidTimeout", "Timeout must be from 5 to 60 seconds, not %d.", seconds)
	}
	t.wait = fmt.Sprint(seconds)
	return nil
}

// createRoute answers CreateRoutineRoute. Without a sequence the route comes
// after the site's others.
func (s *Service) createRoute(ctx context.Context, r *api.Request) (any, error) {
	for _, name := range []string{"RoutineName", "RouteName", "RouteEnable", "Rule"} {
		if _, err := required(r.Params, name); err != nil {
			return nil, err
		}
	}
	t := route{bypass: "off", fallback: "off"}
	err := s.store.Tx(ctx, func(tx *sql.Tx) error {
		at, err := siteOf(ctx, tx, r.Params)
		if err != nil {
			return err
		}
		t.siteID = at.id
		if err := t.apply(ctx, tx, r.Params); err != nil {
			return err
		}
		if err := s.checkRouteSites(ctx, tx, t.routineID, t.siteID); err != nil {
			return err
		}
		if t.sequence == 0 {
			err := tx.QueryRowContext(ctx, `SELECT coalesce(max(sequence), 0) + 1 FROM routine_routes WHERE site_id = ?`, t.siteID).Scan(&t.sequence)
			if err != nil {
				return fmt.Errorf("find the next sequence: %w", err)
			}
		}
		if err := s.checkRoutes(ctx, tx, t.siteID); err != nil {
			return err
		}
		if t.id, err = state.NextID(ctx, tx); err != nil {
			return err
		}
		return insertRoute(ctx, tx, &t, s.cfg.Now().UnixNano())
	})
	if err != nil {
		return nil, err
	}
	return struct {
		ConfigID int64 `json:"ConfigId"`
	}{t.id}, nil
}

// checkRouteSites refuses a site more than a routine can have routes on.
func (s *Service) checkRouteSites(ctx context.Context, tx *sql.Tx, routineID, siteID int64) error {
	var others int
	err := tx.QueryRowContext(ctx, `SELECT count(DISTINCT site_id) FROM routine_routes WHERE routine_id = ? AND site_id <> ?`,
		routineID, siteID).Scan(&others)
	if err != nil {
		return fmt.Errorf("count the routine's sites: %w", err)
	}
	if others >= s.cfg.quota(quota.RoutineRouteSites) {
		return api.Errorf(400, codeRouteSiteQuota, "The routine has routes on %d sites, which is the most it can have.", others)
	}
	return nil
}

// checkRoutes refuses a route more than a site has.
func (s *Service) checkRoutes(ctx context.Context, tx *sql.Tx, siteID int64) error {
	most, err := s.cfg.Quotas.OfSite(ctx, tx, siteID, quota.RoutineRoutes)
	if err != nil {
		return err
	}
	var used int
	if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM routine_routes WHERE site_id = ?`, siteID).Scan(&used); err != nil {
		return fmt.Errorf("count the site's routes: %w", err)
	}
	if used >= most {
		return api.Errorf(400, codeRouteQuota, "The site has all its %d routes already.", most)
	}
	return nil
}

func insertRoute(ctx context.Context, tx *sql.Tx, t *route, now int64) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO routine_routes (id, site_id, routine_id, name, rule, mode, enable, bypass, fallback,
		sequence, timeout, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		t.id, t.siteID, t.routineID, t.name, t.rule, t.mode, t.enable, t.bypass, t.fallback, t.sequence, t.wait, now)
	if err != nil {
		return fmt.Errorf("store route: %w", err)
	}
	return nil
}

// oneRoute finds the route that SiteId and ConfigId name.
func oneRoute(ctx context.Context, q querier, p api.Params) (route, error) {
	at, err := siteOf(ctx, q, p)
	if err != nil {
		return route{}, err
	}
	id, err := p.Int("ConfigId", 0)
	if err != nil {
		return route{}, err
	}
	var t route
	err = t.scan(q.QueryRowContext(ctx, routeQuery+`WHERE t.id = ? AND t.site_id = ?`, id, at.id))
	if isNoRows(err) {
		return t, api.Errorf(404, codeNoRoute, "The site %s has no routine route %d.", at.name, id)
	}
	if err != nil {
		return t, fmt.Errorf("read route: %w", err)
	}
	return t, nil
}

func (s *Service) getRoute(ctx context.Context, r *api.Request) (any, error) {
	t, err := oneRoute(ctx, s.store.DB(), r.Params)
	if err != nil {
		return nil, err
	}
	return t.answer(false), nil
}

// updateRoute answers UpdateRoutineRoute: what is not sent stays.
func (s *Service) updateRoute(ctx context.Context, r *api.Request) (any, error) {
	return nil, s.store.Tx(ctx, func(tx *sql.Tx) error {
		t, err := oneRoute(ctx, tx, r.Params)
		if err != nil {
			return err
		}
		if err := t.apply(ctx, tx, r.Params); err != nil {
			return err
		}
		if err := s.checkRouteSites(ctx, tx, t.routineID, t.siteID); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE routine_routes SET routine_id = ?, name = ?, rule = ?, mode = ?, enable = ?, bypass = ?,
			fallback = ?, sequence = ?, timeout = ? WHERE id = ?`,
			t.routineID, t.name, t.rule, t.mode, t.enable, t.bypass, t.fallback, t.sequence, t.wait, t.id)
		if err != nil {
			return fmt.Errorf("store route: %w", err)
		}
		return nil
	})
}

func (s *Service) deleteRoute(ctx context.Context, r *api.Request) (any, error) {
	return nil, s.store.Tx(ctx, func(tx *sql.Tx) error {
		t, err := oneRoute(ctx, tx, r.Params)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM routine_routes WHERE id = ?`, t.id); err != nil {
			return fmt.Errorf("delete route: %w", err)
		}
		return nil
	})
}
