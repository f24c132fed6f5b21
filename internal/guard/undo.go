package guard

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// Undo is how a change can be taken back.
type Undo struct {
	// Calls take it back, in this order.
	Calls []Correction `json:"calls,omitempty"`
	// Expect is the state in which they are right; nil if nothing tells.
	Expect []Expect `json:"expect,omitempty"`
	// Lossy says what does not come back.
	Lossy string `json:"lossy,omitempty"`
	// Not says why the change cannot be taken back.
	Not string `json:"not,omitempty"`

	tried []Correction // of Calls, those that were sent before, with no or no good answer
}

// Expect is what a read has to show before a change is taken back.
type Expect struct {
	Action string     `json:"action"`
	Params esa.Params `json:"arguments"`
	// Fields have to be as the change left them.
	Fields map[string]any `json:"fields,omitempty"`
	// Absent says that there has to be no such thing.
	Absent bool `json:"absent,omitempty"`
}

// before reads what a write is about to change, as far as taking it back needs
// it. What cannot be read is left out: the change then cannot be taken back.
func (g *Guard) before(ctx context.Context, c *Call) prior {
	verb, _ := nounOf(c.Op.Action)
	if g.cfg.Journal == nil || verb == "Create" && c.Op.Action != "CreateRoutineCodeDeployment" {
		return prior{}
	}
	if keys := batchKeys(c); len(keys) > 0 && len(keys) <= maxUndoKeys {
		put, _ := catalog.Lookup("PutKv")
		values := make(map[string]subject, len(keys))
		for _, key := range keys {
			v, err := subjectOf(ctx, c.State, put, esa.Params{"Namespace": c.Text("Namespace"), "Key": key})
			if err != nil {
				return prior{}
			}
			values[key] = v
		}
		return prior{values: values}
	}
	thing, err := subjectOf(ctx, c.State, c.Op, c.params)
	if err != nil {
		return prior{}
	}
	return prior{thing: thing}
}

// undo works out how a change is taken back.
func (g *Guard) undo(c *Call, before subject, values map[string]subject, answer map[string]any) *Undo {
	if g.cfg.Journal == nil {
		return nil
	}
	u := inverse(c, before, values, answer)
	for _, call := range u.Calls {
		if op, ok := catalog.Lookup(call.Action); !ok || esa.Check(call.Action, call.Params) != nil {
			return &Undo{Not: "what it was before is not known well enough"}
		} else if secretParam(op, call.Params) || !g.cfg.Journal.keeps(call) {
			return &Undo{Not: "a secret would be needed, and none is kept"}
		}
	}
	for i := range u.Expect {
		g.cfg.Journal.seal(c.Op.Action, u.Expect[i].Fields)
	}
	if u.Not == "" && len(u.Calls) == 0 {
		u.Not = "no operation takes it back"
	}
	return &u
}

func secretParam(op *catalog.Operation, params esa.Params) bool {
	return slices.ContainsFunc(op.Params, func(p catalog.Param) bool { return p.Secret && params[p.Name] != nil })
}

// cannot says why what some operations do cannot be taken back.
func cannot(action string) string {
	return map[string]string{
		"DeleteSite":               "a site's configuration goes with it",
		"DeleteRoutine":            "a routine's versions go with it",
		"DeleteRoutineCodeVersion": "the code is gone",
		"DeleteKvNamespace":        "a namespace's keys go with it",
		"DeleteWafRuleset":         "a rule set's rules go with it",
		"DeleteUserWafRuleset":     "a rule set's rules go with it",
		"DeleteCertificate":        "the private key is gone",
		"PurgeCaches":              "the cache fills again by itself",
		"PreloadCaches":            "preloading changes nothing that lasts",
	}[action]
}

