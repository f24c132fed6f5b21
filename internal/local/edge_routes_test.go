package local

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// routine makes a routine of files that is live in production.
func (b *shop) routine(name, strategy string, files map[string]string) {
	b.t.Helper()
	must(b.t, b.info, "CreateRoutine", map[string]any{"Name": name, "HasAssets": true})
	goLive(b.t, b.info, name, uploadFiles(b.t, b.info, name, strategy, files))
}

// code makes a routine of code alone.
func (b *shop) code(name, code string) {
	b.t.Helper()
	b.routine(name, "", map[string]string{"routine/index.js": code})
}

// route makes a route and returns its id.
func (b *shop) route(name, rule string, params map[string]any) int64 {
	b.t.Helper()
	all := map[string]any{"RoutineName": name, "RouteName": "r", "RouteEnable": "on", "Rule": rule}
	for k, v := range params {
		all[k] = v
	}
	return id64(b.t, b.call("CreateRoutineRoute", all), "ConfigId")
}

func TestEdgeRoutesRunRoutines(t *testing.T) {
	b := newShop(t, Options{})
	b.record("www.shop.example", b.origin(echo))
	b.code("hello", `export default { async fetch(request) {
		return new Response("hello " + request.method + " " + request.url, { headers: { "x-from": "code" } });
	} }`)
	b.code("second", `export default { fetch: () => new Response("second") }`)
	pass := b.route("second", `starts_with(http.request.uri.path, "/api/free")`, map[string]any{"Bypass": "on"})
	first := b.route("hello", `starts_with(http.request.uri.path, "/api/")`, nil)
	b.route("second", `starts_with(http.request.uri.path, "/api/")`, nil)

	got := b.get("http://www.shop.example/api/x?y=1")
	require.Equal(t, "hello GET http://www.shop.example/api/x?y=1", got.body)
	require.Equal(t, "code", got.header.Get("X-From"))
	require.Equal(t, fmt.Sprint("route ", first), got.rules())
	require.NotEmpty(t, got.header.Get("X-Esa-Version"))
	got = b.get("http://www.shop.example/api/free")
	require.Equal(t, "/api/free", got.seen(t).URI)
	require.Equal(t, fmt.Sprint("route bypass ", pass), got.rules())
	require.Equal(t, "/", b.get("http://www.shop.example/").seen(t).URI)

	b.call("UpdateRoutineRoute", map[string]any{"ConfigId": first, "RouteEnable": "off"})
	require.Equal(t, "second", b.get("http://www.shop.example/api/x").body)
}

func TestEdgeRoutesFallBack(t *testing.T) {
	logged := make(chan string, 10)
	b := newShop(t, Options{Console: func(routine, level, message string) { logged <- routine + " " + level + " " + message }})
	b.record("www.shop.example", b.origin(echo))
	b.code("broken", `export default { async fetch(request) { await request.text(); throw new Error("on purpose") } }`)
	must(t, b.info, "CreateRoutine", map[string]any{"Name": "bare"})
	b.route("broken", path("/fallback"), map[string]any{"Fallback": "on"})
	b.route("broken", path("/fails"), nil)
	b.route("bare", path("/bare"), nil)
	b.route("bare", path("/bare-fallback"), map[string]any{"Fallback": "on"})

	got := b.do("POST", "http://www.shop.example/fallback", "the body")
	require.Equal(t, "the body", got.seen(t).Body)
	require.Contains(t, got.header.Get("X-Esa-Fallback"), "on purpose")
	require.Contains(t, <-logged, "broken error POST /fallback failed: the routine threw Error: on purpose")
	got = b.get("http://www.shop.example/fails")
	require.Equal(t, 500, got.status)
	require.Contains(t, got.body, "on purpose")
	got = b.get("http://www.shop.example/bare")
	require.Equal(t, 404, got.status)
	require.Contains(t, got.body, "Nothing is deployed")
	require.Equal(t, 200, b.get("http://www.shop.example/bare-fallback").status)
}

