package main

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/esa-mcp/esa-mcp/tools"
)

// maxPolicy is the most characters that RAM takes in a custom policy.
const maxPolicy = 6144

// ramPolicy is a policy document of Alibaba Cloud RAM.
type ramPolicy struct {
	Version   string
	Statement []ramStatement
}

type ramStatement struct {
	Effect   string
	Action   []string
	Resource string
}

func newRAMPolicy(s *settings, std streams) *cobra.Command {
	return &cobra.Command{
		Use:   "ram-policy",
		Short: "Print the RAM policy that the enabled tools need",
		Long: `ram-policy prints a RAM policy document that allows the operations of the tools
that --toolsets and --read-only enable, and what the guardrails read for them
(less with --guardrails off), and no others. Attach it to the RAM user or role
whose credentials esa-mcp uses.

write_api and undo_change can send any operation, so their policy allows all of
ESA: leave them out with --toolsets default,-write_api for a smaller one.`,
		Example: `  esa-mcp ram-policy --toolsets pages,kv
  esa-mcp ram-policy --toolsets default,-write_api`,
		Args: takes(0, 0),
		RunE: func(*cobra.Command, []string) error {
			selected, err := s.selectTools()
			if err != nil {
				return err
			}
			actions := tools.RAMActions(selected, s.guardConfig())
			if len(actions) == 0 {
				return fmt.Errorf("the enabled tools send nothing to ESA, so they need no policy")
			}
			if slices.Contains(actions, "esa:*") {
				fmt.Fprintln(std.err, "note: write_api or undo_change is enabled, so the policy allows all of ESA; -write_api,-undo_change in --toolsets leaves them out")
			}
			text, err := json.MarshalIndent(ramPolicy{
				Version:   "1",
				Statement: []ramStatement{{Effect: "Allow", Action: actions, Resource: "*"}},
			}, "", "  ")
			if err != nil {
				return failed("encode the policy: %w", err)
			}
			if len(text) > maxPolicy {
				fmt.Fprintf(std.err, "note: RAM takes at most %d characters a policy and this has %d: split it by toolset\n", maxPolicy, len(text))
			}
			_, err = fmt.Fprintln(std.out, string(text))
			return err
		},
	}
}
