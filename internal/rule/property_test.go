package rule

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// tree prints a tree with all that tells two trees apart.
func tree(n node) string {
	switch n := n.(type) {
	case nil:
		return "nil"
	case everything:
		return "true"
	case *logic:
		kids := make([]string, len(n.kids))
		for i, k := range n.kids {
			kids[i] = tree(k)
		}
		return fmt.Sprintf("%v[%s]", n.or, strings.Join(kids, " "))
	case *negation:
		return "not[" + tree(n.kid) + "]"
	case *term:
		values := make([]string, len(n.values))
		for i, v := range n.values {
			values[i] = fmt.Sprintf("%v%q", v.quoted, v.text)
		}
		return fmt.Sprintf("%d(%d %s %q %v) %v $%s", n.op, n.left.fn, n.left.name, n.left.key, n.left.keyed, values, n.list)
	}
	return fmt.Sprintf("%T", n)
}

// holdsForAnyText checks what must be so for every text, right or wrong.
func holdsForAnyText(t *testing.T, text string, o Options) {
	t.Helper()
	r := Check(text, o)
	fixed, changes, ok := Fix(text, o)
	require.Equal(t, r.Valid, r.Expr != nil)
	require.Equal(t, r.Valid, len(r.Errors()) == 0)
	for _, d := range r.Diagnostics {
		require.NotEmpty(t, d.ID)
		require.NotEmpty(t, d.Message)
		require.LessOrEqual(t, d.Position.Offset, len(text))
		require.Positive(t, d.Position.Line)
		require.Positive(t, d.Position.Column)
	}
	if r.Corrected != "" {
		require.True(t, ok)
		require.Equal(t, r.Corrected, fixed)
	}
	if r.Valid {
		require.True(t, ok)
		printed := r.Expr.String()
		if again := Check(printed, o); len(printed) <= MaxSize && again.Valid {
			require.Equal(t, tree(r.Expr.root), tree(again.Expr.root), "%q prints as %q", text, printed)
		}
		require.NotEmpty(t, Describe(r.Expr))
	}
	if !ok {
		require.Equal(t, text, fixed)
		return
	}
	after := Check(fixed, o)
	require.True(t, after.Valid, "%q was fixed to %q: %v", text, fixed, after.Diagnostics)
	again, more, ok := Fix(fixed, o)
	require.True(t, ok)
	require.Empty(t, more, "%q fixed to %q, then to %q", text, fixed, again)
	require.Equal(t, fixed, again)
	if len(changes) == 0 {
		require.Equal(t, text, fixed)
	}
	// What is valid keeps its meaning; the added slash alone is told to change it.
	if r.Valid && !strings.Contains(fmt.Sprint(changes), "CompileRuleError") {
		for _, request := range []*Request{sampleRequest(), {}, {URL: "https://a.com/x"}} {
			require.Equal(t, r.Expr.Match(request), after.Expr.Match(request), "%q was fixed to %q", text, fixed)
		}
	}
}

// holdsForRight checks what must be so for a right expression.
func holdsForRight(t *testing.T, text string, o Options) {
	t.Helper()
	r := Check(text, o)
	require.True(t, r.Valid, "%q: %v", text, r.Diagnostics)
	for _, d := range r.Diagnostics {
		if d.applies && d.ID != idParens {
			return // contested: the fixer writes it in the undisputed way
		}
	}
	fixed, _, ok := Fix(text, o)
	require.True(t, ok)
	after := Check(fixed, o)
	require.True(t, after.Valid)
	require.Equal(t, tree(r.Expr.root), tree(after.Expr.root), "%q", text)
}

func TestCorpusProperties(t *testing.T) {
	for _, e := range corpus(t) {
		o := e.options(t)
		holdsForAnyText(t, e.Expr, o)
		if e.Valid && !e.Contested {
			holdsForRight(t, e.Expr, o)
		}
	}
}

