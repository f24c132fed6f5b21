package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/esa-mcp/esa-mcp/tools"
)

func newCall(s *settings, std streams) *cobra.Command {
	var asJSON string
	cmd := &cobra.Command{
		Use:   "call TOOL [--json '{...}' | key=value ...]",
		Short: "Call one tool and print its result as JSON",
		Long: `call runs one tool as an MCP client would and prints its structured result.
Any tool can be called, whatever the default toolsets are.
Arguments are key=value, or one JSON object with --json. A value of the form
key='{"a":1}' or key='[1,2]' is taken as JSON where the tool wants an object or
a list. Exit code 1 is an error of the tool, 2 bad usage.

With --local the edge ends with the call; 'esa-mcp local' serves the same state.`,
		Example: `  esa-mcp call deploy_pages name=hello path=./public --local
  esa-mcp call list_sites --json '{"page_size": 5}'`,
		Args: takes(1, math.MaxInt),
		RunE: func(cmd *cobra.Command, args []string) error {
			arguments, err := callArguments(asJSON, args[1:])
			if err != nil {
				return err
			}
			return call(cmd, s, std, args[0], arguments)
		},
	}
	cmd.Flags().StringVar(&asJSON, "json", "", "the arguments as one JSON object")
	return cmd
}

// callArguments makes the arguments' JSON of --json or of key=value pairs. Pairs
// are sent as text: the tool's own schema says what they become.
func callArguments(asJSON string, pairs []string) (json.RawMessage, error) {
	if asJSON != "" {
		if len(pairs) > 0 {
			return nil, fmt.Errorf("give arguments with --json or as key=value, not both")
		}
		var object map[string]json.RawMessage
		if err := json.Unmarshal([]byte(asJSON), &object); err != nil || object == nil {
			return nil, fmt.Errorf(`--json takes one JSON object, such as '{"name":"hello"}'`)
		}
		return json.RawMessage(asJSON), nil
	}
	object := make(map[string]string, len(pairs))
	for _, pair := range pairs {
		key, value, ok := strings.Cut(pair, "=")
		if !ok || key == "" {
			return nil, fmt.Errorf("argument %q is not key=value", pair)
		}
		if _, twice := object[key]; twice {
			return nil, fmt.Errorf("argument %s is given twice", key)
		}
		object[key] = value
	}
	return json.Marshal(object)
}

func call(cmd *cobra.Command, s *settings, std streams, tool string, arguments json.RawMessage) error {
	if !cmd.Flags().Changed("toolsets") {
		s.toolsets = "all" // nobody pays for the tools that are not called
	}
	selected, err := s.selectTools()
	if err != nil {
		return err
	}
	names := make([]string, len(selected))
	for i, t := range selected {
		names[i] = t.Meta().Name
	}
	if !slices.Contains(names, tool) {
		return fmt.Errorf("no tool %q is enabled%s 'esa-mcp tools --toolsets %s' lists them", tool, tools.DidYouMean(tool, names), s.toolsets)
	}
	a, err := newApp(cmd.Context(), s, appOptions{confirmed: s.yes, oneCall: true})
	if err != nil {
		return err
	}
	defer a.close()
	session, err := a.connect(cmd.Context())
	if err != nil {
		return failed("connect: %w", err)
	}
	defer session.Close()
	result, err := session.CallTool(cmd.Context(), tool, arguments, nil)
	if cmd.Context().Err() != nil && err != nil {
		return failed("%s was %w: what it had begun may have been carried out. Look with a list or get tool before calling it again", tool, errInterrupted)
	}
	if err != nil {
		return failed("call %s: %w", tool, err)
	}
	if result.IsError {
		return &failure{text: result.Text}
	}
	var out bytes.Buffer
	if err := json.Indent(&out, plainJSON(result.Structured), "", "  "); err != nil {
		return failed("result of %s: %w", tool, err)
	}
	out.WriteByte('\n')
	_, err = std.out.Write(out.Bytes())
	return err
}

// plainJSON writes <, > and & as they are in a JSON text: on its way it was
// escaped for HTML pages, which the shell has none of.
func plainJSON(raw []byte) []byte {
	out := make([]byte, 0, len(raw))
	for len(raw) > 0 {
		n := 1
		if raw[0] == '\\' && len(raw) > 1 {
			n = 2
			if len(raw) >= 6 && raw[1] == 'u' {
				n = 6
			}
		}
		switch string(raw[:n]) {
		case `\u003c`:
			out = append(out, '<')
		case `\u003e`:
			out = append(out, '>')
		case `\u0026`:
			out = append(out, '&')
		default:
			out = append(out, raw[:n]...)
		}
		raw = raw[n:]
	}
	return out
}
