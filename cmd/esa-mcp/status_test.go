package main

import (
	"bufio"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local"
)

// TestLocalStatus asks a local ESA that runs, and then the folder it left.
func TestLocalStatus(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "state")
	code, _, log := shell(t, environment(), "local", "status", "--dir", dir)
	require.Equal(t, exitFailure, code)
	require.Contains(t, log, "no state")

	cmd := exec.CommandContext(t.Context(), binary, "local", "--dir", dir, "--seed", "../../testdata/accounts/small.json")
	cmd.Env = environment()
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	line, err := bufio.NewReader(out).ReadBytes('\n')
	require.NoError(t, err)
	var info local.Info
	require.NoError(t, json.Unmarshal(line, &info))

	key := environment("ALIBABA_CLOUD_ACCESS_KEY_ID="+info.AccessKeyID, "ALIBABA_CLOUD_ACCESS_KEY_SECRET="+info.AccessKeySecret)
	code, asked, log := shell(t, key, "local", "status", info.Admin)
	require.Equal(t, exitOK, code, log)
	require.Regexp(t, `shop\.example +active +NS +4 +4 `, asked)
	code, _, log = shell(t, environment(), "local", "status", info.Admin)
	require.Equal(t, exitFailure, code)
	require.Contains(t, log, "HTTP 401")
	for address, want := range map[string]string{"nonsense": "is no address", "127.0.0.1:4001": "is no address", info.Endpoint: "not the address \"admin\"", info.Edge: "not the address \"admin\""} {
		code, _, log = shell(t, key, "local", "status", address)
		require.Equal(t, exitFailure, code)
		require.Contains(t, log, want, address)
	}

	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	require.NoError(t, cmd.Wait())
	code, read, log := shell(t, environment(), "local", "status", "--dir", dir)
	require.Equal(t, exitOK, code, log)
	require.Equal(t, asked, read)
	code, read, _ = shell(t, environment(), "local", "status", "--dir", dir, "--json")
	require.Equal(t, exitOK, code)
	require.Contains(t, read, `"name": "shop.example"`)
}