// words are what random expressions are made of, right and wrong.
var words = []string{`http.host`, `http.request.uri`, `http.request.uri.path`, `ip.src`, `ip.geoip.asnum`, `ssl`, `http.cookie`, `http.request.headers["x"]`,
	`http.request.uri.args["q"]`, `eq`, `ne`, `in`, `contains`, `matches`, `starts_with`, `ends_with`, `exists`, `lower`, `len`, `not`, `and`, `or`, `(`, `)`,
	`{`, `}`, `[`, `]`, `,`, `"a"`, `"/b"`, `"*.a.com"`, `'c'`, `5`, `1.1.1.1`, `10.0.0.0/8`, `$list`, `$`, `in $`, `eq $`, `true`, `false`, `==`, `!=`, `&&`, `||`, `!`, `~`, `>`, `wildcard`,
	`strict`, `nosuch.field`, `"`, `\`, `r"x"`, `in_list`, `like`, `;`, `https://a.com/x`, `""`, `“d”`, `(ssl)`, `not_in`, `concat`, `(((`, `)))`}

func TestRandomTexts(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	kinds, plans := append(Kinds(), ""), append(Plans(), "")
	for range 8000 {
		parts := make([]string, 1+random.IntN(14))
		for i := range parts {
			parts[i] = words[random.IntN(len(words))]
		}
		o := Options{Kind: kinds[random.IntN(len(kinds))], Plan: plans[random.IntN(len(plans))]}
		holdsForAnyText(t, strings.Join(parts, []string{" ", "", "\n"}[random.IntN(3)]), o)
	}
}

// randomRight writes a right expression: conditions of known forms, nested to the
// depth that is allowed.
func randomRight(random *rand.Rand) string {
	term := func() string {
		terms := []string{`http.host eq "www.example.com"`, `http.host in {"a.com" "b.com"}`, `not http.host in {"a.com" "WWW.example.com"}`, `ssl`, `not ssl`,
			`ip.src in {10.0.0.0/8}`, `ip.src eq 1.1.1.1`, `starts_with(http.request.uri.path, "/api/")`, `not ends_with(http.request.uri.path, ".gz")`,
			`exists(http.request.headers["x-token"])`, `len(http.cookie) gt 10`, `lower(http.request.uri.path) contains "/photo"`, `ip.geoip.asnum ge 45104`,
			`http.request.method ne "GET"`, `http.request.uri.args["q"] eq "a b"`, `http.host matches "^www\\.example\.com$"`, `http.referer eq ""`}
		return terms[random.IntN(len(terms))]
	}
	chain := func(part func() string) string {
		parts := make([]string, 1+random.IntN(3))
		for i := range parts {
			parts[i] = part()
		}
		return strings.Join(parts, []string{" and ", " or "}[random.IntN(2)])
	}
	switch random.IntN(4) {
	case 0:
		return "(" + term() + ")"
	case 1:
		return "(" + chain(term) + ")"
	case 2:
		return chain(func() string { return "(" + chain(term) + ")" })
	default:
		return "(" + chain(func() string { return []string{"", "not "}[random.IntN(2)] + "(" + chain(term) + ")" }) + ")"
	}
}

func TestRandomRightExpressions(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		text := randomRight(random)
		holdsForRight(t, text, Options{Plan: PlanEnterprise})
		holdsForAnyText(t, text, Options{})
		e, err := Parse(text)
		require.NoError(t, err)
		is, trace, err := e.Eval(sampleRequest())
		require.NoError(t, err)
		require.Equal(t, is, e.Match(sampleRequest()), text)
		require.NotEmpty(t, trace.Decisive(), text)
	}
}

