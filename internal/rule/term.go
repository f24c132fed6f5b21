package rule

import (
	"strings"
)

// term reads one condition. The findings that it corrects name the condition as
// it should be.
func (p *parser) term() node {
	first := len(p.diags)
	n := p.condition()
	if n == nil {
		return nil
	}
	corrected := ""
	for i := first; i < len(p.diags); i++ {
		if d := &p.diags[i]; d.applies && d.Fix == "" {
			if corrected == "" {
				var b strings.Builder
				n.write(&b)
				corrected = b.String()
			}
			d.Fix = corrected
		}
	}
	return n
}

// condition reads a condition that begins with a word.
func (p *parser) condition() node {
	t := p.cur()
	if p.peek(1).is("(") && fieldNamed(t.text) == nil {
		return p.call()
	}
	if name, ok := functionNamed(t.text); ok && p.operandAt(1) {
		return p.prefixed(name)
	}
	left, ok := p.operand()
	if !ok {
		return nil
	}
	return p.comparison(left, t)
}

// functionNamed reads the name of a function in any spelling.
func functionNamed(word string) (name string, ok bool) {
	switch plainName(word) {
	case "startswith", "beginswith", "hasprefix":
		return "starts_with", true
	case "endswith", "hassuffix":
		return "ends_with", true
	case "exists", "exist", "isset":
		return "exists", true
	case "lower", "lowercase", "tolower", "lcase":
		return "lower", true
	case "len", "length", "strlen":
		return "len", true
	}
	return "", false
}

// operandAt reports whether a field stands n tokens on.
func (p *parser) operandAt(n int) bool {
	t := p.peek(n)
	if t.kind != tokWord || isJoint(t) {
		return false
	}
	if _, is := operatorOf(t.text); is {
		return false
	}
	return fieldNamed(t.text) != nil || strings.Contains(t.text, ".") || otherName(strings.ToLower(t.text)) != ""
}

func (p *parser) comparesNext() bool { return p.comparesAt(1) }

// comparesAt reports whether an operator stands n tokens on.
func (p *parser) comparesAt(n int) bool {
	t := p.peek(n)
	if t.kind == tokSymbol {
		_, is := foreignOperator(t.text)
		return is
	}
	_, is := operatorOf(strings.ToLower(t.text))
	return t.kind == tokWord && is
}

// prefixed reads a function without parentheses: exists http.cookie.
func (p *parser) prefixed(name string) node {
	t := p.advance()
	left, ok := p.operand()
	p.mistake(idFunctionStyle, t.start, p.src[t.start:p.toks[p.i-1].end], name+"(field"+moreArgs(name)+")",
		name+" is a function: its field stands in parentheses")
	if !ok {
		return nil
	}
	switch name {
	case "lower":
		left.fn = fnLower
		return p.comparison(left, t)
	case "len":
		left.fn = fnLen
		return p.comparison(left, t)
	case "exists":
		return p.made(&term{left: left, op: opExists, at: t.start})
	}
	if p.cur().is(",") {
		p.i++
	}
	values, ok := p.oneOrMore(name + " needs a text")
	if !ok {
		return nil
	}
	return p.spread(left, functionOp(name), values, t.start)
}

func moreArgs(name string) string {
	if name == "starts_with" || name == "ends_with" {
		return `, "text"`
	}
	return ""
}

func functionOp(name string) operator {
	switch name {
	case "starts_with":
		return opStartsWith
	case "ends_with":
		return opEndsWith
	}
	return opExists
}

// call reads a function: starts_with(field, "text"), len(field) gt 3.
func (p *parser) call() node {
	t := p.advance()
	open := p.advance()
	name, known := functionNamed(t.text)
	if !known {
		return p.otherCall(t, open)
	}
	if t.text != name {
		p.mistake(idFunctionStyle, t.start, t.text, name, "the function is called "+name)
	}
	left, ok := p.argument(name)
	if !ok {
		p.skipTo(")")
		p.skipComparison()
		return nil
	}
	switch name {
	case "lower", "len":
		p.closing(")", open)
		if name == "len" && left.fn == fnLower {
			left.fn = fnLenLower
		} else if name == "len" {
			left.fn = fnLen
		} else {
			left.fn = fnLower
		}
		return p.comparison(left, t)
	case "exists":
		p.closing(")", open)
		return p.truth(p.made(&term{left: left, op: opExists, at: t.start}))
	}
	if p.cur().is(",") {
		p.i++
	} else if !p.cur().is(")") {
		p.mistake(idSyntax, p.cur().start, p.show(p.cur()), ",", "a comma is missing between the field and the text")
	}
	values, ok := p.oneOrMore(name + " needs a text")
	if !ok {
		p.skipTo(")")
		return nil
	}
	p.closing(")", open)
	return p.truth(p.spread(left, functionOp(name), values, t.start))
}

