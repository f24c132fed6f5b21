package guard_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local"
	"github.com/esa-mcp/esa-mcp/internal/local/certificate"
	"github.com/esa-mcp/esa-mcp/internal/local/quota"
)

// keyPair makes a certificate for a host that ends after a while, and its key.
func keyPair(t *testing.T, host string, lasts time.Duration) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: host}, DNSNames: []string{host},
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(lasts),
	}, &x509.Certificate{Subject: pkix.Name{CommonName: host}}, private.Public(), private)
	require.NoError(t, err)
	raw, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}))
}

// upload are the parameters of SetCertificate for a pair.
func (w *world) upload(cert, key string) params {
	return w.on(params{"Type": "upload", "Name": "mine", "Certificate": cert, "PrivateKey": key})
}

// fromFile marks the world's calls as those of a tool that read the key itself.
func (w *world) fromFile() { w.quiet = []string{"cert-key-path"} }

func quickly() local.Options {
	return local.Options{Certificate: certificate.Config{IssueAfter: -time.Second}}
}

func TestGuardrail_cert_not_automatic(t *testing.T) {
	prove(t, "cert-not-automatic", proof{
		setup: ns, options: quickly(),
		with: func(w *world) {
			made := w.goesThrough("CreateRecord", w.newRecord("a.shop.example", "A/AAAA", "203.0.113.1", nil))
			w.warned("No certificate covers a.shop.example", "UpdateRecord", params{"RecordId": made["RecordId"], "Proxied": true})
			w.goesThrough("UpdateRecord", params{"RecordId": made["RecordId"], "Comment": "it was proxied before"})
			w.warned("apply_certificate", "CreateRecord", w.newRecord("b.shop.example", "CNAME", "a.example.net", proxiedWeb))
			_, err := w.try("ApplyCertificate", w.on(params{"Domains": "*.shop.example", "Type": "lets_encrypt"}))
			require.NoError(w, err)
			require.Eventually(w, func() bool {
				list := w.do("ListCertificates", w.on(params{}))["Result"].([]any)
				return list[0].(map[string]any)["Status"] == "OK"
			}, time.Minute, 10*time.Millisecond)
			w.caller.Forget()
			w.goesThrough("CreateRecord", w.newRecord("c.shop.example", "CNAME", "a.example.net", proxiedWeb))
			w.warned("No certificate covers a.b.shop.example", "CreateRecord", w.newRecord("a.b.shop.example", "CNAME", "a.example.net", proxiedWeb))
		},
		without: func(w *world) {
			w.goesThrough("CreateRecord", w.newRecord("b.shop.example", "CNAME", "a.example.net", proxiedWeb))
			require.Empty(w, w.do("ListCertificates", w.on(params{}))["Result"], "and nobody said so")
		},
	})
}

func TestGuardrail_cert_wait(t *testing.T) {
	apply := func(w *world) params {
		return w.on(params{"Domains": "www.shop.example", "Type": "lets_encrypt"})
	}
	prove(t, "cert-wait", proof{
		setup: ns,
		with: func(w *world) {
			w.warned("1 to 5 minutes", "ApplyCertificate", apply(w))
			w.pending("later.really-mine.com", "NS")
			w.warned("The site is pending", "ApplyCertificate", w.on(params{"Domains": "www.later.really-mine.com", "Type": "lets_encrypt"}))
		},
		without: func(w *world) {
			made := w.goesThrough("ApplyCertificate", apply(w))["Result"].([]any)[0].(map[string]any)
			require.Equal(w, "Applying", made["Status"], "it is not there yet")
		},
	})
}

func TestGuardrail_cert_key_path(t *testing.T) {
	cert, key := keyPair(t, "shop.example", 24*time.Hour)
	dir := t.TempDir()
	certPath, keyPath := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	require.NoError(t, os.WriteFile(certPath, []byte(cert), 0o600))
	require.NoError(t, os.WriteFile(keyPath, []byte(key), 0o600))
	prove(t, "cert-key-path", proof{
		setup: ns,
		with: func(w *world) {
			w.refused("set_certificate reads it from a file", "SetCertificate", w.upload(cert, key))
			for _, action := range []string{"UploadSiteOriginClientCertificate", "UploadOriginClientCertificate"} {
				w.refused("upload_origin_client_cert reads it from a file", action, w.on(params{"Certificate": cert, "private_key": key}))
			}
			w.refused("in the ESA console", "CreateCustomHostname", w.on(params{"Hostname": "www.other.example", "PrivateKey": key}))
			_, err := w.tool("set_certificate", map[string]any{"site_name": "shop.example", "certificate_path": certPath, "key_path": keyPath})
			require.NoError(w, err, "the tool reads the file itself")
			_, err = w.tool("upload_origin_client_cert", map[string]any{"site_name": "shop.example", "certificate_path": certPath, "key_path": keyPath})
			require.NoError(w, err)
		},
		without: func(w *world) { w.goesThrough("SetCertificate", w.upload(cert, key)) },
	})
}

