package rule

import (
	"slices"
	"strings"
)

// Lists names the account's lists that the expression refers to, each once.
func (e *Expr) Lists() []string {
	var names []string
	each(e.root, func(t *term, _ bool) {
		if t.list != "" && !slices.Contains(names, t.list) {
			names = append(names, t.list)
		}
	})
	return names
}

// Hosts names the hosts that the expression asks for, in small letters, each
// once; those of whose name it asks for the end alone begin with "*.". Negated
// conditions name none.
func (e *Expr) Hosts() []string {
	var hosts []string
	add := func(prefix, host string) {
		if host = prefix + strings.ToLower(host); host != prefix && !slices.Contains(hosts, host) {
			hosts = append(hosts, host)
		}
	}
	var walk func(n node)
	walk = func(n node) {
		switch n := n.(type) {
		case *logic:
			for _, k := range n.kids {
				walk(k)
			}
		case *term:
			if n.left.field == nil || n.left.field.id != fieldHost || n.left.fn > fnLower {
				return
			}
			for _, v := range n.values {
				switch n.op {
				case opEq, opIn:
					add("", v.text)
				case opEndsWith:
					add("*.", strings.TrimPrefix(v.text, "."))
				}
			}
		}
	}
	walk(e.root)
	return hosts
}
