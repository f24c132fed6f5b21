package pages

import (
	"fmt"
	"path"
	"regexp"
	"strings"
	"unicode/utf8"
)

// Ignore files, in the syntax of gitignore. Of two that disagree, .esaignore
// has the last word.
const (
	gitIgnore = ".gitignore"
	esaIgnore = ".esaignore"
)

// The matching is this package's own because the library at hand reads
// "[!a]", "a/**" and "**/a/b" differently from git, and here a pattern that
// does not match publishes the file.

// pattern is one line of an ignore file.
type pattern struct {
	text    string // as written
	line    int
	include bool // a line that begins with !
	dirOnly bool
	// anchored patterns match the path below the file's folder, others the
	// last segment alone.
	anchored bool
	// bytewise patterns are not valid UTF-8. They and the paths are compared as
	// if every byte were a character, so that such a name can be ignored.
	bytewise bool
	// Of the three ways to match, the first two are fast paths.
	literal string
	suffix  string
	glob    *regexp.Regexp
}

// dotted reports whether the last segment is written with its leading dot, the
// way a shell wants hidden files named.
func (p *pattern) dotted() bool {
	s := strings.TrimSuffix(strings.TrimPrefix(p.text, "!"), "/")
	return strings.HasPrefix(path.Base(s), ".")
}

