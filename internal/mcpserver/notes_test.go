package mcpserver

import (
	"context"
	"testing"

	"github.com/mark3labs/mcp-go/server"
	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/tools"
)

func oneTool(name string, run func(context.Context) error) *bench {
	tool := tools.Define(tools.Meta{Name: name, Description: name}, func(ctx context.Context, _ *tools.Deps, _ struct{}) (echoOut, error) {
		return echoOut{}, run(ctx)
	})
	return &bench{MCPServer: New(Options{
		Tools: []tools.Tool{tool},
		Deps:  func() (*tools.Deps, error) { return &tools.Deps{}, nil },
	})}
}

// What a handler sends through mcp-go's channel is out before its answer.
func TestNotificationsOfAHandlerComeFirst(t *testing.T) {
	b := oneTool("notify_much", func(ctx context.Context) error {
		for range 100 {
			err := server.ServerFromContext(ctx).SendNotificationToClient(ctx, "notifications/odd", nil)
			if err != nil {
				return err
			}
		}
		return nil
	})
	for range 50 {
		// Once initialized: mcp-go sends nothing before.
		lines := b.pipe(t, StdioOptions{}, initLine, initDone, callLine(`1`, "notify_much", `{}`))
		require.Len(t, lines, 102)
		for _, line := range lines[1:101] {
			require.Equal(t, "notifications/odd", parseAnswer(t, line).Method)
		}
		require.False(t, parseAnswer(t, lines[101]).Result.IsError, lines[101])
	}
}

// A goroutine that a tool has left behind does not report into the void.
func TestNoProgressAfterTheAnswer(t *testing.T) {
	left := make(chan context.Context, 1)
	b := oneTool("leave_early", func(ctx context.Context) error {
		tools.Progress(ctx, 1, 2, "in time")
		left <- ctx
		return nil
	})
	p := b.connect(t, StdioOptions{})
	p.send(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"leave_early","_meta":{"progressToken":"p"}}}`)
	require.Equal(t, "notifications/progress", parseAnswer(t, p.next()).Method)
	require.Equal(t, `1`, string(parseAnswer(t, p.next()).ID))
	tools.Progress(<-left, 2, 2, "late")
	p.send(`{"jsonrpc":"2.0","id":2,"method":"ping"}`)
	require.Equal(t, `2`, string(parseAnswer(t, p.next()).ID))
}
