package tools

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	validator "github.com/santhosh-tekuri/jsonschema/v6"
)

// coerce returns value with the slips repaired that models make and that have
// one meaning only: "42" for 42, 42 for "42", "true" for true, the JSON text of a
// list or an object for the thing itself, one value for a list of one, null for
// an optional argument, another letter case of an enumerated word. Everything
// else stays as it is, for the validation to complain about.
func coerce(schema map[string]any, value any) any {
	value = coerceType(schema, value)
	switch v := value.(type) {
	case map[string]any:
		return coerceObject(schema, v)
	case []any:
		items, ok := schema["items"].(map[string]any)
		if !ok {
			return v
		}
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = coerce(items, e)
		}
		return out
	case string:
		return coerceEnum(schema, v)
	}
	return value
}

func coerceObject(schema, object map[string]any) map[string]any {
	properties, _ := schema["properties"].(map[string]any)
	additional, _ := schema["additionalProperties"].(map[string]any)
	required, _ := schema["required"].([]any)
	out := make(map[string]any, len(object))
	for name, value := range object {
		sub, known := properties[name].(map[string]any)
		switch {
		case known && value == nil && !slices.Contains(required, any(name)) && !allows(sub, "null"):
			// Left out: models say null where they mean nothing.
		case known:
			out[name] = coerce(sub, value)
		case additional != nil:
			out[name] = coerce(additional, value)
		default:
			out[name] = value
		}
	}
	return out
}

// coerceType makes value one of the schema's types where that is unambiguous.
func coerceType(schema map[string]any, value any) any {
	if len(typesOf(schema)) == 0 || allows(schema, typeOf(value)) {
		return value
	}
	switch v := value.(type) {
	case string:
		return coerceText(schema, v)
	case json.Number:
		if allows(schema, "string") {
			if digits, ok := integer(string(v)); ok {
				return digits
			}
			return string(v)
		}
	}
	if allows(schema, "array") && value != nil && typeOf(value) != "object" {
		return []any{value}
	}
	return value
}

// coerceText reads a text where the schema wants something else.
func coerceText(schema map[string]any, text string) any {
	trimmed := strings.TrimSpace(text)
	if allows(schema, "boolean") {
		switch strings.ToLower(trimmed) {
		case "true":
			return true
		case "false":
			return false
		}
	}
	parsed, ok := parseText(trimmed)
	if ok && typeOf(parsed) != "boolean" && allows(schema, typeOf(parsed)) {
		return parsed
	}
	// A text with separators may be one value or several: not ours to guess.
	if allows(schema, "array") && text != "" && !strings.ContainsAny(text, ",;\n[{") {
		return []any{text}
	}
	return text
}

func parseText(text string) (any, bool) {
	if text == "" || !strings.ContainsRune("-0123456789[{", rune(text[0])) {
		return nil, false
	}
	v, err := validator.UnmarshalJSON(bytes.NewReader([]byte(text)))
	if err != nil {
		return nil, false
	}
	_, insane := insaneNumber(v)
	return v, !insane
}

func coerceEnum(schema map[string]any, text string) any {
	words, _ := schema["enum"].([]any)
	found := text
	matches := 0
	for _, w := range words {
		word, ok := w.(string)
		if !ok || word == text {
			return text
		}
		if strings.EqualFold(word, text) {
			found = word
			matches++
		}
	}
	if matches == 1 {
		return found
	}
	return text
}

// typesOf returns the types that a schema names; none means any.
func typesOf(schema map[string]any) []string {
	switch t := schema["type"].(type) {
	case string:
		return []string{t}
	case []any:
		var out []string
		for _, e := range t {
			if s, ok := e.(string); ok {
				out = append(out, s)
			}
		}
		return out
	}
	return nil
}

// allows reports whether a schema takes a type; an integer is a number too, and
// a number may turn out to be an integer.
func allows(schema map[string]any, typ string) bool {
	types := typesOf(schema)
	if typ == "number" {
		return slices.Contains(types, "number") || slices.Contains(types, "integer")
	}
	return len(types) == 0 || slices.Contains(types, typ)
}

// typeOf is the JSON type of a decoded value.
func typeOf(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case json.Number:
		return "number"
	case []any:
		return "array"
	}
	return "object"
}
