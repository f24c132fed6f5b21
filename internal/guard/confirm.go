package guard

import (
	"context"
	"strings"
)

// Question is what has to be confirmed before a call is sent.
type Question struct {
	// IDs are those of the guardrails that ask.
	IDs []string
	// Action is the operation.
	Action string
	// Lost says exactly what would be gone or paid for, with names and counts.
	Lost string
}

// Asker has a question answered. It returns nil when the call may be sent.
type Asker func(ctx context.Context, q Question) error

type askerKey struct{}

// WithAsker returns a context in which calls that have to be confirmed are put
// to ask. Without one they are refused.
func WithAsker(ctx context.Context, ask Asker) context.Context {
	return context.WithValue(ctx, askerKey{}, ask)
}

// confirm has a call confirmed if a guardrail wants that.
func confirm(ctx context.Context, c *Call) error {
	if len(c.asked) == 0 {
		return nil
	}
	q := Question{Action: c.Op.Action}
	var lost []string
	for _, a := range c.asked {
		q.IDs = append(q.IDs, a.id)
		lost = append(lost, a.lost)
	}
	q.Lost = strings.Join(lost, "; ")
	if ask, ok := ctx.Value(askerKey{}).(Asker); ok && ask != nil {
		return ask(ctx, q)
	}
	return &Refusal{ID: strings.Join(q.IDs, ", "), Action: q.Action,
		Reason: "it has to be confirmed by a person, and nobody can be asked here: " + q.Lost}
}
