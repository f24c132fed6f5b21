package local

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write what is generated")

const (
	coverageDoc   = "../../docs/local-esa.md"
	coverageBegin = "<!-- operations:begin (generated: make generate) -->\n"
	coverageEnd   = "<!-- operations:end -->"
)

// TestCoverageDocument compares the table in docs/local-esa.md with the code.
func TestCoverageDocument(t *testing.T) {
	text, err := os.ReadFile(coverageDoc)
	require.NoError(t, err)
	before, rest, ok := strings.Cut(string(text), coverageBegin)
	require.True(t, ok, "docs/local-esa.md lacks the marker %s", coverageBegin)
	_, after, ok := strings.Cut(rest, coverageEnd)
	require.True(t, ok, "docs/local-esa.md lacks the marker %s", coverageEnd)
	want := before + coverageBegin + coverageTable() + coverageEnd + after
	if *update {
		require.NoError(t, os.WriteFile(coverageDoc, []byte(want), 0o644))
		return
	}
	require.True(t, want == string(text), "docs/local-esa.md is old: run make generate")
}

func coverageTable() string {
	all := Coverages()
	count := map[string]int{}
	for _, c := range all {
		count[c.How]++
	}
	var b strings.Builder
	fmt.Fprintf(&b, "All %d operations answer: %d full, %d generic, %d refused.\n", len(all), count[CoverageFull], count[CoverageGeneric], count[CoverageRefused])
	slices.SortStableFunc(all, func(x, y Coverage) int { return strings.Compare(x.Area, y.Area) })
	area := ""
	for _, c := range all {
		if c.Area != area {
			area = c.Area
			fmt.Fprintf(&b, "\n### %s\n\n| operation | how |\n| --- | --- |\n", area)
		}
		how := c.How
		if c.Why != "" {
			how += ": " + c.Why
		}
		fmt.Fprintf(&b, "| `%s` | %s |\n", c.Action, how)
	}
	return b.String()
}
