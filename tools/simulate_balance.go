package tools

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
)

// balanced is what a load balancer or a pool makes of a request: the origins that
// may get it, while they are healthy.
type balanced struct {
	text   string // which one it was, for the verdict
	pools  []originPool
	status int // of a load balancer's own answer; 0: there is none
}

// balance goes on from a record to the load balancer or the pool that it leads to;
// nil if it leads to neither.
func (w *walk) balance(r *Record) *balanced {
	if b := w.s.balancer(r); b != nil {
		return w.steer(b)
	}
	p := w.s.poolOf(r)
	if p == nil {
		return nil
	}
	out := &balanced{text: "origin pool " + p.Name}
	if len(p.usable()) > 0 {
		out.pools = []originPool{*p}
	}
	return out
}

// steer lets a load balancer choose. Its rules change how, each over what those
// before it have changed.
func (w *walk) steer(b *loadBalancer) *balanced {
	s := b.steering
	row := len(w.out.Rules)
	w.add(SimulatedRule{Kind: kindBalancer, ID: b.ID, Name: b.Name, Outcome: RuleApplies}, false)
	out := &balanced{text: "load balancer " + b.Name}
	if !b.Enabled {
		w.out.Rules[row].Does = "disabled"
		return out
	}
	for _, r := range b.Rules {
		id := ID(strconv.Itoa(r.Sequence))
		if !w.matches(kindBalancerRule, id, r.RuleName, r.Rule, r.RuleEnable != "off") {
			continue
		}
		one := SimulatedRule{Kind: kindBalancerRule, ID: id, Name: r.RuleName, Rule: r.Rule, Outcome: RuleApplies}
		if f := r.FixedResponse; f != nil && f.StatusCode != 0 {
			one.Does = fmt.Sprintf("answers %d", f.StatusCode)
			w.out.Location, out.status = f.Location, f.StatusCode
			w.add(one, false)
			return out
		}
		w.add(one, false)
		s = s.override(r.Overrides)
		if r.Terminates {
			break
		}
	}
	out.pools = w.candidates(s)
	w.out.Rules[row].Does = s.SteeringPolicy
	out.text += " (" + s.SteeringPolicy + ")"
	return out
}

// candidates are the pools that may get the request while all origins are healthy.
func (w *walk) candidates(s steering) []originPool {
	ids, all := s.DefaultPools, false
	switch s.SteeringPolicy {
	case "random":
		all = true
		ids = slices.DeleteFunc(slices.Clone(ids), func(id ID) bool {
			weight, ok := s.RandomSteering.PoolWeights[id]
			return ok && weight <= 0 || !ok && s.RandomSteering.DefaultWeight <= 0 && len(s.RandomSteering.PoolWeights) > 0
		})
	case "geo":
		near := s.SubRegionPools[w.r.Region]
		if len(near) == 0 {
			near = s.SubRegionPools[w.r.Country]
		}
		if len(near) == 0 && w.r.Country != "" && len(s.RegionPools) > 0 {
			all = true // which region a country is in is the service's to say
			for _, list := range s.RegionPools {
				near = append(near, list...)
			}
		}
		ids = slices.Concat(near, ids)
	}
	found := w.pools(ids)
	switch {
	case len(found) == 0:
		return w.pools([]ID{s.FallbackPool})
	case !all:
		return found[:1]
	}
	return found
}

// pools are those of the ids that have an origin to ask, each once.
func (w *walk) pools(ids []ID) []originPool {
	var found []originPool
	for i, id := range ids {
		at := slices.IndexFunc(w.s.pools, func(p originPool) bool { return p.ID == id })
		if at >= 0 && slices.Index(ids, id) == i && len(w.s.pools[at].usable()) > 0 {
			found = append(found, w.s.pools[at])
		}
	}
	return found
}

// choose adds the origins that may get the request, and returns the first, the port
// in its address, and how many there are.
func (w *walk) choose(b *balanced) (chosen poolOrigin, port string, count int) {
	outcome := func(n int) string {
		if n == 1 {
			return RuleApplies
		}
		return RuleDepends
	}
	for _, p := range b.pools {
		all := p.usable()
		w.add(SimulatedRule{Kind: kindPool, ID: p.ID, Name: p.Name, Outcome: outcome(len(b.pools))}, false)
		for _, o := range all {
			w.add(SimulatedRule{Kind: kindPoolOrigin, ID: o.ID, Name: o.Name, Outcome: outcome(len(b.pools) * len(all)), Does: o.Address}, false)
			if count++; count == 1 {
				chosen = o
			}
		}
	}
	chosen.Address = strings.Trim(chosen.Address, "[]")
	if host, own, err := net.SplitHostPort(chosen.Address); err == nil {
		chosen.Address, port = host, own
	}
	return chosen, port, count
}
