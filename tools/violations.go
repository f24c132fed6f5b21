package tools

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"

	validator "github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
)

// maxViolations bounds the list that a model has to read.
const maxViolations = 20

// explain turns a failed validation into one readable refusal that lists every
// violation: where, what was found, what is wanted.
func (c *compiledSchema) explain(tool string, doc any, err error) error {
	var failed *validator.ValidationError
	if !errors.As(err, &failed) {
		return fmt.Errorf("validate arguments: %w", err)
	}
	var lines []string
	var walk func(*validator.ValidationError)
	walk = func(e *validator.ValidationError) {
		if len(e.Causes) == 0 {
			lines = append(lines, c.describe(doc, e)...)
		}
		for _, cause := range e.Causes {
			walk(cause)
		}
	}
	walk(failed)
	// The validator goes through maps: sort for a stable answer.
	slices.Sort(lines)
	lines = slices.Compact(lines)
	if len(lines) == 1 {
		return Refuse("Invalid arguments for %s: %s.", tool, lines[0])
	}
	if more := len(lines) - maxViolations; more > 0 {
		lines = append(lines[:maxViolations], fmt.Sprintf("and %d more", more))
	}
	return Refuse("Invalid arguments for %s:\n- %s", tool, strings.Join(lines, "\n- "))
}

// describe returns the lines for one violation.
func (c *compiledSchema) describe(doc any, e *validator.ValidationError) []string {
	path, found, schema := c.locate(doc, e.InstanceLocation)
	at := path
	if at == "" {
		at = "the arguments"
	}
	one := func(format string, a ...any) []string {
		return []string{at + ": " + fmt.Sprintf(format, a...)}
	}
	switch k := e.ErrorKind.(type) {
	case *kind.AdditionalProperties:
		return unknownArguments(path, schema, k.Properties)
	case *kind.Required:
		var lines []string
		for _, name := range k.Missing {
			lines = append(lines, join(path, name)+": missing, "+wanted(property(schema, name)))
		}
		return lines
	case *kind.Type:
		return one("want %s, found %s", article(strings.Join(k.Want, " or ")), show(found))
	case *kind.Enum:
		return one("%s is not one of %s", show(found), list(k.Want))
	case *kind.Const:
		return one("%s is not %s", show(found), encode(k.Want))
	case *kind.Pattern:
		text := fmt.Sprintf("%s does not have the form %s", show(found), k.Want)
		if d, ok := schema["description"].(string); ok {
			text += " (" + strings.TrimSuffix(shorten(d, 120), ".") + ")"
		}
		return one("%s", text)
	case *kind.Format:
		return one("%s is not a valid %s", show(found), k.Want)
	case *kind.Minimum:
		return one("%s is less than the minimum of %s", show(found), number(k.Want))
	case *kind.Maximum:
		return one("%s is more than the maximum of %s", show(found), number(k.Want))
	case *kind.ExclusiveMinimum:
		return one("%s is not more than %s", show(found), number(k.Want))
	case *kind.ExclusiveMaximum:
		return one("%s is not less than %s", show(found), number(k.Want))
	case *kind.MinLength:
		return one("%d characters, want at least %d", k.Got, k.Want)
	case *kind.MaxLength:
		return one("%d characters, want at most %d", k.Got, k.Want)
	case *kind.MinItems:
		return one("%d elements, want at least %d", k.Got, k.Want)
	case *kind.MaxItems:
		return one("%d elements, want at most %d", k.Got, k.Want)
	case *kind.UniqueItems:
		return one("elements %d and %d are equal", k.Duplicates[0], k.Duplicates[1])
	}
	return one("%s", e.ErrorKind.LocalizedString(message.NewPrinter(language.English)))
}

// locate follows a location through the document and the schema. The path is for
// people: a.b[2].
func (c *compiledSchema) locate(doc any, location []string) (path string, found any, schema map[string]any) {
	found, schema = doc, c.doc
	for _, step := range location {
		switch v := found.(type) {
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(v) {
				return path, nil, nil
			}
			path += "[" + step + "]"
			found = v[i]
			schema, _ = schema["items"].(map[string]any)
		case map[string]any:
			path = join(path, step)
			found = v[step]
			schema = property(schema, step)
		}
	}
	return path, found, schema
}

func property(schema map[string]any, name string) map[string]any {
	properties, _ := schema["properties"].(map[string]any)
	if sub, ok := properties[name].(map[string]any); ok {
		return sub
	}
	sub, _ := schema["additionalProperties"].(map[string]any)
	return sub
}

func unknownArguments(path string, schema map[string]any, unknown []string) []string {
	properties, _ := schema["properties"].(map[string]any)
	names := make([]string, 0, len(properties))
	for name := range properties {
		names = append(names, name)
	}
	slices.Sort(names)
	what, where := "argument", ""
	if path != "" {
		what, where = "field", " of "+path
	}
	lines := make([]string, len(unknown))
	for i, name := range unknown {
		line := fmt.Sprintf("unknown %s %q%s: ", what, shorten(name, 60), where)
		if len(names) == 0 {
			lines[i] = line + "there are none"
			continue
		}
		the := "the"
		if near := Nearest(name, names); catalog.Similar(shorten(name, 60), near) {
			the = fmt.Sprintf("did you mean %q? The", near)
		}
		lines[i] = line + fmt.Sprintf("%s %ss are %s", the, what, strings.Join(names, ", "))
	}
	return lines
}

// wanted says what a missing argument is.
func wanted(schema map[string]any) string {
	if words, ok := schema["enum"].([]any); ok {
		return "want one of " + list(words)
	}
	s := "want a value"
	if types := typesOf(schema); len(types) > 0 {
		s = "want " + article(strings.Join(types, " or "))
	}
	if d, ok := schema["description"].(string); ok {
		s += " (" + strings.TrimSuffix(shorten(d, 120), ".") + ")"
	}
	return s
}

func join(path, name string) string {
	if path == "" {
		return shorten(name, 60)
	}
	return path + "." + shorten(name, 60)
}

func article(noun string) string {
	if strings.ContainsRune("aeiou", rune(noun[0])) {
		return "an " + noun
	}
	return "a " + noun
}

// show gives a found value with its type, short enough for a message.
func show(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		return "the text " + encode(shorten(v, 60))
	case json.Number:
		return shorten(string(v), 40)
	case bool:
		return strconv.FormatBool(v)
	case []any:
		return fmt.Sprintf("a list of %d", len(v))
	}
	return "an object"
}

func list(values []any) string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = encode(v)
	}
	return strings.Join(texts, ", ")
}

func encode(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}

func number(r *big.Rat) string {
	if r.IsInt() {
		return r.Num().String()
	}
	f, _ := r.Float64()
	return strconv.FormatFloat(f, 'g', -1, 64)
}

// shorten cuts a text to at most n runes.
func shorten(s string, n int) string {
	if len(s) <= n {
		return s
	}
	runes := 0
	for i := range s {
		if runes == n {
			return s[:i] + "..."
		}
		runes++
	}
	return s
}

// DidYouMean ends a sentence about a name that there is not: by asking for the
// candidate that it may have been meant to be, or at once if it is like none.
func DidYouMean(name string, candidates []string) string {
	if near := Nearest(name, candidates); catalog.Similar(shorten(name, 60), near) {
		return fmt.Sprintf(": did you mean %q?", near)
	}
	return "."
}

// Nearest returns the candidate that name was probably meant to be.
func Nearest(name string, candidates []string) string {
	// The distance takes time of both lengths: no name of ours is long.
	return catalog.Nearest(shorten(name, 60), candidates)
}
