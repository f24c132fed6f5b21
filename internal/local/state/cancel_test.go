package state

import (
	"context"
	"database/sql"
	"testing"

	"github.com/stretchr/testify/require"
)

// A caller that gives up in the middle of a transaction must not take the
// in-memory state with it: database/sql likes to throw its connection away then,
// and with it the database.
func TestMemorySurvivesCancellation(t *testing.T) {
	s, err := Open(t.Context(), Memory)
	require.NoError(t, err)
	defer s.Close()
	for range 20 {
		ctx, cancel := context.WithCancel(t.Context())
		err = s.Tx(ctx, func(tx *sql.Tx) error {
			_, err := NextID(ctx, tx)
			require.NoError(t, err)
			cancel()
			_, err = tx.ExecContext(ctx, `INSERT INTO sequence (name, last) VALUES ('x', 1)`)
			return err
		})
		require.Error(t, err)
		ctx, cancel = context.WithCancel(t.Context())
		rows, err := s.DB().QueryContext(ctx, `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) SELECT i FROM n`)
		require.NoError(t, err)
		require.True(t, rows.Next())
		cancel()
		for rows.Next() {
		}
		require.NoError(t, rows.Close())

		var id string
		require.NoError(t, s.DB().QueryRow(`SELECT access_key_id FROM account`).Scan(&id))
		require.Equal(t, s.Account().AccessKeyID, id)
		var n int
		require.NoError(t, s.DB().QueryRow(`SELECT COUNT(*) FROM sequence`).Scan(&n))
		require.Zero(t, n, "rolled back")
	}
}
