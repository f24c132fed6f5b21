package tools

import (
	"encoding/json"
	"fmt"

	"github.com/invopop/jsonschema"
)

// sharedValues holds the arguments that tools share. Define adds them to a tool's own;
// no tool has an argument of its own of these names.
//
// To add one: a field here, a row in sharedArguments, and what it does in
// Tool.call. Tools whose work it changes get at it through Deps or the context.
type sharedValues struct {
	// Raw asks for the API's own answers beside the projected result.
	Raw bool `json:"raw"`
}

// sharedArgument describes one of them.
type sharedArgument struct {
	name string
	// fits says which tools take it.
	fits func(Meta) bool
	// schema is the argument as it is checked. Clients see it without its
	// description: the server's instructions explain it once for all tools.
	schema jsonschema.Schema
	// results are the fields that it adds to the result.
	results func(*jsonschema.Schema)
}

func sharedArguments() []sharedArgument {
	return []sharedArgument{{
		name:    "raw",
		fits:    func(m Meta) bool { return len(m.Calls) > 0 }, // read_api and write_api show the whole answer anyway
		schema:  jsonschema.Schema{Type: "boolean", Description: "Add the API's own answers, without secrets"},
		results: describeRaw,
	}}
}

// addArguments adds what the tool takes in common to the schema of its input.
func (m Meta) addArguments(s *jsonschema.Schema) {
	for _, a := range sharedArguments() {
		if a.fits(m) {
			s.Properties.Set(a.name, &a.schema)
		}
	}
}

// addResults adds what they bring to the schema of its output.
func (m Meta) addResults(s *jsonschema.Schema) {
	for _, a := range sharedArguments() {
		if a.fits(m) && a.results != nil {
			a.results(s)
		}
	}
}

// readShared takes the shared arguments out of checked ones.
func readShared(args json.RawMessage) (sharedValues, error) {
	var c sharedValues
	if err := json.Unmarshal(args, &c); err != nil {
		return c, fmt.Errorf("read arguments: %w", err)
	}
	return c, nil
}
