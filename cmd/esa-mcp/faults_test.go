package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestFaultsOfTheLocalESA gives faults by flag and by variable.
func TestFaultsOfTheLocalESA(t *testing.T) {
	t.Parallel()
	local := []string{"call", "list_sites", "--local", "--local-dir", ":memory:", "--fault", "action=ListSites code=NoPermission count=9"}
	code, _, log := shell(t, environment(), local...)
	require.Equal(t, exitFailure, code)
	require.Contains(t, log, "NoPermission")

	env := environment("ESA_MCP_LOCAL=true", "ESA_MCP_LOCAL_DIR=:memory:", "ESA_MCP_FAULT=code=InvalidX; action=PutKv drop=half")
	code, _, log = shell(t, env, "call", "list_sites")
	require.Equal(t, exitFailure, code)
	require.Contains(t, log, "InvalidX")

	for _, args := range [][]string{{"call", "list_sites", "--local"}, {"local"}} {
		code, _, log = shell(t, environment(), append(args, "--fault", "kode=X")...)
		require.Equal(t, exitUsage, code)
		require.Contains(t, log, `"kode=X"`)
	}
	code, _, log = shell(t, environment(), "call", "list_sites", "--fault", "code=X")
	require.Equal(t, exitUsage, code)
	require.Contains(t, log, "--fault needs --local")
}