// Huge and deeply nested texts cost no more than their size.
func TestHugeTexts(t *testing.T) {
	for _, text := range []string{
		strings.Repeat("(", 60000), strings.Repeat("not ", 15000), strings.Repeat("(ssl) and ", 6000) + "(ssl)", strings.Repeat("lower(", 10000),
		strings.Repeat("ssl or ", 580) + "ssl", "(" + strings.Repeat("(ssl and not(", 300), strings.Repeat(`"`, 65000), strings.Repeat("a", 1<<20),
		strings.Repeat("[", 5000), strings.Repeat("starts_with(", 5000), "http.host in {" + strings.Repeat(`"a" `, 15000) + "}",
		strings.Repeat("((ssl or http.host eq \"a\") and (ssl or http.host eq \"b\")) and ", 60) + "ssl", strings.Repeat("http.request.headers.", 3000),
		strings.Repeat("x eq y ", 2000), strings.Repeat("$", 4000), strings.Repeat("\xff", 4000),
	} {
		holdsForAnyText(t, text, Options{})
		_ = CheckValue(text)
		_, _, _ = FromPattern(text)
	}
}

func FuzzCheck(f *testing.F) {
	for _, e := range corpus(f) {
		f.Add(e.Expr, "", "")
	}
	f.Fuzz(func(t *testing.T, text, kind, plan string) {
		k, _ := ParseKind(kind)
		p, _ := ParsePlan(plan)
		holdsForAnyText(t, text, Options{Kind: k, Plan: p})
	})
}

func FuzzFix(f *testing.F) {
	for _, w := range words {
		f.Add("(http.host "+w, w+" eq \"a\")")
	}
	f.Fuzz(func(t *testing.T, a, b string) { holdsForAnyText(t, a+" "+b, Options{}) })
}

func FuzzEval(f *testing.F) {
	random := rand.New(rand.NewPCG(5, 6))
	for range 50 {
		f.Add(randomRight(random), "https://www.example.com/a.b?c=d", "cookie=1", "agent")
	}
	f.Fuzz(func(t *testing.T, text, url, cookie, agent string) {
		e, err := Parse(text)
		if err != nil {
			return
		}
		r := sampleRequest()
		r.URL = url
		r.Header["Cookie"] = []string{cookie}
		r.Header["User-Agent"] = []string{agent}
		is, trace, err := e.Eval(r)
		if err == nil {
			require.Equal(t, is, e.Match(r))
		}
		require.Equal(t, is, trace.Result)
	})
}

func FuzzValue(f *testing.F) {
	for _, text := range []string{`concat("a", http.host)`, `regex_replace(http.request.uri.path, "^/(.*)$", "/x/${1}")`, `lower(`, `"\\`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := ParseValue(text)
		if err != nil {
			return
		}
		_, _ = v.Eval(sampleRequest())
	})
}

func FuzzFromPattern(f *testing.F) {
	for _, p := range []string{"*.example.com/api/*", "example.com", "a.com/x?y=1", "*", `a.com/"\`} {
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, pattern string) {
		expression, _, err := FromPattern(pattern)
		if err != nil || len(expression) > MaxSize {
			return
		}
		require.True(t, Check(expression, Options{}).Valid, "%q: %s: %v", pattern, expression, Check(expression, Options{}).Diagnostics)
	})
}

func BenchmarkCheck(b *testing.B) {
	const text = `(http.host eq "www.example.com" and starts_with(http.request.uri.path, "/api/") and not ip.geoip.country in {"CN" "JP"})`
	b.ReportAllocs()
	for b.Loop() {
		if !Check(text, Options{Kind: KindCache, Plan: PlanEnterprise}).Valid {
			b.Fatal("not valid")
		}
	}
}

func BenchmarkFix(b *testing.B) {
	const text = `http.host not in {'a.com', 'b.com'} && http.request.uri starts_with /api || ip.src eq "1.1.1.1"`
	b.ReportAllocs()
	for b.Loop() {
		if _, _, ok := Fix(text, Options{}); !ok {
			b.Fatal("not fixed")
		}
	}
}

func BenchmarkMatch(b *testing.B) {
	e, err := Parse(`(http.host eq "www.example.com" and starts_with(http.request.uri.path, "/api/") and not ip.geoip.country in {"US" "JP"})`)
	require.NoError(b, err)
	r := sampleRequest()
	b.ReportAllocs()
	for b.Loop() {
		if !e.Match(r) {
			b.Fatal("no match")
		}
	}
}
