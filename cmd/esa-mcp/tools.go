package main

import (
	"encoding/json"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

func newTools(s *settings, std streams) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "tools",
		Short: "List the tools that the flags enable",
		Args:  takes(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			selected, err := s.selectTools()
			if err != nil {
				return err
			}
			if asJSON {
				a, err := newApp(cmd.Context(), s, appOptions{})
				if err != nil {
					return err
				}
				defer a.close()
				session, err := a.connect(cmd.Context())
				if err != nil {
					return failed("connect: %w", err)
				}
				defer session.Close()
				list, err := session.ListTools(cmd.Context())
				if err != nil {
					return failed("list tools: %w", err)
				}
				enc := json.NewEncoder(std.out)
				enc.SetIndent("", "  ")
				return enc.Encode(list)
			}
			w := tabwriter.NewWriter(std.out, 0, 0, 2, ' ', 0)
			for _, t := range selected {
				m := t.Meta()
				fmt.Fprintf(w, "%s\t%s\t%s\n", m.Name, m.Toolset, m.Title)
			}
			return w.Flush()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print what tools/list answers: schemas, hints and all")
	return cmd
}
