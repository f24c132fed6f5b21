package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/tools"
)

var update = flag.Bool("update", false, "write what is generated")

const readme = "../../README.md"

// TestREADMEIsCurrent compares the generated parts of the README with the code.
func TestREADMEIsCurrent(t *testing.T) {
	text, err := os.ReadFile(readme)
	require.NoError(t, err)
	want := between(t, string(text), "tools", toolTable())
	want = between(t, want, "flags", flagTable())
	if *update {
		require.NoError(t, os.WriteFile(readme, []byte(want), 0o644))
		return
	}
	require.True(t, want == string(text), "README.md is old: run make generate")
}

// TestREADMEHasTheTwoCommands keeps the promise of the first screen.
func TestREADMEHasTheTwoCommands(t *testing.T) {
	text, err := os.ReadFile(readme)
	require.NoError(t, err)
	ci, err := os.ReadFile("../../.ci/run")
	require.NoError(t, err)
	for _, command := range []string{"go run ./cmd/esa-mcp demo", "go test ./..."} {
		require.Regexp(t, `(?m)^`+regexp.QuoteMeta(command)+`( |$)`, string(text))
		require.Regexp(t, `(?m)^`+regexp.QuoteMeta(command)+`( --once)?$`, string(ci))
	}
}

// between replaces what stands between a pair of markers.
func between(t *testing.T, text, name, body string) string {
	t.Helper()
	begin, end := "<!-- "+name+":begin (generated: make generate) -->\n", "<!-- "+name+":end -->"
	from, to := strings.Index(text, begin), strings.Index(text, end)
	require.True(t, from >= 0 && to > from, "README.md lacks the markers of %s", name)
	return text[:from+len(begin)] + body + text[to:]
}

func toolTable() string {
	var b bytes.Buffer
	b.WriteString("| tool | toolset | what it does |\n| --- | --- | --- |\n")
	for _, tool := range tools.All() {
		m := tool.Meta()
		changes := ""
		switch {
		case m.Destructive == tools.Yes:
			changes = " *(destructive)*"
		case m.ReadOnly == tools.Yes:
			changes = " *(read-only)*"
		}
		first, _, _ := strings.Cut(m.Description, ". ")
		fmt.Fprintf(&b, "| `%s` | %s | %s%s |\n", m.Name, m.Toolset, strings.TrimSuffix(first, "."), changes)
	}
	return b.String()
}

func flagTable() string {
	var b bytes.Buffer
	b.WriteString("| flag | environment variable | meaning |\n| --- | --- | --- |\n")
	root := newRoot(streams{})
	root.PersistentFlags().VisitAll(func(f *pflag.Flag) {
		if f.Name == "help" {
			return
		}
		usage := f.Usage
		if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "0s" {
			usage += " (default `" + f.DefValue + "`)"
		}
		fmt.Fprintf(&b, "| `--%s` | `%s` | %s |\n", f.Name, envName(f.Name), usage)
	})
	return b.String()
}
