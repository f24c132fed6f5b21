package rule

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// maxNesting bounds the recursion of the parser.
const maxNesting = 60

// parser reads one text. It goes on after mistakes: what it can tell the meaning
// of goes into the tree as it must be written, and the rest makes the text
// hopeless, which no fixer touches.
type parser struct {
	src  string
	o    Options
	toks []token
	i    int
	root node

	diags    []Diagnostic
	hopeless bool
	full     bool // there are more errors than are listed
	// replace holds what the fixer puts in place of conditions that parse well.
	replace map[node]node

	parens, deepest int   // open parentheses now, and at most
	terms           int   // conditions seen
	bare            bool  // something stands outside of all parentheses
	trues           []int // where true and false stand as conditions
	last            *term // the condition before, for: eq "a" or "b"
}

// examine parses and checks a text.
func examine(text string, o Options) *parser {
	p := &parser{src: text, o: o}
	switch {
	case strings.TrimSpace(text) == "":
		p.fail(idSyntax, 0, "nothing", "a condition",
			"the expression is empty: true matches every request, and leaving the rule out makes the global configuration")
		return p
	case len(text) > maxRead:
		p.sizeError()
		return p
	}
	p.toks = lex(text)
	if !p.whole() {
		p.parse()
	}
	if len(text) > MaxSize {
		p.sizeError()
	}
	if p.root != nil {
		p.check()
	}
	for i := range p.diags {
		if len(p.diags[i].Fix) > maxFix {
			p.diags[i].Fix = ""
		}
	}
	slices.SortStableFunc(p.diags, func(a, b Diagnostic) int { return cmp.Compare(a.Position.Offset, b.Position.Offset) })
	return p
}

func (p *parser) cur() token { return p.toks[p.i] }

func (p *parser) peek(n int) token { return p.toks[min(p.i+n, len(p.toks)-1)] }

func (p *parser) advance() token {
	t := p.toks[p.i]
	if t.kind != tokEnd {
		p.i++
	}
	return t
}

// show names a token for a finding.
func (p *parser) show(t token) string {
	if t.kind == tokEnd {
		return "the end"
	}
	text := p.src[t.start:t.end]
	if len(text) > 60 {
		text = strings.ToValidUTF8(text[:57], "") + "..."
	}
	return text
}

// whole reads texts that are no conditions: true, and a URL pattern.
func (p *parser) whole() bool {
	if len(p.toks) != 2 {
		return false
	}
	t := p.toks[0]
	if strings.EqualFold(t.text, "true") && (t.kind == tokWord || t.kind == tokString) {
		p.root = everything{}
		switch {
		case t.kind == tokString:
			p.mistake(idQuotes, t.start, p.show(t), "true", "true stands without quotes").Fix = "true"
		case t.text != "true":
			p.mistake(idSyntax, t.start, p.show(t), "true", "true is written in small letters").Fix = "true"
		}
		return true
	}
	if t.kind != tokWord || fieldNamed(t.text) != nil || !strings.ContainsAny(t.text, "/*") {
		return false
	}
	expression, _, err := FromPattern(t.text)
	if err != nil {
		return false
	}
	p.mistake(idSyntax, t.start, p.show(t), "a condition",
		"this is a URL pattern, not an expression").Fix = expression
	p.root = examine(expression, Options{}).root
	return true
}

// parse reads the whole text.
func (p *parser) parse() {
	kids := []node{p.or()}
	for p.cur().kind != tokEnd {
		t := p.cur()
		switch {
		case t.is(")"):
			p.mistake(idSyntax, t.start, ")", "the end", "this parenthesis closes nothing")
			p.i++
		case t.is(";") && p.peek(1).kind == tokEnd:
			p.mistake(idSyntax, t.start, ";", "the end", "an expression ends without a semicolon")
			p.i++
		case t.is(",") || p.startsCondition():
			p.fail(idSyntax, t.start, p.show(t), "and, or", "two conditions need and or or between them")
			if t.is(",") {
				p.i++
			}
			kids = append(kids, p.or())
		default:
			p.fail(idSyntax, t.start, p.show(t), "and, or, the end", "this does not belong here")
			p.i++
		}
		_, or := p.joint(true)
		if _, and := p.joint(false); or || and {
			kids = append(kids, p.or())
		}
	}
	kids = slices.DeleteFunc(kids, func(n node) bool { return n == nil })
	if len(kids) > 0 {
		p.root = newLogic(false, kids)
	}
	p.settleTrues()
}

// startsCondition reports whether a condition can begin here.
func (p *parser) startsCondition() bool {
	t := p.cur()
	return t.kind == tokWord || t.is("(") || t.is("!")
}

// joint reads and (or or) in any spelling.
func (p *parser) joint(or bool) (token, bool) {
	t := p.cur()
	word, foreign := "and", []string{"&&", "&"}
	if or {
		word, foreign = "or", []string{"||", "|"}
	}
	switch {
	case t.kind == tokWord && t.text == word:
	case t.kind == tokWord && strings.EqualFold(t.text, word):
		p.mistake(idSyntax, t.start, t.text, word, word+" is written in small letters").Fix = word
	case t.kind == tokSymbol && slices.Contains(foreign, t.text):
		p.mistake(idWildcard, t.start, t.text, word, t.text+" is of another language: it is "+word+" here").Fix = word
	default:
		return t, false
	}
	p.i++
	return t, true
}

