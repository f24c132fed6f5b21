package tools

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/invopop/jsonschema"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
	"github.com/esa-mcp/esa-mcp/internal/guard"
)

// Person asks the person behind the client whether something may be done, and
// waits for the answer. ErrNobody says that the client cannot ask; ErrAskLater
// that it asks between two calls.
type Person func(ctx context.Context, question string) (yes bool, err error)

// What a Person answers beside yes and no.
var (
	ErrNobody   = errors.New("the client cannot ask a person")
	ErrAskLater = errors.New("the client asks between two calls")
)

// Answer is a confirmation that came with the call.
type Answer struct {
	Token string // of the preview that was confirmed
	By    string // who did, for the audit log
}

type (
	personKey struct{}
	answerKey struct{}
)

// WithPerson returns a context whose calls are confirmed by that person.
func WithPerson(ctx context.Context, ask Person) context.Context {
	return context.WithValue(ctx, personKey{}, ask)
}

// WithAnswer returns a context for the call that was confirmed.
func WithAnswer(ctx context.Context, a Answer) context.Context {
	return context.WithValue(ctx, answerKey{}, a)
}

// asks reports whether a tool may have to be confirmed: it deletes, purges,
// or sends whatever it is told to.
func asks(m Meta) bool {
	if m.ReadOnly == Yes {
		return false
	}
	return m.reach() == AnyChange || m.Destructive == Yes && slices.ContainsFunc(m.Calls, func(action string) bool {
		op, ok := catalog.Lookup(action)
		return action == "PurgeCaches" || ok && (op.Effect == catalog.Delete || op.Spend)
	})
}

// Preview is what a call answers that waits for its confirmation.
type Preview struct {
	Lost    string `json:"lost"`
	Confirm string `json:"confirm"`
	Expires int    `json:"expires_in_seconds"`
	Next    string `json:"next"`
}

// describePreview lets a result be a preview alone.
func describePreview(s *jsonschema.Schema) {
	fields := jsonschema.NewProperties()
	for _, name := range []string{"lost", "confirm", "next"} {
		fields.Set(name, &jsonschema.Schema{Type: "string"})
	}
	fields.Set("expires_in_seconds", &jsonschema.Schema{Type: "integer"})
	s.Properties.Set("preview", &jsonschema.Schema{Type: "object", Properties: fields, AdditionalProperties: jsonschema.FalseSchema,
		Description: "Nothing was done yet: what would be lost, and the argument confirm that does it. The other fields are left out then"})
	s.Required = nil
}

// unconfirmed is a call that nobody has confirmed yet.
type unconfirmed struct {
	question guard.Question
	token    string
	stale    error // why the token that was given is not taken
}

func (u *unconfirmed) Error() string { return "not confirmed: " + u.question.Lost }

// preview is what the call answers instead of its result.
func (u *unconfirmed) preview() Preview {
	p := Preview{Lost: u.question.Lost, Confirm: u.token, Expires: int(guard.TokenFor.Seconds()),
		Next: "Nothing was done. Show the person what would be lost; if they agree, repeat the call with this confirm."}
	if u.stale != nil {
		p.Next = fmt.Sprintf("The confirm that was given is not taken: %v. %s", u.stale, p.Next)
	}
	return p
}

// approval has what one call of a tool is about to destroy confirmed, once.
type approval struct {
	tool   Meta
	deps   *Deps
	args   json.RawMessage
	answer Answer
	person Person
	halt   context.CancelCauseFunc // ends the call

	mu      sync.Mutex
	by      string // how it was confirmed; empty if it was not
	pending *unconfirmed
}

// begin gives the context of a call its approval. end releases it.
func (t Tool) begin(ctx context.Context, d *Deps, args json.RawMessage, token string) (_ context.Context, a *approval, end func()) {
	person, _ := ctx.Value(personKey{}).(Person)
	ctx, halt := context.WithCancelCause(ctx)
	answer, ok := ctx.Value(answerKey{}).(Answer)
	if !ok {
		answer = Answer{Token: token, By: "token"}
	}
	a = &approval{tool: t.meta, deps: d, args: args, answer: answer, person: person, halt: halt}
	return guard.WithAsker(ctx, a.ask), a, func() { halt(nil) }
}

// ask answers the guardrails' questions about the call.
func (a *approval) ask(ctx context.Context, q guard.Question) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.by != "":
		return nil // the arguments, which were shown, say all that follows
	case a.pending != nil:
		return a.pending
	case a.tool.Destructive == No && slices.Equal(q.IDs, []string{"api-delete"}):
		return nil // it takes back what it has made itself
	case a.deps.Confirmed:
		a.by = "--yes"
		return nil
	}
	return a.decide(ctx, q)
}

func (a *approval) decide(ctx context.Context, q guard.Question) error {
	parts := []string{a.tool.Name, a.digest(), q.Lost, q.State}
	var stale error
	if a.answer.Token != "" && a.deps.Tokens != nil {
		if stale = a.deps.Tokens.Redeem(a.answer.Token, parts...); stale == nil {
			a.by = a.answer.By
			return nil
		}
	}
	if a.person != nil {
		yes, err := a.person(ctx, askText(a.tool.Name, q))
		switch {
		case err == nil && yes:
			a.by = "person"
			return nil
		case err == nil:
			return Refuse("The person said no: %s was not done. Do not repeat it unless they ask for it. (It was about %s.)", a.tool.Name, q.Lost)
		case errors.Is(err, context.DeadlineExceeded):
			return Refuse("Nobody answered in time: %s was not done. It is about %s.", a.tool.Name, q.Lost)
		case !errors.Is(err, ErrAskLater) && !errors.Is(err, ErrNobody):
			return fmt.Errorf("ask the person: %w", err)
		}
	}
	if a.deps.Tokens == nil {
		return Refuse("%s was not done: it has to be confirmed. It is about %s. With --yes it is done.", a.tool.Name, q.Lost)
	}
	q.Lost = Clean(q.Lost)
	a.pending = &unconfirmed{question: q, token: a.deps.Tokens.Issue(parts...), stale: stale}
	// Whatever the tool makes of the refusal, it sends nothing more.
	a.halt(a.pending)
	return a.pending
}

// askText is the question as the person reads it.
func askText(tool string, q guard.Question) string {
	return fmt.Sprintf("%s (%s) wants to delete, purge or pay for:\n%s\nDo it?", tool, q.Action, Clean(q.Lost))
}

// digest stands for the arguments, without those that do not change what is
// done.
func (a *approval) digest() string {
	args := argumentsOf(a.args)
	for _, name := range []string{"raw", "dry_run"} {
		delete(args, name)
	}
	raw, err := json.Marshal(args)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

// how tells how the call was confirmed; empty if it was not.
func (a *approval) how() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.by
}

// open returns the question that is still unanswered; nil if there is none.
func (a *approval) open() *unconfirmed {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.pending
}
