package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/esa-mcp/esa-mcp/internal/local"
	"github.com/esa-mcp/esa-mcp/internal/local/console"
)

func newLocalStatus(s *settings, std streams) *cobra.Command {
	var dir string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status [ADMIN]",
		Short: "Say what a local ESA has: sites, routines, key-value pairs",
		Long: `status says what a local ESA has. ADMIN is the address "admin" that the running
one printed; its access key is taken from ALIBABA_CLOUD_ACCESS_KEY_ID and
ALIBABA_CLOUD_ACCESS_KEY_SECRET. Without it the state in --dir is read.`,
		Args: takes(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var snapshot console.Snapshot
			var err error
			if len(args) == 1 {
				snapshot, err = askStatus(cmd.Context(), args[0])
			} else {
				if dir == "" {
					dir = s.localDir
				}
				if _, err := os.Stat(filepath.Join(dir, "esa.db")); err != nil {
					return failed("there is no state of a local ESA in %s: give --dir, or the address of one that runs", dir)
				}
				snapshot, err = local.Snapshot(cmd.Context(), dir)
			}
			if err != nil {
				return failed("%w", err)
			}
			if asJSON {
				e := json.NewEncoder(std.out)
				e.SetIndent("", "  ")
				return e.Encode(snapshot)
			}
			return printStatus(std.out, snapshot)
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "", "folder that keeps the state (default: --local-dir)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// askStatus asks a local ESA that runs.
func askStatus(ctx context.Context, admin string) (snapshot console.Snapshot, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(admin, "/")+"/status", nil)
	if err != nil || r.URL.Host == "" {
		return snapshot, fmt.Errorf("%q is no address: give \"admin\" as the running local ESA printed it, such as http://127.0.0.1:4001/_local", admin)
	}
	r.SetBasicAuth(os.Getenv("ALIBABA_CLOUD_ACCESS_KEY_ID"), os.Getenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET"))
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return snapshot, fmt.Errorf("ask the local ESA: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		var refused struct{ Error string }
		_ = json.NewDecoder(res.Body).Decode(&refused) // told as far as it can be read
		if refused.Error == "" {
			refused.Error = "this is not the address \"admin\" that a local ESA prints"
		}
		return snapshot, fmt.Errorf("ask the local ESA: HTTP %d: %s", res.StatusCode, refused.Error)
	}
	if err := json.NewDecoder(res.Body).Decode(&snapshot); err != nil {
		return snapshot, fmt.Errorf("read the local ESA's answer: %w", err)
	}
	return snapshot, nil
}

func printStatus(out io.Writer, s console.Snapshot) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "SITE\tSTATUS\tACCESS\tRECORDS\tRULES\tID\n")
	for _, t := range s.Sites {
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%d\n", t.Name, t.Status, t.Access, t.Records, t.Rules, t.ID)
	}
	fmt.Fprintf(w, "\nROUTINE\tLIVE\tVERSIONS\tROUTES\tDEFAULT DOMAIN\n")
	for _, r := range s.Routines {
		fmt.Fprintf(w, "%s\t%t\t%d\t%d\t%s\n", r.Name, r.Live, r.Versions, r.Routes, r.Domain)
	}
	fmt.Fprintf(w, "\nNAMESPACE\tKEYS\tBYTES\n")
	for _, n := range s.Namespaces {
		fmt.Fprintf(w, "%s\t%d\t%d\n", n.Name, n.Keys, n.Used)
	}
	fmt.Fprintf(w, "\n%d requests in the log\n", s.Requests)
	return w.Flush()
}
