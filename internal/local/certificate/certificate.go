// Package certificate is the part of the local ESA that issues and keeps the
// certificates of sites: those the edge shows to clients, and those it shows to
// origins. Free ones really are issued, by an authority of this state.
//
// It must not know how calls arrive or are signed, nor how the edge serves TLS.
//
// Error codes are the documented ones of the service wherever one is known.
package certificate

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/quota"
	"github.com/esa-mcp/esa-mcp/internal/local/state"
)

// Config is what the service needs. The zero value of each field has a default.
type Config struct {
	// Now is the clock; time.Now if nil.
	Now func() time.Time
	// IssueAfter is how long an application takes at least, and less than a second
	// more; a second if 0. Those of less than none are issued when they are next
	// looked at. On the service it is minutes.
	IssueAfter time.Duration
	// Quotas are how many certificates there may be.
	Quotas quota.Set
	// Region is where the account's certificate service is; cn-hangzhou if empty.
	Region string
}

// Service answers the operations of certificates.
type Service struct {
	store *state.Store
	cfg   Config
}

// New makes the service.
func New(store *state.Store, cfg Config) *Service {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.IssueAfter == 0 {
		cfg.IssueAfter = time.Second
	}
	if cfg.Region == "" {
		cfg.Region = "cn-hangzhou"
	}
	return &Service{store: store, cfg: cfg}
}

// Table returns the operations.
func (s *Service) Table() api.Table {
	t := api.Table{
		"ApplyCertificate":                    s.apply,
		"DeleteCertificate":                   s.delete,
		"DeleteOriginClientCertificate":       s.deleteOrigin(false),
		"DeleteSiteOriginClientCertificate":   s.deleteOrigin(true),
		"GetCertificate":                      s.get,
		"GetCertificateQuota":                 s.quota,
		"GetOriginClientCertificate":          s.getOrigin(false),
		"GetOriginClientCertificateHostnames": s.getHostnames,
		"GetSiteOriginClientCertificate":      s.getOrigin(true),
		"ListCasCertificates":                 s.listCas,
		"ListCertificates":                    s.list,
		"ListCertificatesByRecord":            s.listByRecord,
		"ListOriginClientCertificates":        s.listOrigin(false),
		"ListSiteOriginClientCertificates":    s.listOrigin(true),
		"SetCertificate":                      s.set,
		"SetOriginClientCertificateHostnames": s.setHostnames,
		"UploadOriginClientCertificate":       s.uploadOrigin(false),
		"UploadSiteOriginClientCertificate":   s.uploadOrigin(true),
	}
	t.Add(s.clientTable())
	return t
}

// CertificateFor returns the certificate, with its key, that the edge shows for
// a host: of those of the host's site that are valid now and cover it the one that
// names it, before a wildcard, and of several the newest; or that of a verified
// custom host name. It is nil if there is none.
func (s *Service) CertificateFor(ctx context.Context, host string) (*tls.Certificate, error) {
	var best *tls.Certificate
	err := s.store.Tx(ctx, func(tx *sql.Tx) error {
		if err := s.settle(ctx, tx); err != nil {
			return err
		}
		now := s.cfg.Now()
		list, err := load(ctx, tx, `WHERE c.not_after > ? ORDER BY c.created, c.id`, now.Unix())
		if err != nil {
			return err
		}
		exact := false
		for _, c := range list {
			if c.leaf == nil || now.Before(c.leaf.NotBefore) || !within(host, c.siteName) || c.leaf.VerifyHostname(host) != nil {
				continue
			}
			named := namesExactly(c.leaf, host)
			if exact && !named {
				continue
			}
			pair, err := tls.X509KeyPair([]byte(c.pem), []byte(c.key))
			if err != nil {
				return fmt.Errorf("read certificate %s: %w", c.id, err)
			}
			best, exact = &pair, named
		}
		if best == nil {
			best, err = s.ofCustomHostname(ctx, tx, host)
		}
		return err
	})
	return best, err
}

// querier is the part of sql.DB and sql.Tx that reads.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// siteRow is what certificates need to know of a site.
type siteRow struct {
	id                  int64
	name, access, state string
}

// siteOf loads the site that a call names in SiteId.
func siteOf(ctx context.Context, q querier, p api.Params) (siteRow, error) {
	id, err := p.Int("SiteId", 0)
	if err != nil {
		return siteRow{}, err
	}
	t := siteRow{id: id}
	err = q.QueryRowContext(ctx, `SELECT name, access_type, status FROM sites WHERE id = ?`, id).Scan(&t.name, &t.access, &t.state)
	if errors.Is(err, sql.ErrNoRows) {
		return t, api.Errorf(404, "SiteNotFound", "The specified site %d does not exist.", id)
	}
	if err != nil {
		return t, fmt.Errorf("look up the site: %w", err)
	}
	return t, nil
}

func (s *Service) clock() int64 { return s.cfg.Now().Unix() }

// newID is an id as the service gives certificates.
func newID() string {
	b := make([]byte, 16)
	rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

func stamp(unix int64) string {
	if unix == 0 {
		return ""
	}
	return time.Unix(unix, 0).UTC().Format(time.RFC3339)
}
