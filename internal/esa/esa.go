// Package esa is the client of the ESA API (version 2024-09-10): any operation
// of the catalogue by name, with credentials, endpoint, signatures, errors,
// retries and object uploads.
//
// It knows nothing of MCP, of tools or of the local ESA.
package esa

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
)

// Params are the parameters of one call, by name. Names are matched without
// regard to case and underscores (site_id finds SiteId). Values are plain Go or
// JSON values: strings, bools, integers, json.Number, slices, maps or structs;
// a nil value is left out.
type Params map[string]any

// Caller reaches ESA. The client is one, and every layer around it (guardrails)
// is one too, so that no tool can go around a layer.
type Caller interface {
	// Call sends one operation and returns its answer. A failure that the
	// service answered is an *Error.
	Call(ctx context.Context, action string, params Params) (Result, error)
}

// Result is the answer of one call.
type Result struct {
	// Body is the decoded JSON answer: wire names, numbers as json.Number.
	Body map[string]any
	// Notes say what a layer between the caller and the client changed or wants
	// known. Of the client's own there is NoteEarlierTry alone.
	Notes []Note
}

// Note is a remark of a guardrail on a call.
type Note struct {
	ID   string `json:"id"`   // guardrail id, such as "dns-biz"
	Text string `json:"text"` // what was changed or is to be known
}

// RequestID is the service's id of the call; empty if it sent none.
func (r Result) RequestID() string {
	id, _ := r.Body["RequestId"].(string)
	return id
}

// Decode stores the answer into the value that v points to, as encoding/json
// does. Integers of 64 bits arrive exactly in int64, json.Number and any.
func (r Result) Decode(v any) error {
	raw, err := json.Marshal(r.Body)
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("decode answer: %w", err)
	}
	return nil
}

// Call sends an operation through c and decodes its answer into T.
func Call[T any](ctx context.Context, c Caller, action string, params Params) (T, error) {
	var out T
	res, err := c.Call(ctx, action, params)
	if err != nil {
		return out, err
	}
	if err := res.Decode(&out); err != nil {
		return out, fmt.Errorf("%s: %w", action, err)
	}
	return out, nil
}
