package certificate

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
)

// originRow is a certificate that ESA shows to origins.
type originRow struct {
	id, name         string
	hostnames        []string
	pem              string
	created, updated int64
	leaf             *x509.Certificate
}

// originModel is one as answers have it. Those of a whole site have no host names.
type originModel struct {
	Hostnames []string `json:",omitempty"`
	leafModel
}

func (s *Service) originModel(c originRow) originModel {
	m := originModel{c.hostnames, modelOf(c.leaf, c.id, c.name, c.created, c.updated)}
	m.Status = leafStatus(c.leaf, s.cfg.Now())
	return m
}

func loadOrigin(ctx context.Context, q querier, rest string, args ...any) ([]originRow, error) {
	rows, err := q.QueryContext(ctx, `SELECT id, name, hostnames, certificate, created, updated FROM origin_client_certificates `+rest, args...)
	if err != nil {
		return nil, fmt.Errorf("list origin client certificates: %w", err)
	}
	defer rows.Close()
	var list []originRow
	for rows.Next() {
		var c originRow
		var hostnames string
		if err := rows.Scan(&c.id, &c.name, &hostnames, &c.pem, &c.created, &c.updated); err != nil {
			return nil, fmt.Errorf("read an origin client certificate: %w", err)
		}
		if err := json.Unmarshal([]byte(hostnames), &c.hostnames); err != nil {
			return nil, fmt.Errorf("read the host names of %s: %w", c.id, err)
		}
		if c.leaf, err = parseLeaf(c.pem); err != nil {
			return nil, fmt.Errorf("read origin client certificate %s: %w", c.id, err)
		}
		list = append(list, c)
	}
	return list, rows.Err()
}

// oneOrigin loads the certificate that the call names.
func oneOrigin(ctx context.Context, q querier, p api.Params, wholeSite bool) (siteRow, originRow, error) {
	site, err := siteOf(ctx, q, p)
	if err != nil {
		return site, originRow{}, err
	}
	list, err := loadOrigin(ctx, q, `WHERE site_id = ? AND id = ? AND whole_site = ?`, site.id, p.String("Id"), wholeSite)
	if err != nil {
		return site, originRow{}, err
	}
	if len(list) == 0 {
		return site, originRow{}, api.Errorf(404, "Certificate.NotFound", "The origin client certificate %s does not exist on this site.", p.String("Id"))
	}
	return site, list[0], nil
}

// uploadOrigin answers UploadOriginClientCertificate and the one of a whole site.
func (s *Service) uploadOrigin(wholeSite bool) api.Handler {
	return func(ctx context.Context, r *api.Request) (any, error) {
		var out issued
		err := s.store.Tx(ctx, func(tx *sql.Tx) error {
			site, err := siteOf(ctx, tx, r.Params)
			if err != nil {
				return err
			}
			c, err := s.uploaded(ctx, r.Params)
			if err != nil {
				return err
			}
			var twice bool
			err = tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM origin_client_certificates
				WHERE site_id = ? AND whole_site = ? AND fingerprint = ?)`, site.id, wholeSite, fingerprint(c.leaf)).Scan(&twice)
			if err != nil {
				return fmt.Errorf("look for the same certificate: %w", err)
			}
			if twice {
				return api.Errorf(400, "Certificate.Duplicated", "The certificate has been uploaded to this site already.")
			}
			out = issuedOf(newID(), leafStatus(c.leaf, s.cfg.Now()), c.leaf)
			_, err = tx.ExecContext(ctx, `INSERT INTO origin_client_certificates (id, site_id, whole_site, name, certificate, private_key,
				fingerprint, created, updated) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
				out.ID, site.id, wholeSite, c.name, c.pem, c.key, fingerprint(c.leaf), s.clock(), s.clock())
			if err != nil {
				return fmt.Errorf("store the origin client certificate: %w", err)
			}
			return nil
		})
		return out, err
	}
}

// listOrigin answers ListOriginClientCertificates and the one of a whole site.
func (s *Service) listOrigin(wholeSite bool) api.Handler {
	return listPage(s, kind{"origin_client_certificates", "whole_site", wholeSite}, loadOrigin, s.originModel)
}

// getOrigin answers GetOriginClientCertificate and the one of a whole site.
func (s *Service) getOrigin(wholeSite bool) api.Handler {
	return func(ctx context.Context, r *api.Request) (any, error) {
		site, c, err := oneOrigin(ctx, s.store.DB(), r.Params, wholeSite)
		if err != nil {
			return nil, err
		}
		m := s.originModel(c)
		return struct {
			Certificate string
			Result      originModel
			SiteID      int64 `json:"SiteId"`
			SiteName    string
			Status      string
		}{c.pem, m, site.id, site.name, m.Status}, nil
	}
}

// deleteOrigin answers DeleteOriginClientCertificate and the one of a whole site.
func (s *Service) deleteOrigin(wholeSite bool) api.Handler {
	return func(ctx context.Context, r *api.Request) (any, error) {
		var out deleted
		err := s.store.Tx(ctx, func(tx *sql.Tx) error {
			site, c, err := oneOrigin(ctx, tx, r.Params, wholeSite)
			if err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, `DELETE FROM origin_client_certificates WHERE id = ?`, c.id); err != nil {
				return fmt.Errorf("delete the origin client certificate: %w", err)
			}
			out = deleted{c.id, site.id, site.name}
			return nil
		})
		return out, err
	}
}

// OriginCertificateFor returns what the edge shows of itself to the origin of a
// host: the certificate that names the host, else that of the whole site. It is
// nil if there is none.
func (s *Service) OriginCertificateFor(ctx context.Context, siteID int64, host string) (*tls.Certificate, error) {
	rows, err := s.store.DB().QueryContext(ctx, `SELECT hostnames, certificate, private_key FROM origin_client_certificates
		WHERE site_id = ? ORDER BY whole_site, created DESC`, siteID)
	if err != nil {
		return nil, fmt.Errorf("list origin client certificates: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var hostnames, certificate, key string
		if err := rows.Scan(&hostnames, &certificate, &key); err != nil {
			return nil, fmt.Errorf("read an origin client certificate: %w", err)
		}
		var names []string
		if err := json.Unmarshal([]byte(hostnames), &names); err != nil {
			return nil, fmt.Errorf("read the host names of an origin client certificate: %w", err)
		}
		if len(names) > 0 && !slices.Contains(names, host) {
			continue
		}
		pair, err := tls.X509KeyPair([]byte(certificate), []byte(key))
		if err != nil {
			return nil, fmt.Errorf("read an origin client certificate: %w", err)
		}
		return &pair, nil
	}
	return nil, rows.Err()
}
