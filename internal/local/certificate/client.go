package certificate

import (
	"context"
	"crypto/x509"
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
)

// The uses of certificates that are not the edge's own.
const (
	useClient   = "client"    // of visitors, issued by the site's authority
	useClientCA = "client_ca" // an authority for those of visitors
	useOriginCA = "origin_ca" // an authority for those of origins
)

// clientRow is a row of the table client_certificates.
type clientRow struct {
	id, use, name, pem string
	revoked            bool
	hostnames          []string
	created, updated   int64
	leaf               *x509.Certificate
}

// clientTable has the operations of client certificates and of authorities.
func (s *Service) clientTable() api.Table {
	return api.Table{
		"ActivateClientCertificate":       s.revoke(false),
		"CreateClientCertificate":         s.createClient,
		"DeleteClientCaCertificate":       s.deleteClient(useClientCA),
		"DeleteClientCertificate":         s.deleteClient(useClient),
		"DeleteOriginCaCertificate":       s.deleteClient(useOriginCA),
		"GetClientCaCertificate":          s.getClient(useClientCA),
		"GetClientCaCertificateHostnames": s.getClientHostnames(useClientCA),
		"GetClientCertificate":            s.getClient(useClient),
		"GetClientCertificateHostnames":   s.getClientHostnames(useClient),
		"GetDcvDelegation":                s.delegation,
		"GetOriginCaCertificate":          s.getClient(useOriginCA),
		"ListClientCaCertificates":        s.listClients(useClientCA),
		"ListClientCertificates":          s.listClients(useClient),
		"ListOriginCaCertificates":        s.listClients(useOriginCA),
		"RevokeClientCertificate":         s.revoke(true),
		"SetClientCaCertificateHostnames": s.setClientHostnames(useClientCA),
		"SetClientCertificateHostnames":   s.setClientHostnames(useClient),
		"UploadClientCaCertificate":       s.uploadCA(useClientCA),
		"UploadOriginCaCertificate":       s.uploadCA(useOriginCA),
	}
}

func loadClients(ctx context.Context, q querier, rest string, args ...any) ([]clientRow, error) {
	rows, err := q.QueryContext(ctx, `SELECT id, use, name, certificate, revoked, hostnames, created, updated FROM client_certificates `+rest, args...)
	if err != nil {
		return nil, fmt.Errorf("list client certificates: %w", err)
	}
	defer rows.Close()
	var list []clientRow
	for rows.Next() {
		var c clientRow
		var hostnames string
		if err := rows.Scan(&c.id, &c.use, &c.name, &c.pem, &c.revoked, &hostnames, &c.created, &c.updated); err != nil {
			return nil, fmt.Errorf("read a client certificate: %w", err)
		}
		if err := json.Unmarshal([]byte(hostnames), &c.hostnames); err != nil {
			return nil, fmt.Errorf("read the host names of %s: %w", c.id, err)
		}
		if c.leaf, err = parseLeaf(c.pem); err != nil {
			return nil, fmt.Errorf("read client certificate %s: %w", c.id, err)
		}
		list = append(list, c)
	}
	return list, rows.Err()
}

// withClient runs fn on the certificate that a call names in Id.
func (s *Service) withClient(ctx context.Context, use string, p api.Params, fn func(tx *sql.Tx, site siteRow, c clientRow) error) error {
	return s.store.Tx(ctx, func(tx *sql.Tx) error {
		site, err := siteOf(ctx, tx, p)
		if err != nil {
			return err
		}
		list, err := loadClients(ctx, tx, `WHERE site_id = ? AND use = ? AND id = ?`, site.id, use, p.String("Id"))
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return api.Errorf(404, "Certificate.NotFound", "The certificate %s does not exist on this site.", p.String("Id"))
		}
		return fn(tx, site, list[0])
	})
}

// clientModel is one as lists have it.
type clientModel struct {
	CACertificateID string `json:"CACertificateId,omitempty"`
	leafModel
}

func (s *Service) clientModel(c clientRow) clientModel {
	m := clientModel{leafModel: modelOf(c.leaf, c.id, c.name, c.created, c.updated)}
	m.Status = s.clientStatus(c)
	if c.use == useClient {
		m.CACertificateID, m.Type = s.store.Account().Hash, "free"
	}
	return m
}

func (s *Service) clientStatus(c clientRow) string {
	switch {
	case c.revoked:
		return "revoked"
	case c.use == useClient:
		return "active"
	}
	return leafStatus(c.leaf, s.cfg.Now())
}

