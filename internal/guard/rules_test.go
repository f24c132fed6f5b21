package guard_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local"
	"github.com/esa-mcp/esa-mcp/internal/local/site"
	"github.com/esa-mcp/esa-mcp/internal/rule"
)

// cacheRule are the parameters of a cache rule for an expression.
func (w *world) cacheRule(expression string) params {
	return w.on(params{"RuleName": "r", "RuleEnable": "on", "Rule": expression, "BypassCache": "bypass_all"})
}

// storedRule is the expression of a rule as the service has it.
func (w *world) storedRule(made map[string]any) string {
	w.Helper()
	return text(w.do("GetCacheRule", w.on(params{"ConfigId": made["ConfigId"]}))["Rule"])
}

// mended proves a guardrail that corrects expressions: wrong becomes right. code
// is what the service says of the wrong one; empty if it takes it.
func mended(t *testing.T, id, code string, pairs map[string]string) {
	t.Helper()
	prove(t, id, proof{
		setup: ns,
		with: func(w *world) {
			for wrong, right := range pairs {
				require.Equal(w, right, w.storedRule(w.fixed("Sent: "+right, "CreateCacheRule", w.cacheRule(wrong))), wrong)
				w.goesThrough("CreateCacheRule", w.cacheRule(right))
			}
		},
		without: func(w *world) {
			for wrong := range pairs {
				if code != "" {
					w.fails(code, "CreateCacheRule", w.cacheRule(wrong))
				} else {
					require.Equal(w, wrong, w.storedRule(w.goesThrough("CreateCacheRule", w.cacheRule(wrong))))
				}
			}
		},
	})
}

const compile = rule.CodeCompile

func TestGuardrail_rule_syntax(t *testing.T) {
	prove(t, "rule-syntax", proof{
		setup: ns,
		with: func(w *world) {
			w.refused("column 15: a value is missing after eq", "CreateCacheRule", w.cacheRule("(http.host eq )"))
			w.refused("Config.expression: ", "CreateWafRule", w.on(params{"Phase": "http_custom", "Config": map[string]any{"Name": "a", "Action": "deny", "expression": "(ip.src eq"}}))
			w.goesThrough("CreateCacheRule", w.cacheRule(`(http.host eq "a.shop.example")`))
			w.goesThrough("CreateCacheRule", w.cacheRule("true"))
		},
		without: func(w *world) { w.fails(compile, "CreateCacheRule", w.cacheRule("(http.host eq )")) },
	})
}

func TestGuardrail_rule_contains_slash(t *testing.T) {
	bare := `(http.request.uri.path contains "login")`
	prove(t, "rule-contains-slash", proof{
		setup: ns,
		with: func(w *world) {
			made := w.warned(`With it: (http.request.uri.path contains "/login")`, "CreateCacheRule", w.cacheRule(bare))
			require.Equal(w, bare, w.storedRule(made), "what it matches is not changed")
			w.goesThrough("CreateCacheRule", w.cacheRule(`(http.request.uri.path contains "/login")`))
		},
		without: func(w *world) { w.goesThrough("CreateCacheRule", w.cacheRule(bare)) },
	})
}

func TestGuardrail_rule_function_style(t *testing.T) {
	mended(t, "rule-function-style", compile, map[string]string{
		`(http.host starts_with "img")`:             `(starts_with(http.host, "img"))`,
		`(http.request.uri.path ends_with ".html")`: `(ends_with(http.request.uri.path, ".html"))`,
	})
}

func TestGuardrail_rule_not_eq(t *testing.T) {
	mended(t, "rule-not-eq", "", map[string]string{`(not http.host eq "a.shop.example")`: `(http.host ne "a.shop.example")`})
}

func TestGuardrail_rule_not_in(t *testing.T) {
	mended(t, "rule-not-in", compile, map[string]string{
		`(http.host not in {"a.shop.example" "b.shop.example"})`: `(not http.host in {"a.shop.example" "b.shop.example"})`,
		`(http.user_agent not contains "bot")`:                   `(not http.user_agent contains "bot")`,
	})
}

