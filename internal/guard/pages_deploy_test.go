package guard_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local"
	"github.com/esa-mcp/esa-mcp/internal/local/routine"
	"github.com/esa-mcp/esa-mcp/tools"
)

// folder is a folder with the files.
func (w *world) folder(files map[string]string) string {
	w.Helper()
	dir := w.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		require.NoError(w, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(w, os.WriteFile(path, []byte(content), 0o644))
	}
	return dir
}

// deploys calls a deploy tool, which has to succeed, for the routine fn.
func (w *world) deploys(tool string, arguments map[string]any) (out tools.DeployOutput) {
	w.Helper()
	arguments["name"] = "fn"
	text, err := w.tool(tool, arguments)
	require.NoError(w, err)
	require.NoError(w, json.Unmarshal([]byte(text), &out))
	return out
}

// said are the notes of a tool's result of the guardrail on trial.
func (w *world) said(out tools.DeployOutput) string {
	var texts []string
	for _, n := range out.Notes {
		if n.ID == w.id {
			texts = append(texts, n.Text)
		}
	}
	return strings.Join(texts, "\n")
}

// opens gets a path below an address on the local edge's default domains.
func (w *world) opens(address, path, mode string) (status int, body string) {
	w.Helper()
	u, err := url.Parse(address)
	require.NoError(w, err)
	u.Path = path
	host := u.Host
	edge, err := url.Parse(w.local.Info().Edge)
	require.NoError(w, err)
	u.Host = edge.Host
	r, err := http.NewRequestWithContext(w.Context(), http.MethodGet, u.String(), nil)
	require.NoError(w, err)
	r.Host = host
	r.Header.Set("Sec-Fetch-Mode", mode)
	res, err := http.DefaultClient.Do(r)
	require.NoError(w, err)
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	require.NoError(w, err)
	return res.StatusCode, string(raw)
}

// live puts a version live by a raw call, and returns an address that opens.
func (w *world) live(version string) string {
	w.Helper()
	w.do("CreateRoutineCodeDeployment", deployment("production", version, 100))
	return w.address()
}

// address is one of production that opens.
func (w *world) address() string {
	w.Helper()
	domain := text(w.do("GetRoutine", params{"Name": "fn"})["DefaultRelatedRecord"])
	token := text(w.do("GetRoutineAccessToken", params{"Name": "fn"})["Token"])
	return "http://" + domain + "/?" + url.Values{"esa_er_token": {token}}.Encode()
}

func TestGuardrail_pages_html_escape(t *testing.T) {
	page := "<!doctype html><script>let a = `${1}\\n\\d\\\\`</script>\u2028\r\n"
	prove(t, "pages-html-escape", proof{
		setup: fn,
		with: func(w *world) {
			_, body := w.opens(w.deploys("deploy_html", map[string]any{"html": page}).URL, "/", "navigate")
			require.Equal(w, page, body)
			dir := w.folder(map[string]string{"page.html": page,
				"index.js": `import page from "./page.html"; export default { fetch: () => new Response(page) }`})
			out := w.deploys("deploy_routine", map[string]any{"entry": filepath.Join(dir, "index.js"), "force": true})
			_, body = w.opens(out.URL, "/", "navigate")
			require.Equal(w, page, body, "in a script too")
		},
		without: func(w *world) {
			escaped := strings.NewReplacer("`", "\\`", "$", "\\$").Replace(page) // as it is usually done
			_, body := w.opens(w.live(w.version("export default { fetch: () => new Response(`"+escaped+"`) }")), "/", "navigate")
			require.NotEqual(w, page, body, "backslashes are gone")
		},
	})
}

func TestGuardrail_pages_empty(t *testing.T) {
	prove(t, "pages-empty", proof{
		setup: fn,
		with: func(w *world) {
			for _, files := range []map[string]string{{}, {".DS_Store": "x", ".env": "K=v"}} {
				_, err := w.tool("deploy_pages", map[string]any{"name": "fn", "path": w.folder(files)})
				require.ErrorContains(w, err, "pages-empty")
			}
			require.Empty(w, w.sent, "nothing was sent")
		},
		without: func(w *world) {
			_, status := w.archive(nil)
			require.Equal(w, "failed", status, "it shows after the upload alone")
		},
	})
}

func TestGuardrail_pages_secrets(t *testing.T) {
	key := "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n"
	site := map[string]string{"index.html": "home", ".env": "KEY=secret", ".git/config": "x", "key.txt": key, "node_modules/a/index.js": "x"}
	prove(t, "pages-secrets", proof{
		setup: fn,
		with: func(w *world) {
			dir := w.folder(site)
			out := w.deploys("deploy_pages", map[string]any{"path": dir})
			require.Contains(w, w.said(out), "left out: 4")
			require.Len(w, out.Skipped, 4)
			for name := range site {
				status, _ := w.opens(out.URL, "/"+name, "")
				require.Equal(w, map[bool]int{true: 200, false: 404}[name == "index.html"], status, name)
			}
			outside := filepath.Join(w.folder(map[string]string{"passwd": "x"}), "passwd")
			require.NoError(w, os.Symlink(outside, filepath.Join(dir, "link")))
			_, err := w.tool("deploy_pages", map[string]any{"name": "fn", "path": dir})
			require.ErrorContains(w, err, "pages-secrets")
		},
		without: func(w *world) {
			version, status := w.archive(map[string]string{"assets/index.html": "home", "assets/.env": "KEY=secret"})
			require.Equal(w, "available", status)
			_, body := w.opens(w.live(version), "/.env", "")
			require.Equal(w, "KEY=secret", body, "everybody can read it")
		},
	})
}

