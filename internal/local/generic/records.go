package generic

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// NameTaken tells what besides a record has a host name of a site: a
// LoadBalancer, an OriginPool or a TransportLayerApplication; nothing if empty.
func NameTaken(ctx context.Context, tx *sql.Tx, siteID int64, name string) (kind string, err error) {
	err = tx.QueryRowContext(ctx, `SELECT r.kind FROM resources r JOIN sites s ON s.id = r.site_id WHERE r.site_id = ?1 AND (
			r.kind IN ('LoadBalancer', 'TransportLayerApplication') AND lower(r.name) = ?2 OR
			r.kind = 'OriginPool' AND lower(r.name || '.' || s.name) = ?2) LIMIT 1`, siteID, name).Scan(&kind)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("look for what has the name %s: %w", name, err)
	}
	return kind, nil
}

// IsHostnameOrigin tells whether custom host names have a record as their origin.
func IsHostnameOrigin(ctx context.Context, tx *sql.Tx, recordID int64) (bool, error) {
	var is bool
	err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM resources WHERE kind = 'CustomHostname' AND json_extract(fields, '$.RecordId') = ?)`, recordID).Scan(&is)
	if err != nil {
		return false, fmt.Errorf("look for custom host names of the record %d: %w", recordID, err)
	}
	return is, nil
}
