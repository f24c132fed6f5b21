package rule

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/dlclark/regexp2/v2"
)

// Value is a parsed dynamic value: what a redirect leads to, a rewrite sets, or a
// header gets, such as concat("https://www.example.com", http.request.uri.path).
// It is safe for use by several goroutines.
type Value struct{ root valueNodes }

// valueNodes is one part of a value.
type valueNodes struct {
	text     string // a text, if there is nothing else
	field    *operand
	function string // concat, lower, len, regex_replace
	args     []valueNodes
	regex    *regexp2.Regexp
}

// maxValue bounds how deep functions nest in a value, maxReferences how many
// groups a replacement refers to.
const (
	maxValue      = 16
	maxReferences = 8
)

// ParseValue reads a dynamic value. The error is a *SyntaxError.
func ParseValue(text string) (*Value, error) {
	p := &parser{src: text}
	if strings.TrimSpace(text) == "" {
		p.fail(idSyntax, 0, "nothing", "a value", "the value is empty")
		return nil, &SyntaxError{p.diags[0]}
	}
	if len(text) > MaxSize {
		p.sizeError()
		return nil, &SyntaxError{p.diags[0]}
	}
	p.toks = lex(text)
	root := p.dynamic(0)
	if t := p.cur(); t.kind != tokEnd {
		p.fail(idSyntax, t.start, p.show(t), "the end", "this does not belong into a value: concat(a, b) joins parts")
	}
	if d, bad := p.firstError(); bad {
		return nil, &SyntaxError{d}
	}
	return &Value{root}, nil
}

// CheckValue finds what is wrong with a dynamic value; nil if nothing is. The
// error is a *SyntaxError.
func CheckValue(text string) error {
	_, err := ParseValue(text)
	return err
}

// EvalValue computes a dynamic value for a request.
func EvalValue(text string, r *Request) (string, error) {
	v, err := ParseValue(text)
	if err != nil {
		return "", err
	}
	return v.Eval(r)
}

// dynamic reads one part of a value.
func (p *parser) dynamic(level int) valueNodes {
	t := p.cur()
	switch {
	case t.kind == tokString:
		return valueNodes{text: p.value("").text}
	case t.kind == tokWord && p.peek(1).is("(") && fieldNamed(t.text) == nil:
		return p.dynamicCall(level)
	case t.kind == tokWord:
		if _, isNumber := t.literal().number(); isNumber {
			p.i++
			return valueNodes{text: t.text}
		}
		left, ok := p.operand()
		if ok && left.field != nil && left.field.Type == TypeMap && !left.keyed {
			p.fail(idField, left.at, left.name, left.name+`["key"]`, left.name+" needs a key in brackets and quotes")
		}
		return valueNodes{field: &left}
	}
	p.fail(idSyntax, t.start, p.show(t), `a "text", a field, concat(), regex_replace(), lower()`, "a value is missing here")
	p.advance()
	return valueNodes{}
}

// dynamicCall reads a function of values.
func (p *parser) dynamicCall(level int) valueNodes {
	t := p.advance()
	open := p.advance()
	v := valueNodes{function: t.text}
	least, most := 1, 1
	switch t.text {
	case "concat":
		most = MaxTerms
	case "lower", "len":
	case "regex_replace":
		least, most = 3, 3
	default:
		p.fail(idSyntax, t.start, t.text, "concat, regex_replace, lower, len", "there is no function "+t.text+" for values")
		p.skipTo(")")
		return v
	}
	if level >= maxValue {
		p.fail(idDepth, t.start, t.text, "a simpler value", fmt.Sprintf("functions nest deeper than %d levels", maxValue))
		p.i = len(p.toks) - 1
		return v
	}
	for !p.cur().is(")") && p.cur().kind != tokEnd {
		v.args = append(v.args, p.dynamic(level+1))
		if !p.cur().is(",") {
			break
		}
		p.i++
	}
	if n := len(v.args); n < least || n > most {
		p.fail(idSyntax, t.start, fmt.Sprintf("%d arguments", n), fmt.Sprintf("%d to %d", least, most), t.text+" has another number of arguments")
	}
	p.closing(")", open)
	if t.text == "regex_replace" && len(v.args) == 3 {
		p.replacement(&v, t)
	}
	return v
}

// replacement checks the regular expression of regex_replace and what replaces it.
func (p *parser) replacement(v *valueNodes, t token) {
	if v.args[1].field != nil || v.args[1].function != "" || v.args[2].field != nil || v.args[2].function != "" {
		p.fail(idSyntax, t.start, t.text, `regex_replace(field, "regex", "text")`, "the regular expression and the replacement are texts")
		return
	}
	re, err := compileRegex(v.args[1].text, false)
	if err != nil {
		p.fail(idSyntax, t.start, v.args[1].text, "a regular expression (PCRE)", "the regular expression is wrong: "+err.Error())
		return
	}
	v.regex = re
	if n := strings.Count(strings.ReplaceAll(v.args[2].text, "$$", ""), "${"); n > maxReferences {
		p.fail(idSyntax, t.start, fmt.Sprintf("%d references", n), fmt.Sprintf("at most %d", maxReferences), "the replacement refers to too many groups")
	}
}

// Eval computes the value for a request.
func (v *Value) Eval(r *Request) (string, error) { return v.root.eval(r) }

func (v valueNodes) eval(r *Request) (string, error) {
	switch {
	case v.field != nil:
		return v.field.first(r), nil
	case v.function == "":
		return v.text, nil
	}
	args := make([]string, len(v.args))
	for i, a := range v.args {
		s, err := a.eval(r)
		if err != nil {
			return "", err
		}
		args[i] = s
	}
	switch v.function {
	case "concat":
		return strings.Join(args, ""), nil
	case "lower":
		return lowerASCII(args[0]), nil
	case "len":
		return strconv.Itoa(len([]rune(args[0]))), nil
	}
	return replaceFirst(v.regex, args[0], args[2])
}

// first is the value of a field as a text; of several the first.
func (o *operand) first(r *Request) string {
	if !o.keyed {
		return o.value(r)
	}
	if values := r.keyed(o.field, o.key); len(values) > 0 {
		return values[0]
	}
	return ""
}

// replaceFirst replaces the first match. ${1} stands for a group, $$ for $.
func replaceFirst(re *regexp2.Regexp, s, with string) (string, error) {
	m, err := re.FindStringMatch(s)
	if err != nil {
		return "", fmt.Errorf("the regular expression takes too long: %w", err)
	}
	if m == nil {
		return s, nil
	}
	var b strings.Builder
	text := []rune(s)
	b.WriteString(string(text[:m.RuneIndex]))
	for i := 0; i < len(with); i++ {
		if strings.HasPrefix(with[i:], "$$") {
			b.WriteByte('$')
			i++
			continue
		}
		if strings.HasPrefix(with[i:], "${") {
			if end := strings.IndexByte(with[i:], '}'); end > 0 {
				if n, err := strconv.Atoi(with[i+2 : i+end]); err == nil {
					if g := m.GroupByNumber(n); g != nil {
						b.WriteString(g.String())
					}
					i += end
					continue
				}
			}
		}
		b.WriteByte(with[i])
	}
	b.WriteString(string(text[m.RuneIndex+m.RuneLength:]))
	return b.String(), nil
}
