package main

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/rule"
	"github.com/esa-mcp/esa-mcp/resources/docs"
	"github.com/esa-mcp/esa-mcp/tools"
)

// The examples of the reference documents are run, in the order in which they
// stand, against a local ESA of the document's own that has two active sites,
// example.com with NS access and example.org with CNAME access. Blocks are
//
//	call         a tool and its arguments; a value such as RULE_ID or VERSION is that of the
//	             field rule_id in the newest answer that has one
//	call fails X the same, refused with a text that has X
//	js routine   a routine; each http block below it is a request to it
//	rule         rule expressions, one a line, with nothing to say against them
//	http         > request line and headers, < status and headers, then the body
//
// Paths below /srv/shop are files of exampleFiles.

// exampleFiles are what the examples deploy and import.
func exampleFiles() map[string]string {
	return map[string]string{
		"dist/index.html":     "<!doctype html><title>Shop</title>",
		"dist/404.html":       "<!doctype html><title>Not found</title>",
		"dist/assets/site.js": "console.log('shop');",
		"src/index.js":        "export default { async fetch(request) { return new Response('Hi from ' + new URL(request.url).pathname); } };",
		"kv.jsonl":            `{"key":"flags:beta","value":"off"}` + "\n" + `{"key":"limits:upload","value":"10"}` + "\n",
		"zone.txt":            "$ORIGIN example.com.\n$TTL 300\nblog IN A 203.0.113.30\ndocs IN CNAME blog\n",
	}
}

// block is one fenced block of a document.
type block struct{ info, text string }

func blocksOf(d *docs.Document) []block {
	var list []block
	for _, m := range regexp.MustCompile("(?ms)^```([a-z][^\n]*)\n(.*?)^```$").FindAllStringSubmatch(d.Text, -1) {
		list = append(list, block{m[1], m[2]})
	}
	return list
}

func TestReferenceExamples(t *testing.T) {
	t.Parallel()
	for _, d := range docs.All() {
		if d.Lang != docs.English { // the other language has the same blocks
			continue
		}
		t.Run(d.Name, func(t *testing.T) {
			e := &examples{}
			for _, b := range blocksOf(d) {
				e.run(t, b)
			}
		})
	}
}

// examples runs the blocks of one document.
type examples struct {
	s       *server
	dir     string
	answers []any  // of the calls so far
	routine string // address of the newest routine
}

func (e *examples) run(t *testing.T, b block) {
	t.Helper()
	kind, rest, _ := strings.Cut(b.info, " ")
	switch {
	case b.info == "rule":
		for line := range strings.Lines(b.text) {
			report := rule.Check(strings.TrimSpace(line), rule.Options{})
			require.True(t, report.Valid, "%s\n%+v", line, report.Diagnostics)
			require.Empty(t, report.Diagnostics, line)
		}
	case kind == "call":
		wanted, isRefusal := strings.CutPrefix(rest, "fails ")
		require.True(t, isRefusal || rest == "", "call block says %q", rest)
		e.call(t, b.text, wanted)
	case b.info == "js routine":
		out := callOK[tools.DeployOutput](t, e.server(t), "deploy_routine", arguments{"name": "example", "code": b.text})
		require.NotContains(t, noteIDs(out.Notes), "er-lint", out.Notes)
		require.NotEmpty(t, out.URL, out)
		e.routine = out.URL
	case kind == "http":
		require.NotEmpty(t, e.routine, "an http block needs a routine before it")
		converse(t, e.routine, b.text)
	}
}

// server starts a local ESA with the two sites at first use.
func (e *examples) server(t *testing.T) *server {
	t.Helper()
	if e.s == nil {
		e.dir = writeSite(t, exampleFiles())
		e.s = startLocal(t)
		for name, access := range map[string]string{"example.com": "NS", "example.org": "CNAME"} {
			callOK[tools.SiteOutput](t, e.s, "create_site", arguments{"name": name, "access_type": access})
			callOK[tools.VerifySiteOutput](t, e.s, "verify_site", arguments{"site_name": name})
		}
	}
	return e.s
}

func (e *examples) call(t *testing.T, text, refusal string) {
	t.Helper()
	s := e.server(t)
	name, raw, _ := strings.Cut(strings.TrimSpace(text), " ")
	raw = regexp.MustCompile(`"([A-Z]+_ID|VERSION)"`).ReplaceAllStringFunc(raw, func(quoted string) string {
		value, ok := e.earlier(strings.ToLower(strings.Trim(quoted, `"`)))
		if !ok {
			return quoted
		}
		encoded, err := json.Marshal(value)
		require.NoError(t, err)
		return string(encoded)
	})
	raw = strings.ReplaceAll(raw, "/srv/shop/", filepath.ToSlash(e.dir)+"/")
	var args arguments
	require.NoError(t, json.Unmarshal([]byte(raw), &args), text)
	answer, isError := s.try(t, t.Context(), name, args)
	require.Equal(t, refusal != "", isError, "%s\n%s", text, answer)
	if isError {
		require.Contains(t, answer, refusal, text)
		return
	}
	var parsed any
	require.NoError(t, json.Unmarshal([]byte(answer), &parsed), text)
	e.answers = append(e.answers, parsed)
}

