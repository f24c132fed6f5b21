package guard_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/esa"
	"github.com/esa-mcp/esa-mcp/internal/guard"
	"github.com/esa-mcp/esa-mcp/internal/local"
	"github.com/esa-mcp/esa-mcp/internal/local/kv"
)

// space makes a KV namespace, n, with a key.
func space(w *world) {
	w.do("CreateKvNamespace", params{"Namespace": "n"})
	w.do("PutKv", pair("there", "x"))
}

func pair(key, value string) params { return params{"Namespace": "n", "Key": key, "Value": value} }

func with(p params, name string, value any) params { p[name] = value; return p }

func TestGuardrail_kv_key(t *testing.T) {
	prove(t, "kv-key", proof{
		setup: space,
		with: func(w *world) {
			require.Equal(w, "a:b", w.refused("space, slash or backslash", "PutKv", pair("a/b", "x")).Params["Key"])
			w.sends(w.refused("slash", "PutKv", pair("/two words", "x")))
			w.refused("513 characters", "GetKv", params{"Namespace": "n", "Key": strings.Repeat("k", 513)})
			w.refused("slash", "BatchPutKv", params{"Namespace": "n", "KvList": []any{map[string]any{"key": `a\\b`, "value": "x"}}})
			w.refused("slash", "BatchDeleteKv", params{"Namespace": "n", "Keys": []any{"fine", "not fine"}})
			w.goesThrough("PutKv", pair("a.b-c_d:e", "x"))
		},
		without: func(w *world) { w.fails("InvalidKey.Malformed", "PutKv", pair("a/b", "x")) },
	})
}

func TestGuardrail_kv_value_size(t *testing.T) {
	big := strings.Repeat("v", 2_000_001)
	prove(t, "kv-value-size", proof{
		setup: space,
		with: func(w *world) {
			w.refused("put_kv uploads what is larger", "PutKv", pair("k", big))
			w.refused("more than the 25000000", "PutKv", pair("k", strings.Repeat("v", 25_000_001)))
			out, err := w.tool("put_kv", map[string]any{"namespace": "n", "key": "k", "value": big})
			require.NoError(w, err)
			require.Contains(w, out, `"kv-value-size"`)
			require.Equal(w, big, w.do("GetKv", params{"Namespace": "n", "Key": "k"})["Value"])
			w.goesThrough("PutKv", pair("k", big[1:]))
		},
		without: func(w *world) { w.fails("InvalidValue.ExceedsMaximum", "PutKv", pair("k", big)) },
	})
}

func TestGuardrail_kv_batch(t *testing.T) {
	keys := make([]any, 10_001)
	for i := range keys {
		keys[i] = fmt.Sprint("k", i)
	}
	many := params{"Namespace": "n", "Keys": keys}
	prove(t, "kv-batch", proof{
		setup: space,
		with: func(w *world) {
			w.refused("batch_delete_kv cuts and reports", "BatchDeleteKv", many)
			var pairs []any
			for i := range 3 {
				pairs = append(pairs, map[string]any{"Key": fmt.Sprint("k", i), "Value": strings.Repeat("v", 900_000)})
			}
			w.refused("import_kv", "BatchPutKv", params{"Namespace": "n", "KvList": pairs})
			values := map[string]any{}
			for i := range 3 {
				values[fmt.Sprint("k", i)] = strings.Repeat("v", 900_000)
			}
			_, err := w.tool("batch_put_kv", map[string]any{"namespace": "n", "values": values})
			require.NoError(w, err)
			require.Equal(w, 2, count(w.sent, "BatchPutKv")+count(w.sent, "BatchPutKvWithHighCapacity"), "cut in two")
			w.goesThrough("BatchPutKv", params{"Namespace": "n", "KvList": pairs[:2]})
		},
		without: func(w *world) {
			w.say = yes
			w.fails("InvalidKey.ExceedsMaximum", "BatchDeleteKv", many)
		},
	})
}

func count(list []string, what string) (n int) {
	for _, s := range list {
		if s == what {
			n++
		}
	}
	return n
}

