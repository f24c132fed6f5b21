package tools

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/esa"
	"github.com/esa-mcp/esa-mcp/internal/guard"
)

func writeRows(t *testing.T, rows ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "rows.jsonl")
	require.NoError(t, os.WriteFile(file, []byte(strings.Join(rows, "\n")), 0o600))
	return file
}

func row(key, value string) string { return fmt.Sprintf(`{"key":%q,"value":%q}`, key, value) }

func TestImportFindsTheRefusedPair(t *testing.T) {
	s := newKVStore(map[string]string{})
	s.lose = map[string]bool{"k07": true}
	s.put = func(keys []string) error {
		if slices.Contains(keys, "k13") {
			return &esa.Error{Code: "InvalidKey.Malformed", HTTPStatus: 400}
		}
		return nil
	}
	var rows []string
	for i := range 40 {
		rows = append(rows, row(fmt.Sprintf("k%02d", i), "v"))
	}
	out, err := callKV[ImportKVOutput](t, s, "import_kv", map[string]any{"namespace": "n", "path": writeRows(t, rows...)})
	require.NoError(t, err)
	require.EqualValues(t, 38, out.Stored)
	require.Len(t, s.values, 38)
	require.Len(t, out.Failed, 2)
	require.ElementsMatch(t, []string{"k07", "k13"}, []string{out.Failed[0].Key, out.Failed[1].Key})
	raw, err := os.ReadFile(out.FailedFile)
	require.NoError(t, err)
	require.Contains(t, string(raw), kvUnconfirmed)
	require.Contains(t, string(raw), "InvalidKey.Malformed")
}

func TestImportKeepsTheOrderOfAKey(t *testing.T) {
	s := newKVStore(map[string]string{})
	var rows []string
	for i := range 30_000 { // three batches and more, each with the key
		rows = append(rows, row(fmt.Sprintf("k%05d", i), ""))
		if i%5_000 == 0 {
			rows = append(rows, row("same", fmt.Sprint(i)))
		}
	}
	out, err := callKV[ImportKVOutput](t, s, "import_kv", map[string]any{"namespace": "n", "path": writeRows(t, rows...)})
	require.NoError(t, err)
	require.EqualValues(t, 30_006, out.Rows)
	require.Equal(t, "25000", s.values["same"])
	require.Equal(t, out.Rows, out.Stored+out.Replaced)
	require.Positive(t, out.Replaced)
}

func TestImportStopsAndGoesOn(t *testing.T) {
	s := newKVStore(map[string]string{})
	full := &esa.Error{Code: "InvalidKey.ExceedsCapacity", HTTPStatus: 403, Message: "full"}
	batches := 0
	s.put = func([]string) error {
		if batches++; batches > 2 {
			return full
		}
		return nil
	}
	var rows []string
	for i := range 45_000 {
		rows = append(rows, row(fmt.Sprintf("k%05d", i), ""))
	}
	file := writeRows(t, rows...)
	args := map[string]any{"namespace": "n", "path": file}
	_, err := callKV[ImportKVOutput](t, s, "import_kv", args)
	require.ErrorContains(t, err, "stopped after 20000 stored")
	require.ErrorContains(t, err, "Call import_kv again")
	var service *esa.Error
	require.True(t, errors.As(err, &service))

	_, err = callKV[ImportKVOutput](t, s, "import_kv", map[string]any{"namespace": "other", "path": file})
	require.ErrorContains(t, err, "another import")
	s.put = nil
	out, err := callKV[ImportKVOutput](t, s, "import_kv", args)
	require.NoError(t, err)
	require.EqualValues(t, 45_000, out.Stored)
	require.Len(t, s.order, 45_000, "nothing was sent twice")
	require.NoFileExists(t, file+".import-state.json")
	require.NoFileExists(t, file+".failed.jsonl")

	s.put = func([]string) error { return full }
	_, err = callKV[ImportKVOutput](t, s, "import_kv", args)
	require.Error(t, err)
	require.NoError(t, os.WriteFile(file, []byte(row("new", "")), 0o600))
	_, err = callKV[ImportKVOutput](t, s, "import_kv", args)
	require.ErrorContains(t, err, "restart true")
	s.put, args["restart"] = nil, true
	out, err = callKV[ImportKVOutput](t, s, "import_kv", args)
	require.NoError(t, err)
	require.EqualValues(t, 1, out.Stored)
}

func TestFileNamesOfKeys(t *testing.T) {
	for _, key := range []string{"a", "a:b", ".env", "..", "100%", "\u952e", "a*b?c|d<e>", `q"q`, "%41"} {
		name, ok := fileOfKey(key)
		require.True(t, ok, key)
		require.NotContains(t, name, "/")
		require.False(t, strings.HasPrefix(name, "."), "hidden files are not imported: %s", name)
		require.Equal(t, key, keyOfFile(name))
	}
	_, ok := fileOfKey(strings.Repeat("\u952e", 200))
	require.False(t, ok)
	require.Equal(t, "css:a.css", keyOfFile("css/a.css"))
}

func TestJSONLengthIsEnough(t *testing.T) {
	for _, text := range []string{"", "plain", "\"\\\n\r\t\b\f\x00\x7f", "<>&", "\u2028\u2029", "\xff", "\u00e9\u952e\U0001F600"} {
		require.GreaterOrEqual(t, jsonLength(text)+2, len(appendJSON(nil, text)), "%q", text)
	}
}

func FuzzKVRows(f *testing.F) {
	f.Add([]byte(row("a", "b") + "\n\n{\"key\":1}\nx"))
	f.Add([]byte("\ufeff{\"Key\":\"a\",\"Value\":null,\"base64\":true}"))
	f.Fuzz(func(t *testing.T, content []byte) {
		file := filepath.Join(t.TempDir(), "rows")
		require.NoError(t, os.WriteFile(file, content, 0o600))
		read := func(skip int64) (items []kvItem) {
			s, _, err := openKVSource(file, kvLines, testTime)
			require.NoError(t, err)
			defer s.close()
			require.NoError(t, s.skip(skip))
			for {
				item, err := s.next()
				if err != nil {
					return items
				}
				if item.Problem == "" {
					require.NoError(t, guard.CheckKVKey(item.Key))
				}
				items = append(items, item)
			}
		}
		all := read(0)
		if len(all) > 0 {
			require.Equal(t, append([]kvItem{}, all[1:]...), append([]kvItem{}, read(1)...))
		}
	})
}

func TestImportChoosesTheFlow(t *testing.T) {
	for size, want := range map[int64]int{0: maxKVBatch, largeKVImport: maxKVBatch, largeKVImport + 1: 8_000_000, 1 << 40: 8_000_000} {
		l := limitsFor(size)
		require.Equal(t, want, l.bytes)
		require.Less(t, l.bytes, maxKVUpload)
		require.Equal(t, want == maxKVBatch, l.keys == maxKVKeys, "by upload the number of keys has no limit")
	}
}
