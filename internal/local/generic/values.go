package generic

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/values"
)

// take reads the parameters that a call sent, typed and checked as the catalogue
// has them. One that was sent empty is nil.
func take(op *catalog.Operation, sent api.Params) (map[string]any, error) {
	taken := map[string]any{}
	for i := range op.Params {
		p := &op.Params[i]
		if p.System {
			continue
		}
		value, given, err := takeOne(p, sent)
		if err != nil {
			return nil, err
		}
		if given {
			taken[p.Name] = value
		}
	}
	return taken, nil
}

func takeOne(p *catalog.Param, sent api.Params) (value any, given bool, err error) {
	if p.As == catalog.AsJSON || p.TextOf == "json" {
		given, err := sent.JSON(p.Name, &value)
		if err == nil && given {
			value, err = values.Tree(p, p.Name, value)
		}
		return value, given, err
	}
	if !sent.Has(p.Name) {
		return nil, false, nil
	}
	text := sent.String(p.Name)
	if strings.TrimSpace(text) == "" && p.Type != "string" {
		return nil, true, nil
	}
	typed, refused := values.Typed(p, text)
	if refused != nil {
		return nil, false, refused
	}
	return typed, true, nil
}

// number is a value as an integer; 0 if it is none.
func number(value any) int64 {
	n, err := strconv.ParseInt(strings.TrimSpace(api.Text(value)), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// list is a value as a list; nil if it is none.
func list(value any) []any {
	l, _ := value.([]any)
	return l
}

// object is a value as an object; nil if it is none.
func object(value any) map[string]any {
	o, _ := value.(map[string]any)
	return o
}

// length refuses a text that has more characters than most.
func length(name, text string, most int) error {
	if n := utf8.RuneCountInString(text); n > most {
		return values.Invalid(name, "it has %d characters, more than %d", n, most)
	}
	return nil
}

// oneOf refuses a text that is none of known.
func oneOf(name, text string, known ...string) error {
	if !slices.Contains(known, text) {
		return values.Invalid(name, "it must be one of %s, not %q", strings.Join(known, ", "), text)
	}
	return nil
}

// within refuses an integer outside of a range; an absent one is fine.
func within(name string, value any, least, most int64) error {
	if api.Text(value) == "" {
		return nil
	}
	n, err := strconv.ParseInt(strings.TrimSpace(api.Text(value)), 10, 64)
	if err != nil || n < least || n > most {
		return values.Invalid(name, "it must be an integer between %d and %d, not %q", least, most, api.Text(value))
	}
	return nil
}
