package generic

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
)

// The states of an execution. waiting and running are documented.
const (
	runWaiting  = "waiting"
	runStarted  = "running"
	runStopped  = "stopped"
	runFinished = "finished"
	runFailed   = "failed"
)

// lookEvery is how late an execution may begin.
const lookEvery = time.Second

// Run preloads what is scheduled until ctx ends.
func (s *Service) Run(ctx context.Context, logger *slog.Logger) {
	for {
		wait, err := s.runPreloads(ctx)
		if err != nil && ctx.Err() == nil {
			logger.WarnContext(ctx, "scheduled preloads could not be run", "error", err)
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

// slice is what an execution preloads at once.
type slice struct {
	execution, site int64
	addresses       []string
}

// runPreloads preloads what executions have due, and returns when to look again.
// Each slice is preloaded once, however many processes look.
func (s *Service) runPreloads(ctx context.Context) (wait time.Duration, err error) {
	var due []slice
	wait = lookEvery
	var any bool // so that an idle one takes no lock
	err = s.store.DB().QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM resources WHERE kind = 'ScheduledPreloadExecution')`).Scan(&any)
	if err != nil || !any {
		return wait, err
	}
	err = s.store.Tx(ctx, func(tx *sql.Tx) error {
		list, err := find(ctx, tx, kindOf("ScheduledPreloadExecution"), `1`)
		if err != nil {
			return err
		}
		for _, it := range list {
			one, left, err := s.next(ctx, tx, it)
			if err != nil {
				return err
			}
			wait = min(wait, left)
			if len(one.addresses) > 0 {
				due = append(due, one)
			}
		}
		return nil
	})
	if err != nil {
		return wait, fmt.Errorf("look for scheduled preloads: %w", err)
	}
	for _, one := range due {
		if err := s.cfg.Preload(ctx, one.site, one.addresses); err != nil {
			if err := s.failExecution(ctx, one.execution); err != nil {
				return wait, err
			}
		}
	}
	return wait, nil
}

// next takes what an execution has due, if anything, and says how long it has not.
func (s *Service) next(ctx context.Context, tx *sql.Tx, it *item) (due slice, left time.Duration, err error) {
	now := s.cfg.Now()
	status := it.text("Status")
	begins := it.created
	if at, err := time.Parse(timeFormat, it.text("StartTime")); err == nil {
		begins = at.Unix()
	}
	switch {
	case status == runStarted: // told to start
		begins = number(it.fields["NextAt"])
	case status == runWaiting:
		begins = max(begins, number(it.fields["NextAt"]))
	default:
		return due, lookEvery, nil
	}
	k := kindOf("ScheduledPreloadExecution")
	if it.over(now) {
		return due, lookEvery, nil
	}
	if left := time.Unix(begins, 0).Sub(now); left > 0 {
		return due, left, nil
	}
	jobs, err := find(ctx, tx, kindOf("ScheduledPreloadJob"), `r.id = ?`, it.parent)
	if err != nil || len(jobs) == 0 {
		return due, lookEvery, err
	}
	all, done := addresses(jobs[0]), number(it.fields["Submitted"])
	to := min(done+max(1, number(it.fields["SliceLen"])), int64(len(all)))
	due = slice{execution: it.id, site: jobs[0].site, addresses: all[min(done, to):to]}
	interval := max(1, number(it.fields["Interval"]))
	it.set("Submitted", to)
	it.set("NextAt", now.Unix()+interval)
	it.set("Status", runStarted)
	if to == int64(len(all)) {
		it.set("Status", runFinished)
	}
	return due, time.Duration(interval) * time.Second, s.keep(ctx, tx, k, it)
}

// over reports whether an execution's EndTime has passed.
func (it *item) over(now time.Time) bool {
	ends, err := time.Parse(timeFormat, it.text("EndTime"))
	return err == nil && !now.Before(ends)
}

// executionStatus tells of an execution whose time is over that it has finished.
func executionStatus(_ context.Context, _ *sql.Tx, s *Service, it *item, m map[string]any) error {
	if status := it.text("Status"); it.over(s.cfg.Now()) && (status == runWaiting || status == runStarted) {
		m["Status"] = runFinished
	}
	return nil
}

// failExecution notes that a slice of an execution was refused.
func (s *Service) failExecution(ctx context.Context, id int64) error {
	return s.store.Tx(ctx, func(tx *sql.Tx) error {
		k := kindOf("ScheduledPreloadExecution")
		list, err := find(ctx, tx, k, `r.id = ?`, id)
		if err != nil || len(list) == 0 {
			return err
		}
		list[0].set("Status", runFailed)
		return s.keep(ctx, tx, k, list[0])
	})
}

// resetJob has all executions of a job begin anew.
func resetJob(ctx context.Context, tx *sql.Tx, s *Service, job *item, _ api.Params) (map[string]any, error) {
	k := kindOf("ScheduledPreloadExecution")
	list, err := find(ctx, tx, k, `r.parent_id = ?`, job.id)
	if err != nil {
		return nil, err
	}
	for _, it := range list {
		it.set("Submitted", nil)
		it.set("NextAt", nil)
		it.set("Status", runWaiting)
		if err := s.keep(ctx, tx, k, it); err != nil {
			return nil, err
		}
	}
	return nil, nil
}
