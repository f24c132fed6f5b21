package local

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
	"github.com/esa-mcp/esa-mcp/internal/local/generic"
	"github.com/esa-mcp/esa-mcp/internal/local/localtest"
	"github.com/esa-mcp/esa-mcp/internal/local/routine"
)

// underAttack are the operations on rules that the service makes by itself when
// it is attacked: nobody attacks the local ESA, so that it never has one.
func underAttack() map[string]map[string]any {
	return map[string]map[string]any{
		"DeleteHttpDDoSIntelligentRule": {"RecordName": "www.full.example", "RuleId": 1},
		"SetHttpDDoSAttackRuleAction":   {"RuleIds": "1", "RuleAction": "deny"},
		"SetHttpDDoSAttackRuleStatus":   {"RuleIds": "1", "Status": "on"},
	}
}

// TestEveryOperationSucceeds calls each operation that is not refused with good
// parameters, and holds what it answers to the catalogue: no member is unknown
// there, each has its type, and those that are never told are those of
// testdata/untold.golden.
func TestEveryOperationSucceeds(t *testing.T) {
	s := newScript(t, start(t, Options{}).Info())
	called, told := map[string]bool{}, map[string]map[string]bool{}
	s.answered = func(action string, answer map[string]any) {
		if called[action] = true; told[action] == nil {
			told[action] = map[string]bool{}
		}
		raw, err := json.Marshal(answer)
		require.NoError(t, err)
		require.NoError(t, localtest.Fits(action, raw), "%s answered %s", action, raw)
		members(answer, "", told[action])
		for _, name := range always(t, action) {
			require.Contains(t, answer, name, action)
		}
	}
	s.run("", "")
	for action, params := range underAttack() {
		_, err := call(t, s.info, action, merged(params, map[string]any{"SiteId": s.vars["site"]}))
		require.ErrorContains(t, err, "InvalidRuleId.NotFound", action)
		called[action] = true
	}
	closed := &script{t: t, info: start(t, Options{Routine: routine.Config{Closed: true}}).Info(), answered: s.answered}
	closed.call(0, "OpenErService", `{}`)
	var without []string
	for _, action := range catalog.Actions() {
		_, refused := generic.Refused()[action]
		if !called[action] && !refused {
			without = append(without, action)
		}
	}
	require.Empty(t, without, "testdata/calls.txt has no good call of these")

	untold := untoldMembers(t, told)
	if *update {
		require.NoError(t, os.WriteFile("testdata/untold.golden", []byte(untold), 0o644))
	}
	want, err := os.ReadFile("testdata/untold.golden")
	require.NoError(t, err)
	require.Equal(t, string(want), untold, "members of answers that are never told; if that is meant: go test -update")
}

// always are the members that each answer of an operation has.
func always(t *testing.T, action string) (names []string) {
	t.Helper()
	op, ok := catalog.Lookup(action)
	require.True(t, ok)
	var shape map[string]any
	require.NoError(t, json.Unmarshal(op.Response, &shape))
	for _, name := range []string{"RequestId", "TotalCount", "TotalPage", "PageNumber", "PageSize", "SiteId"} {
		if _, has := shape[name]; has {
			names = append(names, name)
		}
	}
	return names
}

func merged(maps ...map[string]any) map[string]any {
	out := map[string]any{}
	for _, m := range maps {
		for name, value := range m {
			out[name] = value
		}
	}
	return out
}

// members collects the paths of all members that an answer has.
func members(value any, path string, found map[string]bool) {
	switch v := value.(type) {
	case map[string]any:
		for name, member := range v {
			found[path+name] = true
			members(member, path+name+".", found)
		}
	case []any:
		for _, entry := range v {
			members(entry, path, found)
		}
	}
}

// untoldMembers lists by operation the members of its answer, as the catalogue
// has it, that no call was told; of an object or a list that is never told, or
// that is always empty, only itself.
func untoldMembers(t *testing.T, told map[string]map[string]bool) string {
	t.Helper()
	var out strings.Builder
	for _, action := range slices.Sorted(maps.Keys(told)) {
		op, ok := catalog.Lookup(action)
		require.True(t, ok)
		var shape any
		require.NoError(t, json.Unmarshal(op.Response, &shape))
		missing := missingMembers(shape, "", told[action])
		sort.Strings(missing)
		require.NotContains(t, missing, "RequestId", action)
		if len(missing) > 0 {
			fmt.Fprintf(&out, "%s %s\n", action, strings.Join(missing, " "))
		}
	}
	return out.String()
}

func missingMembers(shape any, path string, told map[string]bool) (missing []string) {
	switch s := shape.(type) {
	case map[string]any:
		some := path == ""
		for name := range s {
			some = some || told[path+name]
		}
		if !some && s["*"] == nil {
			return []string{strings.TrimSuffix(path, ".") + ".*"}
		}
		for name, member := range s {
			switch {
			case name == "*":
			case !told[path+name]:
				missing = append(missing, path+name)
			default:
				missing = append(missing, missingMembers(member, path+name+".", told)...)
			}
		}
	case []any:
		return missingMembers(s[0], path, told)
	}
	return missing
}
