package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/esa"
	"github.com/esa-mcp/esa-mcp/internal/local"
	"github.com/esa-mcp/esa-mcp/internal/local/kv"
	"github.com/esa-mcp/esa-mcp/internal/local/quota"
	"github.com/esa-mcp/esa-mcp/internal/local/routine"
	"github.com/esa-mcp/esa-mcp/internal/local/site"
	"github.com/esa-mcp/esa-mcp/internal/mcpserver"
	"github.com/esa-mcp/esa-mcp/tools"
)

// codeCase says how the local ESA comes to answer a code.
type codeCase struct {
	code string
	// action and params are the call that gets it. $NAME stands for what the world
	// has: $SITE, $CNAME, $PLAN and the like.
	action string
	params arguments
	// before are calls that prepare it.
	before []apiCall
	// world is the local ESA that answers; the usual one if empty.
	world string
	// outside says why no call leads to the code on a local ESA that works: then
	// a fault of it answers the code.
	outside string
}

type apiCall struct {
	action string
	params arguments
}

// world is a local ESA in some state, and a session with the tools over it.
type world struct {
	t       *testing.T
	info    local.Info
	session *mcpserver.Session
	vars    map[string]string
}

// worldOptions are the states that codes need.
func worldOptions() map[string]local.Options {
	refused := netip.MustParseAddr("203.0.113.66")
	return map[string]local.Options{
		"": {},
		"small": {
			Quotas: quota.Set{}.With(quota.Sites, 2).With(quota.Records, 3).With(quota.WildcardRecords, 1).With(quota.SameNameRecords, 1).
				With(quota.FreeCertificates, 1).With(quota.OwnCertificates, 1),
			Site: site.Config{RefuseOrigin: func(ip netip.Addr) bool { return ip == refused }},
			KV:   kv.Config{Capacity: 10},
		},
		"basic plan":      {Site: site.Config{Plan: "basic"}},
		"unpaid plan":     {Site: site.Config{PlanStatus: "overdue"}},
		"without KV":      {KV: kv.Config{Offline: true}},
		"closed routines": {Routine: routine.Config{Closed: true}},
		"wrong secret":    {}, "unknown key": {}, "foreign token": {},
		"later clock": {Now: func() time.Time { return time.Now().Add(24 * time.Hour) }},
	}
}

