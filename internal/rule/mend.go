package rule

// mend prints the corrected expression and makes sure that it is right, and that
// mending it once more changes nothing.
func mend(p *parser, o Options) (string, bool) {
	for range 4 {
		if p.root == nil || p.hopeless {
			return "", false
		}
		fixed := printed(p.rewritten(p.root))
		again := examine(fixed, o)
		if !again.mendable() {
			return fixed, !again.failed()
		}
		p = again
	}
	return "", false
}

// rewritten puts the replacements into a tree.
func (p *parser) rewritten(n node) node {
	if with, ok := p.replace[n]; ok {
		return with
	}
	switch n := n.(type) {
	case *logic:
		kids := make([]node, len(n.kids))
		for i, k := range n.kids {
			kids[i] = p.rewritten(k)
		}
		return newLogic(n.or, kids)
	case *negation:
		kid := p.rewritten(n.kid)
		if _, spread := kid.(*logic); spread && kid != n.kid {
			return pushNots(kid, true)
		}
		return negate(kid)
	}
	return n
}

// levels counts the levels of and / or.
func levels(n node) int {
	switch n := n.(type) {
	case *logic:
		most := 0
		for _, k := range n.kids {
			most = max(most, levels(k))
		}
		return most + 1
	case *negation:
		return levels(n.kid)
	}
	return 0
}

// depth is how deep parentheses nest in the printed form.
func depth(n node) int {
	l, ok := n.(*logic)
	if ok && l.grouped() {
		most := 0
		for _, k := range l.kids {
			most = max(most, 1+nested(k))
		}
		return most
	}
	return 1 + nested(n)
}

// nested is how deep parentheses nest within the print of a node.
func nested(n node) int {
	switch n := n.(type) {
	case *logic:
		most := 0
		for _, k := range n.kids {
			d := nested(k)
			if _, group := k.(*logic); group {
				d++
			}
			most = max(most, d)
		}
		return most
	case *negation:
		if _, single := n.kid.(*term); single {
			return 0
		}
		return 1 + nested(n.kid)
	}
	return 0
}

// flattened is an expression that means the same with fewer levels: the tree
// itself without needless parentheses, else an or of ands, or an and of ors.
func flattened(n node) (node, bool) {
	fits := func(n node) bool {
		return n != nil && levels(n) <= MaxDepth && depth(n) <= MaxDepth && countTerms(n) <= MaxTerms && len(printed(n)) <= MaxSize
	}
	if fits(n) {
		return n, true
	}
	plain := pushNots(n, false)
	for _, candidate := range []node{plain, normalForm(plain, true), normalForm(plain, false)} {
		if fits(candidate) {
			return candidate, true
		}
	}
	if depth(n) <= MaxDepth && len(printed(n)) <= MaxSize {
		return n, true
	}
	return nil, false
}

func countTerms(n node) int {
	count := 0
	each(n, func(*term, bool) { count++ })
	return count
}

// pushNots moves nots to the conditions.
func pushNots(n node, negated bool) node {
	switch n := n.(type) {
	case *negation:
		return pushNots(n.kid, !negated)
	case *logic:
		kids := make([]node, len(n.kids))
		for i, k := range n.kids {
			kids[i] = pushNots(k, negated)
		}
		return newLogic(n.or != negated, kids)
	case *term:
		if !negated {
			return n
		}
		if f := n.left.field; (n.op == opEq || n.op == opNe) && f != nil && f.takes(opEq+opNe-n.op) {
			return n.with(opEq+opNe-n.op, n.values)
		}
		return negate(n)
	}
	return n
}

// normalForm makes an or of ands (or an and of ors) of a tree whose nots are at
// the conditions; nil if that would be too large.
func normalForm(n node, or bool) node {
	groups, ok := groupsOf(n, or)
	if !ok {
		return nil
	}
	kids := make([]node, len(groups))
	for i, g := range groups {
		kids[i] = newLogic(!or, g)
	}
	return newLogic(or, kids)
}

// groupsOf are the conditions of each group of the normal form.
func groupsOf(n node, or bool) ([][]node, bool) {
	l, ok := n.(*logic)
	if !ok {
		return [][]node{{n}}, true
	}
	var out [][]node
	for i, k := range l.kids {
		groups, ok := groupsOf(k, or)
		if !ok {
			return nil, false
		}
		if l.or == or || i == 0 {
			out = append(out, groups...)
		} else {
			var crossed [][]node
			for _, a := range out {
				for _, b := range groups {
					crossed = append(crossed, append(append([]node{}, a...), b...))
				}
			}
			out = crossed
		}
		if len(out) > MaxTerms {
			return nil, false
		}
	}
	return out, true
}
