// Package localtest has what tests of the local ESA share: whether an answer has
// the shape that the catalogue describes.
package localtest

import (
	"bytes"
	"encoding/json"
	"fmt"

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

func fitsLeaf(want string, value any, path string) error {
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
