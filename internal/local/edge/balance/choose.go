// Package balance chooses among the origins of load balancers, and keeps what
// their monitors find out by asking the origins now and then.
//
// It must not know how a visitor's request is answered.
package balance

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"math"
	"slices"

	"github.com/esa-mcp/esa-mcp/internal/local/edge/plan"
	"github.com/esa-mcp/esa-mcp/internal/local/regions"
)

// Visitor is what a load balancer looks at of who asks.
type Visitor struct {
	IP                string
	Country, Province string // DE; CN-ZJ
	Cookie            string // the value of the cookie of the session; empty if there is none
}

// Choice is an origin that a request may go to.
type Choice struct {
	Pool   *plan.Pool
	Origin *plan.PoolOrigin
}

// Chooser chooses origins. It is safe for concurrent use.
type Chooser struct {
	// Pick returns a number from 0 to n-1.
	Pick func(n int) int
	// Health is what is known of the origins.
	Health *Health
}

// Cookie is what the cookie of a session has of an origin.
func (c Choice) Cookie() string { return fmt.Sprint(c.Origin.ID) }

// Balanced returns the origins that a request to a load balancer may go to, the
// chosen one first, then those to ask if it cannot be reached.
//
// What the service does is documented in outline only (steering policies, the
// fallback pool, session affinity by address or cookie); the rest is as is usual.
func (c Chooser) Balanced(t *plan.Site, b *plan.Balancer, s plan.Steering, v Visitor) []Choice {
	var open [][]Choice // of each pool that can be used
	for _, id := range c.pools(s, v) {
		if choices := c.usable(t.Pool(id), b, s, v); len(choices) > 0 {
			open = append(open, choices)
		}
	}
	if s.Affinity == "cookie" && v.Cookie != "" {
		keep(open, v.Cookie)
	}
	fallback := c.Pool(t.Pool(s.Fallback), v, s.Affinity)
	switch {
	case len(open) == 0:
		return fallback
	case !s.AcrossPools:
		return open[0]
	}
	return slices.Concat(append(open, fallback)...)
}

// Pool returns the origins of a pool alone, whatever is known of their health.
func (c Chooser) Pool(p *plan.Pool, v Visitor, affinity string) []Choice {
	return c.usable(p, nil, plan.Steering{Affinity: affinity}, v)
}

// keep moves the pool, and in it the origin, of a session to the front.
func keep(open [][]Choice, cookie string) {
	for i, choices := range open {
		j := slices.IndexFunc(choices, func(one Choice) bool { return one.Cookie() == cookie })
		if j >= 0 {
			first(open, i)
			first(choices, j)
			return
		}
	}
}

// first moves an element to the front.
func first[T any](list []T, i int) {
	one := list[i]
	copy(list[1:i+1], list[:i])
	list[0] = one
}

// pools are those that a steering policy has for a visitor, in their order.
func (c Chooser) pools(s plan.Steering, v Visitor) []int64 {
	switch s.Policy {
	case "random":
		return c.shuffle(s.Default, func(id int64) int { return poolWeight(s, id) }, v, s.Affinity == "ip")
	case "geo":
		return append(near(s, v), s.Default...)
	}
	return s.Default
}

// poolWeight is the weight of a pool: its own, or the default, or as much as any
// other.
func poolWeight(s plan.Steering, id int64) int {
	if w, ok := s.Weights[id]; ok {
		return w
	}
	if s.DefaultWeight > 0 || len(s.Weights) > 0 {
		return s.DefaultWeight
	}
	return 1
}

// near are the pools of where a visitor is: of the province, of the country, or
// of a region that the country is in.
func near(s plan.Steering, v Visitor) []int64 {
	for _, name := range []string{v.Province, v.Country} {
		if list := s.SubRegions[name]; name != "" && len(list) > 0 {
			return slices.Clone(list)
		}
	}
	for _, code := range regions.Of(v.Country) {
		if list := s.Regions[code]; len(list) > 0 {
			return slices.Clone(list)
		}
	}
	return nil
}

// usable are the origins of a pool that can be asked, the chosen one first. A nil
// balancer means that no monitor counts.
func (c Chooser) usable(p *plan.Pool, b *plan.Balancer, s plan.Steering, v Visitor) []Choice {
	if p == nil || !p.Enabled {
		return nil
	}
	byID := map[int64]*plan.PoolOrigin{}
	var ids []int64
	for _, o := range p.Origins {
		if !o.Enabled {
			continue
		}
		if b != nil && !b.Monitor.Off() {
			if status, _ := c.Health.Of(b.ID, o.ID); status == Unhealthy {
				continue
			}
		}
		byID[o.ID] = o
		ids = append(ids, o.ID)
	}
	var choices []Choice
	for _, id := range c.shuffle(ids, func(id int64) int { return byID[id].Weight }, v, s.Affinity == "ip") {
		choices = append(choices, Choice{p, byID[id]})
	}
	return choices
}

// shuffle puts ids in an order at random, in which one comes first as often as its
// weight says, and those of weight 0 do not come. With sticky the order is the same
// each time for one address.
func (c Chooser) shuffle(ids []int64, weight func(int64) int, v Visitor, sticky bool) []int64 {
	left := slices.DeleteFunc(slices.Clone(ids), func(id int64) bool { return weight(id) <= 0 })
	if sticky {
		slices.SortStableFunc(left, func(a, b int64) int { return cmp.Compare(score(v.IP, b, weight(b)), score(v.IP, a, weight(a))) })
		return left
	}
	for i := range left {
		total := 0
		for _, id := range left[i:] {
			total += weight(id)
		}
		n := c.Pick(total)
		for j := i; ; j++ {
			if n -= weight(left[j]); n < 0 {
				first(left[i:], j-i)
				break
			}
		}
	}
	return left
}

// score is how well an address and an id go together: the best of several wins by
// weight, and when one goes, the others keep their addresses (weighted rendezvous
// hashing).
func score(ip string, id int64, weight int) float64 {
	h := fnv.New64a()
	fmt.Fprintf(h, "%s/%d", ip, id) // never fails
	mixed := h.Sum64()
	// FNV hardly carries the last bytes into the upper bits; this, of MurmurHash3, does.
	mixed ^= mixed >> 33
	mixed *= 0xff51afd7ed558ccd
	mixed ^= mixed >> 33
	return -float64(weight) / math.Log((float64(mixed>>11)+0.5)/(1<<53))
}
