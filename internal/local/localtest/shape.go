// Package localtest has what tests of the local ESA share: whether an answer has
// the shape that the catalogue describes.
package localtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
)

// Fits reports what in an operation's answer is not as the catalogue has it:
// unknown members, and values of another type. Members may be missing.
func Fits(action string, answer []byte) error {
	op, ok := catalog.Lookup(action)
	if !ok {
		return fmt.Errorf("no operation %s", action)
	}
	var shape any
	if err := json.Unmarshal(op.Response, &shape); err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(answer))
	d.UseNumber()
	var value any
	if err := d.Decode(&value); err != nil {
		return err
	}
	return fits(shape, value, action)
}

func fits(shape, value any, path string) error {
	switch shape := shape.(type) {
	case string:
		return fitsLeaf(shape, value, path)
	case []any:
		list, ok := value.([]any)
		if !ok {
			return fmt.Errorf("%s is %T, not a list", path, value)
		}
		for i, v := range list {
			if err := fits(shape[0], v, fmt.Sprintf("%s[%d]", path, i)); err != nil {
				return err
			}
		}
	case map[string]any:
		members, ok := value.(map[string]any)
		if !ok {
			return fmt.Errorf("%s is %T, not an object", path, value)
		}
		every, isMap := shape["*"]
		for name, v := range members {
			want, known := shape[name]
			if isMap {
				want, known = every, true
			}
			if !known {
				return fmt.Errorf("%s has a member %s", path, name)
			}
			if err := fits(want, v, path+"."+name); err != nil {
				return err
			}
		}
	}
	return nil
}

// fitsModel is fits for the members of an object that is described by fields, as
// parameters are.
func fitsModel(fields []catalog.Param, value any, path string) error {
	members, ok := value.(map[string]any)
	if !ok {
		return fmt.Errorf("%s is %T, not an object", path, value)
	}
	for name, v := range members {
		i := slices.IndexFunc(fields, func(f catalog.Param) bool { return f.Name == name })
		if i < 0 {
			return fmt.Errorf("%s has a member %s", path, name)
		}
		if err := fitsParam(&fields[i], v, path+"."+name); err != nil {
			return err
		}
	}
	return nil
}

func fitsParam(p *catalog.Param, value any, path string) error {
	switch {
	case p.Ref != "":
		return fitsLeaf(model+p.Ref, value, path)
	case p.Type == "object":
		return fitsModel(p.Fields, value, path)
	case p.Type == "array":
		list, ok := value.([]any)
		if !ok {
			return fmt.Errorf("%s is %T, not a list", path, value)
		}
		for i, v := range list {
			if err := fitsParam(p.Items, v, fmt.Sprintf("%s[%d]", path, i)); err != nil {
				return err
			}
		}
		return nil
	}
	return fitsLeaf(p.Type, value, path)
}

// model is what the names of models begin with where a shape refers to one.
const model = "ref:"

func fitsLeaf(want string, value any, path string) error {
	if name, is := strings.CutPrefix(want, model); is {
		fields, known := catalog.Model(name)
		if !known {
			return fmt.Errorf("%s: no model %s", path, name)
		}
		return fitsModel(fields, value, path)
	}
	ok := true
	switch want {
	case "string":
		_, ok = value.(string)
	case "boolean":
		_, ok = value.(bool)
	case "number":
		_, ok = value.(json.Number)
	case "integer", "long":
		n, isNumber := value.(json.Number)
		ok = isNumber
		if ok {
			_, err := n.Int64()
			ok = err == nil
		}
	}
	if !ok {
		return fmt.Errorf("%s is %T %v, not a %s", path, value, value, want)
	}
	return nil
}