func TestGuardrail_rule_set_commas(t *testing.T) {
	mended(t, "rule-set-commas", compile, map[string]string{
		`(http.host in {"a.shop.example", "b.shop.example"})`: `(http.host in {"a.shop.example" "b.shop.example"})`,
	})
}

func TestGuardrail_rule_quotes(t *testing.T) {
	mended(t, "rule-quotes", compile, map[string]string{
		`(ip.geoip.asnum eq "45104")`: `(ip.geoip.asnum eq 45104)`,
		`(ip.src eq "203.0.113.1")`:   `(ip.src eq 203.0.113.1)`,
		`(ip.geoip.country eq CN)`:    `(ip.geoip.country eq "CN")`,
	})
}

func TestGuardrail_rule_parens(t *testing.T) {
	mended(t, "rule-parens", "", map[string]string{`http.host eq "a.shop.example"`: `(http.host eq "a.shop.example")`})
}

func TestGuardrail_rule_depth(t *testing.T) {
	deep := `(((http.host eq "a.shop.example" and (ssl))))`
	prove(t, "rule-depth", proof{
		setup: ns,
		with: func(w *world) {
			flat := w.refused("nest too deep", "CreateCacheRule", w.cacheRule(deep))
			require.Equal(w, `(http.host eq "a.shop.example" and ssl)`, flat.Params["Rule"])
			w.sends(flat)
		},
		without: func(w *world) { w.fails(compile, "CreateCacheRule", w.cacheRule(deep)) },
	})
}

func TestGuardrail_rule_size(t *testing.T) {
	long := `(http.host eq "` + strings.Repeat("a", 4100) + `")`
	many := `(http.host eq "a"` + strings.Repeat(` or http.host eq "a"`, 20) + `)`
	prove(t, "rule-size", proof{
		setup: ns,
		with: func(w *world) {
			w.refused("4096", "CreateCacheRule", w.cacheRule(long))
			w.refused("20", "CreateCacheRule", w.cacheRule(many))
		},
		without: func(w *world) {
			w.fails(compile, "CreateCacheRule", w.cacheRule(long))
			w.fails(compile, "CreateCacheRule", w.cacheRule(many))
		},
	})
}

func TestGuardrail_rule_field(t *testing.T) {
	prove(t, "rule-field", proof{
		setup: ns,
		with: func(w *world) {
			w.sends(w.refused("there is no field http.hots: it is http.host", "CreateCacheRule", w.cacheRule(`(http.hots eq "a.shop.example")`)))
			w.refused("ip.src", "CreateCacheRule", w.cacheRule(`(ip.src contains "10.")`))
			w.goesThrough("CreateCacheRule", w.cacheRule(`(http.request.headers["x-beta"] eq "1")`))
		},
		without: func(w *world) { w.fails(compile, "CreateCacheRule", w.cacheRule(`(http.hots eq "a.shop.example")`)) },
	})
}

func TestGuardrail_rule_kind(t *testing.T) {
	https := func(w *world, expression string) params {
		return w.on(params{"RuleName": "r", "RuleEnable": "on", "Rule": expression, "Hsts": "on", "HstsMaxAge": "86400"})
	}
	path := `(http.request.uri.path eq "/a")`
	prove(t, "rule-kind", proof{
		setup: ns,
		with: func(w *world) {
			w.refused("HTTPS rules ask for http.host alone", "CreateHttpsApplicationConfiguration", https(w, path))
			w.fixed(`(http.host eq "a.shop.example" or http.host eq "b.shop.example")`, "CreateHttpsApplicationConfiguration", https(w, `(http.host in {"a.shop.example" "b.shop.example"})`))
			w.goesThrough("CreateHttpsApplicationConfiguration", https(w, `(http.host eq "a.shop.example")`))
			w.goesThrough("CreateCacheRule", w.cacheRule(path))
		},
		without: func(w *world) { w.fails(compile, "CreateHttpsApplicationConfiguration", https(w, path)) },
	})
}