func (p *parser) or() node { return p.chain(true, p.and) }

func (p *parser) and() node { return p.chain(false, p.not) }

// chain reads conditions with one operator between them.
func (p *parser) chain(or bool, part func() node) node {
	var kids []node
	if n := part(); n != nil {
		kids = append(kids, n)
	}
	for {
		t, ok := p.joint(or)
		if !ok {
			break
		}
		for {
			again, twice := p.joint(or)
			if !twice {
				break
			}
			p.mistake(idSyntax, again.start, p.show(again), "a condition", again.text+" stands twice")
		}
		if c := p.cur(); c.kind == tokEnd || c.is(")") {
			p.fail(idSyntax, t.start, p.show(c), "a condition", "a condition is missing after "+t.text)
			break
		}
		if n := part(); n != nil {
			kids = append(kids, n)
		}
	}
	if len(kids) == 0 {
		return nil
	}
	return newLogic(or, kids)
}

// not reads a condition with the nots before it.
func (p *parser) not() node {
	nots := 0
	for {
		t := p.cur()
		switch {
		case t.kind == tokWord && t.text == "not":
		case t.kind == tokWord && strings.EqualFold(t.text, "not"):
			p.mistake(idSyntax, t.start, t.text, "not", "not is written in small letters").Fix = "not"
		case t.is("!"):
			p.mistake(idWildcard, t.start, "!", "not", "! is of another language: it is not here").Fix = "not"
		default:
			n := p.primary()
			if n == nil || nots%2 == 0 {
				return n
			}
			return negate(n)
		}
		if p.parens == 0 {
			p.bare = true
		}
		if nots > 0 {
			p.mistake(idSyntax, t.start, p.show(t), "a condition", "two nots in a row undo each other")
		}
		nots++
		p.i++
	}
}

// primary reads a group in parentheses or a single condition.
func (p *parser) primary() node {
	t := p.cur()
	switch {
	case t.is("("):
		return p.group()
	case t.kind == tokWord && (strings.EqualFold(t.text, "true") || strings.EqualFold(t.text, "false")) && !p.comparesNext():
		p.i++
		p.trues = append(p.trues, t.start)
		if strings.EqualFold(t.text, "false") {
			p.fail(idSyntax, t.start, t.text, "a condition", "false is no condition: switch the rule off instead")
			return nil
		}
		return everything{}
	case t.kind == tokWord && !isJoint(t), t.kind == tokList && p.comparesAt(1):
		return p.counted(p.term())
	case t.kind == tokString:
		return p.counted(p.valueFirst())
	}
	p.fail(idSyntax, t.start, p.show(t), "a condition", "a condition is missing here")
	if !t.is(")") && t.kind != tokEnd && !isJoint(t) {
		p.i++
	}
	return nil
}

func isJoint(t token) bool {
	return t.kind == tokWord && (strings.EqualFold(t.text, "and") || strings.EqualFold(t.text, "or"))
}

func (p *parser) counted(n node) node {
	if p.parens == 0 {
		p.bare = true
	}
	return n
}

func (p *parser) group() node {
	open := p.advance()
	p.parens++
	defer func() { p.parens-- }()
	p.deepest = max(p.deepest, p.parens)
	if p.parens > maxNesting {
		p.fail(idDepth, open.start, "(", "a condition", fmt.Sprintf("parentheses nest deeper than %d levels", maxNesting))
		p.i = len(p.toks) - 1
		return nil
	}
	if p.cur().is(")") {
		p.fail(idSyntax, p.cur().start, ")", "a condition", "the parentheses are empty")
		p.i++
		return nil
	}
	n := p.or()
	p.closing(")", open)
	return n
}

// closing reads a closing mark; open is the one it belongs to.
func (p *parser) closing(mark string, open token) {
	t := p.cur()
	switch {
	case t.is(mark):
		p.i++
	case t.kind == tokEnd:
		if p.hopelessDepth() {
			return
		}
		p.mistake(idSyntax, t.start, "the end", mark, fmt.Sprintf("%q of column %d is not closed", open.text, position(p.src, open.start).Column))
	default:
		message := "this does not belong here"
		if p.startsCondition() {
			message = "two conditions need and or or between them"
		}
		p.fail(idSyntax, t.start, p.show(t), "and, or, "+mark, message)
		p.skipTo(mark)
	}
}

// hopelessDepth reports whether the parser gave up because of the nesting.
func (p *parser) hopelessDepth() bool { return p.deepest > maxNesting }

// skipTo leaves out everything to the closing mark of this level, and it too.
func (p *parser) skipTo(mark string) {
	depth := 0
	for t := p.cur(); t.kind != tokEnd; t = p.cur() {
		p.i++
		switch {
		case t.is(mark) && depth == 0:
			return
		case t.is("(") || t.is("{") || t.is("["):
			depth++
		case t.is(")") || t.is("}") || t.is("]"):
			depth = max(0, depth-1)
		}
	}
}
