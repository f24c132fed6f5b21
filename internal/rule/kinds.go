package rule

import (
	"fmt"
	"slices"
)

// checkKind checks what the kind of rule and the plan have to say of a condition.
func (p *parser) checkKind(t *term, f *Field) {
	kind := p.o.Kind
	switch {
	case kind == KindHTTPS:
		p.checkHTTPS(t, f)
	case kind == KindVersion && t.list != "":
		p.fail(idKind, t.left.at, "in $"+t.list, "in {...}", "rules of version management take no lists: write the values in braces")
	case f.Only != "" && kind == "":
		p.warn(idKind, t.left.at, f.Name, string(f.Only), fmt.Sprintf("only rules of kind %s have %s", f.Only, f.Name), false)
	case f.Only != "" && kind != f.Only:
		p.fail(idKind, t.left.at, f.Name, "a field of "+string(kind)+" rules", fmt.Sprintf("only rules of kind %s have %s", f.Only, f.Name))
	case len(f.Usual) > 0 && kind != "" && !slices.Contains(f.Usual, kind):
		p.warn(idKind, t.left.at, f.Name, "a field of "+string(kind)+" rules", fmt.Sprintf("the sources name %s for WAF rules alone", f.Name), false)
	}
	if f.MinPlan != "" && p.o.Plan.less(f.MinPlan) {
		p.warn(idPlan, t.left.at, f.Name, string(f.MinPlan), fmt.Sprintf("%s probably needs a higher plan: GetWafFilter tells", f.Name), false)
	}
}

// checkHTTPS holds a condition to what HTTPS rules take: http.host with eq or ne.
func (p *parser) checkHTTPS(t *term, f *Field) {
	switch {
	case f.id != fieldHost:
		p.fail(idKind, t.left.at, f.Name, "http.host", "HTTPS rules ask for http.host alone")
	case t.op == opIn && t.list == "" && t.left.fn == fnNone:
		kids := make([]node, len(t.values))
		for i, v := range t.values {
			kids[i] = t.with(opEq, []literal{v})
		}
		each := newLogic(true, kids)
		p.replaced(t, each)
		p.mistake(idKind, t.left.at, "in", "eq, ne", "HTTPS rules take eq and ne alone").Fix = inner(each)
	case t.op != opEq && t.op != opNe:
		p.fail(idKind, t.left.at, t.op.String(), "eq, ne", "HTTPS rules take eq and ne alone")
	case t.left.fn == fnLower:
		plain := t.with(t.op, t.values)
		plain.left.fn = fnNone
		p.replaced(t, plain)
		p.mistake(idKind, t.left.at, "lower(http.host)", "http.host", "HTTPS rules take http.host without functions; it ignores case anyhow").Fix = plain.String()
	case t.left.fn != fnNone:
		p.fail(idKind, t.left.at, t.left.String(), "http.host", "HTTPS rules take http.host without functions")
	}
}
