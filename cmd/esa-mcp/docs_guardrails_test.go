package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
	"github.com/esa-mcp/esa-mcp/internal/guard"
)

const guardrailsDoc = "../../docs/guardrails.md"

// TestDocsOfGuardrailsAreCurrent compares docs/guardrails.md with the table.
func TestDocsOfGuardrailsAreCurrent(t *testing.T) {
	want := guardrailsPage()
	if *update {
		require.NoError(t, os.WriteFile(guardrailsDoc, []byte(want), 0o644))
		return
	}
	got, err := os.ReadFile(guardrailsDoc)
	require.NoError(t, err)
	require.True(t, want == string(got), "docs/guardrails.md is old: run make generate")
}

const guardrailsIntro = `# Guardrails

<!-- generated: make generate -->

What esa-mcp checks about a call before it reaches ESA, and about some answers. The checks stand between the tools and
the API client, so they apply to every tool, ` + "`write_api`" + ` included; those about files, uploads and waiting are in the tools
that deal with them. The id of a guardrail stands in a result's ` + "`notes`" + ` and in refusals.

- **fix**: the call is mended, and a note says so.
- **block**: nothing is sent; the error says what is wrong and, where it is evident, which call would be right.
- **warn**: the call is sent, and a note says what is to be known.
- **ask**: a person has to confirm it first.

A guardrail that cannot read the state it needs says so in a note and lets the call pass. ` + "`--guardrails=off`" + ` turns off
fix, block and warn, never ask. *From* says whose experience it is: the published agent skill for ESA (guide), the API's
documentation and SDK (API), reports of users (reports), or careful operation (practice).
`

// guardrailsPage is the whole of docs/guardrails.md.
func guardrailsPage() string {
	var b strings.Builder
	b.WriteString(guardrailsIntro)
	area := ""
	for _, row := range guard.Table() {
		if row.Area != area {
			area = row.Area
			fmt.Fprintf(&b, "\n## %s\n\n| id | does | pitfall | from | operations |\n| --- | --- | --- | --- | --- |\n", area)
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", row.ID, row.Does(), row.Text, row.Source, coverage(row))
	}
	return b.String()
}

// coverage says which operations a guardrail looks at, or where else it is.
func coverage(row guard.Row) string {
	names := slices.Clone(row.Actions)
	if row.Covers != nil {
		for _, action := range catalog.Actions() {
			if op, _ := catalog.Lookup(action); row.Covers(op) {
				names = append(names, action)
			}
		}
	}
	const most = 6
	if more := len(names) - most; more > 1 {
		names = append(names[:most:most], fmt.Sprintf("and %d more", more))
	}
	if row.Where != "" {
		names = append(names, "`"+row.Where+"`")
	}
	return strings.Join(names, ", ")
}
