package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/tools"
)

const hello = "../../testdata/sites/hello"

func absolute(t *testing.T, path string) string {
	t.Helper()
	abs, err := filepath.Abs(path)
	require.NoError(t, err)
	return abs
}

func TestDeployIsServedByteForByte(t *testing.T) {
	t.Parallel()
	s := startLocal(t)
	out := callOK[tools.DeployOutput](t, s, "deploy_pages", arguments{"name": "hello", "path": absolute(t, hello)})
	require.Equal(t, tools.StatusLive, out.Status)
	require.NotEmpty(t, out.Version)
	require.True(t, out.Private)
	for _, e := range out.Live {
		require.Equal(t, []tools.LiveVersion{{Version: out.Version, Percentage: 100}}, e.Versions, e.Environment)
	}
	files := 0
	require.NoError(t, filepath.WalkDir(hello, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		want, err := os.ReadFile(path)
		require.NoError(t, err)
		rel, err := filepath.Rel(hello, path)
		require.NoError(t, err)
		for _, address := range []string{out.URL, out.StagingURL} {
			status, got := browse(t, at(t, address, "/"+filepath.ToSlash(rel)))
			require.Equal(t, 200, status, rel)
			require.Equal(t, string(want), got, rel)
		}
		files++
		return nil
	}))
	require.Equal(t, files, out.Files)

	status, _ := browse(t, strings.Split(out.URL, "?")[0])
	require.Equal(t, 401, status, "the default domain is private")

	s.mu.Lock()
	defer s.mu.Unlock()
	require.NotEmpty(t, s.progress, "a deploy tells how far it is")
	last := -1.0
	for _, n := range s.progress {
		done, _ := n.Params.AdditionalFields["progress"].(float64)
		require.GreaterOrEqual(t, done, last, "progress goes forward")
		last = done
	}
}

func TestSameContentIsNotSentAgain(t *testing.T) {
	t.Parallel()
	s := startLocal(t)
	site := writeSite(t, map[string]string{"index.html": "one", "a/b.txt": "b"})
	first := callOK[tools.DeployOutput](t, s, "deploy_pages", arguments{"name": "same", "path": site})
	require.Positive(t, first.Uploaded)
	again := callOK[tools.DeployOutput](t, s, "deploy_pages", arguments{"name": "same", "path": site})
	require.Equal(t, tools.StatusUnchanged, again.Status)
	require.Equal(t, first.Version, again.Version)
	require.Zero(t, again.Uploaded)

	strategy := callOK[tools.DeployOutput](t, s, "deploy_pages", arguments{"name": "same", "path": site, "not_found_strategy": "SinglePageApplication"})
	require.Equal(t, tools.StatusLive, strategy.Status, "other settings are another version")
	require.NotEqual(t, first.Version, strategy.Version)
	status, body := browse(t, at(t, strategy.URL, "/no/such/page"))
	require.Equal(t, 200, status)
	require.Equal(t, "one", body)

	back := callOK[tools.DeployOutput](t, s, "deploy_pages", arguments{"name": "same", "path": site})
	require.Equal(t, tools.StatusLive, back.Status)
	require.Equal(t, first.Version, back.Version, "an old version with this content is used again")
	require.Zero(t, back.Uploaded)

	forced := callOK[tools.DeployOutput](t, s, "deploy_pages", arguments{"name": "same", "path": site, "force": true})
	require.NotEqual(t, first.Version, forced.Version)
	require.Positive(t, forced.Uploaded)
}

func TestStagingThenPromotion(t *testing.T) {
	t.Parallel()
	s := startLocal(t)
	site := writeSite(t, map[string]string{"index.html": "v1"})
	first := callOK[tools.DeployOutput](t, s, "deploy_pages", arguments{"name": "staged", "path": site, "environment": "staging"})
	_, body := browse(t, first.StagingURL)
	require.Equal(t, "v1", body)
	require.Empty(t, first.Live[1].Versions, "production has nothing")
	require.Equal(t, first.StagingURL, first.URL)
	both := callOK[tools.DeployOutput](t, s, "deploy_pages", arguments{"name": "staged", "path": site})
	require.Equal(t, first.Version, both.Version, "what staging has is promoted, not uploaded again")
	require.Zero(t, both.Uploaded)
	_, body = browse(t, both.URL)
	require.Equal(t, "v1", body)
}

