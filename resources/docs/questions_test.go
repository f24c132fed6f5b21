package docs

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Twenty questions of newcomers find the section that answers them among the
// first three, in both languages.
func TestNewcomersQuestions(t *testing.T) {
	raw, err := os.ReadFile("testdata/questions.txt")
	require.NoError(t, err)
	asked := 0
	for line := range strings.Lines(string(raw)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.Split(strings.TrimSpace(line), " | ")
		require.Len(t, fields, 3, line)
		asked++
		for i, lang := range []string{English, Chinese} {
			name, anchor, _ := strings.Cut(fields[2], "#")
			want := docURI(name, lang) + "#" + anchor
			_, _, ok := Lookup(want)
			require.True(t, ok, want)
			hits, err := Search(t.Context(), fields[i], "", 3)
			require.NoError(t, err)
			var found []string
			for _, h := range hits {
				found = append(found, h.URI())
			}
			if !slices.Contains(found, want) {
				t.Errorf("%s\n  wants %s\n  found %s", fields[i], want, strings.Join(found, "\n        "))
			}
		}
	}
	require.GreaterOrEqual(t, asked, 20)
}
