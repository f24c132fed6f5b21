package rule

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/dlclark/regexp2/v2"
)

// regexTimeout is how long one regular expression may take; longer ones do not
// match and are reported by Eval.
const regexTimeout = 50 * time.Millisecond

// Trace says how an expression came to its result.
type Trace struct {
	// Result is the outcome of the whole expression.
	Result bool
	// Terms are its conditions from left to right.
	Terms []TermTrace
}

// TermTrace is one condition of a trace.
type TermTrace struct {
	// Term is the condition as it is printed, with the not before it.
	Term string
	// Field is what it asks for, Value what the request has there. Present tells
	// an empty value from none.
	Field, Value string
	Present      bool
	// Outcome is what the condition, with its not, came to.
	Outcome bool
	// Decisive says that the result follows from this condition, with the other
	// decisive ones.
	Decisive bool
	// Note says what was missing, such as a list that the request does not name.
	Note string
}

// Decisive lists the conditions that the result follows from.
func (t Trace) Decisive() []TermTrace {
	return slices.DeleteFunc(slices.Clone(t.Terms), func(t TermTrace) bool { return !t.Decisive })
}

// Match reports whether the expression matches a request. A condition that cannot
// be decided, such as a regular expression that takes too long, does not hold.
func (e *Expr) Match(r *Request) bool {
	is, _ := match(e.root, r)
	return is
}

func match(n node, r *Request) (bool, error) {
	switch n := n.(type) {
	case everything:
		return true, nil
	case *negation:
		is, err := match(n.kid, r)
		if _, single := n.kid.(*term); single && err != nil {
			return false, err
		}
		return !is, err
	case *logic:
		var failed error
		for _, k := range n.kids {
			is, err := match(k, r)
			failed = errors.Join(failed, err)
			if is == n.or {
				return is, failed
			}
		}
		return !n.or, failed
	case *term:
		return n.holds(r)
	}
	return false, nil
}

// Eval evaluates the expression and says why it came to its result. The error is
// for conditions that could not be decided; they do not hold.
func (e *Expr) Eval(r *Request) (bool, Trace, error) {
	v := &evaluation{r: r}
	result, decisive := v.node(e.root)
	for _, i := range decisive {
		v.trace.Terms[i].Decisive = true
	}
	v.trace.Result = result
	return result, v.trace, v.failed
}

type evaluation struct {
	r      *Request
	trace  Trace
	failed error
}

// node evaluates all of a node, and names the conditions that decide it.
func (v *evaluation) node(n node) (result bool, decisive []int) {
	switch n := n.(type) {
	case everything:
		return true, nil
	case *negation:
		if t, ok := n.kid.(*term); ok {
			return v.term(t, true)
		}
		result, decisive = v.node(n.kid)
		return !result, decisive
	case *logic:
		var all []int
		settled := false
		for _, k := range n.kids {
			is, by := v.node(k)
			all = append(all, by...)
			if is == n.or && !settled {
				settled, decisive = true, by
			}
		}
		if settled {
			return n.or, decisive
		}
		return !n.or, all
	case *term:
		return v.term(n, false)
	}
	return false, nil
}

func (v *evaluation) term(t *term, negated bool) (bool, []int) {
	is, err := t.holds(v.r)
	row := TermTrace{Term: t.String(), Field: t.left.String(), Outcome: is != negated, Present: v.r.present(&t.left)}
	if negated {
		row.Term = "not " + row.Term
	}
	row.Value = t.left.value(v.r)
	if err != nil {
		row.Outcome = false
		row.Note = err.Error()
		v.failed = errors.Join(v.failed, fmt.Errorf("%s: %w", t, err))
	}
	v.trace.Terms = append(v.trace.Terms, row)
	return row.Outcome, []int{len(v.trace.Terms) - 1}
}

// value is what the request has for an operand, for people to read.
func (o *operand) value(r *Request) string {
	f := o.field
	switch {
	case o.fn == fnLen || o.fn == fnLenLower:
		return strconv.FormatInt(o.length(r), 10)
	case o.keyed:
		values := r.keyed(f, o.key)
		if o.fn == fnLower {
			values = slices.Clone(values)
			for i := range values {
				values[i] = lowerASCII(values[i])
			}
		}
		return strings.Join(values, ", ")
	case f.Type == TypeMap:
		return fmt.Sprintf("%d members", r.size(f))
	case f.Type == TypeBoolean:
		return strconv.FormatBool(r.truth(f))
	case f.Type == TypeInteger:
		return strconv.FormatInt(r.integer(f), 10)
	case f.Type == TypeAddress:
		if !r.ClientIP.IsValid() {
			return ""
		}
		return r.ClientIP.Unmap().String()
	}
	if text := r.text(f); o.fn == fnLower {
		return lowerASCII(text)
	} else {
		return text
	}
}

// length is what len() gives: characters of a text, members of a map.
func (o *operand) length(r *Request) int64 {
	switch {
	case o.keyed:
		values := r.keyed(o.field, o.key)
		if len(values) == 0 {
			return 0
		}
		return int64(utf8.RuneCountInString(values[0]))
	case o.field.Type == TypeMap:
		return r.size(o.field)
	}
	return int64(utf8.RuneCountInString(r.text(o.field)))
}

