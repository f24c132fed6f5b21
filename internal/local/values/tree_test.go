package values

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
)

func TestTree(t *testing.T) {
	p := &catalog.Param{Name: "P", Type: "object", Fields: []catalog.Param{
		{Name: "Text", Type: "string"}, {Name: "Int", Type: "integer"}, {Name: "Long", Type: "long"}, {Name: "Number", Type: "number"},
		{Name: "Bool", Type: "boolean"}, {Name: "Any", Type: "any"}, {Name: "List", Type: "array", MaxItems: 2, Items: &catalog.Param{Type: "integer"}},
		{Name: "Map", Type: "map", Values: &catalog.Param{Type: "boolean"}}, {Name: "Object", Type: "object", Fields: []catalog.Param{{Name: "Must", Type: "string", Required: true}}},
	}}
	for text, want := range map[string]string{
		`{"Text":"x","Int":5,"Long":9223372036854775807,"Number":0.5,"Bool":true,"Any":[{}],"List":[1],"Map":{"a":false},"Object":{"Must":"m"}}`: "",
		`{"Text":5,"Int":"+05","Long":" 7 ","Number":"1e3","Bool":"TRUE","List":["2"],"Map":{"a":"true"}}`:                                       `{"Text":"5","Int":5,"Long":7,"Number":1000,"Bool":true,"List":[2],"Map":{"a":true}}`,
		`{"Text":"","Int":"","Bool":null,"Other":1}`: `{"Text":""}`,
		`{"Int":2147483648}`:                         "P.Int is not valid: it must be an integer of 32 bits",
		`{"Int":1.5}`:                                "P.Int is not valid",
		`{"Long":9223372036854775808}`:               "P.Long is not valid",
		`{"Number":"NaN"}`:                           "P.Number is not valid",
		`{"Number":1e400}`:                           "P.Number is not valid",
		`{"Bool":1}`:                                 "P.Bool is not valid",
		`{"Text":{}}`:                                "P.Text must be one value, not an object",
		`{"Text":[]}`:                                "P.Text must be one value, not a list",
		`{"List":{}}`:                                "P.List must be a list",
		`{"List":[1,2,3]}`:                           "P.List has 3 entries, more than 2",
		`{"List":[1,null]}`:                          "P.List[1] must be a value, not null",
		`{"Map":[]}`:                                 "P.Map must be an object",
		`{"Map":{"a":"x"}}`:                          "P.Map.a is not valid",
		`{"Object":{}}`:                              "P.Object lacks Must",
		`5`:                                          "P must be an object",
	} {
		var value any
		d := json.NewDecoder(strings.NewReader(text))
		d.UseNumber()
		require.NoError(t, d.Decode(&value))
		got, err := Tree(p, "P", value)
		if want != "" && want[0] != '{' {
			require.ErrorContains(t, err, want, text)
			require.ErrorContains(t, err, "InvalidP:", text)
			continue
		}
		require.NoError(t, err, text)
		if want == "" {
			want = text
		}
		out, err := json.Marshal(got)
		require.NoError(t, err)
		require.JSONEq(t, want, string(out))
	}
}

func TestCheckTakesTheDocumentedExample(t *testing.T) {
	p := &catalog.Param{Name: "OrderType", Type: "string", Enum: []catalog.EnumValue{"ASC", "DESC"}, Example: json.RawMessage(`"Asc"`)}
	require.Nil(t, Check(p, "ASC"))
	require.Nil(t, Check(p, "Asc"))
	require.NotNil(t, Check(p, "asc"))
}