func TestGuardrail_rule_plan(t *testing.T) {
	regex := `(http.request.uri.path matches "^/v[0-9]+/")`
	basic := site.Config{Plan: "basic"}
	prove(t, "rule-plan", proof{
		options: local.Options{Site: basic},
		setup:   ns,
		with: func(w *world) {
			w.refused("regular expressions need the plan", "CreateCacheRule", w.cacheRule(regex))
			w.goesThrough("CreateCacheRule", w.cacheRule(`(starts_with(http.request.uri.path, "/v"))`))
		},
		without: func(w *world) { w.fails(rule.CodeRegexQuota, "CreateCacheRule", w.cacheRule(regex)) },
	})
	t.Run("a plan that has them", func(t *testing.T) {
		w := newWorld(t, "rule-plan", local.Options{}, false)
		ns(w)
		w.goesThrough("CreateCacheRule", w.cacheRule(regex))
	})
}

func TestGuardrail_rule_wildcard(t *testing.T) {
	mended(t, "rule-wildcard", compile, map[string]string{
		`(http.host wildcard "*.shop.example")`:                       `(ends_with(http.host, ".shop.example"))`,
		`(http.host == "a.shop.example" && ip.geoip.country == "CN")`: `(http.host eq "a.shop.example" and ip.geoip.country eq "CN")`,
	})
}

func TestGuardrail_rule_uri_query(t *testing.T) {
	html := `(ends_with(http.request.uri, ".html"))`
	prove(t, "rule-uri-query", proof{
		setup: ns,
		with: func(w *world) {
			w.warned("includes the query string", "CreateCacheRule", w.cacheRule(html))
			w.goesThrough("CreateCacheRule", w.cacheRule(`(ends_with(http.request.uri.path, ".html"))`))
		},
		without: func(w *world) {
			w.goesThrough("CreateCacheRule", w.cacheRule(html))
			e, err := rule.Parse(html)
			require.NoError(w, err)
			require.True(w, e.Match(&rule.Request{URL: "https://a.shop.example/page.html"}))
			require.False(w, e.Match(&rule.Request{URL: "https://a.shop.example/page.html?from=mail"}), "a query string makes it miss")
		},
	})
}

func TestGuardrail_rule_in_list(t *testing.T) {
	prove(t, "rule-in-list", proof{
		setup: func(w *world) {
			ns(w)
			w.do("CreateList", params{"Name": "blocked", "Kind": "ip", "Items": []any{"203.0.113.1"}})
		},
		with: func(w *world) {
			made := w.fixed("Sent: (ip.src in $blocked)", "CreateCacheRule", w.cacheRule("(ip.src in_list blocked)"))
			require.Equal(w, "(ip.src in $blocked)", w.storedRule(made))
		},
		without: func(w *world) { w.fails(compile, "CreateCacheRule", w.cacheRule("(ip.src in_list blocked)")) },
	})
}

func TestGuardrail_rule_full_uri(t *testing.T) {
	wrong := `(http.request.uri eq "https://a.shop.example/x")`
	right := `(http.request.full_uri eq "https://a.shop.example/x")`
	mended(t, "rule-full-uri", compile, map[string]string{wrong: right})
}

func TestGuardrail_rule_global(t *testing.T) {
	all := func(w *world) params { return w.on(params{"EdgeCacheMode": "no_cache"}) }
	prove(t, "rule-global", proof{
		setup: ns,
		with: func(w *world) {
			w.asks("cache rule for ALL requests of site "+w.site, "CreateCacheRule", all(w))
			w.goesThrough("CreateCacheRule", w.cacheRule(`(http.host eq "a.shop.example")`))
			out, err := w.tool("set_origin_rule", map[string]any{"site_id": w.site, "scope": "global", "origin_scheme": "follow"})
			require.NoError(w, err, "the tool was told")
			require.Contains(w, out, `"scope":"global"`)
		},
		without: func(w *world) { w.asks("its one global configuration", "CreateCacheRule", all(w)) },
	})
}
