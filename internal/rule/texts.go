package rule

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dlclark/regexp2/v2"
)

// checkTexts checks the values of a text field.
func (p *parser) checkTexts(t *term, f *Field) {
	for i := range t.values {
		v := &t.values[i]
		if v.quoted {
			continue
		}
		quoted := literal{quoted: true, text: v.text, at: v.at, end: v.end}
		p.mistake(idQuotes, v.at, v.text, quoted.String(), "a text stands in double quotes").Fix = quoted.String()
		*v = quoted
	}
	if f.NotEmpty {
		for _, v := range t.values {
			if v.text == "" {
				p.fail(idField, v.at, `""`, "a text", f.Name+" is never compared with the empty text")
				return
			}
		}
	}
	if t.op == opMatches {
		p.checkRegex(t, f)
		return
	}
	if t.left.fn == fnLower {
		for _, v := range t.values {
			if low := lowerASCII(v.text); low != v.text {
				p.warn(idField, v.at, v.String(), Quote(low), "lower() gives small letters: this value never matches", false).Fix = Quote(low)
			}
		}
	}
	if f.IgnoreCase || t.left.fn == fnLower {
		t.foldValues()
	}
	switch {
	case f.uri:
		p.checkURI(t, f)
	case f.id == fieldHost:
		p.checkHost(t)
	case f.id == fieldExtension:
		for _, v := range t.values {
			if strings.HasPrefix(v.text, ".") {
				p.warn(idField, v.at, v.String(), Quote(v.text[1:]), "an extension has no dot: this value never matches", false).Fix = Quote(v.text[1:])
			}
		}
	case f.id == fieldCountry:
		for _, v := range t.values {
			if len(v.text) != 2 || strings.ToUpper(v.text) != v.text {
				p.warn(idField, v.at, v.String(), `two capital letters such as "CN"`, "countries are two capital letters: this value never matches", false)
			}
		}
	case len(f.Values) > 0 && t.left.fn == fnNone:
		p.checkChoice(t, f)
	}
}

func (t *term) foldValues() {
	for _, v := range t.values {
		t.fold = append(t.fold, strings.ToLower(v.text))
	}
}

// checkChoice warns of values that a field never has.
func (p *parser) checkChoice(t *term, f *Field) {
	for _, v := range t.values {
		if slices.Contains(f.Values, v.text) {
			continue
		}
		d := p.warn(idField, v.at, v.String(), strings.Join(f.Values, ", "), fmt.Sprintf("%s never has this value", f.Name), false)
		for _, known := range f.Values {
			if strings.EqualFold(known, v.text) || known == v.text+".0" || known == "HTTP/"+v.text {
				d.Fix = Quote(known)
			}
		}
	}
}

// checkRegex checks a regular expression and that the plan has them.
func (p *parser) checkRegex(t *term, f *Field) {
	v := t.values[0]
	if len(v.text) <= MaxSize {
		re, err := compileRegex(v.text, f.IgnoreCase)
		if err != nil {
			p.fail(idSyntax, v.at, v.String(), "a regular expression (PCRE)", "the regular expression is wrong: "+strings.TrimPrefix(err.Error(), "error parsing regexp: "))
			return
		}
		t.regex.Store(re)
	}
	const need = "regular expressions need the plan Premium or Enterprise"
	switch {
	case p.o.Plan == PlanBasic:
		p.needsPlan(t, need)
	case p.o.Plan == PlanMedium:
		p.warn(idPlan, t.left.at, "matches", operators(f), need+"; the sources differ on Standard (Pro)", false)
	case p.o.Plan == "":
		p.warn(idPlan, t.left.at, "matches", operators(f), need+"; they may work on Standard (Pro)", false)
	}
	if p.o.Kind == KindVersion {
		p.warn(idKind, t.left.at, "matches", "eq, in, starts_with", "a quota limits regular expressions in rules of version management", false)
	}
}

// needsPlan refuses a regular expression, and offers the condition without one
// that means the same, if there is any.
func (p *parser) needsPlan(t *term, need string) {
	plain := t.withoutRegex()
	if plain == nil {
		p.fail(idPlan, t.left.at, "matches", operators(t.left.field), need)
		return
	}
	p.replaced(t, plain)
	p.mistake(idPlan, t.left.at, "matches", operators(t.left.field), need+": this one can do without").Fix = inner(plain)
}

// inner prints a node without parentheses around it.
func inner(n node) string {
	var b strings.Builder
	n.write(&b)
	return b.String()
}

// compileRegex compiles a regular expression with the time limit of a match.
func compileRegex(text string, ignoreCase bool) (*regexp2.Regexp, error) {
	var options []regexp2.CompileOption
	if ignoreCase {
		options = append(options, regexp2.IgnoreCase)
	}
	re, err := regexp2.Compile(text, options...)
	if err != nil {
		return nil, err
	}
	re.MatchTimeout = regexTimeout
	return re, nil
}

