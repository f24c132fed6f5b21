package generic

import (
	"context"
	"database/sql"
	"slices"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
)

// The states of an origin, as documented.
const (
	originHealthy    = "healthy"
	originUnhealthy  = "unhealthy"
	originUnknown    = "unknown"    // not probed yet, or not to be
	originUndetected = "undetected" // no monitor
)

// poolUse is a pool in the part that it has in a load balancer. default_pool is
// documented; the names of the others follow it.
type poolUse struct {
	part string
	pool int64
}

// usesOf are the pools of a load balancer by their parts, each once a part.
func usesOf(fields map[string]any) []poolUse {
	var uses []poolUse
	add := func(part string, id any) {
		if use := (poolUse{part, number(id)}); use.pool != 0 && !slices.Contains(uses, use) {
			uses = append(uses, use)
		}
	}
	for _, id := range list(fields["DefaultPools"]) {
		add("default_pool", id)
	}
	add("fallback_pool", fields["FallbackPool"])
	for part, name := range map[string]string{"region_pool": "RegionPools", "sub_region_pool": "SubRegionPools"} {
		for _, ids := range object(fields[name]) {
			for _, id := range list(ids) {
				add(part, id)
			}
		}
	}
	slices.SortStableFunc(uses, func(a, b poolUse) int { return strings.Compare(a.part, b.part) })
	return uses
}

// originStatus answers ListLoadBalancerOriginStatus: what monitors found out.
func originStatus(ctx context.Context, tx *sql.Tx, s *Service, r *api.Request) (map[string]any, error) {
	entries := []any{}
	part := r.Params.String("PoolType")
	for id := range strings.SplitSeq(r.Params.String("LoadBalancerIds"), ",") {
		lb, err := s.one(ctx, tx, kindOf("LoadBalancer"), api.Params{"SiteId": r.Params["SiteId"], "Id": strings.TrimSpace(id)})
		if err != nil {
			return nil, err
		}
		for _, use := range usesOf(lb.fields) {
			if part != "" && part != use.part {
				continue
			}
			states, err := s.states(ctx, tx, lb, use.pool)
			if err != nil {
				return nil, err
			}
			for _, o := range states {
				entries = append(entries, map[string]any{"LoadBalancerId": lb.id, "PoolId": use.pool, "OriginId": o.id,
					"PoolType": use.part, "Status": o.status, "Reason": o.reason})
			}
		}
	}
	return map[string]any{"OriginStatus": entries}, nil
}

// originState is what is known of an origin.
type originState struct {
	id             int64
	status, reason string
}

// states are those of the origins of a pool, as a load balancer sees them.
func (s *Service) states(ctx context.Context, tx *sql.Tx, lb *item, pool int64) ([]originState, error) {
	pools, err := find(ctx, tx, kindOf("OriginPool"), `r.id = ?`, pool)
	if err != nil || len(pools) == 0 {
		return nil, err
	}
	var all []originState
	for _, entry := range list(pools[0].fields["Origins"]) {
		o := originState{id: number(object(entry)["Id"]), status: originUndetected}
		switch {
		case !monitored(lb):
		case object(entry)["Enabled"] == false || pools[0].fields["Enabled"] == false || lb.fields["Enabled"] == false:
			o.status, o.reason = originUnknown, "disabled"
		default:
			o.status, o.reason = s.cfg.OriginHealth(lb.id, o.id)
		}
		all = append(all, o)
	}
	return all, nil
}

// monitored tells whether a load balancer has a monitor.
func monitored(lb *item) bool {
	kind := api.Text(object(lb.fields["Monitor"])["Type"])
	return kind != "" && !strings.EqualFold(kind, "off")
}

// balancerStatus adds the state of a load balancer: only the origins of its default
// pools count. One that can be asked is enough.
func balancerStatus(ctx context.Context, tx *sql.Tx, s *Service, lb *item, m map[string]any) error {
	m["Status"] = originUndetected
	if !monitored(lb) {
		return nil
	}
	found := map[string]bool{}
	for _, use := range usesOf(lb.fields) {
		if use.part != "default_pool" {
			continue
		}
		states, err := s.states(ctx, tx, lb, use.pool)
		if err != nil {
			return err
		}
		for _, o := range states {
			found[o.status] = true
		}
	}
	switch {
	case found[originHealthy]:
		m["Status"] = originHealthy
	case found[originUnhealthy]:
		m["Status"] = originUnhealthy
	default:
		m["Status"] = originUnknown
	}
	return nil
}
