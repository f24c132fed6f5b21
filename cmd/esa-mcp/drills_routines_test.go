package main

import "fmt"

func deployDrills() []drill {
	page := func(text string) arguments { return arguments{"name": "web", "html": text} }
	folder := func(f *field) func(string) arguments {
		return func(dir string) arguments {
			writeFile(f, dir, "index.html", "<h1>drill</h1>")
			return arguments{"name": "web", "path": dir}
		}
	}
	first := after("deploy_html", page("first"))
	building := func(f *field) func(string) arguments {
		f.faults("build=hang")
		made := f.do("deploy_html", page("built later"))
		f.faults("")
		f.do("get_deployment", arguments{"name": "web", "version": made["version"]})
		return func(string) arguments {
			return arguments{"name": "web", "version": made["version"], "resume": true}
		}
	}
	code := func(text string) arguments {
		return arguments{"name": "fn", "code": fmt.Sprintf("export default { fetch() { return new Response(%q) } }", text)}
	}
	return []drill{
		{tool: "deploy_html", prepare: always(page("first"))},
		{tool: "deploy_html", about: "again", prepare: then(first, page("second"))},
		{tool: "deploy_pages", prepare: folder},
		{tool: "deploy_pages", about: "again", prepare: func(f *field) func(string) arguments {
			first(f)
			return folder(f)
		}},
		{tool: "get_deployment", about: "resumed", prepare: building},
		{tool: "deploy_routine", prepare: always(code("first"))},
		{tool: "deploy_routine", about: "again", prepare: then(after("deploy_routine", code("first")), code("second"))},
		{tool: "publish_routine_version", prepare: func(f *field) func(string) arguments {
			made := first(f)
			f.do("deploy_html", page("second"))
			return func(string) arguments {
				return arguments{"name": "web", "version": made["version"], "environment": "both"}
			}
		}},
		{tool: "publish_routine_version", about: "back", prepare: then(func(f *field) map[string]any {
			first(f)
			return f.do("deploy_html", page("second"))
		}, arguments{"name": "web"})},
		{tool: "delete_routine_version", prepare: func(f *field) func(string) arguments {
			made := first(f)
			f.do("deploy_html", page("second"))
			return func(string) arguments { return arguments{"name": "web", "version": made["version"]} }
		}},
	}
}

func routineDrills() []drill {
	fn := after("deploy_html", arguments{"name": "fn", "html": "first"})
	route := func(f *field) map[string]any {
		fn(f)
		return f.do("set_route", arguments{"routine": "fn", "pattern": "www.drill.example/*"})
	}
	related := func(f *field) map[string]any {
		fn(f)
		return f.do("create_related_record", arguments{"routine": "fn", "record": "app.drill.example"})
	}
	return []drill{
		{tool: "set_routine", prepare: always(arguments{"name": "fn", "description": "new"})},
		{tool: "set_routine", about: "described", prepare: then(fn, arguments{"name": "fn", "description": "new"})},
		{tool: "delete_routine", prepare: then(route, arguments{"name": "fn"})},
		{tool: "set_route", prepare: then(fn, arguments{"routine": "fn", "pattern": "www.drill.example/*"})},
		{tool: "set_route", about: "changed", prepare: of(route, "id", "id", onSite(arguments{"enabled": false}))},
		{tool: "delete_route", prepare: of(route, "id", "id", onSite(arguments{}))},
		{tool: "create_related_record", prepare: then(fn, arguments{"routine": "fn", "record": "app.drill.example"})},
		{tool: "delete_related_record", prepare: then(related, arguments{"routine": "fn", "record": "app.drill.example"})},
		{tool: "bind_custom_domain", prepare: then(fn, arguments{"routine": "fn", "domain": "www.drill.example"})},
		{tool: "bind_custom_domain", about: "existing", prepare: then(func(f *field) map[string]any {
			made := route(f)
			f.do("set_route", onSite(arguments{"id": made["id"], "enabled": false}))
			f.do("set_route", onSite(arguments{"id": made["id"], "rule": `(http.host eq "www.drill.example")`}))
			return f.do("create_record", onSite(arguments{"name": "www", "type": "A", "value": "203.0.113.1"}))
		}, arguments{"routine": "fn", "domain": "www.drill.example"})},
	}
}

func apiDrills() []drill {
	call := func(action string, params arguments) arguments {
		params["SiteId"] = "$SITE"
		return arguments{"action": action, "params": params}
	}
	withSite := func(args arguments) func(f *field) func(string) arguments {
		return func(f *field) func(string) arguments {
			args["params"].(arguments)["SiteId"] = f.do("get_site", onSite(arguments{}))["id"]
			return func(string) arguments { return args }
		}
	}
	undo := func(make func(f *field) map[string]any) func(f *field) func(string) arguments {
		return func(f *field) func(string) arguments {
			make(f)
			change := f.do("undo_change", arguments{})["changes"].([]any)[0].(map[string]any)["change"]
			return func(string) arguments { return arguments{"change": change} }
		}
	}
	a := after("create_record", onSite(arguments{"name": "a", "type": "A", "value": "203.0.113.1"}))
	return []drill{
		{tool: "write_api", about: "create", prepare: withSite(call("CreateRecord", arguments{"RecordName": "a.drill.example", "Type": "TXT", "Ttl": 60, "Data": arguments{"Value": "x"}}))},
		{tool: "write_api", about: "update", prepare: withSite(call("UpdateSitePause", arguments{"Paused": true}))},
		{tool: "undo_change", about: "made", prepare: undo(a)},
		{tool: "undo_change", about: "changed", prepare: undo(func(f *field) map[string]any {
			return f.do("update_record", arguments{"record_id": a(f)["id"], "value": "203.0.113.2"})
		})},
		{tool: "undo_change", about: "deleted", prepare: undo(func(f *field) map[string]any {
			return f.do("delete_record", arguments{"record_id": a(f)["id"]})
		})},
		{tool: "undo_change", about: "batch", prepare: undo(func(f *field) map[string]any {
			return f.do("batch_create_records", onSite(arguments{"records": manyRecords(3)}))
		})},
		{tool: "undo_change", about: "keys", prepare: undo(func(f *field) map[string]any {
			f.do("create_kv_namespace", arguments{"namespace": "ns"})
			f.do("put_kv", arguments{"namespace": "ns", "key": "a", "value": "0"})
			return f.do("batch_put_kv", arguments{"namespace": "ns", "values": arguments{"a": "1", "b": "2"}})
		})},
	}
}
