// Package rule is the language of ESA rule expressions: what a cache rule, an
// origin rule, a routine route or a WAF rule says about the requests it is for,
// such as (http.host eq "www.example.com" and not ssl).
//
// It parses, checks, mends, prints, explains and evaluates expressions, and makes
// them from patterns and from structured conditions. The parser is written by
// hand: it reads what other dialects write as well, so that one pass finds
// several mistakes, says where each is and what was meant, and leaves the tree of
// the mended expression.
//
// The package knows the language alone: nothing of calls, sites or tools, and it
// imports none of our packages. Where the public sources contradict each other,
// a finding is a warning that says so.
package rule

import (
	"fmt"
	"strings"
)

// Kind is the kind of rule that an expression is for. Kinds differ in the fields
// and operators they take; the empty Kind is an unknown one, without such checks.
type Kind string

// The kinds of rules.
const (
	KindCache           Kind = "cache"
	KindOrigin          Kind = "origin"
	KindRedirect        Kind = "redirect"
	KindRewrite         Kind = "rewrite"
	KindRequestHeader   Kind = "request_header"
	KindResponseHeader  Kind = "response_header"
	KindCompression     Kind = "compression"
	KindHTTPS           Kind = "https"
	KindImage           Kind = "image"
	KindNetwork         Kind = "network"
	KindCustomResponse  Kind = "custom_response"
	KindWAF             Kind = "waf"
	KindRateLimit       Kind = "ratelimit"
	KindRoute           Kind = "route"
	KindLoadBalancer    Kind = "load_balancer"
	KindVersion         Kind = "version"
	KindDevelopmentMode Kind = "development_mode"
	KindWaitingRoom     Kind = "waiting_room"
)

// Plan is what a site's plan is called in the language of GetWafFilter; the empty
// Plan is an unknown one.
type Plan string

// The plans, from the least to the most.
const (
	PlanBasic      Plan = "basic"
	PlanMedium     Plan = "medium"
	PlanHigh       Plan = "high"
	PlanEnterprise Plan = "enterprise"
)

// Options say what an expression is for. The zero value checks what holds for
// every kind and plan.
type Options struct {
	Kind Kind
	Plan Plan
}

// Severity tells what the service refuses from what it takes.
type Severity string

// The severities. A warning is for what is taken and is probably not meant, for
// what another kind or plan refuses, and for what the sources disagree on.
const (
	SeverityError   Severity = "error"
	SeverityWarning Severity = "warning"
)

// Position is a place in the text of an expression: the byte offset from 0, the
// line and the column (in characters) from 1.
type Position struct{ Offset, Line, Column int }

// Diagnostic is one finding.
type Diagnostic struct {
	// ID is the guardrail that the finding belongs to, such as rule-syntax.
	ID       string
	Severity Severity
	Position Position
	// Found is what stands at the position, Expected what can stand there.
	Found, Expected string
	// Message says what is wrong and what it means.
	Message string
	// Fix is the corrected condition, or the corrected word, where it is evident.
	Fix string

	applies bool // the fixer makes the correction
}

// maxDiagnostics is how many findings one report has; what has more mistakes is
// not mended.
const maxDiagnostics = 60

// maxFix is the length of a correction beyond which a finding goes without.
const maxFix = 400

// String is the finding in one line.
func (d Diagnostic) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "column %d: ", d.Position.Column)
	if d.Position.Line > 1 {
		b.Reset()
		fmt.Fprintf(&b, "line %d, column %d: ", d.Position.Line, d.Position.Column)
	}
	b.WriteString(d.Message)
	if d.Found != "" && d.Expected != "" {
		fmt.Fprintf(&b, " (found %s, expected %s)", d.Found, d.Expected)
	}
	return b.String()
}

