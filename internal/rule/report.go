package rule

import (
	"fmt"
	"slices"
)

func (p *parser) sizeError() {
	p.fail(idSize, MaxSize, fmt.Sprintf("%d bytes", len(p.src)), fmt.Sprintf("at most %d", MaxSize),
		"the expression is too long: split it into several rules, use in {...} instead of many eq, or a list")
}

// report adds a finding. fixed says that the tree already has, or the fixer will
// put, what was meant.
func (p *parser) report(severity Severity, id string, at int, found, expected, message string, fixed bool) *Diagnostic {
	if len(p.diags) >= maxDiagnostics {
		p.hopeless = true
		if severity == SeverityError && !p.full {
			p.full = true
			p.diags = append(p.diags, Diagnostic{ID: id, Severity: severity, Position: position(p.src, at),
				Message: "there are more mistakes than can be listed: this is the next one. " + message})
		}
		return &Diagnostic{}
	}
	p.diags = append(p.diags, Diagnostic{ID: id, Severity: severity, Position: position(p.src, at),
		Found: found, Expected: expected, Message: message, applies: fixed})
	return &p.diags[len(p.diags)-1]
}

// mistake adds an error that the fixer corrects.
func (p *parser) mistake(id string, at int, found, expected, message string) *Diagnostic {
	return p.report(SeverityError, id, at, found, expected, message, true)
}

// fail adds an error that has no evident correction.
func (p *parser) fail(id string, at int, found, expected, message string) *Diagnostic {
	p.hopeless = true
	return p.report(SeverityError, id, at, found, expected, message, false)
}

// warn adds a warning.
func (p *parser) warn(id string, at int, found, expected, message string, fixed bool) *Diagnostic {
	return p.report(SeverityWarning, id, at, found, expected, message, fixed)
}

func (p *parser) failed() bool { _, bad := p.firstError(); return bad }

// firstError is the first error; one of the plan only when there is no other.
func (p *parser) firstError() (Diagnostic, bool) {
	found, ok := Diagnostic{}, false
	for _, d := range p.diags {
		if d.Severity != SeverityError {
			continue
		}
		if !ok || found.ID == idPlan && d.ID != idPlan {
			found, ok = d, true
		}
	}
	return found, ok
}

// mendable reports whether the fixer has something to do and can do all of it.
func (p *parser) mendable() bool {
	return !p.hopeless && slices.ContainsFunc(p.diags, func(d Diagnostic) bool { return d.applies })
}

func (p *parser) diagnostics() []Diagnostic { return p.diags }
