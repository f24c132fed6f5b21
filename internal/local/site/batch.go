package site

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
)

// batchRow is one record of a batch with what became of it.
type batchRow struct {
	BizName     string
	Data        recordData
	Description string
	HTTPPorts   string `json:"HttpPorts"`
	HTTPSPorts  string `json:"HttpsPorts"`
	Proxied     bool
	RecordID    int64 `json:"RecordId"`
	RecordName  string
	RecordType  string
	SourceType  string
	TTL         int64 `json:"Ttl"`
}

type batchResult struct {
	Success, Failed []batchRow
	TotalCount      int
}

// batchFields are the members that a row may have; others are not read, as on
// the service.
var batchFields = []string{"AuthConf", "BizName", "Data", "HttpPorts", "HttpsPorts", "Proxied", "SourceType", "Ttl", "Type"}

// batchCreateRecords answers BatchCreateRecords. Each row stands for itself: one
// that is refused is told under Failed, and the call succeeds all the same.
func (s *Service) batchCreateRecords(ctx context.Context, r *api.Request) (any, error) {
	siteID, err := r.Params.Int("SiteId", 0)
	if err != nil {
		return nil, err
	}
	var rows []map[string]any
	if _, err := r.Params.JSON("RecordList", &rows); err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, api.Errorf(400, "InvalidRecordList", "RecordList must be a JSON array with at least one record.")
	}
	out := batchResult{Success: []batchRow{}, Failed: []batchRow{}, TotalCount: len(rows)}
	err = s.store.Tx(ctx, func(tx *sql.Tx) error {
		t, err := find(ctx, tx, siteID)
		if err != nil {
			return err
		}
		for _, row := range rows {
			rec, err := s.addRow(ctx, tx, t, row)
			var refused *api.Error
			switch {
			case errors.As(err, &refused):
				rec.id = 0
				out.Failed = append(out.Failed, rec.batchRow(refused.Code+": "+refused.Message))
			case err != nil:
				return err
			default:
				out.Success = append(out.Success, rec.batchRow("success"))
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return struct{ RecordResultList batchResult }{out}, nil
}

func (s *Service) addRow(ctx context.Context, tx *sql.Tx, t site, row map[string]any) (record, error) {
	p := api.Params{}
	for _, name := range batchFields {
		if v, ok := row[name]; ok && v != nil {
			p[name] = v
		}
	}
	rec := record{siteID: t.id, name: strings.ToLower(api.Params(row).String("RecordName")), created: s.clock(), updated: s.clock()}
	if err := rec.apply(p); err != nil {
		return rec, err
	}
	return rec, s.addRecord(ctx, tx, t, &rec)
}

func (rec *record) batchRow(description string) batchRow {
	return batchRow{
		BizName: rec.bizName, Data: rec.data, Description: description, HTTPPorts: rec.httpPorts, HTTPSPorts: rec.httpsPorts,
		Proxied: rec.proxied, RecordID: rec.id, RecordName: rec.name, RecordType: rec.kind, SourceType: rec.sourceType, TTL: rec.ttl,
	}
}
