package guard

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// Run is one call of a tool, as the calls of the API that it makes see it. It
// keeps what the guardrails said, and in a dry run what would be sent.
type Run struct {
	// Tool is the tool's name, Args its arguments, without secrets.
	Tool string
	Args map[string]any
	// Dry says that nothing is to be written.
	Dry bool
	// By tells how the call was confirmed; empty if it was not.
	By func() string
	// Undoes is the change that the run takes back, and UndoesCall the call of it that
	// is next, from 1.
	Undoes     string
	UndoesCall int

	uploaded string // a digest of what was uploaded for the next call; empty if unknown

	mu      sync.Mutex
	notes   []esa.Note
	done    []string // operations that changed something, in order
	planned []Planned
	made    map[string]string // placeholders of answers, and what they stand for
}

// SetUndoes says that what follows takes a change back, with that call of its Undo,
// from 1.
func SetUndoes(ctx context.Context, change string, call int) {
	if r := runOf(ctx); r != nil {
		r.Undoes, r.UndoesCall = change, call
	}
}

// SetUploaded says what was uploaded for the call that comes next, which names it
// by its address alone.
func SetUploaded(ctx context.Context, text string) {
	if r := runOf(ctx); r != nil {
		r.uploaded = digest(text)
	}
}

// takeUploaded is what was uploaded for this call.
func (r *Run) takeUploaded() string {
	if r == nil {
		return ""
	}
	text := r.uploaded
	r.uploaded = ""
	return text
}

type runKey struct{}

// WithRun returns a context whose calls belong to r.
func WithRun(ctx context.Context, r *Run) context.Context {
	return context.WithValue(ctx, runKey{}, r)
}

func runOf(ctx context.Context) *Run {
	r, _ := ctx.Value(runKey{}).(*Run)
	return r
}

// Planned is a call that a dry run did not send.
type Planned struct {
	Action string
	Params esa.Params
	// Notes are what the guardrails changed or want known.
	Notes []esa.Note
	// Asks says what has to be confirmed.
	Asks string
	// Changes are what is different from the present state.
	Changes []Difference
}

// Difference is one field that is not as before.
type Difference struct {
	Field  string `json:"field"`
	Before any    `json:"before"`
	After  any    `json:"after"`
}

// maxNotes bounds the notes that a run keeps.
const maxNotes = 20

// keep remembers the notes of a call, each once.
func (r *Run) keep(notes []esa.Note) {
	if r == nil || len(notes) == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, n := range notes {
		if len(r.notes) < maxNotes && !slices.Contains(r.notes, n) {
			r.notes = append(r.notes, n)
		}
	}
}

// Notes are what the guardrails said of the run's calls so far.
func (r *Run) Notes() []esa.Note {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.notes)
}

// did remembers that an operation was carried out.
func (r *Run) did(action string) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done = append(r.done, action)
}

// Done are the operations that the run has changed something with, in order. A
// run that fails has changed that much.
func (r *Run) Done() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.done)
}

// Planned are the calls that a dry run has not sent, in order.
func (r *Run) Planned() []Planned {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.planned)
}

// Plan adds something to a dry run that is no call of the API, such as an upload.
func (r *Run) Plan(p Planned) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.planned = append(r.planned, p)
}

// ErrUnforeseen ends a dry run: what would follow depends on an answer that only
// the real call gives.
var ErrUnforeseen = errors.New("a dry run cannot foresee what follows")

// changes reports whether an operation writes.
func changes(op *catalog.Operation) bool { return op.Effect != catalog.Read || op.SideEffect }

// plan keeps a call of a dry run, and answers it with placeholders.
func (g *Guard) plan(ctx context.Context, r *Run, c *Call) (esa.Result, error) {
	if err := esa.Check(c.Op.Action, c.params); err != nil {
		return esa.Result{}, withNotes(err, c.notes)
	}
	p := Planned{Action: c.Op.Action, Params: r.named(c.params), Notes: c.notes}
	var asks []string
	for _, a := range c.asked {
		asks = append(asks, a.lost)
	}
	p.Asks = strings.Join(asks, "; ")
	if len(c.asked) == 0 {
		if before, err := subjectOf(ctx, c.State, c.Op, c.params); err == nil && before.state != nil {
			p.Changes = c.differences(before)
		}
	}
	r.Plan(p)
	return esa.Result{Body: r.answer(c.Op), Notes: c.notes}, nil
}

