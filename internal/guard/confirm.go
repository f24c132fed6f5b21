package guard

import (
	"context"
	"slices"
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
	// State differs when what the question is about has changed.
	State string
}

// Asker has a question answered. It returns nil when the call may be sent.
type Asker func(ctx context.Context, q Question) error

type (
	askerKey struct{}
	saidKey  struct{}
)

// WithAsker returns a context in which calls that have to be confirmed are put
// to ask. Without one they are refused.
func WithAsker(ctx context.Context, ask Asker) context.Context {
	return context.WithValue(ctx, askerKey{}, ask)
}

// WithSaid returns a context in which the guardrail id has nothing to ask or to
// say: the arguments said in so many words what it would ask about, or the caller
// sees to it and says so in its own result.
func WithSaid(ctx context.Context, id string) context.Context {
	said, _ := ctx.Value(saidKey{}).([]string)
	return context.WithValue(ctx, saidKey{}, append(slices.Clone(said), id))
}

// isSaid reports whether the guardrail id has nothing to say.
func isSaid(ctx context.Context, id string) bool {
	said, _ := ctx.Value(saidKey{}).([]string)
	return slices.Contains(said, id)
}

// Confirm has a question answered by the context's asker.
func Confirm(ctx context.Context, q Question) error {
	if run := runOf(ctx); run != nil && run.Dry {
		return nil // nothing is sent
	}
	if ask, ok := ctx.Value(askerKey{}).(Asker); ok && ask != nil {
		return ask(ctx, q)
	}
	return &Refusal{ID: strings.Join(q.IDs, ", "), Action: q.Action,
		Reason: "it has to be confirmed by a person, and nobody can be asked here: " + q.Lost}
}

// confirm has a call confirmed if a guardrail wants that.
func confirm(ctx context.Context, c *Call) error {
	q := Question{Action: c.Op.Action}
	var lost, states []string
	for _, a := range c.asked {
		if isSaid(ctx, a.id) {
			continue
		}
		q.IDs = append(q.IDs, a.id)
		lost, states = append(lost, a.lost), append(states, a.state)
	}
	if len(q.IDs) == 0 {
		return nil
	}
	q.Lost, q.State = strings.Join(lost, "; "), strings.Join(states, "\x00")
	return Confirm(ctx, q)
}