// argument reads the field that a function is of; it can be in lower().
func (p *parser) argument(function string) (operand, bool) {
	t := p.cur()
	if t.kind == tokString {
		p.fail(idSyntax, t.start, p.show(t), "a field", "the first argument of "+function+" is a field, never a text")
		return operand{}, false
	}
	inner, is := functionNamed(t.text)
	if t.kind != tokWord || !p.peek(1).is("(") {
		return p.operand()
	}
	if !is || inner != "lower" || function == "lower" {
		p.fail(idSyntax, t.start, p.show(t), "a field", function+" takes a field, not "+t.text+"()")
		return operand{}, false
	}
	p.i++
	open := p.advance()
	left, ok := p.argument("lower")
	if !ok {
		return left, false
	}
	p.closing(")", open)
	left.fn = fnLower
	if function != "len" {
		p.warn(idFunctionStyle, t.start, p.show(t), "a field",
			"the sources only show "+function+" with a field itself: lower() inside is not confirmed", false)
	}
	return left, true
}

// otherCall reads what looks like a function and is none of conditions.
func (p *parser) otherCall(t, open token) node {
	op, is := operatorOf(strings.ToLower(t.text))
	negated := false
	if f, foreign := foreignOperator(plainName(t.text)); foreign && !is {
		op, negated, is = f.op, f.negated, true
	}
	if is {
		left, ok := p.operand()
		if ok && p.cur().is(",") {
			p.i++
			values, valued := p.oneOrMore(t.text + " needs a value")
			if valued {
				p.closing(")", open)
				p.mistake(idFunctionStyle, t.start, t.text+"(", "field "+op.String()+" value", op.String()+" stands between the field and the value")
				n := p.spread(left, op, values, t.start)
				if negated {
					return negate(n)
				}
				return n
			}
		}
	}
	message := "there is no function " + t.text + " in conditions: starts_with, ends_with, exists, lower and len are all"
	switch plainName(t.text) {
	case "concat", "regexreplace":
		message = t.text + " is for values that rules set, such as a redirect's target, not for conditions"
	case "any", "all":
		message = t.text + "() is of another language: ESA compares a header, cookie or argument by its key alone"
	case "upper":
		message = "there is no function upper: compare lower(field) with a text in small letters"
	}
	p.fail(idWildcard, t.start, t.text+"(", "a condition", message)
	p.skipTo(")")
	p.skipComparison()
	return nil
}

// skipComparison leaves out an operator and its value.
func (p *parser) skipComparison() {
	if !p.comparesAt(0) {
		return
	}
	p.i++
	switch t := p.cur(); {
	case t.is("{"), t.is("["), t.is("("):
		p.i++
		p.skipTo(map[string]string{"{": "}", "[": "]", "(": ")"}[t.text])
	case t.kind == tokString, t.kind == tokList, t.kind == tokWord && !isJoint(t):
		p.i++
	}
}

// truth reads the needless comparison of a condition with true or false.
func (p *parser) truth(n node) node {
	if n == nil || !p.comparesAt(0) {
		return n
	}
	t, value := p.cur(), p.peek(1)
	is := strings.EqualFold(value.text, "true")
	if !is && !strings.EqualFold(value.text, "false") {
		p.fail(idSyntax, t.start, p.show(t), "and, or", "the function is a condition by itself: nothing is compared with it")
		p.skipComparison()
		return n
	}
	op, plain := operatorOf(strings.ToLower(t.text))
	if f, foreign := foreignOperator(t.text); foreign && !plain {
		op = f.op
	}
	p.i += 2
	p.mistake(idSyntax, t.start, p.src[t.start:value.end], "and, or", "the function is a condition by itself: it is not compared with "+value.text)
	if is != (op == opEq) {
		return negate(n)
	}
	return n
}

// made finishes a condition.
func (p *parser) made(t *term) *term {
	p.terms++
	if p.i > 0 {
		t.end = p.toks[p.i-1].end
	}
	p.last = t
	return t
}

// spread makes a condition with one value, or one for each of several.
func (p *parser) spread(left operand, op operator, values []literal, at int) node {
	if op == opIn || len(values) == 1 {
		return p.made(&term{left: left, op: op, values: values, at: at})
	}
	p.mistake(idSyntax, values[1].at, values[1].String(), "one value", op.String()+" takes one value: several are joined with or")
	kids := make([]node, len(values))
	for i, v := range values {
		kids[i] = p.made(&term{left: left, op: op, values: []literal{v}, at: at})
	}
	return newLogic(true, kids)
}
