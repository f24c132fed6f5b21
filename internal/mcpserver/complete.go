package mcpserver

import (
	"context"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/esa-mcp/esa-mcp/prompts"
	"github.com/esa-mcp/esa-mcp/resources/live"
)

// completer completes the arguments of prompts and the variables of resource
// templates. What it does not know has no completions: that is never an error.
type completer struct {
	names *live.Names
	// uris are the variables of the templates, by address.
	uris func() map[string][]string
	o    Options
}

func newCompleter(names *live.Names, l *live.Live, o Options) *completer {
	return &completer{names: names, o: o, uris: func() map[string][]string {
		variables := make(map[string][]string)
		for _, t := range l.Templates() {
			variables[t.URI], variables[t.Base()] = t.Variables(), t.Variables()
		}
		return variables
	}}
}

// CompleteResourceArgument completes a variable of a template.
func (c *completer) CompleteResourceArgument(ctx context.Context, uri string, a mcp.CompleteArgument, known mcp.CompleteContext) (*mcp.Completion, error) {
	for _, variable := range c.uris()[uri] {
		if variable == a.Name {
			return c.complete(ctx, variable, a.Value, known.Arguments), nil
		}
	}
	return &mcp.Completion{Values: []string{}}, nil
}

// CompletePromptArgument completes an argument of a prompt.
func (c *completer) CompletePromptArgument(ctx context.Context, prompt string, a mcp.CompleteArgument, known mcp.CompleteContext) (*mcp.Completion, error) {
	p, err := prompts.Find(prompt)
	if err != nil {
		return &mcp.Completion{Values: []string{}}, nil
	}
	given := make(map[string]string, len(known.Arguments))
	for _, argument := range p.Arguments {
		// Names are looked up by what they are of, whatever the prompt calls them.
		given[argument.Subject] = known.Arguments[argument.Name]
	}
	for _, argument := range p.Arguments {
		switch {
		case argument.Name != a.Name:
		case argument.Values != nil:
			return completion(live.Pick(argument.Values, a.Value)), nil
		default:
			return c.complete(ctx, argument.Subject, a.Value, given), nil
		}
	}
	return &mcp.Completion{Values: []string{}}, nil
}

func (c *completer) complete(ctx context.Context, subject, text string, given map[string]string) (out *mcp.Completion) {
	defer func() {
		if v := recover(); v != nil {
			logPanic(c.o.Logger, "completion/complete", v)
			out = &mcp.Completion{Values: []string{}}
		}
	}()
	return completion(c.names.Complete(ctx, subject, text, given))
}

func completion(c live.Completion) *mcp.Completion {
	return &mcp.Completion{Values: c.Values, Total: c.Total, HasMore: c.More}
}
