package main

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// devProject is a running "esa-mcp dev" and its folder.
type devProject struct {
	dir, url string
	out, err *syncBuffer
}

// startDev serves a project of the given files on a free port.
func startDev(t *testing.T, files map[string]string, args ...string) *devProject {
	t.Helper()
	p := &devProject{dir: writeSite(t, files), out: &syncBuffer{}, err: &syncBuffer{}}
	cmd := exec.Command(binary, append([]string{"dev", p.dir, "--listen", "127.0.0.1:0"}, args...)...)
	cmd.Env = environment()
	cmd.Stdout, cmd.Stderr = p.out, p.err
	require.NoError(t, cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		require.NoError(t, <-ended, "interrupted, it ends well: %s", p.err)
	})
	p.says(t, p.out, "open http://")
	_, rest, _ := strings.Cut(p.out.String(), "open ")
	p.url = strings.TrimSuffix(strings.Fields(rest)[0], "/")
	return p
}

// says waits until a text was printed.
func (p *devProject) says(t *testing.T, where *syncBuffer, text string) {
	t.Helper()
	require.Eventually(t, func() bool { return strings.Contains(where.String(), text) }, time.Minute, 10*time.Millisecond,
		"it never said %q", text)
}

// write changes a file, at once: half of it is never seen.
func (p *devProject) write(t *testing.T, name, content string) {
	t.Helper()
	half := filepath.Join(t.TempDir(), "half")
	require.NoError(t, os.WriteFile(half, []byte(content), 0o644))
	require.NoError(t, os.Rename(half, filepath.Join(p.dir, filepath.FromSlash(name))))
}

// get asks for a path as a page load would.
func (p *devProject) get(t *testing.T, path string, change ...func(*http.Request)) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.url+path, nil)
	require.NoError(t, err)
	for _, c := range change {
		c(r)
	}
	res := ask(t, r, false)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res, string(body)
}

func navigate(r *http.Request) {
	r.Header.Set("Sec-Fetch-Mode", "navigate")
	r.Header.Set("Sec-Fetch-Dest", "document")
}

// events opens the stream of builds and returns a reader of the next one.
func (p *devProject) events(t *testing.T) (next func() string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.url+devEventsPath, nil)
	require.NoError(t, err)
	res, err := http.DefaultClient.Do(r) // without a time limit: the stream goes on as long as the test
	require.NoError(t, err)
	t.Cleanup(func() { res.Body.Close() })
	require.Equal(t, "text/event-stream", res.Header.Get("Content-Type"))
	lines := bufio.NewScanner(res.Body)
	return func() string {
		t.Helper()
		for lines.Scan() {
			if id, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				return id
			}
		}
		require.NoError(t, lines.Err())
		t.Fatal("the stream of builds ended")
		return ""
	}
}

// TestDevServesAndReloads: pages, assets, deep links, the function and its KV;
// then a change, which pages are told of.
func TestDevServesAndReloads(t *testing.T) {
	p := startDev(t, map[string]string{
		"esa.jsonc":         `{"name":"shop","entry":"src/index.ts","assets":{"directory":"public","notFoundStrategy":"singlePageApplication"}}`,
		"kv.json":           `{"shop": {"greeting": "hello", "prices": {"tea": 3}}}`,
		"public/index.html": "<h1>shop</h1>",
		"public/app.js":     "one()",
		"src/index.ts": `import { path } from "./path";
			export default { async fetch(r: Request) {
				if (path(r) === "/away") return Response.redirect(new URL("/there?x=1", r.url).href, 302);
				const kv = new EdgeKV({ namespace: "shop" });
				console.log("asked for", path(r));
				return Response.json({ path: path(r), greeting: await kv.get("greeting", { type: "text" }), prices: await kv.get("prices", { type: "json" }) });
			} }`,
		"src/path.ts": `export const path = (r: Request) => new URL(r.url).pathname;`,
	})
	require.Regexp(t, `built in \d+ ms: `, p.out.String())
	for _, path := range []string{"/", "/deep/link"} {
		res, body := p.get(t, path, navigate)
		require.Equal(t, 200, res.StatusCode, path)
		require.True(t, strings.HasPrefix(body, `<h1>shop</h1><script src="`+devScriptPath+"?build="), body)
		require.Equal(t, "no-store", res.Header.Get("Cache-Control"))
	}
	_, fragment := p.get(t, "/index.html", func(r *http.Request) { r.Header.Set("Sec-Fetch-Dest", "empty") })
	require.NotContains(t, fragment, "<script", "what a script fetches stays as it is")
	_, asset := p.get(t, "/app.js")
	require.Equal(t, "one()", asset)
	_, api := p.get(t, "/api")
	require.JSONEq(t, `{"path":"/api","greeting":"hello","prices":{"tea":3}}`, api)
	p.says(t, p.out, "console.info: asked for /api")
	away, _ := p.get(t, "/away")
	require.Equal(t, "/there?x=1", away.Header.Get("Location"), "redirects stay on the server")
	_, script := p.get(t, devScriptPath)
	require.Contains(t, script, "EventSource")
	stranger, _ := p.get(t, "/", func(r *http.Request) { r.Host = "evil.example" })
	require.Equal(t, http.StatusForbidden, stranger.StatusCode)

	next := p.events(t)
	first := next()
	p.write(t, "public/app.js", "two() // longer")
	require.NotEqual(t, first, next())
	_, asset = p.get(t, "/app.js")
	require.Equal(t, "two() // longer", asset)
	p.says(t, p.out, "public/app.js")
	require.Regexp(t, `rebuilt in \d+ ms: public/app.js`, p.out.String())
}

