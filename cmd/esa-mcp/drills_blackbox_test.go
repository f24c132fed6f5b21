package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local"
)

// drill is a tool that writes one thing, and how to count that thing.
type remoteDrill struct {
	tool   string
	action string // the operation that writes
	// args makes a call that writes a thing of that name.
	args func(name string) arguments
	// left is how many there are of a thing that was written once: 1, or 0 of one
	// that was deleted.
	left int
	// before is done without a fault.
	before func(name string)
	count  func(name string) int // nil: in the account's export
}

// remoteField is the local ESA of the drills, with a server before it.
type remoteField struct {
	t   *testing.T
	esa *local.Server
	s   *server
}

func newRemoteField(t *testing.T) *remoteField {
	t.Helper()
	esa, err := local.Start(t.Context(), local.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { esa.Close() })
	f := &remoteField{t: t, esa: esa}
	f.s = f.serve()
	f.do("create_site", arguments{"name": "drill.example", "access_type": "NS"})
	f.do("verify_site", arguments{"site_name": "drill.example"})
	f.do("create_kv_namespace", arguments{"namespace": "drill"})
	return f
}

// serve starts a server before the local ESA.
func (f *remoteField) serve(args ...string) *server {
	f.t.Helper()
	info := f.esa.Info()
	return start(f.t, environment("ESA_MCP_ENDPOINT="+info.Endpoint, "ALIBABA_CLOUD_ACCESS_KEY_ID="+info.AccessKeyID,
		"ALIBABA_CLOUD_ACCESS_KEY_SECRET="+info.AccessKeySecret), append([]string{"--toolsets", "all"}, args...)...)
}

// do calls a tool that must succeed, and confirms what it asks.
func (f *remoteField) do(tool string, args arguments) string {
	f.t.Helper()
	text, isError := f.s.agree(f.t, tool, args)
	require.False(f.t, isError, "%s: %s", tool, text)
	return text
}

// faults replaces the faults that are on.
func (f *remoteField) faults(text string) {
	f.t.Helper()
	setFaults(f.t, f.esa.Info(), text)
}

// exported counts a name in all that the account has.
func (f *remoteField) exported(name string) int {
	f.t.Helper()
	a, err := f.esa.Export(f.t.Context())
	require.NoError(f.t, err)
	var b bytes.Buffer
	require.NoError(f.t, a.Write(&b))
	return strings.Count(b.String(), `"`+name+`"`)
}

func (f *remoteField) drills() []remoteDrill {
	site := "drill.example"
	host := func(name string) string { return name + "." + site }
	record := func(name string) arguments {
		return arguments{"site_name": site, "name": host(name), "type": "TXT", "value": "x"}
	}
	return []remoteDrill{
		{tool: "create_record", action: "CreateRecord", args: record, left: 1, count: func(name string) int { return f.exported(host(name)) }},
		{tool: "create_site", action: "CreateSite", left: 1, count: func(name string) int { return f.exported(name + ".test") },
			args: func(name string) arguments { return arguments{"name": name + ".test", "access_type": "NS"} }},
		{tool: "create_kv_namespace", action: "CreateKvNamespace", left: 1, args: func(name string) arguments { return arguments{"namespace": name} }},
		{tool: "put_kv", action: "PutKv", left: 1, args: func(name string) arguments { return arguments{"namespace": "drill", "key": name, "value": "v"} }},
		{tool: "batch_put_kv", action: "BatchPutKv", left: 1, args: func(name string) arguments {
			return arguments{"namespace": "drill", "values": map[string]any{name: "v"}}
		}},
		{tool: "delete_kv", action: "DeleteKv", args: func(name string) arguments { return arguments{"namespace": "drill", "key": name} },
			before: func(name string) { f.do("put_kv", arguments{"namespace": "drill", "key": name, "value": "v"}) }},
		{tool: "set_cache_rule", action: "CreateCacheRule", left: 1, args: func(name string) arguments {
			return arguments{"site_name": site, "name": name, "rule": `(http.host eq "h.drill.example")`, "edge_cache_mode": "no_cache"}
		}},
		{tool: "set_rule", action: "CreateCompressionRule", left: 1, args: func(name string) arguments {
			return arguments{"kind": "compression", "site_name": site, "name": name, "rule": `(http.host eq "h.drill.example")`, "settings": map[string]any{"Gzip": "on"}}
		}},
		{tool: "create_list", action: "CreateList", left: 1, args: func(name string) arguments {
			return arguments{"name": strings.ReplaceAll(name, "-", "_"), "kind": "ip", "items": []string{"192.0.2.1"}}
		}, count: func(name string) int { return f.exported(strings.ReplaceAll(name, "-", "_")) }},
		{tool: "purge_cache", action: "PurgeCaches", left: 1, count: func(name string) int {
			return strings.Count(f.do("list_cache_tasks", arguments{"site_name": site, "kind": "purge"}), "/"+name+`"`)
		}, args: func(name string) arguments {
			return arguments{"site_name": site, "type": "file", "targets": []string{"https://www.drill.example/" + name}}
		}},
	}
}

