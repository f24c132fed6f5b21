package main

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/esa"
	"github.com/esa-mcp/esa-mcp/tools"
)

// startKV is a server with the KV tools and one namespace.
func startKV(t *testing.T) *server {
	t.Helper()
	s := startLocal(t, "--toolsets", "kv")
	callOK[tools.CreateKVNamespaceOutput](t, s, "create_kv_namespace", arguments{"namespace": "ns"})
	return s
}

// leftOf wants a time to live that was given since began: what passed meanwhile,
// however slow the machine is, may be missing.
func leftOf(t *testing.T, began time.Time, given, left float64) {
	t.Helper()
	require.LessOrEqual(t, left, given)
	require.GreaterOrEqual(t, left, given-time.Since(began).Seconds()-1)
}

func TestKVPairs(t *testing.T) {
	t.Parallel()
	s := startKV(t)
	key := func(more arguments) arguments {
		a := arguments{"namespace": "ns", "key": "k"}
		for name, v := range more {
			a[name] = v
		}
		return a
	}
	began := time.Now()
	callOK[tools.PutKVOutput](t, s, "put_kv", key(arguments{"value": "v", "ttl_seconds": 600}))
	got := callOK[tools.GetKVOutput](t, s, "get_kv", key(nil))
	require.Equal(t, "v", got.Value)
	leftOf(t, began, 600, float64(got.TTLSeconds))
	require.NotEmpty(t, got.ExpiresAt)

	big := strings.Repeat("\u00e9<", 1_000_000)
	put := callOK[tools.PutKVOutput](t, s, "put_kv", key(arguments{"value": big}))
	require.Equal(t, len(big), put.Bytes)
	require.Equal(t, "kv-value-size", put.Notes[0].ID)
	got = callOK[tools.GetKVOutput](t, s, "get_kv", key(arguments{"offset": len(big) - 6}))
	require.Equal(t, "\u00e9<\u00e9<", got.Value)
	require.Equal(t, len(big), got.Bytes)
	require.Zero(t, got.TTLSeconds)
	began = time.Now()
	callOK[tools.PutKVOutput](t, s, "put_kv", key(arguments{"ttl_seconds": 600, "base64": true, "value": base64.StdEncoding.EncodeToString([]byte(big))}))
	got = callOK[tools.GetKVOutput](t, s, "get_kv", key(arguments{"max_bytes": 3}))
	require.Equal(t, "\u00e9<", got.Value)
	leftOf(t, began, 600, float64(got.TTLSeconds))

	require.True(t, callOK[tools.DeleteKVOutput](t, s, "delete_kv", key(nil)).Deleted)
	require.False(t, callOK[tools.DeleteKVOutput](t, s, "delete_kv", key(nil)).Deleted)
	require.Contains(t, s.refuse(t, "get_kv", key(nil)), "list_kv shows the keys")
	require.Contains(t, s.refuse(t, "delete_kv", arguments{"namespace": "other", "key": "k"}), "create_kv_namespace")
	require.Contains(t, s.refuse(t, "delete_kv", arguments{"namespace": "ns", "key": "a b"}), "key")
	require.Contains(t, s.refuse(t, "put_kv", key(arguments{"value": "%", "base64": true})), "not base64")
}

func TestKVBatches(t *testing.T) {
	t.Parallel()
	s := startKV(t)
	values := map[string]string{"big": strings.Repeat("y", 2_500_000), "empty": ""}
	for i := range 12_000 {
		values[fmt.Sprintf("k%05d", i)] = "v"
	}
	began := time.Now()
	put := callOK[tools.BatchPutKVOutput](t, s, "batch_put_kv", arguments{"namespace": "ns", "values": values, "ttl_seconds": 1000})
	require.Equal(t, len(values), put.Stored)
	require.Zero(t, put.FailedCount)
	require.Equal(t, 2_500_000, callOK[tools.GetKVOutput](t, s, "get_kv", arguments{"namespace": "ns", "key": "big"}).Bytes)
	leftOf(t, began, 1000, float64(callOK[tools.GetKVOutput](t, s, "get_kv", arguments{"namespace": "ns", "key": "k11999"}).TTLSeconds))
	list := callOK[tools.ListKVOutput](t, s, "list_kv", arguments{"namespace": "ns", "prefix": "k0"})
	require.Equal(t, 10_000, list.Total)

	keys := []string{"none", "k00000", "k00000"}
	deleted := callOK[tools.BatchDeleteKVOutput](t, s, "batch_delete_kv", arguments{"namespace": "ns", "keys": keys})
	require.Equal(t, tools.BatchDeleteKVOutput{Noted: tools.Noted{Notes: []esa.Note{{ID: "api-partial", Text: "1 of 2 keys failed: none. The others are done"}}}, Namespace: "ns", Deleted: 1, FailedCount: 1, Failed: []string{"none"}}, deleted)
	for i := range 12_000 {
		keys = append(keys, fmt.Sprintf("k%05d", i))
	}
	deleted = callOK[tools.BatchDeleteKVOutput](t, s, "batch_delete_kv", arguments{"namespace": "ns", "keys": keys})
	require.Equal(t, 11_999, deleted.Deleted, "by upload")
	require.Equal(t, 2, deleted.FailedCount)
	require.Equal(t, 2, callOK[tools.ListKVOutput](t, s, "list_kv", arguments{"namespace": "ns"}).Total)

	require.Contains(t, s.refuse(t, "batch_put_kv", arguments{"namespace": "ns", "values": arguments{"a/b": "1", "ok": "1"}}), `"a/b"`)
	require.Contains(t, s.refuse(t, "batch_put_kv", arguments{"namespace": "ns", "values": arguments{}}), "values")
	require.Contains(t, s.refuse(t, "batch_delete_kv", arguments{"namespace": "ns", "keys": []string{"a b"}}), `"a b"`)
	require.Contains(t, s.refuse(t, "batch_put_kv", arguments{"namespace": "other", "values": arguments{"a": "1"}}), "create_kv_namespace")
	require.Equal(t, 2, callOK[tools.ListKVOutput](t, s, "list_kv", arguments{"namespace": "ns"}).Total, "refused batches store nothing")
}

