package tools

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

func toolThat[Out any](run func(ctx, *Deps) (Out, error)) Tool {
	return Define(Meta{Name: "do_thing"}, func(c ctx, d *Deps, _ struct{}) (Out, error) { return run(c, d) })
}

func TestExplain(t *testing.T) {
	service := &esa.Error{
		Action: "CreateRecord", Code: "InvalidParameter.InvalidBiz", Message: "bad \x1b[31mparameter\x1b[0m \u200b\u202eAccessKeySecret=abcdef1234567890",
		RequestID: "REQ-1", HTTPStatus: 400, Hint: "A proxied record needs biz_name: give web.",
	}
	tests := []struct {
		name string
		err  error
		want string
	}{
		{"service", service, "do_thing failed: InvalidParameter.InvalidBiz (from CreateRecord, HTTP 400)\nMessage: bad parameter AccessKeySecret=[removed]\nMeaning: A proxied record needs biz_name: give web.\nSee: esa://docs/dns-records#proxied-records\nRequest id: REQ-1"},
		{"service, wrapped", fmt.Errorf("add the record: %w", service), "do_thing failed to add the record: InvalidParameter.InvalidBiz (from CreateRecord"},
		{"retryable", &esa.Error{Code: "LockFailed", HTTPStatus: 400, Retryable: true}, "do_thing failed: LockFailed (HTTP 400)\nNext: wait a little, then send the same call again."},
		{"unknown outcome", &esa.Error{Code: esa.CodeTimeout, OutcomeUnknown: true, Retryable: true}, "look with a list or get tool"},
		{"not found", &esa.Error{Code: "SiteNotFound", HTTPStatus: 404}, "Next: check the name or id"},
		{"forbidden", &esa.Error{Code: "NoPermission", HTTPStatus: 403}, "Next: check that the credentials"},
		{"refusal", Refuse("name %q is taken: choose another", "a"), `name "a" is taken: choose another`},
		{"refusal, wrapped", fmt.Errorf("deploy: %w", Refuse("folder is empty")), "deploy: folder is empty"},
		{"refusal with a cause", Refuse("no namespace: create it (%w)", service), "[request id REQ-1])"},
		{"refusal that hides its cause", &refusal{fmt.Errorf("no namespace: create it%.0w", service)}, "\nRequest id: REQ-1"},
		{"deadline", fmt.Errorf("wait: %w", context.DeadlineExceeded), "do_thing did not finish within its time limit"},
		{"cancelled", fmt.Errorf("wait: %w", context.Canceled), "do_thing was cancelled"},
		{"other", errors.New("open /x: no such file"), "do_thing failed: open /x: no such file"},
		{"type of an answer", func() error { var v struct{ A int }; return json.Unmarshal([]byte(`{"A":"x"}`), &v) }(), `unexpected form at "A"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := toolThat(func(ctx, *Deps) (in2, error) { return in2{}, test.err }).Call(t.Context(), noDeps, nil)
			require.ErrorContains(t, err, test.want)
			require.ErrorIs(t, err, test.err)
			require.NotContains(t, err.Error(), "abcdef1234567890")
			require.NotContains(t, err.Error(), "Go value")
		})
	}
}

func TestPanic(t *testing.T) {
	var log bytes.Buffer
	deps := func() (*Deps, error) { return &Deps{Logger: slog.New(slog.NewTextHandler(&log, nil))}, nil }
	_, err := toolThat(func(ctx, *Deps) (in2, error) { panic("oops LTAI5tABCDEFGHIJ") }).Call(t.Context(), deps, nil)
	require.ErrorContains(t, err, "internal error in do_thing")
	require.NotContains(t, err.Error(), "oops")
	require.Contains(t, log.String(), "oops LTAI[removed]")
	require.Contains(t, log.String(), "tool_test.go", "the stack tells where")

	// Without a logger, and with nil Deps, it is an error all the same.
	_, err = toolThat(func(_ ctx, d *Deps) (in2, error) { return in2{N: len(d.Version)}, nil }).
		Call(t.Context(), func() (*Deps, error) { return nil, nil }, nil)
	require.ErrorContains(t, err, "internal error in do_thing")
}

func TestDepsComeAfterTheArguments(t *testing.T) {
	broken := func() (*Deps, error) { return nil, &esa.Error{Code: esa.CodeNoCredentials, Hint: "set them"} }
	tool := toolThat(func(ctx, *Deps) (in2, error) { return in2{}, nil })
	_, err := tool.Call(t.Context(), broken, json.RawMessage(`{"x":1}`))
	require.ErrorContains(t, err, "unknown argument")
	_, err = tool.Call(t.Context(), broken, nil)
	require.ErrorContains(t, err, "NoCredentials")
	require.ErrorContains(t, err, "set them")
}

func TestResultHasNoNulls(t *testing.T) {
	type row struct {
		Tags []string          `json:"tags"`
		Map  map[string]string `json:"map"`
	}
	type result struct {
		Noted
		Rows   []row            `json:"rows"`
		Ptr    *row             `json:"ptr"`
		Left   []string         `json:"left,omitempty"`
		ByName map[string]row   `json:"by_name"`
		Free   map[string]any   `json:"free"`
		Fixed  [1]row           `json:"fixed"`
		Raw    *json.RawMessage `json:"raw,omitempty"`
		Deep   struct {
			Rows []row `json:"rows"`
		} `json:"deep"`
	}
	empty := `{"tags":[],"map":{}}`
	out, err := toolThat(func(ctx, *Deps) (result, error) {
		return result{Rows: []row{{}}, Ptr: &row{}, ByName: map[string]row{"a": {}}, Free: map[string]any{"x": "<&>", "n": nil}}, nil
	}).Call(t.Context(), noDeps, nil)
	require.NoError(t, err)
	require.JSONEq(t, `{"rows":[`+empty+`],"ptr":`+empty+`,"by_name":{"a":`+empty+`},"free":{"x":"<&>","n":null},"fixed":[`+empty+`],"deep":{"rows":[]}}`, string(out))
	require.Contains(t, string(out), "<&>", "nothing is escaped for a browser")
}

func TestResultCap(t *testing.T) {
	type in struct {
		Page int    `json:"page,omitempty" jsonschema_description:"p"`
		Name string `json:"name,omitempty" jsonschema_description:"n"`
	}
	size := 0
	tool := Define(Meta{Name: "list_much"}, func(ctx, *Deps, in) (echo, error) {
		return echo{Text: strings.Repeat("x", size)}, nil
	})
	size = maxResult - len(`{"text":""}`)
	_, err := tool.Call(t.Context(), noDeps, nil)
	require.NoError(t, err)
	size++
	_, err = tool.Call(t.Context(), noDeps, nil)
	require.ErrorContains(t, err, "100001 bytes, more than the limit of 100000")
	require.ErrorContains(t, err, "use page, name.")
}

type echo struct {
	Text string `json:"text"`
}

func TestResultThatCannotBeEncoded(t *testing.T) {
	_, err := toolThat(func(ctx, *Deps) (struct {
		X float64 `json:"x"`
	}, error) {
		return struct {
			X float64 `json:"x"`
		}{math.Inf(1)}, nil
	}).Call(t.Context(), noDeps, nil)
	require.ErrorContains(t, err, "could not be encoded")
}

func TestProgress(t *testing.T) {
	var got []string
	c := WithProgress(t.Context(), func(done, total float64, message string) {
		got = append(got, fmt.Sprintf("%v/%v %s", done, total, message))
	})
	Progress(c, 0, 2, "begin")
	Progress(c, 1, 2, "half")
	Progress(c, 1, 2, "again")
	Progress(c, 0.5, 2, "back")
	Progress(c, math.NaN(), 2, "nan")
	Progress(c, 2, 0, "end")
	require.Equal(t, []string{"0/2 begin", "1/2 half", "2/0 end"}, got)
	Progress(t.Context(), 1, 2, "nobody listens")
}

// rpc sends one message to a server without a transport.
func rpc(t *testing.T, s *server.MCPServer, line string) string {
	t.Helper()
	raw, err := json.Marshal(s.HandleMessage(t.Context(), json.RawMessage(line)))
	require.NoError(t, err)
	return string(raw)
}

func TestRegister(t *testing.T) {
	s := server.NewMCPServer("t", "1", server.WithToolCapabilities(false))
	f := &fakeESA{answers: map[string]func(esa.Params) (any, error){"ListSites": say(`{"Sites":[],"TotalCount":0}`)}}
	for _, tool := range All() {
		tool.Register(s, fakeDeps(f))
	}
	var list struct {
		Result struct {
			Tools []struct {
				Name, Title, Description  string
				InputSchema, OutputSchema struct {
					Type                 string
					Properties           map[string]any
					AdditionalProperties *bool
				}
				Annotations map[string]any
			}
		}
	}
	require.NoError(t, json.Unmarshal([]byte(rpc(t, s, `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`)), &list))
	require.Len(t, list.Result.Tools, len(All()))
	for _, tool := range list.Result.Tools {
		require.NotEmpty(t, tool.Title)
		require.NotEmpty(t, tool.Description)
		require.Equal(t, "object", tool.InputSchema.Type)
		require.Equal(t, "object", tool.OutputSchema.Type)
		require.NotNil(t, tool.InputSchema.AdditionalProperties)
		require.False(t, *tool.InputSchema.AdditionalProperties)
		for _, hint := range []string{"title", "readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"} {
			require.Contains(t, tool.Annotations, hint, tool.Name)
		}
	}
	got := rpc(t, s, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_sites","arguments":{}}}`)
	require.Contains(t, got, `"structuredContent":{"sites":[],"total":0,"page":1}`)
	require.Contains(t, got, `"text":"{\"sites\":[],\"total\":0,\"page\":1}"`)
	got = rpc(t, s, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_sites","arguments":{"x":1}}}`)
	require.Contains(t, got, `"isError":true`)
	require.NotContains(t, got, "structuredContent")
}

// Without a progress sink of the transport, mcp-go's channel carries progress.
func TestProgressThroughTheLibrary(t *testing.T) {
	s := server.NewMCPServer("t", "1", server.WithToolCapabilities(false))
	toolThat(func(c ctx, _ *Deps) (in2, error) {
		Progress(c, 1, 0, "one")
		Progress(c, 2, 3, "two")
		return in2{}, nil
	}).Register(s, noDeps)
	session := server.NewInProcessSession("s", nil)
	session.Initialize()
	call := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"do_thing","_meta":{"progressToken":"p"}}}`
	_, ok := s.HandleMessage(s.WithContext(t.Context(), session), json.RawMessage(call)).(mcp.JSONRPCResponse)
	require.True(t, ok)
	notes := session.ClientNotifications()
	require.Len(t, notes, 2)
	first := (<-notes).Params.AdditionalFields
	require.Equal(t, "p", first["progressToken"])
	require.NotContains(t, first, "total")
	require.Equal(t, 3.0, (<-notes).Params.AdditionalFields["total"])
}

func TestClean(t *testing.T) {
	tests := []struct{ in, want string }{
		{"plain text\nwith lines\tand tabs", "plain text\nwith lines\tand tabs"},
		{"\x1b[1;31mred\x1b[0m", "red"},
		{"\x1b]0;title\x07shown", "shown"},
		{"\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"},
		{"a\x00b\x08c\x7fd\u009be", "abcd"},
		{"zero\u200bwidth\u2060 \u202eright-to-left\u202c \ufeff", "zerowidth right-to-left "},
		{"中文 é 🙂", "中文 é 🙂"},
		{"key LTAI5tABCDEFGHIJKLMN here", "key LTAI[removed] here"},
		{"STS.NUabcdefgh123", "STS.[removed]"},
		{"Authorization: Bearer abc.def-ghi_123", "Authorization: Bearer [removed]"},
		{`{"AccessKeySecret": "abcdefgh12345678"}`, `{"AccessKeySecret": "[removed]"}`},
		{"ACS3-HMAC-SHA256 Credential=x,Signature=0123456789abcdef", "ACS3-HMAC-SHA256 Credential=x,Signature=[removed]"},
		{"http://a/?esa_er_token=abcdefgh12345&x=1", "http://a/?esa_er_token=[removed]&x=1"},
		{"x-oss-security-token=CAISabcdefgh==", "x-oss-security-token=[removed]"},
		{"-----BEGIN RSA PRIVATE KEY-----\nMIIabc\n-----END RSA PRIVATE KEY-----\nend", "[private key removed]\nend"},
		{"The specified signature is not matched", "The specified signature is not matched"},
	}
	for _, test := range tests {
		require.Equal(t, test.want, Clean(test.in))
	}
}

// Starting must not grow with the number of tools: no reflection, no compiling.
func BenchmarkStart200Tools(b *testing.B) {
	all := All()
	deps := func() (*Deps, error) { return &Deps{}, nil }
	b.ReportAllocs()
	for b.Loop() {
		s := server.NewMCPServer("t", "1", server.WithToolCapabilities(false))
		for i := range 200 {
			// Each with the generated schemas of a real tool, under a name of its own.
			t := Define(all[i%len(all)].meta, listSites)
			t.meta.Name = fmt.Sprintf("tool_%d", i)
			t.Register(s, deps)
		}
	}
}

// What one tool would cost if its schemas were made and compiled at the start.
func BenchmarkReflectAndCompile(b *testing.B) {
	t := toolOf("list_sites")
	for b.Loop() {
		if _, err := compileSchema("x.json", t.in.reflect()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCheckArguments(b *testing.B) {
	t := toolOf("list_sites")
	args := json.RawMessage(`{"name":"example","match":"exact","page":2,"page_size":50}`)
	for b.Loop() {
		if _, err := t.in.check("list_sites", args); err != nil {
			b.Fatal(err)
		}
	}
}

func toolOf(name string) Tool {
	for _, t := range All() {
		if t.meta.Name == name {
			return t
		}
	}
	panic("no tool " + name)
}