func (s *Service) insertClient(ctx context.Context, tx *sql.Tx, site int64, c clientRow) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO client_certificates (id, site_id, use, name, certificate, fingerprint, created, updated)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?)`, c.id, site, c.use, c.name, c.pem, fingerprint(c.leaf), c.created, c.updated)
	if err != nil {
		return fmt.Errorf("store the certificate: %w", err)
	}
	return nil
}

// issued is what the creation of a certificate, or an upload, answers.
type issued struct {
	CACertificateID    string `json:"CACertificateId,omitempty"`
	Certificate        string `json:",omitempty"`
	CommonName         string
	FingerprintSha256  string
	ID                 string `json:"Id"`
	Issuer             string
	NotAfter           string
	NotBefore          string
	PrivateKey         string `json:",omitempty"`
	SerialNumber       string
	SignatureAlgorithm string
	Status             string
	ValidityDays       string
}

// issuedOf is what there is to say of a certificate that has just come.
func issuedOf(id, status string, leaf *x509.Certificate) issued {
	f := factsOf(leaf)
	return issued{
		CommonName: f.commonName, FingerprintSha256: f.fingerprint, ID: id, Issuer: f.issuer, NotAfter: f.notAfter, NotBefore: f.notBefore,
		SerialNumber: f.serial, SignatureAlgorithm: f.signature, Status: status,
		ValidityDays: strconv.Itoa(int(leaf.NotAfter.Sub(leaf.NotBefore).Hours() / 24)),
	}
}

// uploadCA answers UploadClientCaCertificate and UploadOriginCaCertificate.
func (s *Service) uploadCA(use string) api.Handler {
	return func(ctx context.Context, r *api.Request) (any, error) {
		pem := r.Params.String("Certificate")
		leaf, err := parseLeaf(pem)
		if err != nil {
			return nil, api.Errorf(400, "InvalidSSLPub", "The certificate is not a valid PEM certificate: %v.", err)
		}
		if !leaf.IsCA {
			return nil, api.Errorf(400, "InvalidParameter.Certificate", "The certificate is none of an authority.")
		}
		c := clientRow{id: newID(), use: use, name: r.Params.String("Name"), pem: pem, leaf: leaf, created: s.clock(), updated: s.clock()}
		if c.name == "" {
			c.name = leaf.Subject.CommonName
		}
		err = s.store.Tx(ctx, func(tx *sql.Tx) error {
			site, err := siteOf(ctx, tx, r.Params)
			if err != nil {
				return err
			}
			var twice bool
			err = tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM client_certificates WHERE site_id = ? AND use = ? AND fingerprint = ?)`,
				site.id, use, fingerprint(leaf)).Scan(&twice)
			if err != nil {
				return fmt.Errorf("look for the same certificate: %w", err)
			}
			if twice {
				return api.Errorf(400, "Certificate.Duplicated", "The certificate has been uploaded to this site already.")
			}
			return s.insertClient(ctx, tx, site.id, c)
		})
		return issuedOf(c.id, s.clientStatus(c), leaf), err
	}
}

// listClients answers the lists of one use.
func (s *Service) listClients(use string) api.Handler {
	return listPage(s, kind{"client_certificates", "use", use}, loadClients, s.clientModel)
}

// getClient answers the operations that get one.
func (s *Service) getClient(use string) api.Handler {
	return func(ctx context.Context, r *api.Request) (any, error) {
		var out struct {
			Certificate string
			Result      clientModel
			SiteID      int64 `json:"SiteId"`
			SiteName    string
			Status      string
		}
		err := s.withClient(ctx, use, r.Params, func(_ *sql.Tx, site siteRow, c clientRow) error {
			out.Certificate, out.Result, out.SiteID, out.SiteName = c.pem, s.clientModel(c), site.id, site.name
			out.Status = out.Result.Status
			return nil
		})
		return out, err
	}
}

// deleteClient answers the operations that delete one. A certificate of a
// visitor has to be revoked before.
func (s *Service) deleteClient(use string) api.Handler {
	return func(ctx context.Context, r *api.Request) (any, error) {
		var out deleted
		err := s.withClient(ctx, use, r.Params, func(tx *sql.Tx, site siteRow, c clientRow) error {
			if use == useClient && !c.revoked {
				return api.Errorf(400, "Certificate.StatusError", "The certificate is active. Revoke it before it is deleted.")
			}
			if _, err := tx.ExecContext(ctx, `DELETE FROM client_certificates WHERE id = ?`, c.id); err != nil {
				return fmt.Errorf("delete the client certificate: %w", err)
			}
			out = deleted{c.id, site.id, site.name}
			return nil
		})
		return out, err
	}
}

// revoke answers RevokeClientCertificate, and the opposite.
func (s *Service) revoke(revoked bool) api.Handler {
	return func(ctx context.Context, r *api.Request) (any, error) {
		var out deleted
		err := s.withClient(ctx, useClient, r.Params, func(tx *sql.Tx, site siteRow, c clientRow) error {
			out = deleted{c.id, site.id, site.name}
			if _, err := tx.ExecContext(ctx, `UPDATE client_certificates SET revoked = ?, updated = ? WHERE id = ?`, revoked, s.clock(), c.id); err != nil {
				return fmt.Errorf("store the certificate's state: %w", err)
			}
			return nil
		})
		return out, err
	}
}
