package rules

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
	"github.com/esa-mcp/esa-mcp/internal/local/api"
)

// fields are a configuration's own parameters: text, or a decoded JSON value.
type fields map[string]any

// text returns a field as text; empty if there is none.
func (f fields) text(name string) string {
	s, _ := f[name].(string)
	return s
}

// merge takes the parameters that a call sent into f. One that was sent empty is
// cleared.
func (f fields) merge(params []catalog.Param, sent api.Params) error {
	for i := range params {
		p := &params[i]
		if p.As == catalog.AsJSON {
			var value any
			given, err := sent.JSON(p.Name, &value)
			if err != nil {
				return err
			}
			if given {
				f[p.Name] = value
			}
			continue
		}
		if !sent.Has(p.Name) {
			continue
		}
		text := strings.TrimSpace(sent.String(p.Name))
		if text == "" {
			delete(f, p.Name)
			continue
		}
		if err := checkValue(p, text); err != nil {
			return err
		}
		f[p.Name] = text
		if p.Type == "boolean" {
			f[p.Name] = strings.EqualFold(text, "true")
		}
	}
	return nil
}

// checkValue refuses values outside of what the catalogue lists.
func checkValue(p *catalog.Param, text string) error {
	if len(p.Enum) > 0 {
		values := []string{text}
		if p.Separator != "" {
			values = strings.Split(text, p.Separator)
		}
		for _, v := range values {
			if !slices.Contains(p.Enum, catalog.EnumValue(strings.TrimSpace(v))) {
				return invalid(p.Name, "it must be one of %s, not %q", list(p.Enum), v)
			}
		}
	}
	if p.Min != nil && p.Max != nil {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < *p.Min || n > *p.Max {
			return invalid(p.Name, "it must be a number between %d and %d, not %q", *p.Min, *p.Max, text)
		}
	}
	return nil
}

func list(values []catalog.EnumValue) string {
	words := make([]string, len(values))
	for i, v := range values {
		words[i] = string(v)
	}
	return strings.Join(words, ", ")
}

// invalid is the service's refusal of a parameter's value.
func invalid(name, format string, args ...any) *api.Error {
	return api.Errorf(400, "Invalid"+name, "Specified parameter %s is not valid: %s.", name, fmt.Sprintf(format, args...))
}

// decodeFields reads what encode wrote.
func decodeFields(text string) (fields, error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	f := fields{}
	if err := d.Decode(&f); err != nil {
		return nil, fmt.Errorf("read a stored configuration: %w", err)
	}
	return f, nil
}

func (f fields) encode() (string, error) {
	raw, err := json.Marshal(f)
	if err != nil {
		return "", fmt.Errorf("write a configuration: %w", err)
	}
	return string(raw), nil
}
