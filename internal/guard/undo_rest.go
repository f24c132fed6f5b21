package guard

import "slices"

// Step is a call that takes a part of a change back.
type Step struct {
	Correction
	// Number is its place among the calls of the Undo, from 1.
	Number int
	// Tried says that it was sent before, and that no or no good answer came.
	Tried bool
}

// Rest is what is left to take back: the calls that were not carried out, and the
// expectations that those that were do not concern. What they took back is as it was
// before the change, and what became of it since is nobody's business here.
func (u Undo) Rest(taken Taken) (steps []Step, rest Undo) {
	rest = Undo{Lossy: u.Lossy, Not: u.Not}
	var done []Correction
	for i, call := range u.Calls {
		if taken.calls[i+1] {
			done = append(done, call)
			continue
		}
		tried := taken.tried[i+1]
		if tried {
			rest.tried = append(rest.tried, call)
		}
		steps = append(steps, Step{call, i + 1, tried})
		rest.Calls = append(rest.Calls, call)
	}
	back := kvBefore(done)
	for _, e := range u.Expect {
		_, settled := back[scalar(e.Params["Key"])]
		if e.Action != "GetKv" {
			settled = slices.ContainsFunc(done, e.isAbout)
		}
		if !settled {
			rest.Expect = append(rest.Expect, e)
		}
	}
	return steps, rest
}

// isAbout reports whether a call is about the thing that is read.
func (e Expect) isAbout(call Correction) bool {
	for name, value := range e.Params {
		if !alike(call.Params[name], value) {
			return false
		}
	}
	return len(e.Params) > 0
}
