package mcpserver

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
	"github.com/stretchr/testify/require"
)

const elicitInit = `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{"elicitation":{}},"clientInfo":{"name":"t","version":"1"}}}`

// asking is a server with a tool that asks the person and tells the outcome.
func asking(t *testing.T) *bench {
	t.Helper()
	b := newBench(Options{})
	b.AddTool(mcp.NewTool("ask_now"), func(ctx context.Context, _ mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		answer, err := server.ServerFromContext(ctx).RequestElicitation(ctx, mcp.ElicitationRequest{
			Params: mcp.ElicitationParams{Message: "Sure?", RequestedSchema: map[string]any{"type": "object"}}})
		if err != nil {
			return mcp.NewToolResultText("failed: " + err.Error()), nil
		}
		return mcp.NewToolResultText(string(answer.Action)), nil
	})
	return b
}

func text(t *testing.T, line string) string {
	t.Helper()
	a := parseAnswer(t, line)
	require.NotNil(t, a.Result, line)
	return a.Result.Content[0].Text
}

func TestElicitation(t *testing.T) {
	p := asking(t).connect(t, StdioOptions{MaxRunning: 1})
	p.send(elicitInit, initDone)
	p.next()
	for said, want := range map[string]string{
		`"result":{"action":"accept","content":{}}`:        "accept",
		`"result":{"action":"decline"}`:                    "decline",
		`"error":{"code":-32603,"message":"no screen"}`:    "no screen",
		`"result":"perhaps"`:                               "failed: read the answer to elicitation/create",
		`"result":{"action":"accept"},"unknown":{"a":[1]}`: "accept",
	} {
		p.send(callLine("7", "ask_now", "{}"))
		var asked struct {
			ID     json.RawMessage
			Method string
			Params struct{ Message string }
		}
		require.NoError(t, json.Unmarshal([]byte(p.next()), &asked))
		require.Equal(t, "elicitation/create", asked.Method)
		require.Equal(t, "Sure?", asked.Params.Message)
		p.send(`{"jsonrpc":"2.0","id":"esa-999",` + said + `}`) // of no request
		p.send(`{"jsonrpc":"2.0","id":` + string(asked.ID) + `,` + said + `}`)
		require.Contains(t, text(t, p.next()), want)
	}
}

func TestElicitationEnds(t *testing.T) {
	t.Run("the client cannot ask", func(t *testing.T) {
		lines := asking(t).pipe(t, StdioOptions{}, initLine, initDone, callLine("1", "ask_now", "{}"))
		require.Contains(t, text(t, lines[1]), server.ErrElicitationNotSupported.Error())
	})
	t.Run("the client has left", func(t *testing.T) {
		p := asking(t).connect(t, StdioOptions{})
		p.send(elicitInit, initDone)
		p.next()
		p.send(callLine("1", "ask_now", "{}"))
		require.Contains(t, p.next(), "elicitation/create")
		lines, err := p.rest()
		require.NoError(t, err)
		require.Contains(t, text(t, lines[0]), errClientGone.Error())
	})
	t.Run("the call is cancelled", func(t *testing.T) {
		p := asking(t).connect(t, StdioOptions{})
		p.send(elicitInit, initDone)
		p.next()
		p.send(callLine("1", "ask_now", "{}"))
		require.Contains(t, p.next(), "elicitation/create")
		p.send(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}`)
		require.Contains(t, p.next(), `"notifications/cancelled"`, "the client need not ask any more")
	})
}
