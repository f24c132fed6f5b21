package rule

import (
	"net/netip"
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