func TestGuardrail_cert_mismatch(t *testing.T) {
	cert, key := keyPair(t, "www.shop.example", 24*time.Hour)
	_, other := keyPair(t, "www.shop.example", 24*time.Hour)
	expired, expiredKey := keyPair(t, "www.shop.example", -time.Hour)
	foreign, foreignKey := keyPair(t, "www.example.org", 24*time.Hour)
	prove(t, "cert-mismatch", proof{
		setup: ns,
		with: func(w *world) {
			w.fromFile()
			w.refused("is not that of the certificate", "SetCertificate", w.upload(cert, other))
			w.refused("not now", "SetCertificate", w.upload(expired, expiredKey))
			w.refused("none of which is of the site", "SetCertificate", w.upload(foreign, foreignKey))
			w.refused("no PEM private key", "SetCertificate", w.upload(cert, "secret"))
			w.refused("does not begin with a PEM certificate", "SetCertificate", w.upload(key, key))
			for _, action := range []string{"UploadSiteOriginClientCertificate", "UploadOriginClientCertificate"} {
				w.refused("is not that of the certificate", action, w.on(params{"Certificate": cert, "PrivateKey": other}))
				w.goesThrough(action, w.on(params{"Name": "client", "Certificate": foreign, "PrivateKey": foreignKey}))
			}
			w.goesThrough("SetCertificate", w.upload(cert, key))
		},
		without: func(w *world) {
			w.fails("CertificateNotMatchPrivateKey", "SetCertificate", w.upload(cert, other))
			w.fails("CertificateDomainNotMatchSite", "SetCertificate", w.upload(foreign, foreignKey))
		},
	})
}

func TestGuardrail_cert_quota(t *testing.T) {
	cert, key := keyPair(t, "www.shop.example", 24*time.Hour)
	var ahead atomic.Int64 // of this machine's clock
	clock := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	prove(t, "cert-quota", proof{
		options: local.Options{Now: clock, Quotas: quota.Set{}.With(quota.OwnCertificates, 1).With(quota.FreeCertificates, 1)},
		setup: func(w *world) {
			ahead.Store(0)
			ns(w)
			w.fromFile()
			w.do("ApplyCertificate", w.on(params{"Domains": "www.shop.example", "Type": "lets_encrypt"}))
		},
		with: func(w *world) {
			w.refused("get_certificate_quota shows which", "ApplyCertificate", w.on(params{"Domains": "a.shop.example", "Type": "lets_encrypt"}))
			old, oldKey := keyPair(w.T, "old.shop.example", 5*time.Minute)
			made := w.goesThrough("SetCertificate", w.upload(old, oldKey))
			ahead.Store(int64(6 * time.Minute))
			list := w.do("ListCertificates", w.on(params{"Keyword": "old"}))["Result"].([]any)
			require.Equal(w, "Expired", list[0].(map[string]any)["Status"])
			w.caller.Forget()
			w.refused("delete_certificate: "+text(made["Id"])+" (old.shop.example)", "SetCertificate", w.upload(cert, key))
			again := w.upload(cert, key)
			again["Id"] = made["Id"]
			w.goesThrough("SetCertificate", again)
		},
		without: func(w *world) {
			w.fails("CertQuotaCheckFailed", "ApplyCertificate", w.on(params{"Domains": "a.shop.example", "Type": "lets_encrypt"}))
		},
	})
}

func TestGuardrail_cert_cname_wildcard(t *testing.T) {
	apply := func(w *world, domains string) params {
		return w.on(params{"Domains": domains, "Type": "lets_encrypt"})
	}
	prove(t, "cert-cname-wildcard", proof{
		setup: cname, options: quickly(),
		with: func(w *world) {
			w.warned("*.shop.example stays Applying", "ApplyCertificate", apply(w, "www.shop.example,*.shop.example"))
			w.goesThrough("ApplyCertificate", apply(w, "a.shop.example"))
			w.active("other.example", "NS")
			w.goesThrough("ApplyCertificate", apply(w, "*.other.example"))
		},
		without: func(w *world) {
			w.goesThrough("ApplyCertificate", apply(w, "*.shop.example"))
			list := w.do("ListCertificates", w.on(params{}))["Result"].([]any)
			require.Equal(w, "Applying", list[0].(map[string]any)["Status"])
		},
	})
}

func TestGuardrail_cert_cas_region(t *testing.T) {
	prove(t, "cert-cas-region", proof{
		options: local.Options{Certificate: certificate.Config{Region: "ap-southeast-1"}},
		setup: func(w *world) {
			ns(w)
			cert, key := keyPair(w.T, "www.shop.example", 24*time.Hour)
			w.do("DeleteCertificate", w.on(params{"Id": w.do("SetCertificate", w.upload(cert, key))["Id"]}))
		},
		with: func(w *world) {
			w.fixed("Region ap-southeast-1 was looked up", "SetCertificate", w.ofCas())
			p := w.ofCas()
			p["Region"] = "cn-hangzhou"
			w.fails("InvalidCertificate.NotFound", "SetCertificate", p)
		},
		without: func(w *world) { w.fails("InvalidCertificate.NotFound", "SetCertificate", w.ofCas()) },
	})
}

// ofCas are the parameters of SetCertificate for the only certificate of the
// certificate service.
func (w *world) ofCas() params {
	w.Helper()
	list := w.do("ListCasCertificates", params{})["Certificates"].([]any)
	return w.on(params{"Type": "cas", "CasId": list[0].(map[string]any)["Id"]})
}
