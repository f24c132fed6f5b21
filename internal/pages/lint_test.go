package pages

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLint(t *testing.T) {
	for name, c := range map[string]struct {
		code string
		want []string // part of each finding, in order
	}{
		"fine": {`const kv = new EdgeKV({namespace: "a"})
export default { async fetch(request, context, env) { const v = await kv.get("k", {type: "text"}); if (v === undefined) return fetch("https://example.com") } }`, nil},
		"env second":            {"export default {\n async fetch(request, env, ctx) {} }", []string{"f.js:2: env is the third"}},
		"env second, typed":     {"export default { async fetch(r: Request, env: Env) {} }", []string{"f.js:1: env is the third"}},
		"env second, a field":   {"export default { fetch: async (r, env) => 1 }", []string{"env is the third"}},
		"default cache":         {"\n\nawait caches.default.match(r)", []string{"f.js:3: there is no caches"}},
		"match":                 {"cache.match(k)", []string{"use cache.get"}},
		"https key":             {"cache.put('https://a/b', r)", []string{"http://"}},
		"http key":              {"cache.put('http://a/b', r)", nil},
		"cf":                    {"request.cf.country", []string{"request.cf"}},
		"assets":                {"return env.ASSETS.fetch(request)", []string{"ASSETS"}},
		"geo":                   {"context.geo.region", []string{"context.geo"}},
		"address":               {"fetch('http://10.0.0.1/x')", []string{"host names only"}},
		"version 6":             {"fetch(`http://[::1]/x`)", []string{"host names only"}},
		"rewriter":              {"new HTMLRewriter()", []string{"HTMLRewriter"}},
		"null at once":          {"if ((await kv.get('a')) === null) {}", []string{"undefined"}},
		"null later":            {"const kv = new EdgeKV({})\nlet v = await kv.get('a')\nif (v !== null) {}", []string{"f.js:3: EdgeKV.get"}},
		"null of another thing": {"const v = await db.get('a')\nif (v !== null) {}", nil},
		"comments":              {"// caches.default\n/* request.cf\n request.cf */ let a = 1 // env.ASSETS", nil},
		"after a comment":       {"/* a */ request.cf", []string{"f.js:1:"}},
		"address with slashes":  {"let a = 'http://x'; request.cf", []string{"request.cf"}},
		"endless comment":       {"/* request.cf", nil},
		"short comment":         {"/*", nil},
	} {
		t.Run(name, func(t *testing.T) {
			got := Lint("f.js", c.code)
			require.Len(t, got, len(c.want), "%q", got)
			for i, want := range c.want {
				require.Contains(t, got[i], want)
			}
		})
	}
}

func TestScriptLint(t *testing.T) {
	dir := t.TempDir()
	for name, code := range map[string]string{
		"index.ts": "import './sub/cf'; import 'lib'; export default { fetch() {} }", "sub/cf.js": "\nglobalThis.a = (request) => request.cf",
		"node_modules/lib/index.js": "globalThis.b = (request) => request.cf", "node_modules/lib/package.json": `{"name":"lib"}`,
	} {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(code), 0o644))
	}
	script, err := Bundle(t.Context(), filepath.Join(dir, "index.ts"), BundleOptions{})
	require.NoError(t, err)
	got := script.Lint(dir)
	require.Len(t, got, 1, "packages are not looked at")
	require.Contains(t, got[0], "sub/cf.js:2: request.cf")
}
