package tools

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

type ruleIn struct {
	Name   string     `json:"name" jsonschema:"minLength=2,maxLength=5,pattern=^[a-z]+$" jsonschema_description:"Name of the rule"`
	ID     ID         `json:"id,omitempty" jsonschema_description:"an id"`
	Count  int        `json:"count,omitempty" jsonschema:"minimum=1,maximum=500" jsonschema_description:"how many"`
	Big    int64      `json:"big,omitempty" jsonschema_description:"any integer"`
	Ratio  *float64   `json:"ratio,omitempty" jsonschema:"exclusiveMinimum=0,maximum=1" jsonschema_description:"share"`
	On     *bool      `json:"on,omitempty" jsonschema_description:"switch"`
	Type   string     `json:"type,omitempty" jsonschema:"enum=NS,enum=CNAME" jsonschema_description:"type"`
	Hosts  []string   `json:"hosts,omitempty" jsonschema:"minItems=1,maxItems=3,uniqueItems=true" jsonschema_description:"hosts"`
	Ports  []int      `json:"ports,omitempty" jsonschema_description:"ports"`
	When   *time.Time `json:"when,omitempty" jsonschema_description:"time"`
	Nested *ruleNest  `json:"nested,omitempty" jsonschema_description:"nested"`
	Rows   []ruleNest `json:"rows,omitempty" jsonschema_description:"rows"`
	Free   any        `json:"free,omitempty" jsonschema_description:"anything"`
}

type ruleNest struct {
	Key   string `json:"key" jsonschema_description:"key"`
	Value int    `json:"value,omitempty" jsonschema_description:"value"`
}

func ruleTool() Tool {
	return Define(Meta{Name: "make_rule"}, func(_ ctx, _ *Deps, in ruleIn) (ruleIn, error) { return in, nil })
}

func TestRefusedArguments(t *testing.T) {
	tests := []struct {
		name, args string
		want       []string
	}{
		{"not JSON", `{`, []string{"not valid JSON"}},
		{"trailing", `{"name":"ab"} x`, []string{"not valid JSON"}},
		{"a list", `[1]`, []string{"the arguments: want an object, found a list of 1"}},
		{"a text", `"abc"`, []string{`the arguments: want an object, found the text "abc"`}},
		{"missing", `{}`, []string{"name: missing, want a string (Name of the rule)"}},
		{"null for required", `{"name":null}`, []string{"name: want a string, found null"}},
		{"unknown", `{"name":"ab","cuont":1}`, []string{`unknown argument "cuont": did you mean "count"? The arguments are big, count, free`}},
		{"unknown, like none", `{"name":"ab","dir":1}`, []string{`unknown argument "dir": the arguments are big, count, free`}},
		{"other case", `{"name":"ab","Name":"cd"}`, []string{`unknown argument "Name": did you mean "name"?`}},
		{"unknown nested", `{"name":"ab","nested":{"key":"k","valu":1}}`, []string{`unknown field "valu" of nested: did you mean "value"? The fields are key, value`}},
		{"type", `{"name":"ab","count":"many"}`, []string{`count: want an integer, found the text "many"`}},
		{"fraction", `{"name":"ab","count":1.5}`, []string{"count: want an integer, found 1.5"}},
		{"boolean", `{"name":"ab","on":"yes"}`, []string{`on: want a boolean, found the text "yes"`}},
		{"boolean is no text", `{"name":true}`, []string{"name: want a string, found true"}},
		{"enum", `{"name":"ab","type":"A"}`, []string{`type: the text "A" is not one of "NS", "CNAME"`}},
		{"minimum", `{"name":"ab","count":0}`, []string{"count: 0 is less than the minimum of 1"}},
		{"maximum", `{"name":"ab","count":501}`, []string{"count: 501 is more than the maximum of 500"}},
		{"exclusive", `{"name":"ab","ratio":0}`, []string{"ratio: 0 is not more than 0"}},
		{"pattern", `{"name":"a-b"}`, []string{`name: the text "a-b" does not have the form ^[a-z]+$`}},
		{"id", `{"name":"ab","id":"x1"}`, []string{`id: the text "x1" does not have the form`}},
		{"too short", `{"name":"a"}`, []string{"name: 1 characters, want at least 2"}},
		{"too long", `{"name":"abcdef"}`, []string{"name: 6 characters, want at most 5"}},
		{"too many", `{"name":"ab","hosts":["a","b","c","d"]}`, []string{"hosts: 4 elements, want at most 3"}},
		{"twice", `{"name":"ab","hosts":["a","a"]}`, []string{"hosts: elements 0 and 1 are equal"}},
		{"time", `{"name":"ab","when":"tomorrow"}`, []string{`when: the text "tomorrow" is not a valid date-time`}},
		{"deep", `{"name":"ab","rows":[{"key":"a"},{"key":"b"},{"value":"x"}]}`, []string{`rows[2].key: missing`, `rows[2].value: want an integer, found the text "x"`}},
		{"all at once", `{"count":0,"on":3,"foo":1}`, []string{"name: missing", "count: 0 is less", "on: want a boolean, found 3", `unknown argument "foo"`}},
		{"separators", `{"name":"ab","hosts":"a,b"}`, []string{`hosts: want an array, found the text "a,b"`}},
		{"over 64 bits", `{"name":"ab","big":9223372036854775808}`, []string{"big does not fit", "out of range"}},
		{"huge exponent", `{"name":"ab","big":1e999999}`, []string{"the number 1e999999 is out of range"}},
		{"tiny exponent", `{"name":"ab","ratio":1e-999999}`, []string{"out of range"}},
		{"long number", `{"name":"ab","big":` + strings.Repeat("9", 100) + `}`, []string{"out of range"}},
		{"huge in text", `{"name":"ab","count":"1e999999"}`, []string{"count: want an integer"}},
	}
	tool := ruleTool()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			out, err := tool.Call(t.Context(), noDeps, json.RawMessage(test.args))
			require.Error(t, err)
			require.Nil(t, out)
			require.True(t, strings.HasPrefix(err.Error(), "Invalid arguments"), err.Error())
			for _, want := range test.want {
				require.Contains(t, err.Error(), want)
			}
			require.NotRegexp(t, `jsonschema|json: |Go (value|struct)`, err.Error())
		})
	}
}

