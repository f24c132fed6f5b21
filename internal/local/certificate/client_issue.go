package certificate

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"database/sql"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
)

const maxClientDays = 3650

// createClient answers CreateClientCertificate: a certificate for a key that is
// made here, or for that of a CSR.
func (s *Service) createClient(ctx context.Context, r *api.Request) (any, error) {
	days, err := r.Params.Int("ValidityDays", 0)
	if err != nil || days < 1 || days > maxClientDays {
		return nil, api.Errorf(400, "InvalidParameter.ValidityDays", "ValidityDays must be between 1 and %d.", maxClientDays)
	}
	request, err := parseRequest(r.Params.String("CSR"))
	if err != nil {
		return nil, err
	}
	var private crypto.Signer
	if request == nil {
		if private, err = newKey(r.Params.String("PkeyType")); err != nil {
			return nil, err
		}
	}
	c := clientRow{id: newID(), use: useClient, created: s.clock(), updated: s.clock()}
	var key string
	err = s.store.Tx(ctx, func(tx *sql.Tx) error {
		site, err := siteOf(ctx, tx, r.Params)
		if err != nil {
			return err
		}
		ca, err := s.authority(ctx, tx)
		if err != nil {
			return err
		}
		now := s.cfg.Now()
		template := &x509.Certificate{
			Subject:   pkix.Name{CommonName: "client." + site.name},
			NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(0, 0, int(days)),
			BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature,
			ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		}
		if request != nil {
			template.Subject = request.Subject
			c.pem, err = signPublic(template, request.PublicKey, ca.Leaf, ca.PrivateKey)
		} else {
			c.pem, key, err = signKey(template, private, &ca)
		}
		if err != nil {
			return fmt.Errorf("issue a client certificate: %w", err)
		}
		if c.leaf, err = parseLeaf(c.pem); err != nil {
			return fmt.Errorf("read the issued certificate: %w", err)
		}
		c.name = c.leaf.Subject.CommonName
		return s.insertClient(ctx, tx, site.id, c)
	})
	if err != nil {
		return nil, err
	}
	out := issuedOf(c.id, s.clientStatus(c), c.leaf)
	out.Certificate, out.PrivateKey, out.CACertificateID = c.pem, key, s.store.Account().Hash
	return out, nil
}

// parseRequest reads a CSR; nil if there is none.
func parseRequest(text string) (*x509.CertificateRequest, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, api.Errorf(400, "InvalidParameter.CSR", "The CSR is no PEM.")
	}
	request, err := x509.ParseCertificateRequest(block.Bytes)
	if err == nil {
		err = request.CheckSignature()
	}
	if err != nil {
		return nil, api.Errorf(400, "InvalidParameter.CSR", "The CSR cannot be used: %v.", err)
	}
	return request, nil
}

func newKey(kind string) (crypto.Signer, error) {
	switch strings.ToUpper(kind) {
	case "", "RSA":
		return rsa.GenerateKey(rand.Reader, 2048)
	case "ECDSA", "EC":
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	return nil, api.Errorf(400, "InvalidParameter.PkeyType", "PkeyType must be RSA or ECDSA.")
}

// delegation answers GetDcvDelegation: the name under which the service proves
// control of a site's domains.
func (s *Service) delegation(ctx context.Context, r *api.Request) (any, error) {
	site, err := siteOf(ctx, s.store.DB(), r.Params)
	if err != nil {
		return nil, err
	}
	return struct {
		DelegationDomain string
		SiteID           int64 `json:"SiteId"`
		SiteName         string
	}{fmt.Sprintf("%x.dcv.localhost", site.id), site.id, site.name}, nil
}

// loadClientHostnames reads which host names ask for certificates of an
// authority: of that with the id, or of the site's own if it is empty.
func (s *Service) loadClientHostnames(ctx context.Context, tx *sql.Tx, site siteRow, use, id string) ([]string, error) {
	if use == useClientCA && id != "" {
		list, err := loadClients(ctx, tx, `WHERE site_id = ? AND use = ? AND id = ?`, site.id, use, id)
		if err != nil {
			return nil, err
		}
		if len(list) == 0 {
			return nil, api.Errorf(404, "Certificate.NotFound", "The certificate %s does not exist on this site.", id)
		}
		return list[0].hostnames, nil
	}
	var text string
	err := tx.QueryRowContext(ctx, `SELECT hostnames FROM client_certificate_hostnames WHERE site_id = ?`, site.id).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return []string{}, nil
	}
	hostnames := []string{}
	if err == nil {
		err = json.Unmarshal([]byte(text), &hostnames)
	}
	if err != nil {
		return nil, fmt.Errorf("read the host names: %w", err)
	}
	return hostnames, nil
}

func (s *Service) getClientHostnames(use string) api.Handler {
	return func(ctx context.Context, r *api.Request) (any, error) {
		var out hostnamesModel
		err := s.store.Tx(ctx, func(tx *sql.Tx) error {
			site, err := siteOf(ctx, tx, r.Params)
			if err != nil {
				return err
			}
			out.ID, out.SiteID, out.SiteName = r.Params.String("Id"), site.id, site.name
			out.Hostnames, err = s.loadClientHostnames(ctx, tx, site, use, out.ID)
			return err
		})
		return out, err
	}
}

// setClientHostnames replaces the list.
func (s *Service) setClientHostnames(use string) api.Handler {
	return func(ctx context.Context, r *api.Request) (any, error) {
		var hostnames []string
		if _, err := r.Params.JSON("Hostnames", &hostnames); err != nil {
			return nil, err
		}
		var out hostnamesModel
		err := s.store.Tx(ctx, func(tx *sql.Tx) error {
			site, err := siteOf(ctx, tx, r.Params)
			if err != nil {
				return err
			}
			if hostnames, err = hostnamesOf(hostnames, site); err != nil {
				return err
			}
			out = hostnamesModel{hostnames, r.Params.String("Id"), site.id, site.name}
			if _, err := s.loadClientHostnames(ctx, tx, site, use, out.ID); err != nil {
				return err
			}
			text, err := json.Marshal(hostnames)
			if err != nil {
				return fmt.Errorf("encode the host names: %w", err)
			}
			if use == useClientCA && out.ID != "" {
				_, err = tx.ExecContext(ctx, `UPDATE client_certificates SET hostnames = ?, updated = ? WHERE id = ?`, text, s.clock(), out.ID)
			} else {
				_, err = tx.ExecContext(ctx, `INSERT OR REPLACE INTO client_certificate_hostnames (site_id, hostnames) VALUES (?, ?)`, site.id, text)
			}
			if err != nil {
				return fmt.Errorf("store the host names: %w", err)
			}
			return nil
		})
		return out, err
	}
}

// hostnamesOf sorts host names of a site, and refuses others.
func hostnamesOf(hostnames []string, site siteRow) ([]string, error) {
	out := []string{}
	for _, name := range hostnames {
		lower := strings.ToLower(name)
		if name == "" || strings.ContainsAny(name, " /:*,") || !within(lower, site.name) {
			return nil, api.Errorf(400, "InvalidParameter.Hostnames", "The host name %q is not one of the site %s.", name, site.name)
		}
		out = append(out, lower)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}
