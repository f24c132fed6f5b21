package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// counterpart is what our tools do for one tool of mcp-server-esa.
type counterpart struct {
	theirs, ours string
	args         arguments
	// want are parts of the result. A text that begins with $ is taken from an
	// earlier result.
	want []string
	// keep names a field of the result, such as rules.0.id, that later rows use.
	keep, as string
	// check looks further; may be nil.
	check func(t *testing.T, result map[string]any)
}

// theirPage has what their html_deploy breaks: backslashes and template literals.
const theirPage = "<script>/\\d+\\.js/.test(`${location}`); \"a\\nb\"</script>"

func counterparts(t *testing.T, certificate, key string) []counterpart {
	folder := writeSite(t, map[string]string{"index.html": "<h1>folder</h1>", "a/b.txt": "deep"})
	opens := func(path, content string) func(*testing.T, map[string]any) {
		return func(t *testing.T, r map[string]any) {
			status, body := browse(t, at(t, r["url"].(string), path))
			require.Equal(t, 200, status)
			require.Contains(t, body, content)
		}
	}
	site := func(more arguments) arguments { return with(arguments{"site_id": "$site"}, more) }
	const code = `export default { fetch() { return new Response("fn") } }`
	return []counterpart{
		{theirs: "html_deploy", ours: "deploy_html", args: arguments{"name": "page", "html": theirPage}, check: opens("/", theirPage)},
		{theirs: "folder_deploy", ours: "deploy_pages", args: arguments{"name": "folder", "path": folder}, check: opens("/a/b.txt", "deep")},
		{theirs: "routine_create", ours: "set_routine", args: arguments{"name": "fn", "description": "mine"}, want: []string{`"created":true`}},
		{theirs: "routine_code_commit", ours: "deploy_routine", args: arguments{"name": "fn", "code": code, "environment": "staging"}, keep: "version", as: "$v1"},
		{theirs: "routine_code_deploy", ours: "publish_routine_version", args: arguments{"name": "fn", "version": "$v1"}, want: []string{"production"}},
		{theirs: "routine_list", ours: "list_routines", want: []string{`"fn"`, `"folder"`, `"page"`}},
		{theirs: "routine_get", ours: "get_routine", args: arguments{"name": "fn"}, want: []string{`"mine"`, "$v1"}},

		{theirs: "create_site", ours: "create_site", args: arguments{"name": "theirs.example", "access_type": "NS"}, keep: "id", as: "$site"},
		{theirs: "list_sites", ours: "list_sites", args: arguments{"name": "theirs"}, want: []string{"$site"}},
		{theirs: "", ours: "verify_site", args: site(nil)},
		{theirs: "site_active_list", ours: "list_sites", args: arguments{"status": "active"}, want: []string{"$site"}},
		{theirs: "site_match", ours: "get_site", args: arguments{"site_name": "a.b.theirs.example"}, want: []string{"$site"}},
		{theirs: "update_site_pause", ours: "update_site", args: site(arguments{"paused": true})},
		{theirs: "get_site_pause", ours: "get_site", args: site(arguments{"details": true}), want: []string{`"paused":true`}},
		{theirs: "update_ipv6", ours: "update_site", args: site(arguments{"ipv6": "on", "paused": false})},
		{theirs: "get_ipv6", ours: "get_site", args: site(arguments{"details": true}), want: []string{`"ipv6":"on"`}},
		{theirs: "update_managed_transform", ours: "update_site", args: site(arguments{"client_geo_header": true, "client_ip_header": "X-IP"})},
		{theirs: "get_managed_transform", ours: "get_site", args: site(arguments{"details": true}),
			want: []string{`"client_geo_header":true`, `"client_ip_header":"X-IP"`}},

		{theirs: "create_site_a_or_aaaa_record", ours: "create_record", args: site(arguments{"name": "www", "type": "A/AAAA", "value": "203.0.113.1", "proxied": true}),
			keep: "id", as: "$record"},
		{theirs: "create_site_cname_record", ours: "create_record", args: site(arguments{"name": "plain", "type": "CNAME", "value": "a.example.net", "proxied": false}),
			want: []string{`"proxied":false`}},
		{theirs: "create_site_txt_record", ours: "create_record", args: site(arguments{"name": "txt", "type": "TXT", "value": `with "quotes"`})},
		{theirs: "create_site_ns_record", ours: "create_record", args: site(arguments{"name": "sub", "type": "NS", "value": "ns.example.net"})},
		{theirs: "create_site_mx_record", ours: "create_record", args: site(arguments{"name": "@", "type": "MX", "value": "mx.example.net", "priority": 10})},
		{theirs: "site_record_list", ours: "list_records", args: site(nil), want: []string{`"total":5`}},
		{theirs: "list_records", ours: "list_records", args: site(arguments{"type": "A/AAAA"}), want: []string{`"total":1`, "$record"}},
		{theirs: "update_record", ours: "update_record", args: arguments{"record_id": "$record", "value": "203.0.113.2"}},
		{theirs: "get_record", ours: "get_record", args: arguments{"record_id": "$record"}, want: []string{"203.0.113.2", `"proxied":true`}},
		{theirs: "delete_record", ours: "delete_record", args: arguments{"record_id": "$record"}, want: []string{"203.0.113.2"}},

		{theirs: "er_record_create", ours: "create_related_record", args: arguments{"routine": "fn", "record": "fn.theirs.example"}},
		{theirs: "er_record_list", ours: "list_related_records", args: arguments{"routine": "fn"}, want: []string{"fn.theirs.example"}},
		{theirs: "er_record_delete", ours: "delete_related_record", args: arguments{"routine": "fn", "record": "fn.theirs.example"}},
		{theirs: "", ours: "create_record", args: site(arguments{"name": "www", "type": "A/AAAA", "value": "203.0.113.1", "proxied": true})},
		{theirs: "route_create", ours: "set_route", args: site(arguments{"routine": "fn", "pattern": "www.theirs.example/api/*", "name": "api"}), keep: "id", as: "$route"},
		{theirs: "route_update", ours: "set_route", args: site(arguments{"id": "$route", "pattern": "www.theirs.example/v2/*"})},
		{theirs: "route_get", ours: "list_routes", args: site(arguments{"id": "$route"}), want: []string{"/v2/"}},
		{theirs: "routine_route_list", ours: "list_routes", args: arguments{"routine": "fn"}, want: []string{"$route"}},
		{theirs: "site_route_list", ours: "list_routes", args: site(nil), want: []string{"$route"}},
		{theirs: "route_delete", ours: "delete_route", args: site(arguments{"id": "$route"})},

		{theirs: "set_certificate", ours: "set_certificate", args: site(arguments{"certificate_path": certificate, "key_path": key}), keep: "id", as: "$cert"},
		{theirs: "apply_certificate", ours: "apply_certificate", args: site(arguments{"domains": []string{"www.theirs.example"}})},
		{theirs: "list_certificates", ours: "list_certificates", args: site(nil), want: []string{"$cert"}},
		{theirs: "get_certificate", ours: "list_certificates", args: site(arguments{"id": "$cert"}), want: []string{"own.theirs.example"}},
		{theirs: "get_certificate_quota", ours: "get_certificate_quota", args: site(nil), want: []string{`"quota"`}},
		{theirs: "delete_certificate", ours: "delete_certificate", args: site(arguments{"id": "$cert"})},

		{theirs: "", ours: "deploy_routine", args: arguments{"name": "fn", "code": strings.Replace(code, `"fn"`, `"two"`, 1)}},
		{theirs: "deployment_delete", ours: "delete_routine_version", args: arguments{"name": "fn", "version": "$v1"}},
		{theirs: "routine_delete", ours: "delete_routine", args: arguments{"name": "fn"}, want: []string{`"deleted":true`}},
	}
}

