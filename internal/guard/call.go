package guard

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// Call is a call on its way: what a guardrail looks at and may change.
type Call struct {
	// Op is the operation.
	Op *catalog.Operation
	// State reads what there is in the account now.
	State *State

	params esa.Params // under the API's names where it has them; ours to change
	answer map[string]any
	// settled says that the service refused the call, and that the answer is a
	// guardrail's.
	settled bool
	// uploaded is a digest of the value that PutKvWithHighCapacity names by its
	// address; empty if nobody said it.
	uploaded string
	notes    []esa.Note
	row      *Row // whose turn it is
	off      bool
	asked    []question
	record   map[string]any // that UpdateRecord changes, once it was read
	// localOrigins says that the edge reaches this machine.
	localOrigins bool
	region       string // of the endpoint
	now          func() time.Time
	topRows      int // of a top list that were wanted, if ESA gives more
	// rules are the call's expressions, once they were looked at.
	rules         []*expression
	rulesErr      error
	lookedAtRules bool
}

// question is what a guardrail wants confirmed.
type question struct {
	id, lost string
	state    string // of what would be lost, to see whether it changes
}

func newCall(op *catalog.Operation, params esa.Params, s *state, cfg Config) *Call {
	return &Call{Op: op, State: &State{s}, params: canonical(op, params), off: cfg.Off, localOrigins: cfg.LocalOrigins, region: cfg.Region, now: cfg.Now}
}

// canonical gives the parameters the API's names. One that the API does not have
// keeps its own: a guardrail may know what was meant.
func canonical(op *catalog.Operation, params esa.Params) esa.Params {
	out := make(esa.Params, len(params))
	for name, value := range params {
		if value == nil {
			continue
		}
		if p, err := op.FindParam(name); err == nil {
			if _, twice := params[p.Name]; !twice || p.Name == name {
				name = p.Name
			}
		}
		out[name] = value
	}
	return out
}

// key finds a parameter by its name in any spelling.
func (c *Call) key(name string) (string, bool) {
	if _, ok := c.params[name]; ok {
		return name, true
	}
	for k := range c.params {
		if sameName(k, name) {
			return k, true
		}
	}
	return name, false
}

func sameName(a, b string) bool {
	return strings.EqualFold(strings.ReplaceAll(a, "_", ""), strings.ReplaceAll(b, "_", ""))
}

// Has reports whether a parameter was given.
func (c *Call) Has(name string) bool {
	_, ok := c.key(name)
	return ok
}

// Value is a parameter as it was given; nil if it was not.
func (c *Call) Value(name string) any {
	k, _ := c.key(name)
	return c.params[k]
}

// Text is a parameter as text; empty if it was not given or is no scalar.
func (c *Call) Text(name string) string { return scalar(c.Value(name)) }

// scalar is a plain value as text.
func scalar(v any) string {
	switch v := v.(type) {
	case nil, []any, map[string]any:
		return ""
	case string:
		return v
	case float64: // JSON's 1e15 is not how ids are written
		return strconv.FormatFloat(v, 'f', -1, 64)
	case fmt.Stringer:
		return v.String()
	case bool, int, int32, int64, uint, uint32, uint64, float32:
		return fmt.Sprint(v)
	}
	if raw, err := compactJSON(v); err == nil && !strings.ContainsAny(raw, "[{") {
		return strings.Trim(raw, `"`)
	}
	return ""
}

// Int is a parameter as an integer; false if it is none.
func (c *Call) Int(name string) (int64, bool) {
	n, err := strconv.ParseInt(strings.TrimSpace(c.Text(name)), 10, 64)
	return n, err == nil
}

// Bool is a parameter as a switch: true and on, false and off. given is false if
// it is neither.
func (c *Call) Bool(name string) (value, given bool) {
	switch strings.ToLower(strings.TrimSpace(c.Text(name))) {
	case "true", "on":
		return true, true
	case "false", "off":
		return false, true
	}
	return false, false
}

// Object is a copy of a parameter that is an object, or the JSON text of one;
// nil if it is not. Set puts a changed one back.
func (c *Call) Object(name string) map[string]any {
	object, _ := decoded(c.Value(name)).(map[string]any)
	return object
}

// List is a copy of a parameter that is a list, or the JSON text of one; nil if
// it is not.
func (c *Call) List(name string) []any {
	list, _ := decoded(c.Value(name)).([]any)
	return list
}

