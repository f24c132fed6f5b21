// Package mcpserver builds the MCP server and carries it over a transport: the
// stdio loop, HTTP, and an in-process connection that speaks the same protocol.
//
// It is the one place, beside the tools' constructor, that knows mcp-go. It knows
// nothing of ESA: what tools do and what their errors mean is the tools' affair.
package mcpserver

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"github.com/esa-mcp/esa-mcp/resources"
	"github.com/esa-mcp/esa-mcp/resources/live"
	"github.com/esa-mcp/esa-mcp/tools"
)

// Options say what the server offers.
type Options struct {
	// Version, Commit and Date are those of the build. Commit and Date may be
	// empty.
	Version, Commit, Date string
	// Tools are the enabled ones.
	Tools []tools.Tool
	// Deps gives what the tools work with. It is asked at each call, after the
	// arguments have been checked, so that the server starts and lists its tools
	// without credentials.
	Deps func() (*tools.Deps, error)
	// Logger gets one entry a call, without arguments; nil drops them.
	Logger *slog.Logger
	// Timeout bounds each tool call; 0 leaves it to the tools.
	Timeout time.Duration
	// Instructions are what the client tells the model about the server; empty
	// takes those of the tools.
	Instructions string
	// Watch sees the writes that the tools send, for notifications and for what is
	// remembered of the account; nil for a server whose writes nobody sees.
	Watch *live.Watch
	// Now is the clock of the log entries; nil is time.Now.
	Now func() time.Time
}

// Server is the server that New builds, for those who must not know mcp-go.
type Server = server.MCPServer

// Watch sees the writes of a server. It goes around the client, and to New.
type Watch = live.Watch

// New builds the server. It is called esa in its serverInfo. What it costs does
// not depend on the number of tools.
func New(o Options) *server.MCPServer { return build(o) }

// build is New with more of mcp-go's options, for tests that need other things
// than the product offers.
func build(o Options, more ...server.ServerOption) *server.MCPServer {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Instructions == "" {
		o.Instructions = tools.Instructions(o.Tools)
	}
	if o.Watch == nil {
		o.Watch = &live.Watch{}
	}
	account, names := live.New(o.Deps), live.NewNames(o.Deps, o.Now)
	o.Watch.Tell(func(context.Context, live.Change) { names.Forget() })
	completions := newCompleter(names, account, o)
	hooks := &server.Hooks{}
	s := server.NewMCPServer("esa", o.Version, append([]server.ServerOption{
		server.WithHooks(hooks),
		server.WithTitle("Alibaba Cloud ESA"),
		server.WithDescription(describeBuild(o)),
		server.WithToolCapabilities(false),           // the list never changes while it runs
		server.WithResourceCapabilities(true, false), // watchUpdates declares list_changed
		server.WithCompletions(),
		server.WithResourceCompletionProvider(completions),
		server.WithPromptCompletionProvider(completions),
		server.WithPromptCapabilities(false), // nor this list
		server.WithLogging(),
		server.WithInstructions(o.Instructions),
		server.WithToolHandlerMiddleware(logCalls(o.Logger, o.Now)),
		server.WithToolHandlerMiddleware(limitCalls(o.Timeout)),
		server.WithResourceHandlerMiddleware(docErrors),
	}, more...)...)
	// mcp-go reads a tool's schema when it is added, which would make the start
	// longer with every tool: they are added when a client first asks for one.
	register := sync.OnceFunc(func() {
		for _, t := range o.Tools {
			t.Register(s, o.Deps)
		}
	})
	hooks.AddBeforeListTools(func(context.Context, any, *mcp.ListToolsRequest) { register() })
	hooks.AddBeforeCallTool(func(context.Context, any, *mcp.CallToolRequest) { register() })
	// The same of resources: the documents have to be read for their descriptions.
	read := readLive(account, o)
	watchUpdates(s, hooks, account, o.Watch, read)
	shelve := sync.OnceFunc(func() {
		resources.RegisterDocs(s)
		registerLive(s, account, read)
	})
	hooks.AddBeforeListResources(func(context.Context, any, *mcp.ListResourcesRequest) { shelve() })
	hooks.AddBeforeListResourceTemplates(func(context.Context, any, *mcp.ListResourceTemplatesRequest) { shelve() })
	hooks.AddBeforeReadResource(func(context.Context, any, *mcp.ReadResourceRequest) { shelve() })
	// And of prompts.
	offer := sync.OnceFunc(func() { registerPrompts(s, account, o) })
	hooks.AddBeforeListPrompts(func(context.Context, any, *mcp.ListPromptsRequest) { offer() })
	hooks.AddBeforeGetPrompt(func(context.Context, any, *mcp.GetPromptRequest) { offer() })
	return s
}

func describeBuild(o Options) string {
	text := "Tools for Alibaba Cloud ESA"
	var build []string
	if o.Commit != "" {
		build = append(build, "commit "+o.Commit)
	}
	if o.Date != "" {
		build = append(build, "built "+o.Date)
	}
	if len(build) > 0 {
		text += " (" + strings.Join(build, ", ") + ")"
	}
	return text
}
