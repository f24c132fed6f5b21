package pages

import (
	"archive/zip"
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func readAll(t testing.TB, a *Archive) []byte {
	t.Helper()
	r, err := a.Open(t.Context())
	require.NoError(t, err)
	b, err := io.ReadAll(r)
	require.NoError(t, err)
	require.NoError(t, r.Close())
	require.Equal(t, a.ZipSize, int64(len(b)), "ZipSize is exact")
	return b
}

func unzip(t testing.TB, b []byte) map[string]string {
	t.Helper()
	zr, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	require.NoError(t, err)
	m := map[string]string{}
	for _, f := range zr.File {
		r, err := f.Open()
		require.NoError(t, err)
		content, err := io.ReadAll(r) // checks the CRC, too
		require.NoError(t, err)
		_, twice := m[f.Name]
		require.False(t, twice, f.Name)
		m[f.Name] = string(content)
	}
	return m
}

func noise(seed uint64, n int) string {
	var key [32]byte
	key[0], key[1] = byte(seed), byte(seed>>8)
	b := make([]byte, n)
	_, _ = rand.NewChaCha8(key).Read(b)
	return string(b)
}

func prose(seed uint64, n int) string {
	words := strings.Fields("edge page route cache origin site record the of and to in is value key host index script style")
	r := rand.New(rand.NewPCG(seed, 1))
	var b strings.Builder
	for b.Len() < n {
		b.WriteString(words[r.IntN(len(words))] + " ")
	}
	return b.String()[:n]
}

func plan(t testing.TB, dir string, code []byte, o PlanOptions) *Archive {
	t.Helper()
	f, err := Scan(t.Context(), dir, ScanOptions{})
	require.NoError(t, err)
	a, err := Plan(t.Context(), f, code, o)
	require.NoError(t, err)
	return a
}

func mixedSite() map[string]string {
	return map[string]string{
		"index.html": prose(1, 900), "big.txt": prose(2, 1<<20), "huge.txt": prose(3, 5<<20),
		"noise.bin": noise(4, 300_000), "small.bin": noise(5, 100), "empty.txt": "", "one": "1",
		"pic.PNG": noise(6, 70_000), "目录/关于.html": prose(7, 65536), "edge.txt": prose(8, 65537),
		// Begins well and ends badly, and the other way round.
		"half.txt": prose(9, 1<<16) + noise(10, 1<<18), "flah.txt": noise(11, 1<<16) + prose(12, 1<<18),
	}
}

func TestArchiveRoundTrip(t *testing.T) {
	files := mixedSite()
	dir := tree(t, files)
	code := []byte("export default { fetch: () => new Response('hi') }\n" + prose(20, 5000))
	want := map[string]string{"routine/index.js": string(code)}
	var total int64
	for name, content := range files {
		want["assets/"+name] = content
		total += int64(len(content))
	}
	var first []byte
	var hash string
	for _, o := range []PlanOptions{{}, {Workers: 1, CacheBytes: -1}, {Workers: 7, CacheBytes: 100_000}} {
		a := plan(t, dir, code, o)
		require.Equal(t, len(files), a.Files)
		require.Equal(t, total+int64(len(code)), a.Bytes)
		require.Equal(t, int64(len(code)), a.CodeSize)
		b := readAll(t, a)
		require.Equal(t, b, readAll(t, a), "opening again gives the same bytes")
		if first == nil {
			first, hash = b, a.Hash
			require.Equal(t, want, unzip(t, b))
		}
		require.True(t, bytes.Equal(first, b), "the cache and the number of workers change nothing: %+v", o)
		require.Equal(t, hash, a.Hash)
	}
	require.Less(t, len(first), int(total)/2)

	stored := plan(t, dir, code, PlanOptions{Store: true})
	require.Equal(t, hash, stored.Hash, "compression does not change the hash")
	require.Greater(t, stored.ZipSize, total)
	require.Equal(t, want, unzip(t, readAll(t, stored)))
}

func TestArchiveForm(t *testing.T) {
	a := plan(t, tree(t, map[string]string{"b.txt": prose(1, 500), "a.txt": "1", "关.html": "x", "noise": noise(1, 5000)}), []byte("x"), PlanOptions{})
	b := readAll(t, a)
	zr, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	require.NoError(t, err)
	var names []string
	for _, f := range zr.File {
		names = append(names, f.Name)
		require.Zero(t, f.Flags&0x8, "sizes stand before the data")
		require.Equal(t, f.Name == "assets/关.html", f.Flags&0x800 != 0, "UTF-8 names are marked")
		require.Equal(t, os.FileMode(0o644), f.Mode())
		require.Equal(t, "1980-01-01", f.Modified.Format(time.DateOnly))
	}
	require.Equal(t, []string{"assets/a.txt", "assets/b.txt", "assets/noise", "assets/关.html", "routine/index.js"}, names)
	require.Equal(t, zip.Deflate, zr.File[1].Method)
	require.Equal(t, zip.Store, zr.File[0].Method)
	require.Equal(t, zip.Store, zr.File[2].Method, "what gets larger is stored")
}

func TestHash(t *testing.T) {
	of := func(files map[string]string, code string) string {
		return plan(t, tree(t, files), []byte(code), PlanOptions{}).Hash
	}
	base := of(map[string]string{"a": "1", "b": "2"}, "c")
	require.Regexp(t, "^sha256:[0-9a-f]{64}$", base)
	require.Equal(t, base, of(map[string]string{"b": "2", "a": "1"}, "c"))
	for name, other := range map[string]string{
		"content": of(map[string]string{"a": "1", "b": "3"}, "c"),
		"name":    of(map[string]string{"a": "1", "B": "2"}, "c"),
		"code":    of(map[string]string{"a": "1", "b": "2"}, "d"),
		"no code": of(map[string]string{"a": "1", "b": "2"}, ""),
		"swapped": of(map[string]string{"a": "2", "b": "1"}, "c"),
	} {
		require.NotEqual(t, base, other, name)
	}

	dir := tree(t, map[string]string{"a": "1", "b": "2"})
	require.NoError(t, os.Chtimes(filepath.Join(dir, "a"), time.Unix(1e9, 0), time.Unix(1e9, 0)))
	require.Equal(t, base, plan(t, dir, []byte("c"), PlanOptions{}).Hash, "age does not matter")

	mem, err := PlanBytes(t.Context(), []MemFile{{"b", []byte("2")}, {"a", []byte("1")}}, []byte("c"), PlanOptions{})
	require.NoError(t, err)
	require.Equal(t, base, mem.Hash, "memory and disk give the same")
}

func TestPlanBytesKeepsHTML(t *testing.T) {
	html := "<!doctype html>\r\n<script>`${1}\\n\\\\ \u2028 </script>\x00\xff" + prose(1, 400)
	a, err := PlanBytes(t.Context(), []MemFile{{Path: "index.html", Data: []byte(html)}}, nil, PlanOptions{})
	require.NoError(t, err)
	require.Equal(t, map[string]string{"assets/index.html": html}, unzip(t, readAll(t, a)))

	for _, p := range []string{"", ".", "/a", "../a", "a/../b", "a//b", "a/", `a\b`, "a\nb", "a\xff"} {
		_, err := PlanBytes(t.Context(), []MemFile{{Path: p}}, nil, PlanOptions{})
		require.Error(t, err, "%q", p)
	}
	_, err = PlanBytes(t.Context(), []MemFile{{Path: "a"}, {Path: "a"}}, nil, PlanOptions{})
	require.ErrorContains(t, err, `two files are both named "a"`)
	_, err = PlanBytes(t.Context(), nil, nil, PlanOptions{})
	require.ErrorContains(t, err, GuardEmpty)
	_, err = PlanBytes(t.Context(), []MemFile{{Path: "a", Data: make([]byte, MaxAssetSize+1)}}, nil, PlanOptions{})
	require.ErrorContains(t, err, GuardLimits)
	_, err = PlanBytes(t.Context(), nil, make([]byte, MaxCodeSize+1), PlanOptions{})
	require.ErrorContains(t, err, GuardLimits)
}

func TestPlanCodeAlone(t *testing.T) {
	a, err := Plan(t.Context(), nil, []byte("code"), PlanOptions{})
	require.NoError(t, err)
	require.Zero(t, a.Files)
	require.Equal(t, map[string]string{"routine/index.js": "code"}, unzip(t, readAll(t, a)))
}

func TestChangedFiles(t *testing.T) {
	site := map[string]string{"a.txt": prose(1, 300_000), "b.bin": noise(2, 300_000), "c/d.txt": prose(3, 100_000), "e.txt": "tiny"}
	rewrite := func(file, content string) error { return os.WriteFile(file, []byte(content), 0o644) }
	changes := map[string]struct {
		do      func(file, content string) error
		removed bool
	}{
		"longer":  {do: func(file, c string) error { return rewrite(file, c+"x") }},
		"shorter": {do: func(file, c string) error { return rewrite(file, c[1:]) }},
		"later":   {do: func(file, _ string) error { return os.Chtimes(file, time.Unix(1e9, 0), time.Unix(1e9, 0)) }},
		"gone":    {do: func(file, _ string) error { return os.Remove(file) }, removed: true},
		"folder":  {do: func(file, _ string) error { return os.Rename(file, filepath.Dir(file)+".moved") }, removed: true},
	}
	for name, change := range changes {
		for _, file := range []string{"a.txt", "b.bin", "c/d.txt", "e.txt"} {
			t.Run(name+" "+file, func(t *testing.T) {
				dir := tree(t, site)
				f, err := Scan(t.Context(), dir, ScanOptions{})
				require.NoError(t, err)
				// Of the two compressed files one is kept, the other is not.
				a, err := Plan(t.Context(), f, nil, PlanOptions{CacheBytes: 50_000})
				require.NoError(t, err)
				require.NoError(t, change.do(filepath.Join(dir, file), site[file]))
				want := &ChangedError{Path: file, Removed: change.removed}
				r, err := a.Open(t.Context())
				require.NoError(t, err)
				defer r.Close()
				n, err := io.Copy(io.Discard, r)
				require.Equal(t, want, err, "when sent")
				require.Less(t, n, a.ZipSize)
				_, err = Plan(t.Context(), f, nil, PlanOptions{})
				require.Equal(t, want, err, "when planned")
			})
		}
	}
}

// Content that changes while size and time stay the same is noticed by its
// checksum, at the latest when the file has been read.
func TestChangedContentAlone(t *testing.T) {
	for _, kind := range []string{"stored", "compressed"} {
		content := noise(1, 500_000)
		if kind == "compressed" {
			content = prose(1, 500_000)
		}
		dir := tree(t, map[string]string{"a": content, "b": "x"})
		file := filepath.Join(dir, "a")
		info, err := os.Stat(file)
		require.NoError(t, err)
		a := plan(t, dir, nil, PlanOptions{CacheBytes: -1})
		r, err := a.Open(t.Context())
		require.NoError(t, err)
		defer r.Close()
		_, err = io.CopyN(io.Discard, r, 1000)
		require.NoError(t, err)
		changed := []byte(content)
		copy(changed[400_000:], "something else")
		require.NoError(t, os.WriteFile(file, changed, 0o644))
		require.NoError(t, os.Chtimes(file, info.ModTime(), info.ModTime()))
		_, err = io.Copy(io.Discard, r)
		require.Equal(t, &ChangedError{Path: "a"}, err, kind)
		require.ErrorContains(t, err, "a changed while it was being read; deploy again")
	}
}

// A file that is only longer has the planned bytes at its start.
func TestFileGrowsWhileSent(t *testing.T) {
	dir := tree(t, map[string]string{"a": noise(1, 500_000)})
	a := plan(t, dir, nil, PlanOptions{})
	r, err := a.Open(t.Context())
	require.NoError(t, err)
	defer r.Close()
	_, err = io.CopyN(io.Discard, r, 1000)
	require.NoError(t, err)
	file, err := os.OpenFile(filepath.Join(dir, "a"), os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = file.WriteString("more")
	require.NoError(t, err)
	require.NoError(t, file.Close())
	_, err = io.Copy(io.Discard, r)
	require.Equal(t, &ChangedError{Path: "a"}, err)
}

// A folder that became a link out of the root after the scan must not be read.
func TestFolderReplacedByLink(t *testing.T) {
	outside := tree(t, map[string]string{"x.txt": "secret"})
	dir := tree(t, map[string]string{"sub/x.txt": "public"})
	f, err := Scan(t.Context(), dir, ScanOptions{})
	require.NoError(t, err)
	require.NoError(t, os.RemoveAll(filepath.Join(dir, "sub")))
	require.NoError(t, os.Symlink(outside, filepath.Join(dir, "sub")))
	_, err = Plan(t.Context(), f, nil, PlanOptions{})
	require.ErrorContains(t, err, "read sub/x.txt: path escapes from parent")
}

func TestWholeFolderRemoved(t *testing.T) {
	dir := tree(t, map[string]string{"sub/x.txt": "public"})
	a := plan(t, filepath.Join(dir, "sub"), nil, PlanOptions{})
	require.NoError(t, os.RemoveAll(filepath.Join(dir, "sub")))
	_, err := a.Open(t.Context())
	require.ErrorContains(t, err, "was removed")
}

func TestOpenCancelledAndClosed(t *testing.T) {
	dir := tree(t, map[string]string{"a.bin": noise(1, 1<<20)})
	a := plan(t, dir, nil, PlanOptions{})
	ctx, cancel := context.WithCancel(t.Context())
	r, err := a.Open(ctx)
	require.NoError(t, err)
	_, err = io.CopyN(io.Discard, r, 1000)
	require.NoError(t, err)
	cancel()
	_, err = io.Copy(io.Discard, r)
	require.ErrorIs(t, err, context.Canceled)
	require.NoError(t, r.Close())
	require.NoError(t, r.Close(), "closing twice is harmless")
	_, err = r.Read(make([]byte, 1))
	require.ErrorIs(t, err, errClosed)

	f, err := Scan(t.Context(), dir, ScanOptions{})
	require.NoError(t, err)
	_, err = Plan(ctx, f, nil, PlanOptions{})
	require.ErrorIs(t, err, context.Canceled)
}

func TestOpenByManyAtOnce(t *testing.T) {
	a := plan(t, tree(t, mixedSite()), nil, PlanOptions{})
	want := readAll(t, a)
	results := make(chan []byte)
	for range 4 {
		go func() {
			r, err := a.Open(context.Background())
			if err != nil {
				results <- nil
				return
			}
			defer r.Close()
			b, _ := io.ReadAll(r)
			results <- b
		}()
	}
	for range 4 {
		require.True(t, bytes.Equal(want, <-results))
	}
}

// The site of the demonstration goes up whole.
func TestHelloSite(t *testing.T) {
	dir := filepath.Join("..", "..", "testdata", "sites", "hello")
	f, err := Scan(t.Context(), dir, ScanOptions{})
	require.NoError(t, err)
	require.Empty(t, f.Skipped)
	require.Equal(t, []string{"404.html", "app.js", "docs/index.html", "images/wave.png", "index.html", "style.css", "关于.html"}, paths(f))
	a, err := Plan(t.Context(), f, nil, PlanOptions{})
	require.NoError(t, err)
	for name, content := range unzip(t, readAll(t, a)) {
		want, err := os.ReadFile(filepath.Join(dir, strings.TrimPrefix(name, assetPrefix)))
		require.NoError(t, err)
		require.Equal(t, string(want), content, name)
	}
}
