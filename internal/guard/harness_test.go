package guard_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/esa"
	"github.com/esa-mcp/esa-mcp/internal/guard"
	"github.com/esa-mcp/esa-mcp/internal/local"
	"github.com/esa-mcp/esa-mcp/tools"
)

// proof shows both sides of a guardrail on the local ESA. Each side has a local
// ESA of its own, set up alike.
type proof struct {
	// setup brings the account into the state in which the mistake is made; its
	// calls pass no guardrail.
	setup func(w *world)
	// with makes the mistake with guardrails, without with guardrails off.
	with, without func(w *world)
	// options change how the local ESA runs.
	options local.Options
}

// prove runs a proof of the guardrail id. A guardrail with several cases has
// several proofs, as subtests.
func prove(t *testing.T, id string, p proof) {
	t.Helper()
	require.NotNil(t, p.with, "%s: with guardrails", id)
	require.NotNil(t, p.without, "%s: without guardrails", id)
	for _, side := range []struct {
		name string
		off  bool
		run  func(*world)
	}{{"with", false, p.with}, {"without", true, p.without}} {
		t.Run(side.name, func(t *testing.T) {
			w := newWorld(t, id, p.options, side.off)
			if p.setup != nil {
				p.setup(w)
			}
			side.run(w)
		})
	}
}

type params = esa.Params

// world is a local ESA, and a caller to it with guardrails or with them off.
type world struct {
	*testing.T
	id     string // of the guardrail on trial
	config guard.Config
	local  *local.Server
	client *esa.Client // past the guardrails
	caller *guard.Guard
	sent   []string // operations that got past the guardrails
	// say answers questions: nil asks nobody, which is a refusal.
	say   guard.Asker
	asked []guard.Question
	// quiet are guardrails that have nothing to say.
	quiet []string
	// site is the id of the last site that was made.
	site string

	mu        sync.Mutex
	intercept func(action string) error
}

func newWorld(t *testing.T, id string, o local.Options, off bool) *world {
	t.Helper()
	if o.Now == nil {
		o.Now = time.Now
	}
	w := &world{T: t, id: id}
	o.Dir = ":memory:"
	also := o.Intercept
	o.Intercept = func(ctx context.Context, action string) error { return w.intercepted(ctx, action, also) }
	l, err := local.Start(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	info := l.Info()
	client, err := esa.New(esa.Config{Endpoint: info.Endpoint, Credentials: esa.StaticCredentials(info.AccessKeyID, info.AccessKeySecret, ""), MaxTries: 1})
	require.NoError(t, err)
	w.local, w.client = l, client
	w.guarded(guard.Config{Off: off, Now: o.Now})
	return w
}

// guarded sets up the guardrails anew.
func (w *world) guarded(cfg guard.Config) { w.config, w.caller = cfg, guard.New(spy{w}, cfg) }

// spy keeps which calls are sent.
type spy struct{ w *world }

func (s spy) Call(ctx context.Context, action string, p esa.Params) (esa.Result, error) {
	s.w.mu.Lock()
	s.w.sent = append(s.w.sent, action)
	s.w.mu.Unlock()
	return s.w.client.Call(ctx, action, p)
}

// do sends a call that has to succeed, past the guardrails, and returns its
// answer.
func (w *world) do(action string, p params) map[string]any {
	w.Helper()
	res, err := w.client.Call(w.Context(), action, p)
	require.NoError(w, err, action)
	return res.Body
}

// active makes an active site, on which writes work, and keeps its id in site.
func (w *world) active(name, access string) string {
	w.Helper()
	w.pending(name, access)
	w.do("VerifySite", params{"SiteId": json.Number(w.site)})
	return w.site
}

// pending makes a site that nobody has verified.
func (w *world) pending(name, access string) string {
	w.Helper()
	a := w.do("CreateSite", params{"SiteName": name, "AccessType": access, "Coverage": "overseas", "InstanceId": w.plan()})
	w.site = text(a["SiteId"])
	return w.site
}

// plan is a plan instance of the account.
func (w *world) plan() string {
	w.Helper()
	a := w.do("ListUserRatePlanInstances", params{"Status": "online"})
	return text(a["InstanceInfo"].([]any)[0].(map[string]any)["InstanceId"])
}

// record makes a record on the site and returns its id.
func (w *world) record(name, kind, value string, proxied bool) string {
	w.Helper()
	p := params{"SiteId": json.Number(w.site), "RecordName": name, "Type": kind, "Ttl": 1, "Data": map[string]any{"Value": value}, "Proxied": proxied}
	if proxied {
		p["BizName"] = "web"
	}
	return text(w.do("CreateRecord", p)["RecordId"])
}

func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return ""
}

// on adds the site to parameters.
func (w *world) on(p params) params {
	p["SiteId"] = json.Number(w.site)
	return p
}

