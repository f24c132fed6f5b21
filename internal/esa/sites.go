package esa

import (
	"context"
	"sync"
)

// siteQueue lets one write a site through at a time. ESA refuses a second
// configuration write on a site with LockFailed. Its zero value is ready.
type siteQueue struct {
	mu     sync.Mutex
	queues map[string]*siteTurn
}

// siteTurn is one site's queue; it is dropped when nobody is in it.
type siteTurn struct {
	turn  chan struct{} // holds one token while a write is under way
	users int
}

// enter waits for the site's turn, first come first served. The function it
// returns ends the turn.
func (q *siteQueue) enter(ctx context.Context, site string) (release func(), err error) {
	t := q.join(site)
	select {
	case t.turn <- struct{}{}:
		return func() { <-t.turn; q.leave(site, t) }, nil
	case <-ctx.Done():
		q.leave(site, t)
		return nil, ctx.Err()
	}
}

func (q *siteQueue) join(site string) *siteTurn {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.queues == nil {
		q.queues = make(map[string]*siteTurn)
	}
	t := q.queues[site]
	if t == nil {
		t = &siteTurn{turn: make(chan struct{}, 1)}
		q.queues[site] = t
	}
	t.users++
	return t
}

func (q *siteQueue) leave(site string, t *siteTurn) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if t.users--; t.users == 0 {
		delete(q.queues, site)
	}
}
