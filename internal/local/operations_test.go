package local

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
	"github.com/esa-mcp/esa-mcp/internal/local/localtest"
)

// plausible makes a call of an operation from what the catalogue says: its
// required parameters with their examples, and ids of things that exist.
func plausible(t *testing.T, op *catalog.Operation, known map[string]any) map[string]any {
	t.Helper()
	params := map[string]any{}
	for i := range op.Params {
		p := &op.Params[i]
		value, exists := known[p.Name]
		if !p.Required && !exists || p.System {
			continue
		}
		switch {
		case exists:
		case len(p.Enum) > 0:
			value = string(p.Enum[0])
		case p.Type == "long" || p.Type == "integer" || p.Type == "number":
			value = 1
		case p.Type == "boolean":
			value = true
		case p.Type == "array":
			value = []any{}
		case p.Type == "object" || p.Type == "map":
			value = map[string]any{}
		default:
			value = "x1"
		}
		params[p.Name] = value
	}
	return params
}

// TestEveryOperationAnswers calls all operations. What they answer to a call
// that makes little sense is their matter; but each is known, none breaks, and
// what succeeds has the shape that the catalogue describes.
func TestEveryOperationAnswers(t *testing.T) {
	info := start(t, Options{}).Info()
	instance := must(t, info, "ListUserRatePlanInstances", nil)["InstanceInfo"].([]any)[0].(map[string]any)["InstanceId"]
	site := must(t, info, "CreateSite", map[string]any{"SiteName": "example.com", "AccessType": "NS", "Coverage": "overseas", "InstanceId": instance})["SiteId"]
	record := must(t, info, "CreateRecord", map[string]any{"SiteId": site, "RecordName": "www.example.com", "Type": "A/AAAA", "Ttl": 1,
		"Proxied": true, "BizName": "web", "Data": map[string]any{"Value": "203.0.113.1"}})["RecordId"]
	known := map[string]any{"SiteId": site, "RecordId": record, "InstanceId": instance, "StartTime": "2026-01-01T00:00:00Z", "EndTime": "2026-01-01T01:00:00Z"}
	answered, refused := 0, 0
	actions := catalog.Actions()
	require.Len(t, actions, 419)
	// These come last, since the others are about what they take away.
	last := []string{"DeleteSite", "ReleaseInstance"}
	first := slices.DeleteFunc(slices.Clone(actions), func(action string) bool { return slices.Contains(last, action) })
	for _, action := range append(first, last...) {
		op, _ := catalog.Lookup(action)
		answer, err := call(t, info, action, plausible(t, op, known))
		if err != nil {
			refused++
			got := code(err)
			require.NotEmpty(t, got, "%s: %v", action, err)
			require.NotContains(t, []string{"InvalidAction.NotFound", "NotInLocalESA", "InternalException", "UnsupportedHTTPMethod"}, got, "%s: %v", action, err)
			continue
		}
		answered++
		raw, err := json.Marshal(answer)
		require.NoError(t, err)
		require.NoError(t, localtest.Fits(action, raw), "%s answered %s", action, raw)
	}
	t.Logf("%d answered, %d refused the call", answered, refused)
	require.Greater(t, answered, 150)
}