// differences are the fields that a call sets otherwise than they are.
func (c *Call) differences(before subject) []Difference {
	var list []Difference
	for _, name := range c.Names() {
		now, known := before.field(name)
		if want := decoded(c.params[name]); known && !alike(now, want) {
			list = append(list, Difference{Field: name, Before: now, After: want})
		}
	}
	return list
}

// field is what the thing has under the name of a parameter.
func (s subject) field(param string) (any, bool) {
	for _, name := range []string{param, "Record" + param} { // records answer RecordType for Type
		if v, ok := s.state[name]; ok {
			return v, true
		}
	}
	if param == "VanityNSList" {
		return nil, true
	}
	return nil, false
}

// alike compares a stored value with one that was sent: as text, and objects by
// the fields that were sent.
func alike(stored, sent any) bool {
	switch sent := sent.(type) {
	case map[string]any:
		stored, ok := decoded(stored).(map[string]any)
		if !ok {
			return false
		}
		for name, value := range sent {
			if !alike(stored[name], value) {
				return false
			}
		}
		return true
	case []any:
		stored, ok := decoded(stored).([]any)
		if !ok || len(stored) != len(sent) {
			return false
		}
		for i := range sent {
			if !alike(stored[i], sent[i]) {
				return false
			}
		}
		return true
	}
	if text, ok := sent.(string); ok && strings.HasPrefix(text, sealed) {
		return digest(stored) == text
	}
	return strings.EqualFold(plainly(stored), plainly(sent))
}

// plainly is a scalar as text, a switch as on or off.
func plainly(v any) string {
	switch text := scalar(v); text {
	case "true":
		return "on"
	case "false":
		return "off"
	default:
		return text
	}
}

// answer makes up the answer to a call that was not sent: ids are placeholders,
// texts and lists are empty.
func (r *Run) answer(op *catalog.Operation) map[string]any {
	var shape map[string]any
	if json.Unmarshal(op.Response, &shape) != nil {
		return map[string]any{}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make(map[string]any, len(shape))
	for _, name := range slices.Sorted(maps.Keys(shape)) {
		switch kind := shape[name].(type) {
		case string:
			out[name] = r.placeholder(op.Action, name, kind)
		case []any:
			out[name] = []any{}
		case map[string]any:
			out[name] = map[string]any{}
		}
	}
	return out
}

// placeholder stands for a value that the service would answer. Numbers are
// ones that no id has.
func (r *Run) placeholder(action, name, kind string) any {
	label := "<" + name + " of " + action + ">"
	switch kind {
	case "long", "integer":
		n := fmt.Sprintf("90000000000000%02d", len(r.made)+1)
		if kind == "integer" {
			n = "0"
		}
		r.remember(n, label)
		return json.Number(n)
	case "boolean":
		return false
	case "string":
		if strings.HasSuffix(name, "Id") && name != "RequestId" || name == "CodeVersion" {
			n := fmt.Sprintf("90000000000000%02d", len(r.made)+1)
			r.remember(n, label)
			return n
		}
		return ""
	}
	return nil
}

func (r *Run) remember(value, label string) {
	if len(value) < 2 {
		return
	}
	if r.made == nil {
		r.made = make(map[string]string)
	}
	r.made[value] = label
}

// depends reports whether parameters have a value that was made up.
func (r *Run) depends(params esa.Params) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.made) == 0 {
		return false
	}
	text, err := compactJSON(params)
	if err != nil {
		return false
	}
	for value := range r.made {
		if strings.Contains(text, value) {
			return true
		}
	}
	return false
}

// named puts labels where made-up values are.
func (r *Run) named(params esa.Params) esa.Params {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make(esa.Params, len(params))
	for name, value := range params {
		out[name] = r.label(decoded(value))
	}
	return out
}

func (r *Run) label(v any) any {
	switch x := v.(type) {
	case map[string]any:
		for k, e := range x {
			x[k] = r.label(e)
		}
	case []any:
		for i, e := range x {
			x[i] = r.label(e)
		}
	default:
		if label, ok := r.made[scalar(v)]; ok {
			return label
		}
	}
	return v
}
