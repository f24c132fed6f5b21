package balance

import (
	"context"
	"log/slog"
	"reflect"
	"sync"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/local/edge/origin"
	"github.com/esa-mcp/esa-mcp/internal/local/edge/plan"
)

const (
	// lookEvery is how soon a load balancer that another process made is watched.
	lookEvery = 2 * time.Second
	// settle is how long changes are gathered before they are looked at, so that many
	// calls one after the other cost little.
	settle = 20 * time.Millisecond
	// probesAtOnce bounds the probes that run at the same time.
	probesAtOnce = 16
)

// Monitors probe the origins of all load balancers that have a monitor.
type Monitors struct {
	plans   *plan.Source
	origins *origin.Client
	health  *Health
	logger  *slog.Logger

	wake    chan struct{}
	slots   chan struct{}
	probing sync.WaitGroup
	version int64 // of the configuration that jobs are of
	jobs    map[watched]*job
}

// job is one origin under watch.
type job struct {
	target target
	next   time.Time
	// running is closed when the probe that runs has ended; nil: none was made yet.
	running chan struct{}
}

// target is what is probed, and how.
type target struct {
	monitor plan.Monitor
	origin  plan.PoolOrigin
}

// NewMonitors returns monitors that tell health what they find.
func NewMonitors(plans *plan.Source, origins *origin.Client, health *Health, logger *slog.Logger) *Monitors {
	return &Monitors{plans: plans, origins: origins, health: health, logger: logger, wake: make(chan struct{}, 1),
		slots: make(chan struct{}, probesAtOnce), version: -1, jobs: map[watched]*job{}}
}

// Changed says that the configuration may have changed.
func (m *Monitors) Changed() {
	select {
	case m.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// Run probes until ctx ends, and returns when the last probe has ended.
func (m *Monitors) Run(ctx context.Context) {
	defer m.probing.Wait()
	for {
		if err := m.look(ctx); err != nil && ctx.Err() == nil {
			m.logger.WarnContext(ctx, "the load balancers could not be read", "error", err)
		}
		if !m.rest(ctx, m.start(ctx, time.Now()), m.wake) {
			return
		}
	}
}

// rest waits for so long, or until something has changed and settled. It reports
// false when ctx ends.
func (m *Monitors) rest(ctx context.Context, wait time.Duration, wake <-chan struct{}) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-wake:
		return m.rest(ctx, min(wait, settle), nil)
	case <-timer.C:
		return true
	}
}

// look makes the jobs those of the configuration as it is. What is watched in
// another way than before is as unknown as what is new.
func (m *Monitors) look(ctx context.Context) error {
	version, err := m.plans.Version(ctx)
	if err != nil || version == m.version {
		return err
	}
	sites, err := m.plans.BalancedSites(ctx)
	if err != nil {
		return err
	}
	m.version = version
	wanted := map[watched]target{}
	for _, t := range sites {
		for _, b := range t.Balancers() {
			if b.Monitor.Off() || !b.Enabled {
				continue
			}
			for _, id := range b.Pools() {
				p := t.Pool(id)
				if p == nil || !p.Enabled {
					continue
				}
				for _, o := range p.Origins {
					if o.Enabled {
						wanted[watched{b.ID, o.ID}] = target{b.Monitor, *o}
					}
				}
			}
		}
	}
	for w, j := range m.jobs {
		if t, ok := wanted[w]; !ok || !reflect.DeepEqual(t, j.target) {
			delete(m.jobs, w)
			m.health.forget(w)
		}
	}
	for w, t := range wanted {
		if m.jobs[w] == nil {
			m.jobs[w] = &job{target: t}
		}
	}
	return nil
}

// start starts the probes that are due, and returns when to look again.
func (m *Monitors) start(ctx context.Context, now time.Time) time.Duration {
	wait := lookEvery
	for w, j := range m.jobs {
		if left := j.next.Sub(now); left > 0 {
			wait = min(wait, left)
			continue
		}
		j.next = now.Add(j.target.monitor.Interval)
		wait = min(wait, j.target.monitor.Interval)
		if j.running != nil {
			select {
			case <-j.running:
			default:
				continue // it is slower than its interval
			}
		}
		done := make(chan struct{})
		j.running = done
		m.probing.Go(func() {
			defer close(done)
			m.slots <- struct{}{}
			defer func() { <-m.slots }()
			m.probe(ctx, w, j.target)
		})
	}
	return wait
}

// probe probes once, and notes the result.
func (m *Monitors) probe(ctx context.Context, w watched, t target) {
	limited, cancel := context.WithTimeout(ctx, t.monitor.Timeout)
	defer cancel()
	failure := ""
	if err := m.ask(limited, t); err != nil {
		failure = reasonOf(err)
	}
	if ctx.Err() == nil {
		m.health.note(w, failure, t.monitor.ConsecutiveUp, t.monitor.ConsecutiveDown)
	}
}
