package guard

import (
	"maps"
	"slices"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
)

// reads are the same operations for every call that a guardrail looks at.
func reads(actions ...string) func(*catalog.Operation) []string {
	return func(*catalog.Operation) []string { return actions }
}

// Reads are the operations that are sent for calls of an operation beside itself,
// sorted: an account has to allow them too. The guardrails look at the state, what
// has to be confirmed is described, and what a write replaces is read for dry runs
// and for the log of changes, also with the guardrails off; a policy about sites
// finds out which one is meant.
func Reads(action string, cfg Config) []string {
	op, ok := catalog.Lookup(action)
	if !ok {
		return nil
	}
	found := make(map[string]bool)
	for _, row := range Table() {
		if row.Reads == nil || !row.covers(op) || cfg.Off && !row.does(Ask) {
			continue
		}
		for _, a := range row.Reads(op) {
			found[a] = true
		}
	}
	if reader, ok := readerOf(op); ok && changes(op) && readable(op) {
		found[reader.Action] = true
	}
	if action == "BatchPutKv" || action == "BatchDeleteKv" {
		found["GetKv"] = true
	}
	if cfg.Policy != nil && cfg.Policy.Sites.given() && action != "CreateSite" {
		_, site := op.Param("SiteId")
		_, record := op.Param("RecordId")
		found["GetSite"] = found["GetSite"] || site || record
		found["GetRecord"] = found["GetRecord"] || record
	}
	maps.DeleteFunc(found, func(_ string, is bool) bool { return !is })
	delete(found, action)
	return slices.Sorted(maps.Keys(found))
}

// readable reports whether there is anything to read before a write: what a
// creation makes is not there yet.
func readable(op *catalog.Operation) bool {
	verb, _ := nounOf(op.Action)
	return verb != "Create" || op.Action == "CreateRoutineCodeDeployment"
}
