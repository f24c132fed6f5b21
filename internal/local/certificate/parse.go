package certificate

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"slices"
	"strings"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
)

// parsePair checks an uploaded chain and key, as CheckPair does, and that they are
// valid now, unless they are restored. The chain's first certificate is the one that
// counts.
func parsePair(ctx context.Context, certificate, key string, now time.Time) (*x509.Certificate, error) {
	leaf, err := CheckPair(certificate, key)
	if err != nil {
		return nil, err
	}
	if ctx.Value(restoring{}) == nil && (now.After(leaf.NotAfter) || now.Before(leaf.NotBefore)) {
		return nil, api.Errorf(400, "Certificate.StatusError", "The status of the certificate is invalid: it is valid from %s to %s.",
			leaf.NotBefore.UTC().Format(time.RFC3339), leaf.NotAfter.UTC().Format(time.RFC3339))
	}
	return leaf, nil
}

// CheckPair reads a chain and a key in PEM, which have to be of each other, and
// returns the chain's first certificate.
func CheckPair(certificate, key string) (*x509.Certificate, error) {
	leaf, err := parseLeaf(certificate)
	if err != nil {
		return nil, api.Errorf(400, "InvalidSSLPub", "The certificate is not a valid PEM certificate: %v.", err)
	}
	if block, _ := pem.Decode([]byte(key)); block == nil || !strings.HasSuffix(block.Type, "PRIVATE KEY") {
		return nil, api.Errorf(400, "InvalidSSLPri", "The private key is not a valid PEM private key.")
	}
	if _, err := tls.X509KeyPair([]byte(certificate), []byte(key)); err != nil {
		if strings.Contains(err.Error(), "does not match") {
			return nil, api.Errorf(400, "CertificateNotMatchPrivateKey", "The specified certificate does not match the private key.")
		}
		return nil, api.Errorf(400, "InvalidSSLPri", "The private key cannot be used: it must be an unencrypted RSA or EC key.")
	}
	return leaf, nil
}

func parseLeaf(certificate string) (*x509.Certificate, error) {
	block, _ := pem.Decode([]byte(certificate))
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, errNoPEM
	}
	return x509.ParseCertificate(block.Bytes)
}

type parseError string

func (e parseError) Error() string { return string(e) }

const errNoPEM = parseError("there is no CERTIFICATE block")

// names are the host names of a certificate.
func names(c *x509.Certificate) []string {
	if len(c.DNSNames) == 0 && c.Subject.CommonName != "" {
		return []string{c.Subject.CommonName}
	}
	return c.DNSNames
}

func namesExactly(c *x509.Certificate, host string) bool {
	return slices.ContainsFunc(names(c), func(name string) bool { return strings.EqualFold(name, host) })
}

// coversSite reports whether any name of the certificate is of the site.
func coversSite(c *x509.Certificate, site string) bool {
	return slices.ContainsFunc(names(c), func(name string) bool { return within(strings.ToLower(name), site) })
}

// within reports whether a name, or what a wildcard stands for, is the site or
// under it.
func within(name, site string) bool {
	name = strings.TrimPrefix(name, "*.")
	return name == site || strings.HasSuffix(name, "."+site)
}

func fingerprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return hex.EncodeToString(sum[:])
}

// facts are what the service tells of a certificate, under one set of names.
type facts struct {
	commonName, issuer, issuerCN, san, serial string
	fingerprint, notBefore, notAfter          string
	publicKey, signature                      string
}

func factsOf(c *x509.Certificate) facts {
	if c == nil {
		return facts{}
	}
	issuer := c.Issuer.CommonName
	if len(c.Issuer.Organization) > 0 {
		issuer = c.Issuer.Organization[0]
	}
	return facts{
		commonName: c.Subject.CommonName, issuer: issuer, issuerCN: c.Issuer.CommonName,
		san: strings.Join(names(c), ","), serial: hex.EncodeToString(c.SerialNumber.Bytes()),
		fingerprint: fingerprint(c), notBefore: stamp(c.NotBefore.Unix()), notAfter: stamp(c.NotAfter.Unix()),
		publicKey: c.PublicKeyAlgorithm.String(), signature: c.SignatureAlgorithm.String(),
	}
}

// leafModel is what answers say of a client's certificate: a visitor's, or that of
// the edge before an origin.
type leafModel struct {
	CommonName         string
	CreateTime         string
	FingerprintSha256  string
	ID                 string `json:"Id"`
	Issuer             string
	Name               string
	NotAfter           string
	NotBefore          string
	PubkeyAlgorithm    string
	SAN                string
	SerialNumber       string
	SignatureAlgorithm string
	Status             string // left to the caller
	Type               string
	UpdateTime         string
}

func modelOf(leaf *x509.Certificate, id, name string, created, updated int64) leafModel {
	f := factsOf(leaf)
	return leafModel{
		CommonName: f.commonName, CreateTime: stamp(created), FingerprintSha256: f.fingerprint, ID: id, Issuer: f.issuer, Name: name,
		NotAfter: f.notAfter, NotBefore: f.notBefore, PubkeyAlgorithm: f.publicKey, SAN: f.san, SerialNumber: f.serial,
		SignatureAlgorithm: f.signature, Type: kindUpload, UpdateTime: stamp(updated),
	}
}
