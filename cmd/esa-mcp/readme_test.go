package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
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
	all := tools.All()
	everyday, err := tools.Select(all, "default", false)
	if err != nil {
		return err.Error()
	}
	fmt.Fprintf(&b, "%d tools in %d toolsets; the default offers the %d that most people need day to day (**bold**).\n", len(all), len(tools.Toolsets(all)), len(everyday))
	b.WriteString("[docs/tools.md](docs/tools.md) has each with what it does, its hints, operations and RAM actions.\n\n")
	b.WriteString("| toolset | tools |\n| --- | --- |\n")
	for _, set := range tools.Toolsets(all) {
		var names []string
		for _, t := range all {
			if t.Meta().Toolset != set {
				continue
			}
			name := "`" + t.Meta().Name + "`"
			if slices.ContainsFunc(everyday, func(e tools.Tool) bool { return e.Meta().Name == t.Meta().Name }) {
				name = "**" + name + "**"
			}
			names = append(names, name)
		}
		fmt.Fprintf(&b, "| %s | %s |\n", set, strings.Join(names, ", "))
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
		if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "0s" && f.DefValue != "[]" {
			usage += " (default `" + f.DefValue + "`)"
		}
		fmt.Fprintf(&b, "| `--%s` | `%s` | %s |\n", f.Name, envName(f.Name), usage)
	})
	return b.String()
}
