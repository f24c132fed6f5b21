package purge

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"
)

// keepForEdges is how long a purge is kept for edges that have not applied it.
const keepForEdges = 24 * time.Hour

// tellEdges writes the purges down for the edges of all processes.
func (s *Service) tellEdges(ctx context.Context, tx *sql.Tx, site int64, tasks []task, edgeCompute bool) error {
	now := s.cfg.Now().UnixMilli()
	if _, err := tx.ExecContext(ctx, `DELETE FROM cache_purges WHERE created < ?`, now-keepForEdges.Milliseconds()); err != nil {
		return fmt.Errorf("drop old purges: %w", err)
	}
	for _, t := range tasks {
		variant := ""
		if len(t.variant) > 0 {
			raw, err := json.Marshal(t.variant)
			if err != nil {
				return fmt.Errorf("encode the variant of a purge: %w", err)
			}
			variant = string(raw)
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO cache_purges (site_id, type, content, variant, edge_compute, created) VALUES (?, ?, ?, ?, ?, ?)`,
			site, t.typ, t.content, variant, edgeCompute, now)
		if err != nil {
			return fmt.Errorf("store a purge: %w", err)
		}
	}
	return nil
}
