package mcpserver

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"github.com/esa-mcp/esa-mcp/prompts"
	"github.com/esa-mcp/esa-mcp/resources/live"
	"github.com/esa-mcp/esa-mcp/tools"
)

// explain words an error of mcp-go for the one who sent the message: its own
// texts name Go types and leave out what would have been right.
func explain(s *server.MCPServer, m message, code int, text string) string {
	switch {
	case m.method == "resources/read" && strings.HasPrefix(text, "handler not found"):
		return live.Unknown(m.uri).Error()
	case m.method == "prompts/get" && strings.HasSuffix(text, "prompt not found"):
		if _, err := prompts.Find(m.tool); err != nil {
			return err.Error()
		}
	case strings.HasPrefix(text, "unparsable ") && m.method == "prompts/get":
		return "the params of prompts/get do not fit: name is a string, arguments an object whose values are all strings"
	case strings.HasPrefix(text, "unparsable ") && m.method == "tools/call":
		return "the params of tools/call do not fit: name is a string, arguments a JSON object with numbers of ordinary size"
	case strings.HasPrefix(text, "unparsable "):
		return "the params of " + m.method + " do not have the form that MCP gives them"
	case code == mcp.INVALID_PARAMS && strings.HasSuffix(m.method, "/list"):
		return "the cursor is none that this server gave: leave it out to begin anew"
	case code == mcp.INVALID_PARAMS && m.method == "tools/call":
		return explainTool(s, m.tool, text)
	case code == mcp.METHOD_NOT_FOUND && !strings.Contains(text, m.method):
		return fmt.Sprintf("method %q is not supported: %s", m.method, text)
	}
	return text
}

func explainTool(s *server.MCPServer, name, text string) string {
	known := s.ListTools()
	if _, ok := known[name]; ok {
		return text
	}
	if name == "" {
		return "params.name has to name a tool; tools/list shows them"
	}
	if len(known) == 0 {
		return fmt.Sprintf("unknown tool %q: no tool is enabled", name)
	}
	names := make([]string, 0, len(known))
	for n := range known {
		names = append(names, n)
	}
	slices.Sort(names)
	return fmt.Sprintf("unknown tool %q%s tools/list shows the tools that are enabled", name, tools.DidYouMean(name, names))
}
