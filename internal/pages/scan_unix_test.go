//go:build unix

package pages

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestScanSpecialFilesAreNeverOpened(t *testing.T) {
	dir := tree(t, map[string]string{"index.html": "x", "link": "-> pipe"})
	require.NoError(t, syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o644))
	require.NoError(t, syscall.Mkfifo(filepath.Join(dir, ".esaignore"), 0o644))
	f, err := Scan(t.Context(), dir, ScanOptions{}) // opening a pipe would hang
	require.NoError(t, err)
	require.Equal(t, []string{"index.html"}, paths(f))
	require.Contains(t, f.Skipped, Skipped{Path: "pipe", Kind: Special, Reason: "not a file but a named pipe"})
	require.Contains(t, f.Skipped, Skipped{Path: "link", Kind: Special, Reason: "links to a named pipe"})
}

func TestPipeInPlaceOfAFile(t *testing.T) {
	dir := tree(t, map[string]string{"a.txt": "x"})
	f, err := Scan(t.Context(), dir, ScanOptions{})
	require.NoError(t, err)
	require.NoError(t, os.Remove(filepath.Join(dir, "a.txt")))
	require.NoError(t, syscall.Mkfifo(filepath.Join(dir, "a.txt"), 0o644))
	_, err = Plan(t.Context(), f, nil, PlanOptions{})
	require.Equal(t, &ChangedError{Path: "a.txt"}, err)
}
