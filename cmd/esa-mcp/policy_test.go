package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/stretchr/testify/require"
)

// What the configuration file denies is not offered, and refused where it could
// still be reached.
func TestConfigFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "esa-mcp.toml")
	write := func(text string) { require.NoError(t, os.WriteFile(file, []byte(text), 0o644)) }
	write("[tools]\ndeny = [\"delete_*\"]\n[actions]\ndeny = [\"DeleteRecord\"]\n[sites]\ndeny = [\"shop.example\"]\n")
	s := startLocal(t, "--config", file)
	list, err := s.ListTools(t.Context(), mcp.ListToolsRequest{})
	require.NoError(t, err)
	for _, tool := range list.Tools {
		require.False(t, strings.HasPrefix(tool.Name, "delete_"), tool.Name)
	}
	_, err = s.callRaw(t.Context(), "delete_record", arguments{"record_id": "1"})
	require.Error(t, err, "it is not there")
	require.Contains(t, s.refuse(t, "write_api", arguments{"action": "DeleteRecord", "params": arguments{"RecordId": 1}}), "the operation is not allowed here")
	require.Contains(t, s.refuse(t, "create_site", arguments{"name": "shop.example", "access_type": "NS"}), "the site shop.example is not allowed here")
	newSite(t, s, "other.example", "NS")

	for text, want := range map[string]string{
		"[tools]\ndeny = [\"delete_reckord\"]": file + `: line 2, tools.deny: "delete_reckord" fits nothing there is: did you mean delete_record?`,
		"[tools]\nallow = []":                  "denies every tool",
	} {
		write(text)
		code, _, log := shell(t, environment("ESA_MCP_CONFIG="+file), "tools")
		require.Equal(t, 2, code)
		require.Contains(t, log, want)
	}
	code, _, log := shell(t, environment(), "tools", "--config", filepath.Join(file, "none"))
	require.Equal(t, 2, code)
	require.Contains(t, log, "read the configuration")
}
