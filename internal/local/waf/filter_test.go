package waf

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
)

func TestFilter(t *testing.T) {
	b := newBench(t, Config{})
	filter := b.Must("GetWafFilter", api.Params{"Phase": "http_custom", "Target": "expression"})["Filter"].(map[string]any)
	require.Equal(t, "http_custom", filter["Phase"])
	byKey := map[string]map[string]any{}
	for _, f := range filter["Fields"].([]any) {
		byKey[f.(map[string]any)["Key"].(string)] = f.(map[string]any)
	}
	host := byKey["http.host"]
	require.Equal(t, true, host["Enable"])
	require.Contains(t, host["Logics"], map[string]any{"Attributes": host["Logics"].([]any)[0].(map[string]any)["Attributes"], "Enable": true,
		"Kind": "input:single", "MinPlan": "basic", "Negative": true, "Operator": "not eq", "Symbol": "eq", "Tip": "", "Type": "string",
		"Validator": map[string]any{"ErrMsg": "", "Pattern": ""}})
	require.Equal(t, true, byKey["http.request.headers"]["Sub"])
	require.NotEmpty(t, byKey["http.request.method"]["Selector"].(map[string]any)["Data"])
	_, code := b.Call("GetWafFilter", api.Params{"Phase": "http_nothing"})
	require.Equal(t, "InvalidParameter.Phase", code)
	_, code = b.Call("GetWafFilter", api.Params{"Phase": "http_custom", "SiteId": "12"})
	require.Equal(t, "SiteNotFound", code)
}

func TestFieldsOfExpressions(t *testing.T) {
	b := newBench(t, Config{})
	out := b.Must("BatchGetExpressionFields", api.Params{"Phase": "http_custom", "Expressions": `[
		{"Id":1,"Expression":"(http.host eq \"http.referer\" and not ip.src in {1.1.1.1})"},
		{"Id":2,"Expression":"(http.request.headers[\"x\"] contains \"a\" or ssl)"}]`})
	require.Equal(t, []any{
		map[string]any{"Id": "1", "Fields": []any{"http.host", "ip.src"}},
		map[string]any{"Id": "2", "Fields": []any{"http.request.headers", "ssl"}},
	}, out["Fields"])
	_, code := b.Call("BatchGetExpressionFields", api.Params{"Expressions": `[{"Id":1,"Expression":"(http.host eq"}]`})
	require.Equal(t, "CompileRuleError", code)
}
