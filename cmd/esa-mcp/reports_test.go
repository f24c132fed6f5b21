package main

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/state"
	"github.com/esa-mcp/esa-mcp/tools"
)

// The five reports from an account with 300 sites and 5,000 records, one of them
// with more records than a page has. Run with -v for the figures.
func TestReportsOfALargeAccount(t *testing.T) {
	if raceEnabled {
		t.Skip("one call after another, on much data: nothing to race, and it would take minutes")
	}
	var names []string
	for i := range 300 {
		name := fmt.Sprintf("site%03d.example", i)
		if i < 7 {
			name = "pending-" + name
		}
		names = append(names, name)
	}
	dir := seeded(t, names, func(store *state.Store, _ api.Table) {
		fillRecords(t, store, 5000)
		traffic(t, store, "www.site007.example", 400, 20)
	})
	s := start(t, environment(), "--local", "--local-dir", dir, "--toolsets", "reports")
	out := t.TempDir()
	figure := func(r tools.CreateReportOutput, name string) string {
		for _, f := range r.Summary {
			if f.Name == name {
				return f.Value
			}
		}
		return ""
	}
	report := func(kind string, extra arguments) tools.CreateReportOutput {
		args := arguments{"kind": kind, "path": out + "/", "format": "json"}
		for k, v := range extra {
			args[k] = v
		}
		began := time.Now()
		r := callOK[tools.CreateReportOutput](t, s, "create_report", args)
		info, err := os.Stat(r.SavedTo)
		require.NoError(t, err)
		t.Logf("%-9s %5d rows, %7d bytes, %v", kind, r.Total, info.Size(), time.Since(began).Round(time.Millisecond))
		return r
	}
	sites := report("sites", nil)
	require.Equal(t, 300, sites.Total)
	require.Equal(t, "293", figure(sites, "status active"))
	plans := report("plans", arguments{"format": "markdown"})
	require.Equal(t, 1, plans.Total)
	require.Equal(t, "300", figure(plans, "sites on enterpriseplan"))
	status := report("status", nil)
	require.Equal(t, "7", figure(status, "status pending"))
	require.Equal(t, "pending", status.Rows[0][2])
	require.Contains(t, status.Rows[0][3], "name servers")
	records := report("records", arguments{"format": "csv"})
	require.Equal(t, 5000, records.Total)
	body, err := os.ReadFile(records.SavedTo)
	require.NoError(t, err)
	require.Equal(t, 5001, strings.Count(string(body), "\n"))
	seen := map[string]bool{}
	for line := range strings.Lines(string(body)) {
		require.False(t, seen[line], "no row twice: %s", line)
		seen[line] = true
	}
	one := report("records", arguments{"site_name": "site299.example"})
	require.Equal(t, 1214, one.Total, "three pages")
	summary := report("analytics", nil)
	require.Equal(t, "400", figure(summary, "Requests"))
	require.Equal(t, "75.0 %", figure(summary, "cache hit rate"))
	require.Contains(t, summary.Rows, []string{"SiteId", "site007.example", "400", "", ""})
	require.Len(t, files(t, out), 6)
}

// fillRecords makes n records: about as many for each site, and more than two
// pages for the last.
func fillRecords(t *testing.T, store *state.Store, n int) {
	t.Helper()
	rows, err := store.DB().QueryContext(t.Context(), `SELECT id, name FROM sites ORDER BY name`)
	require.NoError(t, err)
	defer rows.Close()
	type site struct {
		id   int64
		name string
	}
	var sites []site
	for rows.Next() {
		var s site
		require.NoError(t, rows.Scan(&s.id, &s.name))
		sites = append(sites, s)
	}
	require.NoError(t, rows.Err())
	rest := n - 3786
	require.NoError(t, store.Tx(t.Context(), func(tx *sql.Tx) error {
		made := 0
		for i, s := range sites {
			count := (n - rest) / (len(sites) - 1)
			if i < (n-rest)%(len(sites)-1) {
				count++
			}
			if s.name == "site299.example" {
				count = rest
			}
			for k := range count {
				id, err := state.NextID(t.Context(), tx)
				if err != nil {
					return err
				}
				made++
				if _, err := tx.ExecContext(t.Context(), `INSERT INTO records (id, site_id, name, type, ttl, proxied, biz_name, source_type,
					host_policy, auth_conf, comment, data, http_ports, https_ports, created, updated)
					VALUES (?, ?, ?, 'A/AAAA', 1, 1, 'web', '', '', '', '', '{"Value":"192.0.2.1"}', '', '', 1, 1)`,
					id, s.id, fmt.Sprintf("h%d.%s", k, s.name)); err != nil {
					return err
				}
			}
		}
		require.Equal(t, n, made)
		return nil
	}))
}

func files(t *testing.T, dir string) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, err)
	return list
}

func TestReportRefusals(t *testing.T) {
	t.Parallel()
	s := startLocal(t, "--toolsets", "reports")
	require.Contains(t, s.refuse(t, "create_report", arguments{"kind": "records", "site_id": "5"}), "no site with the id 5")
	require.Contains(t, s.refuse(t, "create_report", arguments{"kind": "all"}), "kind")
	require.Contains(t, s.refuse(t, "create_report", arguments{"kind": "sites", "path": "/proc/nothing/r.md"}), "cannot")
	empty := callOK[tools.CreateReportOutput](t, s, "create_report", arguments{"kind": "sites"})
	require.Empty(t, empty.Rows)
}
