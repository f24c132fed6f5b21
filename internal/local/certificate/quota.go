package certificate

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/quota"
)

// ofKind is the condition for the kinds that share a quota: free ones, and those
// that the account brings.
func ofKind(kind string) string {
	if kind == kindFree {
		return `type = 'free'`
	}
	return `type <> 'free'`
}

// quotaOf is how many certificates of a kind the plan of a site allows.
func (s *Service) quotaOf(ctx context.Context, tx *sql.Tx, site int64, kind string) (int64, error) {
	of := quota.OwnCertificates
	if kind == kindFree {
		of = quota.FreeCertificates
	}
	n, err := s.cfg.Quotas.OfSite(ctx, tx, site, of)
	return int64(n), err
}

// checkQuota refuses more certificates than the plan of a site allows the account.
// Expired ones count too.
func (s *Service) checkQuota(ctx context.Context, tx *sql.Tx, site int64, kind string, more int) error {
	most, err := s.quotaOf(ctx, tx, site, kind)
	if err != nil {
		return err
	}
	var used int64
	if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM certificates WHERE `+ofKind(kind)).Scan(&used); err != nil {
		return fmt.Errorf("count the certificates: %w", err)
	}
	if used+int64(more) > most {
		return api.Errorf(400, "CertQuotaCheckFailed", "The certificate quota is used up: %d of %d.", used, most)
	}
	return nil
}

type siteUsage struct {
	SiteID    string `json:"SiteId"` // text, here alone
	SiteName  string
	SiteUsage int64
}

// quota answers GetCertificateQuota.
func (s *Service) quota(ctx context.Context, r *api.Request) (any, error) {
	kind := r.Params.String("Type")
	switch kind {
	case kindFree, kindUpload, kindCas:
	default:
		return nil, api.Errorf(400, "InvalidParameter.Type", "Type must be free, upload or cas.")
	}
	out := struct {
		Quota, QuotaUsage int64
		SiteCount         int
		SiteUsage         []siteUsage
		Type              string
	}{SiteUsage: []siteUsage{}, Type: kind}
	err := s.store.Tx(ctx, func(tx *sql.Tx) error {
		site, err := siteOf(ctx, tx, r.Params)
		if err != nil {
			return err
		}
		if out.Quota, err = s.quotaOf(ctx, tx, site.id, kind); err != nil {
			return err
		}
		rows, err := tx.QueryContext(ctx, `SELECT s.id, s.name, COUNT(*) FROM certificates JOIN sites s ON s.id = site_id
			WHERE `+ofKind(kind)+` GROUP BY s.id ORDER BY s.id`)
		if err != nil {
			return fmt.Errorf("count the certificates: %w", err)
		}
		defer rows.Close()
		for rows.Next() {
			var u siteUsage
			var id int64
			if err := rows.Scan(&id, &u.SiteName, &u.SiteUsage); err != nil {
				return fmt.Errorf("read a site's usage: %w", err)
			}
			u.SiteID = strconv.FormatInt(id, 10)
			out.QuotaUsage += u.SiteUsage
			out.SiteUsage = append(out.SiteUsage, u)
		}
		out.SiteCount = len(out.SiteUsage)
		return rows.Err()
	})
	return out, err
}
