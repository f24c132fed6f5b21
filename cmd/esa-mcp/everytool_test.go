package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/tools"
)

// badCalls are bad inputs for the tools whose own tests have none, and what the
// error says. $SITE is a site.
func badCalls() map[string]struct {
	args arguments
	want string
} {
	type bad = struct {
		args arguments
		want string
	}
	return map[string]bad{
		"delete_routine":        {arguments{"name": "none"}, "no routine"},
		"delete_site":           {arguments{"site_name": "none.example"}, "no site"},
		"check_site_name":       {arguments{}, "name: missing"},
		"build_rule":            {arguments{"hosts": []string{"a.com/x"}}, "paths"},
		"check_rule":            {arguments{"expression": "(ssl)", "kind": "coffee"}, "load_balancer"},
		"create_kv_namespace":   {arguments{"namespace": "a b"}, "namespace"},
		"delete_origin_rule":    {arguments{"site_id": "$SITE", "rule_id": "1"}, "list_origin_rules"},
		"delete_rule":           {arguments{"site_id": "$SITE", "kind": "redirect", "rule_id": "1"}, "list_rules"},
		"describe_api":          {arguments{"action": "ListSitez"}, "did you mean ListSites?"},
		"get_certificate_quota": {arguments{"site_id": "$SITE", "type": "stolen"}, `"upload"`},
		"get_deployment":        {arguments{"name": "none", "version": "1"}, "RoutineNotExist"},
		"get_routine_service":   {arguments{"name": "fn"}, `unknown argument "name"`},
		"list_kv":               {arguments{"namespace": "none"}, "create_kv_namespace"},
		"list_lists":            {arguments{"id": "1"}, "list_lists"},
		"list_origin_rules":     {arguments{"site_id": "1"}, "SiteNotFound"},
		"list_plan_instances":   {arguments{"quotas": []int{1}, "page": 0}, "page: 0 is less"},
		"list_records":          {arguments{"site_name": "none.example"}, "no site"},
		"list_routes":           {arguments{"site_id": "$SITE", "id": "1"}, "list_routes"},
		"list_routines":         {arguments{"page": 11}, "maximum of 10"},
		"query_time_series":     {arguments{"site_id": "$SITE", "metrics": []string{"Mood"}}, "Mood"},
		"query_top_data":        {arguments{"site_id": "$SITE", "dimensions": []string{"Mood"}}, "Mood"},
		"search_api":            {arguments{"query": ""}, "query"},
		"search_docs":           {arguments{"query": "cache", "lang": "fr"}, `"en"`},
		"set_route":             {arguments{"site_id": "$SITE", "routine": "none", "pattern": "bad.example/*"}, "no routine"},
		"test_rule":             {arguments{"expression": "(ssl)", "requests": []arguments{}}, "requests"},
		"verify_site":           {arguments{"site_id": "1"}, "SiteNotFound"},
	}
}

func TestBadInput(t *testing.T) {
	t.Parallel()
	s := startLocal(t)
	site := newSite(t, s, "bad.example", "NS")
	for name, bad := range badCalls() {
		t.Run(name, func(t *testing.T) {
			if bad.args["site_id"] == "$SITE" {
				bad.args["site_id"] = site.ID
			}
			require.Contains(t, s.refuse(t, name, bad.args), bad.want)
		})
	}
}

// goodCalls are calls of tools whose own tests do not go through callOK.
func goodCalls() map[string]arguments {
	return map[string]arguments{
		"build_rule":  {"hosts": []string{"a.com"}},
		"check_rule":  {"expression": "(ssl)"},
		"search_docs": {"query": "cache rule"},
		"test_rule":   {"expression": "(ssl)", "requests": []arguments{{"url": "https://a.com/"}}},
	}
}

func TestGoodInput(t *testing.T) {
	t.Parallel()
	s := startLocal(t)
	for name, args := range goodCalls() {
		require.NotEmpty(t, callOK[map[string]any](t, s, name, args), name)
	}
}

// Every tool is called well and badly through the built binary: a tool without
// both fails here.
func TestEveryToolIsTestedBothWays(t *testing.T) {
	t.Parallel()
	good, bad := calledInTests(t)
	for name := range goodCalls() {
		good[name] = true
	}
	for name := range badCalls() {
		bad[name] = true
	}
	require.Greater(t, len(good), 60, "the tests are read")
	var without []string
	for _, tool := range tools.All() {
		name := tool.Meta().Name
		if !good[name] {
			without = append(without, name+" has no good call: callOK(t, s, \""+name+"\", ...), or a row of goodCalls")
		}
		if !bad[name] {
			without = append(without, name+" has no bad input: s.refuse(t, \""+name+"\", ...), or a row of badCalls")
		}
	}
	require.Empty(t, without)
	all := tools.All()
	for name := range maps.Keys(bad) {
		require.True(t, slices.ContainsFunc(all, func(tool tools.Tool) bool { return tool.Meta().Name == name }), "there is no tool %s", name)
	}
}

// calledInTests reads which tools the tests of this package name in callOK and
// in refuse.
func calledInTests(t *testing.T) (good, bad map[string]bool) {
	t.Helper()
	files, err := filepath.Glob("*_test.go")
	require.NoError(t, err)
	good, bad = map[string]bool{}, map[string]bool{}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			switch fun := call.Fun.(type) {
			case *ast.IndexExpr: // callOK[T](t, s, "tool", ...)
				if id, ok := fun.X.(*ast.Ident); ok && id.Name == "callOK" && len(call.Args) == 4 {
					mark(good, call.Args[2])
				}
			case *ast.SelectorExpr: // s.refuse(t, "tool", ...)
				if fun.Sel.Name == "refuse" && len(call.Args) == 3 {
					mark(bad, call.Args[1])
				}
			}
			return true
		})
	}
	return good, bad
}

func mark(in map[string]bool, e ast.Expr) {
	if text, ok := e.(*ast.BasicLit); ok && text.Kind == token.STRING {
		if name, err := strconv.Unquote(text.Value); err == nil {
			in[name] = true
		}
	}
}
