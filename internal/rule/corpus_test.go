package rule

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// corpusEntry is one expression of the corpus with what is known of it.
type corpusEntry struct {
	Expr      string `json:"expr"`
	Valid     bool   `json:"valid"`
	Reason    string `json:"reason"`
	Kind      string `json:"kind"`
	Plan      string `json:"plan"`
	Contested bool   `json:"contested"`
}

// options are what an entry holds for. A corpus names plans with regular
// expressions as such.
func (e corpusEntry) options(t *testing.T) Options {
	t.Helper()
	kind, ok := ParseKind(e.Kind)
	require.True(t, ok, "kind %q", e.Kind)
	plan, ok := ParsePlan(e.Plan)
	require.True(t, ok, "plan %q", e.Plan)
	return Options{Kind: kind, Plan: plan}
}

// corpus reads testdata/corpus.json, or the file that ESA_RULE_CORPUS names.
func corpus(t testing.TB) []corpusEntry {
	t.Helper()
	file := os.Getenv("ESA_RULE_CORPUS")
	if file == "" {
		file = "testdata/corpus.json"
	}
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	var entries []corpusEntry
	require.NoError(t, json.Unmarshal(raw, &entries))
	require.NotEmpty(t, entries)
	return entries
}

func TestCorpus(t *testing.T) {
	for _, e := range corpus(t) {
		r := Check(e.Expr, e.options(t))
		if e.Contested {
			require.NotEmpty(t, r.Diagnostics, "%s: %s", e.Expr, e.Reason)
			require.True(t, r.Valid, "contested facts are warnings: %s: %v", e.Expr, r.Diagnostics)
			continue
		}
		require.Equal(t, e.Valid, r.Valid, "%.200s: %s: %v", e.Expr, e.Reason, r.Diagnostics)
	}
}
