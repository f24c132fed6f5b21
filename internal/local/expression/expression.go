// Package expression is where the local ESA compiles the expressions that calls
// send: the conditions of rules, routes and WAF rules, and the dynamic values that
// rules set. It answers as the service does, by code alone, and corrects nothing.
//
// It must not know what kind of object an expression belongs to, beyond the kind
// of rule that the language asks for.
package expression

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/lists"
	"github.com/esa-mcp/esa-mcp/internal/rule"
)

// Compile compiles a condition for a rule of the site, whose plan may have no
// regular expressions; the lists that it refers to have to be there. of names what
// the rule is, as operations do (CacheRule, RoutineRoute) or the phases of the WAF.
// The error is an *api.Error with the code CompileRuleError or
// RuleRegexQuotaCheckFailed, or one of the database.
func Compile(ctx context.Context, tx *sql.Tx, siteID int64, of, text string) (*rule.Expr, error) {
	plan, err := planOf(ctx, tx, siteID)
	if err != nil {
		return nil, err
	}
	kind, _ := rule.ParseKind(of)
	e, err := rule.Compile(text, rule.Options{Kind: kind, Plan: plan})
	if err != nil {
		code := rule.CodeCompile
		var refused *rule.CompileError
		if errors.As(err, &refused) {
			code = refused.Code
		}
		return nil, api.Errorf(400, code, "The rule does not compile: %v.", err)
	}
	for _, name := range e.Lists() {
		if exists, err := lists.Exists(ctx, tx, name); err != nil {
			return nil, err
		} else if !exists {
			return nil, api.Errorf(400, rule.CodeCompile, "The rule does not compile: the account has no list %q.", name)
		}
	}
	return e, nil
}

// Lists are the names of the lists that a compiled condition refers to.
func Lists(text string) []string {
	e, err := rule.Parse(text)
	if err != nil {
		return nil
	}
	return e.Lists()
}

// CheckValue compiles a dynamic value; what names it in the refusal.
func CheckValue(what, text string) *api.Error {
	if err := rule.CheckValue(text); err != nil {
		return api.Errorf(400, rule.CodeCompile, "%s does not compile: %v.", what, err)
	}
	return nil
}

// planOf is the plan of a site's plan instance; unknown for a site that is not
// there, which the caller refuses.
func planOf(ctx context.Context, tx *sql.Tx, siteID int64) (rule.Plan, error) {
	var name string
	err := tx.QueryRowContext(ctx, `SELECT p.plan_name FROM sites s JOIN plan_instances p ON p.instance_id = s.instance_id WHERE s.id = ?`, siteID).Scan(&name)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("look up the site's plan: %w", err)
	}
	plan, _ := rule.ParsePlan(name)
	return plan, nil
}