func TestKVNamespaces(t *testing.T) {
	t.Parallel()
	s := startKV(t)
	callOK[tools.CreateKVNamespaceOutput](t, s, "create_kv_namespace", arguments{"namespace": "two", "description": "d"})
	callOK[tools.PutKVOutput](t, s, "put_kv", arguments{"namespace": "two", "key": "abc", "value": "1234567"})
	all := callOK[tools.GetKVAccountOutput](t, s, "get_kv_account", nil)
	require.Equal(t, "online", all.Status)
	require.Equal(t, 10, all.Quota)
	require.Len(t, all.Namespaces, 2)
	require.EqualValues(t, 10, all.UsedBytes)
	one := callOK[tools.GetKVAccountOutput](t, s, "get_kv_account", arguments{"namespace": "two"})
	require.Equal(t, all.Namespaces[1], one.Namespaces[0])
	require.Regexp(t, `^\d{15,}$`, string(one.Namespaces[0].ID))
	require.EqualValues(t, 10, one.Namespaces[0].UsedBytes)
	require.Contains(t, s.refuse(t, "get_kv_account", arguments{"namespace": "none"}), "create_kv_namespace")

	require.Contains(t, s.preview(t, "delete_kv_namespace", arguments{"namespace": "two"}).Lost, "namespace two")
	require.Len(t, callOK[tools.GetKVAccountOutput](t, s, "get_kv_account", nil).Namespaces, 2)
	require.True(t, callOK[tools.DeleteKVNamespaceOutput](t, s, "delete_kv_namespace", arguments{"namespace": "two"}).Deleted)
	require.Len(t, callOK[tools.GetKVAccountOutput](t, s, "get_kv_account", nil).Namespaces, 1)
}

