package main

import (
	"github.com/stretchr/testify/require"
	"os"
	"path/filepath"
)

// pair makes a certificate and its key once, for all calls of a drill.
func pair(f *field, host string) arguments {
	certificate, key := pemPair(f.t, 90, host)
	return arguments{"certificate_path": keep(f, certificate), "key_path": keep(f, key)}
}

// keep copies a file of a part of a test to where it stays for all of it.
func keep(f *field, path string) string {
	raw, err := os.ReadFile(path)
	require.NoError(f.t, err)
	return writeFile(f, f.dir, filepath.Base(filepath.Dir(path))+filepath.Base(path), string(raw))
}

func certificateDrills() []drill {
	site := func(a arguments, more arguments) arguments {
		for name, value := range more {
			a[name] = value
		}
		return onSite(a)
	}
	upload := func(more arguments) func(f *field) func(string) arguments {
		return func(f *field) func(string) arguments {
			args := site(pair(f, "www.drill.example"), more)
			return func(string) arguments { return args }
		}
	}
	uploaded := func(tool string, more arguments) func(f *field) map[string]any {
		return func(f *field) map[string]any { return f.do(tool, site(pair(f, "www.drill.example"), more)) }
	}
	hosts := arguments{"hostnames": []string{"www.drill.example"}}
	return []drill{
		{tool: "apply_certificate", prepare: always(onSite(arguments{"domains": []string{"www.drill.example", "a.drill.example"}}))},
		{tool: "apply_certificate", about: "and wait", prepare: always(onSite(arguments{"domains": []string{"www.drill.example"}, "wait": true}))},
		{tool: "set_certificate", prepare: upload(nil)},
		{tool: "set_certificate", about: "replaced", prepare: func(f *field) func(string) arguments {
			made := uploaded("set_certificate", nil)(f)
			args := site(pair(f, "www.drill.example"), arguments{"id": made["id"]})
			return func(string) arguments { return args }
		}},
		{tool: "delete_certificate", prepare: of(uploaded("set_certificate", nil), "id", "id", onSite(arguments{}))},
		{tool: "delete_certificate", about: "of the site to origins", prepare: of(uploaded("upload_origin_client_cert", nil), "id", "id", onSite(arguments{"kind": "origin_site"}))},
		{tool: "delete_certificate", about: "of hosts to origins", prepare: of(uploaded("upload_origin_client_cert", hosts), "id", "id", onSite(arguments{"kind": "origin_hosts"}))},
		{tool: "upload_origin_client_cert", prepare: upload(nil)},
		{tool: "upload_origin_client_cert", about: "for hosts", prepare: upload(hosts)},
		{tool: "set_origin_client_cert_hosts", prepare: of(uploaded("upload_origin_client_cert", hosts), "id", "id", onSite(arguments{"hostnames": []string{"a.drill.example"}}))},
	}
}

func securityDrills() []drill {
	rule := func(name string) arguments { return arguments{"name": name, "action": "deny", "expression": "true"} }
	rules := func(names ...string) arguments {
		var list []arguments
		for _, name := range names {
			list = append(list, rule(name))
		}
		return onSite(arguments{"phase": "http_custom", "rules": list})
	}
	ids := func(n int, more arguments) func(f *field) func(string) arguments {
		return func(f *field) func(string) arguments {
			more["ids"] = f.do("create_waf_rules", rules("a", "b", "c"))["ids"].([]any)[:n]
			return func(string) arguments { return onSite(more) }
		}
	}
	set := after("set_waf_ruleset", onSite(arguments{"phase": "http_bot", "name": "bots"}))
	list := after("create_list", arguments{"name": "blocked", "kind": "ip", "items": []string{"192.0.2.1"}})
	return []drill{
		{tool: "create_waf_rules", about: "one", prepare: always(rules("a"))},
		{tool: "create_waf_rules", about: "two", prepare: always(rules("a", "b"))},
		{tool: "update_waf_rule", about: "one", prepare: ids(1, arguments{"action": "monitor", "status": "off"})},
		{tool: "update_waf_rule", about: "two", prepare: ids(2, arguments{"action": "monitor"})},
		{tool: "delete_waf_rule", prepare: func(f *field) func(string) arguments {
			id := f.do("create_waf_rules", rules("a", "b"))["ids"].([]any)[0]
			return func(string) arguments { return onSite(arguments{"id": id}) }
		}},
		{tool: "set_waf_ruleset", prepare: always(onSite(arguments{"phase": "http_bot", "name": "bots", "status": "off"}))},
		{tool: "set_waf_ruleset", about: "switched", prepare: of(set, "id", "id", onSite(arguments{"status": "off"}))},
		{tool: "delete_waf_ruleset", prepare: of(set, "id", "id", onSite(arguments{}))},
		{tool: "create_list", prepare: always(arguments{"name": "blocked", "kind": "ip", "items": []string{"192.0.2.1"}})},
		{tool: "update_list", prepare: of(list, "id", "id", arguments{"add": []string{"192.0.2.2"}})},
		{tool: "delete_list", prepare: of(list, "id", "id", arguments{})},
	}
}
