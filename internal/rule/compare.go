package rule

import (
	"fmt"
	"strings"
)

// comparison reads the operator and the value after a field; start is where the
// condition begins.
func (p *parser) comparison(left operand, start token) node {
	t := p.cur()
	negated := false
	if t.kind == tokWord && strings.EqualFold(t.text, "not") {
		negated = true
		p.i++
	}
	if negated && !p.operatorHere() {
		p.fail(idSyntax, t.start, p.show(t), "an operator", "not stands before the field, and an operator is missing after it")
		p.skipValue()
		return nil
	}
	op, found := p.operator(left)
	switch {
	case !found && p.endsCondition():
		return p.made(&term{left: left, op: opBare, at: start.start})
	case !found && p.wildcardHere():
		return p.wildcard(left, start, negated)
	case !found:
		p.unknownOperator()
		return nil
	}
	if negated {
		p.misplacedNot(t, op)
	}
	n := p.rest(left, op, start.start)
	if n == nil || negated == op.negated {
		return n
	}
	return opposite(n)
}

// opposite negates a condition, with ne for eq where there is only one.
func opposite(n node) node {
	if t, ok := n.(*term); ok && (t.op == opEq || t.op == opNe) {
		t.op = opEq + opNe - t.op
		return t
	}
	return negate(n)
}

func (p *parser) misplacedNot(t token, op foreign) {
	id, expected := idNotIn, "not before the field"
	if op.op == opEq || op.op == opNe {
		id, expected = idNotEq, (opEq + opNe - op.op).String()
	}
	p.mistake(id, t.start, p.src[t.start:p.toks[p.i-1].end], expected, "not stands before the field, not before the operator")
}

// operatorHere reports whether an operator, in any spelling, comes next.
func (p *parser) operatorHere() bool {
	t := p.cur()
	if t.kind != tokWord && t.kind != tokSymbol {
		return false
	}
	_, plain := operatorOf(strings.ToLower(t.text))
	_, other := foreignOperator(plainName(t.text))
	return plain || other || p.wildcardHere()
}

// endsCondition reports whether nothing more of a condition comes.
func (p *parser) endsCondition() bool {
	t := p.cur()
	if t.kind == tokSymbol {
		switch t.text {
		case ")", "&&", "||", "&", "|", ";", "}":
			return true
		}
	}
	return t.kind == tokEnd || isJoint(t)
}

// operator reads an operator. The zero foreign with an operator is one that is
// written as it must be.
func (p *parser) operator(left operand) (foreign, bool) {
	t := p.cur()
	if t.kind != tokWord && t.kind != tokSymbol {
		return foreign{}, false
	}
	if op, ok := operatorOf(t.text); ok {
		p.i++
		return foreign{op: op}, true
	}
	if op, ok := operatorOf(strings.ToLower(t.text)); ok {
		p.i++
		p.mistake(idSyntax, t.start, t.text, op.String(), op.String()+" is written in small letters")
		return foreign{op: op}, true
	}
	f, ok := foreignOperator(plainName(t.text))
	if !ok {
		return foreign{}, false
	}
	p.i++
	expected := f.op.String()
	if f.negated {
		expected = "not " + left.name + " " + expected
	}
	switch {
	case f.id == idFunctionStyle:
		expected = f.op.String() + "(" + left.name + moreArgs(f.op.String()) + ")"
		p.mistake(f.id, t.start, t.text, expected, f.op.String()+" is a function: the field stands in its parentheses")
	case f.id == idInList:
		p.mistake(f.id, t.start, t.text, "in $name", t.text+" is a word of the console: in an expression it is in $name")
	case f.id == idNotIn:
		p.mistake(f.id, t.start, t.text, expected, "not stands before the field")
	case f.bad || p.strictKind():
		p.mistake(f.id, t.start, t.text, expected, t.text+" is of another language: it is "+f.op.String()+" here")
	default:
		p.warn(f.id, t.start, t.text, expected, "the sources differ on == (only WAF rule sets of the account show it): write eq", true)
	}
	return f, true
}

// strictKind reports whether the kind of rule is known not to show ==.
func (p *parser) strictKind() bool {
	return p.o.Kind != "" && p.o.Kind != KindWAF && p.o.Kind != KindRateLimit
}

func (p *parser) unknownOperator() {
	t := p.cur()
	message := "an operator is missing after the field"
	if t.kind == tokWord || t.kind == tokSymbol && !t.is("(") && !t.is("{") && !t.is("[") {
		message = fmt.Sprintf("%s is no operator", p.show(t))
		p.i++
	}
	id := idSyntax
	if t.kind == tokSymbol {
		id = idWildcard
	}
	p.fail(id, t.start, p.show(t), "eq, ne, in, contains, matches, gt, ge, lt, le", message)
	p.skipValue()
}

