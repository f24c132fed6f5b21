package runtime

import (
	"context"
	"slices"
	"sync"
	"time"
)

// pool keeps the machines of all versions. A request gets a machine when fewer
// than Config.Parallel of its version's compute, another one if none is idle, so
// that code which waits for an answer does not hold up other requests.
type pool struct {
	cfg Config

	mu       sync.Mutex
	closed   bool
	versions map[string]*version
	total    int       // machines of all versions, those being made included
	waiters  []*waiter // first come, first served
	sweeping bool      // a sweep is due
}

// version is what the pool knows of one script.
type version struct {
	key     string
	idle    []*machine // the last used comes last
	active  int        // machines that serve a request or are being made
	waiting int        // of these, those that wait for something outside
	source  func(ctx context.Context) (string, error)
}

// waiter is a request without a machine.
type waiter struct {
	version *version
	granted chan *machine // one value: a machine, or nil to make one
}

func newPool(cfg Config) *pool {
	return &pool{cfg: cfg, versions: map[string]*version{}}
}

// acquire returns a machine for the script, which goes back by release or drop.
func (p *pool) acquire(ctx context.Context, script Script) (*machine, error) {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, ErrClosed
	}
	v := p.versions[script.Key]
	if v == nil {
		v = &version{key: script.Key, source: once(script.Load)}
		p.versions[script.Key] = v
	}
	m, granted, evicted := p.grant(v)
	var w *waiter
	if !granted {
		w = &waiter{version: v, granted: make(chan *machine, 1)}
		p.waiters = append(p.waiters, w)
	}
	p.mu.Unlock()
	closeAll(evicted)
	if w != nil {
		var err error
		if m, err = p.await(ctx, w); err != nil {
			return nil, err
		}
	}
	if m != nil {
		return m, nil
	}
	return p.make(ctx, v, script)
}

func (p *pool) make(ctx context.Context, v *version, script Script) (*machine, error) {
	source, err := v.source(ctx)
	if err != nil {
		p.drop(&machine{version: v})
		return nil, err
	}
	m, err := newMachine(ctx, p, v, script, source)
	if err != nil {
		p.drop(&machine{version: v})
		return nil, err
	}
	return m, nil
}

// grant gives a machine or leave to make one, if there may be one more. The
// evicted machines are to be closed without the lock.
func (p *pool) grant(v *version) (m *machine, granted bool, evicted []*machine) {
	if v.active-v.waiting >= p.cfg.Parallel {
		return nil, false, nil
	}
	if n := len(v.idle); n > 0 {
		m = v.idle[n-1]
		v.idle = v.idle[:n-1]
		v.active++
		return m, true, nil
	}
	if p.total >= p.cfg.MaxMachines {
		if m := p.evict(); m != nil {
			evicted = append(evicted, m)
		} else {
			return nil, false, nil
		}
	}
	p.total++
	v.active++
	return nil, true, evicted
}

// evict takes the machine that was idle longest out of the pool.
func (p *pool) evict() *machine {
	var of *version
	for _, v := range p.versions {
		if len(v.idle) > 0 && (of == nil || v.idle[0].usedAt.Before(of.idle[0].usedAt)) {
			of = v
		}
	}
	if of == nil {
		return nil
	}
	m := of.idle[0]
	of.idle = slices.Delete(of.idle, 0, 1)
	p.total--
	p.forget(of)
	return m
}

// forget drops a version that has no machine, unless a request waits for one.
func (p *pool) forget(v *version) {
	waited := slices.ContainsFunc(p.waiters, func(w *waiter) bool { return w.version == v })
	if len(v.idle) == 0 && v.active == 0 && !waited {
		delete(p.versions, v.key)
	}
}

func (p *pool) await(ctx context.Context, w *waiter) (*machine, error) {
	select {
	case m := <-w.granted:
		return m, nil
	case <-ctx.Done():
	}
	p.mu.Lock()
	at := slices.Index(p.waiters, w)
	if at >= 0 {
		p.waiters = slices.Delete(p.waiters, at, at+1)
		p.forget(w.version)
	}
	p.mu.Unlock()
	if at < 0 { // granted meanwhile
		if m := <-w.granted; m != nil {
			p.release(m)
		} else {
			p.drop(&machine{version: w.version})
		}
	}
	return nil, ctx.Err()
}

// serveWaiters gives what has become free to those who wait. It returns machines
// to close without the lock.
func (p *pool) serveWaiters() (evicted []*machine) {
	p.waiters = slices.DeleteFunc(p.waiters, func(w *waiter) bool {
		m, granted, out := p.grant(w.version)
		evicted = append(evicted, out...)
		if granted {
			w.granted <- m
		}
		return granted
	})
	return evicted
}

// release takes a machine back that can serve another request.
func (p *pool) release(m *machine) {
	m.usedAt = time.Now()
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		p.drop(m)
		m.close()
		return
	}
	m.version.active--
	m.version.idle = append(m.version.idle, m)
	var evicted []*machine
	if len(p.waiters) > 0 {
		evicted = p.serveWaiters()
	}
	if !p.sweeping {
		p.sweeping = true
		time.AfterFunc(p.cfg.IdleFor, p.sweep)
	}
	p.mu.Unlock()
	closeAll(evicted)
}

// drop forgets a machine that serves no more. The caller closes it.
func (p *pool) drop(m *machine) {
	p.mu.Lock()
	m.version.active--
	p.total--
	p.forget(m.version)
	evicted := p.serveWaiters()
	p.mu.Unlock()
	closeAll(evicted)
}

// blocked notes that a machine waits for something outside; resumed that it
// computes again.
func (p *pool) blocked(m *machine) {
	p.mu.Lock()
	m.version.waiting++
	var evicted []*machine
	if len(p.waiters) > 0 {
		evicted = p.serveWaiters()
	}
	p.mu.Unlock()
	closeAll(evicted)
}

func (p *pool) resumed(m *machine) {
	p.mu.Lock()
	m.version.waiting--
	p.mu.Unlock()
}

// sweep drops machines that were idle for long.
func (p *pool) sweep() {
	before := time.Now().Add(-p.cfg.IdleFor)
	var old []*machine
	p.mu.Lock()
	left := false
	for _, v := range p.versions {
		n := 0
		for n < len(v.idle) && (p.closed || !v.idle[n].usedAt.After(before)) {
			n++
		}
		old = append(old, v.idle[:n]...)
		v.idle = slices.Delete(v.idle, 0, n)
		p.total -= n
		left = left || len(v.idle) > 0
		p.forget(v)
	}
	p.sweeping = left
	if left {
		time.AfterFunc(p.cfg.IdleFor/2, p.sweep)
	}
	p.mu.Unlock()
	closeAll(old)
}

func (p *pool) close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.sweep()
}

func closeAll(machines []*machine) {
	for _, m := range machines {
		m.close()
	}
}

// once keeps what load returned, unless it failed.
func once(load func(ctx context.Context) (string, error)) func(ctx context.Context) (string, error) {
	var mu sync.Mutex
	var loaded bool
	var text string
	return func(ctx context.Context) (string, error) {
		mu.Lock()
		defer mu.Unlock()
		if loaded {
			return text, nil
		}
		got, err := load(ctx)
		if err != nil {
			return "", err
		}
		text, loaded = got, true
		return text, nil
	}
}
