package certificate

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
)

type hostnamesModel struct {
	Hostnames []string
	ID        string `json:"Id"`
	SiteID    int64  `json:"SiteId"`
	SiteName  string
}

// getHostnames answers GetOriginClientCertificateHostnames.
func (s *Service) getHostnames(ctx context.Context, r *api.Request) (any, error) {
	site, c, err := oneOrigin(ctx, s.store.DB(), r.Params, false)
	if err != nil {
		return nil, err
	}
	return hostnamesModel{c.hostnames, c.id, site.id, site.name}, nil
}

// setHostnames answers SetOriginClientCertificateHostnames, which replaces the
// list. A host name has one certificate at most: it leaves the one it had.
func (s *Service) setHostnames(ctx context.Context, r *api.Request) (any, error) {
	var hostnames []string
	sent, err := r.Params.JSON("Hostnames", &hostnames)
	if err != nil {
		return nil, err
	}
	if !sent || hostnames == nil {
		return nil, api.Errorf(400, "MissingHostnames", "Hostnames is mandatory for this action.")
	}
	var out hostnamesModel
	err = s.store.Tx(ctx, func(tx *sql.Tx) error {
		site, c, err := oneOrigin(ctx, tx, r.Params, false)
		if err != nil {
			return err
		}
		if hostnames, err = hostnamesOf(hostnames, site); err != nil {
			return err
		}
		others, err := loadOrigin(ctx, tx, `WHERE site_id = ? AND whole_site = 0 AND id <> ?`, site.id, c.id)
		if err != nil {
			return err
		}
		for _, o := range others {
			left := slices.DeleteFunc(slices.Clone(o.hostnames), func(h string) bool { return slices.Contains(hostnames, h) })
			if len(left) < len(o.hostnames) {
				if err := s.storeHostnames(ctx, tx, o.id, left); err != nil {
					return err
				}
			}
		}
		out = hostnamesModel{hostnames, c.id, site.id, site.name}
		return s.storeHostnames(ctx, tx, c.id, hostnames)
	})
	return out, err
}

func (s *Service) storeHostnames(ctx context.Context, tx *sql.Tx, id string, hostnames []string) error {
	text, err := json.Marshal(hostnames)
	if err != nil {
		return fmt.Errorf("encode the host names: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `UPDATE origin_client_certificates SET hostnames = ?, updated = ? WHERE id = ?`, text, s.clock(), id); err != nil {
		return fmt.Errorf("store the host names: %w", err)
	}
	return nil
}
