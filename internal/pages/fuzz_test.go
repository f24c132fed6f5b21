package pages

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzArchive makes a folder of what the fuzzer gives: every file is either in
// the archive, byte for byte, or listed as left out.
func FuzzArchive(f *testing.F) {
	f.Add("index.html", "<p>", "关于/a b.html", "x", []byte("code"), uint8(0))
	f.Add(".env", "A=1", "a", strings.Repeat("abc ", 20_000), []byte{}, uint8(1))
	f.Add("a\xff", "", "b\\c", "x", []byte("c"), uint8(2))
	f.Add("k", "-----BEGIN PRIVATE KEY-----\nx", "node_modules/x", noise(1, 70_000), []byte(nil), uint8(255))
	f.Add(".gitignore", "*\n!b", "b", "x", []byte(nil), uint8(3))
	f.Fuzz(func(t *testing.T, name1, content1, name2, content2 string, code []byte, cache uint8) {
		dir := t.TempDir()
		written := map[string]string{}
		for name, content := range map[string]string{name1: content1, name2: content2} {
			full := filepath.Join(dir, name)
			if !filepath.IsLocal(name) || strings.ContainsRune(name, 0) || filepath.Clean(name) != name || name == "." {
				continue
			}
			if os.MkdirAll(filepath.Dir(full), 0o755) != nil || os.WriteFile(full, []byte(content), 0o644) != nil {
				continue
			}
			written[name] = content
		}
		folder, err := Scan(t.Context(), dir, ScanOptions{AllowEmpty: true})
		if err != nil {
			require.ErrorContains(t, err, "its name")
			return
		}
		var left []string
		for _, s := range folder.Skipped {
			left = append(left, s.Path)
		}
		a, err := Plan(t.Context(), folder, code, PlanOptions{CacheBytes: int64(cache) * 64})
		if err != nil {
			require.ErrorContains(t, err, GuardEmpty)
			require.Empty(t, code)
			require.Empty(t, folder.Files)
			return
		}
		got := unzip(t, readAll(t, a))
		if len(code) > 0 {
			require.Equal(t, string(code), got[codeName])
			delete(got, codeName)
		}
		for name, content := range written {
			published, ok := got[assetPrefix+name]
			if !ok {
				require.True(t, covered(left, name), "%q is neither published nor listed: %q", name, left)
				continue
			}
			require.Equal(t, content, published)
			delete(got, assetPrefix+name)
		}
		require.Empty(t, got, fmt.Sprintf("of %q", written))
	})
}

// covered reports whether name or a folder above it is in rows.
func covered(rows []string, name string) bool {
	for _, r := range rows {
		if valid := strings.ToValidUTF8(name, "\ufffd"); r == valid || (strings.HasSuffix(r, "/") && strings.HasPrefix(valid, r)) {
			return true
		}
	}
	return false
}
