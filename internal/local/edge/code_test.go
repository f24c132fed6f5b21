package edge

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local/runtime"
)

func withRuntime(t *testing.T) Config {
	cfg := open()
	cfg.Runtime = runtime.New(runtime.Config{})
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