// An unbounded list of mistakes is cut.
func TestManyViolations(t *testing.T) {
	args := `{"name":"ab"`
	for range 50 {
		args += `,"x` + strings.Repeat("y", len(args)%37) + `":1`
	}
	_, err := ruleTool().Call(t.Context(), noDeps, json.RawMessage(args+`}`))
	require.ErrorContains(t, err, "more")
	require.LessOrEqual(t, strings.Count(err.Error(), "\n"), maxViolations+1)
}

func TestAcceptedArguments(t *testing.T) {
	tests := []struct{ name, args, want string }{
		{"strict", `{"name":"ab","count":3}`, `{"name":"ab","count":3}`},
		{"exact integer", `{"name":"ab","big":9007199254740993}`, `{"name":"ab","big":9007199254740993}`},
		{"integer as 1.0", `{"name":"ab","count":3.0}`, `{"name":"ab","count":3}`},
		{"integer as 1e2", `{"name":"ab","count":1e2,"big":9.007199254740993e15}`, `{"name":"ab","count":100,"big":9007199254740993}`},
		{"text for integer", `{"name":"ab","count":" 42 ","big":"9007199254740993"}`, `{"name":"ab","count":42,"big":9007199254740993}`},
		{"text for number", `{"name":"ab","ratio":"0.5"}`, `{"name":"ab","ratio":0.5}`},
		{"text for boolean", `{"name":"ab","on":"False"}`, `{"name":"ab","on":false}`},
		{"number for id", `{"name":"ab","id":974351557069296}`, `{"name":"ab","id":"974351557069296"}`},
		{"float for id", `{"name":"ab","id":9.74351557069296e14}`, `{"name":"ab","id":"974351557069296"}`},
		{"one for list", `{"name":"ab","hosts":"a.example","ports":80}`, `{"name":"ab","hosts":["a.example"],"ports":[80]}`},
		{"text for list", `{"name":"ab","hosts":"[\"a\",\"b\"]","ports":"[1,\"2\"]"}`, `{"name":"ab","hosts":["a","b"],"ports":[1,2]}`},
		{"text for object", `{"name":"ab","nested":"{\"key\":5}"}`, `{"name":"ab","nested":{"key":"5"}}`},
		{"text for all", `"{\"name\":\"ab\"}"`, `{"name":"ab"}`},
		{"null for optional", `{"name":"ab","count":null,"nested":{"key":"k","value":null}}`, `{"name":"ab","nested":{"key":"k"}}`},
		{"case of a word", `{"name":"ab","type":"cname"}`, `{"name":"ab","type":"CNAME"}`},
		{"free form is left alone", `{"name":"ab","free":{"a":"1","b":null},"count":"1"}`, `{"name":"ab","free":{"a":"1","b":null},"count":1}`},
		{"blank", `  {"name":"ab"} `, `{"name":"ab"}`},
	}
	tool := ruleTool()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			out, err := tool.Call(t.Context(), noDeps, json.RawMessage(test.args))
			require.NoError(t, err)
			require.JSONEq(t, test.want, string(out))
			if strings.Contains(test.want, "9007199254740993") {
				require.Contains(t, string(out), "9007199254740993", "JSONEq compares floats")
			}
		})
	}
}

