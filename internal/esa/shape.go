package esa

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
)

// shape checks a normalized value against a parameter and returns it as the
// parameter's type. Values that can only be meant one way are converted: "42"
// for a number, "true" for a boolean, JSON text for a list or object.
func shape(path string, p *catalog.Param, v any) (any, error) {
	switch p.Type {
	case "string":
		return shapeString(path, p, v)
	case "integer":
		return shapeInteger(path, p, v, 32)
	case "long":
		return shapeInteger(path, p, v, 64)
	case "number":
		return shapeNumber(path, p, v)
	case "boolean":
		return shapeBool(path, p, v)
	case "array":
		return shapeArray(path, p, v)
	case "object":
		return shapeObject(path, p, v)
	case "map":
		return shapeMap(path, p, v)
	default:
		return shapeAny(path, p, v)
	}
}

// mismatch names the parameter, what it takes and what it got. The value itself
// is shown only where it is short, plain and no secret.
func mismatch(path string, p *catalog.Param, v any, fix string) error {
	got := ""
	switch v := v.(type) {
	case string:
		got = "text"
		if !p.Secret && utf8.RuneCountInString(v) <= 40 {
			got = strconv.Quote(v)
		}
	case json.Number:
		got = "a number"
		if !p.Secret {
			got = "the number " + v.String()
		}
	case bool:
		got = strconv.FormatBool(v)
	case []any:
		got = "a list"
	case map[string]any:
		got = "an object"
	}
	return fmt.Errorf("parameter %s takes %s, not %s: %s", path, typeName(p), got, fix)
}

func typeName(p *catalog.Param) string {
	switch p.Type {
	case "string":
		return "text"
	case "integer":
		return "a 32-bit integer"
	case "long":
		return "a 64-bit integer"
	case "number":
		return "a number"
	case "boolean":
		return "true or false"
	case "array":
		return "a list"
	case "object", "map":
		return "an object"
	default:
		return "any JSON value"
	}
}

func shapeString(path string, p *catalog.Param, v any) (any, error) {
	switch v := v.(type) {
	case string:
		if !utf8.ValidString(v) {
			return nil, fmt.Errorf("parameter %s is not valid UTF-8: give binary data in base64 where the operation takes it", path)
		}
		return v, nil
	case json.Number:
		return v.String(), nil
	case bool:
		// Many switches of the API are the texts on and off.
		if hasEnum(p, "on") && hasEnum(p, "off") {
			if v {
				return "on", nil
			}
			return "off", nil
		}
		return strconv.FormatBool(v), nil
	case []any:
		if p.Separator != "" {
			return joinList(path, p, v)
		}
	}
	return nil, mismatch(path, p, v, "give a string; if it is to hold JSON, give the JSON text")
}

func hasEnum(p *catalog.Param, value catalog.EnumValue) bool { return slices.Contains(p.Enum, value) }

// joinList writes a list for a text that holds several values.
func joinList(path string, p *catalog.Param, list []any) (any, error) {
	parts := make([]string, len(list))
	for i, item := range list {
		switch item.(type) {
		case []any, map[string]any:
			return nil, mismatch(fmt.Sprintf("%s[%d]", path, i), p, item, "give a plain value")
		}
		text, err := plainText(item)
		if err != nil {
			return nil, fmt.Errorf("parameter %s: %w", path, err)
		}
		parts[i] = text
	}
	return shapeString(path, p, strings.Join(parts, p.Separator))
}

func shapeInteger(path string, p *catalog.Param, v any, bits int) (any, error) {
	var text string
	switch v := v.(type) {
	case json.Number:
		text = v.String()
	case string:
		text = strings.TrimSpace(v)
	default:
		return nil, mismatch(path, p, v, "give an integer")
	}
	n, err := parseInteger(text)
	if err != nil {
		return nil, mismatch(path, p, v, err.Error())
	}
	if bits == 32 && (n < math.MinInt32 || n > math.MaxInt32) {
		return nil, mismatch(path, p, v, "give one between -2147483648 and 2147483647")
	}
	return json.Number(strconv.FormatInt(n, 10)), nil
}

