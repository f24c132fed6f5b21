package rule

import (
	"fmt"
	"strings"
)

// Describe reads an expression in plain language: which requests it matches.
func Describe(e *Expr) string {
	if _, all := e.root.(everything); all {
		return "Matches every request."
	}
	var b strings.Builder
	b.WriteString("Matches requests where ")
	describe(&b, e.root)
	b.WriteByte('.')
	return b.String()
}

func describe(b *strings.Builder, n node) {
	switch n := n.(type) {
	case *term:
		b.WriteString(n.describe(false))
	case *negation:
		if t, ok := n.kid.(*term); ok {
			b.WriteString(t.describe(true))
			return
		}
		b.WriteString("it is not so that (")
		describe(b, n.kid)
		b.WriteByte(')')
	case *logic:
		for i, k := range n.kids {
			if i > 0 {
				b.WriteString(n.word())
			}
			if !n.grouped() {
				describe(b, k)
				continue
			}
			b.WriteByte('(')
			describe(b, k)
			b.WriteByte(')')
		}
	}
}

// subject names what an operand asks for.
func (o *operand) subject() string {
	name := o.field.label()
	if o.keyed {
		name = fmt.Sprintf("%s %q", map[fieldID]string{fieldHeaders: "the header", fieldCookies: "the cookie",
			fieldArgs: "the query argument", fieldForm: "the form value"}[o.field.id], o.key)
	}
	switch o.fn {
	case fnLower:
		return name + " in small letters"
	case fnLen, fnLenLower:
		return "the length of " + name
	}
	return name
}

// label names a field in plain language.
func (f *Field) label() string {
	switch f.id {
	case fieldHost:
		return "the host"
	case fieldCookie:
		return "the Cookie header"
	case fieldReferer:
		return "the referer"
	case fieldUserAgent:
		return "the user agent"
	case fieldForwarded:
		return "X-Forwarded-For"
	case fieldMethod:
		return "the method"
	case fieldURI:
		return "the path with its query string"
	case fieldPath:
		return "the path"
	case fieldExtension:
		return "the file extension"
	case fieldFileName:
		return "the file name without extension"
	case fieldFullFileName:
		return "the file name"
	case fieldQuery:
		return "the query string"
	case fieldFullURI:
		return "the whole URL"
	case fieldVersion:
		return "the HTTP version"
	case fieldScheme:
		return "the scheme"
	case fieldMIME:
		return "the body's media type"
	case fieldBody:
		return "the body"
	case fieldSeconds:
		return "the time (seconds since 1970)"
	case fieldHeaders:
		return "the headers"
	case fieldCookies:
		return "the cookies"
	case fieldArgs:
		return "the query arguments"
	case fieldForm:
		return "the form values"
	case fieldIP:
		return "the client IP"
	case fieldIPVersion:
		return "the client's IP version"
	case fieldISP:
		return "the client's provider"
	case fieldSubdivision:
		return "the client's province or state"
	case fieldRegion:
		return "the load balancer's region"
	case fieldCountry:
		return "the client's country"
	case fieldContinent:
		return "the client's continent"
	case fieldASN:
		return "the client's AS number"
	}
	return f.Name
}

// describe reads one condition.
func (t *term) describe(negated bool) string {
	not, does := "", ""
	if negated {
		not, does = " not", " does not"
	}
	subject := t.left.subject()
	switch t.op {
	case opBare:
		return t.left.truth(!negated)
	case opExists:
		return subject + map[bool]string{false: " is there", true: " is missing"}[negated]
	case opIn:
		if t.list != "" {
			return fmt.Sprintf("%s is%s in the list %s", subject, not, t.list)
		}
		values := make([]string, len(t.values))
		for i := range t.values {
			values[i] = t.values[i].String()
		}
		if len(values) == 1 {
			return fmt.Sprintf("%s is%s %s", subject, not, values[0])
		}
		return fmt.Sprintf("%s is%s one of %s", subject, not, strings.Join(values, ", "))
	}
	value := t.values[0].String()
	if t.left.field.Type == TypeBoolean {
		return t.left.truth(((t.op == opEq) == (value == "true")) != negated)
	}
	switch t.op {
	case opEq, opNe:
		if negated != (t.op == opNe) {
			not = " not"
		} else {
			not = ""
		}
		if value == `""` {
			value = "empty"
		}
		return fmt.Sprintf("%s is%s %s", subject, not, value)
	case opGt, opGe, opLt, opLe:
		size := map[operator]string{opGt: "more than", opGe: "at least", opLt: "less than", opLe: "at most"}[t.op]
		return fmt.Sprintf("%s is%s %s %s", subject, not, size, value)
	}
	verb := map[operator][2]string{
		opContains: {" contains", " contain"}, opMatches: {" matches the regular expression", " match the regular expression"},
		opStartsWith: {" begins with", " begin with"}, opEndsWith: {" ends with", " end with"},
	}[t.op]
	if negated {
		return subject + does + verb[1] + " " + value
	}
	return subject + verb[0] + " " + value
}

// truth says that a field is true, or that it is not.
func (o *operand) truth(is bool) string {
	if o.field.id == fieldSSL {
		return map[bool]string{true: "the request is over TLS", false: "the request is not over TLS"}[is]
	}
	return o.field.Name + map[bool]string{true: " is true", false: " is false"}[is]
}
