package edge

import (
	"sync"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/local/edge/plan"
)

// limits counts requests for rate limiting rules.
type limits struct {
	mu       sync.Mutex
	counters map[string]*tally
}

// tally is one counter: what came since the start of its interval, and until when
// the action lasts.
type tally struct {
	start, until time.Time
	n            int
}

// maxCounters bounds the counters; beyond it all begin anew.
const maxCounters = 100_000

// count adds one and reports whether the counter is over its limit, or was so
// lately.
func (l *limits) count(key string, most int, limit *plan.RateLimit, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.counters[key]
	if t == nil {
		if l.counters == nil || len(l.counters) >= maxCounters {
			l.counters = map[string]*tally{}
		}
		t = &tally{start: now}
		l.counters[key] = t
	}
	if now.Before(t.until) {
		return true
	}
	if now.Sub(t.start) >= limit.Interval {
		t.start, t.n = now, 0
	}
	t.n++
	if t.n > most {
		t.until, t.n = now.Add(limit.TTL), 0
		return true
	}
	return false
}

// blocked reports whether a counter was over its limit lately.
func (l *limits) blocked(key string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.counters[key]
	return t != nil && now.Before(t.until)
}