// checkHost warns of hosts that no request has.
func (p *parser) checkHost(t *term) {
	for _, v := range t.values {
		switch {
		case strings.Contains(v.text, "*"):
			d := p.warn(idWildcard, v.at, v.String(), "ends_with(http.host, \".example.com\")", "* is no wildcard here: this value never matches", false)
			if below, ok := strings.CutPrefix(v.text, "*."); ok && len(t.values) == 1 && (t.op == opEq || t.op == opNe) && !strings.Contains(below, "*") {
				end := t.with(opEndsWith, []literal{{quoted: true, text: "." + below}})
				d.Fix = inner(opIf(end, t.op == opNe))
			}
		case strings.Contains(v.text, "://"), strings.Contains(v.text, "/"):
			p.warn(idFullURI, v.at, v.String(), "a host name", "http.host is the host name alone, without scheme and path: this value never matches", false)
		case strings.Contains(v.text, ":") && t.op != opContains:
			p.warn(idField, v.at, v.String(), "a host name", "http.host has no port: this value never matches", false)
		}
	}
}

// checkURI checks what http.request.uri and its path are compared with.
func (p *parser) checkURI(t *term, f *Field) {
	if p.checkFullURI(t, f) {
		return
	}
	for i := range t.values {
		v := &t.values[i]
		if v.text == "" || strings.HasPrefix(v.text, "/") || t.op == opEndsWith {
			continue
		}
		evident := pathLike(v.text)
		slashed := Quote("/" + v.text)
		var d *Diagnostic
		if t.op == opContains {
			d = p.warn(idContainsSlash, v.at, v.String(), slashed,
				"one source says that "+f.Name+" contains needs a value with / in front, else CompileRuleError; others show it without", evident)
			if evident {
				p.replaced(t, t.with(opContains, []literal{{quoted: true, text: "/" + v.text, at: v.at, end: v.end}}))
			}
		} else {
			d = p.warn(idContainsSlash, v.at, v.String(), slashed, f.Name+" begins with /: this value never matches", false)
		}
		if evident {
			d.Fix = slashed
		}
	}
	p.checkQuery(t, f)
}

// checkFullURI finds whole URLs, which http.request.full_uri is for.
func (p *parser) checkFullURI(t *term, f *Field) bool {
	urls := 0
	for _, v := range t.values {
		if low := strings.ToLower(v.text); strings.HasPrefix(low, "http://") || strings.HasPrefix(low, "https://") {
			urls++
		}
	}
	v := t.values[0]
	const message = "a whole URL is compared with http.request.full_uri: this value never matches"
	switch {
	case urls == 0:
		return false
	case t.op == opContains || t.op == opEndsWith:
		p.warn(idFullURI, v.at, v.String(), "http.request.full_uri", f.Name+" has no scheme and host: only a URL within it matches", false)
	case urls < len(t.values):
		p.fail(idFullURI, v.at, v.String(), "http.request.full_uri", message)
	default:
		t.left.name, t.left.field = "http.request.full_uri", fieldNamed("http.request.full_uri")
		p.mistake(idFullURI, t.left.at, f.Name, "http.request.full_uri", message).Fix = t.String()
	}
	return true
}

// checkQuery warns where the query string is in the way.
func (p *parser) checkQuery(t *term, f *Field) {
	asked := slices.ContainsFunc(t.values, func(v literal) bool { return strings.Contains(v.text, "?") })
	other := t.with(t.op, t.values)
	switch {
	case f.id == fieldURI && !asked && (t.op == opEndsWith || t.op == opEq || t.op == opIn || t.op == opNe):
		other.left.name, other.left.field = "http.request.uri.path", fieldNamed("http.request.uri.path")
		p.warn(idURIQuery, t.left.at, f.Name, other.left.name,
			"http.request.uri includes the query string: /a?b=1 is another value than /a. http.request.uri.path is meant as a rule", false).Fix = other.String()
	case f.id == fieldPath && asked:
		other.left.name, other.left.field = "http.request.uri", fieldNamed("http.request.uri")
		p.warn(idURIQuery, t.left.at, f.Name, other.left.name, "the path has no query string: this value never matches", false).Fix = other.String()
	}
}

// pathLike reports whether a text evidently is the beginning of a part of a path.
func pathLike(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_'
		if !letter && (i == 0 || c != '/' && c != '-' && c != '.' && c != '~') {
			return false
		}
	}
	return s != ""
}

// lowerASCII does what lower() does: it changes the letters A to Z alone.
func lowerASCII(s string) string {
	for i := 0; i < len(s); i++ {
		if s[i] >= 'A' && s[i] <= 'Z' {
			return strings.Map(func(r rune) rune {
				if r >= 'A' && r <= 'Z' {
					return r + 'a' - 'A'
				}
				return r
			}, s)
		}
	}
	return s
}