// TestDevKeepsTheLastGoodVersion: broken code is named and not served.
func TestDevKeepsTheLastGoodVersion(t *testing.T) {
	p := startDev(t, map[string]string{
		"esa.toml":     "name = \"fn\"\nentry = \"src/index.js\"\n",
		"src/index.js": `export default { fetch: () => new Response("one") }`,
	})
	_, body := p.get(t, "/")
	require.Equal(t, "one", body)
	next := p.events(t)
	next()

	p.write(t, "src/index.js", "// a comment\nexport default { fetch: () => new Response(two }")
	p.says(t, p.err, "src/index.js:2:")
	require.Contains(t, p.err.String(), "the version before stays up")
	_, body = p.get(t, "/")
	require.Equal(t, "one", body)
	p.write(t, "esa.toml", "name = \"fn\"\nentry = [\n")
	p.says(t, p.err, "esa.toml:")

	p.write(t, "esa.toml", "name = \"fn\"\nentry = \"src/index.js\"\n")
	p.write(t, "src/index.js", `export default { fetch: () => new Response("three, at last") }`)
	next()
	_, body = p.get(t, "/")
	require.Equal(t, "three, at last", body)

	p.write(t, "src/index.js", `export default { fetch() { throw new Error("on purpose") } }`)
	next()
	res, _ := p.get(t, "/")
	require.Equal(t, 500, res.StatusCode)
	p.says(t, p.err, "console.error: GET / failed: ")
	require.Contains(t, p.err.String(), "on purpose")
}

// TestDevStartsBroken: with nothing to serve it shows why, and serves once it can.
func TestDevStartsBroken(t *testing.T) {
	p := startDev(t, map[string]string{"fn.js": "export default {", "index.html": "<p>x</p>"}, "--entry", "fn.js", "--not-found-strategy", "404page")
	res, body := p.get(t, "/")
	require.Equal(t, 503, res.StatusCode)
	require.Contains(t, body, "fn.js:1:")
	require.Contains(t, body, devScriptPath)
	next := p.events(t)
	next()
	p.write(t, "fn.js", `export default { fetch: () => new Response("up") }`)
	next()
	_, body = p.get(t, "/api")
	require.Equal(t, "up", body)
}

// TestDevManyBuilds: old versions do not fill the routine.
func TestDevManyBuilds(t *testing.T) {
	p := startDev(t, map[string]string{"index.html": "<p>0</p>"})
	next := p.events(t)
	next()
	for i := 1; i <= 11; i++ {
		want := "<p>" + strings.Repeat("x", i) + "</p>"
		p.write(t, "index.html", want)
		next()
		_, body := p.get(t, "/")
		require.True(t, strings.HasPrefix(body, want), body)
	}
	require.Empty(t, p.err.String())
}

// TestDevReadsKVAgain: what changes in kv.json is stored, and what the function
// wrote stays.
func TestDevReadsKVAgain(t *testing.T) {
	p := startDev(t, map[string]string{
		"esa.jsonc": `{"name":"kv","entry":"fn.js"}`,
		"kv.json":   `{"ns": {"kept": "file", "changed": "one", "gone": "x", "own": "file"}}`,
		"fn.js": `export default { async fetch(request) {
			const kv = new EdgeKV({ namespace: "ns" }), url = new URL(request.url);
			if (request.method === "PUT") await kv.put(url.pathname.slice(1), await request.text());
			const other = url.pathname === "/more" ? await new EdgeKV({ namespace: "more" }).get("a", { type: "json" }) : null;
			const all = {};
			for (const key of ["kept", "changed", "gone", "own", "made"]) all[key] = await kv.get(key, { type: "text" }) ?? null;
			return Response.json(other ?? all);
		} }`,
	})
	put := func(key, value string) {
		r, err := http.NewRequestWithContext(t.Context(), "PUT", p.url+"/"+key, strings.NewReader(value))
		require.NoError(t, err)
		ask(t, r, false).Body.Close()
	}
	put("own", "function")
	put("made", "function")
	put("changed", "function")
	p.write(t, "kv.json", `{"ns": {"kept": "file", "changed": "two", "own": "file"}, "more": {"a": [1, 2]}}`)
	p.says(t, p.out, "kv.json was read again: 2 stored, 1 deleted")
	_, body := p.get(t, "/")
	require.JSONEq(t, `{"kept":"file","changed":"two","gone":null,"own":"function","made":"function"}`, body)
	_, body = p.get(t, "/more")
	require.JSONEq(t, `[1,2]`, body)

	p.write(t, "kv.json", "{\n\"ns\": {")
	p.says(t, p.err, "kv.json:2:")
	require.Contains(t, p.err.String(), "the pairs stay as they are")
	require.NoError(t, os.Remove(filepath.Join(p.dir, "kv.json")))
	p.says(t, p.out, "kv.json was read again: 0 stored, 4 deleted")
	_, body = p.get(t, "/")
	require.JSONEq(t, `{"kept":null,"changed":null,"gone":null,"own":null,"made":"function"}`, body)
}

