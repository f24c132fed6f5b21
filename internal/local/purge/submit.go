package purge

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/state"
)

type taskAnswer struct {
	TaskID string `json:"TaskId"`
}

// purge answers PurgeCaches. All objects of a call are taken or none.
func (s *Service) purge(ctx context.Context, r *api.Request) (any, error) {
	kind := r.Params.String("Type")
	if _, err := r.Params.Bool("Force", false); err != nil {
		return nil, err
	}
	edgeCompute, err := r.Params.Bool("EdgeComputePurge", false)
	if err != nil {
		return nil, err
	}
	var asked content
	if _, err := r.Params.JSON("Content", &asked); err != nil {
		return nil, err
	}
	var answer taskAnswer
	err = s.store.Tx(ctx, func(tx *sql.Tx) error {
		site, served, err := siteOf(ctx, tx, r.Params)
		if err != nil {
			return err
		}
		objects, err := asked.objects(kind, served)
		if err != nil {
			return err
		}
		counts := kind
		if kind == typeCacheKey {
			counts = typeFile
		}
		if err := s.checkQuota(ctx, tx, site, counts, "QuotaExceeded.Refresh", len(objects)); err != nil {
			return err
		}
		tasks := make([]task, len(objects))
		for i, object := range objects {
			tasks[i] = task{kind: kindPurge, typ: kind, content: object}
		}
		for i, variant := range asked.variants(kind) {
			tasks[i].variant = variant
		}
		if err := s.tellEdges(ctx, tx, site, tasks, edgeCompute); err != nil {
			return err
		}
		answer.TaskID, err = s.insert(ctx, tx, site, tasks)
		return err
	})
	return answer, err
}

// preload answers PreloadCaches. An address that the edge cannot fetch is taken,
// and its task fails.
func (s *Service) preload(ctx context.Context, r *api.Request) (any, error) {
	var (
		addresses []string
		headers   map[string]string
		answer    taskAnswer
	)
	if _, err := r.Params.JSON("Content", &addresses); err != nil {
		return nil, err
	}
	if _, err := r.Params.JSON("Headers", &headers); err != nil {
		return nil, err
	}
	if len(addresses) == 0 {
		return nil, refuse("Content must be a list of addresses that is not empty.")
	}
	err := s.store.Tx(ctx, func(tx *sql.Tx) error {
		site, served, err := siteOf(ctx, tx, r.Params)
		if err != nil {
			return err
		}
		for _, address := range addresses {
			if err := checkURL(address, served); err != nil {
				return err
			}
		}
		if err := s.checkQuota(ctx, tx, site, Preload, "QuotaExceeded.Preload", len(addresses)); err != nil {
			return err
		}
		answer.TaskID, err = s.insert(ctx, tx, site, preloads(addresses))
		return err
	})
	if err == nil {
		s.fetch(answer.TaskID, addresses, headers)
	}
	return answer, err
}

// Preload preloads addresses of a site, as PreloadCaches does.
func (s *Service) Preload(ctx context.Context, site int64, addresses []string) error {
	var id string
	err := s.store.Tx(ctx, func(tx *sql.Tx) error {
		if err := s.checkQuota(ctx, tx, site, Preload, "QuotaExceeded.Preload", len(addresses)); err != nil {
			return err
		}
		var err error
		id, err = s.insert(ctx, tx, site, preloads(addresses))
		return err
	})
	if err == nil {
		s.fetch(id, addresses, nil)
	}
	return err
}

// preloads are the tasks of addresses.
func preloads(addresses []string) []task {
	tasks := make([]task, len(addresses))
	for i, address := range addresses {
		tasks[i] = task{kind: kindPreload, content: address}
	}
	return tasks
}

func (s *Service) checkQuota(ctx context.Context, tx *sql.Tx, site int64, typ, code string, want int) error {
	used, err := s.used(ctx, tx, site, typ)
	if err != nil {
		return err
	}
	kind, _ := quotaOf(typ)
	most, err := s.cfg.Quotas.OfSite(ctx, tx, site, kind)
	if err != nil {
		return err
	}
	if left := int64(most) - used; int64(want) > left {
		return api.Errorf(400, code, "The quota of %s allows %d more today, not %d.", typ, max(left, 0), want)
	}
	return nil
}

// insert stores the tasks of one call under one task id, and forgets old ones.
func (s *Service) insert(ctx context.Context, tx *sql.Tx, site int64, tasks []task) (string, error) {
	id, err := state.NextID(ctx, tx)
	if err != nil {
		return "", err
	}
	now := s.cfg.Now().UnixMilli()
	if _, err := tx.ExecContext(ctx, `DELETE FROM cache_tasks WHERE created < ?`, now-keep.Milliseconds()); err != nil {
		return "", fmt.Errorf("drop old tasks: %w", err)
	}
	insert, err := tx.PrepareContext(ctx, `INSERT INTO cache_tasks (task_id, site_id, kind, type, content, failure, created, finishes)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?)`)
	if err != nil {
		return "", fmt.Errorf("prepare to store the tasks: %w", err)
	}
	defer insert.Close()
	for _, t := range tasks {
		finishes := now + s.cfg.Duration.Milliseconds()
		if t.kind == kindPreload && s.cfg.Fetch != nil {
			// Unless the fetch says otherwise before: its process may end.
			finishes, t.failure = now+fetchLimit.Milliseconds(), failedInside
		}
		if _, err := insert.ExecContext(ctx, id, site, t.kind, t.typ, t.content, t.failure, now, finishes); err != nil {
			return "", fmt.Errorf("store a task: %w", err)
		}
	}
	return strconv.FormatInt(id, 10), nil
}
