package certificate

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
)

// The brands of free certificates.
const (
	letsEncrypt      = "lets_encrypt"
	digicertSingle   = "digicert_single"
	digicertWildcard = "digicert_wildcard"
)

type applied struct {
	Domain string
	ID     string `json:"Id"`
	Status string
}

// apply answers ApplyCertificate: one application for each domain.
func (s *Service) apply(ctx context.Context, r *api.Request) (any, error) {
	brand := r.Params.String("Type")
	switch brand {
	case "":
		brand = letsEncrypt
	case letsEncrypt, digicertSingle, digicertWildcard:
	default:
		return nil, api.Errorf(400, "InvalidParameter.Type", "Type must be lets_encrypt, digicert_single or digicert_wildcard.")
	}
	out := struct {
		Result     []applied
		SiteName   string
		TotalCount int
	}{}
	err := s.store.Tx(ctx, func(tx *sql.Tx) error {
		site, err := siteOf(ctx, tx, r.Params)
		if err != nil {
			return err
		}
		domains, err := applicable(r.Params.String("Domains"), site.name, brand)
		if err != nil {
			return err
		}
		if err := s.checkQuota(ctx, tx, site.id, kindFree, len(domains)); err != nil {
			return err
		}
		for _, domain := range domains {
			id := newID()
			_, err := tx.ExecContext(ctx, `INSERT INTO certificates (id, site_id, type, name, domain, brand, challenge, ready_at, created, updated)
				VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, id, site.id, kindFree, domain, domain, brand, newID(),
				s.readyAt(), s.clock(), s.clock())
			if err != nil {
				return fmt.Errorf("store an application: %w", err)
			}
			out.Result = append(out.Result, applied{Domain: domain, ID: id, Status: "Applying"})
		}
		out.SiteName, out.TotalCount = site.name, len(out.Result)
		return nil
	})
	return out, err
}

// readyAt is from when what is applied for now can be issued: the first whole
// second that is not before IssueAfter has passed, as the state keeps seconds.
func (s *Service) readyAt() int64 {
	return s.cfg.Now().Add(s.cfg.IssueAfter + time.Second - time.Nanosecond).Unix()
}

// applicable splits and checks the domains of an application.
func applicable(list, site, brand string) ([]string, error) {
	var domains []string
	for domain := range strings.SplitSeq(list, ",") {
		domain = strings.ToLower(strings.TrimSpace(domain))
		wildcard := strings.HasPrefix(domain, "*.")
		switch {
		case domain == "" || strings.ContainsAny(strings.TrimPrefix(domain, "*."), "* /:"):
			return nil, api.Errorf(400, "InvalidParameter.Domains", "Domains must be host names separated by commas; %q is none.", domain)
		case !within(domain, site):
			return nil, api.Errorf(400, "CertificateDomainNotMatchSite", "The domain %s is not of the site %s.", domain, site)
		case brand == digicertSingle && wildcard, brand == digicertWildcard && !wildcard:
			return nil, api.Errorf(400, "InvalidParameter.Domains", "The domain %s does not fit the certificate type %s.", domain, brand)
		}
		domains = append(domains, domain)
	}
	return domains, nil
}

// settle issues what has been applied for, as far as its time has come and its
// domain can be proven.
func (s *Service) settle(ctx context.Context, tx *sql.Tx) error {
	waiting, err := load(ctx, tx, `WHERE c.certificate = '' AND c.ready_at <= ?`, s.clock())
	if err != nil {
		return err
	}
	for _, c := range waiting {
		if c.waitsFor() != "" {
			continue
		}
		certificate, key, err := s.issue(ctx, tx, c.domain, time.Unix(c.readyAt, 0))
		if err != nil {
			return err
		}
		leaf, err := parseLeaf(certificate)
		if err != nil {
			return fmt.Errorf("read the issued certificate: %w", err)
		}
		if err := keep(ctx, tx, c.id, certificate, key, leaf, c.readyAt); err != nil {
			return err
		}
	}
	return nil
}

// waitsFor says what an application still needs; nothing when it can be issued.
func (c row) waitsFor() string {
	switch {
	case c.siteState != "active":
		return "The site is " + c.siteState + ": control of the domain cannot be checked before it is active."
	case strings.HasPrefix(c.domain, "*.") && c.siteAccess == "CNAME":
		return "A wildcard on a site with CNAME access needs the DNS record under DCV, or DCV delegation, at the external DNS."
	}
	return ""
}

// dcv is the proof of control that the application waits for.
func (c row) dcv() dcvModel {
	d := dcvModel{ID: c.id, Status: "pending", Value: c.challenge}
	if domain, wildcard := strings.CutPrefix(c.domain, "*."); wildcard {
		d.Type, d.Key = "DNS", "_acme-challenge."+domain
	} else {
		d.Type, d.Key = "HTTP", "http://"+domain+"/.well-known/acme-challenge/"+c.id
	}
	return d
}
