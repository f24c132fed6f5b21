package rule

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Conditions say in parts which requests are meant. Every part that is given must
// hold; of the values of one part, one must.
type Conditions struct {
	// Hosts are host names; *.example.com means those below it, *example.com it too.
	Hosts []string
	// Paths are of http.request.uri.path; * at an end, or once within, stands for
	// anything.
	Paths []string
	// Extensions are of the file, with or without a dot.
	Extensions []string
	// Countries have two letters, Continents too; ISPs are names of providers.
	Countries, Continents, ISPs []string
	Methods                     []string
	// IPs are addresses, networks, or the name of a list after $.
	IPs  []string
	ASNs []int64
	// Headers, Cookies and Args have a value by name: * at its ends stands for
	// anything, and * alone for being there.
	Headers, Cookies, Args map[string]string
	// TLS, if set, says whether the request came over TLS.
	TLS *bool
	// Patterns are URL patterns, as FromPattern reads them.
	Patterns []string
	// All of these hold as well; of Any one does; of None none.
	All, Any, None []Conditions
}

// maxConditions bounds how deep conditions nest.
const maxConditions = 8

// Build makes an expression of conditions. Errors name the part that is wrong.
func Build(c Conditions) (string, error) {
	n, err := c.node(0)
	if err != nil {
		return "", err
	}
	if _, all := n.(everything); !all && (levels(n) > MaxDepth || depth(n) > MaxDepth) {
		flat, ok := flattened(n)
		if !ok {
			return "", fmt.Errorf("the conditions nest deeper than %d levels and have no flat form of at most %d conditions: make several rules of them", MaxDepth, MaxTerms)
		}
		n = flat
	}
	text := printed(n)
	if bad := Check(text, Options{}).Errors(); len(bad) > 0 {
		return "", fmt.Errorf("the conditions make no valid expression: %s", bad[0].Message)
	}
	return text, nil
}

func (c Conditions) node(level int) (node, error) {
	if level > maxConditions {
		return nil, errors.New("all, any and none nest too deep")
	}
	var parts []node
	for _, part := range []struct {
		name   string
		values []string
		make   func([]string) ([]node, error)
	}{
		{"hosts", c.Hosts, hostNodes},
		{"paths", c.Paths, pathNodes},
		{"extensions", c.Extensions, extensionNodes},
		{"countries", c.Countries, codeNodes("ip.geoip.country", 2)},
		{"continents", c.Continents, codeNodes("ip.geoip.continent", 2)},
		{"isps", c.ISPs, codeNodes("ip.src.isp", 0)},
		{"methods", c.Methods, methodNodes},
		{"ips", c.IPs, ipNodes},
		{"patterns", c.Patterns, patternNodes},
	} {
		if len(part.values) == 0 {
			continue
		}
		nodes, err := part.make(part.values)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", part.name, err)
		}
		parts = append(parts, newLogic(true, nodes))
	}
	if len(c.ASNs) > 0 {
		values := make([]literal, len(c.ASNs))
		for i, n := range c.ASNs {
			values[i] = literal{text: strconv.FormatInt(n, 10)}
		}
		parts = append(parts, choice("ip.geoip.asnum", values))
	}
	for _, m := range []struct {
		field  string
		values map[string]string
	}{{"http.request.headers", c.Headers}, {"http.request.cookies", c.Cookies}, {"http.request.uri.args", c.Args}} {
		for _, key := range slices.Sorted(maps.Keys(m.values)) {
			if key == "" {
				return nil, fmt.Errorf("%s: a name is empty", m.field)
			}
			n, err := valueNode(operand{name: m.field, field: fieldNamed(m.field), key: key, keyed: true}, m.values[key])
			if err != nil {
				return nil, fmt.Errorf("%s %q: %w", m.field, key, err)
			}
			parts = append(parts, n)
		}
	}
	if c.TLS != nil {
		var n node = &term{left: operandOf("ssl"), op: opBare}
		if !*c.TLS {
			n = negate(n)
		}
		parts = append(parts, n)
	}
	more, err := c.groups(level)
	if err != nil {
		return nil, err
	}
	return joined(false, append(parts, more...)), nil
}

