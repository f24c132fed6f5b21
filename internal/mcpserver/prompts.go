package mcpserver

import (
	"context"
	"errors"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"github.com/esa-mcp/esa-mcp/prompts"
	"github.com/esa-mcp/esa-mcp/resources/live"
)

// registerPrompts adds the prompts.
func registerPrompts(s *server.MCPServer, l *live.Live, o Options) {
	for _, p := range prompts.All() {
		options := []mcp.PromptOption{mcp.WithPromptTitle(p.Title), mcp.WithPromptDescription(p.Description)}
		for _, a := range p.Arguments {
			about := []mcp.ArgumentOption{mcp.ArgumentDescription(a.Description)}
			if a.Required {
				about = append(about, mcp.RequiredArgument())
			}
			options = append(options, mcp.WithArgument(a.Name, about...))
		}
		s.AddPrompt(mcp.NewPrompt(p.Name, options...), guarded(o, "prompts/get", func(ctx context.Context, r mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
			text, err := p.Get(ctx, l, o.Tools, r.Params.Arguments)
			var invalid *prompts.Invalid
			if errors.As(err, &invalid) {
				setCode(ctx, mcp.INVALID_PARAMS)
			}
			if err != nil {
				return nil, err
			}
			return mcp.NewGetPromptResult(p.Description, []mcp.PromptMessage{
				mcp.NewPromptMessage(mcp.RoleUser, mcp.NewTextContent(text)),
			}), nil
		}))
	}
}