// TestDevHasAnOrigin: dev.localUpstream is where fetch(request) goes, and what
// the function takes the site for.
func TestDevHasAnOrigin(t *testing.T) {
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/old" {
			http.Redirect(w, r, "http://"+r.Host+"/new", http.StatusFound)
			return
		}
		fmt.Fprintf(w, "%s %s%s", r.Method, r.Host, r.URL)
	}))
	t.Cleanup(origin.Close)
	host := "localhost:" + origin.URL[strings.LastIndexByte(origin.URL, ':')+1:]
	files := map[string]string{
		"esa.jsonc": `{"name":"fn","entry":"fn.js","dev":{"localUpstream":"` + host + `"}}`,
		"fn.js": `export default { async fetch(request) {
			if (new URL(request.url).pathname === "/url") return new Response(request.url);
			return fetch(request, { redirect: "manual" });
		} }`,
	}
	for name, args := range map[string][]string{"configuration": nil, "flag": {"--local-upstream", host}} {
		t.Run(name, func(t *testing.T) {
			project := maps.Clone(files)
			if args != nil {
				project["esa.jsonc"] = `{"name":"fn","entry":"fn.js","dev":{"localUpstream":"http://127.0.0.1/"}}`
			}
			p := startDev(t, project, args...)
			_, body := p.get(t, "/a?b=c")
			require.Equal(t, "GET "+host+"/a?b=c", body)
			_, body = p.get(t, "/url")
			require.Equal(t, "http://"+host+"/url", body)
			res, _ := p.get(t, "/old")
			require.Equal(t, "/new", res.Header.Get("Location"), "redirects stay on the server")
		})
	}
}

func TestDevUsage(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	site := map[string]string{"index.html": "x"}
	with := func(name, text string) map[string]string { return map[string]string{"index.html": "x", name: text} }
	for name, c := range map[string]struct {
		files map[string]string
		args  []string
		want  string
	}{
		"port in use":     {site, []string{"--listen", taken.Addr().String()}, "--listen 127.0.0.1:0"},
		"an account":      {site, []string{"--endpoint", "https://esa.example.com"}, "--endpoint"},
		"broken config":   {with("esa.jsonc", "{\n\"name\": 3}"), nil, "esa.jsonc:2:"},
		"bad port":        {with("esa.jsonc", `{"dev":{"port":"x"}}`), nil, "dev.port must be"},
		"port of project": {with("esa.jsonc", `{"dev":{"port":`+taken.Addr().String()[len("127.0.0.1:"):]+`}}`), nil, taken.Addr().String()},
		"bad upstream":    {with("esa.jsonc", `{"dev":{"localUpstream":"http://127.0.0.1:3000"}}`), nil, "dev.localUpstream must be"},
		"upstream flag":   {site, []string{"--local-upstream", "https://user@www.example.com"}, "--local-upstream"},
		"broken kv":       {with("kv.json", "{\n\"ns\": {\n\"a\": }}"), nil, "kv.json:3:"},
		"cut kv":          {with("kv.json", "{\n\"ns\": {"), nil, "kv.json:2:"},
		"bad namespace":   {with("kv.json", `{"a b": {}}`), nil, "a b"},
		"flat kv":         {with("kv.json", "{\n\"ns\": 3}"), nil, `kv.json:2: it must be {"NAMESPACE": {"KEY": VALUE}}, with no number here`},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, log := shell(t, environment(), append([]string{"dev", writeSite(t, c.files)}, c.args...)...)
			require.NotEqual(t, 0, code)
			require.Empty(t, out)
			require.Contains(t, log, c.want)
		})
	}
	code, _, log := shell(t, environment(), "dev", writeSite(t, site), "--not-found-strategy", "spa")
	require.Equal(t, 2, code)
	require.Contains(t, log, "singlePageApplication")
	code, _, log = shell(t, environment(), "dev", filepath.Join(t.TempDir(), "gone"))
	require.Equal(t, 1, code)
	require.Contains(t, log, "gone")
}
