package rule

import "strings"

// String prints the expression in its canonical form: in parentheses, each group
// of conditions in its own. It parses to the same tree.
func (e *Expr) String() string { return printed(e.root) }

func printed(n node) string {
	var b strings.Builder
	l, ok := n.(*logic)
	if !ok || !l.grouped() {
		writeGroup(&b, n)
		return b.String()
	}
	for i, k := range l.kids {
		if i > 0 {
			b.WriteString(l.word())
		}
		writeGroup(&b, k)
	}
	return b.String()
}

func (l *logic) word() string {
	if l.or {
		return " or "
	}
	return " and "
}

// grouped reports whether a chain has groups within.
func (l *logic) grouped() bool {
	for _, k := range l.kids {
		if compound(k) {
			return true
		}
	}
	return false
}

func compound(n node) bool {
	if v, ok := n.(*negation); ok {
		n = v.kid
		return compound(n)
	}
	_, ok := n.(*logic)
	return ok
}

// writeGroup writes a node in parentheses, where it takes any.
func writeGroup(b *strings.Builder, n node) {
	if _, ok := n.(everything); ok {
		n.write(b)
		return
	}
	b.WriteByte('(')
	n.write(b)
	b.WriteByte(')')
}

func (everything) write(b *strings.Builder) { b.WriteString("true") }

func (l *logic) write(b *strings.Builder) {
	for i, k := range l.kids {
		if i > 0 {
			b.WriteString(l.word())
		}
		if _, ok := k.(*logic); ok {
			writeGroup(b, k)
			continue
		}
		k.write(b)
	}
}

func (n *negation) write(b *strings.Builder) {
	b.WriteString("not ")
	if _, ok := n.kid.(*term); ok {
		n.kid.write(b)
		return
	}
	writeGroup(b, n.kid)
}

func (t *term) write(b *strings.Builder) {
	switch t.op {
	case opBare:
		t.left.write(b)
	case opExists:
		b.WriteString("exists(")
		t.left.write(b)
		b.WriteByte(')')
	case opStartsWith, opEndsWith:
		b.WriteString(t.op.String())
		b.WriteByte('(')
		t.left.write(b)
		b.WriteString(", ")
		t.writeValue(b)
		b.WriteByte(')')
	default:
		t.left.write(b)
		b.WriteByte(' ')
		b.WriteString(t.op.String())
		b.WriteByte(' ')
		t.writeValue(b)
	}
}

func (t *term) writeValue(b *strings.Builder) {
	if t.list != "" {
		b.WriteByte('$')
		b.WriteString(t.list)
		return
	}
	if t.op == opIn {
		b.WriteByte('{')
	}
	for i := range t.values {
		if i > 0 {
			b.WriteByte(' ')
		}
		t.values[i].write(b)
	}
	if t.op == opIn {
		b.WriteByte('}')
	}
}

func (t *term) String() string {
	var b strings.Builder
	t.write(&b)
	return b.String()
}

func (o *operand) write(b *strings.Builder) {
	closing := ""
	switch o.fn {
	case fnLower:
		b.WriteString("lower(")
		closing = ")"
	case fnLen:
		b.WriteString("len(")
		closing = ")"
	case fnLenLower:
		b.WriteString("len(lower(")
		closing = "))"
	}
	b.WriteString(o.name)
	if o.keyed {
		b.WriteByte('[')
		b.WriteString(Quote(o.key))
		b.WriteByte(']')
	}
	b.WriteString(closing)
}

func (o *operand) String() string {
	var b strings.Builder
	o.write(&b)
	return b.String()
}

func (v *literal) write(b *strings.Builder) {
	switch {
	case !v.quoted:
		b.WriteString(v.text)
	case v.raw != "":
		b.WriteByte('"')
		b.WriteString(v.raw)
		b.WriteByte('"')
	default:
		b.WriteString(Quote(v.text))
	}
}

func (v *literal) String() string {
	var b strings.Builder
	v.write(&b)
	return b.String()
}
