package pages

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// GuardLint is the guardrail that Lint speaks for.
const GuardLint = "er-lint"

// lintRule is a pattern that code for another runtime has, and what to do.
type lintRule struct {
	pattern *regexp.Regexp
	advice  string
}

// lintRules look at one line at a time, without its comments.
var lintRules = sync.OnceValue(func() []lintRule {
	rule := func(pattern, advice string) lintRule { return lintRule{regexp.MustCompile(pattern), advice} }
	return []lintRule{
		rule(`\bfetch\s*(?::\s*(?:async\s*)?(?:function\s*)?)?\(\s*\w+\s*(?::[^,()]+)?,\s*_?env\b`,
			"env is the third argument on ESA: fetch(request, context, env)"),
		rule(`\bcaches\s*\.`, "there is no caches: the global cache has get, put and delete"),
		rule(`\bcache\s*\.\s*match\s*\(`, "cache has no match: use cache.get"),
		rule("\\bcache\\s*\\.\\s*(?:get|put|delete)\\s*\\(\\s*[\"'`]https:", "cache keys must be http:// addresses"),
		rule(`\b(?:request|req|event\.request)\s*\.\s*cf\b`, "request.cf does not exist: read request headers"),
		rule(`\bASSETS\s*\.\s*fetch\b|\benv\s*\.\s*ASSETS\b`, "there is no ASSETS binding: static files are answered before the function runs"),
		rule(`\b(?:context|ctx)\s*\.\s*(?:geo|fetch)\b`, "context.geo and context.fetch do not exist: use request headers and the global fetch"),
		rule("\\bfetch\\s*\\(\\s*[\"'`]https?://(?:\\d{1,3}(?:\\.\\d{1,3}){3}|\\[)", "fetch takes host names only, no IP addresses"),
		rule(`\bnew\s+HTMLRewriter\b`, "there is no HTMLRewriter: change the text or bundle a parser"),
		rule(`\bnew\s+WebSocketPair\b`, "there are no WebSockets: a stream as the body of a Response can send events"),
		rule(`\bget\s*\([^()]*\)\s*\)?\s*[!=]==\s*null\b`, "EdgeKV.get gives undefined for a missing key, never null"),
	}
})

// kvVariable finds a variable that holds what EdgeKV.get gave.
var kvVariable = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`\b(?:const|let|var)\s+(\w+)\s*(?::[^=]+)?=\s*await\s+[\w.]+\.get\s*\(`)
})

// Lint finds what does not work in ESA's runtime although it may in others: one
// line of text for each, "name:line: advice". It reads code as text, so it can
// be wrong either way: what it says are warnings.
func Lint(name, code string) []string {
	var found []string
	usesKV := strings.Contains(code, "EdgeKV")
	var kept []*regexp.Regexp // comparisons of variables from EdgeKV.get with null
	for i, line := range strings.Split(withoutComments(code), "\n") {
		tell := func(advice string) { found = append(found, fmt.Sprintf("%s:%d: %s", name, i+1, advice)) }
		for _, r := range lintRules() {
			if r.pattern.MatchString(line) {
				tell(r.advice)
			}
		}
		if !usesKV {
			continue
		}
		if m := kvVariable().FindStringSubmatch(line); m != nil {
			kept = append(kept, regexp.MustCompile(`\b`+m[1]+`\s*[!=]==\s*null\b`))
		}
		if slices.ContainsFunc(kept, func(r *regexp.Regexp) bool { return r.MatchString(line) }) {
			tell("EdgeKV.get gives undefined for a missing key, never null")
		}
	}
	return found
}

// Lint looks at the script's own sources, not at packages; dir is what the names
// in the findings are relative to.
func (s *Script) Lint(dir string) []string {
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	var found []string
	for _, input := range s.Inputs {
		switch strings.ToLower(filepath.Ext(input)) {
		case ".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx":
		default:
			continue
		}
		if strings.Contains(filepath.ToSlash(input), "/node_modules/") {
			continue
		}
		code, err := os.ReadFile(input)
		if err != nil {
			continue // it was bundled: the deploy itself is not in doubt
		}
		name, err := filepath.Rel(dir, input)
		if err != nil {
			name = filepath.Base(input)
		}
		found = append(found, Lint(filepath.ToSlash(name), string(code))...)
	}
	return found
}

// withoutComments blanks the comments of JavaScript and leaves lines where they
// are. It knows strings but not regular expressions: a quote in one ends with
// its line.
func withoutComments(code string) string {
	b := []byte(code)
	var quote byte
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case quote != 0:
			switch {
			case c == '\\':
				i++
			case c == quote, c == '\n' && quote != '`':
				quote = 0
			}
		case c == '"' || c == '\'' || c == '`':
			quote = c
		case bytes.HasPrefix(b[i:], []byte("//")):
			for ; i < len(b) && b[i] != '\n'; i++ {
				b[i] = ' '
			}
		case bytes.HasPrefix(b[i:], []byte("/*")):
			end := bytes.Index(b[i+2:], []byte("*/"))
			if end < 0 {
				end = len(b) - i - 4
			}
			for stop := i + end + 4; i < stop && i < len(b); i++ {
				if b[i] != '\n' {
					b[i] = ' '
				}
			}
			i--
		}
	}
	return string(b)
}
