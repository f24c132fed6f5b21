package tools

import (
	"slices"
	"strings"
	"unicode"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
	"github.com/esa-mcp/esa-mcp/internal/guard"
)

// Reach says which operations a tool may send beyond those that it declares.
type Reach int

// The values of a Reach.
const (
	Declared  Reach = iota // those of Meta.Calls only
	AnyRead                // and any that only reads
	AnyChange              // and any that changes something
)

// Reach returns what the tool may send beyond Meta.Calls.
func (t Tool) Reach() Reach { return t.meta.reach() }

func (m Meta) reach() Reach {
	switch m.Name {
	case "read_api":
		return AnyRead
	case "write_api", "undo_change":
		return AnyChange
	}
	return Declared
}

// RAMActions returns the RAM actions that an account has to allow for the tools,
// sorted: what they send, and what the guardrails of that configuration read for
// it. An operation's action is named after it; the tools that reach any operation
// need patterns.
func RAMActions(list []Tool, guardrails guard.Config) []string {
	var actions []string
	for _, t := range list {
		for _, operation := range t.meta.Calls {
			actions = append(actions, "esa:"+operation)
			for _, read := range guard.Reads(operation, guardrails) {
				actions = append(actions, "esa:"+read)
			}
		}
		switch t.Reach() {
		case AnyRead:
			actions = append(actions, readPatterns()...)
		case AnyChange:
			return []string{"esa:*"}
		}
	}
	slices.Sort(actions)
	actions = slices.Compact(actions)
	return slices.DeleteFunc(actions, func(a string) bool { return !strings.HasSuffix(a, "*") && covered(a, actions) })
}

func covered(action string, by []string) bool {
	return slices.ContainsFunc(by, func(p string) bool {
		prefix, isPattern := strings.CutSuffix(p, "*")
		return isPattern && strings.HasPrefix(action, prefix)
	})
}

// readPatterns cover the reading operations: a verb's pattern where no operation
// of that verb writes or deletes, because a policy cannot hold two hundred names,
// and the names of the others.
func readPatterns() []string {
	changes, reads := map[string]bool{}, map[string][]string{}
	for _, action := range catalog.Actions() {
		op, _ := catalog.Lookup(action)
		if op.Effect == catalog.Read {
			reads[verb(action)] = append(reads[verb(action)], "esa:"+action)
		} else {
			changes[verb(action)] = true
		}
	}
	var patterns []string
	for v, actions := range reads {
		if changes[v] || len(actions) == 1 {
			patterns = append(patterns, actions...)
		} else {
			patterns = append(patterns, "esa:"+v+"*")
		}
	}
	slices.Sort(patterns)
	return patterns
}

// verb is the first word of an operation's name.
func verb(action string) string {
	for i, r := range action {
		if i > 0 && unicode.IsUpper(r) {
			return action[:i]
		}
	}
	return action
}