// The guardrails that findings belong to.
const (
	idSyntax        = "rule-syntax"
	idContainsSlash = "rule-contains-slash"
	idFunctionStyle = "rule-function-style"
	idNotEq         = "rule-not-eq"
	idNotIn         = "rule-not-in"
	idSetCommas     = "rule-set-commas"
	idQuotes        = "rule-quotes"
	idParens        = "rule-parens"
	idDepth         = "rule-depth"
	idSize          = "rule-size"
	idField         = "rule-field"
	idKind          = "rule-kind"
	idPlan          = "rule-plan"
	idWildcard      = "rule-wildcard"
	idURIQuery      = "rule-uri-query"
	idInList        = "rule-in-list"
	idFullURI       = "rule-full-uri"
)

// The limits of one expression.
const (
	// MaxSize is the size of an expression in bytes.
	MaxSize = 4096
	// MaxTerms is how many conditions an expression has at most.
	MaxTerms = 20
	// MaxDepth is how deep parentheses nest, those of functions not counted.
	MaxDepth = 2
	// maxRead is the size beyond which a text is not looked at any more.
	maxRead = 64 << 10
)

// Report is what Check finds.
type Report struct {
	// Valid says that there are no errors; there may be warnings.
	Valid bool
	// Diagnostics are the findings, in the order of their positions.
	Diagnostics []Diagnostic
	// Corrected is the whole expression corrected; empty if there is nothing to
	// correct or no evident correction.
	Corrected string
	// Expr is the parsed expression; nil if it is not valid.
	Expr *Expr
}

// Errors returns the findings that are errors.
func (r Report) Errors() []Diagnostic {
	var out []Diagnostic
	for _, d := range r.Diagnostics {
		if d.Severity == SeverityError {
			out = append(out, d)
		}
	}
	return out
}

// Check finds what is wrong with an expression, as many mistakes at once as can
// be told apart. It never panics and its work is bounded for any text.
func Check(text string, o Options) Report {
	p := examine(text, o)
	r := Report{Valid: !p.failed(), Diagnostics: p.diagnostics()}
	if r.Valid {
		r.Expr = &Expr{root: p.root}
	}
	if p.mendable() {
		if fixed, ok := mend(p, o); ok && fixed != text {
			r.Corrected = fixed
		}
	}
	return r
}

// Parse reads an expression that is right for some kind of rule and some plan.
// Otherwise the error is a *SyntaxError.
func Parse(text string) (*Expr, error) {
	p := examine(text, Options{})
	if d, bad := p.firstError(); bad {
		return nil, &SyntaxError{d}
	}
	return &Expr{root: p.root}, nil
}

// SyntaxError is the first error of an expression.
type SyntaxError struct{ Diagnostic Diagnostic }

func (e *SyntaxError) Error() string { return e.Diagnostic.String() }

// Fix corrects what evidently is a mistake and returns the whole expression, and
// what it changed. ok is false if mistakes remain; fixed then is the text as it
// was. A text without mistakes comes back as it is. What Fix returns, Fix leaves
// alone.
func Fix(text string, o Options) (fixed string, changes []Diagnostic, ok bool) {
	p := examine(text, o)
	if !p.mendable() {
		return text, nil, !p.failed()
	}
	fixed, ok = mend(p, o)
	if !ok {
		return text, nil, false
	}
	for _, d := range p.diagnostics() {
		if d.applies {
			changes = append(changes, d)
		}
	}
	return fixed, changes, true
}

// The codes with which the service refuses an expression.
const (
	CodeCompile    = "CompileRuleError"
	CodeRegexQuota = "RuleRegexQuotaCheckFailed"
)

// CompileError is why the service would refuse an expression.
type CompileError struct {
	// Code is CodeCompile or CodeRegexQuota.
	Code       string
	Diagnostic Diagnostic
}

func (e *CompileError) Error() string { return e.Diagnostic.String() }

// Compile does what the service does with an expression: it takes it or refuses
// it with a *CompileError, and corrects nothing. What the sources disagree on is
// taken.
func Compile(text string, o Options) (*Expr, error) {
	p := examine(text, o)
	if d, bad := p.firstError(); bad {
		code := CodeCompile
		if d.ID == idPlan {
			code = CodeRegexQuota
		}
		return nil, &CompileError{Code: code, Diagnostic: d}
	}
	return &Expr{root: p.root}, nil
}
