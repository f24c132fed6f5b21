package rule

import (
	"strings"
	"unicode/utf8"
)

type tokenKind uint8

const (
	tokEnd tokenKind = iota
	tokWord
	tokString
	tokSymbol // parentheses, brackets, braces, commas, operators of other dialects
	tokList   // $name
)

// token is one piece of a text.
type token struct {
	kind       tokenKind
	start, end int
	text       string // as written; of a string what stands between its quotes
	quote      string // of a string that is not in double quotes: what opens it
	open       bool   // of a string: it is not closed
}

func (t token) is(symbol string) bool { return t.kind == tokSymbol && t.text == symbol }

// symbols that stand for themselves, the longest first.
var symbols = [...]string{"===", "!==", "==", "=~", "!=", "!~", "&&", "||", ">=", "<=", "<>",
	"(", ")", "[", "]", "{", "}", ",", "=", "!", "~", "&", "|", ">", "<", ";"}

// quotes are the marks that texts use for strings, each with the one that closes.
var quotes = [...]struct{ open, close string }{
	{`"`, `"`}, {"'", "'"}, {"`", "`"}, {"“", "”"}, {"‘", "’"}, {"”", "”"}, {"「", "」"}, {"＂", "＂"},
}

// lex cuts a text into tokens; the last is tokEnd.
func lex(s string) []token {
	out := make([]token, 0, len(s)/5+4)
	for i := 0; ; {
		for i < len(s) && blank(s[i]) {
			i++
		}
		if i >= len(s) {
			return append(out, token{kind: tokEnd, start: len(s), end: len(s)})
		}
		t := next(s, i)
		out = append(out, t)
		i = t.end
	}
}

func blank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// next reads the token at i, where no blank is.
func next(s string, i int) token {
	if t, ok := lexString(s, i, i); ok {
		return t
	}
	if s[i] == 'r' && i+1 < len(s) && (s[i+1] == '"' || s[i+1] == '#' && strings.HasPrefix(strings.TrimLeft(s[i+1:], "#"), `"`)) {
		return lexRaw(s, i)
	}
	if sym := symbolAt(s, i); sym != "" {
		return token{kind: tokSymbol, start: i, end: i + len(sym), text: sym}
	}
	kind, from := tokWord, i
	if s[i] == '$' {
		kind, from = tokList, i+1
	}
	end := max(wordEnd(s, from), i+1)
	return token{kind: kind, start: i, end: end, text: s[from:max(end, from)]}
}

func symbolAt(s string, i int) string {
	switch s[i] {
	case '=', '!', '&', '|', '>', '<', '(', ')', '[', ']', '{', '}', ',', '~', ';':
	default:
		return ""
	}
	for _, sym := range symbols {
		if strings.HasPrefix(s[i:], sym) {
			return sym
		}
	}
	return ""
}

func wordEnd(s string, i int) int {
	for i < len(s) && !blank(s[i]) && s[i] != '$' && symbolAt(s, i) == "" {
		if s[i] < utf8.RuneSelf {
			if s[i] == '"' || s[i] == '\'' || s[i] == '`' {
				break
			}
			i++
			continue
		}
		if q, _ := quoteAt(s, i); q != "" {
			break
		}
		_, n := utf8.DecodeRuneInString(s[i:])
		i += n
	}
	return i
}

func quoteAt(s string, i int) (opens, closes string) {
	if c := s[i]; c < utf8.RuneSelf && c != '"' && c != '\'' && c != '`' {
		return "", ""
	}
	for _, q := range quotes {
		if strings.HasPrefix(s[i:], q.open) {
			return q.open, q.close
		}
	}
	return "", ""
}

// lexString reads a string in quotes of any sort that opens at i.
func lexString(s string, i, start int) (token, bool) {
	opens, closes := quoteAt(s, i)
	if opens == "" {
		return token{}, false
	}
	t := token{kind: tokString, start: start}
	if opens != `"` {
		t.quote = opens
	}
	from := i + len(opens)
	for j := from; j < len(s); {
		if s[j] == '\\' && j+1 < len(s) {
			j += 2
			continue
		}
		if strings.HasPrefix(s[j:], closes) {
			t.text, t.end = s[from:j], j+len(closes)
			return t, true
		}
		if opens != `"` && closes != opens && s[j] == '"' { // “text"
			t.text, t.end = s[from:j], j+1
			return t, true
		}
		j++
	}
	// It is not closed: it ends where a string without blanks would.
	t.open = true
	t.end = from
	for t.end < len(s) && !blank(s[t.end]) && !strings.ContainsRune("(){},", rune(s[t.end])) {
		t.end++
	}
	t.text = s[from:t.end]
	return t, true
}

// lexRaw reads r"text" and r#"text"#, which ESA does not have.
func lexRaw(s string, i int) token {
	hashes := 0
	for s[i+1+hashes] == '#' {
		hashes++
	}
	from := i + 2 + hashes
	closes := `"` + strings.Repeat("#", hashes)
	t := token{kind: tokString, start: i, quote: "r" + strings.Repeat("#", hashes) + `"`}
	if at := strings.Index(s[from:], closes); at >= 0 {
		t.text, t.end = s[from:from+at], from+at+len(closes)
		return t
	}
	t.text, t.end, t.open = s[from:], len(s), true
	return t
}

// literal makes the value of a string token, or of a bare word.
func (t token) literal() literal {
	v := literal{quoted: t.kind == tokString, text: t.text, at: t.start, end: t.end}
	if !v.quoted {
		return v
	}
	if strings.HasPrefix(t.quote, "r") {
		return v
	}
	v.text = decode(t.text)
	if t.quote == "" && !t.open && strings.Contains(t.text, `\`) {
		v.raw = t.text
	}
	if t.quote != "" {
		v.text = strings.ReplaceAll(v.text, `\`+t.quote, t.quote)
	}
	return v
}

// position finds a byte offset in the text.
func position(s string, offset int) Position {
	offset = min(offset, len(s))
	before := s[:offset]
	line := strings.Count(before, "\n")
	return Position{
		Offset: offset, Line: line + 1,
		Column: utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]) + 1,
	}
}
