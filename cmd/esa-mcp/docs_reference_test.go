package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/resources/docs"
)

const referenceDir = "../../resources/docs"

// TestDocsReference keeps the generated parts of the reference documents, and
// the days of their last change.
func TestDocsReference(t *testing.T) {
	file := filepath.Join(referenceDir, "revisions.json")
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	var before map[string]docs.Revision
	require.NoError(t, json.Unmarshal(raw, &before))
	after, tr := map[string]docs.Revision{}, readTranslations(t)
	parts := generatedParts(tr)
	for _, lang := range []string{docs.English, docs.Chinese} {
		sources, err := filepath.Glob(filepath.Join(referenceDir, lang, "*.md"))
		require.NoError(t, err)
		require.NotEmpty(t, sources)
		for _, source := range sources {
			text := fillParts(t, source, lang, parts)
			name, sum := lang+"/"+filepath.Base(source), sha256.Sum256([]byte(text))
			after[name] = before[name]
			if hash := hex.EncodeToString(sum[:]); before[name].SHA256 != hash {
				after[name] = docs.Revision{SHA256: hash, Updated: time.Now().UTC().Format(time.DateOnly) + "T00:00:00Z"}
			}
		}
	}
	tr.keep(t)
	if *update {
		text, err := json.MarshalIndent(after, "", "\t")
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(file, append(text, '\n'), 0o644))
		return
	}
	require.Equal(t, before, after, "resources/docs/revisions.json is old: run make generate")
}

// fillParts returns a document with its generated parts as they should be, and
// wants them so, or writes them with -update.
func fillParts(t *testing.T, source, lang string, parts map[string]func(lang string) string) string {
	t.Helper()
	raw, err := os.ReadFile(source)
	require.NoError(t, err)
	want := regexp.MustCompile(`(?s)(<!-- generated:([a-z-]+) -->\n).*?(<!-- end -->)`).ReplaceAllStringFunc(string(raw), func(block string) string {
		begin, _, _ := strings.Cut(block, "\n")
		name := strings.TrimSuffix(strings.TrimPrefix(begin, "<!-- generated:"), " -->")
		make, ok := parts[name]
		require.True(t, ok, "%s: there is no generated part %s", source, name)
		return begin + "\n" + make(lang) + "<!-- end -->"
	})
	if *update {
		require.NoError(t, os.WriteFile(source, []byte(want), 0o644))
	}
	require.True(t, *update || want == string(raw), "%s is old: run make generate", source)
	return want
}
