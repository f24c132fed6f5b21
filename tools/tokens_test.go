package tools

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tiktoken-go/tokenizer"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// counter counts tokens of o200k_base, the vocabulary of the budgets.
func counter(t *testing.T) func(string) int {
	t.Helper()
	codec, err := tokenizer.Get(tokenizer.O200kBase)
	require.NoError(t, err)
	return func(text string) int {
		n, err := codec.Count(text)
		require.NoError(t, err)
		return n
	}
}

// surface is what a client sends to the model of these tools with every request.
func surface(t *testing.T, list ...Tool) string {
	t.Helper()
	type entry struct {
		Name        string          `json:"name"`
		Description string          `json:"description"`
		InputSchema json.RawMessage `json:"inputSchema"`
	}
	entries := make([]entry, len(list))
	for i, tool := range list {
		d := tool.declaration()
		entries[i] = entry{d.Name, d.Description, d.RawInputSchema}
	}
	raw, err := encodePlain(entries)
	require.NoError(t, err)
	return string(raw)
}

// budgets are the most that a selection may cost.
var budgets = []struct {
	toolsets      string
	tools, tokens int
}{
	{"default", 25, 4000},
	{"all", 200, 14_000},
	{"api", 4, 900},
}

// TestTokenBudget keeps the surface affordable. With ESA_MCP_TOKENS set to a file
// it writes there the table that `make tokens` shows.
func TestTokenBudget(t *testing.T) {
	count := counter(t)
	table := &strings.Builder{}
	fmt.Fprintf(table, "%-12s %6s %8s %8s\n", "toolsets", "tools", "tokens", "budget")
	for _, b := range budgets {
		list, err := Select(All(), b.toolsets, false)
		require.NoError(t, err)
		n := count(surface(t, list...))
		fmt.Fprintf(table, "%-12s %6d %8d %8d\n", b.toolsets, len(list), n, b.tokens)
		t.Run(b.toolsets, func(t *testing.T) {
			require.LessOrEqual(t, len(list), b.tools, "tools")
			require.LessOrEqual(t, n, b.tokens, "tokens: make tokens shows which tools cost most")
		})
	}
	writeTable(t, table.String()+eachTool(t, count))
}

// eachTool lists what each tool costs, dearest first, and each toolset.
func eachTool(t *testing.T, count func(string) int) string {
	t.Helper()
	type cost struct {
		name, toolset string
		tokens        int
	}
	var costs []cost
	perSet := map[string]int{}
	for _, tool := range All() {
		m := tool.Meta()
		n := count(surface(t, tool))
		costs = append(costs, cost{m.Name, m.Toolset, n})
		perSet[m.Toolset] += n
	}
	slices.SortStableFunc(costs, func(a, b cost) int { return b.tokens - a.tokens })
	var b strings.Builder
	for _, set := range Toolsets(All()) {
		fmt.Fprintf(&b, "\n%-32s %6d", set, perSet[set])
	}
	b.WriteString("\n")
	for _, c := range costs {
		fmt.Fprintf(&b, "\n%-32s %6d  %s", c.name, c.tokens, c.toolset)
	}
	return b.String() + "\n"
}

func writeTable(t *testing.T, table string) {
	t.Helper()
	if file := os.Getenv("ESA_MCP_TOKENS"); file != "" {
		require.NoError(t, os.WriteFile(file, []byte(table), 0o644))
	}
}

// A list of ten sites is cheap to read.
func TestListOfTenSitesIsCheap(t *testing.T) {
	sites := make([]string, 10)
	for i := range sites {
		sites[i] = fmt.Sprintf(`{"SiteId":%d,"SiteName":"shop-%d.example.com","Status":"active","AccessType":"NS","Coverage":"overseas",
			"PlanName":"basic","PlanSpecName":"entranceplan","InstanceId":"esa-site-a%d","CreateTime":"2026-01-0%dT08:00:00Z",
			"NameServerList":"ns1.example.net,ns2.example.net","ResourceGroupId":"rg-x","CnameZone":"","VisitTime":"2026-01-02T00:00:00Z"}`,
			1234567890120+i, i, i, i%9+1)
	}
	f := &fakeESA{answers: map[string]func(esa.Params) (any, error){
		"ListSites": say(`{"TotalCount":10,"PageNumber":1,"PageSize":20,"Sites":[` + strings.Join(sites, ",") + `]}`),
	}}
	out, err := callTool(t, f, "list_sites", `{}`)
	require.NoError(t, err)
	require.Contains(t, out, "shop-9.example.com")
	require.LessOrEqual(t, counter(t)(out), 350, out)
}
