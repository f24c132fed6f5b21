package purge

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// Fetched is what came of a preload's fetch.
type Fetched struct {
	// Status is that of the answer, the edge's own error pages included.
	Status int
	// TimedOut says that the origin did not answer in time, and NoOrigin that
	// nothing answered for it at all.
	TimedOut, NoOrigin bool
}

const (
	// fetchesAtOnce is how many preloads are fetched at the same time.
	fetchesAtOnce = 8
	// fetchLimit is when a preload that nobody finished has failed.
	fetchLimit = 10 * time.Minute
)

// What a failed preload says: the documented words. Of an answer that is the
// visitor's fault the service says nothing; its task is told in the same way.
const (
	failedInside  = "Internal Error"
	failedTimeout = "Origin Timeout"
	failedStatus  = "Origin Return StatusCode %dXX"
)

// defaultHeaders are those of a preload that names none, as documented.
func defaultHeaders() map[string]string { return map[string]string{"Accept-Encoding": "gzip"} }

// fetch has the addresses of a task fetched in the background, and notes what
// came of each.
func (s *Service) fetch(taskID string, addresses []string, headers map[string]string) {
	if s.cfg.Fetch == nil {
		return
	}
	if len(headers) == 0 {
		headers = defaultHeaders()
	}
	begun := s.cfg.Now()
	s.fetching.Go(func() {
		for _, address := range addresses {
			select {
			case s.slots <- struct{}{}:
			case <-s.ctx.Done():
				return
			}
			s.fetching.Go(func() {
				defer func() { <-s.slots }()
				s.fetchOne(taskID, address, headers, begun)
			})
		}
	})
}

func (s *Service) fetchOne(taskID, address string, headers map[string]string, begun time.Time) {
	ctx, cancel := context.WithTimeout(s.ctx, fetchLimit)
	defer cancel()
	got, err := s.cfg.Fetch(ctx, address, headers)
	if s.ctx.Err() != nil {
		return // the task fails when its time is up
	}
	finishes := max(s.cfg.Now().UnixMilli(), begun.Add(s.cfg.Duration).UnixMilli())
	// If it cannot be noted, the task fails when its time is up.
	_, _ = s.store.Exec(s.ctx, `UPDATE cache_tasks SET failure = ?, finishes = ? WHERE task_id = ? AND kind = ? AND content = ?`,
		failure(got, err), finishes, taskID, kindPreload, address)
}

// failure is what a task says of its fetch; empty if it went well.
func failure(got Fetched, err error) string {
	switch {
	case got.TimedOut:
		return failedTimeout
	case err != nil, got.NoOrigin:
		return failedInside
	case got.Status >= http.StatusBadRequest:
		return fmt.Sprintf(failedStatus, got.Status/100)
	}
	return ""
}
