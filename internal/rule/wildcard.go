package rule

import "strings"

// wildcardHere reports whether a wildcard operator of another language follows.
func (p *parser) wildcardHere() bool {
	t := p.cur()
	if t.kind != tokWord {
		return false
	}
	switch strings.ToLower(t.text) {
	case "wildcard", "like", "glob":
		return true
	case "strict":
		return strings.EqualFold(p.peek(1).text, "wildcard")
	}
	return false
}

// wildcard reads field wildcard "*.example.com" and makes conditions of ESA of
// it, where some have the same meaning.
func (p *parser) wildcard(left operand, start token, negated bool) node {
	t := p.advance()
	strict := strings.EqualFold(t.text, "strict")
	if strict {
		t.end = p.advance().end
	}
	values, ok := p.oneOrMore("a pattern is missing after " + p.show(t))
	if !ok {
		return nil
	}
	if len(values) > 1 || left.field == nil || left.field.Type != TypeText && left.field.Type != TypeMap {
		p.fail(idWildcard, t.start, p.show(t), "eq, in, starts_with, ends_with", p.show(t)+" is of another language")
		return nil
	}
	same := strict || left.field.IgnoreCase || left.fn == fnLower
	pattern := values[0]
	if strings.EqualFold(t.text, "like") { // of SQL: % for anything, _ for one character
		pattern.text = strings.NewReplacer("*", "?", "_", "?", "%", "*").Replace(pattern.text) // ? has no equal
	}
	n := p.globbed(left, pattern, start.start, same)
	if n == nil {
		d := p.fail(idWildcard, t.start, p.show(t), "eq, starts_with, ends_with, contains, matches",
			"ESA has no "+p.show(t)+", and no condition without a regular expression means quite the same")
		if near := p.globbed(left, pattern, start.start, true); near != nil && !same {
			d.Message += "; the nearest tells capital letters from small ones"
			d.Fix = inner(near)
		}
		return nil
	}
	p.mistake(idWildcard, t.start, p.show(t), "eq, starts_with, ends_with, contains", "ESA has no "+p.show(t))
	if negated {
		return opposite(n)
	}
	return n
}

// globbed makes conditions that mean the same as a pattern with *; nil if there
// are none. sameCase says that both compare letters alike.
func (p *parser) globbed(left operand, pattern literal, at int, sameCase bool) node {
	parts := strings.Split(pattern.text, "*")
	if strings.Contains(pattern.text, `\`) || strings.Contains(pattern.text, "?") {
		return nil
	}
	if !sameCase && strings.ToLower(pattern.text) != strings.ToUpper(pattern.text) {
		return nil
	}
	text := func(op operator, s string) node {
		if !left.field.takes(op) {
			return nil
		}
		return p.made(&term{left: left, op: op, at: at, values: []literal{{quoted: true, text: s, at: pattern.at, end: pattern.end}}})
	}
	switch {
	case len(parts) == 1:
		return text(opEq, parts[0])
	case len(parts) == 2 && parts[0] == "" && parts[1] == "":
		return nil
	case len(parts) == 2 && parts[0] == "":
		return text(opEndsWith, parts[1])
	case len(parts) == 2 && parts[1] == "":
		return text(opStartsWith, parts[0])
	case len(parts) == 3 && parts[0] == "" && parts[2] == "" && parts[1] != "":
		return text(opContains, parts[1])
	case len(parts) == 2 && !overlap(parts[0], parts[1]):
		begin, end := text(opStartsWith, parts[0]), text(opEndsWith, parts[1])
		if begin != nil && end != nil {
			return newLogic(false, []node{begin, end})
		}
	}
	return nil
}

// overlap reports whether a text shorter than both together can begin with a and
// end with b.
func overlap(a, b string) bool {
	a, b = strings.ToLower(a), strings.ToLower(b)
	for n := 1; n <= min(len(a), len(b)); n++ {
		if a[len(a)-n:] == b[:n] {
			return true
		}
	}
	return strings.Contains(a, b) || strings.Contains(b, a)
}
