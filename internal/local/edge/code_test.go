package edge

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local/runtime"
)

func withRuntime(t *testing.T) Config {
	cfg := open()
	cfg.Runtime = runtime.New(runtime.Config{Limits: runtime.Limits{CPU: time.Minute}}) // by the clock, on a busy machine
	t.Cleanup(cfg.Runtime.Close)
	return cfg
}

func TestCodeAnswers(t *testing.T) {
	f := newFixture(t, withRuntime(t))
	f.deploy("app", "", "assets/a.txt", "asset", "routine/index.js", `export default {
		async fetch(request) {
			const url = new URL(request.url);
			if (url.pathname === "/throw") throw new TypeError("on purpose");
			if (url.pathname === "/nothing") return;
			return new Response(request.method + " " + url.pathname + url.search, { status: 201, headers: { "x-code": "1" } });
		},
	};`)
	rec := f.get("app", "/a.txt")
	require.Equal(t, "asset", rec.Body.String(), "assets come before code")

	rec = f.get("app", "/b?c=1")
	require.Equal(t, 201, rec.Code)
	require.Equal(t, "GET /b?c=1", rec.Body.String())
	require.Equal(t, "1", rec.Header().Get("X-Code"))
	require.Equal(t, "text/plain;charset=UTF-8", rec.Header().Get("Content-Type"))
	require.Equal(t, "10", rec.Header().Get("Content-Length"))

	rec = f.do("HEAD", f.host("app"), "/b")
	require.Equal(t, 201, rec.Code)
	require.Empty(t, rec.Body.String())

	rec = f.get("app", "/throw")
	require.Equal(t, 500, rec.Code)
	require.Contains(t, rec.Body.String(), `The routine "app" failed: the routine threw TypeError: on purpose`)
	require.Contains(t, rec.Body.String(), "routine.mjs:4", "the stack says where")

	rec = f.get("app", "/nothing")
	require.Equal(t, 500, rec.Code)
	require.Contains(t, rec.Body.String(), "did not return a Response")
}

// TestCodeOfVersions: each version runs its own code.
func TestCodeOfVersions(t *testing.T) {
	f := newFixture(t, withRuntime(t))
	for _, answer := range []string{"one", "two"} {
		f.deploy("app", "", "routine/index.js", `export default { fetch: () => new Response("`+answer+`") }`)
		require.Equal(t, answer, f.get("app", "/").Body.String())
	}
}

// TestCodeFetchesThisEdge: what a routine fetches from another host of this edge
// is answered by it, without leaving the process, and not in circles.
func TestCodeFetchesThisEdge(t *testing.T) {
	f := newFixture(t, withRuntime(t))
	f.deploy("data", "", "assets/a.json", `{"n":1}`, "routine/index.js", `export default { fetch: (r) => new Response("code " + r.url, { status: 203 }) }`)
	f.deploy("app", "", "routine/index.js", `export default { async fetch(request) {
		const r = await fetch("http://`+f.host("data")+`" + new URL(request.url).pathname);
		return new Response(r.status + " " + r.headers.get("server") + " " + await r.text());
	} }`)
	require.Equal(t, `200 ESA (local) {"n":1}`, f.get("app", "/a.json").Body.String())
	require.Equal(t, "203 ESA (local) code http://"+f.host("data")+"/x", f.get("app", "/x").Body.String())

	for name, other := range map[string]string{"ping": "pong", "pong": "ping"} {
		f.deploy(name, "", "routine/index.js", `export default { fetch: () => fetch("http://`+f.host(other)+`/") }`)
	}
	rec := f.get("ping", "/")
	require.Equal(t, 500, rec.Code)
	require.Contains(t, rec.Body.String(), "goes in a circle")
}

// TestCodeFetchesOwnHost: a default domain has no origin.
func TestCodeFetchesOwnHost(t *testing.T) {
	f := newFixture(t, withRuntime(t))
	f.deploy("app", "", "routine/index.js", `export default { fetch: (request) => fetch(request) }`)
	rec := f.get("app", "/")
	require.Equal(t, 500, rec.Code)
	require.Contains(t, rec.Body.String(), "goes to the site's origin, and this host has none")
}
