package tools

import (
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/rule"
)

// parsePattern reads what a route matches as people write it: example.com/*,
// *.example.com/api/*, example.com/logo.png. A host alone means all its paths.
func parsePattern(text string) (rule.Pattern, error) {
	p, err := rule.ParsePattern(text)
	why := ""
	switch {
	case err != nil:
		why = strings.TrimPrefix(err.Error(), "pattern ")
	case p.Host == "":
		why = rule.Quote(text) + " does not begin with a host name"
	case p.Asks:
		why = rule.Quote(text) + " has a query string: a pattern of a route is for paths"
	default:
		return p, nil
	}
	return p, Refuse("pattern %s (er-route-pattern). Examples: example.com/*, *.example.com/api/*, example.com/logo.png; for anything else give a rule expression.", why)
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
