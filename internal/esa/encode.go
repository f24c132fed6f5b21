package esa

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
)

// wire is an operation's parameters as they are sent.
type wire struct {
	query map[string]string
	form  map[string]string   // nil if the operation has no form fields
	given map[string]struct{} // parameters that were given a value
}

// site is the id of the one site that the call is about, or empty.
func (w wire) site() string {
	if id := w.query["SiteId"]; id != "" {
		return id
	}
	return w.form["SiteId"]
}

// requireAll refuses a call without a required parameter. Fields inside
// parameters are left to the service: which of them it needs depends on the
// others.
func (w wire) requireAll(op *catalog.Operation) error {
	var missing []string
	for i := range op.Params {
		if p := &op.Params[i]; p.Required {
			if _, ok := w.given[p.Name]; !ok {
				missing = append(missing, p.Name+" ("+typeName(p)+")")
			}
		}
	}
	switch len(missing) {
	case 0:
		return nil
	case 1:
		return fmt.Errorf("required parameter %s is missing: add it", missing[0])
	default:
		return fmt.Errorf("required parameters %s are missing: add them", strings.Join(missing, ", "))
	}
}

// encode matches params to the operation's parameters, checks their types and
// writes them as the official SDK does.
func encode(op *catalog.Operation, params Params) (wire, error) {
	w := wire{query: map[string]string{}, given: make(map[string]struct{}, len(params))}
	if op.HasBody() {
		w.form = map[string]string{}
	}
	for _, name := range slices.Sorted(maps.Keys(params)) {
		p, err := op.FindParam(name)
		if err != nil {
			return wire{}, err
		}
		v, err := normalize(params[name])
		if err != nil {
			return wire{}, fmt.Errorf("parameter %s: %w", p.Name, err)
		}
		if v == nil {
			continue
		}
		if _, twice := w.given[p.Name]; twice {
			return wire{}, fmt.Errorf("parameter %s is given twice, in two spellings: give it once", p.Name)
		}
		w.given[p.Name] = struct{}{}
		if v, err = shape(p.Name, p, v); err != nil {
			return wire{}, err
		}
		pairs := w.query
		if p.In == catalog.InBody {
			pairs = w.form
		}
		if err := write(pairs, p, v); err != nil {
			return wire{}, fmt.Errorf("parameter %s: %w", p.Name, err)
		}
	}
	return w, nil
}

// write puts a shaped value into the pairs.
func write(pairs map[string]string, p *catalog.Param, v any) error {
	switch p.As {
	case catalog.AsJSON:
		text, err := jsonText(v)
		if err != nil {
			return err
		}
		pairs[p.Name] = text
	case catalog.AsFlat:
		return flatten(pairs, p.Name, v)
	default:
		text, err := plainText(v)
		if err != nil {
			return err
		}
		pairs[p.Name] = text
	}
	return nil
}

// flatten writes a list as Name.1, Name.2 and an object as Name.Key.
func flatten(pairs map[string]string, name string, v any) error {
	switch v := v.(type) {
	case []any:
		for i, item := range v {
			if err := flatten(pairs, name+"."+strconv.Itoa(i+1), item); err != nil {
				return err
			}
		}
	case map[string]any:
		for key, item := range v {
			if err := flatten(pairs, name+"."+key, item); err != nil {
				return err
			}
		}
	default:
		text, err := plainText(v)
		if err != nil {
			return err
		}
		pairs[name] = text
	}
	return nil
}

func plainText(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case json.Number:
		return v.String(), nil
	case bool:
		return strconv.FormatBool(v), nil
	default:
		return jsonText(v)
	}
}

// jsonText is compact JSON. HTML characters stay as they are: the text is a
// parameter, not a page.
func jsonText(v any) (string, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return "", fmt.Errorf("encode as JSON: %w", err)
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}

// maxDepth is how deep a parameter may nest; none of the API's nests deeper
// than a dozen.
const maxDepth = 64

var errDepth = errors.New("is nested too deep")

// normalize turns a Go value into nil, string, bool, json.Number, []any or
// map[string]any, without nils inside lists and maps: the library panics on
// them.
func normalize(v any) (any, error) { return normalizeAt(v, 0) }

func normalizeAt(v any, depth int) (any, error) {
	if depth > maxDepth {
		return nil, errDepth
	}
	switch v := v.(type) {
	case nil, string, bool, json.Number:
		return v, nil
	case []byte:
		return string(v), nil
	case int:
		return json.Number(strconv.Itoa(v)), nil
	case int64:
		return json.Number(strconv.FormatInt(v, 10)), nil
	case float64:
		return floatNumber(v)
	case []any:
		return normalizeList(v, depth)
	case map[string]any:
		return normalizeMap(v, depth)
	case Params:
		return normalizeMap(v, depth)
	default:
		return throughJSON(v, depth)
	}
}

func normalizeList(list []any, depth int) (any, error) {
	if list == nil {
		return nil, nil
	}
	out := make([]any, 0, len(list))
	for _, item := range list {
		item, err := normalizeAt(item, depth+1)
		if err != nil {
			return nil, err
		}
		if item != nil {
			out = append(out, item)
		}
	}
	return out, nil
}

func normalizeMap(m map[string]any, depth int) (any, error) {
	if m == nil {
		return nil, nil
	}
	out := make(map[string]any, len(m))
	for key, item := range m {
		item, err := normalizeAt(item, depth+1)
		if err != nil {
			return nil, err
		}
		if item != nil {
			out[key] = item
		}
	}
	return out, nil
}

// throughJSON takes every other type, structs above all, by its JSON form.
func throughJSON(v any, depth int) (any, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("has no JSON form: %w", err)
	}
	decoded, err := decodeJSON(raw)
	if err != nil {
		return nil, fmt.Errorf("has no JSON form: %w", err)
	}
	return normalizeAt(decoded, depth)
}

// exactFloat is the first integer that a float64 cannot tell from its
// neighbour.
const exactFloat = 1 << 53

func floatNumber(f float64) (any, error) {
	if f != f || f-f != 0 {
		return nil, errors.New("is not a finite number")
	}
	if f != float64(int64(f)) {
		return json.Number(strconv.FormatFloat(f, 'g', -1, 64)), nil
	}
	if f >= exactFloat || f <= -exactFloat {
		return nil, errors.New("is too large for a floating-point number and has lost digits: give it as text")
	}
	return json.Number(strconv.FormatInt(int64(f), 10)), nil
}

// decodeJSON decodes one JSON value and nothing after it, numbers as
// json.Number.
func decodeJSON(raw []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("there is more after the JSON value")
	}
	return v, nil
}
