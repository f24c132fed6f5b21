package tools

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode"

	"github.com/invopop/jsonschema"
)

// slim is a tool's input schema as clients get to see it, and models pay for:
// without what only the validation needs, what the instructions say once for all
// tools, and what goes without saying. Arguments are checked against the whole
// schema all the same, and an error tells what a slip broke.
func slim(tool string, whole json.RawMessage) json.RawMessage {
	var s jsonschema.Schema
	if err := json.Unmarshal(whole, &s); err != nil {
		return whole
	}
	strict := s.AdditionalProperties
	drop(&s, nameWords(tool))
	undescribed := plainArguments()
	for _, a := range sharedArguments() {
		undescribed = append(undescribed, a.name)
	}
	for _, name := range undescribed {
		if p, ok := s.Properties.Get(name); ok {
			p.Description = ""
		}
	}
	if p, ok := s.Properties.Get("page"); ok {
		p.Default = nil // pages are counted from 1
	}
	if isFalse(strict) {
		s.AdditionalProperties = strict // strict at the top, for all to see
	}
	raw, err := json.Marshal(&s)
	if err != nil {
		return whole
	}
	return raw
}

// drop takes out refusals of more properties, patterns and lengths of texts,
// lower bounds that go without saying, and descriptions that only repeat words of
// the names around them. Enumerations, defaults and upper bounds stay: they guide.
func drop(s *jsonschema.Schema, around []string) {
	if s == nil {
		return
	}
	s.Pattern, s.MinLength, s.MaxLength = "", nil, nil
	if s.Minimum == "0" || s.Minimum == "1" {
		s.Minimum = ""
	}
	if s.MinItems != nil && *s.MinItems == 1 {
		s.MinItems = nil
	}
	if isFalse(s.AdditionalProperties) || isAny(s.AdditionalProperties) {
		s.AdditionalProperties = nil
	}
	drop(s.AdditionalProperties, around)
	drop(s.Items, around)
	for pair := s.Properties.Oldest(); pair != nil; pair = pair.Next() {
		names := append(nameWords(pair.Key), around...)
		drop(pair.Value, names)
		if repeats(pair.Value.Description, names) {
			pair.Value.Description = ""
		}
	}
}

// repeats reports whether a description has no word that is not in the names
// around it: "Routine name" for the name of delete_routine.
func repeats(description string, names []string) bool {
	for _, word := range nameWords(description) {
		if !slices.Contains(names, word) {
			return false
		}
	}
	return true
}

// nameWords are the words of a name or text, lower case and in the singular.
func nameWords(text string) []string {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	for i, w := range words {
		words[i] = strings.TrimSuffix(w, "s")
	}
	return words
}

// isAny reports whether a schema allows anything and says no more than that.
func isAny(s *jsonschema.Schema) bool {
	return s != nil && s.Type == "" && s.Description == anyValue
}

func isFalse(s *jsonschema.Schema) bool {
	if s == nil {
		return false
	}
	raw, err := s.MarshalJSON()
	return err == nil && string(raw) == "false"
}
