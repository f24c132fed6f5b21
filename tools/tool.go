// Package tools holds the MCP tools: one file per toolset, and the one generic
// constructor, Define, that makes a tool of a description, an input struct, an
// output struct and a function.
//
// Tools reach ESA only through Deps. They know nothing of the transport, of
// JSON-RPC or of the client's credentials; the types of mcp-go appear in this
// file alone.
package tools

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"runtime/debug"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"github.com/esa-mcp/esa-mcp/internal/guard"
)

// Hint is a tool annotation that has to be given: Unset fails the tests.
type Hint int

// The values of a Hint.
const (
	Unset Hint = iota
	Yes
	No
)

// Meta describes a tool to the client and to the model.
type Meta struct {
	// Name is verb_noun, at most 30 characters. Title is for people.
	// Description is what a model reads to choose and to use the tool.
	Name, Title, Description string
	// Toolset is the group that switches the tool on and off; Also is another one
	// that cannot do without it.
	Toolset, Also string
	// Calls names every API operation that the tool may send.
	Calls []string
	// Versioned says that it works on one version of a site's configuration, if
	// the site has version management.
	Versioned bool
	// The four hints of MCP; all are mandatory.
	ReadOnly, Destructive, Idempotent, OpenWorld Hint
	// OwnDryRun says that the tool has an argument dry_run of its own.
	OwnDryRun bool
}

// Tool is one tool, ready to be registered or called. Copies share the compiled
// schema; a Tool is safe for use by several goroutines.
type Tool struct {
	meta    Meta
	in, out *shape
	run     func(ctx context.Context, d *Deps, args json.RawMessage) (any, error)
}

// Define makes a tool. In and Out are structs; their json tags name the
// arguments and the fields of the result, their jsonschema and
// jsonschema_description tags describe them. Neither may be recursive.
//
// run gets arguments that fit the schema of In. An error of Refuse is shown to
// the model as it is, any other is explained. run may panic: that becomes an
// error result and a log entry. A panic in a goroutine that run starts cannot be
// caught and ends the process, so such goroutines must recover by themselves.
//
// Define is cheap on purpose: nothing is reflected or compiled before the tool is
// used.
func Define[In, Out any](meta Meta, run func(ctx context.Context, d *Deps, in In) (Out, error)) Tool {
	return Tool{
		meta: meta,
		in:   &shape{file: "schemas/" + meta.Name + ".in.json", typ: reflect.TypeFor[In](), add: meta.addArguments},
		out:  &shape{file: "schemas/" + meta.Name + ".out.json", typ: reflect.TypeFor[Out](), add: meta.addResults},
		run: func(ctx context.Context, d *Deps, args json.RawMessage) (any, error) {
			var in In
			if err := bind(args, &in); err != nil {
				return nil, err
			}
			out, err := run(ctx, d, in)
			if err != nil {
				return nil, err
			}
			return &out, nil
		},
	}
}

// Image is a picture that goes to the client next to the structured result.
type Image struct {
	MIMEType string // image/png
	Data     []byte
}

// illustrated is an output with pictures. They are no part of its JSON.
type illustrated interface{ Images() []Image }

// Meta returns the tool's description.
func (t Tool) Meta() Meta { return t.meta }

// InputSchema returns the JSON schema (2020-12) of the arguments.
func (t Tool) InputSchema() json.RawMessage { return t.in.schema() }

// OutputSchema returns the JSON schema (2020-12) of the structured result.
func (t Tool) OutputSchema() json.RawMessage { return t.out.schema() }

// Failure is a call that did not succeed. Its text is ready for the model: clean,
// without secrets, and with the next step where one is known.
type Failure struct {
	Text string
	// Err is what the tool returned; nil after a panic.
	Err error
}

// Error returns the text.
func (f *Failure) Error() string { return f.Text }

// Unwrap returns the tool's own error.
func (f *Failure) Unwrap() error { return f.Err }

// Call checks args against the input schema, runs the tool and encodes its
// result. The error is always a *Failure. deps is asked only when the arguments
// are right.
func (t Tool) Call(ctx context.Context, deps func() (*Deps, error), args json.RawMessage) (json.RawMessage, error) {
	out, err := t.call(ctx, deps, args)
	return out.result, err
}

// outcome is what a call comes to.
type outcome struct {
	result json.RawMessage
	images []Image
	links  []Link
	// waits is set when the result is a preview only.
	waits *unconfirmed
}

