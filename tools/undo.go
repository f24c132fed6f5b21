package tools

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/esa"
	"github.com/esa-mcp/esa-mcp/internal/guard"
)

// UndoChangeInput are the arguments of undo_change.
type UndoChangeInput struct {
	Change string `json:"change,omitempty" jsonschema_description:"Id; without it the last changes are listed"`
}

// UndoChangeOutput is the result of undo_change.
type UndoChangeOutput struct {
	Noted
	Undone  string         `json:"undone,omitempty" jsonschema_description:"The change that was taken back"`
	Calls   []string       `json:"calls,omitempty" jsonschema_description:"What was sent for it"`
	Lossy   string         `json:"lossy,omitempty" jsonschema_description:"What does not come back"`
	Changes []ListedChange `json:"changes,omitempty" jsonschema_description:"The last changes, the newest first"`
}

// ListedChange is a change as undo_change lists it.
type ListedChange struct {
	Change  string `json:"change" jsonschema_description:"Id"`
	Time    string `json:"time"`
	Tool    string `json:"tool,omitempty"`
	Action  string `json:"action"`
	About   string `json:"about,omitempty" jsonschema_description:"Parameters"`
	CanUndo bool   `json:"can_undo"`
	Why     string `json:"why,omitempty" jsonschema_description:"Why it cannot be undone"`
}

func undoTools() []Tool {
	return []Tool{Define(Meta{
		Name: "undo_change", Title: "Undo a change", Toolset: "changes",
		Description: "Takes back a change made through these tools, if nothing has changed since.",
		ReadOnly:    No, Destructive: Yes, Idempotent: No, OpenWorld: Yes,
	}, undoChange)}
}

// maxChanges is how many changes are listed.
const maxChanges = 20

func undoChange(ctx context.Context, d *Deps, in UndoChangeInput) (UndoChangeOutput, error) {
	var out UndoChangeOutput
	if d.Journal == nil {
		return out, Refuse("This server keeps no changes.")
	}
	if in.Change == "" {
		recent, err := d.Journal.Recent(maxChanges)
		for _, c := range recent {
			out.Changes = append(out.Changes, listedChange(c))
		}
		return out, err
	}
	change, taken, err := d.Journal.Find(in.Change)
	switch {
	case errors.Is(err, guard.ErrNoChange):
		return out, Refuse("There is no change %q: call undo_change without it for the last ones.", in.Change)
	case err != nil:
		return out, err
	case taken.By != "":
		return out, Refuse("Change %s was undone already, by %s; undo that to have it back.", in.Change, taken.By)
	case change.Outcome != guard.Done && change.Outcome != guard.Unknown:
		return out, Refuse("Change %s was not carried out (%s): there is nothing to undo.", in.Change, change.Outcome)
	case change.Undo == nil:
		return out, Refuse("%s cannot be undone: it is not known whether it was carried out. Look with a list or get tool.", change.Action)
	case change.Undo.Not != "":
		return out, Refuse("%s cannot be undone: %s.", change.Action, change.Undo.Not)
	}
	steps, rest := change.Undo.Rest(taken)
	differences, already, err := d.Journal.Changed(ctx, d.ESA, &rest)
	if errors.Is(err, guard.ErrKVLag) {
		return out, Refuse("Not undone, and nothing was sent: %w. Try again after %s.", err, stamp(d.Now().Add(guard.KVLag)))
	}
	if err != nil {
		return out, err
	}
	if len(differences) > 0 {
		text := shownDifferences(change.Action, differences)
		if age := d.Now().Sub(change.Time); age < guard.KVLag && strings.Contains(change.Action, "Kv") {
			text += fmt.Sprintf("\nReads of edge KV lag by up to 5 minutes: if nobody has changed it, try again after %s.", stamp(change.Time.Add(guard.KVLag)))
		}
		return out, Refuse("Not undone: it was changed meanwhile.%s", text)
	}
	if len(already) > 0 {
		steps = slices.DeleteFunc(steps, func(step guard.Step) bool {
			return slices.ContainsFunc(already, func(call guard.Correction) bool { return reflect.DeepEqual(call, step.Correction) })
		})
	}
	if len(steps) > 1 { // once for all, before the first is sent
		if err := guard.Confirm(ctx, undoQuestion(change.ID, steps)); err != nil {
			return out, err
		}
	}
	for _, step := range steps {
		guard.SetUndoes(ctx, change.ID, step.Number)
		_, err := invoke[struct{}](ctx, d, &out.Noted, step.Action, step.Params)
		if step.Tried && esa.IsNotFound(err) && strings.HasPrefix(step.Action, "Delete") {
			already = append(already, step.Correction)
			continue
		}
		if err != nil {
			if len(out.Calls) > 0 {
				return out, fmt.Errorf("undo the rest (done: %s; undo_change with change %s goes on): %w", listedShort(out.Calls), change.ID, err)
			}
			return out, err
		}
		out.Calls = append(out.Calls, step.Action)
	}
	if len(already) > 0 {
		out.Note(esa.Note{ID: "undo-already", Text: "It was already so without " + listedCalls(already) + "."})
	}
	out.Undone, out.Lossy = change.ID, change.Undo.Lossy
	return out, nil
}

// undoQuestion says what taking a change back comes to.
func undoQuestion(change string, steps []guard.Step) guard.Question {
	calls := make([]guard.Correction, len(steps))
	for i, step := range steps {
		calls[i] = step.Correction
	}
	return guard.Question{IDs: []string{"api-delete"}, Action: steps[0].Action, Lost: "what change " + change + " made, with " + listedCalls(calls)}
}

// listedCalls names calls with what they say.
func listedCalls(calls []guard.Correction) string {
	lines := make([]string, len(calls))
	for i, call := range calls {
		raw, err := encodePlain(Redact(call.Action, call.Params))
		if err != nil {
			raw = nil
		}
		lines[i] = call.Action + " " + shorten(string(raw), 200)
	}
	return listedShort(lines)
}

// shownDifferences lists what is not as the change left it.
func shownDifferences(action string, list []guard.Difference) string {
	text := ""
	for i, diff := range list {
		if i == maxChanges {
			return text + fmt.Sprintf("\n- and %d more", len(list)-i)
		}
		shown := Redact(action, map[string]any{diff.Field: []any{diff.Before, diff.After}})
		raw, err := encodePlain(shown[diff.Field])
		if err == nil {
			text += fmt.Sprintf("\n- %s, then and now: %s", diff.Field, shorten(string(raw), 400))
		}
	}
	return text
}

func listedChange(c guard.Change) ListedChange {
	out := ListedChange{Change: c.ID, Time: c.Time.Format(time.RFC3339), Tool: c.Tool, Action: c.Action}
	if raw, err := encodePlain(c.Params); err == nil {
		out.About = shorten(string(raw), 160)
	}
	switch {
	case c.Undo == nil:
		out.Why = "the outcome is not known"
	default:
		out.Why, out.CanUndo = c.Undo.Not, c.Undo.Not == ""
	}
	return out
}
