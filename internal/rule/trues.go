package rule

// settleTrues takes care of true among other conditions.
func (p *parser) settleTrues() {
	if len(p.trues) == 0 || p.root == nil {
		return
	}
	for _, at := range p.trues {
		p.mistake(idSyntax, at, "true", "a condition", "true stands alone, without parentheses, for every request").Fix = "true"
	}
	p.root = withoutTrue(p.root)
	if _, never := p.root.(nothing); never {
		p.root, p.hopeless = nil, true
	}
}

// nothing is what not true comes to; it is in no finished tree.
type nothing struct{ everything }

// withoutTrue takes the conditions out that are always true.
func withoutTrue(n node) node {
	switch n := n.(type) {
	case *negation:
		switch kid := withoutTrue(n.kid).(type) {
		case everything:
			return nothing{}
		case nothing:
			return everything{}
		default:
			return negate(kid)
		}
	case *logic:
		var kids []node
		for _, k := range n.kids {
			k = withoutTrue(k)
			_, always := k.(everything)
			_, never := k.(nothing)
			if always && n.or || never && !n.or {
				return k
			}
			if !always && !never {
				kids = append(kids, k)
			}
		}
		if len(kids) == 0 {
			if n.or {
				return nothing{}
			}
			return everything{}
		}
		return newLogic(n.or, kids)
	}
	return n
}