func TestEdgeRoutesTimeOut(t *testing.T) {
	t.Parallel() // the shortest time that a route can have is 5 s
	b := newShop(t, Options{})
	b.record("www.shop.example", b.origin(echo))
	b.code("slow", `export default { async fetch() { await new Promise(r => setTimeout(r, 30000)); return new Response("late") } }`)
	b.route("slow", path("/slow"), map[string]any{"Timeout": "5"})
	got := b.get("http://www.shop.example/slow")
	require.Equal(t, 504, got.status)
	require.Contains(t, got.body, "Timeout of 5 s")
}

func TestEdgeServesPagesOnItsOwnHost(t *testing.T) {
	b := newShop(t, Options{})
	b.routine("app", "SinglePageApplication", map[string]string{"assets/index.html": "<h1>home</h1>", "assets/app.js": "let x",
		"routine/index.js": `export default { fetch: (r) => new Response("api " + new URL(r.url).pathname) }`})
	b.call("CreateRoutineRelatedRecord", map[string]any{"Name": "app", "RecordName": "app.shop.example"})
	for path, want := range map[string]struct {
		mode, body, kind string
	}{
		"/":           {"navigate", "<h1>home</h1>", "text/html; charset=utf-8"},
		"/deep/link":  {"navigate", "<h1>home</h1>", "text/html; charset=utf-8"},
		"/app.js":     {"", "let x", "text/javascript; charset=utf-8"},
		"/api/things": {"cors", "api /api/things", "text/plain;charset=UTF-8"},
	} {
		got := b.get("http://app.shop.example"+path, "Sec-Fetch-Mode", want.mode)
		require.Equal(t, 200, got.status, path)
		require.Equal(t, want.body, got.body, path)
		require.Equal(t, want.kind, got.header.Get("Content-Type"), path)
	}
	require.Equal(t, 404, b.get("http://other.shop.example/").status)
}
func TestEdgeRoutineFetchesTheOrigin(t *testing.T) {
	b := newShop(t, Options{})
	plain := b.origin(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Origin", "yes")
		echo(w, r)
	})
	b.record("www.shop.example", nil)
	b.rule("OriginRule", "true", map[string]any{"OriginScheme": "http", "OriginHttpPort": portOf(t, plain.URL)})
	b.code("proxy", `export default { async fetch(request) {
		const answer = await fetch(request);
		const out = new Response(answer.body, answer);
		out.headers.set("x-code", "passed");
		return out;
	} }`)
	b.route("proxy", "true", nil)
	got := b.do("POST", "http://www.shop.example/a?b=c", "body", "X-Mine", "1")
	s := got.seen(t)
	require.Equal(t, "POST", s.Method)
	require.Equal(t, "/a?b=c", s.URI)
	require.Equal(t, "body", s.Body)
	require.Equal(t, "1", s.Header.Get("X-Mine"))
	require.Equal(t, "passed", got.header.Get("X-Code"))
	require.Equal(t, "yes", got.header.Get("X-Origin"))
}

// TestEdgeRoutineAnswersHEAD: what a routine says of a body that it does not send is
// its own, or the origin's.
func TestEdgeRoutineAnswersHEAD(t *testing.T) {
	b := newShop(t, Options{})
	b.record("www.shop.example", b.origin(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		fmt.Fprint(w, "0123456789")
	}))
	b.code("passes", `export default { async fetch(request) {
		const answer = await fetch(request);
		return request.url.endsWith("/copy") ? new Response(answer.body, answer) : answer;
	} }`)
	b.code("made", `export default { fetch: (request) => request.url.endsWith("/none") ? new Response(null) : new Response("0123", { headers: { "content-length": "9" } }) }`)
	b.route("made", `starts_with(http.request.uri.path, "/made")`, nil)
	b.route("passes", "true", nil)
	for path, want := range map[string]string{"/": "10", "/copy": "10", "/made": "4", "/made/none": ""} {
		got := b.do("HEAD", "http://www.shop.example"+path, "")
		require.Equal(t, 200, got.status)
		require.Equal(t, want, got.header.Get("Content-Length"), path)
	}
}
