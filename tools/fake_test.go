package tools

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

type ctx = context.Context

func noDeps() (*Deps, error) { return &Deps{}, nil }

// fakeESA answers calls from a list of functions by action and keeps what it was
// asked.
type fakeESA struct {
	answers map[string]func(esa.Params) (any, error)
	notes   []esa.Note
	calls   []fakeCall
}

type fakeCall struct {
	Action string
	Params string // as JSON, keys sorted
}

func (f *fakeESA) Call(_ context.Context, action string, params esa.Params) (esa.Result, error) {
	raw, err := json.Marshal(params)
	if err != nil {
		return esa.Result{}, err
	}
	f.calls = append(f.calls, fakeCall{action, string(raw)})
	answer, ok := f.answers[action]
	if !ok {
		return esa.Result{}, &esa.Error{Action: action, Code: "InvalidAction.NotFound", HTTPStatus: 404}
	}
	value, err := answer(params)
	if err != nil {
		return esa.Result{}, err
	}
	text, isText := value.(string)
	if !isText {
		raw, err := json.Marshal(value)
		if err != nil {
			return esa.Result{}, err
		}
		text = string(raw)
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var body map[string]any
	if err := d.Decode(&body); err != nil {
		return esa.Result{}, err
	}
	return esa.Result{Body: body, Notes: f.notes}, nil
}

// say answers an action always alike, with JSON text.
func say(text string) func(esa.Params) (any, error) {
	return func(esa.Params) (any, error) { return text, nil }
}

func fail(err *esa.Error) func(esa.Params) (any, error) {
	return func(esa.Params) (any, error) { return nil, err }
}

var testTime = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

func fakeDeps(f *fakeESA) func() (*Deps, error) {
	return func() (*Deps, error) {
		return &Deps{
			ESA:    f,
			Locks:  NewLocks(),
			Now:    func() time.Time { return testTime },
			Sleep:  func(context.Context, time.Duration) error { return nil },
			Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
		}, nil
	}
}

// toolNamed finds one of All.
func toolNamed(t *testing.T, name string) Tool {
	t.Helper()
	for _, tool := range All() {
		if tool.Meta().Name == name {
			return tool
		}
	}
	require.FailNow(t, "no tool "+name)
	return Tool{}
}

// callTool calls one of All and checks the result against its output schema.
func callTool(t *testing.T, f *fakeESA, name, args string) (string, error) {
	t.Helper()
	tool := toolNamed(t, name)
	before := len(f.calls)
	raw, err := tool.Call(t.Context(), fakeDeps(f), json.RawMessage(args))
	for _, sent := range f.calls[before:] {
		if tool.Reach() == Declared {
			require.Contains(t, tool.meta.Calls, sent.Action, "%s sends what it does not declare in Calls", name)
		}
	}
	if err != nil {
		require.Nil(t, raw)
		return "", err
	}
	schema, serr := tool.out.ready()
	require.NoError(t, serr)
	var doc any
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.UseNumber()
	require.NoError(t, d.Decode(&doc))
	require.NoError(t, schema.Validate(doc), "the result does not fit the output schema: %s", raw)
	return string(raw), nil
}
