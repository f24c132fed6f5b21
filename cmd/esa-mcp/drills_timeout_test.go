package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestTimeoutDrills has calls of the built server end while a create is under
// way, by the server's time limit or by the client: the service does it before
// the wait, or after it, or not at all. What is read says that it may be done, and
// after the next call it is there once.
func TestTimeoutDrills(t *testing.T) {
	t.Parallel()
	f := newRemoteField(t)
	host := func(name string) string { return name + ".drill.example" }
	creates := []remoteDrill{
		{tool: "create_record", action: "CreateRecord", count: func(name string) int { return f.exported(host(name)) }, args: func(name string) arguments {
			return arguments{"site_name": "drill.example", "name": host(name), "type": "TXT", "value": "x"}
		}},
		{tool: "create_kv_namespace", action: "CreateKvNamespace", args: func(name string) arguments { return arguments{"namespace": name} }},
		{tool: "set_cache_rule", action: "CreateCacheRule", args: func(name string) arguments {
			return arguments{"site_name": "drill.example", "name": name, "rule": `(http.host eq "h.drill.example")`, "edge_cache_mode": "no_cache"}
		}},
	}
	patient := f.s
	hasty := f.serve("--timeout", "2s") // enough to get to the service on a busy machine
	for _, d := range creates {
		count := d.count
		if count == nil {
			count = f.exported
		}
		for _, when := range []string{"before", "after"} {
			for _, by := range []string{"time limit", "client"} {
				t.Run(d.tool+" "+when+" by "+by, func(t *testing.T) {
					f.t = t
					name := strings.ReplaceAll(d.tool+"-"+when+"-"+by, " ", "-")
					name = strings.ReplaceAll(name, "_", "-")
					f.faults("action=" + d.action + " latency=9m when=" + when)
					done := func() bool { return count(name) == 1 }
					if by == "client" {
						ctx, leave := context.WithCancel(t.Context())
						defer leave()
						left := make(chan error, 1)
						go func() {
							_, err := patient.callRaw(ctx, d.tool, d.args(name))
							left <- err
						}()
						require.Eventually(t, func() bool { return faultsHit(t, f.esa.Info()) == 1 && (when == "before" || done()) }, time.Minute, 10*time.Millisecond)
						leave()
						require.Error(t, <-left)
					} else {
						text, isError := hasty.try(t, t.Context(), d.tool, d.args(name))
						require.True(t, isError, text)
						require.Regexp(t, `may have been carried out|may be done`, text)
						require.Equal(t, 1, faultsHit(t, f.esa.Info()))
					}
					f.faults("")
					if when == "after" {
						require.Eventually(t, done, time.Minute, 10*time.Millisecond, "the service had done it")
					}
					had := count(name)
					require.LessOrEqual(t, had, 1)
					if had == 1 && d.tool == "set_cache_rule" {
						return // a look shows it: the tool makes a rule each time, and says that it may be done
					}
					text, isError := patient.try(t, t.Context(), d.tool, d.args(name))
					if had == 1 {
						require.Regexp(t, `already|xist|has |"created":false`, text)
					} else {
						require.False(t, isError, text)
					}
					require.Equal(t, 1, count(name), text)
				})
			}
		}
	}
}
