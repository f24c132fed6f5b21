package tools

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"os"
	"strings"
	"time"
)

// maxPEM bounds a certificate or key file, in bytes.
const maxPEM = 1 << 20

// keyPair is what two files hold. The key goes to ESA and nowhere else.
type keyPair struct {
	certificate, key string
	leaf             *x509.Certificate
}

// readPair reads a certificate chain and its key, and refuses what ESA would
// refuse later: unreadable, of two different pairs, or not valid now. No error
// tells anything of the key's text.
func readPair(certificatePath, keyPath string, now time.Time) (keyPair, error) {
	if certificatePath == "" || keyPath == "" {
		return keyPair{}, Refuse("certificate_path and key_path belong together: give both.")
	}
	certificate, err := readPEM("certificate_path", certificatePath)
	if err != nil {
		return keyPair{}, err
	}
	key, err := readPEM("key_path", keyPath)
	if err != nil {
		return keyPair{}, err
	}
	p := keyPair{certificate: certificate, key: key}
	block, _ := pem.Decode([]byte(certificate))
	if block == nil || block.Type != "CERTIFICATE" {
		return keyPair{}, Refuse("certificate_path %s does not begin with a PEM certificate (-----BEGIN CERTIFICATE-----).", certificatePath)
	}
	if p.leaf, err = x509.ParseCertificate(block.Bytes); err != nil {
		return keyPair{}, Refuse("certificate_path %s is not a readable X.509 certificate: %v", certificatePath, err)
	}
	if !strings.Contains(key, "PRIVATE KEY-----") {
		return keyPair{}, Refuse("key_path %s holds no PEM private key.", keyPath)
	}
	if _, err := tls.X509KeyPair([]byte(certificate), []byte(key)); err != nil {
		if strings.Contains(err.Error(), "does not match") {
			return keyPair{}, Refuse("cert-mismatch: the key in %s is not that of the certificate in %s. The leaf certificate has to come first. Nothing was sent.",
				keyPath, certificatePath)
		}
		return keyPair{}, Refuse("key_path %s cannot be used: it has to be an RSA or EC private key without a password.", keyPath)
	}
	if now.Before(p.leaf.NotBefore) || now.After(p.leaf.NotAfter) {
		return keyPair{}, Refuse("cert-mismatch: the certificate is valid from %s to %s, not now. Nothing was sent.",
			timeText(p.leaf.NotBefore), timeText(p.leaf.NotAfter))
	}
	return p, nil
}

// readPEM reads a small text file that an argument names.
func readPEM(argument, path string) (string, error) {
	if strings.Contains(path, "-----BEGIN") {
		return "", Refuse("cert-key-path: %s takes the path of a file, never its text. If a private key was given here, it should be replaced: it has been seen.", argument)
	}
	f, err := os.Open(path)
	if err != nil {
		return "", pathError(path, err)
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return "", Refuse("%s %s is not a regular file.", argument, path)
	}
	raw, err := io.ReadAll(io.LimitReader(f, maxPEM+1))
	if err != nil {
		return "", pathError(path, err)
	}
	if len(raw) > maxPEM {
		return "", Refuse("%s %s is larger than 1 MiB: it is no certificate or key.", argument, path)
	}
	return string(raw), nil
}

// hostsOf are the host names that a certificate is for.
func hostsOf(c *x509.Certificate) []string {
	if len(c.DNSNames) == 0 && c.Subject.CommonName != "" {
		return []string{c.Subject.CommonName}
	}
	return c.DNSNames
}

func timeText(t time.Time) string { return t.UTC().Format(time.RFC3339) }