func TestPercentageSplitsTheRequests(t *testing.T) {
	t.Parallel()
	s := startLocal(t)
	text := s.refuse(t, "deploy_html", arguments{"name": "split", "html": "a", "percentage": 30})
	require.Contains(t, text, "deploy with percentage 100 first")
	callOK[tools.DeployOutput](t, s, "deploy_html", arguments{"name": "split", "html": "old"})
	out := callOK[tools.DeployOutput](t, s, "deploy_html", arguments{"name": "split", "html": "new", "percentage": 30})
	require.Equal(t, int64(30), out.Live[1].Versions[0].Percentage)
	require.Equal(t, int64(70), out.Live[1].Versions[1].Percentage)
	seen := map[string]int{}
	for range 200 {
		_, body := browse(t, out.URL)
		seen[body]++
	}
	require.Equal(t, 200, seen["old"]+seen["new"])
	require.InDelta(t, 60, seen["new"], 45, "30 %% of 200: %v", seen)
}

func TestHTMLSurvives(t *testing.T) {
	t.Parallel()
	s := startLocal(t)
	page := "<!doctype html><script>let a = `${1}\\n\\\\ $&` </script>\u2028\u00e9 \U0001F600</html>\r\n"
	out := callOK[tools.DeployOutput](t, s, "deploy_html", arguments{"name": "page", "html": page})
	status, body := browse(t, out.URL)
	require.Equal(t, 200, status)
	require.Equal(t, page, body)

	file := filepath.Join(t.TempDir(), "page.html")
	require.NoError(t, os.WriteFile(file, []byte("from a file"), 0o644))
	out = callOK[tools.DeployOutput](t, s, "deploy_html", arguments{"name": "page", "path": file})
	_, body = browse(t, out.URL)
	require.Equal(t, "from a file", body)
}

func TestStateSurvivesTheProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	site := writeSite(t, map[string]string{"index.html": "kept"})
	one := start(t, environment(), "--local", "--local-dir", dir)
	first := callOK[tools.DeployOutput](t, one, "deploy_pages", arguments{"name": "kept", "path": site})
	two := start(t, environment(), "--local", "--local-dir", dir) // beside the first
	seen := callOK[tools.GetRoutineOutput](t, two, "get_routine", arguments{"name": "kept"})
	_, body := browse(t, seen.URL)
	require.Equal(t, "kept", body, "a second process serves it")
	callOK[tools.DeployOutput](t, two, "deploy_html", arguments{"name": "kept", "html": "changed by two"})
	_, body = browse(t, first.URL)
	require.Equal(t, "changed by two", body, "the first process serves what the second deployed")
	require.NoError(t, one.Close())
	require.NoError(t, two.Close())
	three := start(t, environment(), "--local", "--local-dir", dir)
	seen = callOK[tools.GetRoutineOutput](t, three, "get_routine", arguments{"name": "kept"})
	_, body = browse(t, seen.URL)
	require.Equal(t, "changed by two", body)
}

func TestFoldersThatCannotBeDeployed(t *testing.T) {
	t.Parallel()
	s := startLocal(t)
	loop := writeSite(t, map[string]string{"index.html": "x"})
	require.NoError(t, os.Symlink("loop", filepath.Join(loop, "loop")))
	dangling := writeSite(t, map[string]string{"index.html": "x"})
	require.NoError(t, os.Symlink("nothing.txt", filepath.Join(dangling, "link.txt")))
	leaving := writeSite(t, map[string]string{"index.html": "x"})
	require.NoError(t, os.Symlink("/etc/passwd", filepath.Join(leaving, "out.txt")))
	big := writeSite(t, map[string]string{"index.html": "x"})
	require.NoError(t, os.WriteFile(filepath.Join(big, "big.bin"), nil, 0o644))
	require.NoError(t, os.Truncate(filepath.Join(big, "big.bin"), 26<<20))
	file := filepath.Join(t.TempDir(), "file.html")
	require.NoError(t, os.WriteFile(file, []byte("x"), 0o644))
	for name, c := range map[string]struct {
		path string
		want []string
	}{
		"missing":                     {"/no/such/folder", []string{"/no/such/folder", "does not exist"}},
		"a file":                      {file, []string{"deploy_html"}},
		"empty":                       {t.TempDir(), []string{"pages-empty"}},
		"only litter":                 {writeSite(t, map[string]string{".DS_Store": "x", ".env": "K=v"}), []string{"pages-empty", ".env"}},
		"symlink loop":                {loop, []string{"loop"}},
		"dangling link":               {dangling, []string{"link.txt", "nothing.txt"}},
		"link that leaves the folder": {leaving, []string{"out.txt", "/etc/passwd"}},
		"too big a file":              {big, []string{"big.bin", "pages-limits"}},
		"not built yet": {writeSite(t, map[string]string{"esa.jsonc": `{"assets": {"directory": "./dist"}}`, "package.json": "{}"}),
			[]string{"esa.jsonc", "assets.directory", "dist", "build the project first"}},
		"empty function":             {writeSite(t, map[string]string{"index.html": "x", "esa.jsonc": `{"entry": "f.js", "assets": {"directory": "."}}`, "f.js": "// later\n"}), []string{"f.js", "has no code", "export default"}},
		"function that is not there": {writeSite(t, map[string]string{"index.html": "x", "esa.jsonc": `{"entry": "f.js", "assets": {"directory": "."}}`}), []string{"f.js", "does not exist"}},
		"broken config":              {writeSite(t, map[string]string{"esa.jsonc": "{ \"name\": ", "index.html": "x"}), []string{"esa.jsonc"}},
	} {
		t.Run(name, func(t *testing.T) {
			text := s.refuse(t, "deploy_pages", arguments{"name": "bad", "path": c.path})
			for _, want := range c.want {
				require.Contains(t, text, want)
			}
		})
	}
	list := callOK[tools.ListRoutinesOutput](t, s, "list_routines", nil)
	require.Empty(t, list.Routines, "nothing was made")
}

