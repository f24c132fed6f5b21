package tools

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// The source of a version is shown as far as a result can hold it.
func TestSourceOfAVersion(t *testing.T) {
	code := ""
	f := &fakeESA{answers: map[string]func(esa.Params) (any, error){
		"GetRoutine":              say(`{"DefaultRelatedRecord":"a.er.example","Envs":[]}`),
		"ListRoutineCodeVersions": say(`{"CodeVersions":[],"TotalCount":0}`),
		"GetRoutineCodeVersion":   func(esa.Params) (any, error) { return map[string]any{"RoutineCode": code}, nil },
	}}
	show := func() (out GetRoutineOutput) {
		text, err := callTool(t, f, "get_routine", `{"name":"a","source_version":"17"}`)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal([]byte(text), &out))
		return out
	}
	require.Contains(t, show().Notes[0].Text, "has no script")
	code = strings.Repeat("é", maxSource) // two bytes each
	long := show()
	require.Len(t, long.Source, maxSource)
	require.Contains(t, long.Notes[0].Text, "120000 bytes and is cut at 60000")
	code = "x" + code
	require.Len(t, show().Source, maxSource-1, "cut between letters")
	code = "export default {}"
	require.Equal(t, code, show().Source)
	require.Empty(t, show().Notes)
}
