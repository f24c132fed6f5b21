package state

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
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

// TestFoldersThatAreNone opens what cannot be a state: the error says what can.
func TestFoldersThatAreNone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err := Open(t.Context(), file)
	require.ErrorContains(t, err, "give a folder that can be made")
	other := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(other, "esa.db"), []byte("another program's"), 0o600))
	_, err = Open(t.Context(), other)
	require.ErrorContains(t, err, "in which esa.db is a local ESA's or does not exist")
}

// TestOthersCannotRead has keys kept from other users of the machine, though they
// may look into the folder.
func TestOthersCannotRead(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there the folder's own rights count")
	}
	dir := t.TempDir()
	require.NoError(t, os.Chmod(dir, 0o755))
	s, err := Open(t.Context(), dir)
	require.NoError(t, err)
	defer s.Close()
	for _, name := range []string{"esa.db", "esa.db-wal", "esa.db-shm"} {
		info, err := os.Stat(filepath.Join(dir, name))
		require.NoError(t, err)
		require.Zero(t, info.Mode().Perm()&0o077, name)
	}
}
