// Package apitest calls the operations of a part of the local ESA in tests, as
// the gateway calls them, and holds each answer to the catalogue.
//
// It is for tests alone: nothing of it belongs to the program.
package apitest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/state"
)

// Bench is some operations over a fresh state. Its fields may be set until the
// first call.
type Bench struct {
	T     testing.TB
	Store *state.Store
	Table api.Table
	// Now is what Clock answers; tests move it.
	Now time.Time
	// Defaults are parameters of every call that does not give them.
	Defaults api.Params
	// Floats decodes numbers as float64 and not as json.Number.
	Floats bool
	// Inspect looks at each answer as it is sent; may be nil.
	Inspect func(action string, answer []byte)
}

// New opens a fresh state, which is closed with the test.
func New(t testing.TB) *Bench {
	t.Helper()
	store, err := state.Open(t.Context(), state.Memory)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return &Bench{T: t, Store: store, Table: api.Table{}, Now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
}

// Clock is the time of the bench.
func (b *Bench) Clock() time.Time { return b.Now }

// Do sends a call. It returns the decoded answer, or the refusal. An answer that
// the catalogue does not know in every name and type fails the test.
func (b *Bench) Do(action string, params api.Params) (map[string]any, *api.Error) {
	b.T.Helper()
	sent := api.Params{}
	for _, from := range []api.Params{b.Defaults, params} {
		for name, value := range from {
			sent[name] = value
		}
	}
	handle, ok := b.Table[action]
	if !ok {
		b.T.Fatalf("%s is not in the table", action)
	}
	answer, err := handle(b.T.Context(), &api.Request{Action: action, Params: sent})
	var refused *api.Error
	if errors.As(err, &refused) {
		if refused.Message == "" || refused.Status < 400 {
			b.T.Fatalf("%s: %+v: a refusal has a message and a status", action, refused)
		}
		return nil, refused
	}
	if err != nil {
		b.T.Fatalf("%s: %v", action, err)
	}
	return b.decode(action, answer), nil
}

func (b *Bench) decode(action string, answer any) map[string]any {
	b.T.Helper()
	raw, err := json.Marshal(answer)
	if err != nil {
		b.T.Fatalf("%s: %v", action, err)
	}
	if b.Inspect != nil {
		b.Inspect(action, raw)
	}
	out := b.read(raw, true)
	if op, ok := catalog.Lookup(action); ok {
		var shape any
		if err := json.Unmarshal(op.Response, &shape); err != nil {
			b.T.Fatalf("%s: %v", action, err)
		}
		for _, problem := range misfits(action, shape, out) {
			b.T.Errorf("%s", problem)
		}
	}
	return b.read(raw, !b.Floats)
}

func (b *Bench) read(raw []byte, exact bool) (out map[string]any) {
	b.T.Helper()
	d := json.NewDecoder(bytes.NewReader(raw))
	if exact {
		d.UseNumber()
	}
	if err := d.Decode(&out); err != nil {
		b.T.Fatalf("read %s: %v", raw, err)
	}
	return out
}

// Call is Do with the refusal's code alone; empty if the call succeeded.
func (b *Bench) Call(action string, params api.Params) (map[string]any, string) {
	b.T.Helper()
	out, refused := b.Do(action, params)
	if refused != nil {
		return nil, refused.Code
	}
	return out, ""
}

// Must is Do for calls that may not fail.
func (b *Bench) Must(action string, params api.Params) map[string]any {
	b.T.Helper()
	out, refused := b.Do(action, params)
	if refused != nil {
		b.T.Fatalf("%s %v: %s: %s", action, params, refused.Code, refused.Message)
	}
	return out
}

// misfits says what of an answer is not as its shape in the catalogue.
func misfits(at string, shape, got any) []string {
	if got == nil {
		return nil
	}
	var problems []string
	switch want := shape.(type) {
	case map[string]any:
		object, ok := got.(map[string]any)
		if !ok {
			return []string{fmt.Sprintf("%s is %T and no object", at, got)}
		}
		for name, v := range object {
			field, known := want[name]
			if values, isMap := want["*"]; isMap {
				field, known = values, true
			}
			if !known {
				problems = append(problems, at+" has no "+name)
				continue
			}
			problems = append(problems, misfits(at+"."+name, field, v)...)
		}
	case []any:
		list, ok := got.([]any)
		if !ok {
			return []string{fmt.Sprintf("%s is %T and no list", at, got)}
		}
		for _, v := range list {
			problems = append(problems, misfits(at+"[]", want[0], v)...)
		}
	case string:
		if !slices.Contains(kindsOf(got), want) && !strings.HasPrefix(want, "ref:") {
			problems = append(problems, fmt.Sprintf("%s is %T, not %s", at, got, want))
		}
	}
	slices.Sort(problems)
	return problems
}

// kindsOf are the types of the catalogue that a value can be.
func kindsOf(v any) []string {
	switch v.(type) {
	case string:
		return []string{"string", "any"}
	case json.Number:
		return []string{"integer", "long", "number", "any"}
	case bool:
		return []string{"boolean", "any"}
	}
	return []string{"any"}
}
