package certificate

import (
	"context"
	"crypto/tls"
	"database/sql"
	"errors"
	"fmt"
)

// ofCustomHostname is the certificate of a verified custom host name, by its CertType:
// one of the local authority, which is not kept, the one that came with it, or one of
// the certificate service. It is nil if there is none.
func (s *Service) ofCustomHostname(ctx context.Context, tx *sql.Tx, host string) (*tls.Certificate, error) {
	var kind, certificate, key string
	var cas int64
	err := tx.QueryRowContext(ctx, `SELECT json_extract(fields, '$.CertType'), coalesce(json_extract(fields, '$.Certificate'), ''),
			coalesce(json_extract(fields, '$.PrivateKey'), ''), coalesce(json_extract(fields, '$.CasId'), 0)
		FROM resources WHERE kind = 'CustomHostname' AND lower(name) = ? AND json_extract(fields, '$.Status') = 'active'
			AND json_extract(fields, '$.SslFlag') = 'on' AND json_extract(fields, '$.CertStatus') = 'OK'`, host).Scan(&kind, &certificate, &key, &cas)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look up the custom host name %s: %w", host, err)
	}
	switch kind {
	case "free":
		certificate, key, err = s.issue(ctx, tx, host, s.cfg.Now())
	case "cas":
		var found pair
		if found, err = casPair(ctx, tx, cas); errors.Is(err, sql.ErrNoRows) {
			return nil, nil
		}
		certificate, key = found.pem, found.key
	}
	if err != nil {
		return nil, fmt.Errorf("find the certificate of the custom host name %s: %w", host, err)
	}
	pair, err := tls.X509KeyPair([]byte(certificate), []byte(key))
	if err != nil {
		return nil, fmt.Errorf("read the certificate of the custom host name %s: %w", host, err)
	}
	return &pair, nil
}
