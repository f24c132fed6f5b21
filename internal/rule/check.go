package rule

import (
	"fmt"
	"strings"
)

// check finds what is wrong with conditions that are well written: fields that do
// not take the operator or the value, and what the kind of rule, the plan and the
// limits refuse.
func (p *parser) check() {
	lists := false
	each(p.root, func(t *term, negated bool) {
		p.checkTerm(t, negated)
		lists = lists || t.list != ""
	})
	p.checkNegations(p.root)
	if p.terms > MaxTerms {
		p.fail(idSize, 0, fmt.Sprintf("%d conditions", p.terms), fmt.Sprintf("at most %d", MaxTerms),
			"the expression has too many conditions: use in {...} for several values of one field, or several rules")
	}
	p.checkDepth()
	if p.bare && !p.hopeless {
		message := "write the expression in parentheses: for one condition they can be left out, for several the sources differ"
		p.warn(idParens, 0, p.show(p.toks[0]), "(", message, true)
	}
}

// checkTerm checks one condition.
func (p *parser) checkTerm(t *term, negated bool) {
	f := t.left.field
	if f == nil {
		for _, v := range t.values {
			p.quoteIfText(v)
		}
		return
	}
	p.checkKind(t, f)
	if f.Type == TypeMap && !t.left.keyed && t.op != opExists && t.left.fn != fnLen {
		p.fail(idField, t.left.at, f.Name, f.Name+`["key"]`, f.Name+" needs a key in brackets and quotes")
		return
	}
	if !p.checkFunction(t, f) || !p.checkOperator(t, f, negated) {
		return
	}
	switch {
	case t.op == opBare || t.op == opExists || len(t.values) == 0:
	case t.left.fn == fnLen || t.left.fn == fnLenLower || f.Type == TypeInteger:
		p.checkNumbers(t, f)
	case f.Type == TypeAddress:
		p.checkAddresses(t)
	case f.Type == TypeBoolean:
		p.checkBoolean(t)
	default:
		p.checkTexts(t, f)
	}
}

// quoteIfText quotes a bare word that can only be a text, whatever the field is.
func (p *parser) quoteIfText(v literal) {
	if v.quoted || v.text == "true" || v.text == "false" {
		return
	}
	if _, isNumber := v.number(); isNumber {
		return
	}
	if _, isNet := network(v.text); isNet {
		return
	}
	p.mistake(idQuotes, v.at, v.text, Quote(v.text), "a text stands in double quotes").Fix = Quote(v.text)
}

// checkFunction checks lower() and len().
func (p *parser) checkFunction(t *term, f *Field) bool {
	if t.left.fn == fnNone || f.Type == TypeText || f.Type == TypeMap {
		return true
	}
	if t.left.fn == fnLower {
		corrected := t.left
		corrected.fn = fnNone
		p.mistake(idField, t.left.at, "lower("+f.Name+")", f.Name, fmt.Sprintf("%s is no text (it is of type %s): lower() is not for it", f.Name, f.Type)).Fix = corrected.String()
		t.left.fn = fnNone
		return true
	}
	p.fail(idField, t.left.at, "len("+f.Name+")", f.Name, fmt.Sprintf("%s is no text (it is of type %s): it has no length", f.Name, f.Type))
	return false
}

// checkOperator checks that the field takes the operator.
func (p *parser) checkOperator(t *term, f *Field, negated bool) bool {
	lengthy := t.left.fn == fnLen || t.left.fn == fnLenLower
	switch {
	case t.op == opExists:
		return true
	case t.op == opBare:
		if f.Type == TypeBoolean {
			return true
		}
		p.fail(idSyntax, t.end, p.show(p.tokenAt(t.end)), operators(f), fmt.Sprintf("%s is not true or false by itself: an operator and a value are missing", t.left.String()))
		return false
	case lengthy:
		if t.op == opEq || t.op == opNe || t.op.ordered() || t.op == opIn && t.list == "" {
			return true
		}
		p.fail(idField, t.at, t.op.String(), "eq, ne, gt, ge, lt, le", "len() gives a number, which does not take "+t.op.String())
		return false
	case t.list != "":
		if f.List {
			return true
		}
		p.fail(idField, t.left.at, "in $"+t.list, operators(f), fmt.Sprintf("%s does not take lists: http.host, ip.src and ip.geoip.asnum do", f.Name))
		return false
	case f.takes(t.op):
		return true
	case f.id == fieldScheme:
		return p.checkScheme(t, f, negated)
	case f.id == fieldISP && t.op == opContains:
		p.warn(idField, t.left.at, "contains", operators(f),
			"the sources differ on ip.src.isp contains: one shows it, but its list of operators has in, eq and ne alone", false)
		return true
	}
	p.fail(idField, t.left.at, t.op.String(), operators(f), fmt.Sprintf("%s does not take %s", f.Name, t.op))
	return false
}

// tokenAt finds the token that begins at an offset, or after it.
func (p *parser) tokenAt(offset int) token {
	for _, t := range p.toks {
		if t.start >= offset {
			return t
		}
	}
	return p.toks[len(p.toks)-1]
}

// operators names the operators of a field.
func operators(f *Field) string {
	s := strings.Join(f.Operators, ", ")
	if f.List {
		s += ", in $list"
	}
	return s
}

