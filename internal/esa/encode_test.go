package esa

import (
	"encoding/json"
	"errors"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
)

func operation(t testing.TB, action string) *catalog.Operation {
	t.Helper()
	op, ok := catalog.Lookup(action)
	require.True(t, ok)
	return op
}

type recordData struct {
	Value    string `json:"value"`
	Priority *int   `json:"priority"`
}

func TestEncodeValues(t *testing.T) {
	type named int64
	for name, c := range map[string]struct {
		action, param string
		value         any
		want          string
	}{
		"long of int64":           {"GetSite", "SiteId", int64(9007199254740993), "9007199254740993"},
		"long of json.Number":     {"GetSite", "SiteId", json.Number("9007199254740993"), "9007199254740993"},
		"long of text":            {"GetSite", "SiteId", " 9007199254740993 ", "9007199254740993"},
		"long of uint64":          {"GetSite", "SiteId", uint64(math.MaxInt64), "9223372036854775807"},
		"long of named type":      {"GetSite", "SiteId", named(7), "7"},
		"long of whole float":     {"GetSite", "SiteId", float64(12), "12"},
		"long of 1e3":             {"GetSite", "SiteId", json.Number("1e3"), "1000"},
		"negative long":           {"GetSite", "SiteId", -3, "-3"},
		"text of number":          {"GetKv", "Key", 42, "42"},
		"text of bytes":           {"GetKv", "Key", []byte("k"), "k"},
		"empty text":              {"GetKv", "Key", "", ""},
		"boolean":                 {"PutKv", "Base64", true, "true"},
		"boolean of text":         {"PutKv", "Base64", "False", "false"},
		"switch of boolean":       {"CreateRoutineRoute", "Bypass", true, "on"},
		"struct":                  {"CreateRecord", "Data", recordData{Value: "1.2.3.4"}, `{"Value":"1.2.3.4"}`},
		"map of another type":     {"CreateRecord", "Data", map[string]string{"value": "<&>"}, `{"Value":"<&>"}`},
		"object of JSON text":     {"CreateRecord", "Data", `{"value":"1.2.3.4","priority":"10"}`, `{"Priority":10,"Value":"1.2.3.4"}`},
		"list":                    {"BatchDeleteKv", "Keys", []string{"a", "b"}, `["a","b"]`},
		"list with nil":           {"BatchDeleteKv", "Keys", []any{"a", nil, "b"}, `["a","b"]`},
		"empty list":              {"BatchDeleteKv", "Keys", []any{}, `[]`},
		"list of JSON text":       {"BatchDeleteKv", "Keys", `["a"]`, `["a"]`},
		"large number in a list":  {"CreateLoadBalancer", "DefaultPools", []any{json.Number("9007199254740993")}, `[9007199254740993]`},
		"any of an object":        {"CreateLoadBalancer", "RegionPools", map[string]any{"ENAM": []int{1}}, `{"ENAM":[1]}`},
		"any of JSON text":        {"CreateLoadBalancer", "RegionPools", `{"ENAM": [1]}`, `{"ENAM": [1]}`},
		"list for separated text": {"ListLoadBalancerOriginStatus", "LoadBalancerIds", []any{json.Number("1"), "2"}, "1,2"},
	} {
		t.Run(name, func(t *testing.T) {
			op := operation(t, c.action)
			w, err := encode(op, Params{c.param: c.value})
			require.NoError(t, err)
			pairs := w.query
			if p, _ := op.Param(c.param); p.In == catalog.InBody {
				pairs = w.form
			}
			require.Equal(t, map[string]string{c.param: c.want}, pairs)
		})
	}
}

func TestEncodeLeavesNilOut(t *testing.T) {
	var none *string
	var noList []any
	w, err := encode(operation(t, "CreateRecord"), Params{"SiteId": nil, "BizName": none, "Data": noList, "AuthConf": map[string]any(nil)})
	require.NoError(t, err)
	require.Empty(t, w.query)
}