func newWorld(t *testing.T, name string) *world {
	t.Helper()
	o, known := worldOptions()[name]
	require.True(t, known, "no world %q", name)
	l, err := local.Start(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	w := &world{t: t, info: l.Info(), vars: map[string]string{}}
	id, secret, token := w.info.AccessKeyID, w.info.AccessKeySecret, ""
	switch name {
	case "wrong secret":
		secret = strings.Repeat("x", len(secret))
	case "unknown key":
		id = "LTAIunknown"
	case "foreign token":
		token = "token-of-somebody-else"
	}
	config := esa.Config{Endpoint: w.info.Endpoint, Credentials: esa.StaticCredentials(id, secret, token), Sleep: noWait}
	w.session = connectTools(t, config)
	return w
}

// connectTools opens a session with all tools over a client, without guardrails:
// what they refuse would not reach the service.
func connectTools(t *testing.T, config esa.Config) *mcpserver.Session {
	t.Helper()
	client, err := esa.New(config)
	require.NoError(t, err)
	deps := &tools.Deps{ESA: client, Upload: client, Locks: tools.NewLocks(), Confirmed: true, Now: time.Now, Sleep: noWait}
	server := mcpserver.New(mcpserver.Options{Tools: tools.All(), Deps: func() (*tools.Deps, error) { return deps, nil }})
	session, err := mcpserver.Connect(t.Context(), server)
	require.NoError(t, err)
	t.Cleanup(func() { session.Close() })
	return session
}

func noWait(context.Context, time.Duration) error { return nil }

// furnish makes what the usual cases need.
func (w *world) furnish() {
	w.t.Helper()
	plans := w.must("ListUserRatePlanInstances", nil)["InstanceInfo"].([]any)
	w.vars["$PLAN"] = plans[0].(map[string]any)["InstanceId"].(string)
	for _, days := range []int{1, 2, 40, 399, 400} {
		w.vars[fmt.Sprintf("$DAY-%d", days)] = time.Now().UTC().AddDate(0, 0, -days).Format(time.RFC3339)
	}
	if plans[0].(map[string]any)["Status"] != "online" {
		return // it takes no site
	}
	for name, access := range map[string]string{"codes.example": "NS", "cname.example": "CNAME"} {
		made := w.must("CreateSite", arguments{"SiteName": name, "AccessType": access, "Coverage": "overseas", "InstanceId": "$PLAN"})
		id := made["SiteId"].(json.Number).String()
		w.vars[map[string]string{"NS": "$SITE", "CNAME": "$CNAME"}[access]] = id
		w.must("VerifySite", arguments{"SiteId": id})
	}
	list := w.must("CreateList", arguments{"Name": "blocked", "Kind": "ip", "Items": []string{"192.0.2.1"}})
	w.vars["$LIST"] = list["Id"].(json.Number).String()
	cert, key := pemPair(w.t, 90, "www.codes.example")
	other, otherKey := pemPair(w.t, 90, "www.elsewhere.example")
	for name, file := range map[string]string{"$CERT": cert, "$KEY": key, "$OTHERCERT": other, "$OTHERKEY": otherKey} {
		text, err := os.ReadFile(file)
		require.NoError(w.t, err)
		w.vars[name] = string(text)
	}
}

// furnishMore makes what the cases about other records need.
func (w *world) furnishMore() {
	w.t.Helper()
	origin := w.must("CreateRecord", record(arguments{"RecordName": "origin.codes.example", "Proxied": true, "BizName": "web"}))
	w.vars["$ORIGIN"] = origin["RecordId"].(json.Number).String()
	pool := w.must("CreateOriginPool", arguments{"SiteId": "$SITE", "Name": "pool", "Enabled": true,
		"Origins": []arguments{{"Name": "a", "Address": "203.0.113.1", "Enabled": true, "Weight": 100, "Type": "ip_domain"}}})
	w.vars["$POOL"] = pool["Id"].(json.Number).String()
}

// call sends an operation by the tool that sends any of its kind.
func (w *world) call(action string, params arguments) mcpserver.CallResult {
	w.t.Helper()
	tool := "write_api"
	if readsOnly(action) {
		tool = "read_api"
	}
	raw, err := json.Marshal(arguments{"action": action, "params": params})
	require.NoError(w.t, err)
	text := string(raw)
	for name, value := range w.vars {
		quoted, err := json.Marshal(value)
		require.NoError(w.t, err)
		text = strings.ReplaceAll(text, `"`+name+`"`, string(quoted))
	}
	result, err := w.session.CallTool(w.t.Context(), tool, json.RawMessage(text), nil)
	require.NoError(w.t, err)
	return result
}

func readsOnly(action string) bool {
	for _, verb := range []string{"List", "Get", "Describe", "Check"} {
		if strings.HasPrefix(action, verb) {
			return true
		}
	}
	return false
}

func (w *world) must(action string, params arguments) map[string]any {
	w.t.Helper()
	result := w.call(action, params)
	require.False(w.t, result.IsError, "%s: %s", action, result.Text)
	var out struct{ Result map[string]any }
	d := json.NewDecoder(strings.NewReader(result.Text))
	d.UseNumber()
	require.NoError(w.t, d.Decode(&out), result.Text)
	return out.Result
}

// fault switches a fault of the local ESA on for the next call.
func (w *world) fault(words string) {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.info.Admin+"/faults", strings.NewReader(words))
	require.NoError(w.t, err)
	r.SetBasicAuth(w.info.AccessKeyID, w.info.AccessKeySecret)
	res, err := http.DefaultClient.Do(r)
	require.NoError(w.t, err)
	res.Body.Close()
	require.Equal(w.t, http.StatusCreated, res.StatusCode, words)
	w.t.Cleanup(func() {
		r, _ := http.NewRequest(http.MethodDelete, w.info.Admin+"/faults", nil)
		r.SetBasicAuth(w.info.AccessKeyID, w.info.AccessKeySecret)
		if res, err := http.DefaultClient.Do(r); err == nil {
			res.Body.Close()
		}
	})
}

// Every code of the table is answered by the local ESA and reaches the model
// with what it really means and what to do.
func TestEveryCodeIsAnsweredAndExplained(t *testing.T) {
	t.Parallel()
	worlds := map[string]*world{}
	covered, real := map[string]bool{}, 0
	for _, c := range codeCases() {
		known, ok := esa.LookupCode(c.code)
		require.True(t, ok, "%s is in no row of the table", c.code)
		covered[known.Code] = true
		w := worlds[c.world]
		if w == nil {
			w = newWorld(t, c.world)
			if c.world == "" || c.world == "small" || strings.HasSuffix(c.world, "plan") {
				w.furnish()
			}
			if c.world == "" {
				w.furnishMore()
			}
			worlds[c.world] = w
		}
		t.Run(c.code, func(t *testing.T) {
			in := *w
			in.t = t
			if c.outside != "" {
				c.action = "ListSites"
				in.fault("action=ListSites code=" + c.code)
			} else {
				real++
			}
			for _, b := range c.before {
				in.must(b.action, b.params)
			}
			result := in.call(c.action, c.params)
			require.True(t, result.IsError, result.Text)
			require.Contains(t, result.Text, c.code+" (from "+c.action+", HTTP ")
			require.Contains(t, result.Text, "Meaning: "+strings.TrimSpace(known.Meaning+" "+known.Fix))
			require.Contains(t, result.Text, "\nRequest id: ")
			if retryable := strings.Contains(result.Text, "\nNext: wait a little"); known.Next != "" && !retryable && known.Next != "read_api" {
				require.Contains(t, result.Text, "Tool: "+known.Next)
			}
		})
	}
	for _, row := range esa.Codes() {
		require.True(t, covered[row.Code], "the row %s has no case", row.Code)
	}
	require.GreaterOrEqual(t, real, 93, "most codes come from what the local ESA really checks")
}

// with is a call's parameters, changed.
func with(base, change arguments) arguments {
	out := maps.Clone(base)
	maps.Copy(out, change)
	return out
}
