package api

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParamsJSON(t *testing.T) {
	type conf struct{ NotFoundStrategy string }
	for name, c := range map[string]struct {
		params Params
		want   conf
		sent   bool
		code   string
	}{
		"text":         {Params{"ConfOptions": `{"NotFoundStrategy":"404Page"}`}, conf{"404Page"}, true, ""},
		"value":        {Params{"ConfOptions": map[string]any{"NotFoundStrategy": "404Page"}}, conf{"404Page"}, true, ""},
		"flat":         {Params{"ConfOptions.NotFoundStrategy": "404Page"}, conf{"404Page"}, true, ""},
		"not sent":     {Params{"Conf": "x"}, conf{}, false, ""},
		"empty":        {Params{"ConfOptions": " "}, conf{}, false, ""},
		"no JSON":      {Params{"ConfOptions": "404Page"}, conf{}, false, "InvalidConfOptions"},
		"more than it": {Params{"ConfOptions": `{}{}`}, conf{}, false, "InvalidConfOptions"},
	} {
		t.Run(name, func(t *testing.T) {
			var got conf
			sent, err := c.params.JSON("ConfOptions", &got)
			require.Equal(t, c.sent, sent)
			require.Equal(t, c.want, got)
			requireCode(t, c.code, err)
		})
	}
}

func TestJSONRefusalsAreForClients(t *testing.T) {
	var got struct{ List []struct{ Weight int } }
	for text, want := range map[string]string{
		`[]`:                           "it cannot be a JSON array",
		`{"List":[{"Weight":"many"}]}`: "List.Weight cannot be a JSON string",
	} {
		_, err := Params{"Data": text}.JSON("Data", &got)
		require.EqualError(t, err, "InvalidData: Data is not the JSON that the operation takes: "+want+" (HTTP 400)")
	}
}

func TestParamsScalars(t *testing.T) {
	p := Params{"text": "42", "number": json.Number("9007199254740993"), "true": true, "word": "yes", "list": []any{"a"}, "blank": " "}
	n, err := p.Int("number", 0)
	require.NoError(t, err)
	require.Equal(t, int64(9007199254740993), n)
	n, err = p.Int("blank", 7)
	require.NoError(t, err)
	require.Equal(t, int64(7), n)
	_, err = p.Int("word", 0)
	requireCode(t, "Invalidword", err)
	b, err := p.Bool("true", false)
	require.NoError(t, err)
	require.True(t, b)
	_, err = p.Bool("word", false)
	requireCode(t, "Invalidword", err)
	require.Equal(t, `["a"]`, p.String("list"))
	require.Equal(t, []string{"blank", "list", "number", "text", "true", "word"}, p.Names())
}

func TestTableRefusesTwoHandlers(t *testing.T) {
	require.Panics(t, func() { Table{"A": nil}.Add(Table{"A": nil}) })
}

func requireCode(t *testing.T, code string, err error) {
	t.Helper()
	if code == "" {
		require.NoError(t, err)
		return
	}
	var e *Error
	require.True(t, errors.As(err, &e), "%v", err)
	require.Equal(t, code, e.Code)
}
