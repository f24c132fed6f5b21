package certificate

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"database/sql"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"time"
)

const freeValidity = 90 * 24 * time.Hour

// authority returns the state's certificate authority, which the first call
// makes. It is one of its own, so it stands in no trust store.
func (s *Service) authority(ctx context.Context, tx *sql.Tx) (tls.Certificate, error) {
	var certificate, key string
	err := tx.QueryRowContext(ctx, `SELECT certificate, private_key FROM local_ca`).Scan(&certificate, &key)
	if errors.Is(err, sql.ErrNoRows) {
		now := s.cfg.Now()
		certificate, key, err = sign(&x509.Certificate{
			Subject:   pkix.Name{Organization: []string{"Local ESA"}, CommonName: "Local ESA CA " + s.store.Account().Hash},
			NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(10, 0, 0),
			IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		}, nil)
		if err != nil {
			return tls.Certificate{}, fmt.Errorf("make the local certificate authority: %w", err)
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO local_ca (only, certificate, private_key) VALUES (1, ?, ?)`, certificate, key)
	}
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("load the local certificate authority: %w", err)
	}
	return tls.X509KeyPair([]byte(certificate), []byte(key))
}

// issue makes a certificate for one domain, or one address; the authority's follows it in the
// chain.
func (s *Service) issue(ctx context.Context, tx *sql.Tx, domain string, from time.Time) (certificate, key string, err error) {
	ca, err := s.authority(ctx, tx)
	if err != nil {
		return "", "", err
	}
	template := &x509.Certificate{
		Subject:   pkix.Name{CommonName: domain},
		DNSNames:  []string{domain},
		NotBefore: from.Add(-time.Hour), NotAfter: from.Add(freeValidity),
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if ip := net.ParseIP(domain); ip != nil {
		template.DNSNames, template.IPAddresses = nil, []net.IP{ip}
	}
	certificate, key, err = sign(template, &ca)
	if err != nil {
		return "", "", fmt.Errorf("issue a certificate for %s: %w", domain, err)
	}
	return certificate + encode("CERTIFICATE", ca.Leaf.Raw), key, nil
}

// Authority returns the certificate of the state's authority as PEM, for clients
// to trust.
func (s *Service) Authority(ctx context.Context) (string, error) {
	var text string
	err := s.store.Tx(ctx, func(tx *sql.Tx) error {
		ca, err := s.authority(ctx, tx)
		if err != nil {
			return err
		}
		text = encode("CERTIFICATE", ca.Certificate[0])
		return nil
	})
	return text, err
}

// IssueFor makes a certificate for names that belong to no site, such as default
// domains, or for an address. It is not kept.
func (s *Service) IssueFor(ctx context.Context, domain string) (*tls.Certificate, error) {
	var pair tls.Certificate
	err := s.store.Tx(ctx, func(tx *sql.Tx) error {
		certificate, key, err := s.issue(ctx, tx, domain, s.cfg.Now())
		if err != nil {
			return err
		}
		pair, err = tls.X509KeyPair([]byte(certificate), []byte(key))
		return err
	})
	return &pair, err
}

// sign makes a key and a certificate for it, signed by ca or by itself.
func sign(template *x509.Certificate, ca *tls.Certificate) (certificate, key string, err error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", "", err
	}
	return signKey(template, private, ca)
}

// signKey makes a certificate for a key.
func signKey(template *x509.Certificate, private crypto.Signer, ca *tls.Certificate) (certificate, key string, err error) {
	parent, signer := template, any(private)
	if ca != nil {
		parent, signer = ca.Leaf, ca.PrivateKey
	}
	if certificate, err = signPublic(template, private.Public(), parent, signer); err != nil {
		return "", "", err
	}
	rawKey, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return "", "", err
	}
	return certificate, encode("PRIVATE KEY", rawKey), nil
}

// signPublic makes a certificate for a key of which only the public half is here.
func signPublic(template *x509.Certificate, public crypto.PublicKey, parent *x509.Certificate, signer any) (string, error) {
	var err error
	if template.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120)); err != nil {
		return "", err
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, signer)
	if err != nil {
		return "", err
	}
	return encode("CERTIFICATE", der), nil
}

func encode(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}
