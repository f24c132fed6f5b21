package state

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAccountSurvivesReopen(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state with space & ?")
	a, err := Open(t.Context(), dir)
	require.NoError(t, err)
	b, err := Open(t.Context(), dir) // as a second process would
	require.NoError(t, err)
	require.Equal(t, a.Account(), b.Account())
	require.NotEmpty(t, a.Account().AccessKeySecret)
	require.NoError(t, a.Close())
	require.NoError(t, b.Close())
}

func TestMemoryIsItsOwn(t *testing.T) {
	a, err := Open(t.Context(), Memory)
	require.NoError(t, err)
	b, err := Open(t.Context(), Memory)
	require.NoError(t, err)
	require.NotEqual(t, a.Account().AccessKeyID, b.Account().AccessKeyID)
	require.DirExists(t, a.BlobDir())
	require.NoError(t, a.Close())
	require.NoDirExists(t, a.BlobDir())
	require.NoError(t, b.Close())
}

// What is in memory outlives questions that are cancelled: the driver drops the
// connection of one that is interrupted.
func TestMemoryOutlivesCancelledQuestions(t *testing.T) {
	s, err := Open(t.Context(), Memory)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	key := func() (id string) {
		require.NoError(t, s.DB().QueryRowContext(t.Context(), `SELECT access_key_id FROM account`).Scan(&id))
		return id
	}
	require.Equal(t, s.Account().AccessKeyID, key())
	interrupted := 0
	for try := 0; interrupted < 3 && try < 1000; try++ {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		var n int
		err := s.DB().QueryRowContext(ctx, `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 500000) SELECT count(*) FROM n`).Scan(&n)
		cancel()
		if err != nil { // an interrupt before the first step has no effect
			interrupted++
		}
		require.Equal(t, s.Account().AccessKeyID, key())
	}
	require.NotZero(t, interrupted)
}