func TestSecretsStayHome(t *testing.T) {
	t.Parallel()
	s := startLocal(t)
	site := writeSite(t, map[string]string{
		"index.html": "x", ".env": "SECRET=1", ".env.production": "SECRET=2", "keys/id_rsa": "k", "node_modules/a/index.js": "m",
		".git/config": "g", "notes.txt": "-----BEGIN RSA PRIVATE KEY-----\nabc\n", ".well-known/security.txt": "contact", "sub/.DS_Store": "d",
	})
	out := callOK[tools.DeployOutput](t, s, "deploy_pages", arguments{"name": "secrets", "path": site})
	left := map[string]bool{}
	for _, skipped := range out.Skipped {
		require.NotEmpty(t, skipped.Reason, skipped.Path)
		left[strings.TrimSuffix(skipped.Path, "/")] = true
	}
	for _, path := range []string{".env", ".env.production", "keys/id_rsa", "node_modules", ".git", "notes.txt", "sub/.DS_Store"} {
		require.True(t, left[path], "%s is listed as left out: %v", path, out.Skipped)
		status, _ := browse(t, at(t, out.URL, "/"+path))
		require.Equal(t, 404, status, path)
	}
	status, body := browse(t, at(t, out.URL, "/.well-known/security.txt"))
	require.Equal(t, 200, status)
	require.Equal(t, "contact", body)
}

// TestFoldersThatAreNotTheSite deploys what can be deployed and was hardly meant:
// the sources of a site, or the folder above it.
func TestFoldersThatAreNotTheSite(t *testing.T) {
	t.Parallel()
	s := startLocal(t)
	const built = `{"scripts": {"build": "vite build"}}`
	for name, c := range map[string]struct {
		files map[string]string
		notes map[string]string
	}{
		"sources":       {map[string]string{"index.html": "x", "package.json": built, "src/main.ts": "1"}, map[string]string{"unbuilt": "dist"}},
		"no build":      {map[string]string{"index.html": "x", "package.json": `{"scripts": {"test": "true"}}`}, nil},
		"not JSON":      {map[string]string{"index.html": "x", "package.json": "{"}, nil},
		"built":         {map[string]string{"esa.jsonc": `{"assets": {"directory": "dist"}}`, "package.json": built, "dist/index.html": "x"}, nil},
		"whole project": {map[string]string{"esa.jsonc": `{"assets": {"directory": "."}}`, "package.json": built, "index.html": "x"}, nil},
		"folder above":  {map[string]string{"site/index.html": "x", "site/a.css": "y"}, map[string]string{"no-index": "/site/a.css"}},
		"function":      {map[string]string{"esa.jsonc": `{"entry": "f.js"}`, "f.js": "export default { fetch() {} }"}, nil},
		"with function": {map[string]string{"esa.jsonc": `{"entry": "f.js", "assets": {"directory": "."}}`, "f.js": "export default { fetch() {} }", "a.css": "y"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			out := callOK[tools.DeployOutput](t, s, "deploy_pages", arguments{"name": "sources", "path": writeSite(t, c.files), "dry_run": true})
			notes := map[string]string{}
			for _, n := range out.Notes {
				if n.ID != tools.NoteSkipped {
					notes[n.ID] = n.Text
				}
			}
			require.Len(t, notes, len(c.notes), notes)
			for id, want := range c.notes {
				require.Contains(t, notes[id], want, id)
			}
		})
	}
}

