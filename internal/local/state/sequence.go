package state

import (
	"context"
	"database/sql"
	"fmt"
)

// The service's ids have 15 or 16 digits and are far apart. They stay below
// 2^53, so that clients that read JSON numbers as floats keep them whole.
const (
	firstID = 352_816_096_987_136
	idStep  = 16
)

// NextID takes the next id for a site, a record, a configuration or a
// namespace. All kinds share one sequence, so that an id given for the wrong
// kind of thing finds nothing.
func NextID(ctx context.Context, tx *sql.Tx) (int64, error) {
	var id int64
	row := tx.QueryRowContext(ctx, `INSERT INTO sequence (name, last) VALUES ('id', ?)
		ON CONFLICT (name) DO UPDATE SET last = last + ? RETURNING last`, firstID, idStep)
	if err := row.Scan(&id); err != nil {
		return 0, fmt.Errorf("take the next id: %w", err)
	}
	return id, nil
}
