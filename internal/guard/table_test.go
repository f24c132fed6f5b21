package guard_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
	"github.com/esa-mcp/esa-mcp/internal/guard"
)

func linesOf(t *testing.T, file string) []string {
	t.Helper()
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	return strings.Fields(string(raw))
}

func tableIDs() []string {
	var ids []string
	for _, row := range guard.Table() {
		ids = append(ids, row.ID)
	}
	return ids
}

// The list of pitfalls is the promise: the table keeps all of it, once each.
func TestTableHasEveryPitfall(t *testing.T) {
	ids := tableIDs()
	require.Len(t, slices.Compact(slices.Sorted(slices.Values(ids))), len(ids), "an id is there twice")
	for _, id := range linesOf(t, "testdata/ids.txt") {
		require.Contains(t, ids, id)
	}
}

func TestRowsAreComplete(t *testing.T) {
	pending := linesOf(t, "testdata/pending.txt")
	sources := regexp.MustCompile(`^(guide|API|reports|practice)$`)
	for _, row := range guard.Table() {
		require.Regexp(t, `^[a-z]+(-[a-z]+)+$`, row.ID)
		require.NotEmpty(t, row.Area, row.ID)
		require.NotEmpty(t, row.Do, row.ID)
		require.Regexp(t, `\.$`, row.Text, row.ID)
		require.Regexp(t, sources, row.Source, row.ID)
		for _, action := range row.Actions {
			_, ok := catalog.Lookup(action)
			require.True(t, ok, "%s is about %s, which is no operation", row.ID, action)
		}
		here := row.Check != nil || row.After != nil || row.Failed != nil
		require.Equal(t, here, len(row.Actions) > 0 || row.Covers != nil, "%s: operations go with a check", row.ID)
		if !slices.Contains(pending, row.ID) {
			require.True(t, here || row.Where != "", "%s is carried out nowhere", row.ID)
		}
		if row.Where != "" {
			for where := range strings.SplitSeq(row.Where, ", ") {
				_, err := os.Stat(filepath.Join("../..", where))
				require.NoError(t, err, "%s: Where", row.ID)
			}
		}
	}
}

// provenIDs are the ids that a test TestGuardrail_ is named after.
func provenIDs(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("*_test.go")
	require.NoError(t, err)
	var ids []string
	for _, file := range files {
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, d := range tree.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			if name, ok := strings.CutPrefix(f.Name.Name, "TestGuardrail_"); ok {
				ids = append(ids, strings.ReplaceAll(name, "_", "-"))
			}
		}
	}
	return ids
}

// Every guardrail is shown at work, and every such test is of a guardrail.
// testdata/pending.txt names those that are not carried out yet.
func TestEveryGuardrailIsProven(t *testing.T) {
	pending, proven, ids := linesOf(t, "testdata/pending.txt"), provenIDs(t), tableIDs()
	for _, id := range proven {
		require.Contains(t, ids, id, "a test is named after no guardrail")
		require.NotContains(t, pending, id, "it is proven: take it out of testdata/pending.txt")
	}
	for _, id := range ids {
		if !slices.Contains(pending, id) {
			require.Contains(t, proven, id, "no test TestGuardrail_%s", strings.ReplaceAll(id, "-", "_"))
		}
	}
}
