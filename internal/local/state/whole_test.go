package state

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestWhole keeps all that was done, or nothing.
func TestWhole(t *testing.T) {
	t.Parallel()
	for name, dir := range map[string]string{"in a folder": filepath.Join(t.TempDir(), "state"), "in memory": Memory} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := Open(t.Context(), dir)
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, s.Close()) })
			count := func() (n int) {
				require.NoError(t, s.DB().QueryRow(`SELECT COUNT(*) FROM lists`).Scan(&n))
				return n
			}
			add := func(id int) error {
				return s.Tx(t.Context(), func(tx *sql.Tx) error {
					_, err := tx.Exec(`INSERT INTO lists (id, name, kind, description, items, length, updated) VALUES (?, ?, 'ip', '', '[]', 0, 0)`, id, id)
					return err
				})
			}
			taken := errors.New("taken back")
			several := func() error {
				require.NoError(t, add(1))
				require.Error(t, add(1), "a transaction inside that fails leaves the others")
				require.ErrorIs(t, s.Tx(t.Context(), func(tx *sql.Tx) error {
					_, err := tx.Exec(`DELETE FROM lists`)
					return errors.Join(err, taken)
				}), taken)
				require.NoError(t, add(2))
				_, err := s.DB().Exec(`UPDATE lists SET length = 7`)
				require.NoError(t, err)
				require.Equal(t, 2, count(), "what was done is seen inside")
				return nil
			}
			require.ErrorIs(t, s.Whole(t.Context(), func() error { return errors.Join(several(), taken) }), taken)
			require.Zero(t, count())
			require.NoError(t, s.Whole(t.Context(), several))
			require.Equal(t, 2, count())
			require.NoError(t, add(3), "and then all is as usual")
		})
	}
}

// TestWholeLosesItsConnection cancels questions in the middle, for which the driver
// may drop the connection: then nothing is kept, not even what was done after it, and
// that is an error.
func TestWholeLosesItsConnection(t *testing.T) {
	t.Parallel()
	s, err := Open(t.Context(), t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	add := func() error {
		_, err := s.DB().Exec(`INSERT INTO sequence (name, last) VALUES (hex(randomblob(8)), 1)`)
		return err
	}
	count := func() (n int) {
		require.NoError(t, s.DB().QueryRow(`SELECT COUNT(*) FROM sequence`).Scan(&n))
		return n
	}
	lost := 0
	for try := 0; lost == 0 && try < 100; try++ {
		before := count()
		var second error
		err := s.Whole(t.Context(), func() error {
			require.NoError(t, add())
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			defer cancel()
			var n int
			_ = s.DB().QueryRowContext(ctx, `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 500000) SELECT count(*) FROM n`).Scan(&n)
			second = add()
			return nil
		})
		if second == nil {
			require.NoError(t, err)
			require.Equal(t, before+2, count())
			continue
		}
		lost++
		require.ErrorContains(t, err, "the connection was lost")
		require.Equal(t, before, count())
	}
	require.Positive(t, lost)
}
