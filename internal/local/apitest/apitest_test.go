package apitest

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
)

func TestBench(t *testing.T) {
	b := New(t)
	var got api.Params
	b.Table["GetSitePause"] = func(_ context.Context, r *api.Request) (any, error) {
		got = r.Params
		if r.Params.String("SiteId") == "0" {
			return nil, api.Errorf(404, "SiteNotFound", "No such site.")
		}
		return struct{ Paused bool }{true}, nil
	}
	b.Defaults = api.Params{"SiteId": "7"}
	require.Equal(t, map[string]any{"Paused": true}, b.Must("GetSitePause", nil))
	require.Equal(t, api.Params{"SiteId": "7"}, got)
	_, code := b.Call("GetSitePause", api.Params{"SiteId": "0"})
	require.Equal(t, "SiteNotFound", code)
}

func TestMisfits(t *testing.T) {
	read := func(text string) (v any) {
		b := Bench{T: t}
		return b.read([]byte(`{"v":`+text+`}`), true)["v"]
	}
	shape := read(`{"Name":"string","Count":"long","On":"boolean","List":[{"Id":"integer"}],"Map":{"*":"string"},"Any":"any"}`)
	for text, want := range map[string][]string{
		`{}`: nil, `null`: nil,
		`{"Name":"a","Count":1,"On":true,"List":[{"Id":1}],"Map":{"x":"y"},"Any":[1],"List":[]}`: nil,
		`{"Nmae":"a"}`:         {"a has no Nmae"},
		`{"Count":"1"}`:        {"a.Count is string, not long"},
		`{"List":[{"id":1}]}`:  {"a.List[] has no id"},
		`{"List":{"Id":1}}`:    {"a.List is map[string]interface {} and no list"},
		`[]`:                   {"a is []interface {} and no object"},
		`{"On":1,"Name":true}`: {"a.Name is bool, not string", "a.On is json.Number, not boolean"},
	} {
		require.Equal(t, want, misfits("a", shape, read(text)), text)
	}
}
