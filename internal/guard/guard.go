// Package guard holds the guardrails: what esa-mcp checks, mends or asks about
// before a call reaches ESA. They are a Caller around the client's Caller, so
// every path to the API goes through them, named tools and generic ones alike.
//
// # The table
//
// Table lists every guardrail as one Row, in a file for each area: pages.go,
// origin.go, rules.go, dns.go, sites.go, cache.go, kv.go, analytics.go,
// certificates.go and calls.go. Tests and docs/guardrails.md are made of it.
//
// # How to add a guardrail
//
// A mistake that shows in an operation's parameters gets a check: set the row's
// Actions to the operations that it is about and its Check to a function
//
//	func checkTTL(ctx context.Context, c *Call) error
//
// that looks at the parameters (c.Text, c.Int, c.Object ...) and at the present
// state (c.State.Site, c.State.Records, or Read for any other operation that
// reads), and then
//
//   - mends the call with c.Set or c.Drop, and says so with c.Fixed,
//   - or returns c.Block(reason) to refuse it, with c.Corrected set to the
//     parameters that would be right, where they are evident,
//   - or adds what is to be known with c.Warn,
//   - or calls c.Ask with what would be lost, to have it confirmed,
//   - or returns nil: there is nothing to say.
//
// An error of the state is returned as it is: the guardrail then warns that it
// could not look, and lets the call pass. What shows in the answer alone goes in
// After. Both run with c's parameters under their names in the API, whatever
// spelling the caller used. What only the service knows, such as how many versions
// it keeps, is looked at in Failed, after it refused the call.
//
// A guardrail that concerns files, uploads or waiting cannot live here: its row
// names in Where the code that has it.
//
// Each row has a test TestGuardrail_<id, with _ for -> in this package that shows
// both sides on the local ESA: see prove in harness_test.go.
//
// The package knows ESA's operations, but nothing of MCP or of tools.
package guard

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// Config says how the guardrails are to work. The zero value has all of them on.
type Config struct {
	// Off turns off every guardrail that fixes, blocks or warns. What has to be
	// confirmed is still asked.
	Off bool
	// LocalOrigins says that the edge is the local ESA's, which reaches origins on
	// this machine.
	LocalOrigins bool
	// Region is that of the endpoint, such as ap-southeast-1; empty if not known.
	Region string
	// StateFor is how long what was read of the account is believed; 10 s if 0.
	StateFor time.Duration
	// Policy says what may be done at all; everything if nil.
	Policy *Policy
	// Journal keeps what is written, and how it is taken back; none if nil.
	Journal *Journal
	// Now is the clock; time.Now if nil.
	Now func() time.Time
	// Logger gets guardrails that could not look at what they need; none if nil.
	Logger *slog.Logger
}

// stateFor is how long a read of the state is believed unless Config says so.
const stateFor = 10 * time.Second

// Guard is a Caller with the guardrails in front of another. It is safe for
// concurrent use.
type Guard struct {
	next  esa.Caller
	cfg   Config
	state *state

	mu   sync.RWMutex
	rows map[string][]*Row // by action, filled at an action's first call
	all  func() []Row
}