// skipValue leaves out a value.
func (p *parser) skipValue() {
	switch t := p.cur(); {
	case t.is("{"):
		p.i++
		p.skipTo("}")
	case t.kind == tokString, t.kind == tokList:
		p.i++
	}
}

// rest reads the value of an operator and makes the condition.
func (p *parser) rest(left operand, op foreign, at int) node {
	switch {
	case op.op == opExists:
		return p.made(&term{left: left, op: opExists, at: at})
	case op.op == opIn:
		return p.membership(left, op.id == idInList, at)
	}
	t := p.cur()
	if t.kind == tokList {
		p.i++
		if op.op != opEq && op.op != opNe {
			p.fail(idSyntax, t.start, p.show(t), "a value", "a list goes with in alone")
			return nil
		}
		p.mistake(idSyntax, t.start, p.show(t), "in "+p.show(t), "a list goes with in")
		return opIf(p.ofList(left, t.text, t, at), op.op == opNe)
	}
	values, ok := p.oneOrMore("a value is missing after " + op.op.String())
	if !ok {
		return nil
	}
	if v := values[0]; op.op == opMatches && len(values) == 1 && !v.quoted && len(v.text) > 2 && v.text[0] == '/' && v.text[len(v.text)-1] == '/' {
		text := strings.ReplaceAll(v.text[1:len(v.text)-1], `\/`, "/")
		values[0] = literal{quoted: true, text: text, at: v.at, end: v.end}
		p.mistake(idQuotes, v.at, v.text, values[0].String(), "a regular expression stands in double quotes, not in slashes")
	}
	if len(values) > 1 && (op.op == opEq || op.op == opNe) {
		p.mistake(idSyntax, values[1].at, values[1].String(), "in {...}", "several values go with in")
		return opIf(p.made(&term{left: left, op: opIn, values: values, at: at}), op.op == opNe)
	}
	return p.spread(left, op.op, values, at)
}

// ofList makes a condition with a list; nil if its name is missing or is none.
func (p *parser) ofList(left operand, name string, t token, at int) *term {
	if !listName(name) {
		p.fail(idSyntax, t.start, p.show(t), "$name", "a list is named by letters, digits and underscores")
		return nil
	}
	return p.made(&term{left: left, op: opIn, list: name, at: at})
}

func opIf(t *term, negated bool) node {
	if t == nil {
		return nil
	}
	if negated {
		return negate(t)
	}
	return t
}

// oneOrMore reads a value, or where one belongs several: in braces or in a row.
func (p *parser) oneOrMore(missing string) ([]literal, bool) {
	t := p.cur()
	if t.is("{") {
		return p.set()
	}
	if t.kind == tokEnd || t.is(")") || t.is(",") || isJoint(t) || t.kind == tokList {
		p.fail(idSyntax, t.start, p.show(t), "a value", missing)
		return nil, false
	}
	values := []literal{p.value("")}
	for p.cur().kind == tokString || p.cur().is(",") && p.peek(1).kind == tokString {
		if p.cur().is(",") {
			p.i++
		}
		values = append(values, p.value(""))
	}
	return values, true
}

// value reads one value; stops are marks that end a bare word besides blanks.
func (p *parser) value(stops string) literal {
	t := p.cur()
	if t.kind != tokString {
		return p.bareword(t.start, stops)
	}
	p.i++
	v := t.literal()
	switch {
	case strings.HasPrefix(t.quote, "r"):
		p.mistake(idWildcard, t.start, p.show(t), v.String(), "raw strings are of another language")
	case t.open && strings.Contains(t.text, `\"`):
		p.fail(idSyntax, t.start, p.show(t), `"text"`, "the string is not closed: a backslash takes its meaning from the quote after it")
	case t.open:
		p.mistake(idSyntax, t.start, p.show(t), v.String(), "the string is not closed")
	case t.quote != "":
		p.mistake(idQuotes, t.start, p.show(t), v.String(), "a text stands in double quotes")
	}
	return v
}

// bareword reads what stands without quotes, to the next blank, stop, or
// parenthesis that it did not open.
func (p *parser) bareword(start int, stops string) literal {
	depth, end := 0, start
	for ; end < len(p.src) && !blank(p.src[end]); end++ {
		c := p.src[end]
		if c == '(' {
			depth++
		}
		if c == ')' {
			if depth == 0 {
				break
			}
			depth--
		}
		if strings.IndexByte(stops, c) >= 0 || c == ',' && stops == "" {
			break
		}
	}
	if end == start { // a mark where a value belongs
		end = p.cur().end
	}
	for p.cur().kind != tokEnd && p.cur().start < end {
		p.i++
	}
	return literal{text: p.src[start:end], at: start, end: end}
}

