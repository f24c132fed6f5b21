package guard

import (
	"context"
	"slices"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
)

// Severity is what a guardrail does about a mistake.
type Severity string

// The severities.
const (
	Fix   Severity = "fix"   // the call is mended, and a note says so
	Block Severity = "block" // nothing is sent, and the refusal names the fix
	Warn  Severity = "warn"  // the call is sent, and a note warns
	Ask   Severity = "ask"   // a person has to confirm it first
)

// Row is one guardrail.
type Row struct {
	// ID is stable: it stands in notes, refusals, tests and documents.
	ID string
	// Area is the subject, a heading of docs/guardrails.md.
	Area string
	// Do are the severities, the usual one first.
	Do []Severity
	// Text says what the mistake is and what is done about it.
	Text string
	// Source says whose experience it is.
	Source string
	// Actions are the operations that Check, After and Failed are about; Covers adds
	// those of a kind.
	Actions []string
	Covers  func(*catalog.Operation) bool
	// Where names the code of a guardrail that is not, or not only, one here.
	Where string
	// Check looks at a call before it is sent, After at its answer. An error
	// that is no *Refusal says that the state could not be read.
	Check, After func(ctx context.Context, c *Call) error
	// Failed looks at what the service refused: it may warn of what to do, or
	// Settle the call.
	Failed func(ctx context.Context, c *Call, cause error) error
	// Reads are the operations that these may send for a call of an operation, but
	// for the one that reads what it writes; nil if there is none.
	Reads func(*catalog.Operation) []string
}

// covers reports whether the guardrail looks at an operation.
func (r *Row) covers(op *catalog.Operation) bool {
	return (r.Check != nil || r.After != nil || r.Failed != nil) &&
		(slices.Contains(r.Actions, op.Action) || r.Covers != nil && r.Covers(op))
}

func (r *Row) does(s Severity) bool { return slices.Contains(r.Do, s) }

// Does are the severities in words, such as "fix or block".
func (r Row) Does() string {
	words := make([]string, len(r.Do))
	for i, s := range r.Do {
		words[i] = string(s)
	}
	return strings.Join(words, " or ")
}

// Sources of guardrails.
const (
	fromGuide   = "guide"    // the published skill that teaches agents ESA
	fromAPI     = "API"      // the API's documentation and its official SDK
	fromReports = "reports"  // what users of ESA and of its clients reported
	fromDesign  = "practice" // what careful operation asks for
)

// Table returns all guardrails, by area, in the order in which they look at a
// call: those of an area find parameters where they belong before those of rules
// read expressions.
func Table() []Row {
	return slices.Concat(
		pagesRows(), originRows(), cacheRows(), ruleRows(), dnsRows(), siteRows(),
		kvRows(), analyticsRows(), certificateRows(), callRows(),
	)
}

// area puts rows under one heading.
func area(name string, rows ...Row) []Row {
	for i := range rows {
		rows[i].Area = name
	}
	return rows
}