// call is Call with all that belongs to the result.
func (t Tool) call(ctx context.Context, deps func() (*Deps, error), args json.RawMessage) (out outcome, err error) {
	var d *Deps
	defer func() {
		if v := recover(); v != nil {
			if d != nil && d.Logger != nil {
				d.Logger.Error("tool panicked", "tool", t.meta.Name, "panic", Clean(fmt.Sprint(v)), "stack", string(debug.Stack()))
			}
			out, err = outcome{}, &Failure{Text: "internal error in " + t.meta.Name +
				": this is a bug in esa-mcp, not in the arguments. What the tool had begun may be done: look before calling it again."}
		}
	}()
	args, err = t.in.check(t.meta.Name, args)
	if err != nil {
		return outcome{}, t.fail(err)
	}
	shared, err := readShared(args)
	if err != nil {
		return outcome{}, t.fail(err)
	}
	if d, err = deps(); err != nil {
		return outcome{}, t.fail(err)
	}
	run := &guard.Run{Tool: t.meta.Name, Dry: shared.DryRun && writes(t.meta)}
	if run.Dry {
		d = dryDeps(d, run)
	}
	d, answers := shared.apply(d)
	ctx, approval, end := t.begin(guard.WithRun(ctx, run), d, args, shared.Confirm)
	defer end()
	run.By = approval.how
	if d.Journal != nil {
		run.Args = argumentsOf(args)
	}
	value, err := t.run(ctx, d, args)
	if run.Dry {
		if out.result, err = planned(run, err); err != nil {
			return outcome{}, t.fail(err)
		}
		return out, nil
	}
	if out.waits = approval.open(); out.waits != nil {
		// Whatever the tool made of it: nothing was done.
		if out.result, err = encodePlain(map[string]Preview{"preview": out.waits.preview()}); err != nil {
			return outcome{}, t.fail(err)
		}
		return out, nil
	}
	if err != nil {
		return outcome{}, t.fail(err).after(run)
	}
	if n, ok := value.(noted); ok {
		n.addMissing(run.Notes())
	}
	if out.result, err = t.encode(value); err == nil && answers != nil {
		out.result, err = answers.addTo(out.result)
	}
	if err != nil {
		return outcome{}, t.fail(err).after(run)
	}
	if pictured, ok := value.(illustrated); ok {
		out.images = pictured.Images()
	}
	out.links = linksOf(value)
	return out, nil
}

// argumentsOf decodes arguments that have been checked.
func argumentsOf(args json.RawMessage) map[string]any {
	d := json.NewDecoder(bytes.NewReader(args))
	d.UseNumber()
	var out map[string]any
	if d.Decode(&out) != nil {
		return nil
	}
	delete(out, "confirm")
	return out
}

func (t Tool) fail(err error) *Failure {
	return &Failure{Text: Explain(t.meta.Name, err), Err: err}
}

// after adds what the call had changed before it failed.
func (f *Failure) after(run *guard.Run) *Failure {
	var names []string
	times := map[string]int{}
	for _, action := range run.Done() {
		if times[action]++; times[action] == 1 {
			names = append(names, action)
		}
	}
	for i, action := range names {
		if n := times[action]; n > 1 {
			names[i] = fmt.Sprintf("%s (%d times)", action, n)
		}
	}
	if len(names) > 0 {
		f.Text += "\nCarried out before: " + listedShort(names)
	}
	return f
}

// linksSince is the revision of the protocol that has links in results. Clients of
// older ones may not read a result with one.
const linksSince = "2025-06-18"

// Register adds the tool to a server. deps is asked at each call.
func (t Tool) Register(s *server.MCPServer, deps func() (*Deps, error)) {
	s.AddTool(t.declaration(), func(ctx context.Context, r mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		ctx = progressOf(ctx, r)
		ctx, asksLater, refused := personOf(ctx, r)
		if refused {
			return mcp.NewToolResultError("The person said no: " + t.meta.Name + " was not done. Do not repeat it unless they ask for it."), nil
		}
		out, err := t.call(ctx, deps, r.Params.RawArguments)
		if err != nil {
			// Never a Go error: mcp-go would make it a protocol error, which the
			// model does not get to see.
			return mcp.NewToolResultError(err.Error()), nil
		}
		if out.waits != nil && asksLater {
			return server.NewInputRequestBuilder(out.waits.token).
				Elicit(confirmID, elicitation(askText(t.meta.Name, out.waits.question))).ToolResult(), nil
		}
		content := []mcp.Content{mcp.NewTextContent(string(out.result))}
		for _, i := range out.images {
			content = append(content, mcp.NewImageContent(base64.StdEncoding.EncodeToString(i.Data), i.MIMEType))
		}
		if server.RequestProtocolVersion(ctx) >= linksSince {
			for _, l := range out.links {
				content = append(content, mcp.NewResourceLink(l.URI, l.Title, "", "application/json"))
			}
		}
		return &mcp.CallToolResult{Content: content, StructuredContent: out.result}, nil
	})
}

