package tools

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// The kinds of rows that results have of load balancers.
const (
	kindBalancer     = "load_balancer"
	kindBalancerRule = "load_balancer_rule"
	kindPool         = "origin_pool"
	kindPoolOrigin   = "pool_origin"
)

// loadBalancer is a load balancer of a site, as the service lists it.
type loadBalancer struct {
	steering
	ID      ID `json:"Id"`
	Name    string
	Enabled bool
	Rules   []balancerRule
}

// balancerRule changes what a load balancer does with some requests.
type balancerRule struct {
	Rule, RuleName, RuleEnable string
	Sequence                   int
	Terminates                 bool
	Overrides                  map[string]any
	FixedResponse              *struct {
		StatusCode int
		Location   string
	}
}

// steering is how pools are chosen.
type steering struct {
	SteeringPolicy              string
	DefaultPools                []ID
	FallbackPool                ID
	RegionPools, SubRegionPools poolsBy
	RandomSteering              struct {
		DefaultWeight int
		PoolWeights   map[ID]int
	}
}

// poolsBy are pools by places; a name may stand for several: "AL,MO".
type poolsBy map[string][]ID

// UnmarshalJSON takes an object, or a text that holds one.
func (p *poolsBy) UnmarshalJSON(b []byte) error {
	var text string
	if json.Unmarshal(b, &text) == nil {
		b = []byte(text)
	}
	var by map[string][]ID
	if len(b) > 0 {
		if err := json.Unmarshal(b, &by); err != nil {
			return err
		}
	}
	*p = poolsBy{}
	for names, ids := range by {
		for name := range strings.SplitSeq(names, ",") {
			(*p)[strings.ToUpper(strings.TrimSpace(name))] = ids
		}
	}
	return nil
}

// override is the steering with what a rule's overrides say, whose names are
// written like steering_policy.
func (s steering) override(overrides map[string]any) steering {
	raw, err := json.Marshal(plainNames(overrides))
	if err != nil {
		return s
	}
	s.RandomSteering.PoolWeights = maps.Clone(s.RandomSteering.PoolWeights)
	_ = json.Unmarshal(raw, &s) // what can be read of it counts
	return s
}

// plainNames are the members of an object without the underscores in their names.
func plainNames(v any) any {
	m, ok := v.(map[string]any)
	if !ok {
		return v
	}
	out := make(map[string]any, len(m))
	for name, value := range m {
		out[strings.ReplaceAll(name, "_", "")] = plainNames(value)
	}
	return out
}

// originPool is an origin pool of a site, as the service lists it.
type originPool struct {
	ID         ID `json:"Id"`
	Name       string
	RecordName string
	Enabled    bool
	Origins    []poolOrigin
}

// poolOrigin is one server of a pool.
type poolOrigin struct {
	ID      ID `json:"Id"`
	Name    string
	Address string
	Enabled bool
	Weight  int
	Header  json.RawMessage
}

// host is the Host header that an origin gets; empty: the request's.
func (o poolOrigin) host() string {
	raw := o.Header
	var text string
	if json.Unmarshal(raw, &text) == nil {
		raw = json.RawMessage(text)
	}
	var headers map[string][]string
	if json.Unmarshal(raw, &headers) != nil {
		return ""
	}
	for name, values := range headers {
		if strings.EqualFold(name, "Host") && len(values) > 0 {
			return values[0]
		}
	}
	return ""
}

// usable are the origins of a pool that get requests while they are healthy.
func (p originPool) usable() []poolOrigin {
	if !p.Enabled {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(p.Origins), func(o poolOrigin) bool { return !o.Enabled || o.Weight <= 0 })
}

// readBalancing reads the load balancers and the pools of a site, if the record of
// the host or of an origin rule may lead to one. A load balancer has its own name.
func (s *hostState) readBalancing(ctx context.Context, d *Deps, notes *Noted) error {
	leads := func(r *Record) bool {
		return r != nil && r.Type == "CNAME" && (r.SourceType == "LB" || r.SourceType == "OP" || strings.HasSuffix(siteName(r.Data.Value), "."+s.site.Name))
	}
	if s.record != nil && !leads(s.record) && !slices.ContainsFunc(slices.Collect(maps.Values(s.originRecords)), leads) {
		return nil
	}
	params := esa.Params{"SiteId": s.site.ID.number(), "PageNumber": 1, "PageSize": 500}
	balancers, err := invoke[struct{ LoadBalancers []loadBalancer }](ctx, d, notes, "ListLoadBalancers", params)
	if notOnPlan(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("list the load balancers: %w", err)
	}
	pools, err := invoke[struct{ OriginPools []originPool }](ctx, d, notes, "ListOriginPools", params)
	if err != nil {
		return fmt.Errorf("list the origin pools: %w", err)
	}
	s.balancers, s.pools = balancers.LoadBalancers, pools.OriginPools
	for _, b := range s.balancers {
		slices.SortStableFunc(b.Rules, func(x, y balancerRule) int { return x.Sequence - y.Sequence })
		if s.record == nil && siteName(b.Name) == s.host {
			s.record = &Record{Name: s.host, Type: "CNAME", Data: RecordData{Value: s.host}, Proxied: true, SourceType: "LB"}
		}
	}
	return nil
}

// balancer finds the load balancer that a record leads to; nil if there is none.
func (s *hostState) balancer(r *Record) *loadBalancer {
	i := slices.IndexFunc(s.balancers, func(b loadBalancer) bool {
		return r.Type == "CNAME" && r.SourceType != "OP" && siteName(b.Name) == siteName(r.Data.Value)
	})
	if i < 0 {
		return nil
	}
	return &s.balancers[i]
}

// poolOf finds the pool that a record leads to; nil if there is none.
func (s *hostState) poolOf(r *Record) *originPool {
	i := slices.IndexFunc(s.pools, func(p originPool) bool {
		name := siteName(r.Data.Value)
		return r.Type == "CNAME" && r.SourceType != "LB" && (siteName(p.RecordName) == name || r.SourceType == "OP" && strings.EqualFold(p.Name, name))
	})
	if i < 0 {
		return nil
	}
	return &s.pools[i]
}
