package tools

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
)

// withoutTool are everyday operations that deliberately have no tool of their
// own, with the reason.
var withoutTool = map[string]string{
	"PublishRoutineCodeVersion": "CreateRoutineCodeDeployment does the same for every kind of version",
}

// TestEverydayOperationsHaveATool holds the named tools to the operations that
// people use day to day; read_api and write_api reach the rest.
func TestEverydayOperationsHaveATool(t *testing.T) {
	text, err := os.ReadFile("testdata/everyday_operations.txt")
	require.NoError(t, err)
	var served []string
	for _, tool := range All() {
		served = append(served, tool.Meta().Calls...)
	}
	var missing []string
	for action := range strings.FieldsSeq(string(text)) {
		_, known := catalog.Lookup(action)
		require.True(t, known, action)
		if !slices.Contains(served, action) && withoutTool[action] == "" {
			missing = append(missing, action)
		}
	}
	require.Empty(t, missing, "operations without a named tool")
	for action := range withoutTool {
		require.NotContains(t, served, action, "it has a tool now: take it from withoutTool")
	}
}