func TestEncodeFlat(t *testing.T) {
	op := operation(t, "TagResources")
	w, err := encode(op, Params{"Tag": []any{map[string]any{"key": "k", "value": "v"}, nil}, "ResourceId": []any{}})
	require.NoError(t, err)
	require.Equal(t, map[string]string{"Tag.1.Key": "k", "Tag.1.Value": "v"}, w.query)
	require.Nil(t, w.form)
}

func TestEncodeRefuses(t *testing.T) {
	deep := any("x")
	for range 100 {
		deep = []any{deep}
	}
	for name, c := range map[string]struct {
		action string
		params Params
		want   []string
	}{
		"unknown":            {"GetSite", Params{"SiteIdd": 1}, []string{"SiteIdd", "SiteId"}},
		"unknown nested":     {"CreateRecord", Params{"Data": map[string]any{"Valu": "x"}}, []string{"Data", "Valu", "Value"}},
		"unknown in list":    {"BatchPutKv", Params{"KvList": []any{map[string]any{"Kee": "x"}}}, []string{"KvList[0]", "Key"}},
		"twice":              {"GetSite", Params{"SiteId": 1, "site_id": 2}, []string{"SiteId", "twice"}},
		"twice nested":       {"CreateRecord", Params{"Data": map[string]any{"value": "a", "Value": "b"}}, []string{"Data.Value", "twice"}},
		"text for long":      {"GetSite", Params{"SiteId": "example.com"}, []string{"SiteId", "64-bit integer", `"example.com"`}},
		"empty for long":     {"GetSite", Params{"SiteId": ""}, []string{"SiteId", "64-bit integer"}},
		"fraction for long":  {"GetSite", Params{"SiteId": 1.5}, []string{"SiteId", "integer"}},
		"overflow":           {"GetSite", Params{"SiteId": "9223372036854775808"}, []string{"SiteId", "64 bits"}},
		"lost digits":        {"GetSite", Params{"SiteId": float64(9007199254740993)}, []string{"SiteId", "text"}},
		"not a number":       {"GetSite", Params{"SiteId": math.NaN()}, []string{"SiteId", "finite"}},
		"infinite":           {"GetSite", Params{"SiteId": math.Inf(1)}, []string{"SiteId", "finite"}},
		"list for long":      {"GetSite", Params{"SiteId": []any{1}}, []string{"SiteId", "a list"}},
		"32 bits":            {"ListSites", Params{"PageNumber": int64(1) << 40}, []string{"PageNumber", "2147483647"}},
		"list for text":      {"GetKv", Params{"Key": []any{"a"}}, []string{"Key", "text", "a list"}},
		"text for boolean":   {"PutKv", Params{"Base64": "yes"}, []string{"Base64", "true or false"}},
		"text for list":      {"BatchDeleteKv", Params{"Keys": "a,b"}, []string{"Keys", "a list"}},
		"list for object":    {"CreateRecord", Params{"Data": []any{}}, []string{"Data", "an object"}},
		"type in nested":     {"CreateRecord", Params{"Data": map[string]any{"Priority": "high"}}, []string{"Data.Priority", "integer"}},
		"not UTF-8":          {"PutKv", Params{"Value": "\xff\xfe"}, []string{"Value", "base64"}},
		"too deep":           {"CreateRecord", Params{"Data": deep}, []string{"Data", "deep"}},
		"no JSON form":       {"CreateRecord", Params{"Data": func() {}}, []string{"Data", "JSON"}},
		"bad JSON text":      {"CreateLoadBalancer", Params{"RegionPools": "{"}, []string{"RegionPools", "JSON"}},
		"takes no parameter": {"GetErService", Params{"Name": "x"}, []string{"Name"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := encode(operation(t, c.action), c.params)
			require.Error(t, err)
			for _, part := range c.want {
				require.ErrorContains(t, err, part)
			}
		})
	}
}