// earlier finds a field in the newest answer that has it, in whatever style it
// is written; rule_id is also the id in rule, and so on.
func (e *examples) earlier(field string) (any, bool) {
	outer, inner := "", ""
	if before, ok := strings.CutSuffix(field, "_id"); ok {
		outer, inner = before, "id"
	}
	for i := len(e.answers) - 1; i >= 0; i-- {
		if v, ok := search(e.answers[i], "", strings.ReplaceAll(field, "_", ""), outer, inner); ok {
			return v, true
		}
	}
	return nil, false
}

func search(v any, within, field, outer, inner string) (any, bool) {
	switch v := v.(type) {
	case map[string]any:
		for key, member := range v {
			if strings.EqualFold(strings.ReplaceAll(key, "_", ""), field) {
				return member, true
			}
		}
		if found, ok := v[inner]; ok && (within == outer || within == outer+"s") {
			return found, true
		}
		for key, member := range v {
			if found, ok := search(member, key, field, outer, inner); ok {
				return found, true
			}
		}
	case []any:
		for _, member := range v {
			if found, ok := search(member, within, field, outer, inner); ok {
				return found, true
			}
		}
	}
	return nil, false
}

// converse sends the request of an http block to a routine and compares the
// answer. A body is compared if the block has one.
func converse(t *testing.T, address, text string) {
	t.Helper()
	u, err := url.Parse(address)
	require.NoError(t, err)
	var request *http.Request
	status, want := "", http.Header{}
	var body []string
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		line := lines.Text()
		sent, isRequest := strings.CutPrefix(line, "> ")
		got, isAnswer := strings.CutPrefix(line, "< ")
		switch {
		case isRequest && request == nil:
			method, target, _ := strings.Cut(sent, " ")
			path, query, _ := strings.Cut(target, "?")
			u.Path, u.RawQuery = path, strings.Trim(u.RawQuery+"&"+query, "&")
			request, err = http.NewRequestWithContext(t.Context(), method, u.String(), nil)
			require.NoError(t, err)
		case isRequest:
			name, value, _ := strings.Cut(sent, ": ")
			request.Header.Set(name, value)
		case isAnswer && status == "":
			status = got
		case isAnswer:
			name, value, _ := strings.Cut(got, ": ")
			want.Set(name, value)
		default:
			body = append(body, line)
		}
	}
	require.NotNil(t, request, text)
	res := ask(t, request, false)
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(res.Status, status), "%s\ngot %s\n%s", text, res.Status, raw)
	for name := range want {
		require.Equal(t, want.Get(name), res.Header.Get(name), text)
	}
	if len(body) > 0 {
		require.Equal(t, strings.Join(body, "\n"), strings.TrimSuffix(string(raw), "\n"), text)
	}
}

// What the documents call wrong is found, and corrected to what they call right.
func TestReferenceCorrections(t *testing.T) {
	t.Parallel()
	_, section, ok := docs.Lookup("esa://docs/rule-examples#wrong-and-right")
	require.True(t, ok)
	rows := regexp.MustCompile("(?m)^\\| `([^`]+)` \\| .* \\| `([^`]+)` \\|$").FindAllStringSubmatch(section.Text, -1)
	require.Greater(t, len(rows), 8)
	for _, row := range rows {
		wrong, right := rule.Check(row[1], rule.Options{}), rule.Check("("+row[2]+")", rule.Options{})
		require.NotEmpty(t, wrong.Diagnostics, row[1])
		require.Equal(t, "("+row[2]+")", wrong.Corrected, row[1])
		require.True(t, right.Valid, row[2])
		require.Empty(t, right.Diagnostics, row[2])
	}
}

// The examples' files are what the documents say they are.
func TestExampleFilesAreUsed(t *testing.T) {
	t.Parallel()
	var all strings.Builder
	for _, d := range docs.All() {
		all.WriteString(d.Text)
	}
	for _, m := range regexp.MustCompile(`/srv/shop/([\w./-]+)`).FindAllStringSubmatch(all.String(), -1) {
		dir := writeSite(t, exampleFiles())
		if _, err := os.Stat(filepath.Join(dir, m[1])); err != nil {
			require.Contains(t, m[1], "export", "%s is no file of the examples", m[0])
		}
	}
}