// try sends a call through the guardrails.
func (w *world) try(action string, p params) (esa.Result, error) {
	w.Helper()
	ctx := w.Context()
	for _, id := range w.quiet {
		ctx = guard.WithSaid(ctx, id)
	}
	if w.say != nil {
		ctx = guard.WithAsker(ctx, func(ctx context.Context, q guard.Question) error {
			w.asked = append(w.asked, q)
			return w.say(ctx, q)
		})
	}
	before := len(w.sent)
	res, err := w.caller.Call(ctx, action, p)
	for _, also := range w.sent[before:] {
		if also != action {
			require.Contains(w, guard.Reads(action, w.config), also, "%s also sends %s, which no row of it has in Reads", action, also)
		}
	}
	return res, err
}

// goesThrough wants the call to succeed with nothing said by the guardrail on
// trial. It is what shows the misbehaviour with guardrails off.
func (w *world) goesThrough(action string, p params) map[string]any {
	w.Helper()
	res, err := w.try(action, p)
	require.NoError(w, err)
	require.Empty(w, w.notes(res), "the guardrail has something to say")
	return res.Body
}

// fixed wants the call to succeed, with a note of the guardrail that has the
// text. The same is to be seen with a warning.
func (w *world) fixed(part, action string, p params) map[string]any {
	w.Helper()
	res, err := w.try(action, p)
	require.NoError(w, err)
	require.Contains(w, strings.Join(w.notes(res), "\n"), part, "notes: %v", res.Notes)
	return res.Body
}

func (w *world) warned(part, action string, p params) map[string]any {
	w.Helper()
	return w.fixed(part, action, p)
}

// refused wants the guardrail to refuse the call before it is sent, with the
// text. It returns the call that the refusal says would be right.
func (w *world) refused(part, action string, p params) *guard.Correction {
	w.Helper()
	before := len(w.sent)
	_, err := w.try(action, p)
	var refusal *guard.Refusal
	require.ErrorAs(w, err, &refusal)
	require.Contains(w, refusal.ID, w.id)
	require.Contains(w, refusal.Error(), w.id)
	require.Contains(w, refusal.Error(), part)
	require.NotContains(w, w.sent[before:], action, "it was sent")
	return refusal.Corrected
}

// asks wants the call to be put to a person, who is told the text: it is refused
// when nobody can be asked or the person declines, and sent on a yes.
func (w *world) asks(part, action string, p params) {
	w.Helper()
	w.say = nil
	w.refused(part, action, p)
	no := errors.New("the person said no")
	w.say = func(context.Context, guard.Question) error { return no }
	before := len(w.sent)
	_, err := w.try(action, p)
	require.ErrorIs(w, err, no)
	require.NotContains(w, w.sent[before:], action)
	w.say = func(context.Context, guard.Question) error { return nil }
	_, err = w.try(action, p)
	require.Contains(w, w.sent[before:], action)
	if err != nil { // the service's own refusal will do
		require.NotEmpty(w, esa.CodeOf(err), err)
	}
	q := w.asked[len(w.asked)-1]
	require.Contains(w, q.IDs, w.id)
	require.Contains(w, q.Lost, part)
}

// fails wants the service, or the client, to refuse the call with the code.
func (w *world) fails(code, action string, p params) {
	w.Helper()
	_, err := w.try(action, p)
	require.Error(w, err)
	require.Equal(w, code, esa.CodeOf(err), err)
}

// sends sends a corrected call, which has to work.
func (w *world) sends(c *guard.Correction) map[string]any {
	w.Helper()
	require.NotNil(w, c, "no corrected call")
	res, err := w.try(c.Action, c.Params)
	require.NoError(w, err)
	require.Empty(w, w.notes(res), "the corrected call is not right")
	return res.Body
}

// notes are those of the guardrail on trial.
func (w *world) notes(res esa.Result) []string {
	var texts []string
	for _, n := range res.Notes {
		if n.ID == w.id {
			texts = append(texts, n.Text)
		}
	}
	return texts
}

// deps are what a tool gets to work with in this world.
func (w *world) deps() *tools.Deps {
	return &tools.Deps{
		ESA: w.caller, Upload: w.client, Locks: tools.NewLocks(), Local: tools.KnownLocal(tools.LocalInfo{Edge: w.local.Info().Edge}),
		Now: time.Now, Sleep: func(context.Context, time.Duration) error { return nil }, Version: "test",
	}
}

// tool calls a tool and returns its result, or the text of its error.
func (w *world) tool(name string, arguments map[string]any) (result string, err error) {
	w.Helper()
	raw, err := json.Marshal(arguments)
	require.NoError(w, err)
	for _, tool := range tools.All() {
		if tool.Meta().Name == name {
			out, err := tool.Call(w.Context(), func() (*tools.Deps, error) { return w.deps(), nil }, raw)
			return string(out), err
		}
	}
	require.FailNow(w, "no tool "+name)
	return "", nil
}
