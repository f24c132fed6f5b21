package routine

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/flate"
	"github.com/stretchr/testify/require"
)

// unpackBytes runs unpack on a zip in memory.
func unpackBytes(t testing.TB, data []byte, limits Limits) (contents, []byte, error) {
	t.Helper()
	dir := t.TempDir()
	zipPath, packPath := filepath.Join(dir, "zip"), filepath.Join(dir, "pack")
	require.NoError(t, os.WriteFile(zipPath, data, 0o600))
	got, err := unpack(context.Background(), zipPath, packPath, Config{Limits: limits}.withDefaults().Limits)
	pack, readErr := os.ReadFile(packPath)
	if err == nil {
		require.NoError(t, readErr)
	}
	return got, pack, err
}

// rawEntry is one entry with a header of the test's choice.
type rawEntry struct {
	header zip.FileHeader
	data   string // as it is in the zip
}

func rawZip(t testing.TB, entries ...rawEntry) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	for _, e := range entries {
		h := e.header
		if h.CompressedSize64 == 0 {
			h.CompressedSize64 = uint64(len(e.data))
		}
		part, err := w.CreateRaw(&h)
		require.NoError(t, err)
		_, err = part.Write([]byte(e.data))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return buf.Bytes()
}

// special is a zip with one entry of a file mode.
func special(t testing.TB, mode fs.FileMode) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	h := &zip.FileHeader{Name: "assets/link"}
	h.SetMode(mode)
	part, err := w.CreateHeader(h)
	require.NoError(t, err)
	_, err = part.Write([]byte("/etc/passwd"))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return buf.Bytes()
}

func TestUnpackRefuses(t *testing.T) {
	small := Limits{MaxAsset: 1000, MaxCode: 500, MaxTotal: 2500, MaxFiles: 5}
	good := zipOf(t, "assets/a.txt", strings.Repeat("hello ", 50))
	flipped := bytes.Clone(good)
	flipped[len("assets/a.txt")+35] ^= 0xff // inside the compressed data
	badCRC := bytes.Clone(good)
	at := bytes.Index(badCRC, []byte("PK\x01\x02"))
	badCRC[at+16] ^= 0xff
	endless := bytes.Repeat([]byte{'x'}, 400)
	tests := map[string]struct {
		data   []byte
		reason string
	}{
		"no zip":             {[]byte("<html>"), "not a readable zip"},
		"cut off":            {good[:len(good)-10], "not a readable zip"},
		"flipped bits":       {flipped, "unpack"},
		"wrong CRC":          {badCRC, "checksum"},
		"no entries":         {zipOf(t), "empty"},
		"only folders":       {zipOf(t, "assets/", "", "assets/sub/", ""), "empty"},
		"empty code":         {zipOf(t, "routine/index.js", ""), "empty"},
		"parent":             {zipOf(t, "assets/../../x", "x"), ".."},
		"parent folder":      {zipOf(t, "assets/../", ""), ".."},
		"dot":                {zipOf(t, "assets/./x", "x"), "part that is empty"},
		"double slash":       {zipOf(t, "assets//x", "x"), "part that is empty"},
		"absolute":           {zipOf(t, "/assets/x", "x"), "absolute"},
		"backslash":          {zipOf(t, `assets\x`, "x"), "backslash"},
		"zero byte":          {zipOf(t, "assets/a\x00b", "x"), "zero byte"},
		"not UTF-8":          {zipOf(t, "assets/\xff\xfe", "x"), "UTF-8"},
		"long name":          {zipOf(t, "assets/"+strings.Repeat("a", 1100), "x"), "longer than"},
		"outside the layout": {zipOf(t, "assets/a", "a", "index.html", "x"), "neither"},
		"other routine file": {zipOf(t, "routine/util.js", "x"), "neither"},
		"assets as file":     {zipOf(t, "assets", "x"), "neither"},
		"twice":              {zipOf(t, "assets/a", "1", "assets/a", "2"), "twice"},
		"code twice":         {zipOf(t, "routine/index.js", "1", "routine/index.js", "2"), "twice"},
		"file and folder":    {zipOf(t, "assets/a", "1", "assets/a/b", "2"), "both"},
		"folder and file":    {zipOf(t, "assets/a/b/c", "1", "assets/a", "2"), "both"},
		"symlink":            {special(t, fs.ModeSymlink|0o777), "symbolic link"},
		"device":             {special(t, fs.ModeDevice|0o666), "special file"},
		"asset too large":    {zipOf(t, "assets/a", strings.Repeat("x", 1001)), "at most 1000"},
		"code too large":     {zipOf(t, "routine/index.js", strings.Repeat("x", 501)), "at most 500"},
		"too much together":  {zipOf(t, "assets/a", strings.Repeat("x", 900), "assets/b", strings.Repeat("x", 900), "assets/c", strings.Repeat("x", 900)), "at most 2500"},
		"too many": {zipOf(t, "assets/1", "", "assets/2", "", "assets/3", "", "assets/4", "", "assets/5", "", "assets/6", ""),
			"too many entries"},
		"method": {rawZip(t, rawEntry{zip.FileHeader{Name: "assets/a", Method: 12, UncompressedSize64: 1}, "x"}), "method 12"},
		"encrypted": {rawZip(t, rawEntry{zip.FileHeader{Name: "assets/a", Flags: 1, UncompressedSize64: 1}, "x"}),
			"encrypted"},
		"declares less than it has": {rawZip(t, rawEntry{zip.FileHeader{Name: "assets/a", UncompressedSize64: 3}, string(endless)}), "unpack"},
		"declares more than it has": {rawZip(t, rawEntry{zip.FileHeader{Name: "assets/a", UncompressedSize64: 900}, string(endless)}), "unpack"},
		"claims more than the zip":  {rawZip(t, rawEntry{zip.FileHeader{Name: "assets/a", CompressedSize64: 1 << 40, UncompressedSize64: 3}, "xxx"}), "overlap"},
		"huge declared size":        {rawZip(t, rawEntry{zip.FileHeader{Name: "assets/a", UncompressedSize64: 1<<64 - 1}, "xxx"}), "at most 1000"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, _, err := unpackBytes(t, tt.data, small)
			require.ErrorContains(t, err, tt.reason)
		})
	}
}

