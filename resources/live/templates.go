package live

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/esa-mcp/esa-mcp/tools"
)

// templates are all live resources.
func templates() []Template {
	const paged = " Paged: ?page=2, while next_page is there."
	list := []Template{
		{URI: "esa://sites{?page}", Name: "sites", Title: "Sites", Description: "The account's sites." + paged,
			read: tool("list_sites", map[string]any{"page_size": 100})},
		{URI: "esa://sites/{site}", Name: "site", Title: "Site", Description: "One site: state, access type, plan, name servers. {site} is its name or id.",
			read: tool("get_site", nil)},
		{URI: "esa://sites/{site}/records{?page}", Name: "site-records", Title: "DNS records of a site", Description: "The site's DNS records." + paged,
			read: tool("list_records", map[string]any{"page_size": 100})},
		{URI: "esa://sites/{site}/rules/{kind}", Name: "site-rules", Title: "Rules of a site",
			Description: "The site's rules of a kind: " + strings.Join(Kinds(), ", ") + ".",
			read:        rules},
		{URI: "esa://sites/{site}/routes{?page}", Name: "site-routes", Title: "Routes of a site", Description: "Which requests of the site go to routines." + paged,
			read: tool("list_routes", nil)},
		{URI: "esa://sites/{site}/certificates{?page}", Name: "site-certificates", Title: "Certificates of a site", Description: "The site's edge certificates." + paged,
			read: tool("list_certificates", map[string]any{"page_size": 50})},
		{URI: "esa://routines{?page}", Name: "routines", Title: "Routines", Description: "The account's edge functions and Pages sites." + paged,
			read: tool("list_routines", nil)},
		{URI: "esa://routines/{name}", Name: "routine", Title: "Routine", Description: "One routine: what is live, and its versions.",
			read: routine},
		{URI: "esa://routines/{name}/versions/{version}", Name: "routine-version", Title: "Version of a routine", Description: "One code version and where it is live.",
			read: routineVersion},
		{URI: "esa://kv", Name: "kv", Title: "Edge KV", Description: "Whether edge KV is on, and its namespaces.",
			read: tool("get_kv_account", nil)},
		{URI: "esa://kv/{namespace}{?page}", Name: "kv-namespace", Title: "Keys of a KV namespace", Description: "The keys of a namespace." + paged,
			read: renamed("list_kv", "namespace")},
		{URI: "esa://kv/{namespace}/{key}{?offset}", Name: "kv-value", Title: "KV value",
			Description: "The value of a key; a / in the key is written %2F. A long value comes in parts: ?offset=N, with next_offset as N.",
			read:        value},
		{URI: "esa://api/{action}", Name: "api", Title: "Schema of an API operation", Description: "Parameters and answer of an operation of the ESA API, such as CreateSite.",
			read: renamed("describe_api", "action")},
	}
	for i := range list {
		t := &list[i]
		path, query, _ := strings.Cut(strings.TrimPrefix(t.URI, scheme), "{?")
		t.pattern, t.query = strings.Split(path, "/"), strings.TrimSuffix(query, "}")
	}
	return list
}

type reader = func(ctx context.Context, l *Live, v Values) (json.RawMessage, error)

// tool reads a resource that a tool shows for a site, or for nothing.
func tool(name string, more map[string]any) reader {
	return func(ctx context.Context, l *Live, v Values) (json.RawMessage, error) {
		return l.Call(ctx, name, v.arguments(more))
	}
}

// renamed reads a resource that a tool shows for a variable of the same name.
func renamed(name, variable string) reader {
	return func(ctx context.Context, l *Live, v Values) (json.RawMessage, error) {
		return l.Call(ctx, name, v.arguments(map[string]any{variable: v[variable]}))
	}
}

func rules(ctx context.Context, l *Live, v Values) (json.RawMessage, error) {
	switch kind := v["kind"]; {
	case kind == "cache", kind == "origin":
		return l.Call(ctx, "list_"+kind+"_rules", v.arguments(nil))
	case slices.Contains(tools.WafPhases(), kind):
		return l.Call(ctx, "list_waf_rules", v.arguments(map[string]any{"phase": kind, "page_size": 100}))
	case slices.Contains(tools.RuleKinds(), kind):
		return l.Call(ctx, "list_rules", v.arguments(map[string]any{"kind": kind}))
	default:
		return nil, invalid("%q is no kind of rules%s The kinds are %s", kind, tools.DidYouMean(kind, Kinds()), strings.Join(Kinds(), ", "))
	}
}

// routine is what get_routine shows, without the address that opens: its token is
// a secret, and a resource is kept by clients.
func routine(ctx context.Context, l *Live, v Values) (json.RawMessage, error) {
	body, err := l.routine(ctx, v["name"])
	if err != nil {
		return nil, err
	}
	return encode(body)
}

func (l *Live) routine(ctx context.Context, name string) (tools.GetRoutineOutput, error) {
	out, err := Decode[tools.GetRoutineOutput](l.Call(ctx, "get_routine", map[string]any{"name": name}))
	out.Address = tools.Address{}
	return out, err
}

func routineVersion(ctx context.Context, l *Live, v Values) (json.RawMessage, error) {
	all, err := l.routine(ctx, v["name"])
	if err != nil {
		return nil, err
	}
	out := struct {
		Name string `json:"name"`
		tools.RoutineVersion
		Live map[string]int64 `json:"live"` // percentage by environment
	}{Name: all.Name, Live: map[string]int64{}}
	at := slices.IndexFunc(all.Versions, func(r tools.RoutineVersion) bool { return r.Version == v["version"] })
	if at < 0 {
		return nil, &NotFound{"the routine " + all.Name + " has no version " + v["version"] + ": esa://routines/" + all.Name + " lists them"}
	}
	out.RoutineVersion = all.Versions[at]
	for _, environment := range all.Live {
		for _, live := range environment.Versions {
			if live.Version == out.Version {
				out.Live[environment.Environment] = live.Percentage
			}
		}
	}
	return encode(out)
}

// value is a stored value: it comes as it is.
func value(ctx context.Context, l *Live, v Values) (json.RawMessage, error) {
	args := map[string]any{"namespace": v["namespace"], "key": v["key"]}
	if v["offset"] != "" {
		args["offset"] = v["offset"]
	}
	return l.exact(ctx, "get_kv", args)
}