// New puts the guardrails in front of next.
func New(next esa.Caller, cfg Config) *Guard {
	if cfg.StateFor <= 0 {
		cfg.StateFor = stateFor
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	kv := newKVMemory(cfg.Now, nil)
	if cfg.Journal != nil {
		kv = cfg.Journal.kv
	}
	return &Guard{
		next: next, cfg: cfg,
		state: newState(next, cfg.StateFor, cfg.Now, kv),
		rows:  make(map[string][]*Row),
		all:   sync.OnceValue(Table),
	}
}

// rowsOf finds the rows of an operation. With the guardrails off only those that
// ask are left.
func (g *Guard) rowsOf(op *catalog.Operation) []*Row {
	g.mu.RLock()
	rows, ok := g.rows[op.Action]
	g.mu.RUnlock()
	if ok {
		return rows
	}
	all := g.all()
	for i := range all {
		if row := &all[i]; row.covers(op) && (!g.cfg.Off || row.does(Ask)) {
			rows = append(rows, row)
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.rows[op.Action] = rows
	return rows
}

// Forget drops what is believed of the account's state, for those who know that
// it was changed past the guardrails.
func (g *Guard) Forget() { g.state.forget() }

// Call checks a call, sends it, and adds the guardrails' notes to its result. A
// call that a guardrail refuses is a *Refusal, and nothing was sent. A call that
// failed is the error of the caller behind, in a *Failed if there are notes.
func (g *Guard) Call(ctx context.Context, action string, params esa.Params) (esa.Result, error) {
	op, err := catalog.Find(action)
	if err != nil {
		return g.next.Call(ctx, action, params) // which says what is wrong
	}
	if err := g.allowed(ctx, op, params); err != nil {
		return esa.Result{}, err
	}
	rows, run := g.rowsOf(op), runOf(ctx)
	if run != nil && run.Dry && !changes(op) && run.depends(params) {
		return esa.Result{}, ErrUnforeseen
	}
	if !changes(op) && len(rows) == 0 {
		return g.read(ctx, op, params)
	}
	c := newCall(op, params, g.state, g.cfg)
	if !changes(op) {
		return g.carryOut(ctx, c, rows)
	}
	if op.Action == "PutKvWithHighCapacity" {
		c.uploaded = run.takeUploaded()
	}
	before, res, err := g.write(ctx, run, c, rows)
	if run != nil && run.Dry {
		return res, err
	}
	var undo *Undo
	switch {
	case c.settled:
		undo = &Undo{Not: "nothing was changed"}
	case err == nil:
		run.did(op.Action)
		undo = g.undo(c, before.thing, before.values, res.Body)
	}
	g.record(run, c, res, err, undo)
	g.state.kv.note(c, before, res.Body, err)
	return res, err
}

// prior is what a write is about to change.
type prior struct {
	thing  subject
	values map[string]subject // of the keys of a batch
}

// write has a call that changes something checked, confirmed and sent.
func (g *Guard) write(ctx context.Context, run *Run, c *Call, rows []*Row) (before prior, _ esa.Result, _ error) {
	if err := g.check(ctx, c, rows); err != nil {
		return before, esa.Result{}, err
	}
	if run != nil && run.Dry {
		res, err := g.plan(ctx, run, c)
		return before, res, err
	}
	if err := confirm(ctx, c); err != nil {
		return before, esa.Result{}, err
	}
	before = g.before(ctx, c)
	res, err := g.answered(ctx, c, rows)
	run.keep(c.notes)
	return before, res, err
}

// carryOut has a call that reads checked and sent.
func (g *Guard) carryOut(ctx context.Context, c *Call, rows []*Row) (esa.Result, error) {
	if err := g.check(ctx, c, rows); err != nil {
		return esa.Result{}, err
	}
	if err := confirm(ctx, c); err != nil {
		return esa.Result{}, err
	}
	res, err := g.answered(ctx, c, rows)
	runOf(ctx).keep(c.notes)
	return res, err
}

// answered sends a checked call and looks at its answer.
func (g *Guard) answered(ctx context.Context, c *Call, rows []*Row) (esa.Result, error) {
	res, err := g.send(ctx, c)
	if err != nil {
		return g.failed(ctx, c, rows, res, err)
	}
	c.answer = res.Body
	for _, row := range rows {
		if row.After != nil {
			if err := g.run(ctx, c, row, row.After); err != nil && !changes(c.Op) {
				return esa.Result{}, withNotes(err, c.notes)
			} else if err != nil {
				c.Warn("not checked: the call was cut off; %s was carried out", c.Op.Action)
			}
		}
	}
	res.Notes = append(res.Notes, c.notes...)
	return res, nil
}

// failed looks at a call that the service refused. It is a success if a guardrail
// knows that what was wanted is there.
func (g *Guard) failed(ctx context.Context, c *Call, rows []*Row, res esa.Result, cause error) (esa.Result, error) {
	for _, row := range rows {
		if row.Failed == nil || esa.CodeOf(cause) == "" {
			continue
		}
		look := func(ctx context.Context, c *Call) error { return row.Failed(ctx, c, cause) }
		if err := g.run(ctx, c, row, look); err != nil {
			return res, withNotes(cause, c.notes)
		}
	}
	if c.settled {
		return esa.Result{Body: c.answer, Notes: c.notes}, nil
	}
	return res, withNotes(cause, c.notes)
}

// read passes a call through that has no guardrail, and keeps its answer for
// those of the next calls.
func (g *Guard) read(ctx context.Context, op *catalog.Operation, params esa.Params) (esa.Result, error) {
	store := g.state.reading(op, params)
	res, err := g.next.Call(ctx, op.Action, params)
	if err == nil {
		store(res.Body)
	}
	return res, err
}

// send sends a checked call.
func (g *Guard) send(ctx context.Context, c *Call) (esa.Result, error) {
	if !changes(c.Op) {
		return g.read(ctx, c.Op, c.params)
	}
	// Also after a failure: it may have been carried out all the same.
	defer g.state.changed(c.Op, c.Site())
	g.state.changed(c.Op, c.Site())
	return g.next.Call(ctx, c.Op.Action, c.params)
}

// check runs what is to be seen before a call is sent.
func (g *Guard) check(ctx context.Context, c *Call, rows []*Row) error {
	for _, row := range rows {
		if row.Check == nil {
			continue
		}
		if err := g.run(ctx, c, row, row.Check); err != nil {
			return err
		}
	}
	return nil
}

// run runs one function of a row. What it cannot read is a warning.
func (g *Guard) run(ctx context.Context, c *Call, row *Row, f func(context.Context, *Call) error) error {
	if isSaid(ctx, row.ID) && !row.does(Ask) {
		return nil
	}
	c.row = row
	err := f(ctx, c)
	var refused *Refusal
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refused):
		if g.cfg.Off {
			return nil
		}
		return err
	case ctx.Err() != nil:
		return ctx.Err()
	}
	g.cfg.Logger.WarnContext(ctx, "a guardrail could not look", "id", row.ID, "action", c.Op.Action, "error", err.Error())
	c.Warn("not checked: the present state could not be read (%s)", reason(err))
	return nil
}

// reason is an error without what only matters to support.
func reason(err error) string {
	if code := esa.CodeOf(err); code != "" {
		return code
	}
	return strings.SplitN(err.Error(), "\n", 2)[0]
}
