package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/tools"
)

// TestFunctionRuns: what deploy_routine puts live answers, and shares its
// key-value pairs with the tools.
func TestFunctionRuns(t *testing.T) {
	t.Parallel()
	s := startLocal(t, "--toolsets", "all")
	callOK[tools.CreateKVNamespaceOutput](t, s, "create_kv_namespace", arguments{"namespace": "visits"})
	callOK[tools.PutKVOutput](t, s, "put_kv", arguments{"namespace": "visits", "key": "count", "value": "41"})
	out := callOK[tools.DeployOutput](t, s, "deploy_routine", arguments{"name": "fn", "code": `
		import { createHash } from "node:crypto";
		const kv = new EdgeKV({ namespace: "visits" });
		export default {
			async fetch(request: Request): Promise<Response> {
				const n = 1 + Number(await kv.get("count", { type: "text" }));
				await kv.put("count", String(n));
				return Response.json({ n, md5: createHash("md5").update("esa").digest("hex"), path: new URL(request.url).pathname });
			},
		};`})
	status, body := browse(t, at(t, out.URL, "/visit"))
	require.Equal(t, 200, status, body)
	require.JSONEq(t, `{"n":42,"md5":"80ad0b9fa48a74fe86a9c8ee665d96bb","path":"/visit"}`, body)
	require.Equal(t, "42", callOK[tools.GetKVOutput](t, s, "get_kv", arguments{"namespace": "visits", "key": "count"}).Value)

	broken := callOK[tools.DeployOutput](t, s, "deploy_routine", arguments{"name": "fn", "code": `export default { fetch() { null.x } }`})
	status, body = browse(t, broken.URL)
	require.Equal(t, 500, status)
	require.Contains(t, body, "TypeError")
}

// TestHTMLInFunctionSurvives: a page inside a script, sent as the source of an
// edge function, arrives byte for byte.
func TestHTMLInFunctionSurvives(t *testing.T) {
	t.Parallel()
	s := startLocal(t, "--toolsets", "pages,routines")
	page := "<!doctype html><script>let a = `${1}\\n\\\\ $&` </script>\u2028\u00e9 \U0001F600</html>\r\n"
	literal, err := json.Marshal(page)
	require.NoError(t, err)
	out := callOK[tools.DeployOutput](t, s, "deploy_routine", arguments{"name": "page",
		"code": `export default { fetch: () => new Response(` + string(literal) + `, { headers: { "content-type": "text/html; charset=utf-8" } }) }`})
	status, body := browse(t, out.URL)
	require.Equal(t, 200, status)
	require.Equal(t, page, body)
}

// TestFunctionBesideFiles: files first, then the not-found strategy for page
// loads, then the function.
func TestFunctionBesideFiles(t *testing.T) {
	t.Parallel()
	s := startLocal(t)
	dir := writeSite(t, map[string]string{
		"esa.jsonc":         `{"name":"shop","entry":"src/index.ts","assets":{"directory":"public","notFoundStrategy":"singlePageApplication"}}`,
		"public/index.html": "<h1>shop</h1>",
		"public/app.js":     "console.log(1)",
		"src/index.ts":      `export default { fetch: (r: Request) => Response.json({ api: new URL(r.url).pathname }) }`,
	})
	out := callOK[tools.DeployOutput](t, s, "deploy_pages", arguments{"name": "shop", "path": dir})
	for path, want := range map[string]string{"/": "<h1>shop</h1>", "/app.js": "console.log(1)", "/api/items": `{"api":"/api/items"}`} {
		status, body := browse(t, at(t, out.URL, path))
		require.Equal(t, 200, status, path)
		require.Equal(t, want, strings.TrimSpace(body), path)
	}
}
