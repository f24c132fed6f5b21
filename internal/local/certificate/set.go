package certificate

import (
	"context"
	"crypto/x509"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/state"
)

// pair is what a call of SetCertificate brings.
type pair struct {
	name, pem, key string
	casID          int64
	leaf           *x509.Certificate
}

// set answers SetCertificate: a new certificate, or a new one for an Id.
func (s *Service) set(ctx context.Context, r *api.Request) (any, error) {
	kind := r.Params.String("Type")
	switch kind {
	case kindUpload, kindCas:
	case "keyless":
		return nil, api.Errorf(400, "QuotaCheckFailed.Function", "The feature is unavailable in your plan: the local ESA has no key servers.")
	default:
		return nil, api.Errorf(400, "InvalidParameter.Type", "Type must be cas, upload or keyless.")
	}
	out := struct {
		ID string `json:"Id"`
	}{}
	err := s.store.Tx(ctx, func(tx *sql.Tx) error {
		site, err := siteOf(ctx, tx, r.Params)
		if err != nil {
			return err
		}
		var p pair
		if kind == kindCas {
			p, err = s.fromCas(ctx, tx, r.Params)
		} else {
			p, err = s.uploaded(ctx, r.Params)
		}
		if err != nil {
			return err
		}
		if !coversSite(p.leaf, site.name) {
			return api.Errorf(400, "CertificateDomainNotMatchSite", "The certificate is for %s, none of which is of the site %s.",
				strings.Join(names(p.leaf), ", "), site.name)
		}
		if err := checkDuplicate(ctx, tx, site.id, r.Params.String("Id"), fingerprint(p.leaf)); err != nil {
			return err
		}
		out.ID, err = s.place(ctx, tx, site, kind, r.Params, p)
		return err
	})
	return out, err
}

func (s *Service) uploaded(ctx context.Context, p api.Params) (pair, error) {
	c := pair{name: p.String("Name"), pem: p.String("Certificate"), key: p.String("PrivateKey")}
	if len(c.name) > 128 {
		return c, api.Errorf(400, "InvalidParameter.Name", "Name must have at most 128 characters.")
	}
	leaf, err := parsePair(ctx, c.pem, c.key, s.cfg.Now())
	if err != nil {
		return c, err
	}
	c.leaf = leaf
	if c.name == "" {
		c.name = leaf.Subject.CommonName
	}
	return c, nil
}

// fromCas loads a certificate of the certificate service. One that is asked for
// in another region is not there.
func (s *Service) fromCas(ctx context.Context, tx *sql.Tx, p api.Params) (pair, error) {
	id, err := p.Int("CasId", 0)
	if err != nil {
		return pair{}, err
	}
	region := p.String("Region")
	if region == "" {
		region = "cn-hangzhou"
	}
	c, err := pair{casID: id}, sql.ErrNoRows
	if region == s.cfg.Region {
		c, err = casPair(ctx, tx, id)
	}
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return c, api.Errorf(404, "InvalidCertificate.NotFound", "There is no certificate %d in the certificate service of %s.", id, region)
	case err != nil:
		return c, fmt.Errorf("look up the certificate service: %w", err)
	}
	c.leaf, err = parsePair(ctx, c.pem, c.key, s.cfg.Now())
	return c, err
}

func checkDuplicate(ctx context.Context, tx *sql.Tx, site int64, except, print string) error {
	var twice bool
	err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM certificates WHERE site_id = ? AND fingerprint = ? AND id <> ?)`,
		site, print, except).Scan(&twice)
	if err != nil {
		return fmt.Errorf("look for the same certificate: %w", err)
	}
	if twice {
		return api.Errorf(400, "Certificate.Duplicated", "The certificate has been uploaded to this site already.")
	}
	return nil
}

// place stores the pair under the Id of the call, or under a new one.
func (s *Service) place(ctx context.Context, tx *sql.Tx, site siteRow, kind string, p api.Params, c pair) (string, error) {
	var err error
	if c.casID == 0 {
		if c.casID, err = toCas(ctx, tx, c); err != nil {
			return "", err
		}
	}
	if p.String("Id") != "" {
		old, err := s.one(ctx, tx, p)
		switch {
		case err != nil:
			return "", err
		case old.kind == kindFree:
			return "", api.Errorf(400, "Certificate.StatusError", "A free certificate cannot be updated.")
		}
		if _, err := tx.ExecContext(ctx, `UPDATE certificates SET type = ?, name = ?, cas_id = ? WHERE id = ?`, kind, c.name, c.casID, old.id); err != nil {
			return "", fmt.Errorf("update the certificate: %w", err)
		}
		return old.id, keep(ctx, tx, old.id, c.pem, c.key, c.leaf, s.clock())
	}
	if err := s.checkQuota(ctx, tx, site.id, kind, 1); err != nil {
		return "", err
	}
	id := newID()
	_, err = tx.ExecContext(ctx, `INSERT INTO certificates (id, site_id, type, name, cas_id, created, updated) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		id, site.id, kind, c.name, c.casID, s.clock(), s.clock())
	if err != nil {
		return "", fmt.Errorf("store the certificate: %w", err)
	}
	return id, keep(ctx, tx, id, c.pem, c.key, c.leaf, s.clock())
}

// toCas puts an upload into the certificate service, where it stays when the
// site loses it, and returns its id there.
func toCas(ctx context.Context, tx *sql.Tx, c pair) (int64, error) {
	id, err := state.NextID(ctx, tx)
	if err != nil {
		return 0, err
	}
	err = tx.QueryRowContext(ctx, `INSERT INTO cas_certificates (cas_id, name, certificate, private_key, fingerprint) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (fingerprint) DO UPDATE SET name = name RETURNING cas_id`, id, c.name, c.pem, c.key, fingerprint(c.leaf)).Scan(&id)
	if err != nil {
		return 0, fmt.Errorf("store in the certificate service: %w", err)
	}
	return id, nil
}
