package certificate

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
)

type casModel struct {
	CommonName  string
	Fingerprint string
	ID          int64 `json:"Id"`
	Issuer      string
	Name        string
	NotAfter    string
	Region      string
}

// listCas answers ListCasCertificates.
func (s *Service) listCas(ctx context.Context, r *api.Request) (any, error) {
	page, err := r.Params.Page(20, 100)
	if err != nil {
		return nil, err
	}
	out := struct {
		Certificates         []casModel
		PageNumber, PageSize int64
		TotalCount           int64
	}{Certificates: []casModel{}, PageNumber: page.Number, PageSize: page.Size}
	rows, err := s.store.DB().QueryContext(ctx, `SELECT cas_id, name, certificate FROM cas_certificates ORDER BY cas_id DESC`)
	if err != nil {
		return nil, fmt.Errorf("list the certificate service: %w", err)
	}
	defer rows.Close()
	word := strings.ToLower(r.Params.String("SearchKeyword"))
	for rows.Next() {
		m := casModel{Region: s.cfg.Region}
		var text string
		if err := rows.Scan(&m.ID, &m.Name, &text); err != nil {
			return nil, fmt.Errorf("read the certificate service: %w", err)
		}
		leaf, err := parseLeaf(text)
		if err != nil {
			return nil, fmt.Errorf("read certificate %d: %w", m.ID, err)
		}
		f := factsOf(leaf)
		m.CommonName, m.Fingerprint, m.Issuer, m.NotAfter = f.commonName, f.fingerprint, f.issuer, f.notAfter
		if !strings.Contains(strings.ToLower(m.Name+" "+f.commonName+" "+f.san), word) {
			continue
		}
		if out.TotalCount >= page.Offset() && int64(len(out.Certificates)) < page.Size {
			out.Certificates = append(out.Certificates, m)
		}
		out.TotalCount++
	}
	return out, rows.Err()
}

// InService tells whether the certificate service has a certificate of that id.
func InService(ctx context.Context, tx *sql.Tx, id int64) (bool, error) {
	_, err := casPair(ctx, tx, id)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look up the certificate service: %w", err)
	}
	return true, nil
}

// casPair reads a certificate of the certificate service; the error is sql.ErrNoRows
// if it is not there.
func casPair(ctx context.Context, tx *sql.Tx, id int64) (pair, error) {
	c := pair{casID: id}
	err := tx.QueryRowContext(ctx, `SELECT name, certificate, private_key FROM cas_certificates WHERE cas_id = ?`, id).Scan(&c.name, &c.pem, &c.key)
	return c, err
}
