package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/tools"
)

func TestLocalTraffic(t *testing.T) {
	t.Parallel()
	dir := seeded(t, []string{"one.example", "pending.example"}, nil)
	description := filepath.Join(t.TempDir(), "traffic.json")
	require.NoError(t, os.WriteFile(description, []byte(`{"site": "one.example", "requests": 10, "span": "2h", "countries": {"BR": 1}}`), 0o600))
	code, out, log := shell(t, environment(), "local", "traffic", "--dir", dir, "--description", description, "--requests", "300")
	require.Equal(t, 0, code, log)
	require.Contains(t, out, `"requests":300`)
	s := start(t, environment(), "--local", "--local-dir", dir, "--toolsets", "analytics")
	top := callOK[tools.QueryTopDataOutput](t, s, "query_top_data", arguments{"site_name": "one.example", "dimensions": []string{"ClientCountryCode"}})
	require.Equal(t, "BR", top.Tables[0].Rows[0].Value)
	require.InDelta(t, 300, top.Tables[0].Rows[0].Count, 2, "the last second is not over yet")

	for name, c := range map[string]struct {
		args []string
		code int
		says string
	}{
		"no site":      {nil, 2, "say which site: --site NAME"},
		"pending site": {[]string{"--site", "pending.example"}, 1, `no active site "pending.example"`},
		"no file":      {[]string{"--description", "/nonexistent.json"}, 1, "read the description"},
		"too many":     {[]string{"--site", "one.example", "--requests", "1000000000"}, 1, "requests must be between"},
	} {
		code, _, log := shell(t, environment(), append([]string{"local", "traffic", "--dir", dir}, c.args...)...)
		require.Equal(t, c.code, code, name)
		require.Contains(t, log, c.says, name)
	}
}