// inverse finds the calls that take a change back.
func inverse(c *Call, before subject, values map[string]subject, answer map[string]any) Undo {
	if why := cannot(c.Op.Action); why != "" {
		return Undo{Not: why}
	}
	switch c.Op.Action {
	case "BatchPutKv", "BatchDeleteKv":
		return undoKVBatch(c, values)
	case "PutKv", "PutKvWithHighCapacity":
		return undoPutKV(c, before)
	case "DeleteKv":
		if before.reads == "" {
			return Undo{Not: "what it was before could not be read"}
		}
		if before.unsure {
			return Undo{Not: ErrKVLag.Error()}
		}
		if before.state == nil {
			return Undo{Not: "there was no such key"}
		}
		return Undo{Calls: []Correction{putKV(c.Text("Namespace"), c.Text("Key"), before)}, Lossy: "its expiry",
			Expect: []Expect{{Action: "GetKv", Params: kvRef(c, c.Text("Key")), Absent: true}}}
	case "CreateRoutineCodeDeployment", "PublishRoutineCodeVersion":
		return undoDeployment(c, before)
	case "BatchCreateRecords":
		return undoRecords(answer)
	case "BatchCreateWafRules":
		var u Undo
		ids, _ := answer["Ids"].([]any)
		for _, id := range ids {
			u.Calls = append(u.Calls, Correction{"DeleteWafRule", esa.Params{"SiteId": c.Value("SiteId"), "Id": id}})
		}
		return u
	case "UpdateSiteVanityNS":
		names, _ := before.state["VanityNSList"].(map[string]any)
		return Undo{Calls: []Correction{{c.Op.Action, esa.Params{"SiteId": c.Value("SiteId"), "VanityNSList": strings.Join(slices.Sorted(maps.Keys(names)), ",")}}}}
	case "ActivateVersionManagement":
		return Undo{Calls: []Correction{{"DeactivateVersionManagement", esa.Params{"SiteId": c.Value("SiteId")}}}}
	}
	switch verb, noun := nounOf(c.Op.Action); verb {
	case "Create":
		return undoCreate(c, noun, answer)
	case "Update", "Set", "Edit":
		return undoUpdate(c, before)
	case "Delete":
		return undoDelete(c, noun, before)
	}
	return Undo{}
}

// undoCreate deletes what was made: the deletion's parameters are among those of
// the call and its answer.
func undoCreate(c *Call, noun string, answer map[string]any) Undo {
	op, ok := catalog.Lookup("Delete" + noun)
	if !ok {
		return Undo{}
	}
	params := esa.Params{}
	for _, p := range op.Params {
		if value, ok := either(p.Name, answer, c.params); ok {
			params[p.Name] = value
		}
	}
	u := Undo{Calls: []Correction{{op.Action, params}}}
	if reader, ok := catalog.Lookup("Get" + noun); ok {
		if e, ok := expectation(reader, c, answer); ok {
			u.Expect = []Expect{e}
		}
	}
	return u
}

func either(name string, first, second map[string]any) (any, bool) {
	if v, ok := first[name]; ok {
		return v, true
	}
	v, ok := second[name]
	return v, ok
}

// expectation is that what was sent is still there.
func expectation(reader *catalog.Operation, c *Call, answer map[string]any) (Expect, bool) {
	e := Expect{Action: reader.Action, Params: esa.Params{}, Fields: map[string]any{}}
	for _, p := range reader.Params {
		if value, ok := either(p.Name, answer, c.params); ok {
			e.Params[p.Name] = value
		} else if p.Required {
			return e, false
		}
	}
	for name, value := range c.params {
		if p, ok := c.Op.Param(name); ok && !p.Secret && name != "AuthConf" && e.Params[name] == nil {
			e.Fields[name] = decoded(value)
		}
	}
	return e, len(e.Params) > 0
}

