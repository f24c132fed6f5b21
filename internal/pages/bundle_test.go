package pages

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBundle(t *testing.T) {
	dir := tree(t, map[string]string{
		"src/index.ts": `/*! legal */
import data from "./data.json";
import page from "./page.html";
import { hello } from "./lib/hello";
import { pick } from "tiny";
import { createHash } from "node:crypto";
import util from "util";
import client from "./ui.client.js";
const text: string = "关于 /*! kept */ ${x}";
export default { async fetch(request: Request): Promise<Response> {
  return new Response([hello(data.n), pick, page, text, client, createHash("md5"), util, process.env.NODE_ENV].join());
} };`,
		"src/data.json": `{"n": 41}`, "src/page.html": "<p>`page`", "src/ui.client.js": "alert('client')",
		"src/lib/hello.tsx":              `export const hello = (n: number) => n + 1; export const unused = 1`,
		"node_modules/tiny/package.json": `{"name":"tiny","module":"m.js"}`,
		"node_modules/tiny/m.js":         `export const pick = "from the package"`,
	})
	before := snapshot(t, dir)
	s, err := Bundle(t.Context(), filepath.Join(dir, "src/index.ts"), BundleOptions{Dir: dir})
	require.NoError(t, err)
	code := string(s.Code)
	for _, part := range []string{
		"n: 41", "from the package", "关于 /*! kept */ ${x}", `from "node:crypto"`, `from "node:util"`,
		"alert('client')", `"production"`, " as default",
	} {
		require.Contains(t, code, part)
	}
	require.NotContains(t, code, "legal")
	require.NotContains(t, code, ": string")
	require.Empty(t, s.Warnings)
	for i, want := range []string{
		"node_modules/tiny/m.js", "src/data.json", "src/index.ts", "src/lib/hello.tsx", "src/page.html", "src/ui.client.js",
	} {
		require.Equal(t, filepath.Join(dir, want), s.Inputs[i])
	}
	require.Equal(t, before, snapshot(t, dir), "nothing is written")

	again, err := Bundle(t.Context(), filepath.Join(dir, "src/index.ts"), BundleOptions{Dir: dir})
	require.NoError(t, err)
	require.Equal(t, s.Code, again.Code)
	small, err := Bundle(t.Context(), filepath.Join(dir, "src/index.ts"), BundleOptions{Dir: dir, Minify: true})
	require.NoError(t, err)
	require.Less(t, len(small.Code), len(s.Code))
}

func snapshot(t *testing.T, dir string) []string {
	t.Helper()
	var all []string
	require.NoError(t, filepath.WalkDir(dir, func(p string, _ fs.DirEntry, err error) error {
		all = append(all, p)
		return err
	}))
	return all
}

func TestBundleRefuses(t *testing.T) {
	tests := map[string]struct {
		files map[string]string
		says  []string
	}{
		"syntax":  {map[string]string{"index.js": "export default {\n  fetch( { }\n}"}, []string{"the routine cannot be bundled: index.js:3:"}},
		"missing": {map[string]string{"index.js": "\nimport './gone.js'"}, []string{`index.js:2:8: Could not resolve "./gone.js"`}},
		"package": {map[string]string{"index.js": "import 'left-pad'"}, []string{`Could not resolve "left-pad"`, "install it"}},
		"node": {map[string]string{"index.js": "import 'fs'; import 'node:net'"}, []string{
			`index.js:1:8: Could not resolve "fs" (ESA's runtime has no such module`, `"node:net"`, "string_decoder"}},
		"two errors": {map[string]string{"index.js": "import './a'\nimport './b'"}, []string{"index.js:1:8", "index.js:2:8"}},
		"large":      {map[string]string{"index.js": "export default '" + strings.Repeat("x", MaxCodeSize) + "'"}, []string{"5.0 MB", "[pages-limits]"}},
		"no file":    {map[string]string{"other.js": ""}, []string{"entry file", "no such file"}},
		"folder":     {map[string]string{"index.js/": ""}, []string{"entry file", "is not a file"}},
		"no loader":  {map[string]string{"index.js": "import './a.png'", "a.png": "x"}, []string{"index.js:1:8: No loader", "a.png"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := Bundle(t.Context(), filepath.Join(tree(t, tc.files), "index.js"), BundleOptions{})
			for _, s := range tc.says {
				require.ErrorContains(t, err, s)
			}
			require.NotContains(t, err.Error(), "PlatformNode")
		})
	}
	_, err := Bundle(t.Context(), "", BundleOptions{})
	require.ErrorContains(t, err, "no entry file")
}

func TestBundleWarns(t *testing.T) {
	bundle := func(code string) []string {
		dir := tree(t, map[string]string{"index.js": code})
		s, err := Bundle(t.Context(), filepath.Join(dir, "index.js"), BundleOptions{})
		require.NoError(t, err)
		return s.Warnings
	}
	require.Empty(t, bundle("addEventListener('fetch', e => e.respondWith(new Response('x')))"))
	require.Empty(t, bundle("export { h as default }; const h = {}"))
	require.Len(t, bundle("export const fetch = 1"), 1)
	w := bundle("export default {}\nif (typeof x === 'strnig') console.log(-0 === x)")
	require.NotEmpty(t, w)
	require.Contains(t, w[0], "index.js:2:")
}

func TestBundleCancelled(t *testing.T) {
	dir := tree(t, map[string]string{"index.js": "export default {}"})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Bundle(ctx, filepath.Join(dir, "index.js"), BundleOptions{})
	require.True(t, errors.Is(err, context.Canceled), "%v", err)
}

// What a routine is made from does not have to be published beside it.
func TestBundleInputsAsSources(t *testing.T) {
	dir := tree(t, map[string]string{"index.html": "x", "fn/index.js": "import './b.js'; export default {}", "fn/b.js": "1"})
	s, err := Bundle(t.Context(), filepath.Join(dir, "fn/index.js"), BundleOptions{})
	require.NoError(t, err)
	f, err := Scan(t.Context(), dir, ScanOptions{Sources: s.Inputs})
	require.NoError(t, err)
	require.Equal(t, []string{"index.html"}, paths(f))
	require.FileExists(t, filepath.Join(dir, "fn/b.js"))
	_, err = os.Stat(filepath.Join(dir, "index.js"))
	require.ErrorIs(t, err, fs.ErrNotExist)
}
