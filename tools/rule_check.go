package tools

import (
	"context"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/rule"
)

// CheckRuleInput are the arguments of check_rule.
type CheckRuleInput struct {
	Expression string `json:"expression" jsonschema_description:"To check"`
	Kind       string `json:"kind,omitempty" jsonschema_description:"Of rule: cache, origin, https, waf, route, load_balancer ..."`
	Plan       string `json:"plan,omitempty" jsonschema_description:"basic, medium, high, enterprise"`
}

// RuleDiagnostic is one finding in an expression.
type RuleDiagnostic struct {
	ID       string `json:"id" jsonschema_description:"Guardrail"`
	Severity string `json:"severity" jsonschema_description:"error: ESA refuses it; warning"`
	Line     int    `json:"line,omitempty" jsonschema_description:"If not the first"`
	Column   int    `json:"column" jsonschema_description:"From 1"`
	Found    string `json:"found,omitempty"`
	Expected string `json:"expected,omitempty"`
	Message  string `json:"message"`
	Fix      string `json:"fix,omitempty" jsonschema_description:"This place corrected"`
}

// CheckRuleOutput is the result of check_rule.
type CheckRuleOutput struct {
	Valid       bool             `json:"valid"`
	Diagnostics []RuleDiagnostic `json:"diagnostics"`
	Corrected   string           `json:"corrected,omitempty" jsonschema_description:"The whole expression, to be used instead"`
	Reading     string           `json:"reading,omitempty" jsonschema_description:"What it, else the corrected one, matches"`
}

// ruleLanguageTools work on expressions alone: they need no account.
func ruleLanguageTools() []Tool {
	return []Tool{
		Define(Meta{
			Name: "check_rule", Title: "Check a rule expression", Toolset: "rules",
			Description: "Find the mistakes of an ESA rule expression, correct them, and read in words what it matches.",
			ReadOnly:    Yes, Destructive: No, Idempotent: Yes, OpenWorld: No,
		}, checkRuleExpression),
		Define(Meta{
			Name: "test_rule", Title: "Try a rule expression", Toolset: "rules",
			Description: "Evaluate an ESA rule expression for sample requests: which match, and why.",
			ReadOnly:    Yes, Destructive: No, Idempotent: Yes, OpenWorld: No,
		}, testRule),
		Define(Meta{
			Name: "build_rule", Title: "Write a rule expression", Toolset: "rules",
			Description: "Make an ESA rule expression of URL patterns or conditions. All given must hold; of several values one must; those with ! in front must not.",
			ReadOnly:    Yes, Destructive: No, Idempotent: Yes, OpenWorld: No,
		}, buildRule),
		simulateRequestTool(),
	}
}

func checkRuleExpression(_ context.Context, _ *Deps, in CheckRuleInput) (CheckRuleOutput, error) {
	o, err := ruleOptions(in.Kind, in.Plan)
	if err != nil {
		return CheckRuleOutput{}, err
	}
	r := rule.Check(in.Expression, o)
	out := CheckRuleOutput{Valid: r.Valid, Diagnostics: []RuleDiagnostic{}, Corrected: r.Corrected}
	for _, d := range r.Diagnostics {
		row := RuleDiagnostic{ID: d.ID, Severity: string(d.Severity), Column: d.Position.Column, Found: d.Found, Expected: d.Expected,
			Message: d.Message, Fix: d.Fix}
		if d.Position.Line > 1 {
			row.Line = d.Position.Line
		}
		out.Diagnostics = append(out.Diagnostics, row)
	}
	switch {
	case r.Valid:
		out.Reading = rule.Describe(r.Expr)
	case r.Corrected != "":
		if corrected := rule.Check(r.Corrected, o); corrected.Valid {
			out.Reading = rule.Describe(corrected.Expr)
		}
	}
	return out, nil
}

// ruleOptions reads the kind and the plan that an expression is for.
func ruleOptions(kind, plan string) (rule.Options, error) {
	k, ok := rule.ParseKind(kind)
	if !ok {
		return rule.Options{}, Refuse("kind: there is no kind of rule %q. There are %s; leave it out to check what holds for all.", kind, joinNames(rule.Kinds()))
	}
	p, ok := rule.ParsePlan(plan)
	if !ok {
		return rule.Options{}, Refuse("plan: there is no plan %q. There are %s; leave it out if it is unknown.", plan, joinNames(rule.Plans()))
	}
	return rule.Options{Kind: k, Plan: p}, nil
}

// joinNames joins values of a type of text.
func joinNames[T ~string](values []T) string {
	list := make([]string, len(values))
	for i, v := range values {
		list[i] = string(v)
	}
	return strings.Join(list, ", ")
}