// groups are the conditions of All, Any and None.
func (c Conditions) groups(level int) ([]node, error) {
	var parts []node
	for _, g := range []struct {
		name string
		of   []Conditions
		or   bool
		not  bool
	}{{"all", c.All, false, false}, {"any", c.Any, true, false}, {"none", c.None, true, true}} {
		if len(g.of) == 0 {
			continue
		}
		var kids []node
		for i, inner := range g.of {
			n, err := inner.node(level + 1)
			if err != nil {
				return nil, fmt.Errorf("%s[%d]: %w", g.name, i, err)
			}
			if _, all := n.(everything); all && g.name != "all" {
				return nil, fmt.Errorf("%s[%d] is empty: it would hold for every request", g.name, i)
			}
			kids = append(kids, n)
		}
		n := joined(g.or, kids)
		if g.not {
			n = pushNots(negate(n), false)
		}
		parts = append(parts, n)
	}
	return parts, nil
}

// joined joins conditions; those that hold for every request fall away.
func joined(or bool, kids []node) node {
	kids = slices.DeleteFunc(kids, func(n node) bool { _, all := n.(everything); return all })
	if len(kids) == 0 {
		return everything{}
	}
	return newLogic(or, kids)
}

func operandOf(name string) operand { return operand{name: name, field: fieldNamed(name)} }

func textTerm(left operand, op operator, s string) *term {
	return &term{left: left, op: op, values: []literal{{quoted: true, text: s}}}
}

// choice is eq for one value, in for several.
func choice(field string, values []literal) node {
	op := opIn
	if len(values) == 1 {
		op = opEq
	}
	return &term{left: operandOf(field), op: op, values: values}
}

// choices makes conditions of texts: one for all that are exact, and one for each
// other.
func choices(field string, exact []string, others []node) []node {
	if len(exact) == 0 {
		return others
	}
	values := make([]literal, len(exact))
	for i, s := range exact {
		values[i] = literal{quoted: true, text: s}
	}
	return append([]node{choice(field, values)}, others...)
}

func hostNodes(hosts []string) ([]node, error) {
	var exact []string
	var others []node
	for _, h := range hosts {
		p, err := ParsePattern(h)
		switch {
		case err != nil:
			return nil, err
		case p.Prefix != "" || p.Suffix != "" || p.Asks:
			return nil, fmt.Errorf("%q has a path: give it under paths, or the whole as pattern", h)
		case p.Host == "":
			return []node{everything{}}, nil
		case !p.Below:
			exact = append(exact, p.Host)
			continue
		case p.Apex:
			exact = append(exact, p.Host)
		}
		others = append(others, textTerm(operandOf("http.host"), opEndsWith, "."+p.Host))
	}
	return choices("http.host", exact, others), nil
}

func pathNodes(paths []string) ([]node, error) {
	var exact []string
	var others []node
	path := operandOf("http.request.uri.path")
	for _, s := range paths {
		begin, end, star := strings.Cut(s, "*")
		switch {
		case strings.Contains(s, "?"):
			return nil, fmt.Errorf("%q has a query string: give its arguments under args", s)
		case !strings.HasPrefix(s, "/") && !strings.HasPrefix(s, "*"):
			return nil, fmt.Errorf("%q does not begin with / or *", s)
		case strings.Contains(end, "*"):
			return nil, fmt.Errorf("%q has more than one *", s)
		case !star:
			exact = append(exact, s)
			continue
		}
		if begin == "/" {
			begin = "" // every path begins so
		}
		var both []node
		if begin != "" {
			both = append(both, textTerm(path, opStartsWith, begin))
		}
		if end != "" {
			both = append(both, textTerm(path, opEndsWith, end))
		}
		if len(both) == 0 {
			return []node{everything{}}, nil
		}
		others = append(others, newLogic(false, both))
	}
	return choices("http.request.uri.path", exact, others), nil
}

func extensionNodes(extensions []string) ([]node, error) {
	var exact []string
	for _, e := range extensions {
		e = strings.TrimPrefix(strings.TrimPrefix(e, "*"), ".")
		if e == "" || strings.ContainsAny(e, "*/. ") {
			return nil, fmt.Errorf("%q is no extension such as jpg", e)
		}
		exact = append(exact, e)
	}
	return choices("http.request.uri.path.extension", exact, nil), nil
}

// codeNodes makes a choice of texts; those with a length are codes in capital
// letters.
func codeNodes(field string, length int) func([]string) ([]node, error) {
	return func(codes []string) ([]node, error) {
		var exact []string
		for _, c := range codes {
			if length > 0 {
				if len(c) != length {
					return nil, fmt.Errorf("%q is no code of %d letters", c, length)
				}
				c = strings.ToUpper(c)
			}
			exact = append(exact, c)
		}
		return choices(field, exact, nil), nil
	}
}

