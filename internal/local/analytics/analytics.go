// Package analytics is the part of the local ESA that keeps the log of the
// edge's requests and answers the analytics operations from it.
//
// It must not know how calls arrive or are signed, nor how the edge serves. It
// counts what belongs to a site of the account: requests to the default domains
// of routines belong to none, as on the service.
//
// The service samples and answers estimates; here every request is counted, so
// the sampling rate is 100.
package analytics

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/quota"
	"github.com/esa-mcp/esa-mcp/internal/local/state"
)

// Config is what the service needs. The zero value of each field has a default.
type Config struct {
	// Now is the clock; time.Now if nil.
	Now func() time.Time
	// Logger gets what could not be stored; silent if nil.
	Logger *slog.Logger
	// History is how long rows are kept; 90 days if 0. No plan lets one look back
	// further.
	History time.Duration
	// Quotas are how far back the plan of a site lets one look.
	Quotas quota.Set
	// Delay is how long a request may wait to be stored with others; 1 s if 0.
	// Questions never miss one: they store what waits first.
	Delay time.Duration
	// MaxPending bounds the kinds of requests that wait; 100,000 if 0. Requests of
	// further kinds are dropped, so that a burst cannot take all memory.
	MaxPending int
	// Sampling is how many requests of a hundred are counted; 0 for all. Answers
	// are estimates then, and say so.
	Sampling int64
}

// everyRequest is the sampling at which figures are exact, in percent.
const everyRequest = 100

// Service keeps the log and answers from it.
type Service struct {
	store *state.Store
	cfg   Config

	mu      sync.Mutex
	pending tally
	dropped int64
	pruned  time.Time

	storing sync.Mutex // one batch at a time, in order
	wake    chan struct{}
	stop    chan struct{}
	stopped sync.WaitGroup
	once    sync.Once
}

// New makes the service and starts the goroutine that stores requests; Close
// ends it.
func New(store *state.Store, cfg Config) *Service {
	if cfg.Sampling <= 0 || cfg.Sampling > everyRequest {
		cfg.Sampling = everyRequest
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.History == 0 {
		cfg.History = 90 * day
	}
	if cfg.Delay == 0 {
		cfg.Delay = time.Second
	}
	if cfg.MaxPending == 0 {
		cfg.MaxPending = 100_000
	}
	s := &Service{store: store, cfg: cfg, wake: make(chan struct{}, 1), stop: make(chan struct{})}
	s.stopped.Go(s.work)
	return s
}

// Table returns the operations.
func (s *Service) Table() api.Table {
	return api.Table{
		"DescribeSiteTimeSeriesData": s.timeSeries,
		"DescribeSiteTopData":        s.topData,
	}
}

// Record notes a request. It only counts it in memory, so it does not slow the
// edge down.
func (s *Service) Record(v Visit) {
	s.mu.Lock()
	first := len(s.pending.groups) == 0
	if !s.pending.add(&v, s.cfg.MaxPending) {
		s.dropped++
	}
	s.mu.Unlock()
	if first {
		select {
		case s.wake <- struct{}{}:
		default:
		}
	}
}

// Flush stores what waits.
func (s *Service) Flush(ctx context.Context) error {
	s.storing.Lock()
	defer s.storing.Unlock()
	s.mu.Lock()
	batch, dropped, now := s.pending, s.dropped, s.cfg.Now()
	prune := now.Sub(s.pruned) > time.Hour
	s.pending, s.dropped = tally{}, 0
	if prune {
		s.pruned = now
	}
	s.mu.Unlock()
	if dropped > 0 {
		s.cfg.Logger.Warn("requests were not logged: too many at once", "dropped", dropped)
	}
	if prune {
		oldest := now.Add(-s.cfg.History).Unix()
		if err := dropBefore(ctx, s.store, oldest); err != nil {
			s.putBack(batch)
			return fmt.Errorf("drop old requests: %w", err)
		}
	}
	if err := store(ctx, s.store, &batch); err != nil {
		s.putBack(batch)
		return err
	}
	return nil
}

// dropBefore forgets old requests, and the texts that only they had.
func dropBefore(ctx context.Context, store *state.Store, oldest int64) error {
	return store.Tx(ctx, func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, `DELETE FROM visits WHERE at < ?`, oldest)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return err
		}
		var used []string
		for name, column := range dimensionColumns() {
			if isText(name) {
				used = append(used, `SELECT `+column+` FROM visits`)
			}
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM visit_texts WHERE id NOT IN (`+strings.Join(used, ` UNION `)+`)`)
		return err
	})
}

// putBack keeps a batch that could not be stored for the next try.
func (s *Service) putBack(batch tally) {
	s.mu.Lock()
	defer s.mu.Unlock()
	later := s.pending
	s.pending = batch
	for _, g := range later.groups {
		v := later.visit(&g)
		if !s.pending.addMany(&v, g.n, g.bytes, g.requestBytes, s.cfg.MaxPending) {
			s.dropped += g.n
		}
	}
}

// work stores what waits, some time after the first of it came.
func (s *Service) work() {
	for {
		select {
		case <-s.stop:
			return
		case <-s.wake:
		}
		select {
		case <-s.stop:
			return
		case <-time.After(s.cfg.Delay):
		}
		if err := s.Flush(context.Background()); err != nil {
			s.cfg.Logger.Error("the request log was not stored", "error", err)
		}
	}
}

// Close stores what waits and ends the goroutine. The state must still be open.
func (s *Service) Close() error {
	var err error
	s.once.Do(func() {
		close(s.stop)
		s.stopped.Wait()
		err = s.Flush(context.Background())
	})
	return err
}