// What is right is never rewritten: coercion only follows a strict failure.
func TestRightArgumentsAreNotTouched(t *testing.T) {
	type in struct {
		Value string `json:"value" jsonschema_description:"v"`
		Any   any    `json:"any,omitempty" jsonschema_description:"a"`
	}
	tool := Define(Meta{Name: "keep_value"}, func(_ ctx, _ *Deps, in in) (in2, error) {
		require.Equal(t, `[1, 2]`, in.Value)
		require.Nil(t, in.Any)
		return in2{}, nil
	})
	_, err := tool.Call(t.Context(), noDeps, json.RawMessage(`{"value":"[1, 2]","any":null}`))
	require.NoError(t, err)
}

func TestNoArguments(t *testing.T) {
	tool := Define(Meta{Name: "take_none"}, func(_ ctx, _ *Deps, _ struct{}) (in2, error) { return in2{}, nil })
	for _, args := range []string{``, `null`, `{}`, ` `} {
		_, err := tool.Call(t.Context(), noDeps, json.RawMessage(args))
		require.NoError(t, err)
	}
	_, err := tool.Call(t.Context(), noDeps, json.RawMessage(`{"a":1}`))
	require.ErrorContains(t, err, `unknown argument "a": there are none`)
}

func TestIDUnmarshal(t *testing.T) {
	for text, want := range map[string]ID{
		`9223372036854775807`: "9223372036854775807", `"12"`: "12", `null`: "", `-1`: "-1", ` 5 `: "5", `"a"`: "a",
	} {
		var id ID
		require.NoError(t, json.Unmarshal([]byte(text), &id))
		require.Equal(t, want, id)
	}
	for _, text := range []string{`1.5`, `1e3`, `true`, `[]`, `{}`} {
		var id ID
		require.Error(t, json.Unmarshal([]byte(text), &id), text)
	}
}

// Coercion and validation cope with any JSON, and what they let through binds.
func FuzzArguments(f *testing.F) {
	for _, args := range []string{
		`{}`, `null`, `[]`, `"{\"name\":\"ab\"}"`, `{"name":"ab","count":"42","on":"true","hosts":"a","ports":"[1]"}`,
		`{"name":"ab","big":1e3,"ratio":1e-300,"when":"2026-01-02T03:04:05Z","nested":{"key":5},"rows":[{"key":"a","value":1.0}],"free":[{}]}`,
		`{"name":"ab","name":"cd","NAME":"x"}`,
	} {
		f.Add([]byte(args))
	}
	tool := ruleTool()
	f.Fuzz(func(t *testing.T, args []byte) {
		out, err := tool.Call(t.Context(), noDeps, args)
		if err == nil {
			require.True(t, json.Valid(out))
			return
		}
		var refused *refusal
		require.True(t, errors.As(err, &refused), "not a refusal: %v", err)
	})
}
