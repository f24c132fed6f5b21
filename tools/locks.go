package tools

import (
	"context"
	"sync"
)

// Locks lets one call at a time work on a thing, by its name. Waiting ends when
// the context does.
type Locks struct {
	mu   sync.Mutex
	held map[string]chan struct{} // closed when released
}

// NewLocks returns locks that nobody holds.
func NewLocks() *Locks { return &Locks{held: make(map[string]chan struct{})} }

// Lock waits for name and takes it; release gives it back.
func (l *Locks) Lock(ctx context.Context, name string) (release func(), err error) {
	for {
		l.mu.Lock()
		busy, taken := l.held[name]
		if !taken {
			mine := make(chan struct{})
			l.held[name] = mine
			l.mu.Unlock()
			return func() {
				l.mu.Lock()
				delete(l.held, name)
				l.mu.Unlock()
				close(mine)
			}, nil
		}
		l.mu.Unlock()
		select {
		case <-busy:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
