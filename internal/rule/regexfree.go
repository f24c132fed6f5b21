package rule

import "strings"

// withoutRegex is a condition without a regular expression that matches the same
// values; nil if there is none. It knows ^text, text$, ^text$, text, and
// alternatives of whole texts.
func (t *term) withoutRegex() node {
	text := t.values[0].text
	if strings.HasPrefix(text, "^(") && strings.HasSuffix(text, ")$") {
		var values []literal
		for alternative := range strings.SplitSeq(text[2:len(text)-2], "|") {
			plain, ok := plainRegex(alternative)
			if !ok {
				return nil
			}
			values = append(values, literal{quoted: true, text: plain})
		}
		return t.with(opIn, values)
	}
	rest, begins := strings.CutPrefix(text, "^")
	rest, ends := strings.CutSuffix(rest, "$")
	if ends && strings.HasSuffix(rest, `\`) {
		return nil
	}
	plain, ok := plainRegex(rest)
	if !ok || plain == "" {
		return nil
	}
	op := opContains
	switch {
	case begins && ends:
		op = opEq
	case begins:
		op = opStartsWith
	case ends:
		op = opEndsWith
	}
	if !t.left.field.takes(op) {
		return nil
	}
	return t.with(op, []literal{{quoted: true, text: plain}})
}

// plainRegex reads a regular expression that is one text.
func plainRegex(s string) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '\\' {
			if i++; i == len(s) || !strings.ContainsRune(`.\/-+*?()[]{}^$|`, rune(s[i])) {
				return "", false
			}
			b.WriteByte(s[i])
			continue
		}
		if strings.IndexByte(`.+*?()[]{}^$|`, c) >= 0 {
			return "", false
		}
		b.WriteByte(c)
	}
	return b.String(), true
}
