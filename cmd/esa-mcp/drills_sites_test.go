package main

// always makes the same arguments each time.
func always(args arguments) func(f *field) func(dir string) arguments {
	return func(*field) func(string) arguments { return func(string) arguments { return args } }
}

// drillSite is the site of the drills.
const drillSite = "drill.example"

// onSite adds the site to arguments.
func onSite(more arguments) arguments {
	more["site_name"] = drillSite
	return more
}

// of makes arguments that name what a tool made before: by a field of its result.
func of(make func(f *field) map[string]any, result, argument string, args arguments) func(f *field) func(dir string) arguments {
	return func(f *field) func(string) arguments {
		args[argument] = make(f)[result]
		return func(string) arguments { return args }
	}
}

// after calls a tool before.
func after(tool string, args arguments) func(f *field) map[string]any {
	return func(f *field) map[string]any { return f.do(tool, args) }
}

// then makes arguments after a tool was called.
func then(make func(f *field) map[string]any, args arguments) func(f *field) func(dir string) arguments {
	return func(f *field) func(string) arguments {
		make(f)
		return func(string) arguments { return args }
	}
}

func siteDrills() []drill {
	fresh := after("create_site", arguments{"name": "fresh.example", "access_type": "NS"})
	return []drill{
		{tool: "create_site", prepare: always(arguments{"name": "fresh.example", "access_type": "CNAME"})},
		{tool: "verify_site", prepare: then(fresh, arguments{"site_name": "fresh.example"})},
		{tool: "delete_site", prepare: then(fresh, arguments{"site_name": "fresh.example"})},
		{tool: "update_site", about: "basics", prepare: always(onSite(arguments{"coverage": "global", "vanity_ns": []string{"ns1.drill.example", "ns2.drill.example"},
			"name_exclusive": true, "ipv6": "on", "paused": true}))},
		{tool: "update_site", about: "access", prepare: always(onSite(arguments{"access_type": "CNAME"}))},
		{tool: "update_site", about: "versions on", prepare: always(onSite(arguments{"version_management": true}))},
		{tool: "update_site", about: "versions off", prepare: then(after("update_site", onSite(arguments{"version_management": true})), onSite(arguments{"version_management": false}))},
		{tool: "update_site", about: "settings", prepare: always(onSite(arguments{"development_mode": true, "seo_bypass": true, "cname_flattening": "flatten_all",
			"performance_data": true, "client_geo_header": true, "client_ip_header": "X-Client"}))},
		{tool: "update_site", about: "protection on", prepare: always(onSite(arguments{"origin_protection": "auto"}))},
		{tool: "update_site", about: "protection off", prepare: then(after("update_site", onSite(arguments{"origin_protection": "on"})), onSite(arguments{"origin_protection": "off"}))},
		{tool: "update_site", about: "protection confirmed", prepare: then(after("update_site", onSite(arguments{"origin_protection": "on"})), onSite(arguments{"origin_protection": "confirm"}))},
	}
}

func dnsDrills() []drill {
	a := after("create_record", onSite(arguments{"name": "a", "type": "A", "value": "203.0.113.1"}))
	zone := "$ORIGIN drill.example.\na 600 IN A 203.0.113.9\nb 600 IN A 203.0.113.2\nc 600 IN TXT \"c\"\n"
	return []drill{
		{tool: "create_record", prepare: always(onSite(arguments{"name": "www", "type": "A", "value": "203.0.113.1", "proxied": true}))},
		{tool: "create_record", about: "TXT", prepare: always(onSite(arguments{"name": "www", "type": "TXT", "value": "x"}))},
		{tool: "update_record", prepare: of(a, "id", "record_id", arguments{"value": "203.0.113.2", "ttl": 600})},
		{tool: "delete_record", prepare: of(a, "id", "record_id", arguments{})},
		{tool: "batch_create_records", prepare: always(onSite(arguments{"records": []arguments{
			{"name": "a", "type": "A", "value": "203.0.113.1"}, {"name": "b", "type": "TXT", "value": "x"}}}))},
		{tool: "batch_create_records", about: "two calls", prepare: always(onSite(arguments{"records": manyRecords(60)}))},
		{tool: "import_records", prepare: then(a, onSite(arguments{"text": zone, "update": true}))},
	}
}

func manyRecords(n int) []arguments {
	var out []arguments
	for i := range n {
		out = append(out, arguments{"name": "r" + string(rune('a'+i/26)) + string(rune('a'+i%26)), "type": "TXT", "value": "x"})
	}
	return out
}
