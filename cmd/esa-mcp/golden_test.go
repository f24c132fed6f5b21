package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// changing are the parts of outputs that differ from run to run.
var changing = []struct {
	pattern *regexp.Regexp
	name    string
}{
	{regexp.MustCompile(`\b\d{19}\b`), "VERSION"},
	{regexp.MustCompile(`\b\d{15}\b`), "ID"},
	{regexp.MustCompile(`\.[0-9a-f]{8}\.`), ".HASH."},
	{regexp.MustCompile(`localhost:\d+`), "localhost:PORT"},
	{regexp.MustCompile(`esa_er_token=[A-Za-z0-9._-]+`), "esa_er_token=TOKEN"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`), "TIME"},
	{regexp.MustCompile(`"confirm": "[^"]+"`), `"confirm": "CONFIRM"`},
	{regexp.MustCompile(`"ttl_seconds": \d+`), `"ttl_seconds": TTL`},
	{regexp.MustCompile(`[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12}`), "REQUEST-ID"},
}

// TestOutputsAreGolden shows what a model reads: a session of calls, each with
// its result or error, compared with testdata/outputs.golden. Run with -update
// after a change that is meant.
func TestOutputsAreGolden(t *testing.T) {
	t.Parallel()
	s := startLocal(t)
	site := writeSite(t, map[string]string{"index.html": "<h1>one</h1>", "css/a.css": "h1{}", ".env": "SECRET=1"})
	var b strings.Builder
	confirm := ""
	for _, c := range []struct {
		tool string
		args arguments
	}{
		{"list_routines", nil},
		{"deploy_pages", arguments{"name": "golden", "path": site, "dry_run": true}},
		{"deploy_pages", arguments{"name": "golden", "path": site, "description": "first"}},
		{"deploy_pages", arguments{"name": "golden", "path": site}},
		{"deploy_html", arguments{"name": "golden", "html": "<h1>two</h1>", "environment": "staging"}},
		{"get_routine", arguments{"name": "golden"}},
		{"get_deployment", arguments{"name": "golden", "version": "1"}},
		{"list_routines", arguments{"search": "gold"}},
		{"delete_routine", arguments{"name": "golden"}},
		{"delete_routine", arguments{"name": "golden", "confirm": "CONFIRM"}},
		{"get_routine", arguments{"name": "golden"}},
		{"get_routine", arguments{"nmae": "golden", "nam": 1}},
		{"deploy_html", arguments{"name": "Golden", "html": "x"}},
		{"create_kv_namespace", arguments{"namespace": "flags"}},
		{"create_kv_namespace", arguments{"namespace": "flags"}},
		{"put_kv", arguments{"namespace": "flags", "key": "beta", "value": "on", "ttl_seconds": 3600}},
		{"put_kv", arguments{"namespace": "flags", "key": "a b", "value": "on"}},
		{"get_kv", arguments{"namespace": "flags", "key": "beta"}},
		{"get_kv", arguments{"namespace": "flags", "key": "gamma"}},
		{"get_kv", arguments{"namespace": "nowhere", "key": "beta"}},
		{"list_kv", arguments{"namespace": "flags"}},
		{"list_sites", nil},
		{"get_site", arguments{"site_name": "example.com"}},
		{"list_records", arguments{"site_id": "123456789012345"}},
	} {
		args := []byte("{}")
		if c.args != nil {
			var err error
			args, err = json.Marshal(c.args)
			require.NoError(t, err)
		}
		if c.args["confirm"] != nil {
			c.args["confirm"] = confirm
		}
		text, isError := s.try(t, t.Context(), c.tool, c.args)
		if p := previewIn(text); p != nil {
			confirm = p.Confirm
		}
		b.WriteString("== " + c.tool + " " + string(args) + "\n")
		if isError {
			b.WriteString("ERROR " + text + "\n\n")
			continue
		}
		var pretty bytes.Buffer
		require.NoError(t, json.Indent(&pretty, []byte(text), "", "  "))
		b.WriteString(pretty.String() + "\n\n")
	}
	got := strings.ReplaceAll(b.String(), site, "SITE")
	for _, c := range changing {
		got = c.pattern.ReplaceAllString(got, c.name)
	}
	golden := filepath.Join("testdata", "outputs.golden")
	if *update {
		require.NoError(t, os.WriteFile(golden, []byte(got), 0o644))
		return
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), got, "outputs changed; if that is meant, run go test ./cmd/esa-mcp -run Golden -update")
}
