package certificate

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
)

// RestoreUpload puts a certificate into the account's certificate service, as
// the upload to a site does, and returns its id there. One that is there already
// stays.
func (s *Service) RestoreUpload(ctx context.Context, name, certificate, key string) (id int64, err error) {
	c := pair{name: name, pem: certificate, key: key}
	if c.leaf, err = parsePair(Restoring(ctx), certificate, key, s.cfg.Now()); err != nil {
		return 0, err
	}
	err = s.store.Tx(ctx, func(tx *sql.Tx) error {
		id, err = toCas(ctx, tx, c)
		return err
	})
	return id, err
}

type restoring struct{}

// Restoring returns a context whose calls take certificates that are no longer
// valid, as those that an account has become by and by.
func Restoring(ctx context.Context) context.Context { return context.WithValue(ctx, restoring{}, true) }

// RestoreClient gives a site a certificate of a visitor that some authority has
// signed.
func (s *Service) RestoreClient(ctx context.Context, siteID, name, certificate string, revoked bool) error {
	leaf, err := parseLeaf(certificate)
	if err != nil {
		return api.Errorf(400, "InvalidSSLPub", "The certificate is not a valid PEM certificate: %v.", err)
	}
	return s.store.Tx(ctx, func(tx *sql.Tx) error {
		site, err := siteOf(ctx, tx, api.Params{"SiteId": siteID})
		if err != nil {
			return err
		}
		c := clientRow{id: newID(), use: useClient, name: name, pem: certificate, leaf: leaf, created: s.clock(), updated: s.clock()}
		if err := s.insertClient(ctx, tx, site.id, c); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE client_certificates SET revoked = ? WHERE id = ?`, revoked, c.id); err != nil {
			return fmt.Errorf("store the certificate: %w", err)
		}
		return nil
	})
}
