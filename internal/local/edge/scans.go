package edge

import (
	"slices"
	"sync"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/local/edge/plan"
)

// scans remembers what visitors got for what they asked, to catch those who look
// for holes.
type scans struct {
	mu     sync.Mutex
	trails map[string]*trail
}

// trail is what one visitor did since the start of an interval, and until when he
// counts as caught.
type trail struct {
	start, until              time.Time
	requests, statuses, stops int
	rules                     []int64 // managed rules that stopped him
}

// caught reports whether a visitor went too far lately.
func (s *scans) caught(key string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.trails[key]
	return t != nil && now.Before(t.until)
}

// note adds a request with the status of its answer and the managed rules that
// stopped it.
func (s *scans) note(key string, limit *plan.RateLimit, status int, stopped []int64, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.trails[key]
	if t == nil {
		if s.trails == nil || len(s.trails) >= maxCounters {
			s.trails = map[string]*trail{}
		}
		t = &trail{start: now}
		s.trails[key] = t
	}
	if now.Sub(t.start) >= limit.Interval {
		*t = trail{start: now, until: t.until}
	}
	t.requests++
	if status == limit.Status {
		t.statuses++
	}
	if len(stopped) > 0 {
		t.stops++
	}
	for _, id := range stopped {
		if !slices.Contains(t.rules, id) {
			t.rules = append(t.rules, id)
		}
	}
	if t.over(limit) {
		*t = trail{start: now, until: now.Add(limit.TTL)}
	}
}

// over reports whether all thresholds that there are are passed.
func (t *trail) over(limit *plan.RateLimit) bool {
	for _, one := range []struct{ most, n int }{{limit.Requests, t.requests}, {limit.Count, t.statuses}, {limit.Blocked, t.stops}, {limit.Distinct, len(t.rules)}} {
		if one.most > 0 && one.n <= one.most {
			return false
		}
	}
	return limit.Ratio == 0 || t.statuses*100 >= limit.Ratio*t.requests
}

// watchScans has the answer noted for the rules that go by many of them.
func (x *exchange) watchScans(rules []*plan.SecurityRule, skip []*plan.SecurityRule) {
	for _, t := range rules {
		if t.Limit == nil || !t.Limit.Scans() || past(skip, t) || !t.When.Match(x.facts) {
			continue
		}
		key := x.counter(t)
		x.w.after = append(x.w.after, func(status int) { x.scans.note(key, t.Limit, status, x.blocked, x.cfg.Now()) })
	}
}
