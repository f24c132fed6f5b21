package guard

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// subject is the thing that a write is about, as it is before the write.
type subject struct {
	// reads is the operation that reads it; empty if none does.
	reads string
	// state has its fields under the API's names; nil if it does not exist.
	state map[string]any
	// unsure says that it is not known whether it exists, and what it is.
	unsure bool
}

// verbs begin the names of operations that write.
var verbs = []string{"Create", "Update", "Delete", "Set", "Put", "Edit", "Publish", "Verify"}

// nounOf is what an operation writes: CacheRule for DeleteCacheRule.
func nounOf(action string) (verb, noun string) {
	for _, v := range verbs {
		if rest, ok := strings.CutPrefix(action, v); ok && rest != "" {
			return v, rest
		}
	}
	return "", action
}

// readerOf finds the operation that reads what another writes.
func readerOf(op *catalog.Operation) (*catalog.Operation, bool) {
	switch op.Action {
	case "UpdateSiteAccessType", "UpdateSiteCoverage", "UpdateSiteVanityNS", "ActivateVersionManagement", "DeactivateVersionManagement":
		return catalog.Lookup("GetSite")
	case "CreateRoutineCodeDeployment", "PublishRoutineCodeVersion", "UpdateRoutineConfigDescription":
		return catalog.Lookup("GetRoutine")
	case "PutKvWithHighCapacity":
		return catalog.Lookup("GetKv")
	}
	verb, noun := nounOf(op.Action)
	if verb == "" {
		return nil, false
	}
	reader, ok := catalog.Lookup("Get" + noun)
	return reader, ok && reader.Effect == catalog.Read
}

// subjectOf reads the thing that a write is about. It has no state if nothing
// reads it, if the write names none, or if it does not exist.
func subjectOf(ctx context.Context, s *State, op *catalog.Operation, params esa.Params) (subject, error) {
	reader, ok := readerOf(op)
	if !ok {
		return subject{}, nil
	}
	ask := esa.Params{}
	for i := range reader.Params {
		p := &reader.Params[i]
		value, given := params[p.Name]
		if p.Required && !given {
			return subject{}, nil
		}
		if given && p.Name != base64Field { // which says how the write is spelt
			ask[p.Name] = value
		}
	}
	if len(ask) == 0 {
		return subject{}, nil
	}
	out := subject{reads: reader.Action}
	body, err := s.s.read(ctx, reader.Action, ask, false)
	if err == nil && reader.Action == "GetKv" {
		body, err = exactKV(ctx, ask, body, func(ctx context.Context, ask esa.Params) (map[string]any, error) {
			return s.s.read(ctx, reader.Action, ask, false)
		})
	}
	if err != nil && !esa.IsNotFound(err) {
		return out, err
	}
	if err == nil {
		out.state = unwrapped(body)
	}
	return s.s.correctKV(ask, out), nil
}

// unwrapped takes the thing out of an answer that has it in one object.
func unwrapped(body map[string]any) map[string]any {
	var inner map[string]any
	for name, value := range body {
		if object, ok := value.(map[string]any); ok && (strings.HasSuffix(name, "Model") || name == "Result" || name == "Ruleset" || name == "App" || name == "Version") {
			inner = object
		}
	}
	if inner == nil {
		inner = body
	}
	out := maps.Clone(inner)
	delete(out, "RequestId")
	return out
}

// print is a text that differs when the thing differs.
func (s subject) print() string {
	text, err := compactJSON(s.state)
	if err != nil {
		return ""
	}
	return text
}

// nameFields are those that say which thing it is, the best first.
var nameFields = []string{"RecordName", "RuleName", "RouteName", "Name", "SiteName", "Hostname", "Key", "Namespace", "CommonName", "TaskName"}

