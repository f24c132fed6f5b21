package tools

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

func TestUpdateWafRuleKeepsWhatIsNotGiven(t *testing.T) {
	f := &fakeESA{answers: map[string]func(esa.Params) (any, error){
		"GetWafRule": say(`{"Id":9007199254740993,"Name":"n","Phase":"http_custom","RulesetId":7,"Status":"on",
			"Config":{"Id":9007199254740993,"Name":"n","Status":"on","Action":"deny","Notes":"kept","Sigchl":["x"]}}`),
		"UpdateWafRule": say(`{"Id":9007199254740993}`)}}
	_, err := callTool(t, f, "update_waf_rule", `{"site_id":"1","ids":["9007199254740993"],"action":"monitor","config":{"Sigchl":null}}`)
	require.NoError(t, err)
	require.Equal(t, "UpdateWafRule", f.calls[1].Action)
	require.JSONEq(t, `{"SiteId":1,"Id":9007199254740993,"Config":{"Id":9007199254740993,"Name":"n","Status":"on","Action":"monitor","Notes":"kept"}}`,
		f.calls[1].Params)
	require.Contains(t, f.calls[1].Params, "9007199254740993", "no digit is lost")
	f.calls = nil
	_, err = callTool(t, f, "update_waf_rule", `{"site_id":"1","ids":["9007199254740993"],"status":"off"}`)
	require.NoError(t, err)
	require.JSONEq(t, `{"SiteId":1,"Id":9007199254740993,"Status":"off"}`, f.calls[1].Params, "the configuration is not sent again")
}

// A limit is told in any of the comparisons that the API has for it.
func TestWafBounds(t *testing.T) {
	n := func(n int) *int { return &n }
	for want, bound := range map[int]wafBound{5: {LessThanOrEqual: n(5)}, 4: {LessThan: n(5)}, 6: {Equal: n(6)}, 0: {}} {
		got, ok := bound.most()
		require.Equal(t, want, got)
		require.Equal(t, bound != wafBound{}, ok)
	}
}
