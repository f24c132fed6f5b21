package pages

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// tree makes a folder; a name that ends with a slash is an empty folder, and a
// content that begins with "-> " a symbolic link.
func tree(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		full := filepath.Join(dir, filepath.FromSlash(name))
		if strings.HasSuffix(name, "/") {
			require.NoError(t, os.MkdirAll(full, 0o755))
			continue
		}
		require.NoError(t, os.MkdirAll(filepath.Dir(full), 0o755))
		if target, ok := strings.CutPrefix(content, "-> "); ok {
			require.NoError(t, os.Symlink(target, full))
			continue
		}
		require.NoError(t, os.WriteFile(full, []byte(content), 0o644))
	}
	return dir
}

func paths(f *Folder) []string {
	names := []string{}
	for _, file := range f.Files {
		names = append(names, file.Path)
	}
	return names
}

func kinds(f *Folder) map[string]Kind {
	m := map[string]Kind{}
	for _, s := range f.Skipped {
		m[s.Path] = s.Kind
	}
	return m
}

func TestScanLeavesOut(t *testing.T) {
	key := "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk=\n-----END OPENSSH PRIVATE KEY-----\n"
	dir := tree(t, map[string]string{
		"index.html": "<p>hi", "关于.html": "<p>关于", "a b/c.txt": "x", "empty/": "",
		".well-known/acme": "token", "docs/.well-known/x": "y", "Kurse/cvs/me.html": "cv",
		".env": "A=1", ".env.local": "A=1", ".env.example": "A=", "prod.ENV": "A=1", "deep/.env": "A=1",
		"id_rsa": "k", "ssh/id_ed25519": "k", "ssh/id_ed25519.pub": "public", "tls/server.pem": "k",
		"tls/server.KEY": "k", "store.p12": "k", ".npmrc": "k", ".aws/credentials": "k",
		"backup.txt": key, "account.json": `{"private_key":"-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0B"}`,
		".git/config": "x", "sub/.git/HEAD": "x", ".svn/entries": "x", "node_modules/a/index.js": "x",
		"lib/node_modules/b/index.js": "x", ".DS_Store": "x", "a b/Thumbs.db": "x", "x.swp": "x",
		"old.html~": "x", ".idea/w.xml": "x", "esa.jsonc": "{}", "deep/esa.jsonc": "{}",
		".htaccess": "x", ".github/ci.yml": "x",
		"jose.js": `export const m="-----BEGIN PRIVATE KEY-----";export const n=1`,
	})
	f, err := Scan(t.Context(), dir, ScanOptions{})
	require.NoError(t, err)
	require.Equal(t, []string{
		".well-known/acme", "Kurse/cvs/me.html", "a b/c.txt", "deep/esa.jsonc", "docs/.well-known/x",
		"index.html", "jose.js", "ssh/id_ed25519.pub", "关于.html",
	}, paths(f))
	require.Equal(t, map[string]Kind{
		".env": Secret, ".env.local": Secret, ".env.example": Secret, "prod.ENV": Secret, "deep/.env": Secret,
		"id_rsa": Secret, "ssh/id_ed25519": Secret, "tls/server.pem": Secret, "tls/server.KEY": Secret,
		"store.p12": Secret, ".npmrc": Secret, ".aws/": Secret, "backup.txt": Secret, "account.json": Secret,
		".git/": VersionControl, "sub/.git/": VersionControl, ".svn/": VersionControl,
		"node_modules/": Dependencies, "lib/node_modules/": Dependencies,
		".DS_Store": Litter, "a b/Thumbs.db": Litter, "x.swp": Litter, "old.html~": Litter, ".idea/": Litter,
		"esa.jsonc": Settings, ".htaccess": Hidden, ".github/": Hidden,
	}, kinds(f))
	var sum int64
	for _, file := range f.Files {
		info, err := os.Stat(filepath.Join(dir, file.Path))
		require.NoError(t, err)
		require.Equal(t, info.Size(), file.Size)
		sum += file.Size
	}
	require.Equal(t, sum, f.Bytes)
}

