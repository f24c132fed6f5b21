package local

import (
	"database/sql"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local/account"
)

// leftOut are the tables that an account file does not have, each with the reason.
func leftOut() map[string]string {
	return map[string]string{
		"account":         "the access key of a state is its own",
		"sequence":        "ids are new in each account",
		"local_ca":        "its key would be good for any name where it is trusted: each state has an authority of its own",
		"visit_texts":     "traffic is grouped: see Traffic",
		"visits":          "traffic is grouped: see Traffic",
		"files":           "uploads end after an hour",
		"oss_grants":      "permissions to upload end after half an hour",
		"routine_uploads": "permissions to upload end after half an hour",
		"cache_tasks":     "what was purged and preloaded is past",
		"cache_purges":    "what was purged and preloaded is past",
		"cache_uploads":   "what was purged and preloaded is past",
		"blocked_objects": "what is blocked is blocked for a time",
		"config_version":  "a count of changes",
		"sqlite_sequence": "a count of rows",
	}
}

// anew are the columns that are made anew in each account.
var anew = regexp.MustCompile(`^(.*id|.*_at|created|updated|expires|ready_at|challenge|verify_code|name_servers|cname_zone|pack|code_version|code_versions|not_after|fingerprint|key)$`)

// kept are columns that anew would leave out though they are kept.
var kept = []string{"kv_pairs.key", "kv_pairs.expires", "tags.key", "routine_versions.build_id"}

// dump writes the rows of every table that is not left out, without what is made
// anew and with # for ids.
func dump(t *testing.T, db *sql.DB) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	ids := regexp.MustCompile(`"?\b(app-8|ver-|secret-|esa-cr-)?[0-9]{15,}\b"?|sp-xcdn-[0-9a-f]{8}|esa-site-[0-9a-z]+|esa-ec-[0-9a-f]{8}`)
	for _, table := range names(t, db, `SELECT name FROM sqlite_master WHERE type = 'table'`) {
		if leftOut()[table] != "" {
			continue
		}
		columns := []string{`'a row'`}
		for _, column := range names(t, db, `SELECT name FROM pragma_table_info('`+table+`')`) {
			switch {
			case anew.MatchString(column) && !slices.Contains(kept, table+"."+column):
			case table == "certificates" && (column == "certificate" || column == "private_key"):
				columns = append(columns, `CASE WHEN type = 'free' THEN '' ELSE `+column+` END`) // each authority issues its own
			default:
				columns = append(columns, column)
			}
		}
		rows, err := db.Query(`SELECT ` + strings.Join(columns, ", ") + ` FROM ` + table)
		require.NoError(t, err, table)
		out[table] = []string{}
		for rows.Next() {
			values, into := make([]any, len(columns)), make([]any, len(columns))
			for i := range values {
				into[i] = &values[i]
			}
			require.NoError(t, rows.Scan(into...))
			for i, v := range values {
				if raw, is := v.([]byte); is {
					values[i] = string(raw)
				}
			}
			out[table] = append(out[table], ids.ReplaceAllString(fmt.Sprintf("%q", values), "#"))
		}
		require.NoError(t, rows.Err())
		slices.Sort(out[table])
	}
	return out
}

func names(t *testing.T, db *sql.DB, query string) (all []string) {
	t.Helper()
	rows, err := db.Query(query)
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		var one string
		require.NoError(t, rows.Scan(&one))
		all = append(all, one)
	}
	require.NoError(t, rows.Err())
	return all
}

// TestEverythingIsExported makes an account that has something of everything, and
// another one from its file: that has the same rows in every table, and the same
// file. A table or a column that is forgotten fails here.
func TestEverythingIsExported(t *testing.T) {
	first := start(t, Options{})
	s := newScript(t, first.Info())
	s.run("", "@exported")
	for name, body := range map[string]string{"staging": `{"version":1,"rule":"(ssl)"}`, "production": `{"version":1}`} { // no operation makes them
		status, answer := askDesk(t, first.Info(), "PUT", "/sites/versions.example/environments/"+name, body)
		require.Equal(t, 200, status, answer)
	}
	one, err := first.Export(t.Context())
	require.NoError(t, err)
	text := written(t, one)
	require.NotRegexp(t, `[0-9]{15,}`, regexp.MustCompile(`-----BEGIN[^"]*`).ReplaceAllString(text, ""), "no id is in the file")
	again, err := account.Read(strings.NewReader(text))
	require.NoError(t, err)
	second := start(t, Options{Seed: &again})
	two, err := second.Export(t.Context())
	require.NoError(t, err)
	require.Equal(t, text, written(t, two))

	before, after := dump(t, first.store.DB()), dump(t, second.store.DB())
	for table, rows := range before {
		require.NotEmpty(t, rows, "the calls of testdata/calls.txt put nothing into the table %s: add one, or say in leftOut why the file does not have it", table)
		require.Equal(t, rows, after[table], table)
	}
}

// TestOldAccountsAreSeeded seeds an account two years after it was exported: its
// certificates have expired, and pairs that were to end have ended.
func TestOldAccountsAreSeeded(t *testing.T) {
	first := start(t, Options{})
	s := newScript(t, first.Info())
	s.run("", "@exported")
	must(t, first.Info(), "PutKv", map[string]any{"Namespace": "ns", "Key": "soon", "Value": "x", "ExpirationTtl": 3600})
	out, err := first.Export(t.Context())
	require.NoError(t, err)
	later := time.Now().AddDate(2, 0, 0)
	second := start(t, Options{Seed: &out, Now: func() time.Time { return later }})
	again, err := second.Export(t.Context())
	require.NoError(t, err)
	want := written(t, out)
	require.Contains(t, want, `"soon"`)
	require.Equal(t, regexp.MustCompile(`\s*\{\s*"key": "soon",[^}]*\},?`).ReplaceAllString(want, ""), written(t, again))
}