// undoUpdate sets the parameters that were sent to what they were.
func undoUpdate(c *Call, before subject) Undo {
	if before.state == nil {
		return Undo{Not: "what it was before could not be read"}
	}
	reader, _ := catalog.Lookup(before.reads)
	params := esa.Params{}
	for name, sent := range c.params {
		if _, isKey := reader.Param(name); isKey {
			params[name] = sent
			continue
		}
		was, known := before.field(name)
		switch p, ok := c.Op.Param(name); {
		case known && was != nil:
			params[name] = was
		case ok && p.Type == "string":
			params[name] = ""
		case ok && p.Type == "boolean":
			params[name] = false
		}
	}
	u := Undo{Calls: []Correction{{c.Op.Action, params}}}
	if e, ok := expectation(reader, c, nil); ok {
		u.Expect = []Expect{e}
	}
	return u
}

// undoDelete makes the thing anew of what it was.
func undoDelete(c *Call, noun string, before subject) Undo {
	op, ok := catalog.Lookup("Create" + noun)
	if !ok || before.state == nil {
		return Undo{}
	}
	params := esa.Params{}
	for _, p := range op.Params {
		value, known := before.field(p.Name)
		if !known {
			value, known = c.params[p.Name]
		}
		if known && value != nil && scalar(value)+textOf(value) != "" {
			params[p.Name] = value
		}
	}
	// Empty fields are how answers say that there is none.
	if auth, ok := params["AuthConf"].(map[string]any); ok && !slices.ContainsFunc(slices.Collect(maps.Values(auth)), func(v any) bool { return scalar(v) != "" }) {
		delete(params, "AuthConf")
	}
	return Undo{Calls: []Correction{{op.Action, params}}, Lossy: "its id"}
}

// textOf is a list or object as JSON, nothing if it is empty.
func textOf(v any) string {
	switch v.(type) {
	case map[string]any, []any:
		if text, err := compactJSON(v); err == nil && text != "{}" && text != "[]" {
			return text
		}
	}
	return ""
}

func undoRecords(answer map[string]any) Undo {
	results, _ := answer["RecordResultList"].(map[string]any)
	made, _ := results["Success"].([]any)
	var u Undo
	for _, row := range made {
		if row, ok := row.(map[string]any); ok {
			id := row["RecordId"]
			u.Calls = append(u.Calls, Correction{"DeleteRecord", esa.Params{"RecordId": id}})
			u.Expect = append(u.Expect, Expect{Action: "GetRecord", Params: esa.Params{"RecordId": id},
				Fields: map[string]any{"RecordName": row["RecordName"], "Data": row["Data"]}})
		}
	}
	return u
}

// liveIn are the versions that are live in an environment.
func liveIn(routine map[string]any, environment string) []any {
	envs, _ := routine["Envs"].([]any)
	for _, e := range envs {
		e, _ := e.(map[string]any)
		if scalar(e["Env"]) != environment {
			continue
		}
		deploy, _ := e["CodeDeploy"].(map[string]any)
		versions, _ := deploy["CodeVersions"].([]any)
		out := make([]any, len(versions))
		for i, v := range versions {
			v, _ := v.(map[string]any)
			out[i] = map[string]any{"CodeVersion": scalar(v["CodeVersion"]), "Percentage": json.Number(scalar(v["Percentage"]))}
		}
		return out
	}
	return nil
}

// undoDeployment brings back what was live.
func undoDeployment(c *Call, before subject) Undo {
	env := c.Text("Env")
	was := liveIn(before.state, env)
	if len(was) == 0 {
		return Undo{Not: "nothing was live in " + env + " before, and a deployment can only be replaced"}
	}
	now := c.List("CodeVersions")
	if version := c.Text("CodeVersion"); version != "" {
		now = []any{map[string]any{"CodeVersion": version, "Percentage": json.Number("100")}}
	}
	return Undo{
		Calls:  []Correction{{"CreateRoutineCodeDeployment", esa.Params{"Name": c.Text("Name"), "Env": env, "Strategy": "percentage", "CodeVersions": was}}},
		Expect: []Expect{{Action: "GetRoutine", Params: esa.Params{"Name": c.Text("Name")}, Fields: map[string]any{env: now}}},
	}
}