// Whatever the 44 tools of mcp-server-esa do, ours do, with a result that shows
// it.
func TestCounterpartsOfMCPServerESA(t *testing.T) {
	t.Parallel()
	s := startLocal(t)
	certificate, key := pemPair(t, 90, "own.theirs.example")
	kept := map[string]string{}
	fill := func(v any) any {
		text, ok := v.(string)
		if value, known := kept[text]; ok && known {
			return value
		}
		require.False(t, ok && strings.HasPrefix(text, "$"), "%s is not kept", text)
		return v
	}
	seen := map[string]bool{}
	for _, c := range counterparts(t, certificate, key) {
		require.False(t, c.theirs != "" && seen[c.theirs], "%s is there twice", c.theirs)
		seen[c.theirs] = true
		args := arguments{}
		for name, v := range c.args {
			args[name] = fill(v)
		}
		text, isError := s.agree(t, c.ours, args)
		require.False(t, isError, "%s for %s: %s", c.ours, c.theirs, text)
		for _, want := range c.want {
			require.Contains(t, text, fill(want), "%s for %s", c.ours, c.theirs)
		}
		var result map[string]any
		require.NoError(t, json.Unmarshal([]byte(text), &result))
		if c.keep != "" {
			require.NotEmpty(t, result[c.keep], "%s: %s", c.ours, text)
			kept[c.as] = fmt.Sprint(result[c.keep])
		}
		if c.check != nil {
			c.check(t, result)
		}
	}
	delete(seen, "")
	require.Len(t, seen, 44, "each of their tools has a row")
}