// parsePattern reads one line; nil if it says nothing.
func parsePattern(text string, line int) *pattern {
	text = trimSpaces(strings.TrimSuffix(text, "\r"))
	if text == "" || text[0] == '#' {
		return nil
	}
	p := &pattern{text: text, line: line}
	rest := text
	if rest[0] == '!' {
		p.include, rest = true, rest[1:]
	}
	if trimmed, ok := strings.CutSuffix(rest, "/"); ok {
		p.dirOnly, rest = true, trimmed
	}
	p.anchored = strings.Contains(rest, "/")
	rest = strings.TrimPrefix(rest, "/")
	if rest == "" {
		return nil
	}
	if p.bytewise = !utf8.ValidString(rest); p.bytewise {
		rest = widen(rest)
	}
	switch {
	case !strings.ContainsAny(rest, `*?[\`):
		p.literal = rest
	case !p.anchored && rest[0] == '*' && !strings.ContainsAny(rest[1:], `*?[\`):
		p.suffix = rest[1:]
		p.glob = nil
		if p.suffix == "" {
			p.glob = anything
		}
	default:
		glob, err := compileGlob(rest)
		if err != nil {
			return nil // git, too, lets a malformed pattern match nothing
		}
		p.glob = glob
	}
	return p
}

var anything = regexp.MustCompile(`(?s).`)

// widen makes a character of every byte.
func widen(s string) string {
	wide := make([]rune, len(s))
	for i := range len(s) {
		wide[i] = rune(s[i])
	}
	return string(wide)
}

// trimSpaces cuts trailing spaces but for one behind a backslash.
func trimSpaces(s string) string {
	end := len(s)
	for end > 0 && s[end-1] == ' ' {
		end--
	}
	backslashes := 0
	for i := end - 1; i >= 0 && s[i] == '\\'; i-- {
		backslashes++
	}
	if backslashes%2 == 1 && end < len(s) {
		end++
	}
	return s[:end]
}

// match compares with rel, the slash path below the ignore file's folder.
func (p *pattern) match(rel string, isDir bool) bool {
	if p.dirOnly && !isDir {
		return false
	}
	if !p.anchored {
		rel = path.Base(rel)
	}
	if p.bytewise {
		rel = widen(rel)
	}
	switch {
	case p.literal != "":
		return rel == p.literal
	case p.glob != nil:
		return p.glob.MatchString(rel)
	}
	return strings.HasSuffix(rel, p.suffix)
}

// compileGlob turns a gitignore pattern into a regular expression, which
// matches in linear time whatever the pattern.
func compileGlob(glob string) (*regexp.Regexp, error) {
	var b strings.Builder
	b.WriteString(`(?s)^`)
	for i := 0; i < len(glob); {
		rest := glob[i:]
		atStart := i == 0 || glob[i-1] == '/'
		switch {
		case atStart && rest == "**":
			b.WriteString(`.+`)
			i += 2
		case atStart && strings.HasPrefix(rest, "**/"):
			b.WriteString(`(?:.+/)?`)
			i += 3
		case rest[0] == '*':
			b.WriteString(`[^/]*`)
			i++
		case rest[0] == '?':
			b.WriteString(`[^/]`)
			i++
		case rest[0] == '[':
			class, n, err := compileClass(rest)
			if err != nil {
				return nil, err
			}
			b.WriteString(class)
			i += n
		case rest[0] == '\\':
			if len(rest) == 1 {
				return nil, fmt.Errorf("pattern %q ends with a backslash", glob)
			}
			i++
			fallthrough
		default:
			n := runeLen(glob[i:])
			b.WriteString(regexp.QuoteMeta(glob[i : i+n]))
			i += n
		}
	}
	b.WriteString(`$`)
	return regexp.Compile(b.String())
}

func runeLen(s string) int {
	for i := range s {
		if i > 0 {
			return i
		}
	}
	return len(s)
}

// compileClass turns the bracket expression at the start of s into one of a
// regular expression and says how long it was.
func compileClass(s string) (class string, length int, err error) {
	var b strings.Builder
	i := 1
	negated := i < len(s) && (s[i] == '!' || s[i] == '^')
	if negated {
		i++
	}
	for first := true; ; first = false {
		if i >= len(s) {
			return "", 0, fmt.Errorf("pattern %q has no closing bracket", s)
		}
		if s[i] == ']' && !first {
			break
		}
		if name, ok := posixClass(s[i:]); ok {
			b.WriteString(name)
			i += len(name)
			continue
		}
		if s[i] == '\\' {
			i++
			if i >= len(s) {
				return "", 0, fmt.Errorf("pattern %q has no closing bracket", s)
			}
		} else if s[i] == '-' && !first && i+1 < len(s) && s[i+1] != ']' {
			b.WriteByte('-')
			i++
			continue
		}
		n := runeLen(s[i:])
		b.WriteString(quoteInClass(s[i : i+n]))
		i += n
	}
	body := b.String()
	if negated {
		return "[^/" + body + "]", i + 1, nil
	}
	return "[" + body + "]", i + 1, nil
}

func posixClass(s string) (string, bool) {
	if !strings.HasPrefix(s, "[:") {
		return "", false
	}
	end := strings.Index(s, ":]")
	if end < 0 {
		return "", false
	}
	return s[:end+2], true
}

func quoteInClass(s string) string {
	if strings.ContainsAny(s, `\[]^-&~`) {
		return `\` + s
	}
	return s
}

// ignoreFile is a parsed ignore file and the one of the same name that holds
// above it.
type ignoreFile struct {
	up       *ignoreFile
	name     string // path of the file, for reports
	base     string // path of its folder; empty for the root
	patterns []*pattern
}

// parseIgnore reads text as an ignore file in the folder base.
func parseIgnore(up *ignoreFile, name, base, text string) *ignoreFile {
	f := &ignoreFile{up: up, name: name, base: base}
	text = strings.TrimPrefix(text, "\ufeff")
	line := 0
	for text := range strings.SplitSeq(text, "\n") {
		line++
		if p := parsePattern(text, line); p != nil {
			f.patterns = append(f.patterns, p)
		}
	}
	return f
}

// verdict is the pattern that decides, and where it is written.
type verdict struct {
	pattern *pattern
	file    string
}

// decide finds the pattern that decides about p: the last one that matches in
// the deepest file that has one. Callers ask about every folder before they go
// into it, so what lies in an ignored folder is never asked about.
func (f *ignoreFile) decide(p string, isDir bool) (verdict, bool) {
	for ; f != nil; f = f.up {
		rel := p
		if f.base != "" {
			rel = strings.TrimPrefix(p, f.base+"/")
		}
		for i := len(f.patterns) - 1; i >= 0; i-- {
			if f.patterns[i].match(rel, isDir) {
				return verdict{f.patterns[i], f.name}, true
			}
		}
	}
	return verdict{}, false
}
