package tools

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// maxResult bounds the JSON of one result, in bytes. A model pays for every byte
// and clients cut what is too long without a word, so a larger result is refused
// with the way to a smaller one.
const maxResult = 100_000

// Noted is embedded in the output of a tool whose calls may carry notes.
type Noted struct {
	Notes []esa.Note `json:"notes,omitempty" jsonschema_description:"What was changed before sending, and what else is to be known"`
}

// Note adds the notes of a call to the output.
func (n *Noted) Note(notes ...esa.Note) { n.Notes = append(n.Notes, notes...) }

// noted is an output that has notes.
type noted interface{ addMissing(notes []esa.Note) }

// addMissing adds what the guardrails said of calls, each note once: several
// calls of a tool can bring the same.
func (n *Noted) addMissing(notes []esa.Note) {
	for _, note := range notes {
		if !slices.Contains(n.Notes, note) {
			n.Notes = append(n.Notes, note)
		}
	}
}

// encode makes the JSON of a result. out is a pointer to it.
func (t Tool) encode(out any) (json.RawMessage, error) {
	fillNil(reflect.ValueOf(out).Elem())
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false) // the model reads this: <, not \u003c
	if err := e.Encode(out); err != nil {
		return nil, fmt.Errorf("encode the result: %w", err)
	}
	raw := bytes.TrimRight(buf.Bytes(), "\n")
	if len(raw) > maxResult {
		return nil, Refuse("The result of %s has %d bytes, more than the limit of %d. %s",
			t.meta.Name, len(raw), maxResult, t.narrower())
	}
	return raw, nil
}

// narrower says which arguments of the tool make its result smaller.
func (t Tool) narrower() string {
	var paging, filters []string
	if schema, err := t.in.ready(); err == nil {
		properties, _ := schema.doc["properties"].(map[string]any)
		for name := range properties {
			switch name {
			case "page", "page_size", "limit", "offset", "max_bytes":
				paging = append(paging, name)
			case "name", "prefix", "type", "status", "query", "fields", "jq":
				filters = append(filters, name)
			}
		}
	}
	slices.Sort(paging)
	slices.Sort(filters)
	switch all := append(paging, filters...); {
	case len(all) > 0:
		return "Ask for less at a time: use " + strings.Join(all, ", ") + "."
	default:
		return "Ask for less at a time."
	}
}

// fillNil makes nil slices and maps empty, because the schema promises an array
// or an object and nil would become null. Fields with omitempty stay left out.
func fillNil(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			fillNil(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Field(i); f.CanSet() {
				fillNil(f)
			}
		}
	case reflect.Slice:
		fillSlice(v)
	case reflect.Array:
		for i := range v.Len() {
			fillNil(v.Index(i))
		}
	case reflect.Map:
		fillMap(v)
	}
}

func fillSlice(v reflect.Value) {
	if v.Type() == reflect.TypeFor[json.RawMessage]() {
		return // empty raw JSON is not JSON; nil is null
	}
	if v.IsNil() {
		v.Set(reflect.MakeSlice(v.Type(), 0, 0))
		return
	}
	if holdsNil(v.Type().Elem()) {
		for i := range v.Len() {
			fillNil(v.Index(i))
		}
	}
}

func fillMap(v reflect.Value) {
	if v.IsNil() {
		v.Set(reflect.MakeMap(v.Type()))
		return
	}
	if !holdsNil(v.Type().Elem()) {
		return
	}
	for _, key := range v.MapKeys() {
		// Values in a map cannot be changed in place.
		value := reflect.New(v.Type().Elem()).Elem()
		value.Set(v.MapIndex(key))
		fillNil(value)
		v.SetMapIndex(key, value)
	}
}

// holdsNil reports whether values of a type may contain slices or maps to fill.
func holdsNil(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Pointer, reflect.Struct, reflect.Slice, reflect.Array, reflect.Map:
		return true
	}
	return false
}
