package certificate

import (
	"context"
	"crypto/x509"
	"database/sql"
	"fmt"
	"strconv"
	"time"
)

// The kinds of certificates.
const (
	kindFree   = "free"
	kindUpload = "upload"
	kindCas    = "cas"
)

const expiringDays = 30

// row is a row of the table certificates, with its certificate decoded.
type row struct {
	id                              string
	siteID                          int64
	kind, name                      string
	casID                           int64
	domain, brand, challenge        string
	readyAt                         int64
	pem, key                        string
	notAfter, created, updated      int64
	siteName, siteAccess, siteState string
	leaf                            *x509.Certificate // nil while it is applied for
}

// load reads certificates. rest is what follows the tables: c is certificates,
// s sites.
func load(ctx context.Context, q querier, rest string, args ...any) ([]row, error) {
	rows, err := q.QueryContext(ctx, `SELECT c.id, c.site_id, c.type, c.name, c.cas_id, c.domain, c.brand, c.challenge, c.ready_at,
		c.certificate, c.private_key, c.not_after, c.created, c.updated, s.name, s.access_type, s.status
		FROM certificates c JOIN sites s ON s.id = c.site_id `+rest, args...)
	if err != nil {
		return nil, fmt.Errorf("list certificates: %w", err)
	}
	defer rows.Close()
	var list []row
	for rows.Next() {
		var c row
		if err := rows.Scan(&c.id, &c.siteID, &c.kind, &c.name, &c.casID, &c.domain, &c.brand, &c.challenge, &c.readyAt, &c.pem, &c.key,
			&c.notAfter, &c.created, &c.updated, &c.siteName, &c.siteAccess, &c.siteState); err != nil {
			return nil, fmt.Errorf("read a certificate: %w", err)
		}
		if c.pem != "" {
			if c.leaf, err = parseLeaf(c.pem); err != nil {
				return nil, fmt.Errorf("read certificate %s: %w", c.id, err)
			}
		}
		list = append(list, c)
	}
	return list, rows.Err()
}

// keep stores a pair in a row that exists.
func keep(ctx context.Context, tx *sql.Tx, id, certificate, key string, leaf *x509.Certificate, updated int64) error {
	_, err := tx.ExecContext(ctx, `UPDATE certificates SET certificate = ?, private_key = ?, fingerprint = ?, not_after = ?, updated = ?
		WHERE id = ?`, certificate, key, fingerprint(leaf), leaf.NotAfter.Unix(), updated, id)
	if err != nil {
		return fmt.Errorf("store certificate %s: %w", id, err)
	}
	return nil
}

// status is the certificate's state at a time.
func (c row) status(now time.Time) string {
	if c.leaf == nil {
		return "Applying"
	}
	return leafStatus(c.leaf, now)
}

func leafStatus(leaf *x509.Certificate, now time.Time) string {
	switch {
	case now.After(leaf.NotAfter):
		return "Expired"
	case leaf.NotAfter.Sub(now) <= expiringDays*24*time.Hour:
		return "Expiring"
	}
	return "OK"
}

type dcvModel struct {
	ID     string `json:"Id"`
	Key    string
	Status string
	Type   string
	Value  string
}

// model is a certificate as answers have it: all but the key.
type model struct {
	ApplyCode         int64  `json:",omitempty"`
	ApplyMessage      string `json:",omitempty"`
	CasID             string `json:"CasId,omitempty"`
	CommonName        string
	CreateTime        string
	DCV               []dcvModel `json:",omitempty"`
	FingerprintSha256 string     `json:",omitempty"`
	ID                string     `json:"Id"`
	Issuer            string     `json:",omitempty"`
	IssuerCN          string     `json:",omitempty"`
	Name              string
	NotAfter          string `json:",omitempty"`
	NotBefore         string `json:",omitempty"`
	PubAlg            string `json:",omitempty"`
	Region            string `json:",omitempty"`
	SAN               string
	SerialNumber      string `json:",omitempty"`
	SigAlg            string `json:",omitempty"`
	Status            string
	Type              string
	UpdateTime        string
}

func (s *Service) model(c row) model {
	f := factsOf(c.leaf)
	m := model{
		CommonName: f.commonName, CreateTime: stamp(c.created), FingerprintSha256: f.fingerprint, ID: c.id,
		Issuer: f.issuer, IssuerCN: f.issuerCN, Name: c.name, NotAfter: f.notAfter, NotBefore: f.notBefore, PubAlg: f.publicKey,
		SAN: f.san, SerialNumber: f.serial, SigAlg: f.signature, Status: c.status(s.cfg.Now()), Type: c.kind, UpdateTime: stamp(c.updated),
	}
	if c.casID != 0 {
		m.CasID, m.Region = strconv.FormatInt(c.casID, 10), s.cfg.Region
	}
	if c.leaf == nil {
		m.CommonName, m.SAN, m.DCV = c.domain, c.domain, []dcvModel{c.dcv()}
		if c.readyAt <= s.clock() {
			m.ApplyMessage = c.waitsFor()
		}
	}
	return m
}
