package prompts

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/esa"
	"github.com/esa-mcp/esa-mcp/internal/local"
	"github.com/esa-mcp/esa-mcp/resources/live"
	"github.com/esa-mcp/esa-mcp/tools"
)

// account is a local ESA that has something to tell about.
func account(t *testing.T) *live.Live {
	t.Helper()
	l, err := local.Start(t.Context(), local.Options{Dir: ":memory:", Now: time.Now})
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	client, err := esa.New(esa.Config{Endpoint: l.Info().Endpoint,
		Credentials: esa.StaticCredentials(l.Info().AccessKeyID, l.Info().AccessKeySecret, "")})
	require.NoError(t, err)
	deps := func() (*tools.Deps, error) {
		return &tools.Deps{ESA: client, Upload: client, Local: tools.KnownLocal(tools.LocalInfo{Edge: l.Info().Edge}), Locks: tools.NewLocks(), Now: time.Now,
			Sleep: func(context.Context, time.Duration) error { return nil }}, nil
	}
	for _, c := range []call{
		{"create_site", `{"name":"example.com","access_type":"NS"}`},
		{"create_record", `{"site_name":"example.com","name":"www.example.com","type":"A/AAAA","value":"192.0.2.7","proxied":true,"biz_name":"web"}`},
		{"create_record", `{"site_name":"example.com","name":"ssh.example.com","type":"A/AAAA","value":"192.0.2.7"}`},
		{"set_rule", `{"site_name":"example.com","kind":"redirect","name":"old","rule":"(http.host eq \"www.example.com\")","settings":{"target_url":"https://example.com/","status_code":"301","type":"static"}}`},
		{"deploy_html", `{"name":"hello","html":"<p>hi</p>"}`},
		{"create_kv_namespace", `{"namespace":"flags"}`},
		{"put_kv", `{"namespace":"flags","key":"dark","value":"{\"on\":true}"}`},
	} {
		at := -1
		for i, tool := range tools.All() {
			if tool.Meta().Name == c.tool {
				at = i
			}
		}
		_, err := tools.All()[at].Call(t.Context(), deps, json.RawMessage(c.args))
		require.NoError(t, err, c.tool)
	}
	return live.New(deps)
}

// TestPromptsKnowTheAccount reads each prompt with an account behind it: what it
// says is of the account, and what it proposes is taken by the tools.
func TestPromptsKnowTheAccount(t *testing.T) {
	l := account(t)
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "index.html"), []byte("<p>hi</p>"), 0o644))
	zone := filepath.Join(folder, "zone.txt")
	require.NoError(t, os.WriteFile(zone, []byte("$ORIGIN example.com.\nwww 300 IN A 192.0.2.9\nmail 300 IN A 192.0.2.10\n"), 0o644))
	for _, c := range []struct {
		prompt string
		args   map[string]string
		wants  []string // in English
	}{
		{"deploy-a-site", map[string]string{"path": folder, "name": "hello"}, []string{"2 files", "hello is live with version", `deploy_pages {"name":"hello","path"`}},
		{"deploy-a-site", map[string]string{"path": folder, "name": "brand-new"}, []string{"There is no routine brand-new yet"}},
		{"bind-a-domain", map[string]string{"routine": "hello", "domain": "www.example.com"},
			[]string{"Site example.com (id", "A/AAAA 192.0.2.7, proxied", `bind_custom_domain {"domain":"www.example.com","routine":"hello"}`}},
		{"bind-a-domain", map[string]string{"routine": "none", "domain": "www.example.org"}, []string{"There is no routine none", "No site of the account covers www.example.org", "create_site"}},
		{"proxy-an-origin", map[string]string{"host": "api.example.com", "origin": "http://192.0.2.7:8080"},
			[]string{"api.example.com has no record", `"origin_port":8080,"origin_scheme":"http"`}},
		{"debug-a-domain", map[string]string{"host": "ssh.example.com", "symptom": "redirect loop"},
			[]string{"not proxied", `update_record {"biz_name":"web","proxied":true,"record_id":"`, "No valid certificate covers ssh.example.com", "https_force", "No request reached the edge"}},
		{"debug-a-domain", map[string]string{"host": "nothing.example.com"}, []string{"nothing.example.com has no record", "Nothing leads to the host", "create_record"}},
		{"debug-a-domain", map[string]string{"host": "www.example.com", "symptom": "旧内容"}, []string{`The redirect rule "old"`, "purge_cache"}},
		{"write-a-rule", map[string]string{"site": "example.com", "goal": "x", "kind": "redirect"}, []string{"1 rules are there", "http.host", "starts_with", "set_rule"}},
		{"write-a-rule", map[string]string{"site": "example.com", "goal": "x", "kind": "cache"}, []string{"set_cache_rule"}},
		{"write-a-rule", map[string]string{"site": "example.com", "goal": "x", "kind": "http_custom"}, []string{"create_waf_rules"}},
		{"write-a-rule", map[string]string{"site": "example.com", "goal": "x"}, []string{"set_rule"}},
		{"traffic-report", map[string]string{"site": "example.com"}, []string{"Requests: 0", "query_time_series", "Period"}},
		{"traffic-report", map[string]string{"site": "example.com", "start": "-7d"}, []string{`"interval":86400`}},
		{"kv-feature-flags", map[string]string{"namespace": "flags", "flag": "dark", "routine": "hello"}, []string{"flags has 1 keys", `dark is set to`, `on\":true`, "hello is live"}},
		{"kv-feature-flags", map[string]string{"namespace": "new"}, []string{"There is no namespace new", "create_kv_namespace"}},
		{"secure-a-site", map[string]string{"site": "example.com"}, []string{"HTTP is not redirected", `"https_force":"on"`, "ssh.example.com shows the address 192.0.2.7",
			"whoever knows it goes past the edge", "There is no rate limit", "The site has no certificate"}},
		{"migrate-from-cdn", map[string]string{"domain": "example.com", "from": "cloudflare", "zone_file": zone}, []string{"would create 1 records and change", "import_records"}},
		{"migrate-from-cdn", map[string]string{"domain": "example.net", "region": "global"}, []string{"example.net can be added", "has room", `"coverage":"global"`, "ICP"}},
	} {
		t.Run(c.prompt, func(t *testing.T) {
			p, err := Find(c.prompt)
			require.NoError(t, err)
			c.args["lang"] = "en"
			text, err := p.Get(t.Context(), l, tools.All(), c.args)
			require.NoError(t, err)
			for _, want := range c.wants {
				require.Contains(t, text, want)
			}
			require.NotContains(t, text, "could not be read")
			require.NotContains(t, text, "esa_er_token=h")
			require.LessOrEqual(t, len(text), 40_000)
			c.args["lang"] = "zh"
			chinese, err := p.Get(t.Context(), l, tools.All(), c.args)
			require.NoError(t, err)
			for _, text := range []string{text, chinese} {
				require.NotContains(t, text, "%!")
				require.NotEmpty(t, calls(t, text))
				for _, call := range calls(t, text) {
					call.check(t)
				}
			}
			require.Len(t, calls(t, chinese), len(calls(t, text)), "both languages propose the same")
			require.Equal(t, strings.Count(text, "\n### "), strings.Count(chinese, "\n### "), "and show the same")
			require.NotContains(t, chinese, "## Known")
		})
	}
}