func TestUnreadableFile(t *testing.T) {
	t.Parallel()
	site := writeSite(t, map[string]string{"index.html": "x", "locked.txt": "y"})
	require.NoError(t, os.Chmod(filepath.Join(site, "locked.txt"), 0))
	for dir := site; len(dir) > len(os.TempDir()); dir = filepath.Dir(dir) {
		require.NoError(t, os.Chmod(dir, 0o755))
	}
	s := startAs(t, asNobody, environment(), "--local", "--local-dir", ":memory:")
	text := s.refuse(t, "deploy_pages", arguments{"name": "locked", "path": site})
	require.Contains(t, text, "locked.txt")
	require.Contains(t, text, "permission")
}

func TestDryRunSendsNothing(t *testing.T) {
	t.Parallel()
	s := start(t, environment()) // no credentials at all
	site := writeSite(t, map[string]string{"index.html": "x", ".env": "S=1"})
	out := callOK[tools.DeployOutput](t, s, "deploy_pages", arguments{"name": "dry", "path": site, "dry_run": true})
	require.Equal(t, tools.StatusDryRun, out.Status)
	require.Equal(t, 1, out.Files)
	require.Equal(t, ".env", out.Skipped[0].Path)
}

func TestProjectWithFunction(t *testing.T) {
	t.Parallel()
	s := startLocal(t)
	project := writeSite(t, map[string]string{
		"esa.jsonc":         "{\n// https://example.com\n\"name\": \"project\", \"entry\": \"src/index.ts\", \"assets\": {\"directory\": \"./dist\", \"notFoundStrategy\": \"404Page\"},\n}",
		"src/index.ts":      `import {who} from "./who"; export default { async fetch(r: Request): Promise<Response> { return new Response(who) } }`,
		"src/who.ts":        `export const who: string = "function"`,
		"dist/index.html":   "page",
		"dist/404.html":     "gone",
		"package-lock.json": "{}",
	})
	out := callOK[tools.DeployOutput](t, s, "deploy_pages", arguments{"path": project})
	require.Equal(t, "project", out.Name)
	_, body := browse(t, out.URL)
	require.Equal(t, "page", body)
	status, body := browse(t, at(t, out.URL, "/src/index.ts"))
	require.Equal(t, 200, status)
	require.Equal(t, "function", body, "the source is no asset: the function answers")
	var ids []string
	for _, n := range out.Notes {
		ids = append(ids, n.ID)
	}
	require.Contains(t, ids, "pages-spa", "a not-found strategy hides the function from navigation")

	broken := writeSite(t, map[string]string{"index.html": "x", "fn.ts": "export default {\n  fetch( {"})
	text := s.refuse(t, "deploy_pages", arguments{"name": "broken", "path": broken, "entry": "fn.ts"})
	require.Contains(t, text, "fn.ts:2")
}

func TestUploadRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := start(t, r.env)
	callOK[tools.DeployOutput](t, s, "deploy_html", arguments{"name": "refused", "html": "old"})
	before := live(t, r, "refused")
	r.set(func(w http.ResponseWriter, q *http.Request) bool {
		if action(q) != "" {
			return false
		}
		w.WriteHeader(http.StatusForbidden)
		io.WriteString(w, `<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>You are forbidden to upload.</Message><RequestId>6A1</RequestId></Error>`)
		return true
	})
	text := s.refuse(t, "deploy_html", arguments{"name": "refused", "html": "new"})
	require.Contains(t, text, "AccessDenied")
	require.Contains(t, text, "6A1")
	require.Contains(t, text, "Live now: staging: version "+before[0].Versions[0].Version)
	require.Equal(t, before, live(t, r, "refused"))
	versions := callOK[tools.GetRoutineOutput](t, start(t, r.env), "get_routine", arguments{"name": "refused"}).Versions
	require.Len(t, versions, 1, "the version without content was taken back")
}

