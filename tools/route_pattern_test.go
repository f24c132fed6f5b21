package tools

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRoutePattern(t *testing.T) {
	for text, want := range map[string]string{
		"example.com":               `(http.host eq "example.com")`,
		"example.com/*":             `(http.host eq "example.com")`,
		"https://Example.COM./*":    `(http.host eq "example.com")`,
		"example.com/":              `(http.host eq "example.com" and http.request.uri.path eq "/")`,
		"example.com/a.png":         `(http.host eq "example.com" and http.request.uri.path eq "/a.png")`,
		"www.example.com/api/*":     `(http.host eq "www.example.com" and starts_with(http.request.uri.path, "/api/"))`,
		"example.com/api*":          `(http.host eq "example.com" and starts_with(http.request.uri.path, "/api"))`,
		"example.com/*.png":         `(http.host eq "example.com" and ends_with(http.request.uri.path, ".png"))`,
		"example.com/img/*.png":     `(http.host eq "example.com" and starts_with(http.request.uri.path, "/img/") and ends_with(http.request.uri.path, ".png"))`,
		"*.example.com/*":           `(ends_with(http.host, ".example.com"))`,
		"*.example.com/x":           `(ends_with(http.host, ".example.com") and http.request.uri.path eq "/x")`,
		"*example.com/*":            `(http.host eq "example.com" or ends_with(http.host, ".example.com"))`,
		"*example.com/a/*":          `((http.host eq "example.com" or ends_with(http.host, ".example.com")) and starts_with(http.request.uri.path, "/a/"))`,
		`example.com/a"b\c`:         `(http.host eq "example.com" and http.request.uri.path eq "/a\"b\\c")`,
		"xn--bcher-kva.example.com": `(http.host eq "xn--bcher-kva.example.com")`,
	} {
		p, err := parsePattern(text)
		require.NoError(t, err, text)
		require.Equal(t, want, p.Expression(), text)
	}
	for text, want := range map[string]string{
		"":                       "host name",
		"*":                      "host name",
		"/api/*":                 "host name",
		"localhost/*":            "host name",
		"example.com:8080/*":     "port",
		"a.*.example.com":        "inside the host",
		"example.com/*/b/*":      "more than one *",
		"example.com/?a=b":       "query",
		`(http.host eq "a.com")`: "host name",
	} {
		_, err := parsePattern(text)
		require.ErrorContains(t, err, want, text)
		require.ErrorContains(t, err, "er-route-pattern")
	}
}

func TestRuleHosts(t *testing.T) {
	require.Equal(t, []string{"a.com", "b.com", "c.com", "*.d.com"},
		ruleHosts(`(http.host eq "A.com" or http.host in {"b.com" "c.com"} or ends_with(http.host, ".d.com") or http.request.uri.path eq "/e.com")`))
	require.Empty(t, ruleHosts("true"))
}
