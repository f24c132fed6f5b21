package console

import (
	"sync"

	"github.com/esa-mcp/esa-mcp/internal/local/analytics"
)

// kept is how many requests are shown.
const kept = 50

// Log takes note of requests.
type Log interface{ Record(v analytics.Visit) }

// Requests are the edge's last requests. They are kept in memory and handed on
// to a log.
type Requests struct {
	next Log

	mu   sync.Mutex
	last [kept]analytics.Visit // a ring: request number i is at i % kept
	n    int                   // how many there were in all
}

// NewRequests makes the list, before a log.
func NewRequests(next Log) *Requests { return &Requests{next: next} }

// Record takes note of a request.
func (r *Requests) Record(v analytics.Visit) {
	r.mu.Lock()
	r.last[r.n%kept] = v
	r.n++
	r.mu.Unlock()
	r.next.Record(v)
}

// Last returns the requests, the newest first.
func (r *Requests) Last() []analytics.Visit {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []analytics.Visit
	for i := r.n - 1; i >= max(0, r.n-kept); i-- {
		list = append(list, r.last[i%kept])
	}
	return list
}
