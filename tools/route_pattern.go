package tools

import (
	"github.com/esa-mcp/esa-mcp/internal/guard"
	"github.com/esa-mcp/esa-mcp/internal/rule"
)

// parsePattern reads a pattern, or says what one looks like.
func parsePattern(text string) (rule.Pattern, error) {
	p, err := guard.ParseRoutePattern(text)
	if err != nil {
		return p, Refuse("%w.", err)
	}
	return p, nil
}

// ruleHosts finds the hosts that a rule names; those it only names the end of
// begin with "*.".
func ruleHosts(text string) []string {
	e, err := rule.Parse(text)
	if err != nil {
		return nil
	}
	return e.Hosts()
}
