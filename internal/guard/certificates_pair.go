package guard

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"time"
)

// ReadKeyPair reads a certificate chain and its key, both PEM, and refuses what
// ESA would refuse later: unreadable, of two different pairs, or not valid now.
// It returns the leaf. No error tells anything of the key's text.
func ReadKeyPair(certificate, key string, now time.Time) (*x509.Certificate, error) {
	block, _ := pem.Decode([]byte(certificate))
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, errors.New("the certificate does not begin with a PEM certificate (-----BEGIN CERTIFICATE-----)")
	}
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("the certificate is not a readable X.509 certificate: %w", err)
	}
	if !strings.Contains(key, "PRIVATE KEY-----") {
		return nil, errors.New("the key holds no PEM private key")
	}
	if _, err := tls.X509KeyPair([]byte(certificate), []byte(key)); err != nil {
		if strings.Contains(err.Error(), "does not match") {
			return nil, errors.New("the key is not that of the certificate; the leaf certificate has to come first")
		}
		return nil, errors.New("the key cannot be used: it has to be an RSA or EC private key without a password")
	}
	if now.Before(leaf.NotBefore) || now.After(leaf.NotAfter) {
		return nil, fmt.Errorf("the certificate is valid from %s to %s, not now",
			leaf.NotBefore.UTC().Format(time.RFC3339), leaf.NotAfter.UTC().Format(time.RFC3339))
	}
	return leaf, nil
}

// CertificateHosts are the host names that a certificate is for.
func CertificateHosts(c *x509.Certificate) []string {
	if len(c.DNSNames) == 0 && c.Subject.CommonName != "" {
		return []string{c.Subject.CommonName}
	}
	return c.DNSNames
}
