package state

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestConfigVersionChangesWithTheConfiguration(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	a, err := Open(ctx, dir)
	require.NoError(t, err)
	defer a.Close()
	b, err := Open(ctx, dir) // as another process would
	require.NoError(t, err)
	defer b.Close()
	version := func() int64 {
		n, err := b.ConfigVersion(ctx)
		require.NoError(t, err)
		return n
	}
	before := version()
	_, err = a.DB().Exec(`INSERT INTO lists (id, name, kind, description, items, length, updated) VALUES (1, 'x', 'ip', '', '[]', 0, 0)`)
	require.NoError(t, err)
	inserted := version()
	require.NotEqual(t, before, inserted)
	_, err = a.DB().Exec(`UPDATE lists SET length = 0`)
	require.NoError(t, err)
	updated := version()
	require.NotEqual(t, inserted, updated)
	_, err = a.DB().Exec(`DELETE FROM lists`)
	require.NoError(t, err)
	require.NotEqual(t, updated, version())

	still := version()
	_, err = a.DB().Exec(`INSERT INTO kv_namespaces (id, name, description, created) VALUES (1, 'ns', '', 0)`)
	require.NoError(t, err)
	require.Equal(t, still, version(), "values for routines are no configuration")
}