func TestScanIgnoreFiles(t *testing.T) {
	dir := tree(t, map[string]string{
		".gitignore":      "dist/\n*.map\n/only-root.txt\n",
		".esaignore":      "!*/\n!dist/\ndrafts\n!.htaccess\n!.env\n!node_modules/\n",
		"dist/app.js":     "x",
		"dist/app.map":    "x",
		"only-root.txt":   "x",
		"a/only-root.txt": "x",
		"a/.gitignore":    "*.txt\n!keep.txt\n",
		"a/b.txt":         "x",
		"a/keep.txt":      "x",
		"drafts/x":        "x",
		".htaccess":       "x",
		".hidden/x":       "x",
		".env":            "x",
		"node_modules/x":  "x",
		"extra/x.log":     "x",
	})
	f, err := Scan(t.Context(), dir, ScanOptions{Exclude: []string{"*.log"}})
	require.NoError(t, err)
	require.Equal(t, []string{".htaccess", "a/keep.txt", "dist/app.js"}, paths(f))
	require.Contains(t, f.Skipped, Skipped{Path: "dist/app.map", Kind: Ignored, Reason: `"*.map", line 2 of .gitignore`})
	require.Contains(t, f.Skipped, Skipped{Path: "a/only-root.txt", Kind: Ignored, Reason: `"*.txt", line 1 of a/.gitignore`})
	require.Contains(t, f.Skipped, Skipped{Path: "extra/x.log", Kind: Ignored, Reason: `"*.log", line 1 of the exclude option`})
	got := kinds(f)
	require.Equal(t, Ignored, got["drafts/"])
	require.Equal(t, Hidden, got[".hidden/"], "a wide pattern does not publish hidden folders")
	require.Equal(t, Secret, got[".env"], "secrets cannot be taken back in")
	require.Equal(t, Dependencies, got["node_modules/"])
}

func TestScanSources(t *testing.T) {
	dir := tree(t, map[string]string{"index.html": "x", "src/index.js": "x", "alias.js": "-> src/index.js"})
	f, err := Scan(t.Context(), dir, ScanOptions{Sources: []string{filepath.Join(dir, "src/index.js"), "/nowhere/else.js"}})
	require.NoError(t, err)
	require.Equal(t, []string{"index.html"}, paths(f))
	require.Equal(t, map[string]Kind{"src/index.js": Source, "alias.js": Source}, kinds(f))
}

func TestScanFollowsLinksInside(t *testing.T) {
	dir := tree(t, map[string]string{
		"v2/index.html": "two", "v2/img/a.png": "png", "current": "-> v2", "home.html": "-> current/index.html",
		"secret.txt": "-> conf/.env", "conf/.env": "A=1",
	})
	require.NoError(t, os.Symlink(filepath.Join(dir, "v2", "img"), filepath.Join(dir, "absolute")))
	f, err := Scan(t.Context(), dir, ScanOptions{})
	require.NoError(t, err)
	require.Equal(t, []string{
		"absolute/a.png", "current/img/a.png", "current/index.html", "home.html", "v2/img/a.png", "v2/index.html",
	}, paths(f))
	require.Equal(t, Secret, kinds(f)["secret.txt"])
	a, err := Plan(t.Context(), f, nil, PlanOptions{})
	require.NoError(t, err)
	require.Equal(t, "two", unzip(t, readAll(t, a))["assets/home.html"])
}