// describe says in one line which thing it is and what is in it.
func (s subject) describe(op *catalog.Operation, params esa.Params) string {
	_, noun := nounOf(op.Action)
	parts := []string{words(noun)}
	if kind := scalar(s.state["RecordType"]); kind != "" {
		parts = append(parts, kind)
	}
	named := ""
	for _, field := range nameFields {
		name := scalar(s.state[field])
		if name == "" {
			name = scalar(params[field])
		}
		if name != "" {
			parts, named = append(parts, name), field
			break
		}
	}
	if data, ok := s.state["Data"].(map[string]any); ok && scalar(data["Value"]) != "" {
		parts = append(parts, scalar(data["Value"]))
	}
	if rule := scalar(s.state["Rule"]); rule != "" {
		parts = append(parts, "for "+rule)
	}
	var ids []string
	for _, name := range slices.Sorted(maps.Keys(params)) {
		if p, ok := op.Param(name); ok && p.Required && !p.Secret && name != named {
			if text := scalar(params[name]); text != "" {
				ids = append(ids, name+" "+text)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.state)) {
		if list, ok := s.state[name].([]any); ok && len(list) > 0 {
			ids = append(ids, fmt.Sprintf("%s: %d", name, len(list)))
		}
	}
	if len(ids) > 0 {
		parts = append(parts, "("+strings.Join(ids, ", ")+")")
	}
	return strings.Join(parts, " ")
}

// words writes a name of the API in words: CacheRule is cache rule.
func words(name string) string {
	var b strings.Builder
	for i, r := range name {
		if i > 0 && r >= 'A' && r <= 'Z' && !(name[i-1] >= 'A' && name[i-1] <= 'Z') {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	return strings.ToLower(b.String())
}

// askDelete has a deletion confirmed that no other guardrail asks about.
func askDelete(ctx context.Context, c *Call) error {
	if len(c.asked) > 0 {
		return nil
	}
	switch c.Op.Action {
	case "DeleteRoutine":
		return askRoutineDelete(ctx, c)
	case "BatchDeleteKv":
		keys := c.List("Keys")
		names := make([]string, len(keys))
		for i, k := range keys {
			names[i] = scalar(k)
		}
		c.Ask("%d keys of namespace %s: %s", len(names), c.Text("Namespace"), listed(names))
		return nil
	}
	thing, err := subjectOf(ctx, c.State, c.Op, c.params)
	if err == nil && thing.reads != "" && thing.state == nil && !thing.unsure {
		return nil // nothing would be lost: the service says that it does not exist
	}
	c.Ask("%s", thing.describe(c.Op, c.params))
	c.asked[len(c.asked)-1].state = thing.print()
	return err
}

// listOfRoutine is an operation that lists what is deleted with a routine.
type listOfRoutine struct{ what, action, by string }

func listsOfRoutine() []listOfRoutine {
	return []listOfRoutine{
		{"versions", "ListRoutineCodeVersions", "Name"}, {"routes", "ListRoutineRoutes", "RoutineName"}, {"related records", "ListRoutineRelatedRecords", "Name"},
	}
}

// readsBeforeDelete are the reads of askDelete.
func readsBeforeDelete(op *catalog.Operation) []string {
	if op.Action != "DeleteRoutine" {
		return nil
	}
	var actions []string
	for _, l := range listsOfRoutine() {
		actions = append(actions, l.action)
	}
	return actions
}

// askRoutineDelete counts what goes with a routine.
func askRoutineDelete(ctx context.Context, c *Call) error {
	name := c.Text("Name")
	live, err := Read[struct {
		Envs []struct {
			Env        string
			CodeDeploy struct {
				CodeVersions []json.RawMessage
			}
		}
	}](ctx, c.State, "GetRoutine", esa.Params{"Name": name})
	if esa.IsNotFound(err) {
		return nil
	}
	var in []string
	for _, e := range live.Envs {
		if len(e.CodeDeploy.CodeVersions) > 0 {
			in = append(in, e.Env)
		}
	}
	parts := []string{"live in " + strings.Join(in, " and ")}
	if len(in) == 0 {
		parts = []string{"not live"}
	}
	for _, q := range listsOfRoutine() {
		answer, readErr := Read[struct{ TotalCount json.Number }](ctx, c.State, q.action, esa.Params{q.by: name, "PageNumber": 1, "PageSize": 1})
		n, ok := number(answer.TotalCount)
		switch {
		case readErr != nil || !ok:
			err = errors.Join(err, readErr)
			parts = append(parts, q.what+": not known")
		case n > 0:
			parts = append(parts, fmt.Sprintf("%s: %d", q.what, n))
		}
	}
	c.Ask("routine %s: %s", name, strings.Join(parts, "; "))
	return err
}
