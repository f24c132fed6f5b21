package tools

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// kvStore is edge KV behind a Caller, for tests with several calls at once.
type kvStore struct {
	mu     sync.Mutex
	values map[string]string
	keys   []string // sorted
	order  []string // keys as they were stored
	calls  map[string]int
	put    func(keys []string) error // may refuse a batch
	lose   map[string]bool           // keys that a batch says nothing of
}

func newKVStore(values map[string]string) *kvStore {
	s := &kvStore{values: values, calls: map[string]int{}}
	for key := range values {
		s.keys = append(s.keys, key)
	}
	slices.Sort(s.keys)
	return s
}

func (s *kvStore) Call(_ context.Context, action string, p esa.Params) (esa.Result, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[action]++
	switch action {
	case "ListKvs":
		return s.list(p)
	case "GetKvDetail":
		value, ok := s.values[p["Key"].(string)]
		if !ok {
			return esa.Result{}, &esa.Error{Code: "InvalidKey.NotFound", HTTPStatus: 404}
		}
		return esa.Result{Body: map[string]any{"Value": value}}, nil
	case "BatchPutKv":
		return s.batch(p)
	}
	return esa.Result{Body: map[string]any{}}, nil
}

func (s *kvStore) list(p esa.Params) (esa.Result, error) {
	page, size := p["PageNumber"].(int), p["PageSize"].(int)
	if page*size > maxKVWindow {
		return esa.Result{}, &esa.Error{Code: "InvalidPageNumber", HTTPStatus: 400}
	}
	prefix, _ := p["Prefix"].(string)
	from, _ := slices.BinarySearch(s.keys, prefix)
	to, _ := slices.BinarySearch(s.keys, prefix+"\U0010ffff")
	found := s.keys[from:to]
	keys := []any{}
	for i := (page - 1) * size; i < min(page*size, len(found)); i++ {
		keys = append(keys, map[string]any{"Name": found[i]})
	}
	return esa.Result{Body: map[string]any{"Keys": keys, "TotalCount": json.Number(fmt.Sprint(len(found)))}}, nil
}

func (s *kvStore) batch(p esa.Params) (esa.Result, error) {
	var keys []string
	for _, pair := range p["KvList"].([]any) {
		keys = append(keys, pair.(map[string]any)["Key"].(string))
	}
	if s.put != nil {
		if err := s.put(keys); err != nil {
			return esa.Result{}, err
		}
	}
	done := []any{}
	for i, key := range keys {
		if !s.lose[key] {
			s.values[key] = p["KvList"].([]any)[i].(map[string]any)["Value"].(string)
			s.order = append(s.order, key)
			done = append(done, key)
		}
	}
	return esa.Result{Body: map[string]any{"SuccessKeys": done}}, nil
}

func callKV[T any](t *testing.T, s *kvStore, name string, args map[string]any) (T, error) {
	t.Helper()
	raw, err := json.Marshal(args)
	require.NoError(t, err)
	deps, err := fakeDeps(nil)()
	require.NoError(t, err)
	deps.ESA, deps.Locks = s, NewLocks()
	var out T
	answer, err := toolNamed(t, name).Call(t.Context(), func() (*Deps, error) { return deps, nil }, raw)
	if err == nil {
		require.NoError(t, json.Unmarshal(answer, &out))
	}
	return out, err
}

func TestExportBeyondTheWindow(t *testing.T) {
	values := map[string]string{"user:": "the prefix itself", "\u00e9t\u00e9": "unusual", "z": "last"}
	for i := range 55_000 {
		values[fmt.Sprintf("user:%05d", i)] = fmt.Sprint(i)
	}
	s := newKVStore(values)
	file := filepath.Join(t.TempDir(), "all.jsonl")
	out, err := callKV[ExportKVOutput](t, s, "export_kv", map[string]any{"namespace": "n", "path": file})
	require.NoError(t, err)
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	got := map[string]string{}
	for line := range strings.SplitSeq(strings.TrimSpace(string(raw)), "\n") {
		var row struct{ Key, Value string }
		require.NoError(t, json.Unmarshal([]byte(line), &row))
		_, twice := got[row.Key]
		require.False(t, twice, "%s is written twice", row.Key)
		got[row.Key] = row.Value
	}
	// The window shows the first 50,000 keys; the one that begins with an unusual
	// character is behind them, so it is missed, and that is said.
	delete(values, "\u00e9t\u00e9")
	require.True(t, maps.Equal(values, got))
	require.EqualValues(t, 1, out.Missed)
	require.Equal(t, "kv-list-window", out.Notes[0].ID)
}

func TestExportFindsUnusualCharacters(t *testing.T) {
	values := map[string]string{"\u00e9": "1", "\u952e": "2"}
	for i := range 50_001 {
		values[fmt.Sprintf("\uff5e%05d", i)] = ""
	}
	s := newKVStore(values)
	file := filepath.Join(t.TempDir(), "all.jsonl")
	out, err := callKV[ExportKVOutput](t, s, "export_kv", map[string]any{"namespace": "n", "path": file})
	require.NoError(t, err)
	require.EqualValues(t, len(values), out.Exported)
	require.Zero(t, out.Missed)
	_, err = callKV[ExportKVOutput](t, s, "export_kv", map[string]any{"namespace": "n", "path": file})
	require.ErrorContains(t, err, "overwrite")
}