func methodNodes(methods []string) ([]node, error) {
	f := fieldNamed("http.request.method")
	var exact []string
	for _, m := range methods {
		m = strings.ToUpper(m)
		if !slices.Contains(f.Values, m) {
			return nil, fmt.Errorf("%q is none of %s", m, strings.Join(f.Values, ", "))
		}
		exact = append(exact, m)
	}
	return choices(f.Name, exact, nil), nil
}

func ipNodes(ips []string) ([]node, error) {
	var set []literal
	var out []node
	for _, s := range ips {
		if name, list := strings.CutPrefix(s, "$"); list {
			if !listName(name) {
				return nil, fmt.Errorf("%q is no name of a list", name)
			}
			out = append(out, &term{left: operandOf("ip.src"), op: opIn, list: name})
			continue
		}
		if _, ok := network(s); !ok {
			return nil, fmt.Errorf("%q is no address, network or $list", s)
		}
		set = append(set, literal{text: s})
	}
	if len(set) > 0 {
		one := &term{left: operandOf("ip.src"), op: opIn, values: set}
		if len(set) == 1 && !strings.Contains(set[0].text, "/") {
			one.op = opEq
		}
		out = append([]node{one}, out...)
	}
	return out, nil
}

// listName reports whether a text can be the name of a list.
func listName(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == ""
}

func patternNodes(patterns []string) ([]node, error) {
	var out []node
	for _, text := range patterns {
		p, err := ParsePattern(text)
		if err != nil {
			return nil, err
		}
		e, err := Parse(p.Expression())
		if err != nil {
			return nil, fmt.Errorf("read the expression of pattern %q: %w", text, err)
		}
		if _, all := e.root.(everything); all {
			return []node{e.root}, nil
		}
		out = append(out, e.root)
	}
	return out, nil
}

// valueNode compares a header, cookie or argument with a value.
func valueNode(left operand, value string) (node, error) {
	if value == "*" {
		return &term{left: left, op: opExists}, nil
	}
	inner := strings.TrimSuffix(strings.TrimPrefix(value, "*"), "*")
	begins, ends := strings.HasPrefix(value, "*"), strings.HasSuffix(value, "*")
	switch {
	case strings.Contains(inner, "*"):
		return nil, fmt.Errorf("%q has a * within: it stands at the ends alone", value)
	case inner == "" && begins:
		return nil, fmt.Errorf("%q is no value", value)
	case begins && ends:
		return textTerm(left, opContains, inner), nil
	case begins:
		return textTerm(left, opEndsWith, inner), nil
	case ends:
		return textTerm(left, opStartsWith, inner), nil
	}
	return textTerm(left, opEq, inner), nil
}

// Each are the conditions one by one: those of which None needs all to fail.
func (c Conditions) Each() []Conditions {
	var out []Conditions
	for _, list := range []struct {
		values []string
		one    Conditions
	}{{c.Hosts, Conditions{Hosts: c.Hosts}}, {c.Paths, Conditions{Paths: c.Paths}}, {c.Extensions, Conditions{Extensions: c.Extensions}},
		{c.Countries, Conditions{Countries: c.Countries}}, {c.Continents, Conditions{Continents: c.Continents}}, {c.ISPs, Conditions{ISPs: c.ISPs}},
		{c.Methods, Conditions{Methods: c.Methods}}, {c.IPs, Conditions{IPs: c.IPs}}, {c.Patterns, Conditions{Patterns: c.Patterns}}} {
		if len(list.values) > 0 {
			out = append(out, list.one)
		}
	}
	if len(c.ASNs) > 0 {
		out = append(out, Conditions{ASNs: c.ASNs})
	}
	for _, name := range slices.Sorted(maps.Keys(c.Headers)) {
		out = append(out, Conditions{Headers: map[string]string{name: c.Headers[name]}})
	}
	for _, name := range slices.Sorted(maps.Keys(c.Cookies)) {
		out = append(out, Conditions{Cookies: map[string]string{name: c.Cookies[name]}})
	}
	for _, name := range slices.Sorted(maps.Keys(c.Args)) {
		out = append(out, Conditions{Args: map[string]string{name: c.Args[name]}})
	}
	if c.TLS != nil {
		out = append(out, Conditions{TLS: c.TLS})
	}
	return out
}
