package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

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