func TestScanRefuses(t *testing.T) {
	outside := tree(t, map[string]string{"passwd": "root"})
	tests := map[string]struct {
		files map[string]string
		o     ScanOptions
		guard string
		says  []string
	}{
		"links that leave": {
			files: map[string]string{"a.html": "x", "b": "-> " + outside, "c/d": "-> " + outside + "/passwd"},
			guard: GuardSecrets, says: []string{"b links to " + outside, "c/d links to " + outside + "/passwd", ".esaignore"},
		},
		"relative link that leaves": {
			files: map[string]string{"a.html": "x", "b": "-> ../../../../../../../../etc/hostname"},
			guard: GuardSecrets, says: []string{"b links to /etc/hostname"},
		},
		"dangling":     {files: map[string]string{"a": "-> nothing"}, says: []string{"a links to nothing, which does not exist"}},
		"self":         {files: map[string]string{"a": "-> a"}, says: []string{"a links to a: too many levels of symbolic links"}},
		"circle":       {files: map[string]string{"x/y/up": "-> ..", "x/a": "x"}, says: []string{"x/y/up links to x, the folder it is in"}},
		"root circle":  {files: map[string]string{"x/root": "-> .."}, says: []string{"x/root links to ., the folder it is in"}},
		"far circle":   {files: map[string]string{"a/b/c/up": "-> ../../../a/b", "z": "-> a/b/c"}, says: []string{"a/b/c/up links to a/b, the folder it is in"}},
		"bad ignore":   {files: map[string]string{"a": "x", ".esaignore": "-> gone"}, says: []string{".esaignore links to gone"}},
		"backslash":    {files: map[string]string{`a\b`: "x"}, says: []string{`"a\\b": its name contains a backslash`}},
		"newline":      {files: map[string]string{"a\nb/c": "x"}, says: []string{`"a\nb": its name contains a control character`}},
		"not UTF-8":    {files: map[string]string{"a\xffb": "x"}, says: []string{`"a\xffb": its name is not valid UTF-8`}},
		"large":        {files: map[string]string{"a": "12345678", "b": "123", "c": "1234567"}, o: ScanOptions{MaxFileSize: 4}, guard: GuardLimits, says: []string{"a (0.0 KB); c (0.0 KB)"}},
		"many":         {files: map[string]string{"a": "", "b": "", "c": ""}, o: ScanOptions{MaxFiles: 2}, guard: GuardLimits, says: []string{"more than 2 files"}},
		"empty":        {files: map[string]string{"sub/": ""}, guard: GuardEmpty, says: []string{"is empty"}},
		"only secrets": {files: map[string]string{".env": "A", "id_rsa": "B"}, guard: GuardEmpty, says: []string{".env (an environment file", "id_rsa (a private key"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := Scan(t.Context(), tree(t, tc.files), tc.o)
			var refusal *Error
			require.ErrorAs(t, err, &refusal)
			require.Equal(t, tc.guard, refusal.Guardrail)
			for _, s := range tc.says {
				require.ErrorContains(t, err, s)
			}
			if tc.guard != "" {
				require.ErrorContains(t, err, "["+tc.guard+"]")
			}
		})
	}
}

func TestScanManyProblemsAtOnce(t *testing.T) {
	dir := tree(t, map[string]string{"a": "-> gone", "b": "-> /", "big": "12345"})
	_, err := Scan(t.Context(), dir, ScanOptions{MaxFileSize: 4})
	require.ErrorContains(t, err, "a links to gone")
	require.ErrorContains(t, err, "b links to /")
	require.ErrorContains(t, err, "big (")
}

func TestScanIgnoredProblemsAreNone(t *testing.T) {
	dir := tree(t, map[string]string{
		"index.html": "x", "a": "-> gone", "b": "-> /", "big": "12345", "node_modules": "-> /usr",
		".esaignore": "a\n/b/\nbig\n",
	})
	f, err := Scan(t.Context(), dir, ScanOptions{MaxFileSize: 4})
	require.NoError(t, err)
	require.Equal(t, []string{"index.html"}, paths(f))
	require.Equal(t, Dependencies, kinds(f)["node_modules"])
}

func TestScanExponentialLinks(t *testing.T) {
	files := map[string]string{}
	for i := range 40 { // 2^40 ways through
		files[fmt.Sprintf("d%02d/l", i)] = fmt.Sprintf("-> ../d%02d", i+1)
		files[fmt.Sprintf("d%02d/r", i)] = fmt.Sprintf("-> ../d%02d", i+1)
	}
	files["d40/x"] = "x"
	_, err := Scan(t.Context(), tree(t, files), ScanOptions{MaxFiles: 100})
	require.ErrorContains(t, err, "more than 100 files")
}

