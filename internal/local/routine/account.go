package routine

import (
	"context"
	"fmt"
	"strconv"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/quota"
)

// updateDescription answers UpdateRoutineConfigDescription.
func (s *Service) updateDescription(ctx context.Context, r *api.Request) (any, error) {
	id, _, err := routineID(ctx, s.store.DB(), r.Params)
	if err != nil {
		return nil, err
	}
	if _, err := s.store.Exec(ctx, `UPDATE routines SET description = ? WHERE id = ?`, r.Params.String("Description"), id); err != nil {
		return nil, fmt.Errorf("store description: %w", err)
	}
	return ok{"OK"}, nil
}

// getStagingIPs answers GetRoutineStagingEnvIp: the local edge is on this
// machine, where staging has host names of its own.
func (s *Service) getStagingIPs(context.Context, *api.Request) (any, error) {
	return struct{ IPV4 []string }{[]string{"127.0.0.1"}}, nil
}

// listCanaryAreas answers ListRoutineCanaryAreas: one machine has no areas.
func (s *Service) listCanaryAreas(context.Context, *api.Request) (any, error) {
	return struct{ CanaryAreas []string }{[]string{}}, nil
}

type routinePlan struct {
	PlanName, BillingMode, PaymentMethod                                    string
	ErRoutineQuota, ErRoutineCodeVersionQuota, ErRoutineRouteSiteCountQuota string
}

// listPlans answers ListEdgeRoutinePlans with the plan of the local account.
func (s *Service) listPlans(context.Context, *api.Request) (any, error) {
	return struct {
		PageNumber, PageSize, TotalCount, TotalPage int
		PlanInfo                                    []routinePlan
	}{1, 20, 1, 1, []routinePlan{{
		PlanName: "er_freemode", BillingMode: "POSTPAY", PaymentMethod: "er_free",
		ErRoutineQuota:               strconv.Itoa(s.cfg.quota(quota.Routines)),
		ErRoutineCodeVersionQuota:    strconv.Itoa(s.cfg.quota(quota.RoutineVersions)),
		ErRoutineRouteSiteCountQuota: strconv.Itoa(s.cfg.quota(quota.RoutineRouteSites)),
	}}}, nil
}

type userRoutine struct{ CreateTime, Description, RoutineName string }

// getUserInfo answers GetRoutineUserInfo, which ListUserRoutines replaced.
func (s *Service) getUserInfo(ctx context.Context, _ *api.Request) (any, error) {
	rows, err := s.store.DB().QueryContext(ctx, `SELECT name, description, created_at FROM routines ORDER BY id DESC`)
	if err != nil {
		return nil, fmt.Errorf("list routines: %w", err)
	}
	defer rows.Close()
	out := struct {
		Routines   []userRoutine
		Subdomains []string
	}{[]userRoutine{}, []string{s.store.Account().Hash}}
	for rows.Next() {
		var one userRoutine
		var created int64
		if err := rows.Scan(&one.RoutineName, &one.Description, &created); err != nil {
			return nil, fmt.Errorf("list routines: %w", err)
		}
		one.CreateTime = timeText(created)
		out.Routines = append(out.Routines, one)
	}
	return out, rows.Err()
}

// getVersionCode answers GetRoutineCodeVersion: a version's script.
func (s *Service) getVersionCode(ctx context.Context, r *api.Request) (any, error) {
	id, name, err := routineID(ctx, s.store.DB(), r.Params)
	if err != nil {
		return nil, err
	}
	codeVersion, err := required(r.Params, "CodeVersion")
	if err != nil {
		return nil, err
	}
	var description string
	var created int64
	var code []byte
	err = s.store.DB().QueryRowContext(ctx, `SELECT description, created_at, code FROM routine_versions WHERE routine_id = ? AND code_version = ?`,
		id, codeVersion).Scan(&description, &created, &code)
	if isNoRows(err) {
		return nil, noVersion(name, codeVersion)
	}
	if err != nil {
		return nil, fmt.Errorf("read version: %w", err)
	}
	return struct{ CodeDescription, CreateTime, RoutineCode string }{description, timeText(created), string(code)}, nil
}