func (t Tool) declaration() mcp.Tool {
	m := t.meta
	// InputSchema and OutputSchema stay empty: with both forms set, tools/list
	// cannot be encoded.
	return mcp.Tool{
		Name:            m.Name,
		Title:           m.Title,
		Description:     seeTool(m.Name, m.Description),
		RawInputSchema:  slim(m.Name, t.InputSchema()),
		RawOutputSchema: t.OutputSchema(),
		Annotations: mcp.ToolAnnotation{
			Title:           m.Title,
			ReadOnlyHint:    m.ReadOnly.pointer(),
			DestructiveHint: m.Destructive.pointer(),
			IdempotentHint:  m.Idempotent.pointer(),
			OpenWorldHint:   m.OpenWorld.pointer(),
		},
	}
}

func (h Hint) pointer() *bool {
	if h == Unset {
		return nil
	}
	yes := h == Yes
	return &yes
}

// progressOf keeps a progress sink that the transport has put into ctx. Without
// one it goes through mcp-go, whose channel may drop notifications.
func progressOf(ctx context.Context, r mcp.CallToolRequest) context.Context {
	if hasProgress(ctx) || r.Params.Meta == nil || r.Params.Meta.ProgressToken == nil {
		return ctx
	}
	s, token := server.ServerFromContext(ctx), r.Params.Meta.ProgressToken
	if s == nil {
		return ctx
	}
	return WithProgress(ctx, func(done, total float64, message string) {
		params := map[string]any{"progressToken": token, "progress": done, "message": message}
		if total > 0 {
			params["total"] = total
		}
		err := s.SendNotificationToClient(ctx, string(mcp.MethodNotificationProgress), params)
		if errors.Is(err, server.ErrNotificationChannelBlocked) {
			return // progress is a courtesy: a slow reader does not stop the work
		}
	})
}

// askFor is how long a person may take to answer.
const askFor = 5 * time.Minute

// confirmID names the question among those that a client is asked.
const confirmID = "confirm"

// elicitation asks for nothing but yes or no.
func elicitation(question string) mcp.ElicitationParams {
	return mcp.ElicitationParams{Message: question, RequestedSchema: map[string]any{"type": "object", "properties": map[string]any{}}}
}

// personOf gives the call the person behind the client, if the client says that
// it can ask one. Clients of the revision of 2026-07-28 ask between two calls:
// later tells so, and the second call brings the answer.
func personOf(ctx context.Context, r mcp.CallToolRequest) (_ context.Context, later, refused bool) {
	s := server.ServerFromContext(ctx)
	if s == nil {
		return ctx, false, false
	}
	if mcp.IsModernProtocol(server.RequestProtocolVersion(ctx)) {
		able := r.Params.Meta.ClientCapabilities()
		if able == nil || !asksForms(able.Elicitation) {
			return ctx, false, false
		}
		if answer := server.ElicitationResponse(r.Params.InputResponses, confirmID); answer != nil {
			ctx = WithAnswer(ctx, Answer{Token: r.Params.RequestState, By: "person"})
			return ctx, true, !saidYes(answer)
		}
		return WithPerson(ctx, func(context.Context, string) (bool, error) { return false, ErrAskLater }), true, false
	}
	session, ok := server.ClientSessionFromContext(ctx).(server.SessionWithClientInfo)
	if !ok || !asksForms(session.GetClientCapabilities().Elicitation) {
		return ctx, false, false
	}
	return WithPerson(ctx, func(ctx context.Context, question string) (bool, error) {
		ctx, cancel := context.WithTimeout(ctx, askFor)
		defer cancel()
		answer, err := s.RequestElicitation(ctx, mcp.ElicitationRequest{Params: elicitation(question)})
		switch {
		case errors.Is(err, server.ErrElicitationNotSupported), errors.Is(err, server.ErrNoActiveSession):
			return false, ErrNobody
		case err != nil:
			return false, err
		}
		return saidYes(answer), nil
	}), false, false
}

// asksForms reports whether a client shows forms: it does unless it says that it
// opens addresses only.
func asksForms(c *mcp.ElicitationCapability) bool {
	return c != nil && (c.Form != nil || c.URL == nil)
}

// saidYes takes only a plain yes: a client may send what was typed besides.
func saidYes(answer *mcp.ElicitationResult) bool {
	if answer.Action != mcp.ElicitationResponseActionAccept {
		return false
	}
	content, _ := answer.Content.(map[string]any)
	if sure, ok := content[confirmID].(bool); ok {
		return sure
	}
	return true
}
