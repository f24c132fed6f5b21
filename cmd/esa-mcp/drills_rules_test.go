package main

import "fmt"

func cacheDrills() []drill {
	rule := arguments{"name": "r", "rule": `(http.host eq "h.drill.example")`, "edge_cache_mode": "no_cache"}
	made := after("set_cache_rule", onSite(rule))
	return []drill{
		{tool: "set_cache_rule", prepare: always(onSite(rule))},
		{tool: "set_cache_rule", about: "changed", prepare: ofRule(made, "rule_id", onSite(arguments{"edge_cache_ttl": 60}))},
		{tool: "set_cache_rule", about: "global", prepare: always(onSite(arguments{"scope": "global", "edge_cache_ttl": 60}))},
		{tool: "delete_cache_rule", prepare: ofRule(made, "rule_id", onSite(arguments{}))},
		{tool: "purge_cache", prepare: always(onSite(arguments{"targets": []string{"https://www.drill.example/a"}}))},
		{tool: "preload_cache", prepare: always(onSite(arguments{"urls": []string{"https://www.drill.example/a"}}))},
		{tool: "set_cache_settings", prepare: always(onSite(arguments{"tiered_cache": "edge", "tag_name": "X-Tag"}))},
	}
}

// ofRule is of for tools whose result has a rule in it.
func ofRule(make func(f *field) map[string]any, argument string, args arguments) func(f *field) func(dir string) arguments {
	return func(f *field) func(string) arguments {
		args[argument] = make(f)["rule"].(map[string]any)["id"]
		return func(string) arguments { return args }
	}
}

func ruleDrills() []drill {
	host := `(http.host eq "h.drill.example")`
	origin := arguments{"name": "r", "rule": host, "origin_scheme": "http", "origin_port": 8080}
	madeOrigin := after("set_origin_rule", onSite(origin))
	plain := after("create_record", onSite(arguments{"name": "app", "type": "A", "value": "203.0.113.1"}))
	drills := []drill{
		{tool: "set_origin_rule", prepare: always(onSite(origin))},
		{tool: "set_origin_rule", about: "changed", prepare: ofRule(madeOrigin, "rule_id", onSite(arguments{"origin_host": "o.drill.example"}))},
		{tool: "delete_origin_rule", prepare: ofRule(madeOrigin, "rule_id", onSite(arguments{}))},
		{tool: "proxy_subdomain", prepare: always(arguments{"host": "app.drill.example", "origin": "203.0.113.1", "origin_scheme": "http", "origin_port": 8080})},
		{tool: "proxy_subdomain", about: "existing", prepare: func(f *field) func(string) arguments {
			plain(f)
			f.do("set_origin_rule", onSite(arguments{"rule": `(http.host eq "app.drill.example")`, "name": "app.drill.example", "origin_scheme": "https"}))
			return func(string) arguments {
				return arguments{"host": "app.drill.example", "origin_scheme": "http", "origin_port": 8080}
			}
		}},
		{tool: "set_rule", about: "headers changed", prepare: ofRule(after("set_rule", onSite(arguments{"kind": "response_headers", "rule": host,
			"headers": []arguments{{"action": "add", "name": "X-A", "value": "1"}}})), "rule_id",
			onSite(arguments{"kind": "response_headers", "headers": []arguments{{"action": "add", "name": "X-B", "value": "2"}}}))},
	}
	page := func(f *field) arguments {
		made := f.do("write_api", arguments{"action": "CreatePage", "params": arguments{"Name": "p", "ContentType": "text/html", "Content": "PHA+"}})
		return onSite(arguments{"kind": "custom_response", "name": "r", "rule": host,
			"settings": arguments{"page_id": fmt.Sprint(made["result"].(map[string]any)["Id"]), "return_code": "403"}})
	}
	response := func(f *field) map[string]any { return f.do("set_rule", page(f)) }
	drills = append(drills,
		drill{tool: "set_rule", about: "custom_response", prepare: func(f *field) func(string) arguments {
			args := page(f)
			return func(string) arguments { return args }
		}},
		drill{tool: "set_rule", about: "custom_response changed", prepare: ofRule(response, "rule_id", onSite(arguments{"kind": "custom_response", "settings": arguments{"return_code": "404"}}))},
		drill{tool: "delete_rule", about: "custom_response", prepare: ofRule(response, "rule_id", onSite(arguments{"kind": "custom_response"}))})
	for kind, with := range ruleSettings() {
		args := func() arguments {
			a := onSite(arguments{"kind": kind, "name": "r", "rule": host})
			for name, value := range with {
				a[name] = value
			}
			return a
		}
		made := after("set_rule", args())
		drills = append(drills,
			drill{tool: "set_rule", about: kind, prepare: always(args())},
			drill{tool: "set_rule", about: kind + " changed", prepare: ofRule(made, "rule_id", onSite(arguments{"kind": kind, "enabled": false}))},
			drill{tool: "delete_rule", about: kind, prepare: ofRule(made, "rule_id", onSite(arguments{"kind": kind}))})
	}
	return drills
}

// ruleSettings are what a rule of each kind needs.
func ruleSettings() map[string]arguments {
	settings := func(s arguments) arguments { return arguments{"settings": s} }
	headers := arguments{"headers": []arguments{{"action": "add", "name": "X-A", "value": "1"}}}
	return map[string]arguments{
		"redirect":                  settings(arguments{"target_url": "https://o.drill.example/", "type": "static"}),
		"rewrite":                   settings(arguments{"uri": "/x"}),
		"request_headers":           headers,
		"response_headers":          headers,
		"incoming_request_headers":  headers,
		"incoming_response_headers": headers,
		"compression":               settings(arguments{"gzip": "on"}),
		"https":                     settings(arguments{"https_force": "on"}),
		"tls":                       settings(arguments{"http3": "on"}),
		"network":                   settings(arguments{"websocket": "on"}),
		"image":                     settings(arguments{"enable": "on"}),
		"video":                     settings(arguments{"video_seek_enable": "on"}),
	}
}