func TestBuildFailed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := start(t, r.env)
	callOK[tools.DeployOutput](t, s, "deploy_html", arguments{"name": "failing", "html": "old"})
	before := live(t, r, "failing")
	r.set(func(_ http.ResponseWriter, q *http.Request) bool {
		if action(q) == "" { // spoil the zip on its way
			body, _ := io.ReadAll(q.Body)
			spoiled := bytes.ReplaceAll(body, []byte("assets/index.html"), []byte("assetz/index.html"))
			q.Body, q.ContentLength = io.NopCloser(bytes.NewReader(spoiled)), int64(len(spoiled))
		}
		return false
	})
	text := s.refuse(t, "deploy_html", arguments{"name": "failing", "html": "new"})
	require.Contains(t, text, "could not build version")
	require.Contains(t, text, "Live now: staging: version "+before[0].Versions[0].Version+" (100 %); production: version ")
	require.Equal(t, before, live(t, r, "failing"))
}

func TestProductionFailsAfterStaging(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := start(t, r.env)
	first := callOK[tools.DeployOutput](t, s, "deploy_html", arguments{"name": "half", "html": "old"})
	r.set(func(w http.ResponseWriter, q *http.Request) bool {
		if action(q) != "CreateRoutineCodeDeployment" {
			return false
		}
		body, _ := io.ReadAll(q.Body)
		q.Body = io.NopCloser(bytes.NewReader(body))
		return strings.Contains(string(body), "Env=production") && refuseAPI(w, 403, "NoPermission", "You are not authorized.")
	})
	text := s.refuse(t, "deploy_html", arguments{"name": "half", "html": "new"})
	require.Contains(t, text, "deployment to production of half failed")
	require.Contains(t, text, "NoPermission")
	now := live(t, r, "half")
	require.NotEqual(t, first.Version, now[0].Versions[0].Version)
	require.Contains(t, text, "staging: version "+now[0].Versions[0].Version)
	require.Contains(t, text, "production: version "+first.Version)
}

func TestThrottledCallsAreRepeated(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var refused atomic.Int32
	r.set(func(w http.ResponseWriter, q *http.Request) bool {
		return action(q) != "" && refused.Add(1)%2 == 1 && refuseAPI(w, 400, "Throttling.Api", "Request was denied due to api flow control.")
	})
	s := start(t, r.env)
	out := callOK[tools.DeployOutput](t, s, "deploy_html", arguments{"name": "throttled", "html": "x"})
	require.Equal(t, tools.StatusLive, out.Status)
	require.Greater(t, refused.Load(), int32(8))
}

func TestThrottledForEver(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.set(func(w http.ResponseWriter, q *http.Request) bool {
		return refuseAPI(w, 400, "Throttling.User", "Request was denied due to user flow control.")
	})
	s := start(t, r.env, "--timeout", "3s")
	text := s.refuse(t, "deploy_html", arguments{"name": "throttled", "html": "x"})
	require.Contains(t, text, "Throttling.User")
	require.Contains(t, text, "00000000-0000-0000-0000-00000000BAD0")
	require.Empty(t, callOK[tools.ListRoutinesOutput](t, func() *server { r.set(nil); return start(t, r.env) }(), "list_routines", nil).Routines)
}

func TestServiceDoesNotAnswer(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.set(func(_ http.ResponseWriter, q *http.Request) bool {
		<-q.Context().Done()
		return true
	})
	s := start(t, r.env, "--timeout", "1s")
	text := s.refuse(t, "list_sites", nil)
	require.Contains(t, text, "RequestTimeout")
	require.Contains(t, text, "ESA_MCP_TIMEOUT")
}

func TestCancelledUpload(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := start(t, r.env)
	uploading := make(chan struct{})
	gone := make(chan struct{})
	r.set(func(_ http.ResponseWriter, q *http.Request) bool {
		if action(q) != "" {
			return false
		}
		io.CopyN(io.Discard, q.Body, 1024)
		close(uploading)
		io.Copy(io.Discard, q.Body) // the end of a connection shows once its body is read
		<-q.Context().Done()
		close(gone)
		return true
	})
	site := writeSite(t, map[string]string{"index.html": "x"})
	require.NoError(t, os.WriteFile(filepath.Join(site, "big.bin"), bytes.Repeat([]byte("0123456789abcdef"), 1<<18), 0o644))
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-uploading
		cancel()
	}()
	_, err := s.callRaw(ctx, "deploy_pages", arguments{"name": "cancelled", "path": site})
	require.ErrorIs(t, err, context.Canceled)
	select {
	case <-gone:
	case <-time.After(time.Minute):
		t.Fatal("the upload went on after the call was cancelled")
	}
	// The server lives, nothing is live, and the version that got nothing goes.
	require.Eventually(t, func() bool {
		out := callOK[tools.GetRoutineOutput](t, s, "get_routine", arguments{"name": "cancelled"})
		return len(out.Versions) == 0
	}, time.Minute, 50*time.Millisecond)
	for _, e := range live(t, r, "cancelled") {
		require.Empty(t, e.Versions)
	}
}