// refusing opens all but the named files; root may read everything, so the
// file system cannot be asked to refuse.
func refusing(names ...string) openFunc {
	return func(root *os.Root, name string) (*os.File, error) {
		for _, n := range names {
			if filepath.ToSlash(name) == n {
				return nil, &fs.PathError{Op: "openat", Path: "/secret/place/" + name, Err: fs.ErrPermission}
			}
		}
		return openInside(root, name)
	}
}

func TestScanUnreadable(t *testing.T) {
	dir := tree(t, map[string]string{"a.txt": "x", "sub/b.txt": "x", "c/.gitignore": "x", "c/d": "x", "e": "x"})
	_, err := Scan(t.Context(), dir, ScanOptions{open: refusing("a.txt", "sub", "c/.gitignore")})
	require.ErrorIs(t, err, fs.ErrPermission)
	require.ErrorContains(t, err, "a.txt: permission denied; c/.gitignore: permission denied; sub/: permission denied")
	require.NotContains(t, err.Error(), "/secret/place")
}

func TestScanWrongFolder(t *testing.T) {
	dir := tree(t, map[string]string{"file": "x"})
	for p, says := range map[string]string{
		"":                          "the path is empty",
		"/":                         "root of the file system",
		filepath.Join(dir, "none"):  "there is no " + filepath.Join(dir, "none"),
		filepath.Join(dir, "file"):  "is a file; give the folder",
		filepath.Join(dir, "f\x00"): "invalid argument",
	} {
		_, err := Scan(t.Context(), p, ScanOptions{})
		require.ErrorContains(t, err, says)
	}
}

func TestScanAllowEmpty(t *testing.T) {
	f, err := Scan(t.Context(), t.TempDir(), ScanOptions{AllowEmpty: true})
	require.NoError(t, err)
	require.Empty(t, f.Files)
}

func TestScanCapsRows(t *testing.T) {
	files := map[string]string{"index.html": "x", "zz/id_rsa": "x", ".esaignore": "*.log"}
	for i := range 10 {
		files[fmt.Sprintf("%d.log", i)] = "x"
	}
	f, err := Scan(t.Context(), tree(t, files), ScanOptions{MaxSkipped: 3})
	require.NoError(t, err)
	require.Len(t, f.Skipped, 3)
	require.Equal(t, 9, f.SkippedMore)
	require.Equal(t, Secret, kinds(f)["zz/id_rsa"], "secrets are listed before others")
}

func TestScanCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Scan(ctx, tree(t, map[string]string{"a": "x"}), ScanOptions{})
	require.ErrorIs(t, err, context.Canceled)
}

func TestHoldsPrivateKey(t *testing.T) {
	tests := map[string]bool{
		"-----BEGIN RSA PRIVATE KEY-----\nMIIE":                                true,
		"\ufeff-----BEGIN PRIVATE KEY-----\r\nMIIE":                            true,
		"Bag Attributes\n-----BEGIN ENCRYPTED PRIVATE KEY-----\nx":             true,
		"-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlQ":                          true,
		"-----BEGIN EC PRIVATE KEY-----":                                       true,
		`const k = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0B"`:    true,
		`key: "-----BEGIN PRIVATE KEY-----\\nMIIEvQIBADANBgkqhkiG9w0B"`:        true,
		"-----BEGIN CERTIFICATE-----\nMIIE\n-----BEGIN RSA PRIVATE KEY-----\n": true,
		"-----BEGIN CERTIFICATE-----\nMIIEvQIBADANBgkqhkiG9w0B":                false,
		"-----BEGIN PUBLIC KEY-----\nMIIEvQIBADANBgkqhkiG9w0B":                 false,
		`if (s.startsWith("-----BEGIN PRIVATE KEY-----")) return`:              false,
		"`-----BEGIN PRIVATE KEY-----\\n${b64}\\n-----END PRIVATE KEY-----`":   false,
		"<p>A key begins with -----BEGIN PRIVATE KEY----- and then base64.":    false,
		"-----BEGIN ": false,
		"":            false,
	}
	for text, want := range tests {
		require.Equal(t, want, holdsPrivateKey([]byte(text)), "%q", text)
	}
}
