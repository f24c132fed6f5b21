package tools

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/esa"
	"github.com/esa-mcp/esa-mcp/internal/rule"
)

// maxMoved is how many routes are moved at most to make room for one.
const maxMoved = 20

// order finds the sequence of a new route. The service puts one without a sequence
// behind all others, where a route for the whole of its host would answer first: it
// goes before that one, and what has no room left moves back in the same order. 0
// leaves it to the service.
func (in SetRouteInput) order(ctx context.Context, d *Deps, notes *Noted, site ID, text string, routes []wireRoute) (int64, error) {
	if in.Sequence != 0 {
		return in.Sequence, nil
	}
	routes = slices.Clone(routes)
	slices.SortStableFunc(routes, func(a, b wireRoute) int { return cmp.Compare(a.Sequence, b.Sequence) })
	first := slices.IndexFunc(routes, func(w wireRoute) bool { return w.RouteEnable == "on" && hides(w.Rule, text) })
	if first < 0 {
		return 0, nil
	}
	wide := routes[first]
	if before := wide.Sequence - 1; before >= 1 && (first == 0 || routes[first-1].Sequence < before) {
		notes.Note(placedBefore(wide, 0))
		return before, nil
	}
	moved := pushedBack(routes[first:])
	if len(moved) > maxMoved {
		notes.Note(esa.Note{ID: "er-route-order", Text: fmt.Sprintf("Route %s (%s) comes first and answers all of this: give a sequence below %d, and move that route back with set_route.",
			wide.ConfigID, wide.Rule, wide.Sequence)})
		return 0, nil
	}
	for _, m := range slices.Backward(moved) { // from the last, so that none overtakes another
		var unsaid Noted // what guardrails know of routes that only move is not news
		if _, err := invoke[struct{}](ctx, d, &unsaid, "UpdateRoutineRoute", esa.Params{"SiteId": site.number(), "ConfigId": m.ConfigID.number(), "Sequence": m.Sequence}); err != nil {
			return 0, fmt.Errorf("move route %s back to make room: %w", m.ConfigID, err)
		}
	}
	notes.Note(placedBefore(wide, len(moved)))
	return wide.Sequence, nil
}

func placedBefore(wide wireRoute, moved int) esa.Note {
	text := fmt.Sprintf("Put before route %s, which runs %s for all of %s and would have answered first.", wide.ConfigID, wide.RoutineName, orEvery(ruleHosts(wide.Rule)))
	switch {
	case moved == 1:
		text += " That one moved back by one."
	case moved > 1:
		text += fmt.Sprintf(" That one and the %d after it moved back by one.", moved-1)
	}
	return esa.Note{ID: "er-route-order", Text: text}
}

func orEvery(hosts []string) string {
	if len(hosts) == 0 {
		return "the site"
	}
	return strings.Join(hosts, ", ")
}

// pushedBack are the routes, in order, that have to move when one is put in the
// place of the first, with their new sequences.
func pushedBack(routes []wireRoute) []wireRoute {
	var moved []wireRoute
	for taken := routes[0].Sequence; len(routes) > 0 && routes[0].Sequence <= taken; routes = routes[1:] {
		taken++
		m := routes[0]
		m.Sequence = taken
		moved = append(moved, m)
	}
	return moved
}

// hides reports whether a route with the rule wide, if it is tried first, leaves
// nothing to one with the rule narrow: it is for all that hosts of the narrow one
// are asked, which is for less.
func hides(wide, narrow string) bool {
	whole, ok := wholeHost(wide)
	if !ok || wide == narrow {
		return false
	}
	hosts := ruleHosts(narrow)
	if len(hosts) == 0 {
		return false
	}
	for _, host := range hosts {
		below, wildcard := strings.CutPrefix(whole, "*")
		if host != whole && whole != "" && !(wildcard && strings.HasSuffix(host, below)) {
			return false
		}
	}
	return true
}

// wholeHost is the host that a rule is for, with all its paths; *.example.com for
// the hosts below example.com, nothing for every host.
func wholeHost(text string) (host string, ok bool) {
	if text == "true" || text == "(true)" {
		return "", true
	}
	hosts := ruleHosts(text)
	if len(hosts) != 1 {
		return "", false
	}
	below, wildcard := strings.CutPrefix(hosts[0], "*.")
	return hosts[0], text == rule.Pattern{Host: below, Below: wildcard}.Expression()
}