func TestKVImport(t *testing.T) {
	t.Parallel()
	s := startKV(t)
	dir := writeSite(t, map[string]string{
		"rows.jsonl": "\ufeff" + `{"key":"a","value":"1"}
{"key":"n","value":{"x": [1, 2]}}

{"Key":"ttl","Value":"2","ExpirationTtl":600}
{"key":"bin","value":"AP8=","base64":true}
{"key":"a b","value":"x"}
{"key":"past","value":"x","expires_at":"2020-01-01T00:00:00Z"}
not json
{"key":"a","value":"last"}
{"key":"big","value":"` + strings.Repeat("z", 2_100_000) + `"}`,
		"pairs.json":         `{"j1":"one","j2":2,"j/3":"no"}`,
		"folder/index.html":  "<p>",
		"folder/css/a.css":   "css",
		"folder/my file.txt": "space",
		"folder/raw.bin":     "\x00\xff",
		"folder/.env":        "SECRET=1",
		"bad.json":           `["a"]`,
	})
	path := func(name string) string { return filepath.Join(dir, name) }
	load := func(name string, more ...any) tools.ImportKVOutput {
		t.Helper()
		a := arguments{"namespace": "ns", "path": path(name)}
		for i := 0; i < len(more); i += 2 {
			a[more[i].(string)] = more[i+1]
		}
		return callOK[tools.ImportKVOutput](t, s, "import_kv", a)
	}
	value := func(key string) string {
		t.Helper()
		return callOK[tools.GetKVOutput](t, s, "get_kv", arguments{"namespace": "ns", "key": key, "max_bytes": 100}).Value
	}
	out := load("rows.jsonl")
	require.Equal(t, [...]int64{9, 5, 1, 3}, [...]int64{out.Rows, out.Stored, out.Replaced, out.FailedCount}, "%+v", out)
	require.Equal(t, "last", value("a"))
	require.Equal(t, `{"x":[1,2]}`, value("n"))
	require.Equal(t, "AP8=", callOK[tools.GetKVOutput](t, s, "get_kv", arguments{"namespace": "ns", "key": "bin", "base64": true}).Value)
	require.Equal(t, path("rows.jsonl")+".failed.jsonl", out.FailedFile)
	failed, err := os.ReadFile(out.FailedFile)
	require.NoError(t, err)
	require.Equal(t, 3, strings.Count(string(failed), "\n"))
	require.Contains(t, string(failed), `{"key":"a b","value":"x","error":"the key has a space`)
	require.NoFileExists(t, path("rows.jsonl")+".import-state.json")

	out = load("pairs.json", "key_prefix", "p-")
	require.EqualValues(t, 2, out.Stored)
	require.Equal(t, "p-j/3", out.Failed[0].Key)
	require.Equal(t, "2", value("p-j2"))

	out = load("folder")
	require.EqualValues(t, 3, out.Stored)
	require.Equal(t, "my file.txt", out.Failed[0].Key)
	require.Equal(t, "css", value("css:a.css"))
	require.Contains(t, s.refuse(t, "get_kv", arguments{"namespace": "ns", "key": ".env"}), "no key")

	for name, text := range map[string]string{"bad.json": "one JSON object", "gone": "cannot be read"} {
		require.Contains(t, s.refuse(t, "import_kv", arguments{"namespace": "ns", "path": path(name)}), text)
	}
	require.Contains(t, s.refuse(t, "import_kv", arguments{"namespace": "other", "path": path("rows.jsonl")}), "create_kv_namespace")
	require.Contains(t, s.refuse(t, "import_kv", arguments{"namespace": "ns", "path": path("folder"), "format": "json"}), "do not fit")
}

func TestKVExport(t *testing.T) {
	t.Parallel()
	s := startKV(t)
	began := time.Now()
	values := map[string]string{"a:b%": "x\n<\u2028>", "\u952e": "\u503c", ".dot": ""}
	callOK[tools.BatchPutKVOutput](t, s, "batch_put_kv", arguments{"namespace": "ns", "values": values, "ttl_seconds": 900})
	callOK[tools.PutKVOutput](t, s, "put_kv", arguments{"namespace": "ns", "key": "bin", "value": "AP8=", "base64": true})
	dir := t.TempDir()
	for _, format := range []string{"jsonl", "folder"} {
		file := filepath.Join(dir, "out."+format)
		out := callOK[tools.ExportKVOutput](t, s, "export_kv", arguments{"namespace": "ns", "path": file, "format": format})
		require.EqualValues(t, 4, out.Exported)
		require.Empty(t, out.Failed)
		require.NoFileExists(t, file+".export-state.json")
		require.Contains(t, s.refuse(t, "export_kv", arguments{"namespace": "ns", "path": file, "format": format}), "overwrite")

		callOK[tools.CreateKVNamespaceOutput](t, s, "create_kv_namespace", arguments{"namespace": format})
		back := callOK[tools.ImportKVOutput](t, s, "import_kv", arguments{"namespace": format, "path": file})
		require.EqualValues(t, 4, back.Stored, "%+v", back)
		for key, want := range values {
			got := callOK[tools.GetKVOutput](t, s, "get_kv", arguments{"namespace": format, "key": key})
			require.Equal(t, want, got.Value, "%s %s", format, key)
			if format == "jsonl" {
				leftOf(t, began, 900, float64(got.TTLSeconds))
			}
		}
		require.Equal(t, "AP8=", callOK[tools.GetKVOutput](t, s, "get_kv", arguments{"namespace": format, "key": "bin", "base64": true}).Value)
	}
	file := filepath.Join(dir, "out.json")
	out := callOK[tools.ExportKVOutput](t, s, "export_kv", arguments{"namespace": "ns", "path": file})
	require.EqualValues(t, 3, out.Exported)
	require.EqualValues(t, 3, out.NoExpiry)
	require.Equal(t, "bin", out.Failed[0].Key)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.JSONEq(t, `{".dot":"","a:b%":"x\n<\u2028>","\u952e":"\u503c"}`, string(text))
	none := callOK[tools.ExportKVOutput](t, s, "export_kv", arguments{"namespace": "ns", "path": file, "prefix": "zz", "overwrite": true})
	require.Zero(t, none.Exported)
	require.Contains(t, s.refuse(t, "export_kv", arguments{"namespace": "gone", "path": file + "x"}), "create_kv_namespace")
}
