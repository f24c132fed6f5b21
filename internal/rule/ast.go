package rule

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/dlclark/regexp2/v2"
)

// Expr is a parsed expression. It does not change and is safe for use by several
// goroutines.
type Expr struct{ root node }

// node is *logic, *negation, *term, or everything.
type node interface{ write(b *strings.Builder) }

// everything is the expression true.
type everything struct{}

// logic is a chain of two or more conditions with one operator between them. A
// chain within a chain of the same operator is part of it: the language does not
// tell them apart.
type logic struct {
	or   bool
	kids []node
}

type negation struct{ kid node }

// operator is what a term does with its operand.
type operator uint8

const (
	opBare operator = iota // a field that is true or false by itself
	opEq
	opNe
	opContains
	opMatches
	opIn
	opGt
	opGe
	opLt
	opLe
	opStartsWith
	opEndsWith
	opExists
	opCount
)

// function is what is done with a field before it is compared.
type function uint8

const (
	fnNone function = iota
	fnLower
	fnLen
	fnLenLower // len(lower(field))
)

// operand is the left side of a condition.
type operand struct {
	fn    function
	name  string
	field *Field // nil while unknown
	key   string
	keyed bool
	at    int
	end   int
}

// literal is a value: text in quotes, or a bare word such as a number, an
// address or true.
type literal struct {
	quoted bool
	text   string // decoded
	raw    string // as written between the quotes; empty if that is not usable
	at     int
	end    int
}

// term is one condition.
type term struct {
	left operand
	op   operator
	// values has one value, several with opIn, none with a list or without need.
	values []literal
	list   string // the list after in $
	at     int
	end    int

	nets  []netip.Prefix // of values, where the field is an address
	nums  []int64        // of values, where the field is a number or a length
	fold  []string       // of values in lower case, where case does not matter
	regex atomic.Pointer[regexp2.Regexp]
}

// newLogic joins conditions, and takes chains of the same operator into one.
func newLogic(or bool, kids []node) node {
	if len(kids) == 1 {
		return kids[0]
	}
	var flat []node
	for _, k := range kids {
		if l, ok := k.(*logic); ok && l.or == or {
			flat = append(flat, l.kids...)
			continue
		}
		flat = append(flat, k)
	}
	return &logic{or: or, kids: flat}
}

// negate puts a not before a condition, or takes it away.
func negate(n node) node {
	if v, ok := n.(*negation); ok {
		return v.kid
	}
	return &negation{n}
}

// each calls f with every term; negated says whether a not stands right before it.
func each(n node, f func(t *term, negated bool)) {
	switch n := n.(type) {
	case *logic:
		for _, k := range n.kids {
			each(k, f)
		}
	case *negation:
		if t, ok := n.kid.(*term); ok {
			f(t, true)
			return
		}
		each(n.kid, f)
	case *term:
		f(n, false)
	}
}

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

// Quote writes a string literal of the language.
func Quote(s string) string {
	if !strings.ContainsAny(s, "\"\\") {
		return `"` + s + `"`
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// decode reads what stands between the quotes of a string literal. A backslash
// before anything but a quote or a backslash stands for itself: the sources write
// regular expressions with single and with double backslashes.
func decode(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) && (s[i+1] == '"' || s[i+1] == '\\') {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// number reads a bare word as an integer.
func (v literal) number() (int64, bool) {
	n, err := strconv.ParseInt(v.text, 10, 64)
	return n, err == nil
}

// network reads an address, or a network, as a network.
func network(s string) (netip.Prefix, bool) {
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), true
	}
	p, err := netip.ParsePrefix(s)
	return p, err == nil
}

// Lists names the account's lists that the expression refers to, each once.
func (e *Expr) Lists() []string {
	var names []string
	each(e.root, func(t *term, _ bool) {
		if t.list != "" && !slices.Contains(names, t.list) {
			names = append(names, t.list)
		}
	})
	return names
}

// Hosts names the hosts that the expression asks for, in small letters, each
// once; those of whose name it asks for the end alone begin with "*.". Negated
// conditions name none.
func (e *Expr) Hosts() []string {
	var hosts []string
	add := func(prefix, host string) {
		if host = prefix + strings.ToLower(host); host != prefix && !slices.Contains(hosts, host) {
			hosts = append(hosts, host)
		}
	}
	var walk func(n node)
	walk = func(n node) {
		switch n := n.(type) {
		case *logic:
			for _, k := range n.kids {
				walk(k)
			}
		case *term:
			if n.left.field == nil || n.left.field.id != fieldHost || n.left.fn > fnLower {
				return
			}
			for _, v := range n.values {
				switch n.op {
				case opEq, opIn:
					add("", v.text)
				case opEndsWith:
					add("*.", strings.TrimPrefix(v.text, "."))
				}
			}
		}
	}
	walk(e.root)
	return hosts
}
