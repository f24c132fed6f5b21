package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestQuotasByPlan sets quotas through the environment and runs into them: on the
// site of a basic plan, while that of the enterprise plan has more room.
func TestQuotasByPlan(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "account.json")
	require.NoError(t, os.WriteFile(file, []byte(`{"format": 1, "plans": [{"id": "small", "plan": "basicplan", "sites": 1}], "sites": [
		{"name": "small.example", "access": "NS", "coverage": "overseas", "plan": "small"},
		{"name": "large.example", "access": "NS", "coverage": "overseas"}]}`), 0o600))
	code, _, log := shell(t, environment(), "local", "--dir", filepath.Join(dir, "state"), "--seed", file, "--export", filepath.Join(dir, "out.json"))
	require.Equal(t, exitOK, code, log)
	env := environment("ESA_MCP_LOCAL=true", "ESA_MCP_LOCAL_DIR="+filepath.Join(dir, "state"),
		"ESA_MCP_QUOTA=plan=basic records=1 free_certificates=0; kv_namespaces=1")
	record := func(site, name string) (int, string) {
		code, _, log := shell(t, env, "call", "create_record", "site_name="+site, "name="+name+"."+site, "type=TXT", "value=x")
		return code, log
	}
	for _, name := range []string{"a", "b"} {
		code, log := record("large.example", name)
		require.Equal(t, exitOK, code, log)
	}
	code, log = record("small.example", "a")
	require.Equal(t, exitOK, code, log)
	code, log = record("small.example", "b")
	require.Equal(t, exitFailure, code)
	require.Contains(t, log, "QuotaExceed.RecordCount")

	api := func(action, params string) (int, string) {
		code, out, log := shell(t, env, "call", "--yes", "write_api", "--json", `{"action":"`+action+`","params":`+params+`}`)
		return code, out + log
	}
	code, out := api("CreateKvNamespace", `{"Namespace":"one"}`)
	require.Equal(t, exitOK, code, out)
	code, out = api("CreateKvNamespace", `{"Namespace":"two"}`)
	require.Equal(t, exitFailure, code)
	require.Contains(t, out, "InvalidNameSpace.QuotaFull")
	code, answer, log := shell(t, env, "call", "read_api", "--json", `{"action":"GetKvAccount"}`)
	require.Equal(t, exitOK, code, log)
	require.Contains(t, answer, `"NamespaceQuota": 1`)

	for text, want := range map[string]string{"plan=gold records=1": "--quota: plan is one of basic", "room=1": `--quota: there is no quota "room"`} {
		code, _, log := shell(t, environment(), "local", "--dir", ":memory:", "--quota", text)
		require.NotEqual(t, exitOK, code)
		require.Contains(t, log, want)
	}
	code, _, log = shell(t, environment(), "call", "list_sites", "--quota", "records=1")
	require.NotEqual(t, exitOK, code)
	require.Contains(t, log, "--quota needs --local")
}
