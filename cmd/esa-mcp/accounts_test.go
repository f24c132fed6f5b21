package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSeedAndExport makes a state from a file, works with it and writes it out.
func TestSeedAndExport(t *testing.T) {
	t.Parallel()
	dir, file := filepath.Join(t.TempDir(), "state"), filepath.Join(t.TempDir(), "out.json")
	code, _, log := shell(t, environment(), "local", "--dir", dir, "--seed", "../../testdata/accounts/small.json", "--export", file)
	require.Equal(t, exitOK, code, log)
	info, err := os.Stat(file)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	env := environment("ESA_MCP_LOCAL=true", "ESA_MCP_LOCAL_DIR="+dir)
	code, out, log := shell(t, env, "call", "list_sites")
	require.Equal(t, exitOK, code, log)
	require.Contains(t, out, "shop.example")
	code, out, log = shell(t, env, "call", "get_routine", "name=greeter")
	require.Equal(t, exitOK, code, log)
	require.Contains(t, out, "90")

	code, out, log = shell(t, environment(), "local", "--dir", dir, "--export", "-")
	require.Equal(t, exitOK, code, log)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.JSONEq(t, string(text), out)

	for _, args := range [][]string{{"--seed", "nowhere.json"}, {"--seed", "accounts_test.go"}} {
		code, _, log = shell(t, environment(), append([]string{"local"}, args...)...)
		require.Equal(t, exitUsage, code)
		require.Contains(t, log, args[1])
	}
	code, _, log = shell(t, environment(), "local", "--dir", dir, "--seed", file)
	require.Equal(t, exitFailure, code)
	require.Contains(t, log, "the account has site shop.example, site new.example, list office, namespace settings, routine greeter already")
}
