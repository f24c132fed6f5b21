package main

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/esa-mcp/esa-mcp/internal/local"
	described "github.com/esa-mcp/esa-mcp/internal/local/traffic"
)

func newLocalTraffic(s *settings, std streams) *cobra.Command {
	var dir, file, site string
	var requests int
	var span time.Duration
	var seed uint64
	cmd := &cobra.Command{
		Use:   "traffic --site NAME",
		Short: "Write requests of made-up visitors into the local ESA's log",
		Long: `traffic writes requests of made-up visitors into the log of a local ESA, running
or not, for analytics to count: --requests of them over the last --span, more by
day than by night. The same --seed gives the same traffic.

--description FILE says what it is like, as JSON; what it leaves out has a default,
and the flags count more. Values come in proportion to their numbers:
  {"site": "shop.example", "requests": 1000000, "span": "72h", "visitors": 5000,
   "hosts": {"www.shop.example": 9, "img.shop.example": 1}, "paths": {"/": 3, "/a.js": 2},
   "countries": {"DE": 2, "CN-ZJ": 1}, "statuses": {"200": 97, "404": 2, "502": 1},
   "cache_statuses": {"HIT": 8, "MISS": 2}, "agents": {}, "isps": {}, "asns": {},
   "methods": {}, "protocols": {}, "referers": {}, "seed": 7}`,
		Args: takes(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var d described.Description
			if file != "" {
				text, err := os.ReadFile(file)
				if err != nil {
					return failed("read the description: %w", err)
				}
				if d, err = described.Parse(text); err != nil {
					return failed("%s: %w", file, err)
				}
			}
			set := cmd.Flags().Changed
			if set("site") {
				d.Site = site
			}
			if set("requests") {
				d.Requests = requests
			}
			if set("span") {
				d.Span = described.Duration(span)
			}
			if set("seed") {
				d.Seed = seed
			}
			if d.Site == "" {
				return fmt.Errorf("say which site: --site NAME")
			}
			if dir == "" {
				dir = s.localDir
			}
			started := time.Now()
			n, err := local.GenerateTraffic(cmd.Context(), dir, d, started)
			if err != nil {
				return failed("write traffic: %w", err)
			}
			return json.NewEncoder(std.out).Encode(map[string]any{"site": d.Site, "requests": n, "seconds": time.Since(started).Seconds()})
		},
	}
	f := cmd.Flags()
	f.StringVar(&site, "site", "", "active site that the requests are for")
	f.IntVar(&requests, "requests", 100_000, "how many requests")
	f.DurationVar(&span, "span", 24*time.Hour, "time over which they are spread, until now")
	f.Uint64Var(&seed, "seed", 0, "number that the traffic is made of")
	f.StringVar(&file, "description", "", "JSON file that says what the traffic is like")
	f.StringVar(&dir, "dir", "", "folder of the local ESA's state (default: --local-dir)")
	return cmd
}
