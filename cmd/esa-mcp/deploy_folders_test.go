package main

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/tools"
)

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
