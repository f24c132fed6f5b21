package state

import (
	"context"
	"database/sql"
	"fmt"
)

// watched are the tables that say how the edge serves. A change of any of them,
// by whichever process, counts ConfigVersion up; what else is stored (values of
// the edge KV, the request log) does not.
var watched = []string{
	"blocked_objects", "cache_purges", "certificates", "lists", "records", "resources", "routine_deployments", "routine_records", "routine_routes",
	"routine_versions", "routines", "rule_configs", "site_environments", "site_options", "site_settings", "sites", "waf_rules", "waf_rulesets",
}

// watch sets up the counter.
func watch(ctx context.Context, tx *sql.Tx) error {
	if _, err := tx.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS config_version (only INTEGER PRIMARY KEY CHECK (only = 1), n INTEGER NOT NULL)`); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `INSERT OR IGNORE INTO config_version (only, n) VALUES (1, 1)`); err != nil {
		return err
	}
	for _, table := range watched {
		for _, change := range []string{"INSERT", "UPDATE", "DELETE"} {
			_, err := tx.ExecContext(ctx, fmt.Sprintf(`CREATE TRIGGER IF NOT EXISTS watch_%[1]s_%[2]s AFTER %[2]s ON %[1]s
				BEGIN UPDATE config_version SET n = n + 1; END`, table, change))
			if err != nil {
				return fmt.Errorf("watch the table %s: %w", table, err)
			}
		}
	}
	return nil
}

// ConfigVersion is a number that changes whenever what the edge serves by may
// have changed, in this process or another. Asking takes some tens of
// microseconds.
func (s *Store) ConfigVersion(ctx context.Context) (int64, error) {
	stmt, err := s.versionStmt()
	if err != nil {
		return 0, fmt.Errorf("read the version of the configuration: %w", err)
	}
	var n int64
	if err := stmt.QueryRowContext(ctx).Scan(&n); err != nil {
		return 0, fmt.Errorf("read the version of the configuration: %w", err)
	}
	return n, nil
}
