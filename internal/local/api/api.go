// Package api is what the parts of the local ESA share: a verified request, its
// parameters, an error as the service answers it, and the table of operations.
//
// It knows neither how a request was signed nor where state is kept.
package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"strconv"
	"strings"
)

// Request is one call whose signature has been verified.
type Request struct {
	Action string
	Method string // GET or POST
	Params Params
	// RequestID is the id that the answer will carry.
	RequestID string
	// BaseURL is the gateway's own address as the client wrote it, without a
	// path: "http://127.0.0.1:4001". Upload addresses are made from it.
	BaseURL string
}

// Handler answers one operation. The answer is any value that encodes to a JSON
// object with PascalCase names; the gateway adds RequestId. An error that is
// not an *Error is answered as InternalException.
type Handler func(ctx context.Context, r *Request) (any, error)

// Table holds the handlers by action.
type Table map[string]Handler

// Add puts all handlers of other into t. Two for one action are a mistake of
// the programmer, so it panics.
func (t Table) Add(other Table) {
	for action, h := range other {
		if _, twice := t[action]; twice {
			panic("api: two handlers for " + action)
		}
		t[action] = h
	}
}

// After returns a table whose handlers call fn when they are done, before they
// are answered.
func (t Table) After(fn func()) Table {
	out := make(Table, len(t))
	for action, h := range t {
		out[action] = func(ctx context.Context, r *Request) (any, error) {
			defer fn()
			return h(ctx, r)
		}
	}
	return out
}

// Error is a failure as the service answers it.
type Error struct {
	Status  int    // HTTP status
	Code    string // such as "InvalidParameter.InvalidBiz"
	Message string
}

func (e *Error) Error() string { return fmt.Sprintf("%s: %s (HTTP %d)", e.Code, e.Message, e.Status) }

// Told is how an answer tells of a refusal of one entry among others: without the
// HTTP status, which is that of the whole.
func Told(err error) string {
	var refused *Error
	if errors.As(err, &refused) {
		return refused.Code + ": " + refused.Message
	}
	return err.Error()
}

// Errorf makes an Error.
func Errorf(status int, code, format string, args ...any) *Error {
	return &Error{Status: status, Code: code, Message: fmt.Sprintf(format, args...)}
}

// Params are the merged parameters of query, form and JSON body: a string from
// query or form, or a decoded JSON value (numbers as json.Number) from a JSON
// body.
type Params map[string]any

// Has reports whether the parameter was sent, even empty.
func (p Params) Has(name string) bool { _, ok := p[name]; return ok }

// Names returns the sorted names of all parameters that were sent.
func (p Params) Names() []string {
	names := make([]string, 0, len(p))
	for n := range p {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

// String returns the parameter as text; a JSON value as its JSON text; the
// empty string if it was not sent.
func (p Params) String(name string) string { return Text(p[name]) }

// Text writes a decoded value as text: a JSON value as its JSON text, and nothing for
// nil.
func Text(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	default:
		b, _ := json.Marshal(v) // came from JSON
		return string(b)
	}
}

// Int returns the parameter as a 64-bit integer, def if it was not sent or is
// empty, and Invalid<Name> if it is no integer.
func (p Params) Int(name string, def int64) (int64, error) {
	s := strings.TrimSpace(p.String(name))
	if s == "" {
		return def, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0, Errorf(400, "Invalid"+name, "%s is not an integer: %q", name, s)
	}
	return n, nil
}

// Bool is Int for true and false.
func (p Params) Bool(name string, def bool) (bool, error) {
	s := strings.TrimSpace(p.String(name))
	switch strings.ToLower(s) {
	case "":
		return def, nil
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, Errorf(400, "Invalid"+name, "%s must be true or false, not %q", name, s)
}

// JSON stores a parameter that is a whole JSON value into v: from JSON text,
// from a JSON body, or gathered from Name.Key parameters. It returns false if it
// was not sent, and Invalid<Name> if it does not fit v.
func (p Params) JSON(name string, v any) (bool, error) {
	raw, ok := p.raw(name)
	if !ok {
		return false, nil
	}
	d := json.NewDecoder(strings.NewReader(raw))
	d.UseNumber()
	err := d.Decode(v)
	if err == nil && d.More() {
		err = errors.New("there is more after the value")
	}
	if err != nil {
		return false, Errorf(400, "Invalid"+name, "%s is not the JSON that the operation takes: %s", name, Unfit(err))
	}
	return true, nil
}

// Unfit says what is wrong with JSON, without the names of Go's types.
func Unfit(err error) string {
	var kind *json.UnmarshalTypeError
	if !errors.As(err, &kind) {
		return err.Error()
	}
	what := "it"
	if kind.Field != "" {
		what = kind.Field
	}
	return fmt.Sprintf("%s cannot be a JSON %s", what, kind.Value)
}

func (p Params) raw(name string) (string, bool) {
	if v, ok := p[name]; ok {
		if s, text := v.(string); text && strings.TrimSpace(s) == "" {
			return "", false
		}
		return p.String(name), true
	}
	fields := map[string]any{}
	for k, v := range p {
		if rest, ok := strings.CutPrefix(k, name+"."); ok && !strings.Contains(rest, ".") {
			fields[rest] = v
		}
	}
	if len(fields) == 0 {
		return "", false
	}
	b, _ := json.Marshal(fields)
	return string(b), true
}
