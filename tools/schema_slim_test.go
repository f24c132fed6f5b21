package tools

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

// What clients see keeps names, order, types, enumerations, defaults and upper
// bounds, and nothing that only the validation needs or that the names say.
func TestSlim(t *testing.T) {
	type in struct {
		Zone string            `json:"zone" jsonschema:"minLength=1,maxLength=9,pattern=^z" jsonschema_description:"a zone"`
		Kind string            `json:"kind,omitempty" jsonschema:"enum=a,enum=b,default=a" jsonschema_description:"a kind"`
		Zoom int               `json:"zoom,omitempty" jsonschema:"minimum=1,maximum=500" jsonschema_description:"a scale"`
		Page int               `json:"page,omitempty" jsonschema:"minimum=1" jsonschema_description:"a name that says all"`
		Temp int               `json:"temp,omitempty" jsonschema:"minimum=-5" jsonschema_description:"a bound that says something"`
		Free map[string]string `json:"free,omitempty" jsonschema_description:"texts"`
		File string            `json:"file,omitempty" jsonschema_description:"No files"`
		Rows []struct {
			ID ID `json:"id" jsonschema_description:"an id"`
		} `json:"rows,omitempty" jsonschema:"minItems=1" jsonschema_description:"some rows"`
	}
	tool := Define(Meta{Name: "no_file"}, func(_ ctx, _ *Deps, in in) (in2, error) { return in2{}, nil })
	require.Equal(t, `{"properties":{`+
		`"zone":{"type":"string","description":"a zone"},`+
		`"kind":{"type":"string","enum":["a","b"],"description":"a kind","default":"a"},`+
		`"zoom":{"type":"integer","maximum":500,"description":"a scale"},`+
		`"page":{"type":"integer"},`+
		`"temp":{"type":"integer","minimum":-5,"description":"a bound that says something"},`+
		`"free":{"additionalProperties":{"type":"string"},"type":"object","description":"texts"},`+
		`"file":{"type":"string"},`+
		`"rows":{"items":{"properties":{"id":{"type":"string","description":"an id"}},"type":"object","required":["id"]},"type":"array","description":"some rows"}},`+
		`"additionalProperties":false,"type":"object","required":["zone"]}`, string(slim(tool.Meta().Name, tool.InputSchema())))

	_, err := tool.Call(t.Context(), noDeps, json.RawMessage(`{"zone":"x"}`))
	require.ErrorContains(t, err, "zone", "the pattern still holds")
	_, err = tool.Call(t.Context(), noDeps, json.RawMessage(`{"zone":"z","other":1}`))
	require.ErrorContains(t, err, "other", "more properties are still refused")
}

// The slim schemas are schemas.
func TestSlimSchemasAreValid(t *testing.T) {
	for _, tool := range All() {
		var doc map[string]any
		require.NoError(t, json.Unmarshal(slim(tool.Meta().Name, tool.InputSchema()), &doc), tool.Meta().Name)
		require.NoError(t, metaSchema(t).Validate(any(doc)), tool.Meta().Name)
		require.Equal(t, "object", doc["type"], tool.Meta().Name)
		require.Contains(t, doc, "properties", tool.Meta().Name)
	}
}
