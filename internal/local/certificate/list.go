package certificate

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
)

// list answers ListCertificates, newest first.
func (s *Service) list(ctx context.Context, r *api.Request) (any, error) {
	page, err := r.Params.Page(20, 500)
	if err != nil {
		return nil, err
	}
	validOnly, err := r.Params.Bool("ValidOnly", false)
	if err != nil {
		return nil, err
	}
	out := struct {
		PageNumber, PageSize int64
		Result               []model
		SiteID               int64 `json:"SiteId"`
		SiteName             string
		TotalCount           int64
	}{PageNumber: page.Number, PageSize: page.Size, Result: []model{}}
	err = s.store.Tx(ctx, func(tx *sql.Tx) error {
		site, models, err := s.ofSite(ctx, tx, r.Params)
		if err != nil {
			return err
		}
		out.SiteID, out.SiteName = site.id, site.name
		word := strings.ToLower(r.Params.String("Keyword"))
		for _, m := range models {
			if validOnly && !m.valid() || !strings.Contains(strings.ToLower(m.Name+" "+m.SAN), word) {
				continue
			}
			if out.TotalCount >= page.Offset() && int64(len(out.Result)) < page.Size {
				out.Result = append(out.Result, m)
			}
			out.TotalCount++
		}
		return nil
	})
	return out, err
}

func (m model) valid() bool { return m.Status == "OK" || m.Status == "Expiring" }

// ofSite loads the certificates of the site that the call names, after issuing
// what is due.
func (s *Service) ofSite(ctx context.Context, tx *sql.Tx, p api.Params) (siteRow, []model, error) {
	site, err := siteOf(ctx, tx, p)
	if err != nil {
		return site, nil, err
	}
	if err := s.settle(ctx, tx); err != nil {
		return site, nil, err
	}
	rows, err := load(ctx, tx, `WHERE c.site_id = ? ORDER BY c.created DESC, c.rowid DESC`, site.id)
	models := make([]model, len(rows))
	for i, c := range rows {
		models[i] = s.model(c)
	}
	return site, models, err
}

// one loads the certificate that the call names, or fails with
// InvalidCertificate.NotFound.
func (s *Service) one(ctx context.Context, tx *sql.Tx, p api.Params) (row, error) {
	site, err := siteOf(ctx, tx, p)
	if err != nil {
		return row{}, err
	}
	if err := s.settle(ctx, tx); err != nil {
		return row{}, err
	}
	list, err := load(ctx, tx, `WHERE c.site_id = ? AND c.id = ?`, site.id, p.String("Id"))
	if err != nil {
		return row{}, err
	}
	if len(list) == 0 {
		return row{}, notFound(p.String("Id"))
	}
	return list[0], nil
}

func notFound(id string) error {
	return api.Errorf(404, "InvalidCertificate.NotFound", "The certificate %s does not exist on this site.", id)
}

// get answers GetCertificate. The key never leaves.
func (s *Service) get(ctx context.Context, r *api.Request) (any, error) {
	out := struct {
		Certificate string
		Result      model
		SiteID      int64 `json:"SiteId"`
		SiteName    string
		Status      string
	}{}
	err := s.store.Tx(ctx, func(tx *sql.Tx) error {
		c, err := s.one(ctx, tx, r.Params)
		if err != nil {
			return err
		}
		out.Certificate, out.Result, out.SiteID, out.SiteName = c.pem, s.model(c), c.siteID, c.siteName
		out.Status = out.Result.Status
		return nil
	})
	return out, err
}

type deleted struct {
	ID       string `json:"Id"`
	SiteID   int64  `json:"SiteId"`
	SiteName string
}

// delete answers DeleteCertificate.
func (s *Service) delete(ctx context.Context, r *api.Request) (any, error) {
	var out deleted
	err := s.store.Tx(ctx, func(tx *sql.Tx) error {
		c, err := s.one(ctx, tx, r.Params)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM certificates WHERE id = ?`, c.id); err != nil {
			return fmt.Errorf("delete the certificate: %w", err)
		}
		out = deleted{c.id, c.siteID, c.siteName}
		return nil
	})
	return out, err
}

type recordCertificates struct {
	ApplyingCount int     `json:"ApplylingCount"` // the service spells it so
	Certificates  []model `json:",omitempty"`
	Count         int
	RecordName    string
	Status        string
}

// listByRecord answers ListCertificatesByRecord: what covers the named hosts.
func (s *Service) listByRecord(ctx context.Context, r *api.Request) (any, error) {
	detail, err := r.Params.Bool("Detail", false)
	if err != nil {
		return nil, err
	}
	validOnly, err := r.Params.Bool("ValidOnly", false)
	if err != nil {
		return nil, err
	}
	out := struct {
		Result     []recordCertificates
		SiteID     int64 `json:"SiteId"`
		SiteName   string
		TotalCount int
	}{Result: []recordCertificates{}}
	err = s.store.Tx(ctx, func(tx *sql.Tx) error {
		site, models, err := s.ofSite(ctx, tx, r.Params)
		if err != nil {
			return err
		}
		out.SiteID, out.SiteName = site.id, site.name
		for name := range strings.SplitSeq(r.Params.String("RecordName"), ",") {
			out.Result = append(out.Result, covering(strings.ToLower(strings.TrimSpace(name)), models, validOnly, detail))
		}
		out.TotalCount = len(out.Result)
		return nil
	})
	return out, err
}

func covering(host string, models []model, validOnly, detail bool) recordCertificates {
	out := recordCertificates{RecordName: host, Status: "none"}
	for _, m := range models {
		if !covers(m.SAN, host) || validOnly && !m.valid() && m.Status != "Applying" {
			continue
		}
		switch {
		case m.Status == "Applying":
			out.ApplyingCount++
			if out.Status == "none" {
				out.Status = "applying"
			}
			continue
		case m.valid():
			out.Status = "active"
		}
		out.Count++
		if detail {
			m.DCV = nil
			out.Certificates = append(out.Certificates, m)
		}
	}
	return out
}

// covers reports whether one of the names, separated by commas, covers a host.
func covers(names, host string) bool {
	for name := range strings.SplitSeq(names, ",") {
		if suffix, wildcard := strings.CutPrefix(name, "*"); wildcard {
			if label, under := strings.CutSuffix(host, suffix); under && label != "" && !strings.Contains(label, ".") {
				return true
			}
		}
		if name == host {
			return true
		}
	}
	return false
}
