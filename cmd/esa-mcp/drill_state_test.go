package main

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// drillState looks at all that a local ESA keeps, and can bring back what it was.
type drillState struct {
	t      *testing.T
	db     *sql.DB
	tables []string
	hidden *regexp.Regexp // numbers and names that are new each time
}

// uninteresting tables are the local ESA's own, or what nobody sees.
func uninteresting() []string {
	return []string{"account", "sequence", "config_version", "local_ca", "oss_grants", "files", "routine_uploads",
		"visits", "visit_texts", "cache_uploads", "plan_instances"}
}

// madeUp reports whether a column has another value each time.
func madeUp(column string) bool {
	switch column {
	case "id", "created", "updated", "created_at", "code_version", "ready_at", "finishes", "not_after", "certificate", "private_key", "fingerprint",
		"challenge", "upload", "pack", "manifest", "verify_code", "name_servers", "cname_zone", "key", "submitted", "cas_id", "used":
		return true
	}
	return strings.HasSuffix(column, "_id")
}

func openDrillState(t *testing.T, dir string) *drillState {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "esa.db")+"?_txlock=immediate&_pragma=busy_timeout(10000)&_pragma=synchronous(0)")
	require.NoError(t, err)
	db.SetMaxOpenConns(1) // the one that has the saved state attached
	t.Cleanup(func() { db.Close() })
	s := &drillState{t: t, db: db, hidden: regexp.MustCompile(`\b\d{10,}\b|\b[0-9a-f]{32}\b`)}
	s.tables = s.names(`SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name`)
	_, err = db.Exec(`ATTACH ? AS saved`, filepath.Join(t.TempDir(), "saved.db"))
	require.NoError(t, err)
	return s
}

func (s *drillState) names(query string) []string {
	rows, err := s.db.Query(query)
	require.NoError(s.t, err)
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name string
		require.NoError(s.t, rows.Scan(&name))
		names = append(names, name)
	}
	require.NoError(s.t, rows.Err())
	return names
}

// built waits until nothing that was uploaded is still to be built.
func (s *drillState) built(ctx context.Context) error {
	for {
		var left int
		err := s.db.QueryRowContext(ctx, `SELECT COUNT(*) FROM main.routine_versions WHERE status = 'init' AND upload != ''`).Scan(&left)
		if err != nil || left == 0 {
			return err
		}
		if err := sleep(ctx, time.Millisecond); err != nil {
			return err
		}
	}
}

// save keeps the present state for restore.
func (s *drillState) save() {
	for _, table := range s.tables {
		for _, query := range []string{`DROP TABLE IF EXISTS saved.%q`, `CREATE TABLE saved.%[1]q AS SELECT * FROM main.%[1]q`} {
			_, err := s.db.Exec(fmt.Sprintf(query, table))
			require.NoError(s.t, err, table)
		}
	}
}

// restore brings the saved state back.
func (s *drillState) restore() {
	s.t.Helper()
	tx, err := s.db.Begin()
	require.NoError(s.t, err)
	defer tx.Rollback()
	for _, table := range s.tables {
		if table == "config_version" { // its changes are how the edge sees others
			continue
		}
		for _, query := range []string{`DELETE FROM main.%q`, `INSERT INTO main.%[1]q SELECT * FROM saved.%[1]q`} {
			_, err := tx.Exec(fmt.Sprintf(query, table))
			require.NoError(s.t, err, table)
		}
	}
	require.NoError(s.t, tx.Commit())
}

// things are how often there is each thing, without what differs each time.
type things map[string]int

func (s *drillState) look() things {
	s.t.Helper()
	require.NoError(s.t, s.built(s.t.Context()))
	out := things{}
	names := s.versions()
	for _, table := range s.tables {
		if slices.Contains(uninteresting(), table) {
			continue
		}
		rows, err := s.db.Query(fmt.Sprintf(`SELECT * FROM main.%q`, table))
		require.NoError(s.t, err)
		columns, err := rows.Columns()
		require.NoError(s.t, err)
		for rows.Next() {
			values := make([]any, len(columns))
			for i := range values {
				values[i] = new(sql.NullString)
			}
			require.NoError(s.t, rows.Scan(values...))
			var b strings.Builder
			b.WriteString(table)
			for i, column := range columns {
				text := values[i].(*sql.NullString).String
				if column == "code_versions" {
					text = names.Replace(text)
				}
				if table == "kv_pairs" && column == "key" || !madeUp(column) {
					fmt.Fprintf(&b, " %s=%s", column, s.hidden.ReplaceAllString(shortText(text), "N"))
				}
			}
			out[b.String()]++
		}
		require.NoError(s.t, rows.Err())
		rows.Close()
	}
	return out
}

// versions gives the code versions of routines names that say what is in them.
func (s *drillState) versions() *strings.Replacer {
	rows, err := s.db.Query(`SELECT code_version, extra_info, COALESCE(code, '') FROM main.routine_versions`)
	require.NoError(s.t, err)
	defer rows.Close()
	var pairs []string
	for rows.Next() {
		var version, info, code string
		require.NoError(s.t, rows.Scan(&version, &info, &code))
		pairs = append(pairs, version, fmt.Sprintf("%x", sha256.Sum256([]byte(s.hidden.ReplaceAllString(info, "")+code)))[:8])
	}
	require.NoError(s.t, rows.Err())
	return strings.NewReplacer(pairs...)
}

func shortText(text string) string {
	if len(text) > 300 {
		return fmt.Sprintf("%.200s... (%d bytes)", text, len(text))
	}
	return text
}

func (a things) same(b things) bool { return maps.Equal(a, b) }

// beyond lists what there is more of than in any of the others.
func (a things) beyond(others ...things) []string {
	var more []string
	for _, thing := range slices.Sorted(maps.Keys(a)) {
		most := 0
		for _, other := range others {
			most = max(most, other[thing])
		}
		if a[thing] > most {
			more = append(more, fmt.Sprintf("%d x %s", a[thing]-most, thing))
		}
	}
	return more
}

// common are the things that all states have, as often as all do.
func common(states []things) things {
	out := maps.Clone(states[0])
	for thing := range out {
		for _, state := range states[1:] {
			out[thing] = min(out[thing], state[thing])
		}
	}
	return out
}

// difference says in what two states differ.
func (a things) difference(b things) string {
	return "less:\n  " + strings.Join(a.beyond(b), "\n  ") + "\nmore:\n  " + strings.Join(b.beyond(a), "\n  ")
}
