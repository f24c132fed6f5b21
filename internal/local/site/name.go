package site

import (
	"strings"
)

// validDomain reports whether name is a host name of at least two labels, in
// lower-case ASCII without a trailing dot. International names come as punycode.
// underscore allows labels that have one, which DNS does and web servers do not.
func validDomain(name string, underscore bool) bool {
	if len(name) > 253 || !strings.Contains(name, ".") {
		return false
	}
	labels := strings.Split(name, ".")
	for _, label := range labels {
		if !validLabel(label, underscore) {
			return false
		}
	}
	// A name whose last label is a number is an IP address or nothing.
	return strings.Trim(labels[len(labels)-1], "0123456789") != ""
}

func validLabel(label string, underscore bool) bool {
	if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
		return false
	}
	for _, c := range []byte(label) {
		switch {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-':
		case c == '_' && underscore:
		default:
			return false
		}
	}
	return true
}

// within reports whether name is the site itself or a name under it.
func within(name, siteName string) bool {
	return name == siteName || strings.HasSuffix(name, "."+siteName)
}

// condition is one WHERE term with its arguments.
type condition struct {
	sql  string
	args []any
}

// where joins conditions with AND.
func where(conditions []condition) (string, []any) {
	if len(conditions) == 0 {
		return "", nil
	}
	var terms []string
	var args []any
	for _, c := range conditions {
		terms = append(terms, c.sql)
		args = append(args, c.args...)
	}
	return "WHERE " + strings.Join(terms, " AND ") + " ", args
}

// nameMatch is the condition of a search type: exact (also if empty), prefix,
// suffix or fuzzy. It is false for any other.
func nameMatch(column, kind, text string) (condition, bool) {
	text = strings.ToLower(text)
	switch kind {
	case "", "exact":
		return condition{column + ` = ?`, []any{text}}, true
	case "prefix":
		return condition{`substr(` + column + `, 1, length(?)) = ?`, []any{text, text}}, true
	case "suffix":
		return condition{`substr(` + column + `, -length(?)) = ?`, []any{text, text}}, true
	case "fuzzy":
		return condition{`instr(` + column + `, ?) > 0`, []any{text}}, true
	}
	return condition{}, false
}