func TestGuardrail_kv_batch_name(t *testing.T) {
	prove(t, "kv-batch-name", proof{
		setup: space,
		with: func(w *world) {
			a := w.fixed("reads KvList and ignores body", "BatchPutKv", params{"Namespace": "n", "body": `{"KvList":[{"Key":"a","Value":"1"}]}`})
			require.Equal(w, []any{"a"}, a["SuccessKeys"])
			a = w.fixed("ignores pairs", "BatchPutKv", params{"Namespace": "n", "pairs": map[string]any{"b": "2", "c": "3"}})
			require.Len(w, a["SuccessKeys"], 2)
			require.Equal(w, "2", w.do("GetKv", params{"Namespace": "n", "Key": "b"})["Value"])
			w.say = yes
			a = w.fixed("reads Keys and ignores body", "BatchDeleteKv", params{"Namespace": "n", "body": []any{map[string]any{"Key": "a"}, "b"}})
			require.Len(w, a["SuccessKeys"], 2)
		},
		without: func(w *world) {
			w.fails(esa.CodeInvalidArgument, "BatchPutKv", params{"Namespace": "n", "body": `[{"Key":"a","Value":"1"}]`})
		},
	})
}

func TestGuardrail_kv_ttl(t *testing.T) {
	past, later := time.Now().Add(-time.Hour).Unix(), time.Now().Add(time.Hour).Unix()
	prove(t, "kv-ttl", proof{
		setup: space,
		with: func(w *world) {
			w.refused("which has passed", "PutKv", with(pair("k", "x"), "Expiration", past))
			w.sends(w.refused("is in milliseconds", "PutKv", with(pair("k", "x"), "Expiration", later*1000)))
			w.warned("ExpirationTtl counts", "PutKv", with(with(pair("k", "x"), "Expiration", later), "ExpirationTtl", 60))
			w.warned("it is not for old", "BatchPutKv", params{"Namespace": "n", "KvList": []any{
				map[string]any{"Key": "old", "Value": "x", "Expiration": past}, map[string]any{"Key": "new", "Value": "x", "Expiration": later}}})
			w.goesThrough("PutKv", with(pair("k", "x"), "Expiration", later))
		},
		without: func(w *world) { w.fails("InvalidExpiration", "PutKv", with(pair("k", "x"), "Expiration", past)) },
	})
}

func TestGuardrail_kv_list_window(t *testing.T) {
	far := params{"Namespace": "n", "PageNumber": 501, "PageSize": 100}
	prove(t, "kv-list-window", proof{
		setup: space,
		with: func(w *world) {
			w.refused("narrow the list with Prefix", "ListKvs", far)
			w.fixed("at most 100 keys", "ListKvs", params{"Namespace": "n", "PageSize": 500})
			w.goesThrough("ListKvs", params{"Namespace": "n", "PageNumber": 500, "PageSize": 100})
		},
		without: func(w *world) { w.fails("InvalidPageNumber", "ListKvs", far) },
	})
}

func TestGuardrail_kv_disabled(t *testing.T) {
	prove(t, "kv-disabled", proof{
		options: local.Options{KV: kv.Config{Offline: true}},
		with: func(w *world) {
			w.refused("enable it in the ESA console", "PutKv", pair("k", "x"))
			w.refused("no operation of the API does", "CreateKvNamespace", params{"Namespace": "n"})
		},
		without: func(w *world) { w.fails("InvalidAccount.NotFound", "PutKv", pair("k", "x")) },
	})
	t.Run("asked once", func(t *testing.T) {
		w := newWorld(t, "kv-disabled", local.Options{}, false)
		space(w)
		w.goesThrough("PutKv", pair("a", "x"))
		w.goesThrough("PutKv", pair("b", "x"))
		require.Equal(t, 1, count(w.sent, "DescribeKvAccountStatus"))
	})
}

func TestGuardrail_kv_eventual(t *testing.T) {
	prove(t, "kv-eventual", proof{
		setup: space,
		with: func(w *world) {
			w.warned("can serve the old value for some minutes", "PutKv", pair("a", "x"))
			w.goesThrough("PutKv", pair("b", "x")) // said once
		},
		without: func(w *world) { w.goesThrough("PutKv", pair("a", "x")) },
	})
}

func TestGuardrail_kv_namespace_delete(t *testing.T) {
	prove(t, "kv-namespace-delete", proof{
		setup: space,
		with: func(w *world) {
			w.asks("KV namespace n with its keys: 1", "DeleteKvNamespace", params{"Namespace": "n"})
			w.say = nil
			w.fails("InvalidNameSpace.NotFound", "DeleteKvNamespace", params{"Namespace": "none"})
		},
		without: func(w *world) {
			w.asks("KV namespace n with its keys: 1", "DeleteKvNamespace", params{"Namespace": "n"})
		},
	})
}

func yes(context.Context, guard.Question) error { return nil }
