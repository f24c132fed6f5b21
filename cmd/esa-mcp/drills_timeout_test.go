package main

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/stretchr/testify/require"
)

// TestTimeoutDrills has calls of the built server end while a create is under
// way, by the server's time limit or by the client: the service does it before
// the wait, or after it, or not at all. What is read says that it may be done, and
// after the next call it is there once.
func TestTimeoutDrills(t *testing.T) {
	t.Parallel()
	f := newRemoteField(t)
	// Rules have a site of their own: writes on one site would wait for each other.
	f.do("create_site", arguments{"name": "rules.example", "access_type": "NS"})
	f.do("verify_site", arguments{"site_name": "rules.example"})
	host := func(name string) string { return name + ".drill.example" }
	creates := []remoteDrill{
		{tool: "create_record", action: "CreateRecord", count: func(name string) int { return f.exported(host(name)) }, args: func(name string) arguments {
			return arguments{"site_name": "drill.example", "name": host(name), "type": "TXT", "value": "x"}
		}},
		{tool: "create_kv_namespace", action: "CreateKvNamespace", count: f.exported, args: func(name string) arguments { return arguments{"namespace": name} }},
		{tool: "set_cache_rule", action: "CreateCacheRule", count: f.exported, args: func(name string) arguments {
			return arguments{"site_name": "rules.example", "name": name, "rule": `(http.host eq "h.rules.example")`, "edge_cache_mode": "no_cache"}
		}},
	}
	patient := f.s
	hasty := f.serve("--timeout", "8s") // enough to get to the service on a busy machine
	for _, when := range []string{"before", "after"} {
		slow := func(d remoteDrill) string { return "action=" + d.action + " latency=9m when=" + when }
		named := func(d remoteDrill, by string) string {
			return strings.ReplaceAll(d.tool, "_", "-") + "-" + when + "-" + by
		}
		t.Run(when+" by time limit", func(t *testing.T) {
			f.t = t
			var faults []string
			for _, d := range creates {
				faults = append(faults, slow(d))
			}
			f.faults(strings.Join(faults, "\n"))
			var all sync.WaitGroup
			said, failed := make([]*mcp.CallToolResult, len(creates)), make([]error, len(creates))
			for i, d := range creates { // at once: each waits for the limit
				all.Go(func() { said[i], failed[i] = hasty.callRaw(t.Context(), d.tool, d.args(named(d, "limit"))) })
			}
			all.Wait()
			require.Equal(t, len(creates), faultsHit(t, f.esa.Info()))
			f.faults("")
			for i, d := range creates {
				require.NoError(t, failed[i], d.tool)
				text := said[i].Content[0].(mcp.TextContent).Text
				require.True(t, said[i].IsError, text)
				require.Regexp(t, `may have been carried out|may be done`, text)
				f.isThereOnce(d, when, named(d, "limit"))
			}
		})
		for _, d := range creates {
			t.Run(d.tool+" "+when+" by client", func(t *testing.T) {
				f.t = t
				name := named(d, "client")
				f.faults(slow(d))
				ctx, leave := context.WithCancel(t.Context())
				defer leave()
				left := make(chan error, 1)
				go func() {
					_, err := patient.callRaw(ctx, d.tool, d.args(name))
					left <- err
				}()
				require.Eventually(t, func() bool { return faultsHit(t, f.esa.Info()) == 1 && (when == "before" || d.count(name) == 1) }, time.Minute, 10*time.Millisecond)
				leave()
				require.Error(t, <-left)
				f.faults("")
				f.isThereOnce(d, when, name)
			})
		}
	}
}

// isThereOnce looks at what a create left that ended in the middle, and calls it
// again: then the thing is there once.
func (f *remoteField) isThereOnce(d remoteDrill, when, name string) {
	f.t.Helper()
	if when == "after" {
		require.Eventually(f.t, func() bool { return d.count(name) == 1 }, time.Minute, 10*time.Millisecond, "the service had done it")
	}
	had := d.count(name)
	require.LessOrEqual(f.t, had, 1)
	if had == 1 && d.tool == "set_cache_rule" {
		return // a look shows it: the tool makes a rule each time, and says that it may be done
	}
	text, isError := f.s.try(f.t, f.t.Context(), d.tool, d.args(name))
	if had == 1 {
		require.Regexp(f.t, `already|xist|has |"created":false`, text)
	} else {
		require.False(f.t, isError, text)
	}
	require.Equal(f.t, 1, d.count(name), text)
}
