package state

import (
	"path/filepath"
	"testing"

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
