package docs

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWords(t *testing.T) {
	for text, want := range map[string][]string{
		"A/AAAA records, proxied.":    {"a", "aaaa", "records", "proxied"},
		"InvalidParameter.InvalidBiz": {"invalidparameter", "invalid", "parameter", "invalidbiz", "invalid", "biz"},
		"origin_http_port 502":        {"origin", "http", "port", "502"},
		"绑定域名":                        {"绑定", "定域", "域名"},
		"用KV存":                        {"用", "kv", "存"},
		"":                            nil,
		"—…":                          nil,
	} {
		require.Equal(t, want, words(text), text)
	}
	require.Equal(t, []string{"502", "origin", "rule"}, questionWords("Why 502 after my origin rule? The origin ..."))
	require.Equal(t, []string{"how", "do", "i"}, questionWords("how do I"))
}

func TestSearch(t *testing.T) {
	first := func(query, lang string) string {
		hits, err := Search(t.Context(), query, lang, 3)
		require.NoError(t, err)
		require.NotEmpty(t, hits, query)
		require.LessOrEqual(t, len(hits), 3)
		return hits[0].URI()
	}
	require.Equal(t, "esa://docs/kv#expiry", first("kv expire ttl", ""))
	require.Equal(t, "esa://docs/zh/kv#expiry", first("KV 过期时间", ""))
	require.Equal(t, "esa://docs/zh/kv#expiry", first("expiry ttl_seconds", Chinese))
	for _, nothing := range []string{"", " ?! ", "\"", "xyzzyqux"} {
		hits, err := Search(t.Context(), nothing, "", 3)
		require.NoError(t, err)
		require.Empty(t, hits, nothing)
	}
	hits, err := Search(t.Context(), "record", "", 0)
	require.NoError(t, err)
	require.Empty(t, hits)
}

// What a query has of the index's own language is only text.
func TestSearchTakesAnyText(t *testing.T) {
	for _, q := range []string{`" OR *`, "NEAR(a b)", "body:record", "a AND NOT b", "-x^2", "'; DROP TABLE sections; --", "\x00\xff", "缓存\"规则"} {
		_, err := Search(t.Context(), q, "", 5)
		require.NoError(t, err, q)
	}
}

func FuzzSearch(f *testing.F) {
	f.Add("why 502", "")
	f.Add("绑定 域名\"", "zh")
	f.Fuzz(func(t *testing.T, query, lang string) {
		_, err := Search(t.Context(), query, lang, 3)
		require.NoError(t, err)
	})
}

// BenchmarkIndex is what the first search of a language costs.
func BenchmarkIndex(b *testing.B) {
	All()
	for b.Loop() {
		x, err := newIndex(English)
		require.NoError(b, err)
		x.db.Close()
	}
}

func BenchmarkSearch(b *testing.B) {
	_, err := englishIndex()
	require.NoError(b, err)
	for b.Loop() {
		_, err := Search(b.Context(), "why 502 after my origin rule", "", 4)
		require.NoError(b, err)
	}
}

func TestExcerpt(t *testing.T) {
	s := Section{Text: "First paragraph about records.\n\n| code | means |\n| --- | --- |\n| `One` | alpha |\n| `Two` | beta |\n\n" +
		"- an item about gamma\n- an item about delta\n\n```call\ntool {\"a\": \"delta\"}\n```\n\nThe end."}
	require.Equal(t, s.Text, Excerpt(s, "beta", 500))
	require.Equal(t, "| code | means |\n| --- | --- |\n| `Two` | beta |\n…\nThe end.", Excerpt(s, "beta", 30))
	require.Equal(t, "- an item about delta\n\n```call\ntool {\"a\": \"delta\"}\n```", Excerpt(s, "deltas", 30))
	require.Equal(t, "First paragraph…", Excerpt(s, "records", 5))
	require.Empty(t, Excerpt(s, "records", 0))
	require.Equal(t, "中文没…", clip("中文没有空格的句子", 4))
	require.Greater(t, Cost("a longer text"), Cost("a text"))
}

func FuzzExcerpt(f *testing.F) {
	f.Add("para\n\n| a |\n| --- |\n| b |\n```x\ny", "b", 9)
	f.Add("| --- |\n- x\n1. y", "", 3)
	f.Fuzz(func(t *testing.T, text, query string, budget int) {
		budget = min(max(budget, 0), 10_000)
		out := Excerpt(Section{Text: text}, query, budget)
		require.LessOrEqual(t, len(out), len(text)+8*len(text)+8)
	})
}
