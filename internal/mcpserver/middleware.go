package mcpserver

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// logCalls writes one entry for each tool call. Arguments and results stay out:
// they may hold secrets.
func logCalls(logger *slog.Logger, now func() time.Time) server.ToolHandlerMiddleware {
	return func(next server.ToolHandlerFunc) server.ToolHandlerFunc {
		return func(ctx context.Context, r mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			began := now()
			result, err := next(ctx, r)
			logger.InfoContext(ctx, "tool call",
				"tool", r.Params.Name,
				"duration", now().Sub(began),
				"outcome", outcome(ctx, result, err))
			return result, err
		}
	}
}

func outcome(ctx context.Context, result *mcp.CallToolResult, err error) string {
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return "cancelled"
	case err != nil || result == nil:
		return "failed"
	case result.IsError:
		return "error"
	}
	return "ok"
}

// limitCalls bounds the time of a call.
func limitCalls(limit time.Duration) server.ToolHandlerMiddleware {
	return func(next server.ToolHandlerFunc) server.ToolHandlerFunc {
		if limit <= 0 {
			return next
		}
		return func(ctx context.Context, r mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			ctx, cancel := context.WithTimeout(ctx, limit)
			defer cancel()
			return next(ctx, r)
		}
	}
}