func TestUnpackStopsBombs(t *testing.T) {
	const size = 20 << 20
	zeros := deflated(t, size)
	entry := func(name string) rawEntry {
		return rawEntry{zip.FileHeader{Name: name, Method: zip.Deflate, UncompressedSize64: size, CRC32: crc32.ChecksumIEEE(make([]byte, size))}, zeros}
	}
	_, _, err := unpackBytes(t, rawZip(t, entry("assets/1"), entry("assets/2"), entry("assets/3"), entry("assets/4")), Limits{})
	require.ErrorContains(t, err, "zip bomb")
	// Well compressible but ordinary content is no bomb.
	got, _, err := unpackBytes(t, rawZip(t, entry("assets/1")), Limits{})
	require.NoError(t, err)
	require.Equal(t, int64(size), got.size)
}

// deflated is that many compressed zero bytes.
func deflated(t testing.TB, size int) string {
	t.Helper()
	var buf bytes.Buffer
	w, err := flate.NewWriter(&buf, flate.BestSpeed)
	require.NoError(t, err)
	_, err = w.Write(make([]byte, size))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return buf.String()
}

func TestUnpackBoundsTheDirectory(t *testing.T) {
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	for i := range 3000 {
		_, err := w.Create(fmt.Sprintf("assets/%0400d", i))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	_, _, err := unpackBytes(t, buf.Bytes(), Limits{MaxFiles: 10})
	require.ErrorContains(t, err, "too many entries")
}

func TestUnpackContent(t *testing.T) {
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	files := map[string]string{"assets/a.txt": "", "assets/深/b.bin": strings.Repeat("\x00\x01", 200_000), "assets/c": "plain", "routine/index.js": "code"}
	for name, content := range files {
		method := zip.Deflate
		if len(content)%2 == 1 {
			method = zip.Store
		}
		part, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: method})
		require.NoError(t, err)
		_, err = part.Write([]byte(content))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	got, pack, err := unpackBytes(t, append(buf.Bytes(), "\r\n"...), Limits{}) // some clients add a line end
	require.NoError(t, err)
	require.Equal(t, "code", string(got.code))
	require.Len(t, got.assets, 3)
	for _, a := range got.assets {
		want := files["assets"+a.Path]
		require.Equal(t, want, string(pack[a.Offset:a.Offset+a.Size]), a.Path)
	}
	require.Equal(t, "text/plain; charset=utf-8", got.assets[indexOf(t, got.assets, "/c")].ContentType)
	empty := got.assets[indexOf(t, got.assets, "/a.txt")]
	require.Equal(t, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", empty.SHA256)
}

func indexOf(t *testing.T, assets []Asset, path string) int {
	t.Helper()
	for i, a := range assets {
		if a.Path == path {
			return i
		}
	}
	t.Fatalf("no asset %s", path)
	return 0
}

func TestUnpackObeysItsContext(t *testing.T) {
	dir := t.TempDir()
	zipPath := filepath.Join(dir, "zip")
	require.NoError(t, os.WriteFile(zipPath, zipOf(t, "assets/a", "a"), 0o600))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := unpack(ctx, zipPath, filepath.Join(dir, "pack"), Config{}.withDefaults().Limits)
	require.ErrorIs(t, err, context.Canceled)
}

func TestContentType(t *testing.T) {
	for name, want := range map[string]string{
		"/index.html": "text/html; charset=utf-8", "/A.HTML": "text/html; charset=utf-8", "/s.css": "text/css; charset=utf-8",
		"/m.mjs": "text/javascript; charset=utf-8", "/a.wasm": "application/wasm", "/i.svg": "image/svg+xml; charset=utf-8",
		"/app.webmanifest": "application/manifest+json; charset=utf-8", "/r.md": "text/markdown; charset=utf-8",
		"/unknown.zzz": "image/png", "/.well-known/x": "image/png",
	} {
		require.Equal(t, want, contentType(name, []byte("\x89PNG\r\n\x1a\n")), name)
	}
	require.Equal(t, "text/plain; charset=utf-8", contentType("/LICENSE", []byte("MIT")))
}

func FuzzUnpack(f *testing.F) {
	f.Add(zipOf(f, "assets/a.txt", "hello", "routine/index.js", "x"))
	f.Add(zipOf(f, "assets/../x", "hello"))
	f.Add(rawZip(f, rawEntry{zip.FileHeader{Name: "assets/a", UncompressedSize64: 3}, "xxxxxx"}))
	f.Add([]byte("PK\x05\x06" + strings.Repeat("\x00", 18)))
	limits := Limits{MaxAsset: 1 << 16, MaxCode: 1 << 16, MaxTotal: 1 << 18, MaxFiles: 50}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, pack, err := unpackBytes(t, data, limits)
		if err != nil {
			return
		}
		require.NotZero(t, len(got.assets)+len(got.code))
		require.LessOrEqual(t, int64(len(pack)), limits.MaxTotal)
		for _, a := range got.assets {
			require.True(t, strings.HasPrefix(a.Path, "/"))
			require.NotContains(t, "/"+a.Path+"/", "/../")
			require.LessOrEqual(t, a.Offset+a.Size, int64(len(pack)))
		}
	})
}
