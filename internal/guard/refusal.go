package guard

import (
	"errors"
	"fmt"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// Refusal is a call that a guardrail did not let through. Nothing was sent.
type Refusal struct {
	ID     string // of the guardrail
	Action string // that was refused
	Reason string // what is wrong and what is right
	// Corrected is the call that would be right, if that is evident. Secrets
	// are left out of it.
	Corrected *Correction
}

// Correction is a call that is ready to be sent.
type Correction struct {
	Action string     `json:"action"`
	Params esa.Params `json:"params"`
}

// Error names the guardrail, the reason and the right call.
func (r *Refusal) Error() string {
	text := fmt.Sprintf("%s was not sent (guardrail %s): %s", r.Action, r.ID, r.Reason)
	if r.Corrected != nil {
		if raw, err := compactJSON(r.Corrected); err == nil {
			text += "\nRight would be write_api " + raw
		}
	}
	return text
}

// Failed is a call that failed after guardrails had something to say about it.
// Its text is that of the error.
type Failed struct {
	Err   error
	Notes []esa.Note
}

// Error is the text of the error.
func (f *Failed) Error() string { return f.Err.Error() }

// Unwrap gives the error.
func (f *Failed) Unwrap() error { return f.Err }

func withNotes(err error, notes []esa.Note) error {
	if len(notes) == 0 {
		return err
	}
	return &Failed{Err: err, Notes: notes}
}

// NotesOf returns what guardrails said of a call that failed.
func NotesOf(err error) []esa.Note {
	var f *Failed
	if errors.As(err, &f) {
		return f.Notes
	}
	return nil
}
