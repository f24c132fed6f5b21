package values

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
	"github.com/esa-mcp/esa-mcp/internal/local/api"
)

// Typed checks a text and returns it as the parameter's type: a number as
// json.Number in its plain form (5 for +5 and 05), true or false, or the text.
func Typed(p *catalog.Param, text string) (any, *api.Error) {
	if err := Check(p, text); err != nil {
		return nil, err
	}
	trimmed := strings.TrimSpace(text)
	switch p.Type {
	case "integer", "long":
		n, _ := strconv.ParseInt(trimmed, 10, 64) // which Check has tried
		return json.Number(strconv.FormatInt(n, 10)), nil
	case "number":
		n, _ := strconv.ParseFloat(trimmed, 64)
		return json.Number(strconv.FormatFloat(n, 'f', -1, 64)), nil
	case "boolean":
		return strings.EqualFold(trimmed, "true"), nil
	}
	return text, nil
}

// Tree checks a decoded JSON value and all within it, and returns it with each
// value as its type, so that whoever reads what is kept finds what the catalogue
// says: a 5 that was sent as "5" is a number. Members that are null, empty
// though they are no texts, or that the catalogue lacks count as not sent. path
// is what refusals call the value by.
func Tree(p *catalog.Param, path string, value any) (any, error) {
	switch p.Type {
	case "array":
		return treeList(p, path, value)
	case "object", "map":
		members, ok := value.(map[string]any)
		if !ok {
			return nil, refuse(path, "must be an object")
		}
		if p.Type == "map" {
			return treeMap(p, path, members)
		}
		fields := p.Fields
		if p.Ref != "" {
			fields, _ = catalog.Model(p.Ref)
		}
		return Members(fields, path, members)
	case "any":
		return value, nil
	}
	switch value.(type) {
	case nil:
		return nil, refuse(path, "must be a value, not null")
	case map[string]any:
		return nil, refuse(path, "must be one value, not an object")
	case []any:
		return nil, refuse(path, "must be one value, not a list")
	}
	typed, err := Typed(p, api.Text(value))
	if err != nil {
		_, why, _ := strings.Cut(err.Message, ": ") // without the name, which path has
		return nil, refuse(path, "is not valid: %s", strings.TrimSuffix(why, "."))
	}
	return typed, nil
}

func treeList(p *catalog.Param, path string, value any) (any, error) {
	list, ok := value.([]any)
	if !ok {
		return nil, refuse(path, "must be a list")
	}
	if p.MaxItems > 0 && len(list) > p.MaxItems {
		return nil, refuse(path, "has %d entries, more than %d", len(list), p.MaxItems)
	}
	if p.Items == nil {
		return list, nil
	}
	out := make([]any, len(list))
	for i, entry := range list {
		var err error
		if out[i], err = Tree(p.Items, fmt.Sprintf("%s[%d]", path, i), entry); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func treeMap(p *catalog.Param, path string, members map[string]any) (any, error) {
	if p.Values == nil {
		return members, nil
	}
	out := make(map[string]any, len(members))
	for name, value := range members {
		var err error
		if out[name], err = Tree(p.Values, path+"."+name, value); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Members is Tree for the members of an object.
func Members(fields []catalog.Param, path string, members map[string]any) (map[string]any, error) {
	out := make(map[string]any, len(members))
	for i := range fields {
		f := &fields[i]
		value, given := members[f.Name]
		if !given || value == nil || value == "" {
			if f.Required {
				return nil, refuse(path, "lacks %s", f.Name)
			}
			if given && value != nil && (f.Type == "string" || f.Type == "any") {
				out[f.Name] = value
			}
			continue
		}
		var err error
		if out[f.Name], err = Tree(f, path+"."+f.Name, value); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// refuse is the refusal of what is at a path of a parameter.
func refuse(path, format string, args ...any) *api.Error {
	root, _, _ := strings.Cut(strings.ReplaceAll(path, "[", "."), ".")
	return Invalid(root, "%s %s", path, fmt.Sprintf(format, args...))
}