func TestMismatchHidesSecrets(t *testing.T) {
	p := &catalog.Param{Name: "SecretKey", Type: "long", Secret: true}
	_, err := shape("SecretKey", p, "s3cr3t")
	require.ErrorContains(t, err, "SecretKey")
	require.NotContains(t, err.Error(), "s3cr3t")
	long := "a value that is far too long to be repeated in an error"
	_, err = shape("X", &catalog.Param{Name: "X", Type: "long"}, long)
	require.NotContains(t, err.Error(), long)
}

func TestRequireAll(t *testing.T) {
	op := operation(t, "CreateRecord")
	w, err := encode(op, Params{"SiteId": 1, "Type": nil})
	require.NoError(t, err)
	err = w.requireAll(op)
	require.ErrorContains(t, err, "RecordName (text)")
	require.ErrorContains(t, err, "are missing")
	require.NotContains(t, err.Error(), "SiteId")

	w, err = encode(operation(t, "GetSite"), nil)
	require.NoError(t, err)
	require.ErrorContains(t, w.requireAll(operation(t, "GetSite")), "required parameter SiteId (a 64-bit integer) is missing")
}

func TestNothingIsSentForBadArguments(t *testing.T) {
	server := newCapture(t)
	client := testClient(t, server.URL)
	for code, call := range map[string]func() error{
		CodeUnknownAction:   func() error { _, err := client.Call(t.Context(), "GetSiteX", nil); return err },
		CodeInvalidArgument: func() error { _, err := client.Call(t.Context(), "GetSite", nil); return err },
	} {
		e := failure(t, call())
		require.Equal(t, code, e.Code)
		require.Contains(t, e.Error(), "GetSite")
	}
	require.Zero(t, server.count())
}

func FuzzEncode(f *testing.F) {
	f.Add("CreateRecord", `{"SiteId":1,"Data":{"value":"x"},"Proxied":true}`)
	f.Add("BatchPutKv", `{"KvList":[{"Key":"a","Value":null}],"Namespace":"n"}`)
	f.Add("TagResources", `{"Tag":[{"Key":"k"},null],"ResourceId":["1"]}`)
	f.Add("CreateLoadBalancer", `{"RegionPools":{"a":[1]},"Rules":[{"Overrides":{"x":null}}]}`)
	f.Add("GetSite", `{"SiteId":1e400}`)
	f.Fuzz(func(t *testing.T, action, text string) {
		op, ok := catalog.Lookup(action)
		if !ok {
			return
		}
		v, err := decodeJSON([]byte(text))
		params, isObject := v.(map[string]any)
		if err != nil || !isObject {
			return
		}
		w, err := encode(op, params)
		if err != nil {
			return
		}
		// What was encoded is a fixed point: sent again it is the same.
		again := Params{}
		for i := range op.Params {
			p := &op.Params[i]
			if value, ok := w.query[p.Name]; ok {
				again[p.Name] = value
			} else if value, ok := w.form[p.Name]; ok {
				again[p.Name] = value
			} else {
				continue
			}
			if p.As == catalog.AsJSON && !json.Valid([]byte(again[p.Name].(string))) {
				t.Fatalf("%s is not JSON: %s", p.Name, again[p.Name])
			}
		}
		second, err := encode(op, again)
		if err != nil {
			t.Fatalf("encoding the encoded: %v", err)
		}
		for name := range again {
			if w.query[name] != second.query[name] || w.form[name] != second.form[name] {
				t.Fatalf("%s changed: %q %q", name, w.query[name], second.query[name])
			}
		}
	})
}

func TestNormalizeReportsMarshalErrors(t *testing.T) {
	_, err := normalize(badMarshaler{})
	require.ErrorContains(t, err, "no JSON form")
}

type badMarshaler struct{}

func (badMarshaler) MarshalJSON() ([]byte, error) { return nil, errors.New("will not") }