func TestGuardrail_pages_limits(t *testing.T) {
	prove(t, "pages-limits", proof{
		options: local.Options{Routine: routine.Config{Limits: routine.Limits{MaxAsset: 1000, MaxCode: 1000}}},
		setup:   fn,
		with: func(w *world) {
			dir := w.folder(map[string]string{"index.html": "home", "big.bin": ""})
			require.NoError(w, os.Truncate(filepath.Join(dir, "big.bin"), 25<<20+1))
			_, err := w.tool("deploy_pages", map[string]any{"name": "fn", "path": dir})
			require.ErrorContains(w, err, "big.bin")
			require.ErrorContains(w, err, "pages-limits")
			_, err = w.tool("deploy_routine", map[string]any{"name": "fn", "code": "export default '" + strings.Repeat("x", 5<<20) + "'"})
			require.ErrorContains(w, err, "pages-limits")
			require.Empty(w, w.sent, "nothing was sent")
		},
		without: func(w *world) {
			_, status := w.archive(map[string]string{"assets/big.bin": strings.Repeat("x", 1001)})
			require.Equal(w, "failed", status, "it shows after the upload alone")
		},
	})
}

func TestGuardrail_pages_staging_first(t *testing.T) {
	// once refuses the first deployment, which is that to staging.
	once := func(w *world) {
		first := true
		w.meddle(func(action string) error {
			if action != "CreateRoutineCodeDeployment" || !first {
				return nil
			}
			first = false
			return answer(w, 400, "StagingRefused")
		})
	}
	shown := func(w *world) string { // in production
		w.Helper()
		_, body := w.opens(w.address(), "/", "navigate")
		return body
	}
	prove(t, "pages-staging-first", proof{
		setup: func(w *world) {
			fn(w)
			w.live(w.version(answersHello))
		},
		with: func(w *world) {
			once(w)
			_, err := w.tool("deploy_html", map[string]any{"name": "fn", "html": "new"})
			require.ErrorContains(w, err, "StagingRefused")
			require.ErrorContains(w, err, "Live now: ", "it says what is where")
			require.Equal(w, 1, count(w.sent, "CreateRoutineCodeDeployment"))
			require.Equal(w, "hello", shown(w))
			w.deploys("deploy_html", map[string]any{"html": "new"})
			require.Equal(w, "new", shown(w))
		},
		without: func(w *world) {
			next := w.version(strings.Replace(answersHello, "hello", "new", 1))
			once(w)
			w.fails("StagingRefused", "CreateRoutineCodeDeployment", deployment("staging", next, 100))
			w.goesThrough("CreateRoutineCodeDeployment", deployment("production", next, 100))
			require.Equal(w, "new", shown(w), "what staging refused is in production")
		},
	})
}

func TestGuardrail_pages_url_token(t *testing.T) {
	prove(t, "pages-url-token", proof{
		setup: fn,
		with: func(w *world) {
			out := w.deploys("deploy_html", map[string]any{"html": "page"})
			status, body := w.opens(out.URL, "/", "navigate")
			require.Equal(w, 200, status)
			require.Equal(w, "page", body)
			require.True(w, out.Private)
			require.Contains(w, w.said(out), "the token dies after an hour")
			require.Contains(w, w.said(out), "use bind_custom_domain")
		},
		without: func(w *world) {
			address, _, _ := strings.Cut(w.live(w.version(answersHello)), "?")
			status, _ := w.opens(address, "/", "navigate")
			require.Equal(w, 401, status)
		},
	})
}

func TestGuardrail_pages_spa(t *testing.T) {
	config := `{"name":"fn","entry":"index.js","assets":{"directory":"public","notFoundStrategy":"singlePageApplication"}}`
	site := map[string]string{"esa.jsonc": config, "public/index.html": "home", "index.js": answersHello}
	prove(t, "pages-spa", proof{
		setup: fn,
		with: func(w *world) {
			out := w.deploys("deploy_pages", map[string]any{"path": w.folder(site)})
			require.Contains(w, w.said(out), "never reaches the function")
			site["esa.jsonc"] = strings.Replace(config, `,"notFoundStrategy":"singlePageApplication"`, "", 1)
			require.Empty(w, w.said(w.deploys("deploy_pages", map[string]any{"path": w.folder(site)})))
			site["esa.jsonc"] = config
		},
		without: func(w *world) {
			out := w.deploys("deploy_pages", map[string]any{"path": w.folder(site)})
			_, body := w.opens(out.URL, "/api", "navigate")
			require.Equal(w, "home", body, "the strategy answers")
			_, body = w.opens(out.URL, "/api", "cors")
			require.Equal(w, "hello", body)
		},
	})
}

func TestGuardrail_er_lint(t *testing.T) {
	code := "export default {\n  async fetch(request) {\n    const hit = await caches.default.match(request);\n    return hit || new Response(request.cf.country);\n  },\n}\n"
	prove(t, "er-lint", proof{
		setup: fn,
		with: func(w *world) {
			dir := w.folder(map[string]string{"index.js": code})
			out := w.deploys("deploy_routine", map[string]any{"entry": filepath.Join(dir, "index.js")})
			require.Contains(w, w.said(out), "index.js:3: there is no caches")
			require.Contains(w, w.said(out), "index.js:4: request.cf does not exist")
			require.Empty(w, w.said(w.deploys("deploy_routine", map[string]any{"code": answersHello})))
		},
		without: func(w *world) {
			status, _ := w.opens(w.live(w.version(code)), "/", "navigate")
			require.Equal(w, 500, status, "it shows at the first request alone")
		},
	})
}
