package local

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local/quota"
)

var update = flag.Bool("update", false, "write what is generated")

const coverageDoc = "../../docs/local-esa.md"

// TestCoverageDocument compares the tables in docs/local-esa.md with the code.
func TestCoverageDocument(t *testing.T) {
	text, err := os.ReadFile(coverageDoc)
	require.NoError(t, err)
	want := string(text)
	for name, table := range map[string]string{"operations": coverageTable(), "quotas": quotaTable()} {
		begin, end := "<!-- "+name+":begin (generated: make generate) -->\n", "<!-- "+name+":end -->"
		before, rest, ok := strings.Cut(want, begin)
		require.True(t, ok, "docs/local-esa.md lacks the marker %s", begin)
		_, after, ok := strings.Cut(rest, end)
		require.True(t, ok, "docs/local-esa.md lacks the marker %s", end)
		want = before + begin + table + end + after
	}
	if *update {
		require.NoError(t, os.WriteFile(coverageDoc, []byte(want), 0o644))
		return
	}
	require.True(t, want == string(text), "docs/local-esa.md is old: run make generate")
}

func quotaTable() string {
	var b strings.Builder
	fmt.Fprintf(&b, "| quota | per | %s | refusal |\n| --- | --- |%s --- |\n", strings.Join(quota.Plans(), " | "), strings.Repeat(" ---: |", len(quota.Plans())))
	for _, k := range quota.Kinds() {
		name := "`" + k.Name + "`"
		if k.Known {
			name += " *"
		}
		fmt.Fprintf(&b, "| %s | %s |", name, k.Per)
		for _, n := range k.Numbers {
			fmt.Fprintf(&b, " %d |", n)
		}
		fmt.Fprintf(&b, " `%s` |\n", k.Code)
	}
	return b.String()
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
