package mcpserver

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/esa-mcp/esa-mcp/tools"
)

// codeBusy is in the range that JSON-RPC leaves to servers.
const codeBusy = -32000

// nullID answers what has no usable id.
var nullID = json.RawMessage("null")

// message is one JSON-RPC message of the client, as far as the loop reads it.
type message struct {
	raw    json.RawMessage
	id     json.RawMessage // exactly as it was sent; nil for a notification
	method string
	// Of the params of notifications/cancelled, tools/call, prompts/get and
	// resources/read.
	cancels       json.RawMessage
	progressToken json.RawMessage
	tool          string // or the prompt
	uri           string
	// answer is one to a request of the server, answers the id of that.
	answers json.RawMessage
	answer  clientAnswer
}

// problem is why a message is refused.
type problem struct {
	id   json.RawMessage
	code int
	text string
}

// parse reads one message. With a problem the message is to be answered by it;
// without a method it is an answer of the client.
func parse(raw json.RawMessage) (message, *problem) {
	var in struct {
		JSONRPC json.RawMessage `json:"jsonrpc"`
		ID      json.RawMessage `json:"id"`
		Method  json.RawMessage `json:"method"`
		Params  json.RawMessage `json:"params"`
		Result  json.RawMessage `json:"result"`
		Error   json.RawMessage `json:"error"`
	}
	m := message{raw: raw}
	if err := json.Unmarshal(raw, &in); err != nil {
		if json.Valid(raw) {
			return m, invalid(nil, "a message is a JSON object")
		}
		return m, &problem{nullID, mcp.PARSE_ERROR, "the line is not valid JSON"}
	}
	isAnswer := in.Result != nil || in.Error != nil
	switch {
	case in.ID != nil && !isNull(in.ID) && !isID(in.ID):
		return m, invalid(nil, "id has to be a string or a number")
	case in.Method == nil && isAnswer:
		m.answers, m.answer = in.ID, clientAnswer{in.Result, in.Error}
		return m, nil
	case in.Method == nil:
		return m, invalid(in.ID, "method is missing")
	case isAnswer:
		return m, invalid(in.ID, "a message with a method has neither result nor error")
	case json.Unmarshal(in.Method, &m.method) != nil || m.method == "":
		return m, invalid(in.ID, "method has to be a string")
	case string(in.JSONRPC) != `"2.0"`:
		return m, invalid(in.ID, `jsonrpc has to be "2.0"`)
	case isNull(in.ID) && !strings.HasPrefix(m.method, "notifications/"):
		return m, invalid(nil, "id has to be a string or a number, not null")
	}
	if !isNull(in.ID) {
		m.id = in.ID
	}
	m.peek(in.Params)
	return m, nil
}

func invalid(id json.RawMessage, text string) *problem {
	if id == nil {
		id = nullID
	}
	return &problem{id, mcp.INVALID_REQUEST, text}
}

func isNull(raw json.RawMessage) bool { return string(raw) == "null" }

// isID reports whether raw, which is JSON, is a string or a number.
func isID(raw json.RawMessage) bool {
	return len(raw) > 0 && strings.ContainsRune(`"-0123456789`, rune(raw[0]))
}

// peek reads what the loop itself needs of the params.
func (m *message) peek(params json.RawMessage) {
	switch m.method {
	case "notifications/cancelled":
		var p struct {
			RequestID json.RawMessage `json:"requestId"`
		}
		if json.Unmarshal(params, &p) == nil {
			m.cancels = p.RequestID
		}
	case "tools/call", "prompts/get", "resources/read":
		var p struct {
			Name any `json:"name"`
			URI  any `json:"uri"`
			Meta struct {
				ProgressToken json.RawMessage `json:"progressToken"`
			} `json:"_meta"`
		}
		if json.Unmarshal(params, &p) == nil {
			m.tool, _ = p.Name.(string)
			m.uri, _ = p.URI.(string)
			if m.method == "tools/call" && isID(p.Meta.ProgressToken) {
				m.progressToken = p.Meta.ProgressToken
			}
		}
	}
}

// reply encodes an answer under the id as the client wrote it: mcp-go makes
// numbers floats, and a client would not find the answer to 9007199254740993.
func reply(id json.RawMessage, answer mcp.JSONRPCMessage, explain func(code int, text string) (int, string)) []byte {
	switch a := answer.(type) {
	case mcp.JSONRPCResponse:
		result, err := encodeJSON(a.Result)
		if err != nil {
			return replyError(&problem{id, mcp.INTERNAL_ERROR, "the result could not be encoded"}, nil)
		}
		return envelope(id, "result", result)
	case mcp.JSONRPCError:
		code, text := explain(a.Error.Code, a.Error.Message)
		return replyError(&problem{id, code, text}, a.Error.Data)
	}
	return replyError(&problem{id, mcp.INTERNAL_ERROR, "there is no answer to this message"}, nil)
}

// replyError encodes an error. The text is free of control characters, secrets
// and names of Go types.
func replyError(p *problem, data any) []byte {
	e := struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
		Data    any    `json:"data,omitempty"`
	}{p.code, tools.Clean(p.text), data}
	body, err := encodeJSON(e)
	if err != nil {
		e.Data = nil
		body, _ = encodeJSON(e) // a number and a text always encode
	}
	return envelope(p.id, "error", body)
}

func envelope(id json.RawMessage, field string, body []byte) []byte {
	out := make([]byte, 0, len(body)+len(id)+48)
	out = append(out, `{"jsonrpc":"2.0","id":`...)
	out = append(out, id...)
	out = append(out, `,"`...)
	out = append(out, field...)
	out = append(out, `":`...)
	out = append(out, body...)
	return append(out, '}')
}

// encodeJSON is json.Marshal that leaves <, > and & as they are.
func encodeJSON(v any) ([]byte, error) {
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}
