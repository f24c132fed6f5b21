package site

import (
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"io"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
)

// assign gives a site what its access type needs: name servers, or the code
// that proves its ownership.
//
// The name servers and the CNAME zone that the local ESA hands out are under
// .localhost: they cannot be mistaken for ones that serve the public.
func (s *Service) assign(t *site) error {
	switch t.accessType {
	case accessNS:
		zone := s.store.Account().Hash + ".ns.localhost"
		t.nameServers, t.verifyCode = "male1-1."+zone+",female1-1."+zone, ""
	case accessCNAME:
		code := make([]byte, 16)
		if _, err := io.ReadFull(s.cfg.Random, code); err != nil {
			return fmt.Errorf("make a verification code: %w", err)
		}
		t.nameServers, t.verifyCode = "", "verify_"+hex.EncodeToString(code)
	default:
		return api.Errorf(400, "InvalidAccessType", "AccessType must be NS or CNAME.")
	}
	return nil
}

func checkCoverage(coverage string) error {
	switch coverage {
	case "domestic", "global", "overseas":
		return nil
	}
	return api.Errorf(400, "InvalidCoverage", "Coverage must be domestic, global or overseas.")
}

// updateAccessType answers UpdateSiteAccessType. A site keeps its status: its
// owner has been verified, or has not. The way to CNAME is open only when every
// record is one that a site with CNAME access may have, and without custom name
// servers.
func (s *Service) updateAccessType(ctx context.Context, r *api.Request) (any, error) {
	id, err := r.Params.Int("SiteId", 0)
	if err != nil {
		return nil, err
	}
	return nil, s.store.Tx(ctx, func(tx *sql.Tx) error {
		t, err := find(ctx, tx, id)
		if err != nil {
			return err
		}
		to := r.Params.String("AccessType")
		if to == t.accessType {
			return nil
		}
		t.accessType = to
		if err := s.assign(&t); err != nil {
			return err
		}
		if to == accessCNAME {
			if err := fitsCNAME(ctx, tx, t); err != nil {
				return err
			}
		}
		_, err = tx.ExecContext(ctx, `UPDATE sites SET access_type = ?, name_servers = ?, verify_code = ?, updated = ? WHERE id = ?`,
			t.accessType, t.nameServers, t.verifyCode, s.clock(), id)
		if err != nil {
			return fmt.Errorf("store the access type: %w", err)
		}
		return nil
	})
}

// fitsCNAME refuses the switch to CNAME access, naming what is in its way.
func fitsCNAME(ctx context.Context, tx *sql.Tx, t site) error {
	o, err := optionsOf(ctx, tx, t.id)
	if err != nil {
		return err
	}
	if len(o.vanityNS) > 0 {
		return api.Errorf(400, "Site.VanityNSExist", "Remove the custom name servers %s first.", strings.Join(o.vanityNS, ", "))
	}
	if o.paused {
		return api.Errorf(400, "Site.Paused", "The site is paused, which a site with CNAME access cannot be: resume it first.")
	}
	records, err := selectRecords(ctx, tx, `WHERE r.site_id = ? ORDER BY r.name, r.id`, t.id)
	if err != nil {
		return fmt.Errorf("list the site's records: %w", err)
	}
	var wrongType, unproxied []string
	for _, rec := range records {
		text := fmt.Sprintf("%s %s (%d)", rec.kind, rec.name, rec.id)
		switch {
		case !rec.webType():
			wrongType = append(wrongType, text)
		case !rec.proxied:
			unproxied = append(unproxied, text)
		}
	}
	if len(wrongType) > 0 {
		return api.Errorf(400, "InvalidParameter.CnameSiteRecordUnsupport",
			"A site with CNAME access takes A/AAAA and CNAME records only. In the way: %s.", strings.Join(wrongType, ", "))
	}
	if len(unproxied) > 0 {
		return api.Errorf(400, "InvalidParameter.CnameSiteRecordNoProxied",
			"Records of a site with CNAME access must be proxied. In the way: %s.", strings.Join(unproxied, ", "))
	}
	return nil
}

// updateCoverage answers UpdateSiteCoverage. There is no register of ICP filings
// to look into, so no coverage takes a local site offline.
func (s *Service) updateCoverage(ctx context.Context, r *api.Request) (any, error) {
	id, err := r.Params.Int("SiteId", 0)
	if err != nil {
		return nil, err
	}
	coverage := r.Params.String("Coverage")
	if err := checkCoverage(coverage); err != nil {
		return nil, err
	}
	return nil, s.store.Tx(ctx, func(tx *sql.Tx) error {
		if _, err := find(ctx, tx, id); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE sites SET coverage = ?, updated = ? WHERE id = ?`, coverage, s.clock(), id); err != nil {
			return fmt.Errorf("store the coverage: %w", err)
		}
		return nil
	})
}

// currentNS answers GetSiteCurrentNS: the name servers that the public DNS has
// for the domain.
func (s *Service) currentNS(ctx context.Context, r *api.Request) (any, error) {
	t, o, err := s.asked(ctx, r)
	if err != nil {
		return nil, err
	}
	out := struct{ NSList []string }{NSList: []string{}}
	if s.cfg.CurrentNS != nil {
		if out.NSList, err = s.cfg.CurrentNS(ctx, t.name); err != nil {
			return nil, fmt.Errorf("look up the name servers of %s: %w", t.name, err)
		}
		return out, nil
	}
	// Nobody is asked: an active site is one that was delegated.
	if t.accessType == accessNS && t.status == statusActive {
		out.NSList = effectiveNS(t, o)
	}
	return out, nil
}
