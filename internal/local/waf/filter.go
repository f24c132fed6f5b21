package waf

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	expr "github.com/esa-mcp/esa-mcp/internal/rule"
)

// kindOf is the kind of rules that a phase has.
func kindOf(phase string) expr.Kind {
	if phase == phaseRateLimit {
		return expr.KindRateLimit
	}
	return expr.KindWAF
}

// filterLogic is an operator that a field takes. A negated one is the same
// symbol with Negative, as the service tells it: "does not equal" is eq.
type filterLogic struct {
	Attributes int
	Enable     bool
	Kind       string
	MinPlan    string
	Negative   bool
	Operator   string
	Symbol     string
	Tip        string
	Type       string
	Validator  struct{ ErrMsg, Pattern string }
}

type filterField struct {
	Enable   bool
	Key      string
	Label    string
	Logics   []filterLogic
	MinPlan  string
	Selector *filterSelector `json:",omitempty"`
	Sub      bool
	SubTip   string
}

type filterSelector struct {
	Data []filterValue
	Kind string
}

type filterValue struct{ Label, Value string }

// getFilter answers GetWafFilter: which fields the rules of a phase may ask for,
// and with which operators.
func (s *Service) getFilter(ctx context.Context, r *api.Request) (any, error) {
	phase := r.Params.String("Phase")
	if phase != "" {
		if err := checkPhase(phase); err != nil {
			return nil, err
		}
	}
	plan, err := s.planOf(ctx, r.Params)
	if err != nil {
		return nil, err
	}
	fields := []filterField{}
	for _, f := range expr.Fields() {
		if f.Only == "" || f.Only == kindOf(phase) {
			fields = append(fields, filterOf(f, plan))
		}
	}
	sort.Slice(fields, func(i, j int) bool { return fields[i].Key < fields[j].Key })
	type filter struct {
		Fields              []filterField
		Phase, Target, Type string
	}
	return struct{ Filter filter }{filter{fields, phase, r.Params.String("Target"), r.Params.String("Type")}}, nil
}

// planOf is the plan of the site that a call names, the largest without one.
func (s *Service) planOf(ctx context.Context, p api.Params) (expr.Plan, error) {
	if p.String("SiteId") == "" {
		return expr.PlanEnterprise, nil
	}
	site, err := p.Int("SiteId", 0)
	if err != nil {
		return "", err
	}
	var name string
	err = s.store.DB().QueryRowContext(ctx, `SELECT p.plan_name FROM sites s JOIN plan_instances p ON p.instance_id = s.instance_id
		WHERE s.id = ?`, site).Scan(&name)
	if errors.Is(err, sql.ErrNoRows) {
		return "", api.Errorf(404, "SiteNotFound", "The specified site %d does not exist.", site)
	}
	if err != nil {
		return "", fmt.Errorf("look up the site's plan: %w", err)
	}
	plan, _ := expr.ParsePlan(name)
	return plan, nil
}

// has reports whether a plan has what comes with least.
func has(plan, least expr.Plan) bool {
	return slices.Index(expr.Plans(), plan) >= slices.Index(expr.Plans(), least)
}

func filterOf(f expr.Field, plan expr.Plan) filterField {
	least := f.MinPlan
	if least == "" {
		least = expr.PlanBasic
	}
	out := filterField{Enable: has(plan, least), Key: f.Name, Label: f.Name, MinPlan: string(least), Sub: f.Type == expr.TypeMap,
		Logics: []filterLogic{}}
	if out.Sub {
		out.SubTip = "the name of the entry, as in " + f.Name + `["name"]`
	}
	if len(f.Values) > 0 {
		out.Selector = &filterSelector{Kind: "static", Data: []filterValue{}}
		for _, v := range f.Values {
			out.Selector.Data = append(out.Selector.Data, filterValue{v, v})
		}
	}
	for _, operator := range f.Operators {
		out.Logics = append(out.Logics, logicsOf(f, operator, plan)...)
	}
	return out
}

// logicsOf are an operator of a field and its negation. The field's ne is the
// negation of eq and is not told again.
func logicsOf(f expr.Field, operator string, plan expr.Plan) []filterLogic {
	if operator == "ne" && slices.Contains(f.Operators, "eq") {
		return nil
	}
	l := filterLogic{Enable: true, Symbol: operator, Operator: operator, MinPlan: string(expr.PlanBasic), Type: "string", Kind: "input:single"}
	if f.Type == expr.TypeInteger {
		l.Type = "integer"
	}
	if f.IgnoreCase {
		l.Attributes = 1
	}
	if len(f.Values) > 0 {
		l.Kind = "select:single"
	}
	switch operator {
	case "in":
		l.Type, l.Kind = l.Type+"_slice", strings.Replace(l.Kind, "single", "multi", 1)
	case "matches":
		l.MinPlan, l.Enable = string(expr.PlanHigh), has(plan, expr.PlanHigh)
		l.Tip = "a regular expression (PCRE)"
	case "gt", "ge", "lt", "le":
		return []filterLogic{l}
	}
	negated := l
	negated.Negative, negated.Operator = true, "not "+operator
	return []filterLogic{l, negated}
}

// expressionFields answers BatchGetExpressionFields: of each expression the
// fields that it asks for.
func (s *Service) expressionFields(_ context.Context, r *api.Request) (any, error) {
	var expressions []struct {
		ID         json.Number `json:"Id"`
		Expression string
	}
	if _, err := r.Params.JSON("Expressions", &expressions); err != nil {
		return nil, err
	}
	type row struct {
		Fields []string
		ID     string `json:"Id"`
	}
	rows := []row{}
	for _, e := range expressions {
		parsed, err := expr.Parse(e.Expression)
		if err != nil {
			return nil, api.Errorf(400, "CompileRuleError", "Failed to compile the expression %s: %v.", e.ID, err)
		}
		rows = append(rows, row{fieldsIn(parsed.String()), e.ID.String()})
	}
	return struct{ Fields []row }{rows}, nil
}

// fieldsIn finds the names of fields in an expression that is written as it
// should be.
func fieldsIn(expression string) []string {
	known := map[string]bool{}
	for _, f := range expr.Fields() {
		known[f.Name] = true
	}
	found := []string{}
	for i, part := range strings.Split(strings.ReplaceAll(expression, `\"`, ""), `"`) {
		if i%2 == 1 {
			continue // within quotes
		}
		for _, word := range strings.FieldsFunc(part, func(c rune) bool { return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789_.", c) }) {
			if known[word] && !slices.Contains(found, word) {
				found = append(found, word)
			}
		}
	}
	return found
}
