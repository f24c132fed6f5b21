package main

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/tools"
)

// request sends one request to an address of the local edge and returns its
// answer with the body.
func request(t *testing.T, method, address string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, nil)
	require.NoError(t, err)
	res := ask(t, r, false)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res, string(body)
}

// A routine that has no static files gets its page as a function, and the page
// that opens is the same, byte for byte.
func TestHTMLOnARoutineWithoutFiles(t *testing.T) {
	s := startLocal(t)
	callOK[tools.SetRoutineOutput](t, s, "set_routine", arguments{"name": "bare"})
	lines := 1 << 16
	if raceEnabled { // with which the engine needs seconds for them
		lines = 1 << 12
	}
	pages := map[string]string{
		"nasty":     "<!doctype html><script>let a = `${1}\\n\\\\ $& $'`; b = \"</script>\" /*! kept */ </script>\u2028\u2029\u00e9 \U0001F600\x00\x7f</html>\r\n",
		"with mark": "\ufeff<p>\\u0041 `\\`",
		"large":     strings.Repeat("<p>\"quoted\" \\ back\n", lines),
	}
	for name, page := range pages {
		t.Run(name, func(t *testing.T) {
			out := callOK[tools.DeployOutput](t, s, "deploy_html", arguments{"name": "bare", "html": page})
			require.Equal(t, tools.StatusLive, out.Status)
			require.Equal(t, 1, out.Files)
			require.Equal(t, int64(len(page)), out.Bytes)
			require.Greater(t, out.Uploaded, out.Bytes)
			for _, e := range out.Live {
				require.Equal(t, []tools.LiveVersion{{Version: out.Version, Percentage: 100}}, e.Versions, e.Environment)
			}
			for _, address := range []string{out.URL, out.StagingURL, at(t, out.URL, "/index.html")} {
				res, body := request(t, "GET", address)
				require.Equal(t, 200, res.StatusCode)
				require.Equal(t, "text/html; charset=utf-8", res.Header.Get("Content-Type"))
				require.True(t, page == body, "the page is another one") // too long to be printed
			}
		})
	}
	out := callOK[tools.DeployOutput](t, s, "deploy_html", arguments{"name": "bare", "html": pages["nasty"]})
	require.Len(t, noteIDs(out.Notes), 1, "a page replaced a page: only the address is noted")
	res, body := request(t, "HEAD", out.URL)
	require.Equal(t, 200, res.StatusCode)
	require.Equal(t, "text/html; charset=utf-8", res.Header.Get("Content-Type"))
	require.Empty(t, body)
	res, _ = request(t, "POST", out.URL)
	require.Equal(t, 405, res.StatusCode)
	require.Equal(t, "GET, HEAD", res.Header.Get("Allow"))
	res, body = request(t, "GET", at(t, out.URL, "/other"))
	require.Equal(t, 404, res.StatusCode)
	require.NotContains(t, body, "<")

	again := callOK[tools.DeployOutput](t, s, "deploy_html", arguments{"name": "bare", "html": pages["nasty"]})
	require.Equal(t, tools.StatusUnchanged, again.Status)
	require.Equal(t, out.Version, again.Version)
	require.Zero(t, again.Uploaded)
	require.Equal(t, 1, again.Files)

	staged := callOK[tools.DeployOutput](t, s, "deploy_html", arguments{"name": "bare", "html": "v2", "environment": "staging"})
	_, body = request(t, "GET", staged.StagingURL)
	require.Equal(t, "v2", body)
	promoted := callOK[tools.DeployOutput](t, s, "deploy_html", arguments{"name": "bare", "html": "v2"})
	require.Equal(t, staged.Version, promoted.Version, "what staging has is promoted, not uploaded again")
	require.Zero(t, promoted.Uploaded)

	split := callOK[tools.DeployOutput](t, s, "deploy_html", arguments{"name": "bare", "html": "v3", "percentage": 25})
	require.Equal(t, []tools.LiveVersion{{Version: split.Version, Percentage: 25}, {Version: staged.Version, Percentage: 75}}, split.Live[1].Versions)

	got := callOK[tools.GetRoutineOutput](t, s, "get_routine", arguments{"name": "bare"})
	require.False(t, got.HasAssets)
}

// Bytes that are no UTF-8 arrive too, with the page's own word on its encoding.
func TestHTMLOfAnotherEncoding(t *testing.T) {
	s := startLocal(t)
	callOK[tools.SetRoutineOutput](t, s, "set_routine", arguments{"name": "bare"})
	page := "<!doctype html><meta charset=gbk><p>\xc4\xe3\xba\xc3 \xff\x00`${}"
	file := filepath.Join(t.TempDir(), "page.html")
	require.NoError(t, os.WriteFile(file, []byte(page), 0o644))
	out := callOK[tools.DeployOutput](t, s, "deploy_html", arguments{"name": "bare", "path": file})
	res, body := request(t, "GET", out.URL)
	require.Equal(t, page, body)
	require.Equal(t, "text/html", res.Header.Get("Content-Type"))
}

func TestHTMLOverAFunction(t *testing.T) {
	s := startLocal(t)
	first := callOK[tools.DeployOutput](t, s, "deploy_routine", arguments{"name": "fn", "code": functionCode})
	require.False(t, callOK[tools.GetRoutineOutput](t, s, "get_routine", arguments{"name": "fn"}).HasAssets)
	out := callOK[tools.DeployOutput](t, s, "deploy_html", arguments{"name": "fn", "html": "<p>page"})
	_, body := browse(t, out.URL)
	require.Equal(t, "<p>page", body)
	require.Contains(t, noteIDs(out.Notes), "replaced")
	require.Contains(t, out.Notes[len(out.Notes)-1].Text, first.Version)

	// Files, once a version has them, stay files.
	callOK[tools.DeployOutput](t, s, "deploy_pages", arguments{"name": "fn", "path": writeSite(t, map[string]string{"index.html": "site", "a.txt": "a"})})
	out = callOK[tools.DeployOutput](t, s, "deploy_html", arguments{"name": "fn", "html": "<p>page"})
	require.NotContains(t, noteIDs(out.Notes), "replaced")
	version := callOK[tools.GetRoutineOutput](t, s, "get_routine", arguments{"name": "fn", "source_version": out.Version})
	require.Empty(t, version.Source, "the page is a file")

	callOK[tools.SetRoutineOutput](t, s, "set_routine", arguments{"name": "bare"})
	file := filepath.Join(t.TempDir(), "big.html")
	require.NoError(t, os.WriteFile(file, []byte(strings.Repeat("0123456789", 600_000)), 0o644))
	text := s.refuse(t, "deploy_html", arguments{"name": "bare", "path": file})
	require.Contains(t, text, "pages-limits")
	require.Contains(t, text, "new name")
}
