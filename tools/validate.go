package tools

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"

	validator "github.com/santhosh-tekuri/jsonschema/v6"
)

// check validates the arguments of a call and returns them ready to be bound.
// Validation is strict; only arguments that fail it are coerced, and what has
// been coerced has to pass the same validation.
func (s *shape) check(tool string, args json.RawMessage) (json.RawMessage, error) {
	schema, err := s.ready()
	if err != nil {
		return nil, err
	}
	args = bytes.TrimSpace(args)
	if len(args) == 0 || string(args) == "null" {
		args = json.RawMessage("{}")
	}
	doc, err := validator.UnmarshalJSON(bytes.NewReader(args))
	if err != nil {
		return nil, Refuse("Invalid arguments for %s: they are not valid JSON.", tool)
	}
	if bad, ok := insaneNumber(doc); ok {
		return nil, Refuse("Invalid arguments for %s: the number %s is out of range.", tool, shorten(bad, 40))
	}
	changed := false
	if schema.Validate(doc) != nil {
		doc, changed = coerce(schema.doc, doc), true
		if err := schema.Validate(doc); err != nil {
			return nil, schema.explain(tool, doc, err)
		}
	}
	doc, rewritten := canonicalIntegers(doc)
	if !changed && !rewritten {
		return args, nil
	}
	canonical, err := json.Marshal(doc)
	if err != nil {
		return nil, fmt.Errorf("encode arguments: %w", err)
	}
	return canonical, nil
}

// bind stores checked arguments in the tool's input struct, which has no field
// for those that Define adds.
func bind(args json.RawMessage, in any) error {
	d := json.NewDecoder(bytes.NewReader(args))
	d.UseNumber()
	err := d.Decode(in)
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		// What the schema lets through and Go does not take: an integer beyond
		// the field's bits.
		return Refuse("Invalid arguments: %s does not fit: the %s is out of range.", wrong.Field, wrong.Value)
	}
	if err != nil {
		return fmt.Errorf("read arguments: %w", err)
	}
	return nil
}

// Bounds of a number that is worth reading. The validator turns numbers into
// exact fractions, and 1e-999999 alone would keep it busy for a long time.
const (
	maxNumberLength = 64
	maxExponent     = 308
)

// insaneNumber returns the first number beyond the bounds.
func insaneNumber(v any) (string, bool) {
	switch x := v.(type) {
	case map[string]any:
		for _, e := range x {
			if bad, ok := insaneNumber(e); ok {
				return bad, true
			}
		}
	case []any:
		for _, e := range x {
			if bad, ok := insaneNumber(e); ok {
				return bad, true
			}
		}
	case json.Number:
		if !sane(string(x)) {
			return string(x), true
		}
	}
	return "", false
}

func sane(number string) bool {
	if len(number) > maxNumberLength {
		return false
	}
	at := strings.IndexAny(number, "eE")
	if at < 0 {
		return true
	}
	exponent, err := strconv.Atoi(strings.TrimPrefix(number[at+1:], "+"))
	return err == nil && exponent >= -maxExponent && exponent <= maxExponent
}

// canonicalIntegers writes 1.0 and 1e3 as 1 and 1000: they are integers to JSON
// Schema, but not to a Go integer. It reports whether it changed anything.
func canonicalIntegers(v any) (any, bool) {
	changed := false
	switch x := v.(type) {
	case map[string]any:
		for k, e := range x {
			if n, c := canonicalIntegers(e); c {
				x[k], changed = n, true
			}
		}
	case []any:
		for i, e := range x {
			if n, c := canonicalIntegers(e); c {
				x[i], changed = n, true
			}
		}
	case json.Number:
		if n, ok := integer(string(x)); ok && n != string(x) {
			return json.Number(n), true
		}
	}
	return v, changed
}

// integer returns the plain digits of a number that is an integer of 64 bits,
// however it is written.
func integer(number string) (string, bool) {
	if !strings.ContainsAny(number, ".eE") {
		return number, true
	}
	r, ok := new(big.Rat).SetString(number)
	if !ok || !r.IsInt() || r.Num().BitLen() > 63 {
		return "", false
	}
	return r.Num().String(), true
}
