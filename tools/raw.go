package tools

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/invopop/jsonschema"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// rawAnswer is one answer of the API as a result shows it.
type rawAnswer struct {
	Action string          `json:"action"`
	Answer json.RawMessage `json:"answer,omitempty"`
	Error  string          `json:"error,omitempty"`
}

// describeRaw adds the fields that recorder.addTo writes.
func describeRaw(s *jsonschema.Schema) {
	answer := jsonschema.NewProperties()
	answer.Set("action", &jsonschema.Schema{Type: "string"})
	answer.Set("answer", &jsonschema.Schema{Type: "object"})
	answer.Set("error", &jsonschema.Schema{Type: "string"})
	s.Properties.Set("raw", &jsonschema.Schema{
		Type: "array", Description: "The API's own answers in the order of the calls, without secrets",
		Items: &jsonschema.Schema{Type: "object", Properties: answer, Required: []string{"action"}, AdditionalProperties: jsonschema.FalseSchema},
	})
	s.Properties.Set("raw_omitted", &jsonschema.Schema{Type: "string", Description: "Which answers are left out, and how to get them"})
}

// recorder is a Caller that keeps the answers for a result with raw. It keeps no
// more than a result can hold.
type recorder struct {
	next esa.Caller

	mu      sync.Mutex
	answers []json.RawMessage
	bytes   int
	omitted int
}

// Call sends the operation on and keeps what came back.
func (r *recorder) Call(ctx context.Context, action string, params esa.Params) (esa.Result, error) {
	res, err := r.next.Call(ctx, action, params)
	r.keep(action, res.Body, err)
	return res, err
}

func (r *recorder) keep(action string, body map[string]any, failure error) {
	a := rawAnswer{Action: action}
	if failure != nil {
		a.Error = Clean(failure.Error())
	}
	var err error
	if failure == nil {
		a.Answer, err = encodePlain(Redact(action, body))
	}
	var whole json.RawMessage
	if err == nil {
		whole, err = encodePlain(a)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil || r.bytes+len(whole) > maxResult {
		r.omitted++
		return
	}
	r.answers, r.bytes = append(r.answers, whole), r.bytes+len(whole)+1
}

// addTo adds the answers to an encoded result, as many as fit. A result with too
// many is no error: what the tool did is done.
func (r *recorder) addTo(result json.RawMessage) (json.RawMessage, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	const frame = 256 // bytes for what stands around the answers
	room := maxResult - len(result) - frame
	shown := make([]json.RawMessage, 0, len(r.answers))
	omitted := r.omitted
	for _, a := range r.answers {
		if len(a)+1 > room {
			omitted++
			continue
		}
		room -= len(a) + 1
		shown = append(shown, a)
	}
	more := struct {
		Raw     []json.RawMessage `json:"raw"`
		Omitted string            `json:"raw_omitted,omitempty"`
	}{Raw: shown}
	if omitted > 0 {
		more.Omitted = fmt.Sprintf("%d answers do not fit: ask for less at a time, or send the operation with read_api and fields or jq", omitted)
	}
	raw, err := encodePlain(more)
	if err != nil {
		return nil, fmt.Errorf("encode the answers: %w", err)
	}
	return joinObjects(result, raw), nil
}

// joinObjects makes one JSON object of two encoded ones.
func joinObjects(a, b json.RawMessage) json.RawMessage {
	if string(a) == "{}" {
		return b
	}
	joined := append(make(json.RawMessage, 0, len(a)+len(b)), a[:len(a)-1]...)
	return append(append(joined, ','), b[1:]...)
}
