package tools

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/invopop/jsonschema"

	"github.com/esa-mcp/esa-mcp/internal/esa"
	"github.com/esa-mcp/esa-mcp/internal/guard"
)

// Plan is what a dry run answers: the calls that would be sent, after the
// guardrails, and what they change.
type Plan struct {
	Calls []PlannedCall `json:"calls"`
	// Unforeseen says what could not be found out without sending anything.
	Unforeseen string `json:"unforeseen,omitempty"`
}

// PlannedCall is one call that would be sent.
type PlannedCall struct {
	Action   string             `json:"action"`
	Params   map[string]any     `json:"params"`
	Changes  []guard.Difference `json:"changes,omitempty"`
	Confirms string             `json:"confirms,omitempty"` // what would have to be confirmed
	Notes    []esa.Note         `json:"notes,omitempty"`
}

// writes reports whether a tool changes something. It can be tried dry, unless it
// has a dry run of its own that says more.
func writes(m Meta) bool { return m.ReadOnly == No && !m.OwnDryRun }

// describePlan lets a result be a plan alone. A result may have a plan of its own,
// that of a site, which is a text.
func describePlan(s *jsonschema.Schema) {
	plan := &jsonschema.Schema{Type: "object",
		Description: "Of a dry run: the calls that would be sent, with what they change. The other fields are left out then"}
	if _, taken := s.Properties.Get("plan"); taken {
		plan.Type = "" // either: clients do not take anyOf
	}
	s.Properties.Set("plan", plan)
	s.Required = nil
}

// dryDeps are what a tool works with in a dry run: nothing is uploaded, and
// waiting for something to be built ends it.
func dryDeps(d *Deps, run *guard.Run) *Deps {
	own := *d
	own.Upload = dryUpload{run}
	own.Sleep = func(context.Context, time.Duration) error { return guard.ErrUnforeseen }
	return &own
}

// dryUpload plans uploads.
type dryUpload struct{ run *guard.Run }

func (u dryUpload) Upload(ctx context.Context, fresh func(context.Context) (esa.PostForm, error), obj esa.Object) error {
	// For the call that opens the slot; what it answers is made up, and no form.
	_, err := fresh(ctx)
	u.run.Plan(guard.Planned{Action: "upload", Params: esa.Params{"name": obj.Name, "bytes": obj.Size}})
	if errors.Is(err, guard.ErrUnforeseen) {
		return err
	}
	return nil
}

func (u dryUpload) UploadFile(_ context.Context, obj esa.Object) (string, error) {
	u.run.Plan(guard.Planned{Action: "upload", Params: esa.Params{"name": obj.Name, "bytes": obj.Size}})
	return "https://upload.invalid/" + obj.Name, nil
}

// planned makes the result of a dry run. failure is how the tool ended: before
// anything was to be sent it is the tool's own error, after that the tool only
// stumbled over an answer that was made up.
func planned(run *guard.Run, failure error) (json.RawMessage, error) {
	list := run.Planned()
	if len(list) == 0 && failure != nil && !errors.Is(failure, guard.ErrUnforeseen) {
		return nil, failure
	}
	var refused *guard.Refusal
	isRefusal := errors.As(failure, &refused)
	if isRefusal && len(list) == 0 {
		return nil, failure
	}
	plan := Plan{Calls: []PlannedCall{}}
	for _, p := range list {
		call := PlannedCall{Action: p.Action, Params: Redact(p.Action, p.Params), Confirms: Clean(p.Asks), Notes: p.Notes}
		for _, c := range p.Changes {
			shown := Redact(p.Action, map[string]any{c.Field: c.Before})
			after := Redact(p.Action, map[string]any{c.Field: c.After})
			call.Changes = append(call.Changes, guard.Difference{Field: c.Field, Before: shown[c.Field], After: after[c.Field]})
		}
		plan.Calls = append(plan.Calls, call)
	}
	switch {
	case isRefusal:
		plan.Unforeseen = "What follows would be refused as things are, before these calls: " + Clean(refused.Error())
	case failure != nil:
		plan.Unforeseen = fmt.Sprintf("What follows the %d calls depends on their answers.", len(list))
	case len(list) == 0:
		plan.Unforeseen = "Nothing would be sent: all is as it should be."
	case len(list) > 1:
		plan.Unforeseen = "Later calls were worked out with made-up answers to the earlier ones; <X of Y> stands for what Y would answer."
	}
	raw, err := encodePlain(map[string]Plan{"plan": plan})
	if err == nil && len(raw) > maxResult {
		return nil, Refuse("The plan has %d bytes, more than the limit of %d: try fewer things at a time.", len(raw), maxResult)
	}
	return raw, err
}
