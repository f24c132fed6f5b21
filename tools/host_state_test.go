package tools

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/rule"
)

func TestWildcardAbove(t *testing.T) {
	for name, want := range map[string]string{
		"a.b.shop.example": "*.b.shop.example", "*.b.shop.example": "*.shop.example", "www.shop.example": "*.shop.example",
		"*.shop.example": "", "shop.example": "", "example": "",
	} {
		require.Equal(t, want, wildcardAbove(name, "shop.example"), name)
	}
}

// The expression of an IP access rule is one that the language reads.
func TestVisitorCondition(t *testing.T) {
	for _, c := range []struct{ kind, value, request string }{
		{"ip", "198.51.100.0/24", `{"url":"http://a.example/","client_ip":"198.51.100.7"}`},
		{"", "2001:db8::1", `{"url":"http://a.example/","client_ip":"2001:db8::1"}`},
		{"asn", "AS64500", `{"url":"http://a.example/","asn":64500}`},
		{"country", "fr", `{"url":"http://a.example/","country":"FR"}`},
	} {
		e, err := rule.Parse(visitorCondition(c.kind, c.value))
		require.NoError(t, err, c.value)
		var sample SampleRequest
		require.NoError(t, json.Unmarshal([]byte(c.request), &sample))
		r, err := sample.request()
		require.NoError(t, err)
		require.True(t, e.Match(r), "%s: %s", c.value, e)
		require.False(t, e.Match(&rule.Request{URL: "http://a.example/"}), c.value)
	}
	require.Empty(t, visitorCondition("asn", "many"))
}

// What a whitelist rule lets a request past, and what a rule takes from its set.
func TestSecurityRule(t *testing.T) {
	read := func(text string) securityRule {
		var w wireWafRule
		require.NoError(t, json.Unmarshal([]byte(text), &w))
		return w.security(map[string]any{"Expression": "(ssl)", "Action": "deny"})
	}
	all := read(`{"Config":{"Actions":{"Bypass":{"Skip":"all"}}}}`)
	require.True(t, all.passes("http_custom", "1"))
	require.Equal(t, "(ssl)", all.Expression)
	require.Equal(t, "deny", all.Action)
	part := read(`{"Config":{"Expression":"(not ssl)","Actions":{"Bypass":{"Skip":"part","Tags":["http_custom"],"CustomRules":["7"]}}}}`)
	require.Equal(t, "(not ssl)", part.Expression)
	require.True(t, part.passes("http_custom", "1"))
	require.True(t, part.passes("http_ratelimit", "7"))
	require.False(t, part.passes("http_ratelimit", "8"))
}
