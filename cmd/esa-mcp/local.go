package main

import (
	"encoding/json"
	"time"

	"github.com/spf13/cobra"

	"github.com/esa-mcp/esa-mcp/internal/local"
)

func newLocal(s *settings, std streams) *cobra.Command {
	var o local.Options
	cmd := &cobra.Command{
		Use:   "local",
		Short: "Run the local ESA alone, for any ESA client",
		Long: `local runs the local ESA: an API endpoint that ESA clients accept, and an edge
that serves what they deploy. It prints one line of JSON with endpoint, edge,
access_key_id and access_key_secret, then serves until it is interrupted.
Routines are served under http://NAME.HASH.er.localhost:PORT/ on the edge.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.Dir == "" {
				o.Dir = s.localDir
			}
			o.Logger = s.logger
			o.Now = time.Now
			srv, err := local.Start(cmd.Context(), o)
			if err != nil {
				return failed("start the local ESA: %w", err)
			}
			defer srv.Close()
			if err := json.NewEncoder(std.out).Encode(srv.Info()); err != nil {
				return failed("print the local ESA's addresses: %w", err)
			}
			<-cmd.Context().Done()
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.Listen, "listen", "127.0.0.1:0", "loopback address of the API")
	f.StringVar(&o.EdgeListen, "edge-listen", "127.0.0.1:0", "loopback address of the edge")
	f.StringVar(&o.Dir, "dir", "", `folder that keeps the state; ":memory:" keeps nothing (default: --local-dir)`)
	f.BoolVar(&o.OpenDefaultDomain, "open-default-domain", false, "serve default domains without an access token, which ESA itself demands")
	return cmd
}
