package tools

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	validator "github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the generated files")

// The schemas that are embedded are those of the structs, and there is no other
// file beside them.
func TestSchemas(t *testing.T) {
	want := map[string]json.RawMessage{}
	for _, tool := range All() {
		want[tool.in.file] = tool.in.reflect()
		want[tool.out.file] = tool.out.reflect()
	}
	if *update {
		require.NoError(t, os.MkdirAll("schemas", 0o755))
		for file, raw := range want {
			require.NoError(t, os.WriteFile(file, raw, 0o644))
		}
	}
	have, err := filepath.Glob("schemas/*")
	require.NoError(t, err)
	for _, file := range have {
		file = filepath.ToSlash(file)
		raw, known := want[file]
		if !known && *update {
			require.NoError(t, os.Remove(file))
			continue
		}
		require.True(t, known, "%s belongs to no tool: run go test ./tools -run Schemas -update", file)
		got, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Equal(t, string(raw), string(got), "%s is not what the struct says: run go test ./tools -run Schemas -update", file)
		delete(want, file)
	}
	for file := range want {
		require.True(t, *update, "%s is missing: run go test ./tools -run Schemas -update", file)
	}
}

// Every tool is described as clients and models need it.
func TestEveryTool(t *testing.T) {
	name := regexp.MustCompile(`^[a-z]+(_[a-z0-9]+)+$`)
	seen := map[string]bool{}
	for _, tool := range All() {
		m := tool.Meta()
		t.Run(m.Name, func(t *testing.T) {
			require.False(t, seen[m.Name], "two tools have this name")
			seen[m.Name] = true
			require.Regexp(t, name, m.Name)
			require.LessOrEqual(t, len(m.Name), 30)
			require.NotEmpty(t, m.Title)
			require.NotEmpty(t, m.Toolset)
			require.NotEmpty(t, m.Description)
			require.LessOrEqual(t, len(m.Description), 1000, "a description is read with every request")
			for _, h := range []Hint{m.ReadOnly, m.Destructive, m.Idempotent, m.OpenWorld} {
				require.NotEqual(t, Unset, h, "all four hints have to be given")
			}
			require.False(t, m.ReadOnly == Yes && m.Destructive == Yes, "read-only and destructive")
			checkSchema(t, tool.InputSchema(), true)
			checkSchema(t, tool.OutputSchema(), false)
		})
	}
}

func checkSchema(t *testing.T, raw json.RawMessage, described bool) {
	t.Helper()
	doc, err := validator.UnmarshalJSON(strings.NewReader(string(raw)))
	require.NoError(t, err)
	require.NoError(t, metaSchema(t).Validate(doc), "not a valid schema of 2020-12")
	_, err = compileSchema("test.json", raw)
	require.NoError(t, err)
	root, ok := doc.(map[string]any)
	require.True(t, ok)
	require.Equal(t, "object", root["type"])
	require.Contains(t, root, "properties")
	for _, word := range []string{"$schema", "$id", "$ref", "$defs", "oneOf", "anyOf", "allOf", "not"} {
		require.NotContains(t, string(raw), `"`+word+`":`, "many clients do not take it")
	}
	checkObject(t, "", root, described)
}

// checkObject looks at every property: none is a schema that is only true, names
// are snake_case, and arguments are described.
func checkObject(t *testing.T, path string, schema map[string]any, described bool) {
	t.Helper()
	if items, ok := schema["items"]; ok {
		sub, ok := items.(map[string]any)
		require.True(t, ok, "%s: items is not an object", path)
		checkObject(t, path+"[]", sub, described)
	}
	properties, ok := schema["properties"].(map[string]any)
	if !ok {
		return
	}
	require.Equal(t, false, schema["additionalProperties"], "%s: additional properties", path)
	for name, value := range properties {
		at := path + "." + name
		require.Regexp(t, `^[a-z][a-z0-9_]*$`, name)
		sub, ok := value.(map[string]any)
		require.True(t, ok, "%s: a schema that is only true or false", at)
		require.NotEmpty(t, sub, "%s: a schema that says nothing", at)
		_, several := sub["type"].([]any)
		require.False(t, several, "%s: a union of types", at)
		if described {
			require.NotEmpty(t, sub["description"], "%s has no description", at)
		}
		checkObject(t, at, sub, described)
	}
}

func metaSchema(t *testing.T) *validator.Schema {
	t.Helper()
	s, err := validator.NewCompiler().Compile("https://json-schema.org/draft/2020-12/schema")
	require.NoError(t, err)
	return s
}

type awkward struct {
	Any   any               `json:"any"`
	Raw   json.RawMessage   `json:"raw"`
	Free  map[string]any    `json:"free"`
	Texts map[string]string `json:"texts"`
	List  []any             `json:"list"`
	IDs   []ID              `json:"ids"`
	When  *time.Time        `json:"when,omitempty"`
	Site  struct {
		Deep []struct {
			ID ID `json:"id"`
		} `json:"deep"`
	} `json:"site"`
}

// Types that reflection alone would describe by true still give plain schemas.
func TestReflectSchemaOfAwkwardTypes(t *testing.T) {
	raw := Define(Meta{}, func(_ ctx, _ *Deps, in awkward) (awkward, error) { return in, nil }).in.reflect()
	checkSchema(t, raw, false)
	require.NotRegexp(t, `: true\b`, string(raw))
	var doc struct {
		Properties map[string]struct {
			Type  string
			Items struct{ Type, Pattern string }
		}
	}
	require.NoError(t, json.Unmarshal(raw, &doc))
	require.Equal(t, "string", doc.Properties["ids"].Items.Type)
	require.Equal(t, idPattern, doc.Properties["ids"].Items.Pattern)
	require.Empty(t, doc.Properties["any"].Type)

	empty := Define(Meta{}, func(_ ctx, _ *Deps, in struct{}) (struct{}, error) { return in, nil }).in.reflect()
	checkSchema(t, empty, true)
}

// A tool without generated files works all the same: the tests refuse it, users
// do not suffer from it.
func TestMissingSchemaFile(t *testing.T) {
	type in struct {
		N int `json:"n" jsonschema_description:"a number"`
	}
	tool := Define(Meta{Name: "no_file"}, func(_ ctx, _ *Deps, in in) (in2, error) { return in2{N: in.N}, nil })
	out, err := tool.Call(t.Context(), noDeps, json.RawMessage(`{"n":3}`))
	require.NoError(t, err)
	require.JSONEq(t, `{"n":3,"list":[]}`, string(out))
}

type in2 struct {
	N    int      `json:"n"`
	List []string `json:"list"`
}

// A site's plan is a text and a dry run's an object: a result has either.
func TestPlanOfASiteAndOfADryRun(t *testing.T) {
	schema, err := toolNamed(t, "create_site").out.ready()
	require.NoError(t, err)
	require.NoError(t, schema.Validate(map[string]any{"plan": "basic"}))
	require.NoError(t, schema.Validate(map[string]any{"plan": map[string]any{"calls": []any{}}}))
}
