package tools

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/invopop/jsonschema"
	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

type rawResult struct {
	Raw []struct {
		Action, Error string
		Answer        map[string]any
	}
	Omitted string `json:"raw_omitted"`
}

func readRaw(t *testing.T, out string) rawResult {
	t.Helper()
	var r rawResult
	require.NoError(t, json.Unmarshal([]byte(out), &r))
	return r
}

// Raw adds what the API said, in order, failures included; without it nothing
// is added.
func TestRaw(t *testing.T) {
	f := &fakeESA{answers: map[string]func(esa.Params) (any, error){
		"GetKv":       say(`{"Value":"hi -----BEGIN PRIVATE KEY-----x","RequestId":"R1"}`),
		"GetKvDetail": say(`{"Value":"hi","ExpirationTtl":"60","Unknown":{"deep":[1]},"RequestId":"R2"}`),
	}}
	plain, err := callTool(t, f, "get_kv", `{"namespace":"n","key":"k"}`)
	require.NoError(t, err)
	require.NotContains(t, plain, "raw")
	out, err := callTool(t, f, "get_kv", `{"namespace":"n","key":"k","raw":true}`)
	require.NoError(t, err)
	got := readRaw(t, out)
	require.NotEmpty(t, got.Raw)
	require.Empty(t, got.Omitted)
	last := got.Raw[len(got.Raw)-1]
	require.Equal(t, "GetKvDetail", last.Action)
	require.Equal(t, "R2", last.Answer["RequestId"])
	require.Equal(t, map[string]any{"deep": []any{1.0}}, last.Answer["Unknown"])
	require.True(t, strings.HasPrefix(out, plain[:len(plain)-1]), "the projected result stands as it is")

	_, err = callTool(t, f, "get_kv", `{"namespace":"n","key":"k","raw":"perhaps"}`)
	require.ErrorContains(t, err, "raw: want a boolean")
	out, err = callTool(t, f, "get_kv", `{"namespace":"n","key":"k","r\u0061w":"true"}`)
	require.NoError(t, err)
	require.Contains(t, out, `"raw":[`)
	_, err = callTool(t, f, "read_api", `{"action":"ListSites","raw":true}`)
	require.ErrorContains(t, err, `unknown argument "raw"`)
}

// What the API answered in between comes along when the tool succeeds.
func TestRawShowsFailures(t *testing.T) {
	tool := Define(Meta{Name: "look_twice", Calls: []string{"GetSite", "ListSites"}}, func(c ctx, d *Deps, _ struct{}) (in2, error) {
		_, err := d.ESA.Call(c, "GetSite", nil)
		require.Error(t, err)
		_, err = d.ESA.Call(c, "ListSites", nil)
		return in2{}, err
	})
	f := &fakeESA{answers: map[string]func(esa.Params) (any, error){
		"GetSite":   fail(&esa.Error{Action: "GetSite", Code: "SiteNotFound", Message: "token=abcdefghijkl"}),
		"ListSites": say(`{"Sites":[{"VerifyCode":"v","SecretKey":"canary"}]}`),
	}}
	out, err := tool.Call(t.Context(), fakeDeps(f), json.RawMessage(`{"raw":true}`))
	require.NoError(t, err)
	require.NotContains(t, string(out), "canary")
	require.NotContains(t, string(out), "abcdefghijkl")
	got := readRaw(t, string(out))
	require.Len(t, got.Raw, 2)
	require.Contains(t, got.Raw[0].Error, "SiteNotFound")
	require.Nil(t, got.Raw[0].Answer)
	require.Equal(t, "ListSites", got.Raw[1].Action)
}

// However much the API says, the result stays within its cap and says what is
// left out; many goroutines may call at once.
func TestRawIsCapped(t *testing.T) {
	calls := 0
	tool := Define(Meta{Name: "call_much", Calls: []string{"ListSites"}}, func(c ctx, d *Deps, _ struct{}) (echo, error) {
		var wait sync.WaitGroup
		for range calls {
			wait.Go(func() { d.ESA.Call(c, "ListSites", nil) })
		}
		wait.Wait()
		return echo{Text: strings.Repeat("x", 50_000)}, nil
	})
	for calls = range 9 {
		f := &syncESA{text: fmt.Sprintf(`{"Text":"%s"}`, strings.Repeat("y", 20_000))}
		deps := func() (*Deps, error) { return &Deps{ESA: f}, nil }
		out, err := tool.Call(t.Context(), deps, json.RawMessage(`{"raw":true}`))
		require.NoError(t, err)
		require.LessOrEqual(t, len(out), maxResult)
		got := readRaw(t, string(out))
		require.Len(t, got.Raw, min(calls, 2))
		if calls > 2 {
			require.Contains(t, got.Omitted, fmt.Sprintf("%d answers do not fit", calls-2))
		} else {
			require.Empty(t, got.Omitted)
		}
	}
}

type syncESA struct{ text string }

func (s *syncESA) Call(ctx, string, esa.Params) (esa.Result, error) {
	var body map[string]any
	err := json.Unmarshal([]byte(s.text), &body)
	return esa.Result{Body: body}, err
}

// The shared arguments are on the tools that they fit, and no tool has one of
// its own of the same name.
func TestSharedArguments(t *testing.T) {
	for _, tool := range All() {
		own := string(reflectSchema(tool.in.typ, func(*jsonschema.Schema) {}))
		for _, a := range sharedArguments() {
			if a.name == "dry_run" && tool.meta.OwnDryRun {
				require.Contains(t, own, `"dry_run":`, tool.meta.Name)
				continue
			}
			require.NotContains(t, own, `"`+a.name+`":`, tool.meta.Name)
			full, seen := string(tool.InputSchema()), string(slim(tool.Meta().Name, tool.InputSchema()))
			require.Equal(t, a.fits(tool.meta), strings.Contains(full, `"`+a.name+`": {`), tool.meta.Name)
			require.Equal(t, a.fits(tool.meta), strings.Contains(seen, `"`+a.name+`":{"type":"`+a.schema.Type+`"}`), tool.meta.Name)
		}
	}
	require.Contains(t, Instructions(All()), "raw: true")
	api, err := Select(All(), "api", false)
	require.NoError(t, err)
	require.NotContains(t, Instructions(api), "raw: true", "no tool takes it")
}