// kinds of faults, each for one call of the operation that writes.
func drillFaults() []string {
	return []string{
		"code=TooManyRequests", "code=InvalidParameter.Drill", "code=InternalException when=after", "code=ServiceUnavailable",
		"drop=before", "drop=after", "drop=half", "latency=50ms when=after",
	}
}

// TestDrillsThroughTheServer meets every tool's write with every kind of fault. What the
// tool says must be true: after a success the thing is there once, after an
// error it is not there, or the error says that it may be. It is never there
// twice.
func TestDrillsThroughTheServer(t *testing.T) {
	f := newRemoteField(t)
	for n, d := range f.drills() {
		count := d.count
		if count == nil {
			count = f.exported
		}
		for k, fault := range drillFaults() {
			t.Run(d.tool+" "+fault, func(t *testing.T) {
				f.t = t
				name := fmt.Sprintf("drill-%d-%d", n, k)
				if d.before != nil {
					d.before(name)
				}
				f.faults("action=" + d.action + " count=1 " + fault)
				text, isError := f.s.agree(t, d.tool, d.args(name))
				f.faults("")
				have := count(name)
				require.LessOrEqual(t, have, 1, "twice: %s", text)
				done := have == d.left
				if !isError {
					require.True(t, done, "it was not done, but: %s", text)
					return
				}
				if done {
					require.Regexp(t, "may have been carried out|already|has probably", text, "it was done, but: %s", text)
					return
				}
				f.do(d.tool, d.args(name)) // as the agent would, once more
				require.Equal(t, d.left, count(name))
			})
		}
	}
}

// TestUploadAndBuildDrills meets a deployment with faults of uploads and builds.
func TestUploadAndBuildDrills(t *testing.T) {
	f := newRemoteField(t)
	dir := writeSite(t, map[string]string{"index.html": "<h1>drill</h1>"})
	for k, c := range []struct {
		fault, want string
		fails       bool
	}{
		{"action=Upload code=AccessDenied count=9", "AccessDenied", true},
		{"action=Upload code=InternalError status=503 count=1", "", false},
		{"action=Upload drop=before count=1", "", false},
		{"action=Upload drop=after count=1", "", false},
		{"action=Upload drop=half count=1", "", false},
		{"build=fail", "failed", true},
	} {
		t.Run(c.fault, func(t *testing.T) {
			f.t = t
			name := fmt.Sprint("drill-", k)
			f.faults(c.fault)
			text, isError := f.s.try(t, t.Context(), "deploy_pages", arguments{"name": name, "path": dir})
			f.faults("")
			if c.fails {
				require.Contains(t, text, c.want)
				require.NotContains(t, text, `"status":"live"`)
				text = f.do("deploy_pages", arguments{"name": name, "path": dir})
			}
			require.False(t, isError && !c.fails, text)
			require.Contains(t, text, `"live"`)
		})
	}
}
