package local

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
)

// bent are ways to spoil a good call of an operation: without a parameter that is
// required, with a value that is none of those known, of another type, or out of
// its range. Each has the parameter that it spoils.
func bent(op *catalog.Operation, good map[string]any) map[string]map[string]any {
	all := map[string]map[string]any{}
	spoil := func(what string, p *catalog.Param, value any) {
		params := maps.Clone(good)
		if params[p.Name] = value; value == nil {
			delete(params, p.Name)
		}
		all[p.Name+" "+what] = params
	}
	for i := range op.Params {
		p := &op.Params[i]
		if p.Required {
			spoil("is missing", p, nil)
		}
		if p.As != catalog.AsPlain || p.System {
			continue
		}
		if len(p.Enum) > 0 && p.Type == "string" {
			spoil("is unknown", p, "unheard-of")
		}
		switch p.Type {
		case "long", "integer", "number":
			spoil("is no number", p, "many")
		case "boolean":
			spoil("is neither true nor false", p, "perhaps")
		}
		if p.Min != nil && p.Max != nil {
			spoil("is too large", p, fmt.Sprint(*p.Max+1))
			spoil("is too small", p, fmt.Sprint(*p.Min-1))
		}
		if p.MaxLength > 0 {
			spoil("is too long", p, strings.Repeat("a", p.MaxLength+1))
		}
	}
	return all
}

// tolerated are the spoiled calls that are taken nevertheless, with the reason.
func tolerated() map[string]string {
	const why = "names that the local ESA does not know are left out of the answer"
	return map[string]string{"ListInstanceQuotas.QuotaNames is unknown": why, "ListInstanceQuotasWithUsage.QuotaNames is unknown": why,
		"ListUserRoutines.PageSize is too large": "esa-cli asks for 50, and works with the service"}
}

// TestEveryParameterIsChecked spoils the good calls, one parameter at a time: the
// operation refuses it, and says so with a code.
func TestEveryParameterIsChecked(t *testing.T) {
	s := newScript(t, start(t, Options{}).Info())
	seen, tried := map[string]bool{}, 0
	s.before = func(_ int, action string, good map[string]any) {
		if seen[action] {
			return
		}
		seen[action] = true
		op, ok := catalog.Lookup(action)
		require.True(t, ok)
		spoiled := bent(op, good)
		for _, what := range slices.Sorted(maps.Keys(spoiled)) {
			tried++
			_, err := call(t, s.info, action, spoiled[what])
			got := code(err)
			switch {
			case err == nil:
				require.Contains(t, tolerated(), action+"."+what, "it was taken")
			case strings.HasSuffix(what, "is missing"):
				require.Truef(t, strings.HasPrefix(got, "Missing"), "%s.%s: %v", action, what, err)
			default:
				require.NotEmpty(t, got, "%s.%s: %v", action, what, err)
			}
		}
	}
	s.run("", "")
	t.Logf("%d spoiled calls", tried)
	require.Greater(t, tried, 1700)
}
