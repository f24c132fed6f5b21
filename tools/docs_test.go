package tools

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/resources/docs"
)

func TestSearchDocs(t *testing.T) {
	ask := func(args string) (out SearchDocsOutput) {
		text, err := callTool(t, &fakeESA{}, "search_docs", args)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal([]byte(text), &out))
		return out
	}
	found := ask(`{"query": "502 after an origin rule"}`).Sections
	require.Len(t, found, 3)
	require.Equal(t, "esa://docs/origin-rules#a-502-after-an-origin-rule", found[0].URI)
	require.Contains(t, found[0].Title, " › ")
	require.Contains(t, found[0].Excerpt, "https")
	for _, s := range ask(`{"query": "502", "lang": "zh"}`).Sections {
		require.True(t, strings.HasPrefix(s.URI, "esa://docs/zh/"), s.URI)
	}
	require.Empty(t, ask(`{"query": "xyzzyqux"}`).Sections)

	section := ask(`{"query": "esa://docs/dns-records#ttl"}`).Sections
	require.Len(t, section, 1)
	require.Contains(t, section[0].Excerpt, "86,400")
	require.Contains(t, ask(`{"query": "esa://docs/kv"}`).Sections[0].Excerpt, "#expiry")
	require.Len(t, ask(`{"query": "esa://docs"}`).Sections, len(docs.All())/2)
	require.Len(t, ask(`{"query": "esa://docs/zh"}`).Sections, len(docs.All())/2)
	for args, want := range map[string]string{
		`{"query": "esa://docs/kv#none"}`: "#expiry",
		`{"query": "esa://docs/none"}`:    "esa://docs lists them",
		`{"query": ""}`:                   "query",
	} {
		_, err := callTool(t, &fakeESA{}, "search_docs", args)
		require.ErrorContains(t, err, want)
	}
}

// No answer costs more than 600 tokens, whatever is asked.
func TestSearchDocsIsCheap(t *testing.T) {
	count := counter(t)
	queries := []string{"esa://docs", "esa://docs/zh"}
	for _, d := range docs.All() {
		queries = append(queries, d.URI(), d.Title)
		for _, s := range d.Sections {
			queries = append(queries, d.SectionURI(s), s.Title, d.Title+" "+s.Title)
		}
	}
	for _, q := range queries {
		args, err := json.Marshal(SearchDocsInput{Query: q})
		require.NoError(t, err)
		text, err := callTool(t, &fakeESA{}, "search_docs", string(args))
		require.NoError(t, err)
		require.LessOrEqual(t, count(text), 600, "%s\n%s", q, text)
	}
}