// membership reads what stands after in: a set, or a list.
func (p *parser) membership(left operand, console bool, at int) node {
	t := p.cur()
	switch {
	case t.kind == tokList:
		p.i++
		return opIf(p.ofList(left, t.text, t, at), false)
	case console && (t.kind == tokWord && !isJoint(t) || t.kind == tokString):
		p.i++
		return opIf(p.ofList(left, strings.TrimPrefix(t.literal().text, "$"), t, at), false)
	case t.kind == tokString && len(t.text) > 1 && t.text[0] == '$' && listName(t.text[1:]) && left.field != nil && left.field.List:
		p.i++
		p.mistake(idQuotes, t.start, p.show(t), t.text, "a list stands without quotes")
		return opIf(p.ofList(left, t.text[1:], t, at), false)
	case t.is("{") && p.peek(1).kind == tokList && p.peek(2).is("}"):
		list := p.peek(1)
		p.i += 3
		p.mistake(idSyntax, t.start, "{"+p.show(list)+"}", p.show(list), "a list stands without braces")
		return opIf(p.ofList(left, list.text, list, at), false)
	case t.is("{"), t.is("("), t.is("["):
		values, ok := p.set()
		if !ok {
			return nil
		}
		return p.made(&term{left: left, op: opIn, values: values, at: at})
	}
	values, ok := p.oneOrMore("a set such as {\"a\" \"b\"} or a list such as $name is missing after in")
	if !ok {
		return nil
	}
	if v := values[0]; !v.quoted && left.field != nil && left.field.List {
		if _, isNet := network(v.text); !isNet {
			if _, isNumber := v.number(); !isNumber {
				p.fail(idSyntax, v.at, v.text, "{...} or $"+v.text, "after in stands a set in braces, or a list with $ before its name")
				return nil
			}
		}
	}
	made := p.made(&term{left: left, op: opIn, values: values, at: at})
	p.mistake(idSyntax, values[0].at, values[0].String(), "{"+values[0].String()+"}", "after in stands a set in braces")
	return made
}

// set reads values in braces.
func (p *parser) set() ([]literal, bool) {
	open := p.advance()
	end := map[string]string{"{": "}", "(": ")", "[": "]"}[open.text]
	if open.text != "{" {
		p.mistake(idSyntax, open.start, open.text, "{", "a set stands in braces")
	}
	var values []literal
	commas := false
	for {
		t := p.cur()
		switch {
		case t.is(end):
			p.i++
			if len(values) == 0 {
				p.fail(idSyntax, t.start, end, "a value", "the set is empty")
				return nil, false
			}
			return values, true
		case t.is(",") || t.is(";") || t.is("|") || t.is("||") || isJoint(t) && len(values) > 0 && p.peek(1).kind == tokString:
			if !commas {
				p.mistake(idSetCommas, t.start, p.show(t), "a blank", "the members of a set have blanks between them")
				commas = true
			}
			p.i++
		case t.kind == tokString, t.kind == tokWord && !isJoint(t):
			values = append(values, p.value(",;})]"))
		case len(values) > 0 && (t.kind == tokEnd || t.is(")") || isJoint(t)):
			p.mistake(idSyntax, t.start, p.show(t), end, fmt.Sprintf("%q is not closed", open.text))
			return values, true
		default:
			p.fail(idSyntax, t.start, p.show(t), "a value or "+end, "this does not belong into a set")
			p.skipTo(end)
			return nil, false
		}
	}
}

// valueFirst reads a condition that begins with a text: the value repeated from
// the condition before (eq "a" or "b"), or one with its sides swapped.
func (p *parser) valueFirst() node {
	first := len(p.diags)
	t := p.cur()
	var n node
	switch {
	case p.comparesAt(1) && p.peek(2).kind == tokWord && fieldNamed(p.peek(2).text) != nil:
		v := p.value("")
		op, _ := p.operator(operand{})
		left, ok := p.operand()
		if !ok || op.op != opEq && op.op != opNe {
			p.fail(idSyntax, t.start, p.show(t), "a field", "the field stands before the operator, the value after it")
			return nil
		}
		n = p.made(&term{left: left, op: op.op, values: []literal{v}, at: t.start})
		p.mistake(idSyntax, t.start, p.show(t), left.String(), "the field stands before the operator, the value after it")
	case p.last != nil && len(p.last.values) == 1 && !p.comparesAt(1) && p.i > 0 && isJoint(p.peek(-1)):
		last := p.last
		n = p.made(&term{left: last.left, op: last.op, values: []literal{p.value("")}, at: t.start})
		p.mistake(idSyntax, t.start, p.show(t), "a condition", "each value needs its own field and operator")
	default:
		p.i++
		p.fail(idSyntax, t.start, p.show(t), "a field", "a condition begins with a field, not with a text")
		p.skipComparison()
		return nil
	}
	for i := first; i < len(p.diags); i++ {
		if d := &p.diags[i]; d.applies && d.Fix == "" {
			d.Fix = n.(*term).String()
		}
	}
	return n
}
