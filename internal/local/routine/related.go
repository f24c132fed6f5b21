package routine

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/state"
)

// siteRow is what routines need to know of a site. It is read from the table
// that the sites' part keeps.
type siteRow struct {
	id        int64
	name      string
	cnameZone string
}

// siteOf finds the site that the SiteId parameter names.
func siteOf(ctx context.Context, q querier, p api.Params) (siteRow, error) {
	id, err := p.Int("SiteId", 0)
	if err != nil {
		return siteRow{}, err
	}
	at := siteRow{id: id}
	err = q.QueryRowContext(ctx, `SELECT name, cname_zone FROM sites WHERE id = ?`, id).Scan(&at.name, &at.cnameZone)
	if isNoRows(err) {
		return at, api.Errorf(404, "SiteNotFound", "The site %d does not exist.", id)
	}
	if err != nil {
		return at, fmt.Errorf("look up site: %w", err)
	}
	return at, nil
}

// createRelatedRecord answers CreateRoutineRelatedRecord. The name must be free:
// it can have neither a DNS record nor another routine.
func (s *Service) createRelatedRecord(ctx context.Context, r *api.Request) (any, error) {
	record, err := recordName(r.Params)
	if err != nil {
		return nil, err
	}
	var recordID int64
	err = s.store.Tx(ctx, func(tx *sql.Tx) error {
		id, name, err := routineID(ctx, tx, r.Params)
		if err != nil {
			return err
		}
		at, err := siteOf(ctx, tx, r.Params)
		if err != nil {
			return err
		}
		if record != at.name && !strings.HasSuffix(record, "."+at.name) {
			return api.Errorf(400, "InvalidParameter.InvalidRecordNameSuffix", "RecordName %.80q is not a name of the site %s.", record, at.name)
		}
		if err := checkNameFree(ctx, tx, record, id, name); err != nil {
			return err
		}
		if recordID, err = state.NextID(ctx, tx); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO routine_records (id, site_id, routine_id, name, created_at) VALUES (?, ?, ?, ?, ?)`,
			recordID, at.id, id, record, s.cfg.Now().UnixNano())
		if err != nil {
			return fmt.Errorf("store related record: %w", err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return struct {
		Status   string
		RecordID int64 `json:"RecordId"`
	}{"OK", recordID}, nil
}

func recordName(p api.Params) (string, error) {
	name, err := required(p, "RecordName")
	return strings.ToLower(strings.TrimSpace(name)), err
}

// checkNameFree refuses a name that a DNS record or a routine has.
func checkNameFree(ctx context.Context, q querier, record string, routineID int64, routine string) error {
	var kind string
	err := q.QueryRowContext(ctx, `SELECT type FROM records WHERE name = ? AND type IN ('A/AAAA', 'CNAME', 'NS') LIMIT 1`, record).Scan(&kind)
	if err == nil {
		return api.Errorf(400, codeInUse, "%s has a DNS record of type %s. Delete it first.", record, kind)
	}
	if !isNoRows(err) {
		return fmt.Errorf("look up the name's DNS records: %w", err)
	}
	var owner int64
	var name string
	err = q.QueryRowContext(ctx, `SELECT t.routine_id, r.name FROM routine_records t JOIN routines r ON r.id = t.routine_id
		WHERE t.name = ?`, record).Scan(&owner, &name)
	switch {
	case isNoRows(err):
		return nil
	case err != nil:
		return fmt.Errorf("look up the name's routine: %w", err)
	case owner == routineID:
		return api.Errorf(400, codeRelatedTaken, "%s is a related record of the routine %q already.", record, routine)
	}
	return api.Errorf(400, codeInUse, "%s is a related record of the routine %q. Delete that first.", record, name)
}

// deleteRelatedRecord answers DeleteRoutineRelatedRecord, which wants the name,
// the site, the record's name and its id, all of one record.
func (s *Service) deleteRelatedRecord(ctx context.Context, r *api.Request) (any, error) {
	record, err := recordName(r.Params)
	if err != nil {
		return nil, err
	}
	recordID, err := r.Params.Int("RecordId", 0)
	if err != nil {
		return nil, err
	}
	err = s.store.Tx(ctx, func(tx *sql.Tx) error {
		id, name, err := routineID(ctx, tx, r.Params)
		if err != nil {
			return err
		}
		at, err := siteOf(ctx, tx, r.Params)
		if err != nil {
			return err
		}
		res, err := tx.ExecContext(ctx, `DELETE FROM routine_records WHERE id = ? AND routine_id = ? AND site_id = ? AND name = ?`,
			recordID, id, at.id, record)
		if err != nil {
			return fmt.Errorf("delete related record: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			if err != nil {
				return fmt.Errorf("delete related record: %w", err)
			}
			return api.Errorf(404, "Record.NotFound", "The routine %q has no related record %s with the id %d on the site %s.", name, record, recordID, at.name)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return ok{"OK"}, nil
}

type relatedRecord struct {
	RecordID   int64 `json:"RecordId"`
	RecordName string
	SiteID     int64 `json:"SiteId"`
	SiteName   string
}

type relatedAnswer struct {
	PageNumber, PageSize, TotalCount int64
	RelatedRecords                   []relatedRecord
}

// listRelatedRecords answers ListRoutineRelatedRecords, the newest first.
func (s *Service) listRelatedRecords(ctx context.Context, r *api.Request) (any, error) {
	page, err := r.Params.Page(20, 20)
	if err != nil {
		return nil, err
	}
	db := s.store.DB()
	id, _, err := routineID(ctx, db, r.Params)
	if err != nil {
		return nil, err
	}
	const matching = ` FROM routine_records t JOIN sites s ON s.id = t.site_id WHERE t.routine_id = ? AND instr(t.name, lower(?)) > 0`
	word := r.Params.String("SearchKeyWord")
	out := relatedAnswer{PageNumber: page.Number, PageSize: page.Size, RelatedRecords: []relatedRecord{}}
	if err := db.QueryRowContext(ctx, `SELECT count(*)`+matching, id, word).Scan(&out.TotalCount); err != nil {
		return nil, fmt.Errorf("count related records: %w", err)
	}
	rows, err := db.QueryContext(ctx, `SELECT t.id, t.name, s.id, s.name`+matching+` ORDER BY t.id DESC LIMIT ? OFFSET ?`,
		id, word, page.Size, page.Offset())
	if err != nil {
		return nil, fmt.Errorf("list related records: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var one relatedRecord
		if err := rows.Scan(&one.RecordID, &one.RecordName, &one.SiteID, &one.SiteName); err != nil {
			return nil, fmt.Errorf("list related records: %w", err)
		}
		out.RelatedRecords = append(out.RelatedRecords, one)
	}
	return out, rows.Err()
}

type edgeRecord struct {
	CreateTime  string
	RecordCname string
	RecordName  string
	SiteID      int64 `json:"SiteId"`
	SiteName    string
	UpdateTime  string
}

type edgeRecordsAnswer struct {
	PageNumber, PageSize, TotalCount int64
	Records                          []edgeRecord
}

// listEdgeRecords answers ListEdgeRoutineRecords: the related records of a site,
// whichever routine they lead to.
func (s *Service) listEdgeRecords(ctx context.Context, r *api.Request) (any, error) {
	page, err := r.Params.Page(maxRoutePage, maxRoutePage)
	if err != nil {
		return nil, err
	}
	db := s.store.DB()
	at, err := siteOf(ctx, db, r.Params)
	if err != nil {
		return nil, err
	}
	where, args := ` FROM routine_records WHERE site_id = ?`, []any{at.id}
	if name := strings.ToLower(r.Params.String("RecordName")); name != "" {
		switch kind := r.Params.String("RecordMatchType"); kind {
		case "", "exact":
			where, args = where+` AND name = ?`, append(args, name)
		case "prefix":
			where, args = where+` AND substr(name, 1, length(?)) = ?`, append(args, name, name)
		case "suffix":
			where, args = where+` AND substr(name, -length(?)) = ?`, append(args, name, name)
		case "fuzzy":
			where, args = where+` AND instr(name, ?) > 0`, append(args, name)
		default:
			return nil, api.Errorf(400, "InvalidRecordMatchType", "RecordMatchType must be exact, prefix, suffix or fuzzy.")
		}
	}
	out := edgeRecordsAnswer{PageNumber: page.Number, PageSize: page.Size, Records: []edgeRecord{}}
	if err := db.QueryRowContext(ctx, `SELECT count(*)`+where, args...).Scan(&out.TotalCount); err != nil {
		return nil, fmt.Errorf("count edge routine records: %w", err)
	}
	rows, err := db.QueryContext(ctx, `SELECT name, created_at`+where+` ORDER BY id DESC LIMIT ? OFFSET ?`, append(args, page.Size, page.Offset())...)
	if err != nil {
		return nil, fmt.Errorf("list edge routine records: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		one := edgeRecord{SiteID: at.id, SiteName: at.name}
		var created int64
		if err := rows.Scan(&one.RecordName, &created); err != nil {
			return nil, fmt.Errorf("list edge routine records: %w", err)
		}
		one.CreateTime, one.RecordCname = timeText(created), one.RecordName+"."+at.cnameZone
		one.UpdateTime = one.CreateTime
		out.Records = append(out.Records, one)
	}
	return out, rows.Err()
}