func TestTwoDeploysOfOneName(t *testing.T) {
	t.Parallel()
	s := startLocal(t)
	results := make(chan string, 2)
	for _, page := range []string{"one", "two"} {
		go func() {
			result, err := s.callRaw(t.Context(), "deploy_html", arguments{"name": "race", "html": page})
			if err != nil || result.IsError {
				results <- "failed"
				return
			}
			results <- page
		}()
	}
	require.ElementsMatch(t, []string{"one", "two"}, []string{<-results, <-results}, "both succeed, one after the other")
	now := callOK[tools.GetRoutineOutput](t, s, "get_routine", arguments{"name": "race"})
	require.Len(t, now.Versions, 2)
	require.Equal(t, now.Live[0].Versions, now.Live[1].Versions, "staging and production have the same version")
	_, body := browse(t, now.URL)
	require.Contains(t, []string{"one", "two"}, body)
}

func TestBuildThatTakesLong(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := start(t, r.env, "--timeout", "4s") // else the deploy's own patience
	var building atomic.Bool
	building.Store(true)
	r.set(func(w http.ResponseWriter, q *http.Request) bool {
		if action(q) != "GetRoutineCodeVersionInfo" || !building.Load() {
			return false
		}
		body, _ := io.ReadAll(q.Body)
		q.Body = io.NopCloser(bytes.NewReader(body))
		return refuseAPI(w, 200, "", "") // no Status: not built yet
	})
	out := callOK[tools.DeployOutput](t, s, "deploy_html", arguments{"name": "slow", "html": "slow page"})
	require.Equal(t, tools.StatusBuilding, out.Status)
	require.Contains(t, out.Next, "get_deployment")
	for _, e := range out.Live {
		require.Empty(t, e.Versions)
	}
	building.Store(false)
	look := callOK[tools.DeployOutput](t, s, "get_deployment", arguments{"name": "slow", "version": out.Version})
	require.Equal(t, tools.StatusAvailable, look.Status)
	done := callOK[tools.DeployOutput](t, s, "get_deployment", arguments{"name": "slow", "version": out.Version, "resume": true})
	require.Equal(t, tools.StatusLive, done.Status)
	require.Equal(t, out.Version, done.Live[1].Versions[0].Version)
}

func TestDeleteRoutineAsksFirst(t *testing.T) {
	t.Parallel()
	s := startLocal(t)
	callOK[tools.DeployOutput](t, s, "deploy_html", arguments{"name": "doomed", "html": "x"})
	require.Equal(t, "routine doomed: live in production and staging; versions: 1", s.preview(t, "delete_routine", arguments{"name": "doomed"}).Lost)
	require.Contains(t, s.preview(t, "delete_routine", arguments{"name": "doomed", "confirm": "doomed"}).Next, "is not taken")
	callOK[tools.GetRoutineOutput](t, s, "get_routine", arguments{"name": "doomed"})
	gone := callOK[tools.DeleteRoutineOutput](t, s, "delete_routine", arguments{"name": "doomed"})
	require.True(t, gone.Deleted)
	require.Contains(t, s.refuse(t, "get_routine", arguments{"name": "doomed"}), "no routine")
}

func TestFileThatChangesWhileItIsRead(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := start(t, r.env)
	site := writeSite(t, map[string]string{"index.html": "old"})
	first := callOK[tools.DeployOutput](t, s, "deploy_pages", arguments{"name": "changing", "path": site})
	big := filepath.Join(site, "big.txt")
	require.NoError(t, os.WriteFile(big, bytes.Repeat([]byte("old text "), 1<<20), 0o644))
	r.set(func(_ http.ResponseWriter, q *http.Request) bool {
		if action(q) == "CreateRoutineWithAssetsCodeVersion" { // between the first reading and the second
			require.NoError(t, os.WriteFile(big, bytes.Repeat([]byte("new text "), 1<<20), 0o644))
		}
		return false
	})
	text := s.refuse(t, "deploy_pages", arguments{"name": "changing", "path": site})
	require.Contains(t, text, "big.txt")
	require.Contains(t, text, "changed")
	require.Contains(t, text, "deploy again")
	require.Contains(t, text, "production: version "+first.Version)
	require.Equal(t, first.Live, live(t, r, "changing"))
}
