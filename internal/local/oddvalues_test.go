package local

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
	"github.com/esa-mcp/esa-mcp/internal/local/localtest"
	"github.com/esa-mcp/esa-mcp/internal/local/quota"
)

// oddTexts are values of plain parameters that a client may write, though few do.
func oddTexts() []string { return []string{"+5", "007", " 5 ", "NaN", "null", "[]", "TRUE", "a\x00b"} }

// oddMembers are the like within JSON.
func oddMembers() []any {
	return []any{nil, "x", "007", json.Number("5"), json.Number("1e400"), true, []any{}, map[string]any{}, []any{nil}}
}

// places are the paths to all values within a JSON value.
func places(value any, at []any, found *[][]any) {
	step := func(to, within any) {
		path := append(slices.Clone(at), to)
		*found = append(*found, path)
		places(within, path, found)
	}
	switch v := value.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			step(name, v[name])
		}
	case []any:
		for i := range v {
			step(i, v[i])
		}
	}
}

// with is a copy of a JSON value with another one at a path.
func with(value any, path []any, other any) any {
	if len(path) == 0 {
		return other
	}
	switch v := value.(type) {
	case map[string]any:
		out := maps.Clone(v)
		out[path[0].(string)] = with(v[path[0].(string)], path[1:], other)
		return out
	case []any:
		out := slices.Clone(v)
		out[path[0].(int)] = with(v[path[0].(int)], path[1:], other)
		return out
	}
	return value
}

// odd are calls like a good one, each with one odd value.
func odd(op *catalog.Operation, good map[string]any) map[string]map[string]any {
	all := map[string]map[string]any{}
	for i := range op.Params {
		p := &op.Params[i]
		value, given := good[p.Name]
		switch {
		case p.As == catalog.AsPlain && !p.System:
			for _, text := range oddTexts() {
				all[p.Name+fmt.Sprintf(" is %q", text)] = merged(good, map[string]any{p.Name: text})
			}
		case p.As == catalog.AsJSON && given:
			var found [][]any
			places(value, nil, &found)
			for _, path := range found {
				for _, other := range oddMembers() {
					all[p.Name+fmt.Sprintf("%v is %#v", path, other)] = merged(good, map[string]any{p.Name: with(value, path, other)})
				}
			}
		}
	}
	return all
}

// TestOddValues sends each good call again and again, each time with one value
// that is odd. The local ESA may take it or not; it must not fail, and whatever
// it took, what it tells afterwards is as the catalogue has it, and the edge
// still serves.
func TestOddValues(t *testing.T) {
	if testing.Short() || raceDetector {
		t.Skip("many calls, one after another")
	}
	s := newScript(t, start(t, Options{Quotas: quota.Set{}.With(quota.RoutineVersions, 1000)}).Info())
	seen, tried, taken := map[string]bool{}, 0, 0
	var good map[string]any
	s.before = func(_ int, _ string, params map[string]any) { good = params }
	s.answered = func(action string, answer map[string]any) {
		require.NoError(t, localtest.Fits(action, mustJSON(t, answer)))
		if seen[action] {
			return
		}
		seen[action] = true
		op, ok := catalog.Lookup(action)
		require.True(t, ok)
		calls := odd(op, good)
		for _, what := range slices.Sorted(maps.Keys(calls)) {
			tried++
			answer, err := call(t, s.info, action, calls[what])
			if err == nil {
				taken++
				require.NoError(t, localtest.Fits(action, mustJSON(t, answer)), "%s with %s", action, what)
			}
			require.NotEqual(t, "InternalException", code(err), "%s with %s", action, what)
		}
	}
	s.run("", "@exported") // before the deletions, which what was taken stands in the way of
	for _, host := range []string{"www.full.example", "www.versions.example"} {
		require.NotEqual(t, 500, s.visit(host, "/"), host)
	}
	t.Logf("%d odd calls, %d of them taken", tried, taken)
	require.Greater(t, tried, 10_000)
}
