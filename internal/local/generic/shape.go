package generic

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
	"github.com/esa-mcp/esa-mcp/internal/local/api"
)

// operation finds what the catalogue, which is part of the program, must have.
func operation(action string) *catalog.Operation {
	op, ok := catalog.Lookup(action)
	if !ok {
		panic("generic: no operation " + action)
	}
	return op
}

// shapeOf is the shape of an operation's answer: see catalog.Operation.
func shapeOf(action string) map[string]any {
	var shape map[string]any
	if err := json.Unmarshal(operation(action).Response, &shape); err != nil {
		panic(fmt.Sprintf("generic: answer of %s: %v", action, err))
	}
	return shape
}

// fit writes a value as a shape wants it, and leaves out what the shape lacks.
// ok is false for a value that cannot be written so.
func fit(shape, value any) (fitted any, ok bool) {
	if value == nil {
		return nil, false
	}
	switch want := shape.(type) {
	case string:
		return fitLeaf(want, value)
	case []any:
		entries, isList := value.([]any)
		if !isList {
			return nil, false
		}
		out := make([]any, 0, len(entries))
		for _, e := range entries {
			if fitted, ok := fit(want[0], e); ok {
				out = append(out, fitted)
			}
		}
		return out, true
	case map[string]any:
		members, isObject := value.(map[string]any)
		if !isObject {
			return nil, false
		}
		return fitObject(want, members), true
	}
	return nil, false
}

func fitObject(shape, members map[string]any) map[string]any {
	out := map[string]any{}
	if every, isMap := shape["*"]; isMap {
		for name, value := range members {
			if fitted, ok := fit(every, value); ok {
				out[name] = fitted
			}
		}
		return out
	}
	for name, want := range shape {
		if fitted, ok := fit(want, members[name]); ok {
			out[name] = fitted
		}
	}
	return out
}

func fitLeaf(want string, value any) (any, bool) {
	text := api.Text(value)
	switch want {
	case "string":
		return text, true
	case "integer", "long":
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return n, true
		}
		return nil, false
	case "number":
		if _, err := strconv.ParseFloat(text, 64); err == nil {
			return json.Number(text), true
		}
		return nil, false
	case "boolean":
		b, err := strconv.ParseBool(strings.ToLower(text))
		return b, err == nil
	}
	return value, true // any, ref:NAME
}

// answer is what an operation answers when that is known of its subject.
func answer(action string, members map[string]any) map[string]any {
	out := fitObject(shapeOf(action), members)
	delete(out, "RequestId")
	return out
}

// nothing fills a shape with what there is when nothing has happened: empty
// lists, zeros, and of texts only those that are known.
func nothing(shape map[string]any, known map[string]any) map[string]any {
	out := map[string]any{}
	for name, want := range shape {
		if fitted, ok := fit(want, known[name]); ok {
			out[name] = fitted
			continue
		}
		switch want := want.(type) {
		case []any:
			out[name] = []any{}
		case map[string]any:
			out[name] = nothing(want, known)
		case string:
			if want == "integer" || want == "long" || want == "number" {
				out[name] = 0
			}
		}
	}
	delete(out, "RequestId")
	delete(out, "*")
	return out
}
