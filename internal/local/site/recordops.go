package site

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/state"
)

// createRecord answers CreateRecord.
func (s *Service) createRecord(ctx context.Context, r *api.Request) (any, error) {
	siteID, err := r.Params.Int("SiteId", 0)
	if err != nil {
		return nil, err
	}
	rec := record{siteID: siteID, name: strings.ToLower(r.Params.String("RecordName")), created: s.clock(), updated: s.clock()}
	if err := rec.apply(r.Params); err != nil {
		return nil, err
	}
	err = s.store.Tx(ctx, func(tx *sql.Tx) error {
		t, err := find(ctx, tx, siteID)
		if err != nil {
			return err
		}
		return s.addRecord(ctx, tx, t, &rec)
	})
	if err != nil {
		return nil, err
	}
	return struct {
		RecordID int64 `json:"RecordId"`
	}{rec.id}, nil
}

// addRecord checks a new record against its site and stores it under a new id.
func (s *Service) addRecord(ctx context.Context, tx *sql.Tx, t site, rec *record) error {
	if err := rec.check(t, s.cfg); err != nil {
		return err
	}
	if err := s.checkPool(ctx, tx, rec); err != nil {
		return err
	}
	if err := s.checkNameTaken(ctx, tx, rec); err != nil {
		return err
	}
	if err := s.checkClash(ctx, tx, rec); err != nil {
		return err
	}
	if err := s.checkQuota(ctx, tx, rec); err != nil {
		return err
	}
	var err error
	if rec.id, err = state.NextID(ctx, tx); err != nil {
		return err
	}
	return insertRecord(ctx, tx, rec)
}

// checkPool refuses a record whose content is an origin pool or a load balancer
// that the site does not have.
func (s *Service) checkPool(ctx context.Context, tx *sql.Tx, rec *record) error {
	if rec.sourceType != "OP" && rec.sourceType != "LB" {
		return nil
	}
	exists := false
	if s.cfg.PoolExists != nil {
		var err error
		if exists, err = s.cfg.PoolExists(ctx, tx, rec.siteID, rec.sourceType, rec.data.Value); err != nil {
			return err
		}
	}
	if !exists {
		return api.Errorf(400, "Record.PoolSourceNotExistPool", "The site has no %s of that name.",
			map[string]string{"OP": "origin pool", "LB": "load balancer"}[rec.sourceType])
	}
	return nil
}

// checkNameTaken refuses a record whose name something else has.
func (s *Service) checkNameTaken(ctx context.Context, tx *sql.Tx, rec *record) error {
	if s.cfg.NameTaken == nil {
		return nil
	}
	kind, err := s.cfg.NameTaken(ctx, tx, rec.siteID, rec.name)
	if err != nil || kind == "" {
		return err
	}
	code := map[string]string{"LoadBalancer": "LBName", "OriginPool": "PoolName", "TransportLayerApplication": "IPAName"}[kind]
	return api.Errorf(400, "Record.RecordNameConflictWith"+code, "%s is the name of a %s of the site.", rec.name, kind)
}

// checkOrigin refuses what a record that custom host names have as their origin
// cannot take.
func (s *Service) checkOrigin(ctx context.Context, tx *sql.Tx, id int64, code, why string) error {
	if s.cfg.IsHostnameOrigin == nil {
		return nil
	}
	is, err := s.cfg.IsHostnameOrigin(ctx, tx, id)
	if err == nil && is {
		err = api.Errorf(400, code, "The record %d is the origin of custom host names and %s.", id, why)
	}
	return err
}

// updateRecord answers UpdateRecord. Data is replaced as a whole, and what is
// not sent stays; a name cannot change.
func (s *Service) updateRecord(ctx context.Context, r *api.Request) (any, error) {
	id, err := r.Params.Int("RecordId", 0)
	if err != nil {
		return nil, err
	}
	return nil, s.store.Tx(ctx, func(tx *sql.Tx) error {
		old, err := oneRecord(ctx, tx, id)
		if err != nil {
			return err
		}
		rec := old.record
		if err := rec.apply(r.Params); err != nil {
			return err
		}
		rec.updated = s.clock()
		t, err := find(ctx, tx, rec.siteID)
		if err != nil {
			return err
		}
		if err := rec.check(t, s.cfg); err != nil {
			return err
		}
		if err := s.checkPool(ctx, tx, &rec); err != nil {
			return err
		}
		if !rec.proxied {
			if err := s.checkOrigin(ctx, tx, id, "Record.ProxiedAsCustomHostnameSource", "must stay proxied"); err != nil {
				return err
			}
		}
		if err := s.checkClash(ctx, tx, &rec); err != nil {
			return err
		}
		return replaceRecord(ctx, tx, &rec)
	})
}

func insertRecord(ctx context.Context, tx *sql.Tx, rec *record) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO records (id, site_id, name, type, ttl, proxied, biz_name, source_type, host_policy,
		auth_conf, comment, data, http_ports, https_ports, created, updated) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		rec.id, rec.siteID, rec.name, rec.kind, rec.ttl, rec.proxied, rec.bizName, rec.sourceType, rec.hostPolicy,
		rec.authText(), rec.comment, rec.dataText(), rec.httpPorts, rec.httpsPorts, rec.created, rec.updated)
	if err != nil {
		return fmt.Errorf("store the record: %w", err)
	}
	return nil
}

