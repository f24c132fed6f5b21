package state

import (
	"database/sql"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestIDsAreUniqueAcrossProcesses(t *testing.T) {
	dir := t.TempDir()
	seen := map[int64]bool{}
	for range 3 {
		s, err := Open(t.Context(), dir) // a restart, or a second process
		require.NoError(t, err)
		defer s.Close()
		for range 5 {
			var id int64
			require.NoError(t, s.Tx(t.Context(), func(tx *sql.Tx) error {
				id, err = NextID(t.Context(), tx)
				return err
			}))
			require.False(t, seen[id], "id %d came twice", id)
			require.Greater(t, id, int64(1e14))
			require.Less(t, id, int64(1<<53))
			seen[id] = true
		}
	}
}

func TestRolledBackIDIsTakenAgain(t *testing.T) {
	s, err := Open(t.Context(), Memory)
	require.NoError(t, err)
	defer s.Close()
	take := func(fail error) (id int64) {
		err := s.Tx(t.Context(), func(tx *sql.Tx) error {
			var err error
			id, err = NextID(t.Context(), tx)
			require.NoError(t, err)
			return fail
		})
		require.ErrorIs(t, err, fail)
		return id
	}
	require.Equal(t, take(sql.ErrNoRows), take(nil))
}