// parseInteger also takes 5.0 and 1e3, which JSON encoders write for integers.
func parseInteger(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err == nil {
		return n, nil
	}
	if strings.ContainsAny(text, ".eE") && !strings.ContainsAny(text, "xXpP_") {
		f, ferr := strconv.ParseFloat(text, 64)
		if ferr == nil && f == math.Trunc(f) && math.Abs(f) < exactFloat {
			return int64(f), nil
		}
	}
	return 0, fmt.Errorf("give an integer that fits 64 bits, such as 1234567890123")
}

func shapeNumber(path string, p *catalog.Param, v any) (any, error) {
	text := ""
	switch v := v.(type) {
	case json.Number:
		text = v.String()
	case string:
		text = strings.TrimSpace(v)
	}
	// json.Valid keeps out what ParseFloat takes and JSON does not: 0x1p2, Inf.
	if _, err := strconv.ParseFloat(text, 64); err != nil || !json.Valid([]byte(text)) {
		return nil, mismatch(path, p, v, "give a number such as 1.5")
	}
	return json.Number(text), nil
}

func shapeBool(path string, p *catalog.Param, v any) (any, error) {
	switch v := v.(type) {
	case bool:
		return v, nil
	case string:
		switch strings.ToLower(strings.TrimSpace(v)) {
		case "true":
			return true, nil
		case "false":
			return false, nil
		}
	}
	return nil, mismatch(path, p, v, "give true or false")
}

func shapeArray(path string, p *catalog.Param, v any) (any, error) {
	list, ok := fromText(v).([]any)
	if !ok {
		return nil, mismatch(path, p, v, "give a JSON array")
	}
	if p.Items == nil {
		return list, nil
	}
	out := make([]any, len(list))
	for i, item := range list {
		item, err := shape(fmt.Sprintf("%s[%d]", path, i), p.Items, item)
		if err != nil {
			return nil, err
		}
		out[i] = item
	}
	return out, nil
}

func shapeObject(path string, p *catalog.Param, v any) (any, error) {
	object, ok := fromText(v).(map[string]any)
	if !ok {
		return nil, mismatch(path, p, v, "give a JSON object")
	}
	fields := p.Fields
	if p.Ref != "" {
		if of, ok := catalog.Model(p.Ref); ok {
			fields = of
		}
	}
	if len(fields) == 0 {
		return object, nil
	}
	// The catalogue matches names of an operation; an object's fields are
	// matched the same way.
	known := catalog.Operation{Action: "parameter " + path, Params: fields}
	out := make(map[string]any, len(object))
	for _, name := range slices.Sorted(maps.Keys(object)) {
		field, err := known.FindParam(name)
		if err != nil {
			return nil, err
		}
		if _, twice := out[field.Name]; twice {
			return nil, fmt.Errorf("parameter %s.%s is given twice, in two spellings: give it once", path, field.Name)
		}
		if out[field.Name], err = shape(path+"."+field.Name, field, object[name]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func shapeMap(path string, p *catalog.Param, v any) (any, error) {
	object, ok := fromText(v).(map[string]any)
	if !ok {
		return nil, mismatch(path, p, v, "give a JSON object")
	}
	if p.Values == nil {
		return object, nil
	}
	out := make(map[string]any, len(object))
	for _, key := range slices.Sorted(maps.Keys(object)) {
		item, err := shape(path+"."+key, p.Values, object[key])
		if err != nil {
			return nil, err
		}
		out[key] = item
	}
	return out, nil
}

// shapeAny passes everything but text that has to be JSON and is not.
func shapeAny(path string, p *catalog.Param, v any) (any, error) {
	if text, ok := v.(string); ok && p.TextOf == "json" && !json.Valid([]byte(text)) {
		return nil, mismatch(path, p, v, "give an object, or its JSON text")
	}
	return v, nil
}

// fromText decodes a list or object that came as its JSON text, which models
// like to write; anything else it returns as it is.
func fromText(v any) any {
	text, ok := v.(string)
	if !ok || !strings.ContainsAny(text, "[{") {
		return v
	}
	decoded, err := decodeJSON([]byte(text))
	if err != nil {
		return v
	}
	clean, err := normalize(decoded)
	if err != nil {
		return v
	}
	return clean
}
