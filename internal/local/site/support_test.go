package site

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/state"
)

// bench is a service on a fresh state, called as the gateway calls it.
type bench struct {
	t     *testing.T
	table api.Table
	now   time.Time
}

func newBench(t *testing.T, cfg Config) *bench {
	t.Helper()
	store, err := state.Open(t.Context(), state.Memory)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	b := &bench{t: t, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	if cfg.Now == nil {
		cfg.Now = func() time.Time { return b.now }
	}
	s, err := New(t.Context(), store, cfg)
	require.NoError(t, err)
	b.table = s.Table()
	return b
}

// call answers the decoded JSON and the error code, and fails the test if an
// answer has a name that the catalogue does not.
func (b *bench) call(action string, params api.Params) (map[string]any, string) {
	b.t.Helper()
	answer, err := b.table[action](b.t.Context(), &api.Request{Action: action, Params: params})
	if err != nil {
		var e *api.Error
		require.True(b.t, errors.As(err, &e), "%s: %v", action, err)
		require.NotEmpty(b.t, e.Message)
		require.GreaterOrEqual(b.t, e.Status, 400)
		return nil, e.Code
	}
	raw, err := json.Marshal(answer)
	require.NoError(b.t, err)
	var out map[string]any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	require.NoError(b.t, d.Decode(&out))
	if op, ok := catalog.Lookup(action); ok {
		var shape any
		require.NoError(b.t, json.Unmarshal(op.Response, &shape))
		requireShape(b.t, action, shape, out)
	}
	return out, ""
}

// must is call for calls that may not fail.
func (b *bench) must(action string, params api.Params) map[string]any {
	b.t.Helper()
	out, code := b.call(action, params)
	require.Empty(b.t, code, "%s %v", action, params)
	return out
}

func requireShape(t *testing.T, at string, shape, got any) {
	t.Helper()
	switch want := shape.(type) {
	case map[string]any:
		object, ok := got.(map[string]any)
		require.True(t, ok || got == nil, "%s is %T", at, got)
		for name, v := range object {
			field, known := want[name]
			if any, isMap := want["*"]; isMap {
				field, known = any, true
			}
			require.True(t, known, "%s has no %s", at, name)
			requireShape(t, at+"."+name, field, v)
		}
	case []any:
		list, ok := got.([]any)
		require.True(t, ok, "%s is %T", at, got)
		for _, v := range list {
			requireShape(t, at+"[]", want[0], v)
		}
	case string:
		switch got.(type) {
		case string:
			require.Contains(t, []string{"string", "any"}, want, at)
		case json.Number:
			require.Contains(t, []string{"integer", "long", "number", "any"}, want, at)
		case bool:
			require.Contains(t, []string{"boolean", "any"}, want, at)
		}
	}
}

func (b *bench) instance() string {
	b.t.Helper()
	list := b.must("ListUserRatePlanInstances", api.Params{})["InstanceInfo"].([]any)
	require.Len(b.t, list, 1)
	return list[0].(map[string]any)["InstanceId"].(string)
}

func (b *bench) site(name, access string) string {
	b.t.Helper()
	out := b.must("CreateSite", api.Params{"SiteName": name, "AccessType": access, "Coverage": "overseas", "InstanceId": b.instance()})
	return out["SiteId"].(json.Number).String()
}

// names gives one member of each entry of a list.
func names(list any, member string) []string {
	out := []string{}
	for _, entry := range list.([]any) {
		out = append(out, entry.(map[string]any)[member].(string))
	}
	return out
}

func fails(context.Context, Claim) (bool, error) { return false, errors.New("no network") }

func long(n int) string { return strings.Repeat("a", n) }