// checkScheme mends ne and in of http.request.scheme, which has two values and
// takes eq alone.
func (p *parser) checkScheme(t *term, f *Field, negated bool) bool {
	if len(t.values) == 1 && (t.op == opNe || t.op == opIn) {
		if v := t.values[0].text; v == "http" || v == "https" {
			other := "http"
			if (v == "http") == (t.op == opNe) {
				other = "https"
			}
			found := t.op.String()
			t.op = opEq
			t.values = []literal{{quoted: true, text: other, at: t.values[0].at, end: t.values[0].end}}
			p.mistake(idField, t.left.at, found, "eq", f.Name+" takes eq alone").Fix = t.String()
			return true
		}
	}
	p.fail(idField, t.left.at, t.op.String(), "eq", f.Name+" takes eq alone")
	return false
}

// checkNumbers holds values to being integers without quotes.
func (p *parser) checkNumbers(t *term, f *Field) {
	for i := range t.values {
		v := &t.values[i]
		digits := v.text
		if f.id == fieldASN && t.left.fn == fnNone && len(digits) > 2 && strings.EqualFold(digits[:2], "AS") {
			digits = digits[2:]
		}
		plain := literal{text: digits}
		n, ok := plain.number()
		if !ok {
			p.fail(idField, v.at, v.String(), "an integer", t.left.String()+" is compared with an integer")
			continue
		}
		if v.quoted || digits != v.text {
			p.mistake(idQuotes, v.at, v.String(), digits, t.left.String()+" is compared with an integer, without quotes").Fix = digits
			*v = literal{text: digits, at: v.at, end: v.end}
		}
		t.nums = append(t.nums, n)
	}
}

// checkAddresses holds values to being addresses or networks without quotes.
func (p *parser) checkAddresses(t *term) {
	for i := range t.values {
		v := &t.values[i]
		net, ok := network(v.text)
		if !ok {
			p.fail(idField, v.at, v.String(), "an IP address or a network such as 10.0.0.0/8", fmt.Sprintf("%s is no IP address", v.String()))
			continue
		}
		if v.quoted {
			p.mistake(idQuotes, v.at, v.String(), v.text, "addresses stand without quotes").Fix = v.text
			*v = literal{text: v.text, at: v.at, end: v.end}
		}
		if t.op != opIn && !net.IsSingleIP() {
			p.warn(idField, v.at, v.text, "{"+v.text+"}", "a network goes with in {...}: with "+t.op.String()+" it is not confirmed", false).Fix =
				opIfIn(t.left.String(), t.op == opNe, v.text)
		}
		t.nets = append(t.nets, net)
	}
}

func opIfIn(field string, negated bool, value string) string {
	if negated {
		return "not " + field + " in {" + value + "}"
	}
	return field + " in {" + value + "}"
}

func (p *parser) checkBoolean(t *term) {
	v := &t.values[0]
	word := strings.ToLower(v.text)
	switch word {
	case "1", "yes", "on":
		word = "true"
	case "0", "no", "off":
		word = "false"
	}
	if word != "true" && word != "false" {
		p.fail(idField, v.at, v.String(), "true, false", t.left.name+" is true or false")
		return
	}
	if v.quoted || word != v.text {
		p.mistake(idQuotes, v.at, v.String(), word, t.left.name+" is compared with true or false, without quotes").Fix = word
		*v = literal{text: word, at: v.at, end: v.end}
	}
}

// checkNegations finds not before eq and ne.
func (p *parser) checkNegations(n node) {
	switch n := n.(type) {
	case *logic:
		for _, k := range n.kids {
			p.checkNegations(k)
		}
	case *negation:
		t, ok := n.kid.(*term)
		if !ok {
			p.checkNegations(n.kid)
			return
		}
		if t.op != opEq && t.op != opNe || t.left.field == nil || t.left.field.Type == TypeBoolean {
			return
		}
		other := opEq + opNe - t.op
		message := fmt.Sprintf("the sources differ on not ... %s (one calls it an error): write %s", t.op, other)
		if !t.left.field.takes(other) && t.left.fn < fnLen {
			p.warn(idNotEq, t.at, "not ... "+t.op.String(), t.op.String(), message+", where the field takes it", false)
			return
		}
		turned := t.with(other, t.values)
		p.replaced(n, turned)
		p.warn(idNotEq, t.at, "not ... "+t.op.String(), other.String(), message, true).Fix = turned.String()
	}
}

// with copies a condition with another operator and other values.
func (t *term) with(op operator, values []literal) *term {
	return &term{left: t.left, op: op, values: values, list: t.list, at: t.at, end: t.end, nets: t.nets, nums: t.nums}
}

// replaced notes what the fixer puts in the place of a condition.
func (p *parser) replaced(old, with node) {
	if p.replace == nil {
		p.replace = map[node]node{}
	}
	p.replace[old] = with
}

// checkDepth checks how deep conditions nest. Parentheses count; the sources also
// speak of two levels of and / or, which is not quite the same.
func (p *parser) checkDepth() {
	levels := levels(p.root)
	if p.deepest <= MaxDepth && levels <= MaxDepth || p.hopelessDepth() {
		return
	}
	flat, ok := flattened(p.root)
	if p.deepest > MaxDepth {
		message := "parentheses nest too deep"
		if !ok {
			p.fail(idDepth, 0, fmt.Sprintf("%d levels", p.deepest), fmt.Sprintf("at most %d", MaxDepth), message+": split the expression into several rules")
			return
		}
		p.mistake(idDepth, 0, fmt.Sprintf("%d levels", p.deepest), fmt.Sprintf("at most %d", MaxDepth), message+"; the corrected form means the same").Fix = printed(flat)
		p.root = flat
		return
	}
	d := p.warn(idDepth, 0, fmt.Sprintf("%d levels of and / or", levels), fmt.Sprintf("at most %d", MaxDepth),
		"the parentheses are fine, but the sources may mean levels of and / or", false)
	if ok {
		d.Fix = printed(flat)
	}
}
