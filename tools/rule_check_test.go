package tools

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// try calls a tool that needs no account and decodes its result.
func try[Out any](t *testing.T, tool, args string) Out {
	t.Helper()
	text, err := callTool(t, &fakeESA{}, tool, args)
	require.NoError(t, err, args)
	var out Out
	require.NoError(t, json.Unmarshal([]byte(text), &out))
	return out
}

func TestCheckRule(t *testing.T) {
	out := try[CheckRuleOutput](t, "check_rule", `{"expression":"(http.host eq \"a.com\" and not ssl)"}`)
	require.Equal(t, CheckRuleOutput{Valid: true, Diagnostics: []RuleDiagnostic{}, Reading: `Matches requests where the host is "a.com" and the request is not over TLS.`}, out)

	out = try[CheckRuleOutput](t, "check_rule", `{"expression":"http.host not in {'a.com', 'b.com'}\n && ip.src eq \"1.1.1.1\""}`)
	require.False(t, out.Valid)
	require.Equal(t, `(not http.host in {"a.com" "b.com"} and ip.src eq 1.1.1.1)`, out.Corrected)
	require.Equal(t, `Matches requests where the host is not one of "a.com", "b.com" and the client IP is 1.1.1.1.`, out.Reading)
	last := out.Diagnostics[len(out.Diagnostics)-1]
	require.Equal(t, RuleDiagnostic{ID: "rule-quotes", Severity: "error", Line: 2, Column: 15, Found: `"1.1.1.1"`, Expected: "", Message: "addresses stand without quotes",
		Fix: "1.1.1.1"}, withoutExpected(last))

	out = try[CheckRuleOutput](t, "check_rule", `{"expression":"(ssl)","kind":"HTTPS"}`)
	require.False(t, out.Valid)
	require.Equal(t, "rule-kind", out.Diagnostics[0].ID)
	require.Empty(t, out.Corrected)
	require.Empty(t, out.Reading)

	for args, want := range map[string]string{
		`{"expression":"true","kind":"coffee"}`: "load_balancer",
		`{"expression":"true","plan":"gold"}`:   "enterprise",
	} {
		_, err := callTool(t, &fakeESA{}, "check_rule", args)
		require.ErrorContains(t, err, want)
	}
}

func withoutExpected(d RuleDiagnostic) RuleDiagnostic {
	d.Expected = ""
	return d
}

// The tool takes the kinds and plans that the corpus has, and judges as the
// language does.
func TestCheckRuleOnTheCorpus(t *testing.T) {
	raw, err := os.ReadFile("../internal/rule/testdata/corpus.json")
	require.NoError(t, err)
	var entries []struct {
		Expr, Kind, Plan string
		Valid, Contested bool
	}
	require.NoError(t, json.Unmarshal(raw, &entries))
	require.NotEmpty(t, entries)
	for _, e := range entries {
		args, err := json.Marshal(map[string]string{"expression": e.Expr, "kind": e.Kind, "plan": e.Plan})
		require.NoError(t, err)
		out := try[CheckRuleOutput](t, "check_rule", string(args))
		require.Equal(t, e.Valid || e.Contested, out.Valid, e.Expr)
	}
}

func TestTestRule(t *testing.T) {
	out := try[TestRuleOutput](t, "test_rule", `{"expression":"(http.host eq \"a.com\" and not ip.src in $office)","lists":{"office":["10.0.0.0/8"]},"requests":[
		{"url":"https://A.com/x","client_ip":"10.1.1.1"},{"url":"https://a.com/x","client_ip":"9.9.9.9"},{"url":"https://b.com/"}]}`)
	require.Len(t, out.Results, 3)
	require.Equal(t, []bool{false, true, false}, []bool{out.Results[0].Matches, out.Results[1].Matches, out.Results[2].Matches})
	require.Equal(t, []TriedTerm{{Term: `http.host eq "a.com"`, Value: "a.com", Holds: true},
		{Term: "not ip.src in $office", Value: "10.1.1.1", Decides: true}}, out.Results[0].Terms)

	undecided := try[TestRuleOutput](t, "test_rule", `{"expression":"(ip.src in $nobody)","requests":[{"url":"https://a.com/"}]}`)
	require.Contains(t, undecided.Results[0].Terms[0].Note, "$nobody")

	for args, want := range map[string]string{
		`{"expression":"(http.host = \"a\")","requests":[{"url":"https://a.com/"}]}`:      `(http.host eq "a")`,
		`{"expression":"(http.host","requests":[{"url":"https://a.com/"}]}`:               "check_rule",
		`{"expression":"(ssl)","requests":[{"url":"/x"}]}`:                                "requests[0].url",
		`{"expression":"(ssl)","requests":[{"url":"https://a.com/","client_ip":"home"}]}`: "requests[0].client_ip",
		`{"expression":"(ssl)","requests":[]}`:                                            "requests",
	} {
		_, err := callTool(t, &fakeESA{}, "test_rule", args)
		require.ErrorContains(t, err, want, args)
	}
}

func TestBuildRule(t *testing.T) {
	for args, want := range map[string]string{
		`{"patterns":["*.example.com/api/*"]}`:                      `(ends_with(http.host, ".example.com") and starts_with(http.request.uri.path, "/api/"))`,
		`{"hosts":["a.com","!b.a.com"],"extensions":["jpg","png"]}`: `(http.host eq "a.com" and http.request.uri.path.extension in {"jpg" "png"} and http.host ne "b.a.com")`,
		`{"paths":["/api/*"],"countries":["!cn","!jp"]}`:            `(starts_with(http.request.uri.path, "/api/") and not ip.geoip.country in {"CN" "JP"})`,
		`{"hosts":["a.com"],"https":false,"any":true}`:              `(http.host eq "a.com" or not ssl)`,
		`{"hosts":["a.com"],"headers":{"x-a":"!*"},"any":true}`:     `(http.host eq "a.com" or not exists(http.request.headers["x-a"]))`,
		`{"methods":["post"],"cookies":{"s":"x*"},"asns":[4134]}`:   `(http.request.method eq "POST" and ip.geoip.asnum eq 4134 and starts_with(http.request.cookies["s"], "x"))`,
	} {
		out := try[BuildRuleOutput](t, "build_rule", args)
		require.Equal(t, want, out.Expression, args)
		require.NotEmpty(t, out.Reading)
	}
	out := try[BuildRuleOutput](t, "build_rule", `{"patterns":["*.example.com"]}`)
	require.Contains(t, out.Notes[0].Text, "example.com itself does not match")
	out = try[BuildRuleOutput](t, "build_rule", `{}`)
	require.Equal(t, "true", out.Expression)
	require.NotEmpty(t, out.Notes)
	for args, want := range map[string]string{
		`{"hosts":["a.com/x"]}`:   "hosts",
		`{"patterns":["a:8080"]}`: "port",
		`{"paths":["x"]}`:         "paths",
	} {
		_, err := callTool(t, &fakeESA{}, "build_rule", args)
		require.ErrorContains(t, err, want, args)
	}
}
