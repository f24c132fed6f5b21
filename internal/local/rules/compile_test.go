package rules

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLightCheck(t *testing.T) {
	for expression, fine := range map[string]bool{
		"true":                                  true,
		`http.host eq "a.example.com"`:          true,
		`(http.host eq "a\")(")`:                true,
		`ssl`:                                   true,
		`not ssl`:                               true,
		`http.request.headers["x"] eq "}"`:      true,
		`starts_with(http.request.uri, "/api")`: true,
		`ip.src in {1.1.1.1 10.0.0.0/8}`:        true,
		"":                                      false,
		"  ":                                    false,
		"yes":                                   false,
		`(http.host eq "a")) or (ssl`:           false,
		`(http.host in {"a")}`:                  false,
		`(ssl`:                                  false,
		`http.host eq "a`:                       false,
		`http.host eq "a\"`:                     false,
		`http.host eq "` + strings.Repeat("a", 4096) + `"`: false,
	} {
		require.Equal(t, fine, LightCheck("CacheRule", expression) == nil, "%q", expression[:min(len(expression), 60)])
	}
}

func FuzzLightCheck(f *testing.F) {
	for _, seed := range []string{"true", `(http.host eq "a")`, `"\\`, "((", `ip.src in {1.1.1.1}`, "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, expression string) {
		if LightCheck("CacheRule", expression) != nil {
			return
		}
		require.LessOrEqual(t, len(expression), maxExpression)
		require.NotEmpty(t, strings.TrimSpace(expression))
		// What is right stays right in parentheses, as long as it fits.
		if text := strings.TrimSpace(expression); text != "true" && len(text)+2 <= maxExpression {
			require.NoError(t, LightCheck("CacheRule", "("+text+")"))
		}
	})
}
