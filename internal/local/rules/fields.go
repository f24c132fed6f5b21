package rules

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/values"
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
		if err := values.Check(p, text); err != nil {
			return err
		}
		f[p.Name] = text
		if p.Type == "boolean" {
			f[p.Name] = strings.EqualFold(text, "true")
		}
	}
	return nil
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
