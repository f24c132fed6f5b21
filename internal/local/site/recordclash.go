package site

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/quota"
)

// checkClash refuses a record that does not go with the account's others.
func (s *Service) checkClash(ctx context.Context, tx *sql.Tx, rec *record) error {
	others, err := selectRecords(ctx, tx, `WHERE r.site_id = ? AND r.name = ? AND r.id <> ?`, rec.siteID, rec.name, rec.id)
	if err != nil {
		return fmt.Errorf("list the records of the same name: %w", err)
	}
	same := 0
	for i := range others {
		if err := clash(rec, &others[i].record); err != nil {
			return err
		}
		if others[i].kind == rec.kind {
			same++
		}
	}
	most, err := s.cfg.Quotas.OfSite(ctx, tx, rec.siteID, quota.SameNameRecords)
	if err != nil {
		return err
	}
	if same >= most {
		return api.Errorf(400, "SameNameRecordExceedLimit", "%s has all its %d %s records already.", rec.name, same, rec.kind)
	}
	if err := checkRoutine(ctx, tx, rec); err != nil {
		return err
	}
	if rec.kind == typeCNAME && rec.sourceType == "Domain" {
		return checkCircle(ctx, tx, rec)
	}
	return nil
}

// checkRoutine refuses an address of a name that leads to an edge routine. Such
// names are kept apart: no list of records has them.
func checkRoutine(ctx context.Context, tx *sql.Tx, rec *record) error {
	if !rec.webType() && rec.kind != typeNS {
		return nil
	}
	var routine string
	err := tx.QueryRowContext(ctx, `SELECT r.name FROM routine_records t JOIN routines r ON r.id = t.routine_id WHERE t.name = ?`, rec.name).Scan(&routine)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case err != nil:
		return fmt.Errorf("look up the name's routine: %w", err)
	}
	return api.Errorf(400, "DependedByOthers", "%s is a related record of the routine %s. Delete that first.", rec.name, routine)
}

// clash says why two records cannot share their name. All addresses of a name
// are in one record, so a second one never fits.
func clash(rec, other *record) error {
	switch {
	case rec.kind == other.kind && rec.dataText() == other.dataText():
		return api.Errorf(400, "Record.RecordNameConflictWithSameRecordType",
			"%s has the same %s record already, with id %d.", rec.name, rec.kind, other.id)
	case rec.kind == other.kind && rec.webType():
		return api.Errorf(400, "Record.Conflict",
			"%s has the %s record %d already; a name has one, so update it.", rec.name, rec.kind, other.id)
	case rec.webType() && other.webType():
		return api.Errorf(400, "Record.RecordNameConflictForSpecifiedRecordType",
			"%s has the %s record %d; A/AAAA and CNAME exclude each other.", rec.name, other.kind, other.id)
	case rec.kind != other.kind && (rec.kind == typeNS || other.kind == typeNS):
		return api.Errorf(400, "Record.RecordNameConflictWithNSRecord",
			"%s has the %s record %d; a name with NS records has no others.", rec.name, other.kind, other.id)
	}
	return nil
}

// checkCircle follows the account's CNAME records from the target and refuses a
// way back.
func checkCircle(ctx context.Context, tx *sql.Tx, rec *record) error {
	seen := map[string]bool{rec.name: true}
	at := hostOf(rec.data.Value)
	for {
		if seen[at] {
			if at != rec.name {
				return nil // a circle, but not through this record
			}
			return api.Errorf(400, "SourceCircleExist", "The target leads back to %s.", rec.name)
		}
		seen[at] = true
		next, err := selectRecords(ctx, tx, `WHERE r.name = ? AND r.type = ? AND r.source_type = 'Domain' AND r.id <> ?`, at, typeCNAME, rec.id)
		if err != nil {
			return fmt.Errorf("follow the CNAME records: %w", err)
		}
		if len(next) == 0 {
			return nil
		}
		at = hostOf(next[0].data.Value)
	}
}

// checkQuota refuses one record too many.
func (s *Service) checkQuota(ctx context.Context, tx *sql.Tx, rec *record) error {
	var all, wild int
	err := tx.QueryRowContext(ctx, `SELECT COUNT(*), COALESCE(SUM(substr(name, 1, 2) = '*.'), 0) FROM records WHERE site_id = ?`, rec.siteID).
		Scan(&all, &wild)
	if err != nil {
		return fmt.Errorf("count the site's records: %w", err)
	}
	most, err := s.cfg.Quotas.OfSite(ctx, tx, rec.siteID, quota.Records)
	if err != nil {
		return err
	}
	if all >= most {
		return api.Errorf(400, "QuotaExceed.RecordCount", "The site has all its %d records already.", most)
	}
	if most, err = s.cfg.Quotas.OfSite(ctx, tx, rec.siteID, quota.WildcardRecords); err != nil {
		return err
	}
	if strings.HasPrefix(rec.name, "*.") && wild >= most {
		return api.Errorf(400, "QuotaExceed.WildCardRecord", "The site has all its %d wildcard records already.", most)
	}
	return nil
}

// siteRecord is a record with what its answers need of its site.
type siteRecord struct {
	record
	siteName, cnameZone string
}

func selectRecords(ctx context.Context, q querier, rest string, args ...any) ([]siteRecord, error) {
	rows, err := q.QueryContext(ctx, `SELECT `+recordColumns+`, s.name, s.cname_zone FROM records r JOIN sites s ON s.id = r.site_id `+rest, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var records []siteRecord
	for rows.Next() {
		var rec siteRecord
		var err error
		if rec.record, err = scanRecord(rows, &rec.siteName, &rec.cnameZone); err != nil {
			return nil, err
		}
		records = append(records, rec)
	}
	return records, rows.Err()
}

// oneRecord loads the record of that id, or fails with Record.NotFound.
func oneRecord(ctx context.Context, q querier, id int64) (siteRecord, error) {
	records, err := selectRecords(ctx, q, `WHERE r.id = ?`, id)
	if err == nil && len(records) == 0 {
		err = sql.ErrNoRows
	}
	if err != nil {
		if errors.Is(err, sql.ErrNoRows) {
			return siteRecord{}, notFound(err, id)
		}
		return siteRecord{}, fmt.Errorf("load record %d: %w", id, err)
	}
	return records[0], nil
}
