package tools

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"reflect"
	"sync"

	"github.com/invopop/jsonschema"
	validator "github.com/santhosh-tekuri/jsonschema/v6"
)

// The schemas of all tools, made ahead of time by
//
//	go test ./tools -run Schemas -update
//
// so that starting the server neither reflects nor compiles anything. A test
// compares them with the structs.
//
//go:embed schemas
var schemaFiles embed.FS

// shape is one struct of a tool, input or output, as a JSON schema.
type shape struct {
	file string
	typ  reflect.Type
	// add completes the struct's schema with what all tools share.
	add func(*jsonschema.Schema)

	compile  sync.Once
	compiled *compiledSchema
	failed   error
}

// compiledSchema is a schema ready to validate, and its text for messages and
// coercion.
type compiledSchema struct {
	*validator.Schema
	doc map[string]any
}

// schema returns the generated text. A tool without one, which the tests refuse,
// still works: its schema is made on the spot.
func (s *shape) schema() json.RawMessage {
	raw, err := schemaFiles.ReadFile(s.file)
	if err != nil {
		return s.reflect()
	}
	return raw
}

// reflect makes the text of the struct.
func (s *shape) reflect() json.RawMessage { return reflectSchema(s.typ, s.add) }

// ready compiles the schema when it is first needed.
func (s *shape) ready() (*compiledSchema, error) {
	s.compile.Do(func() { s.compiled, s.failed = compileSchema(s.file, s.schema()) })
	return s.compiled, s.failed
}

func compileSchema(name string, raw json.RawMessage) (*compiledSchema, error) {
	doc, err := validator.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("read schema %s: %w", name, err)
	}
	root, ok := doc.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("read schema %s: not an object", name)
	}
	c := validator.NewCompiler()
	c.DefaultDraft(validator.Draft2020)
	c.AssertFormat()
	url := "mem:///" + name
	if err := c.AddResource(url, doc); err != nil {
		return nil, fmt.Errorf("add schema %s: %w", name, err)
	}
	compiled, err := c.Compile(url)
	if err != nil {
		return nil, fmt.Errorf("compile schema %s: %w", name, err)
	}
	return &compiledSchema{Schema: compiled, doc: root}, nil
}

// idPattern is what an ID looks like in a schema: digits of a positive int64.
const idPattern = `^[0-9]{1,19}$`

// reflectSchema makes the schema of a struct: everything inline, no $schema and
// no $id, additional properties refused, no schema that is only true or false,
// and always properties. Clients differ in what else they can read. add completes
// it.
func reflectSchema(t reflect.Type, add func(*jsonschema.Schema)) json.RawMessage {
	r := &jsonschema.Reflector{
		Anonymous:      true,
		DoNotReference: true,
		ExpandedStruct: true,
		Mapper:         mapType,
	}
	s := r.ReflectFromType(t)
	s.Version = ""
	if s.Properties == nil {
		s.Properties = jsonschema.NewProperties()
	}
	add(s)
	describeAny(s)
	raw, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		// The schema is made of a Go type: failing to encode it is a broken build.
		panic(fmt.Sprintf("tools: schema of %v: %v", t, err))
	}
	return append(raw, '\n')
}

// mapType gives the types that reflection would get wrong.
func mapType(t reflect.Type) *jsonschema.Schema {
	switch t {
	case reflect.TypeFor[ID]():
		return &jsonschema.Schema{Type: "string", Pattern: idPattern}
	case reflect.TypeFor[json.RawMessage]():
		return &jsonschema.Schema{Description: anyValue}
	}
	return nil
}

const anyValue = "any JSON value"

// describeAny replaces schemas that allow anything, and that would be encoded as
// true, by one with a description: some clients refuse schemas that are no
// objects. It returns s or what stands in for it.
func describeAny(s *jsonschema.Schema) *jsonschema.Schema {
	if s == nil || s == jsonschema.FalseSchema {
		return s
	}
	if raw, err := s.MarshalJSON(); err == nil && string(raw) == "true" {
		return &jsonschema.Schema{Description: anyValue}
	}
	s.Items = describeAny(s.Items)
	s.AdditionalProperties = describeAny(s.AdditionalProperties)
	for pair := s.Properties.Oldest(); pair != nil; pair = pair.Next() {
		pair.Value = describeAny(pair.Value)
	}
	return s
}
