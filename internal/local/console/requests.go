package console

import (
	"slices"
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
	last []analytics.Visit // the oldest first
}

// NewRequests makes the list, before a log.
func NewRequests(next Log) *Requests { return &Requests{next: next} }

// Record takes note of a request.
func (r *Requests) Record(v analytics.Visit) {
	r.mu.Lock()
	if len(r.last) == kept {
		r.last = append(r.last[:0], r.last[1:]...)
	}
	r.last = append(r.last, v)
	r.mu.Unlock()
	r.next.Record(v)
}

// Last returns the requests, the newest first.
func (r *Requests) Last() []analytics.Visit {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := slices.Clone(r.last)
	slices.Reverse(list)
	return list
}
