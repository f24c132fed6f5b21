package kv

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
)

// memoryFiles are files by address.
type memoryFiles map[string]string

func (m memoryFiles) Open(_ context.Context, address string) (io.ReadCloser, int64, error) {
	text, ok := m[address]
	if !ok {
		return nil, 0, api.Errorf(404, "InvalidUrl.NotFound", "no file")
	}
	return io.NopCloser(strings.NewReader(text)), int64(len(text)), nil
}

func list(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	require.NoError(t, err)
	return string(raw)
}

func TestBatchPut(t *testing.T) {
	b := newBench(t, Config{Capacity: 1000})
	b.Must("CreateKvNamespace", api.Params{"Namespace": "ns"})
	now := b.Now.Unix()
	out := b.Must("BatchPutKv", api.Params{"Namespace": "ns", "KvList": list(t, []map[string]any{
		{"Key": "a", "Value": "1"},
		{"Key": "a", "Value": "22"},
		{"Key": "bad/key", "Value": "1"},
		{"Key": "past", "Value": "1", "Expiration": now - 1},
		{"Key": "ttl", "Value": "", "ExpirationTtl": 60},
		{"Key": "late", "Value": "1", "Expiration": fmt.Sprint(now + 5)},
		{"Key": "full", "Value": strings.Repeat("x", 1000)},
		{"Key": "none"},
		{"Key": "", "Value": "1"},
	})})
	require.Equal(t, []any{"a", "a", "ttl", "late"}, out["SuccessKeys"])
	require.Equal(t, []any{"bad/key", "past", "full", "none", ""}, out["FailKeys"])
	require.Equal(t, "22", b.Must("GetKv", pair("a", ""))["Value"], "the last of two counts")
	require.Equal(t, "60", b.Must("GetKvDetail", pair("ttl", ""))["ExpirationTtl"])
	require.EqualValues(t, 1+2+3+4+1, b.Must("GetKvNamespace", api.Params{"Namespace": "ns"})["CapacityUsed"])

	many := make([]map[string]any, 10_001)
	for i := range many {
		many[i] = map[string]any{"Key": fmt.Sprint("k", i), "Value": ""}
	}
	for name, c := range map[string]struct {
		params api.Params
		code   string
	}{
		"no list":       {api.Params{"Namespace": "ns"}, "400 MissingKvList"},
		"no JSON":       {api.Params{"Namespace": "ns", "KvList": "x"}, "400 InvalidKvList"},
		"no namespace":  {api.Params{"Namespace": "none", "KvList": "[]"}, "404 InvalidNameSpace.NotFound"},
		"too many keys": {api.Params{"Namespace": "ns", "KvList": list(t, many)}, "400 InvalidKey.ExceedsMaximum"},
		"too large": {api.Params{"Namespace": "ns", "KvList": `[{"Key":"k","Value":"` + strings.Repeat("x", 2_000_000) + `"}]`},
			"400 InvalidValue.ExceedsMaximum"},
	} {
		_, code := b.call("BatchPutKv", c.params)
		require.Equal(t, c.code, code, name)
	}
}

func TestBatchDelete(t *testing.T) {
	b := newBench(t, Config{})
	b.Must("CreateKvNamespace", api.Params{"Namespace": "ns"})
	b.Must("PutKv", pair("a", "1"))
	b.Must("PutKv", pair("b", "1"))
	out := b.Must("BatchDeleteKv", api.Params{"Namespace": "ns", "Keys": `["a","b","c","d/e","a"]`})
	require.Equal(t, map[string]any{"SuccessKeys": []any{"a", "b"}, "FailKeys": []any{"c", "d/e", "a"}}, out)
	require.EqualValues(t, 0, b.Must("GetKvNamespace", api.Params{"Namespace": "ns"})["CapacityUsed"])
	_, code := b.call("BatchDeleteKv", api.Params{"Namespace": "ns"})
	require.Equal(t, "400 MissingKeys", code)
	_, code = b.call("BatchDeleteKv", api.Params{"Namespace": "ns", "Keys": list(t, make([]string, 10_001))})
	require.Equal(t, "400 InvalidKey.ExceedsMaximum", code)
}

func TestHighCapacity(t *testing.T) {
	big := strings.Repeat("x", 3_000_000)
	files := memoryFiles{
		"one":      `{"Namespace":"ns","Key":"other","Value":"` + big + `"}`,
		"huge":     `{"Namespace":"ns","Key":"k","Value":"` + strings.Repeat("y", maxFileValue+1) + `"}`,
		"batch":    `{"Namespace":"ns","KvList":[{"Key":"a","Value":"` + big + `"},{"Key":"b c","Value":""},{"Key":"d","Value":"","ExpirationTtl":9}]}`,
		"keys":     `{"Keys":["a","gone"],"Namespace":"ns"}`,
		"list":     `[{"Key":"z","Value":""}]`,
		"cut":      `{"Namespace":"ns","KvList":[{"Key":"z","Value":""},{"Key":`,
		"oversize": strings.Repeat(" ", maxFileBatch+1),
	}
	b := newBench(t, Config{Files: files})
	b.Must("CreateKvNamespace", api.Params{"Namespace": "ns"})
	at := func(url string) api.Params { return api.Params{"Namespace": "ns", "Key": "k", "Url": url} }

	require.Equal(t, "3000000", b.Must("PutKvWithHighCapacity", at("one"))["Length"])
	require.Equal(t, big, b.Must("GetKv", pair("k", ""))["Value"], "the key is the call's")
	out := b.Must("BatchPutKvWithHighCapacity", at("batch"))
	require.Equal(t, map[string]any{"SuccessKeys": []any{"a", "d"}, "FailKeys": []any{"b c"}}, out)
	require.Equal(t, "9", b.Must("GetKvDetail", pair("d", ""))["ExpirationTtl"])
	out = b.Must("BatchDeleteKvWithHighCapacity", at("keys"))
	require.Equal(t, map[string]any{"SuccessKeys": []any{"a"}, "FailKeys": []any{"gone"}}, out)

	nothing := map[string]any{"SuccessKeys": []any{}, "FailKeys": []any{}}
	for _, form := range []string{"list", "cut", "one", "keys"} {
		require.Equal(t, nothing, b.Must("BatchPutKvWithHighCapacity", at(form)), "another form does nothing and is no error: %s", form)
	}
	_, code := b.call("GetKv", pair("z", ""))
	require.Equal(t, "404 InvalidKey.NotFound", code)

	for _, c := range []struct{ action, url, code string }{
		{"PutKvWithHighCapacity", "huge", "400 InvalidValue.ExceedsMaximum"},
		{"PutKvWithHighCapacity", "list", "400 InvalidValue.Malformed"},
		{"PutKvWithHighCapacity", "nowhere", "404 InvalidUrl.NotFound"},
		{"BatchPutKvWithHighCapacity", "oversize", "400 InvalidValue.ExceedsMaximum"},
		{"BatchDeleteKvWithHighCapacity", "nowhere", "404 InvalidUrl.NotFound"},
	} {
		_, code := b.call(c.action, at(c.url))
		require.Equal(t, c.code, code, "%s %s", c.action, c.url)
	}
}
