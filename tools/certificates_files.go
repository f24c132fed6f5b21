package tools

import (
	"crypto/x509"
	"io"
	"os"
	"strings"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/guard"
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
	if p.leaf, err = guard.ReadKeyPair(certificate, key, now); err != nil {
		return keyPair{}, Refuse("cert-mismatch: certificate_path %s, key_path %s: %v. Nothing was sent.", certificatePath, keyPath, err)
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

func timeText(t time.Time) string { return t.UTC().Format(time.RFC3339) }