var errNoField = errors.New("the field is not known")

// holds evaluates one condition.
func (t *term) holds(r *Request) (bool, error) {
	f := t.left.field
	switch {
	case f == nil:
		return false, errNoField
	case t.op == opExists:
		return r.present(&t.left), nil
	case t.left.fn == fnLen || t.left.fn == fnLenLower:
		return t.holdsNumber(t.left.length(r), r)
	}
	switch f.Type {
	case TypeBoolean:
		is := r.truth(f)
		if t.op == opBare {
			return is, nil
		}
		return (is == (t.values[0].text == "true")) == (t.op == opEq), nil
	case TypeInteger:
		return t.holdsNumber(r.integer(f), r)
	case TypeAddress:
		return t.holdsAddress(r)
	}
	if !t.left.keyed {
		return t.holdsText(r.text(f), r)
	}
	return t.holdsAny(r.keyed(f, t.left.key), r)
}

// holdsAny evaluates a condition on a field that can have several values: one of
// them has to do. Without any, ne holds and nothing else.
func (t *term) holdsAny(values []string, r *Request) (bool, error) {
	op := t.op
	if op == opNe {
		for _, v := range values {
			if is, err := t.holdsText(v, r); !is || err != nil {
				return false, err
			}
		}
		return true, nil
	}
	for _, v := range values {
		if is, err := t.holdsText(v, r); is || err != nil {
			return is, err
		}
	}
	return false, nil
}

func (t *term) holdsNumber(n int64, r *Request) (bool, error) {
	if t.list != "" {
		items, err := r.list(t.list)
		return slices.ContainsFunc(items, func(s string) bool {
			s = strings.TrimPrefix(strings.ToUpper(s), "AS")
			item, err := strconv.ParseInt(s, 10, 64)
			return err == nil && item == n
		}), err
	}
	switch t.op {
	case opIn:
		return slices.Contains(t.nums, n), nil
	case opEq:
		return n == t.nums[0], nil
	case opNe:
		return n != t.nums[0], nil
	case opGt:
		return n > t.nums[0], nil
	case opGe:
		return n >= t.nums[0], nil
	case opLt:
		return n < t.nums[0], nil
	default:
		return n <= t.nums[0], nil
	}
}

func (t *term) holdsAddress(r *Request) (bool, error) {
	a := r.ClientIP.Unmap()
	if t.list != "" {
		items, err := r.list(t.list)
		return slices.ContainsFunc(items, func(s string) bool {
			net, ok := network(s)
			return ok && net.Contains(a)
		}), err
	}
	within := slices.ContainsFunc(t.nets, func(net netip.Prefix) bool { return net.Contains(a) })
	return within == (t.op != opNe), nil
}

func (t *term) holdsText(s string, r *Request) (bool, error) {
	if t.left.fn == fnLower {
		s = lowerASCII(s)
	}
	switch {
	case t.op == opMatches:
		return t.holdsRegex(s)
	case t.list != "":
		items, err := r.list(t.list)
		return slices.ContainsFunc(items, func(item string) bool {
			if below, ok := strings.CutPrefix(item, "*"); ok && t.left.field.id == fieldHost {
				return strings.HasSuffix(s, strings.ToLower(below))
			}
			return item == s || t.left.field.IgnoreCase && strings.EqualFold(item, s)
		}), err
	case t.left.field.IgnoreCase:
		return t.compare(strings.ToLower(s), func(i int) string { return t.fold[i] }), nil
	}
	return t.compare(s, func(i int) string { return t.values[i].text }), nil
}

// compare compares a text with the values.
func (t *term) compare(s string, value func(i int) string) bool {
	switch t.op {
	case opEq:
		return s == value(0)
	case opNe:
		return s != value(0)
	case opContains:
		return strings.Contains(s, value(0))
	case opStartsWith:
		return strings.HasPrefix(s, value(0))
	case opEndsWith:
		return strings.HasSuffix(s, value(0))
	case opIn:
		for i := range t.values {
			if s == value(i) {
				return true
			}
		}
	}
	return false
}

func (t *term) holdsRegex(s string) (bool, error) {
	re, err := t.compiled()
	if err != nil {
		return false, err
	}
	is, err := re.MatchString(s)
	if err != nil {
		return false, fmt.Errorf("the regular expression takes too long: %w", err)
	}
	return is, nil
}

// compiled is the regular expression of a condition, made at first use.
func (t *term) compiled() (*regexp2.Regexp, error) {
	if re := t.regex.Load(); re != nil {
		return re, nil
	}
	re, err := compileRegex(t.values[0].text, t.left.field.IgnoreCase)
	if err != nil {
		return nil, fmt.Errorf("compile the regular expression: %w", err)
	}
	t.regex.Store(re)
	return re, nil
}

// list finds a list of the account.
func (r *Request) list(name string) ([]string, error) {
	items, ok := r.Lists[name]
	if !ok {
		return nil, fmt.Errorf("the list $%s is not known", name)
	}
	return items, nil
}
