package tools

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

func kvESA() *fakeESA {
	return &fakeESA{answers: map[string]func(esa.Params) (any, error){
		"PutKv": say(`{"Length":"5","Value":"hello","RequestId":"r"}`),
	}}
}

func TestPutKV(t *testing.T) {
	tests := []struct{ name, args, params, want string }{
		{"plain", `{"namespace":"n","key":"k","value":"hé <b>"}`,
			`{"Key":"k","Namespace":"n","Value":"h` + "é" + ` \u003cb\u003e"}`, `{"namespace":"n","key":"k","bytes":7}`},
		{"ttl", `{"namespace":"n","key":"k","value":"","ttl_seconds":60}`,
			`{"ExpirationTtl":60,"Key":"k","Namespace":"n","Value":""}`, `{"namespace":"n","key":"k","bytes":0,"expires_at":"2026-03-04T05:07:07Z"}`},
		{"expires", `{"namespace":"n","key":"k","value":"v","expires_at":"2026-03-04T08:00:00+02:00"}`,
			`{"Expiration":1772604000,"Key":"k","Namespace":"n","Value":"v"}`, `{"namespace":"n","key":"k","bytes":1,"expires_at":"2026-03-04T06:00:00Z"}`},
		{"base64", `{"namespace":"n","key":"k","value":"AP8=","base64":true}`,
			`{"Base64":true,"Key":"k","Namespace":"n","Value":"AP8="}`, `{"namespace":"n","key":"k","bytes":2}`},
		{"number as value", `{"namespace":"n","key":5,"value":42}`,
			`{"Key":"5","Namespace":"n","Value":"42"}`, `{"namespace":"n","key":"5","bytes":2}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := kvESA()
			out, err := callTool(t, f, "put_kv", test.args)
			require.NoError(t, err)
			require.JSONEq(t, test.want, out)
			require.Equal(t, []fakeCall{{"PutKv", test.params}}, f.calls)
		})
	}
}

func TestPutKVRefuses(t *testing.T) {
	tests := []struct{ name, args, want string }{
		{"space in key", `{"namespace":"n","key":"a b","value":""}`, `key: the text "a b" does not have the form`},
		{"slash in key", `{"namespace":"n","key":"a/b","value":""}`, "key:"},
		{"backslash in key", `{"namespace":"n","key":"a\\b","value":""}`, "key:"},
		{"long key", `{"namespace":"n","key":"` + strings.Repeat("x", 513) + `","value":""}`, "key: 513 characters, want at most 512"},
		{"no value", `{"namespace":"n","key":"k"}`, "value: missing"},
		{"long value", `{"namespace":"n","key":"k","value":"` + strings.Repeat("x", maxKVBig+1) + `"}`, "25000001 bytes, more than the 25000000"},
		{"long value that is not text", `{"namespace":"n","key":"k","base64":true,"value":"` + strings.Repeat("////", maxKVValue/3+1) + `"}`, "is not text"},
		{"not base64", `{"namespace":"n","key":"k","value":"%%","base64":true}`, "not base64"},
		{"both times", `{"namespace":"n","key":"k","value":"","ttl_seconds":1,"expires_at":"2030-01-01T00:00:00Z"}`, "exclude each other"},
		{"past", `{"namespace":"n","key":"k","value":"","expires_at":"2026-03-04T05:06:07Z"}`, "which has passed"},
		{"ttl 0", `{"namespace":"n","key":"k","value":"","ttl_seconds":0}`, "ttl_seconds: 0 is less than the minimum of 1"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := kvESA()
			_, err := callTool(t, f, "put_kv", test.args)
			require.ErrorContains(t, err, test.want)
			require.Empty(t, f.calls, "nothing is sent")
		})
	}
	f := kvESA()
	f.answers["PutKv"] = fail(&esa.Error{Action: "PutKv", Code: "InvalidNameSpace.NotFound", HTTPStatus: 404, RequestID: "R1"})
	_, err := callTool(t, f, "put_kv", `{"namespace":"nope","key":"k","value":""}`)
	require.ErrorContains(t, err, `There is no KV namespace "nope": create it with create_kv_namespace.`)
	require.ErrorContains(t, err, "R1")
}

func TestGetKV(t *testing.T) {
	text := strings.Repeat("é", 30_000)
	f := &fakeESA{answers: map[string]func(esa.Params) (any, error){
		"GetKv":       func(esa.Params) (any, error) { return map[string]any{"Value": text}, nil },
		"GetKvDetail": func(esa.Params) (any, error) { return map[string]any{"Value": text, "ExpirationTtl": "60"}, nil },
	}}
	var whole strings.Builder
	next, calls := 0, 0
	for {
		out, err := callTool(t, f, "get_kv", fmt.Sprintf(`{"namespace":"n","key":"k","offset":%d,"max_bytes":9999}`, next))
		require.NoError(t, err)
		var got GetKVOutput
		require.NoError(t, json.Unmarshal([]byte(out), &got))
		require.Equal(t, 60_000, got.Bytes)
		require.Equal(t, int64(60), got.TTLSeconds)
		require.LessOrEqual(t, len(got.Value), 9999)
		whole.WriteString(got.Value)
		calls++
		if next = got.NextOffset; next == 0 {
			break
		}
	}
	require.Equal(t, text, whole.String(), "the parts are the whole, without broken characters")
	require.Equal(t, 7, calls)

	_, err := callTool(t, f, "get_kv", `{"namespace":"n","key":"k","offset":60000}`)
	require.ErrorContains(t, err, "beyond the value")

	text = ""
	out, err := callTool(t, f, "get_kv", `{"namespace":"n","key":"k","base64":true}`)
	require.NoError(t, err)
	require.JSONEq(t, `{"namespace":"n","key":"k","value":"","bytes":0,"ttl_seconds":60,"expires_at":"2026-03-04T05:07:07Z"}`, out)
	require.Equal(t, `{"Base64":true,"Key":"k","Namespace":"n"}`, f.calls[len(f.calls)-1].Params)

	f.answers["GetKvDetail"] = fail(&esa.Error{Code: "InvalidKey.NotFound", HTTPStatus: 404})
	_, err = callTool(t, f, "get_kv", `{"namespace":"n","key":"k"}`)
	require.ErrorContains(t, err, `There is no key "k" in the KV namespace "n": list_kv shows the keys.`)
}

func TestPart(t *testing.T) {
	tests := []struct {
		text         string
		from, length int
		want         string
		next         int
	}{
		{"abc", 0, 3, "abc", 0},
		{"abc", 0, 2, "ab", 2},
		{"aé", 0, 2, "a", 1},
		{"é", 0, 1, "é", 0},
		{"éa", 0, 1, "é", 2},
		{"éa", 1, 5, "a", 0},
		{"", 0, 5, "", 0},
	}
	for _, test := range tests {
		got, next := part(test.text, test.from, test.length)
		require.Equal(t, test.want, got)
		require.Equal(t, test.next, next)
	}
}

func TestListKV(t *testing.T) {
	f := &fakeESA{answers: map[string]func(esa.Params) (any, error){
		"ListKvs": say(`{"Keys":[{"Name":"a","UpdateTime":"u"},{"Name":"b"}],"TotalCount":120,"PageNumber":2,"PageSize":50}`),
	}}
	out, err := callTool(t, f, "list_kv", `{"namespace":"n","prefix":"p-","page":2}`)
	require.NoError(t, err)
	require.JSONEq(t, `{"keys":[{"name":"a","updated":"u"},{"name":"b"}],"total":120,"page":2,"next_page":3}`, out)
	require.Equal(t, []fakeCall{{"ListKvs", `{"Namespace":"n","PageNumber":2,"PageSize":50,"Prefix":"p-"}`}}, f.calls)

	_, err = callTool(t, f, "list_kv", `{"namespace":"n","page":500,"page_size":100}`)
	require.NoError(t, err)
	_, err = callTool(t, f, "list_kv", `{"namespace":"n","page":501,"page_size":100}`)
	require.ErrorContains(t, err, "narrow the list with prefix")
	_, err = callTool(t, f, "list_kv", `{"namespace":"n","page":9223372036854775807,"page_size":100}`)
	require.ErrorContains(t, err, "narrow the list with prefix")
	_, err = callTool(t, f, "list_kv", `{"namespace":"n","page_size":101}`)
	require.ErrorContains(t, err, "page_size: 101 is more than the maximum of 100")
}

func TestCreateKVNamespace(t *testing.T) {
	f := &fakeESA{answers: map[string]func(esa.Params) (any, error){
		"CreateKvNamespace": say(`{"Namespace":"n","NamespaceId":"12345678901234567890","Status":"online"}`),
	}}
	out, err := callTool(t, f, "create_kv_namespace", `{"namespace":"n","description":"d"}`)
	require.NoError(t, err)
	require.JSONEq(t, `{"namespace":"n","id":"12345678901234567890","status":"online","created":true}`, out)
	require.Equal(t, []fakeCall{{"CreateKvNamespace", `{"Description":"d","Namespace":"n"}`}}, f.calls)

	f.answers["CreateKvNamespace"] = fail(&esa.Error{Code: "InvalidNameSpace.Duplicate", HTTPStatus: 406})
	out, err = callTool(t, f, "create_kv_namespace", `{"namespace":"n"}`)
	require.NoError(t, err)
	require.JSONEq(t, `{"namespace":"n","created":false}`, out)

	f.answers["CreateKvNamespace"] = fail(&esa.Error{Code: "InvalidNameSpace.QuotaFull", HTTPStatus: 406})
	_, err = callTool(t, f, "create_kv_namespace", `{"namespace":"n"}`)
	require.ErrorContains(t, err, "InvalidNameSpace.QuotaFull")
}