func replaceRecord(ctx context.Context, tx *sql.Tx, rec *record) error {
	_, err := tx.ExecContext(ctx, `UPDATE records SET type = ?, ttl = ?, proxied = ?, biz_name = ?, source_type = ?, host_policy = ?,
		auth_conf = ?, comment = ?, data = ?, http_ports = ?, https_ports = ?, updated = ? WHERE id = ?`,
		rec.kind, rec.ttl, rec.proxied, rec.bizName, rec.sourceType, rec.hostPolicy,
		rec.authText(), rec.comment, rec.dataText(), rec.httpPorts, rec.httpsPorts, rec.updated, rec.id)
	if err != nil {
		return fmt.Errorf("store the record: %w", err)
	}
	return nil
}

// deleteRecord answers DeleteRecord. Sources disagree on a record that is not
// there; the service's error table has Record.NotFound, so that is the answer.
func (s *Service) deleteRecord(ctx context.Context, r *api.Request) (any, error) {
	id, err := r.Params.Int("RecordId", 0)
	if err != nil {
		return nil, err
	}
	return nil, s.store.Tx(ctx, func(tx *sql.Tx) error {
		if err := s.checkOrigin(ctx, tx, id, "Record.ProtectedAsCustomHostnameSource", "cannot be deleted"); err != nil {
			return err
		}
		res, err := tx.ExecContext(ctx, `DELETE FROM records WHERE id = ?`, id)
		if err != nil {
			return fmt.Errorf("delete the record: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			if err == nil {
				err = sql.ErrNoRows
			}
			return notFound(err, id)
		}
		return nil
	})
}

// recordModel is a record as answers have it. Its names differ from those of
// the requests: RecordType, RecordSourceType.
type recordModel struct {
	AuthConf         *authConf `json:",omitempty"`
	BizName          string
	Comment          string
	CreateTime       string
	Data             recordData
	HostPolicy       string
	HTTPPorts        string `json:"HttpPorts"`
	HTTPSPorts       string `json:"HttpsPorts"`
	Proxied          bool
	RecordCname      string
	RecordID         int64 `json:"RecordId"`
	RecordName       string
	RecordSourceType string
	RecordType       string
	SiteID           int64 `json:"SiteId"`
	SiteName         string
	TTL              int64 `json:"Ttl"`
	UpdateTime       string
}

func (rec siteRecord) model() recordModel {
	m := recordModel{
		AuthConf: rec.auth, BizName: rec.bizName, Comment: rec.comment, CreateTime: stamp(rec.created), Data: rec.data,
		HostPolicy: rec.hostPolicy, HTTPPorts: rec.httpPorts, HTTPSPorts: rec.httpsPorts, Proxied: rec.proxied,
		RecordID: rec.id, RecordName: rec.name, RecordSourceType: rec.sourceType, RecordType: rec.kind,
		SiteID: rec.siteID, SiteName: rec.siteName, TTL: rec.ttl, UpdateTime: stamp(rec.updated),
	}
	if rec.proxied {
		m.RecordCname = rec.name + "." + rec.cnameZone
	}
	return m
}

// getRecord answers GetRecord.
func (s *Service) getRecord(ctx context.Context, r *api.Request) (any, error) {
	id, err := r.Params.Int("RecordId", 0)
	if err != nil {
		return nil, err
	}
	rec, err := oneRecord(ctx, s.store.DB(), id)
	if err != nil {
		return nil, err
	}
	return struct{ RecordModel recordModel }{rec.model()}, nil
}

type recordPage struct {
	PageNumber, PageSize, TotalCount int64
	Records                          []recordModel
}

// listRecords answers ListRecords, the newest record first. The name is
// compared exactly unless RecordMatchType says otherwise.
func (s *Service) listRecords(ctx context.Context, r *api.Request) (any, error) {
	siteID, err := r.Params.Int("SiteId", 0)
	if err != nil {
		return nil, err
	}
	page, err := r.Params.Page(500, 500)
	if err != nil {
		return nil, err
	}
	conditions, err := recordConditions(siteID, r.Params)
	if err != nil {
		return nil, err
	}
	db := s.store.DB()
	if _, err := find(ctx, db, siteID); err != nil {
		return nil, err
	}
	clause, args := where(conditions)
	out := recordPage{PageNumber: page.Number, PageSize: page.Size, Records: []recordModel{}}
	if err := db.QueryRowContext(ctx, `SELECT COUNT(*) FROM records r `+clause, args...).Scan(&out.TotalCount); err != nil {
		return nil, fmt.Errorf("count records: %w", err)
	}
	records, err := selectRecords(ctx, db, clause+`ORDER BY r.created DESC, r.id DESC LIMIT ? OFFSET ?`, append(args, page.Size, page.Offset())...)
	if err != nil {
		return nil, fmt.Errorf("list records: %w", err)
	}
	for _, rec := range records {
		out.Records = append(out.Records, rec.model())
	}
	return out, nil
}

func recordConditions(siteID int64, p api.Params) ([]condition, error) {
	cs := []condition{{`r.site_id = ?`, []any{siteID}}}
	for name, column := range map[string]string{"Type": "r.type", "BizName": "r.biz_name", "SourceType": "r.source_type"} {
		if v := p.String(name); v != "" {
			cs = append(cs, condition{column + ` = ?`, []any{v}})
		}
	}
	if name := p.String("RecordName"); name != "" {
		c, ok := nameMatch("r.name", p.String("RecordMatchType"), name)
		if !ok {
			return nil, api.Errorf(400, "InvalidRecordMatchType", "RecordMatchType must be exact, prefix, suffix or fuzzy.")
		}
		cs = append(cs, c)
	}
	if p.String("Proxied") != "" {
		proxied, err := p.Bool("Proxied", false)
		if err != nil {
			return nil, err
		}
		cs = append(cs, condition{`r.proxied = ?`, []any{proxied}})
	}
	return cs, nil
}
