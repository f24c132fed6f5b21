package tools

import (
	"encoding/json"

	"github.com/invopop/jsonschema"
)

// slim is an input schema as clients get to see it, and models pay for: without
// what only the validation needs, and without what the instructions say once for
// all tools. Arguments are checked against the whole
// schema all the same, and an error tells what a slip broke.
func slim(whole json.RawMessage) json.RawMessage {
	var s jsonschema.Schema
	if err := json.Unmarshal(whole, &s); err != nil {
		return whole
	}
	strict := s.AdditionalProperties
	drop(&s)
	undescribed := plainArguments()
	for _, a := range sharedArguments() {
		undescribed = append(undescribed, a.name)
	}
	for _, name := range undescribed {
		if p, ok := s.Properties.Get(name); ok {
			p.Description = ""
		}
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

// drop takes out refusals of more properties, patterns and lengths of texts, and
// lower bounds that go without saying. Enumerations, defaults and upper bounds
// stay: they guide.
func drop(s *jsonschema.Schema) {
	if s == nil {
		return
	}
	s.Pattern, s.MinLength, s.MaxLength = "", nil, nil
	if s.Minimum == "0" || s.Minimum == "1" {
		s.Minimum = ""
	}
	if isFalse(s.AdditionalProperties) {
		s.AdditionalProperties = nil
	}
	drop(s.AdditionalProperties)
	drop(s.Items)
	for pair := s.Properties.Oldest(); pair != nil; pair = pair.Next() {
		drop(pair.Value)
	}
}

func isFalse(s *jsonschema.Schema) bool {
	if s == nil {
		return false
	}
	raw, err := s.MarshalJSON()
	return err == nil && string(raw) == "false"
}
