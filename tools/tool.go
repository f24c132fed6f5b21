// Package tools holds the MCP tools: one file per toolset, and the one generic
// constructor, Define, that makes a tool of a description, an input struct, an
// output struct and a function.
//
// Tools reach ESA only through Deps. They know nothing of the transport, of
// JSON-RPC or of the client's credentials.
package tools

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/mark3labs/mcp-go/server"
)

// Hint is a tool annotation that has to be given: Unset fails the tests.
type Hint int

// The values of a Hint.
const (
	Unset Hint = iota
	Yes
	No
)

// Meta describes a tool to the client and to the model.
type Meta struct {
	// Name is verb_noun, at most 30 characters. Title is for people.
	// Description is what a model reads to choose and to use the tool.
	Name, Title, Description string
	// Toolset is the group that switches the tool on and off.
	Toolset string
	// The four hints of MCP; all are mandatory.
	ReadOnly, Destructive, Idempotent, OpenWorld Hint
}

// Tool is one tool, ready to be registered.
type Tool struct {
	meta Meta
}

// Define makes a tool.
func Define[In, Out any](meta Meta, run func(ctx context.Context, d *Deps, in In) (Out, error)) Tool {
	return Tool{meta: meta}
}

// Meta returns the tool's description.
func (t Tool) Meta() Meta { return t.meta }

// InputSchema returns the JSON schema of the arguments.
func (t Tool) InputSchema() json.RawMessage { return nil }

// OutputSchema returns the JSON schema of the structured result.
func (t Tool) OutputSchema() json.RawMessage { return nil }

// Register adds the tool to a server. deps is asked at each call.
func (t Tool) Register(s *server.MCPServer, deps func() (*Deps, error)) {}

// Progress tells the client how far a call is: done of total, with a message. It
// does nothing when the client asked for no progress. A total of 0 is unknown.
func Progress(ctx context.Context, done, total float64, message string) {}

// Refuse is an error for the model about what it asked: a bad argument or a
// precondition. The text reaches it as it is, so it names the fix.
func Refuse(format string, a ...any) error { return fmt.Errorf(format, a...) }

// ID is a 64-bit id: text in results, and taken as a number or text in arguments.
type ID string
