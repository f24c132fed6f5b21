package guard

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// Changed compares the present state with what a change left: it has to be the
// same for the change to be taken back. What is already as a call would leave it
// that was tried before is no difference, and the call need not be sent: it may
// have been carried out without an answer.
//
// Of a key of edge KV that was written of late the journal's knowledge counts,
// because a read may be older: ErrKVLag if that does not do.
func (j *Journal) Changed(ctx context.Context, caller esa.Caller, u *Undo) (list []Difference, already []Correction, err error) {
	for _, e := range u.Expect {
		ask := maps.Clone(e.Params)
		delete(ask, base64Field) // says what Fields are
		res, err := caller.Call(ctx, e.Action, ask)
		switch {
		case e.Action == "GetKv" && (err == nil || esa.IsNotFound(err)):
			seen := subject{reads: e.Action}
			if err == nil {
				if seen, err = pairNow(ctx, caller, e, res.Body); err != nil {
					return nil, nil, err
				}
			}
			differences, err := j.kv.changed(e, seen, kvBefore(u.Calls))
			if err != nil {
				return nil, nil, fmt.Errorf("key %s: %w", scalar(e.Params["Key"]), err)
			}
			if len(differences) > 0 && seen.state == nil && !e.Absent {
				if call, ok := u.deletion(e); ok {
					already = append(already, call)
					continue
				}
			}
			list = append(list, differences...)
			continue
		case esa.IsNotFound(err) && e.Absent:
			continue
		case esa.IsNotFound(err):
			if call, ok := u.deletion(e); ok {
				already = append(already, call)
				continue
			}
			list = append(list, Difference{Field: named(e), Before: "there", After: "gone"})
			continue
		case err != nil:
			return nil, nil, fmt.Errorf("look at the present state: %w", err)
		case e.Absent:
			list = append(list, Difference{Field: named(e), Before: "gone", After: "there again"})
			continue
		}
		now := subject{reads: e.Action, state: unwrapped(res.Body)}
		if call, ok := u.reached(e, now); ok {
			already = append(already, call)
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(e.Fields)) {
			is, known := now.field(name)
			if e.Action == "GetRoutine" {
				is, known = any(liveIn(now.state, name)), true
			}
			if known && !alike(is, e.Fields[name]) {
				list = append(list, Difference{Field: name, Before: e.Fields[name], After: is})
			}
		}
	}
	return list, already, nil
}

// pairNow is the present pair of edge KV that an expectation is about, from the answer
// of its read, with the value exact.
func pairNow(ctx context.Context, caller esa.Caller, e Expect, answer map[string]any) (subject, error) {
	body, err := exactKV(ctx, e.Params, answer, func(ctx context.Context, ask esa.Params) (map[string]any, error) {
		res, err := caller.Call(ctx, e.Action, ask)
		return res.Body, err
	})
	if err != nil {
		return subject{}, fmt.Errorf("look at the present state: %w", err)
	}
	return subject{reads: e.Action, state: unwrapped(body)}, nil
}

// deletion finds the call, tried before, that deletes the thing of an expectation.
func (u *Undo) deletion(e Expect) (Correction, bool) {
	i := slices.IndexFunc(u.tried, func(call Correction) bool {
		verb, _ := nounOf(call.Action)
		return verb == "Delete" && e.isAbout(call)
	})
	if i < 0 {
		return Correction{}, false
	}
	return u.tried[i], true
}

// reached finds the call, tried before, that would leave the thing of an expectation as it is now,
// in every field that it sets.
func (u *Undo) reached(e Expect, now subject) (Correction, bool) {
	i := slices.IndexFunc(u.tried, func(call Correction) bool {
		if verb, _ := nounOf(call.Action); verb != "Update" && verb != "Set" && verb != "Edit" || !e.isAbout(call) {
			return false
		}
		for name, value := range call.Params {
			if is, known := now.field(name); e.Params[name] == nil && (!known || !alike(is, value)) {
				return false
			}
		}
		return true
	})
	if i < 0 {
		return Correction{}, false
	}
	return u.tried[i], true
}

// named says which thing was expected.
func named(e Expect) string {
	text, err := compactJSON(e.Params)
	if err != nil {
		return e.Action
	}
	return e.Action + " " + text
}
