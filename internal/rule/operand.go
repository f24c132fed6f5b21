package rule

import (
	"fmt"
	"strings"
)

// operand reads a field with its key.
func (p *parser) operand() (operand, bool) {
	t := p.cur()
	if t.kind != tokWord && t.kind != tokList || isJoint(t) {
		p.fail(idSyntax, t.start, p.show(t), "a field", "a field is missing here")
		return operand{}, false
	}
	p.i++
	left := operand{name: p.src[t.start:t.end], at: t.start, end: t.end}
	for p.cur().is("[") {
		if !p.keyOf(&left) {
			return left, false
		}
	}
	p.resolve(&left)
	return left, true
}

// keyOf reads a key in brackets.
func (p *parser) keyOf(left *operand) bool {
	open := p.advance()
	t := p.advance()
	switch {
	case t.kind == tokEnd || t.is("]"):
		p.fail(idSyntax, t.start, p.show(t), `"key"`, "a key in quotes is missing")
		return false
	case left.keyed || t.text == "*":
		p.fail(idWildcard, open.start, p.src[open.start:t.end], "an operator", "ESA compares a header, cookie or argument by its key alone: leave this index out")
		p.skipTo("]")
		left.end = p.toks[p.i-1].end
		return true
	case t.kind == tokString && t.quote == "" && !t.open:
		left.key = decode(t.text)
	case t.kind == tokString:
		left.key = t.literal().text
		p.mistake(idQuotes, t.start, p.show(t), Quote(left.key), "the key stands in double quotes")
	default:
		v := p.bareword(t.start, "]")
		left.key = v.text
		p.mistake(idSyntax, t.start, v.text, Quote(v.text), "the key stands in double quotes")
	}
	left.keyed = true
	p.closing("]", open)
	left.end = p.toks[p.i-1].end
	return true
}

// resolve finds the field of an operand, and corrects its name where it is
// evident what was meant.
func (p *parser) resolve(left *operand) {
	if left.field = fieldNamed(left.name); left.field != nil {
		p.resolveKey(left)
		return
	}
	written := left.name
	if !left.keyed {
		for _, m := range []string{"http.request.headers", "http.request.cookies", "http.request.uri.args", "http.request.body.form"} {
			if key, ok := strings.CutPrefix(strings.ToLower(written), m+"."); ok && key != "" {
				left.name, left.key, left.keyed, left.field = m, written[len(m)+1:], true, fieldNamed(m)
				p.mistake(idField, left.at, written, left.String(), "the key stands in brackets and quotes")
				return
			}
		}
	}
	f, evident := meant(written)
	switch {
	case f == nil:
		p.fail(idField, left.at, written, "a field", fmt.Sprintf("there is no field %s in ESA%s", written, foreignHint(written)))
	case evident:
		left.name, left.field = f.Name, f
		p.mistake(idField, left.at, written, f.Name, fmt.Sprintf("there is no field %s: it is %s", written, f.Name))
		p.resolveKey(left)
	default:
		p.fail(idField, left.at, written, f.Name, fmt.Sprintf("there is no field %s; the nearest is %s", written, f.Name))
	}
}

func foreignHint(name string) string {
	if strings.HasPrefix(strings.ToLower(name), "cf.") {
		return ": cf. fields are of Cloudflare"
	}
	return ""
}

// resolveKey holds a field to having a key or not.
func (p *parser) resolveKey(left *operand) {
	if !left.keyed || left.field.Type == TypeMap {
		return
	}
	maps := map[fieldID]string{fieldCookie: "http.request.cookies", fieldQuery: "http.request.uri.args", fieldURI: "http.request.uri.args"}
	name := maps[left.field.id]
	if name == "" {
		p.fail(idField, left.at, left.String(), left.name, left.name+" has no keys")
		return
	}
	written := left.String()
	left.name, left.field = name, fieldNamed(name)
	p.mistake(idField, left.at, written, left.String(), fmt.Sprintf("the field with keys is %s", name))
}
