package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/guard"
	"github.com/esa-mcp/esa-mcp/tools"
)

const toolsDoc = "../../docs/tools.md"

// TestDocsAreCurrent compares docs/tools.md with the tools.
func TestDocsAreCurrent(t *testing.T) {
	want := toolsPage(t)
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(toolsDoc), 0o755))
		require.NoError(t, os.WriteFile(toolsDoc, []byte(want), 0o644))
		return
	}
	got, err := os.ReadFile(toolsDoc)
	require.NoError(t, err)
	require.True(t, want == string(got), "docs/tools.md is old: run make generate")
}

const toolsIntro = `# Tools

<!-- generated: make generate -->

Every tool, by toolset, with what it tells clients about itself, the ESA operations it may send, and the
[RAM](https://www.alibabacloud.com/help/en/ram/) actions that they need, with what the
[guardrails](guardrails.md) read for them. ` + "`esa-mcp ram-policy --toolsets X`" + ` prints the policy of a selection. Tools
marked **default** are offered unless ` + "`--toolsets`" + ` says otherwise.
`

// toolsPage is the whole of docs/tools.md.
func toolsPage(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString(toolsIntro)
	all := tools.All()
	everyday := selection(t, "default")
	for _, set := range tools.Toolsets(all) {
		list := selection(t, set)
		fmt.Fprintf(&b, "\n## %s\n\n| tool | hints | what it does | operations |\n| --- | --- | --- | --- |\n", set)
		for _, tool := range list {
			m := tool.Meta()
			name := "`" + m.Name + "`"
			if contains(everyday, m.Name) {
				name += " **default**"
			}
			first, _, _ := strings.Cut(m.Description, ". ")
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", name, hintsOf(m), strings.TrimSuffix(first, "."), operationsOf(tool))
		}
		if actions := tools.RAMActions(list, guard.Config{}); len(actions) > 0 {
			fmt.Fprintf(&b, "\nRAM actions: `%s`\n", strings.Join(actions, "`, `"))
		}
	}
	return b.String()
}

func selection(t *testing.T, spec string) []tools.Tool {
	t.Helper()
	list, err := tools.Select(tools.All(), spec, false)
	require.NoError(t, err)
	return list
}

func contains(list []tools.Tool, name string) bool {
	for _, tool := range list {
		if tool.Meta().Name == name {
			return true
		}
	}
	return false
}

func hintsOf(m tools.Meta) string {
	var hints []string
	for _, h := range []struct {
		value tools.Hint
		text  string
	}{{m.ReadOnly, "read-only"}, {m.Destructive, "destructive"}, {m.Idempotent, "idempotent"}} {
		if h.value == tools.Yes {
			hints = append(hints, h.text)
		}
	}
	if m.ReadOnly == tools.No && m.Destructive == tools.No {
		hints = append([]string{"changes"}, hints...)
	}
	if m.OpenWorld == tools.No {
		hints = append(hints, "reaches nothing outside")
	}
	return strings.Join(hints, ", ")
}

func operationsOf(tool tools.Tool) string {
	switch tool.Reach() {
	case tools.AnyRead:
		return "any that reads"
	case tools.AnyChange:
		return "any that changes"
	}
	return strings.Join(tool.Meta().Calls, ", ")
}

// TestRAMPolicy prints policies as RAM takes them.
func TestRAMPolicy(t *testing.T) {
	t.Parallel()
	code, out, log := shell(t, environment(), "ram-policy", "--toolsets", "list_sites,list_kv")
	require.Equal(t, 0, code, log)
	require.JSONEq(t, `{"Version":"1","Statement":[{"Effect":"Allow","Action":["esa:DescribeKvAccountStatus","esa:ListKvs","esa:ListSites"],"Resource":"*"}]}`, out)
	require.Empty(t, log)

	code, out, log = shell(t, environment(), "ram-policy", "--toolsets", "list_sites,list_kv", "--guardrails", "off")
	require.Equal(t, 0, code, log)
	require.NotContains(t, out, "DescribeKvAccountStatus")

	code, out, log = shell(t, environment(), "ram-policy", "--toolsets", "default")
	require.Equal(t, 0, code, log)
	require.Contains(t, out, `"esa:*"`)
	require.Contains(t, log, "-write_api")

	code, out, log = shell(t, environment(), "ram-policy", "--toolsets", "all,-write_api,-undo_change")
	require.Equal(t, 0, code, log)
	require.NotContains(t, out, `"esa:*"`)
	require.Contains(t, out, `"esa:List*"`)
	require.NotContains(t, out, `"esa:ListSites"`, "covered by the pattern")
	require.Contains(t, out, `"esa:PutKv"`)
	require.NotContains(t, out, `"esa:Delete*"`)
	require.LessOrEqual(t, len(out), 6144, "RAM takes no longer policy")

	code, _, log = shell(t, environment(), "ram-policy", "--toolsets", "search_api")
	require.Equal(t, 2, code)
	require.Contains(t, log, "no policy")
	code, _, _ = shell(t, environment(), "ram-policy", "--toolsets", "frob")
	require.Equal(t, 2, code)
}
