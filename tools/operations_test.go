package tools

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
	"github.com/esa-mcp/esa-mcp/internal/guard"
)

// outsideCatalog are operations that exist and that the catalogue lacks.
var outsideCatalog = []string{"GetMatchSite"}

// takesBack are tools that delete only what the same call made and could not
// finish, so that nothing of the person's is lost.
var takesBack = []string{"deploy_html", "deploy_pages", "deploy_routine", "get_deployment"}

// writesHere are tools that change nothing at ESA but write files on this
// machine, as those of the toolset reports may.
var writesHere = []string{"export_kv", "export_records"}

// Every tool declares operations that exist, once each, and its hints agree with
// what those do.
func TestOperationsAndHints(t *testing.T) {
	for _, tool := range All() {
		m := tool.Meta()
		t.Run(m.Name, func(t *testing.T) {
			if tool.Reach() != Declared || m.OpenWorld == No {
				require.Empty(t, m.Calls)
				return
			}
			require.NotEmpty(t, m.Calls, "declare in Calls what the tool sends")
			require.Len(t, slices.Compact(slices.Sorted(slices.Values(m.Calls))), len(m.Calls), "an operation is declared twice")
			changes, deletes := false, false
			for _, action := range m.Calls {
				op, ok := catalog.Lookup(action)
				if !ok {
					require.Contains(t, outsideCatalog, action, "ESA has no such operation")
					continue
				}
				changes = changes || !isRead(op)
				deletes = deletes || op.Effect == catalog.Delete
			}
			if !slices.Contains(writesHere, m.Name) && m.Toolset != "reports" {
				require.Equal(t, !changes, m.ReadOnly == Yes, "ReadOnly: the operations %v say otherwise", m.Calls)
			}
			require.False(t, changes && m.ReadOnly == Yes)
			if deletes && !slices.Contains(takesBack, m.Name) {
				require.Equal(t, Yes, m.Destructive, "it deletes")
			}
		})
	}
}

func TestRAMActions(t *testing.T) {
	of := func(spec string) []string {
		list, err := Select(All(), spec, false)
		require.NoError(t, err)
		return RAMActions(list, guard.Config{})
	}
	declared := func(calls ...string) Tool {
		return Define(Meta{Name: "x", Calls: calls}, func(ctx, *Deps, struct{}) (struct{}, error) { return struct{}{}, nil })
	}
	require.Equal(t, []string{"esa:GetKv", "esa:PutKv"}, RAMActions([]Tool{declared("PutKv", "GetKv"), declared("GetKv")}, guard.Config{Off: true}))
	// Guardrails look whether there is edge KV; what is replaced is read to take it
	// back, guardrails or not.
	require.Equal(t, []string{"esa:DescribeKvAccountStatus", "esa:GetKv", "esa:PutKv"}, RAMActions([]Tool{declared("PutKv")}, guard.Config{}))
	require.Equal(t, []string{"esa:GetKv", "esa:PutKv"}, RAMActions([]Tool{declared("PutKv")}, guard.Config{Off: true}))
	require.Equal(t, []string{"esa:*"}, of("all"))
	require.Empty(t, of("search_api,describe_api"))
	// Every reading operation is allowed to read_api, and nothing that changes,
	// but for the one called Get in spite of what it does.
	patterns := of("read_api")
	for _, action := range catalog.Actions() {
		op, _ := catalog.Lookup(action)
		allowed := slices.Contains(patterns, "esa:"+action) || covered("esa:"+action, patterns)
		if !op.SideEffect {
			require.Equal(t, isRead(op), allowed, action)
		}
	}
	require.Less(t, len(strings.Join(patterns, "")), 500)
}