// decoded is a value in the types of JSON, a copy that may be changed. Numbers
// are json.Number.
func decoded(v any) any {
	switch v := v.(type) {
	case nil, bool, json.Number:
		return v
	case int:
		return json.Number(strconv.Itoa(v))
	case int64:
		return json.Number(strconv.FormatInt(v, 10))
	case string:
		if t := strings.TrimSpace(v); strings.HasPrefix(t, "{") || strings.HasPrefix(t, "[") {
			if inner, err := parseJSON([]byte(t)); err == nil {
				return inner
			}
		}
		return v
	case map[string]any:
		return copied(v)
	case esa.Params:
		return copied(v)
	case []any:
		return copied(v)
	}
	return throughJSON(v)
}

// copied copies what is of JSON's types already, without decoding texts in it.
func copied(v any) any {
	switch v := v.(type) {
	case nil, bool, json.Number, string:
		return v
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[k] = copied(e)
		}
		return out
	case esa.Params:
		return copied(map[string]any(v))
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = copied(e)
		}
		return out
	}
	return throughJSON(v)
}

// throughJSON takes every other type by its JSON form.
func throughJSON(v any) any {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	out, err := parseJSON(raw)
	if err != nil {
		return nil
	}
	return out
}

func parseJSON(raw []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	err := d.Decode(&v)
	return v, err
}

// compactJSON is JSON on one line, with <, > and & as they are.
func compactJSON(v any) (string, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return "", err
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}

// Set gives a parameter a value, whatever its spelling was.
func (c *Call) Set(name string, value any) {
	if k, ok := c.key(name); ok && k != name {
		delete(c.params, k)
	}
	c.params[name] = value
}

// Drop takes a parameter out.
func (c *Call) Drop(name string) {
	k, _ := c.key(name)
	delete(c.params, k)
}

// Names are the parameters that were given, sorted.
func (c *Call) Names() []string { return slices.Sorted(maps.Keys(c.params)) }

// Site is the id of the site that the call is about; empty if it names none.
func (c *Call) Site() string { return c.Text("SiteId") }

// Answer is what the service answered; only After has it.
func (c *Call) Answer() map[string]any { return c.answer }

// Settle makes a call that the service refused a success with the answer: what it
// was to bring about is so already. Only Failed may.
func (c *Call) Settle(answer map[string]any) { c.answer, c.settled = answer, true }

// Fixed notes what the guardrail has changed.
func (c *Call) Fixed(format string, a ...any) { c.note(format, a...) }

// Warn notes what is to be known of the call.
func (c *Call) Warn(format string, a ...any) { c.note(format, a...) }

func (c *Call) note(format string, a ...any) {
	if !c.off {
		c.notes = append(c.notes, esa.Note{ID: c.row.ID, Text: fmt.Sprintf(format, a...)})
	}
}

// Block refuses the call. The reason says what is wrong and what is right.
func (c *Call) Block(format string, a ...any) *Refusal {
	return &Refusal{ID: c.row.ID, Action: c.Op.Action, Reason: fmt.Sprintf(format, a...)}
}

// Ask wants the call confirmed: lost says exactly what would be gone, with names
// and counts, or what would be paid for.
func (c *Call) Ask(format string, a ...any) {
	c.asked = append(c.asked, question{id: c.row.ID, lost: fmt.Sprintf(format, a...)})
}

// With adds to a refusal the call that would be right: the refused one with some
// parameters changed, or left out where the new value is nil.
func (r *Refusal) With(c *Call, changes esa.Params) *Refusal {
	return r.Instead(c.Op.Action, c.merged(changes))
}

func (c *Call) merged(changes esa.Params) esa.Params {
	params := maps.Clone(c.params)
	for name, value := range changes {
		if value == nil {
			delete(params, name)
		} else {
			params[name] = value
		}
	}
	return params
}

// Instead adds to a refusal another call that does what was meant.
func (r *Refusal) Instead(action string, params esa.Params) *Refusal {
	params = maps.Clone(params)
	if op, ok := catalog.Lookup(action); ok {
		for name := range params {
			if p, ok := op.Param(name); ok && p.Secret {
				params[name] = "[as before]"
			}
		}
	}
	r.Corrected = &Correction{Action: action, Params: params}
	return r
}
