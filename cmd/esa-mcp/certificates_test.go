package main

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
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/esa"
	"github.com/esa-mcp/esa-mcp/internal/local"
	"github.com/esa-mcp/esa-mcp/tools"
)

// withSite is a server of the given toolsets over a local ESA with one active
// site, and a client past the tools.
func withSite(t *testing.T, toolsets, name, access string) (*server, *esa.Client) {
	t.Helper()
	return withSiteOver(t, local.Options{}, toolsets, name, access)
}

// withSiteOver is withSite with a say in how the local ESA runs.
func withSiteOver(t *testing.T, o local.Options, toolsets, name, access string) (*server, *esa.Client) {
	t.Helper()
	r := newRigOver(t, o)
	c, err := esa.New(esa.Config{Endpoint: r.info.Endpoint, Credentials: esa.StaticCredentials(r.info.AccessKeyID, r.info.AccessKeySecret, "")})
	require.NoError(t, err)
	plans, err := c.Call(t.Context(), "ListUserRatePlanInstances", nil)
	require.NoError(t, err)
	plan := plans.Body["InstanceInfo"].([]any)[0].(map[string]any)["InstanceId"]
	made, err := c.Call(t.Context(), "CreateSite", esa.Params{"SiteName": name, "AccessType": access, "Coverage": "overseas", "InstanceId": plan})
	require.NoError(t, err)
	_, err = c.Call(t.Context(), "VerifySite", esa.Params{"SiteId": made.Body["SiteId"]})
	require.NoError(t, err)
	return start(t, r.env, "--toolsets", toolsets), c
}

// pemPair writes a self-signed certificate and its key.
func pemPair(t *testing.T, days int, hosts ...string) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: hosts[0]}, DNSNames: hosts,
		NotBefore: time.Now().AddDate(0, 0, -10), NotAfter: time.Now().AddDate(0, 0, days),
	}, &x509.Certificate{Subject: pkix.Name{CommonName: hosts[0]}}, private.Public(), private)
	require.NoError(t, err)
	raw, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	dir := t.TempDir()
	certificate, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	require.NoError(t, os.WriteFile(certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	require.NoError(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}), 0o600))
	return certificate, key
}

func TestApplyForCertificates(t *testing.T) {
	t.Parallel()
	s, _ := withSite(t, "certificates", "shop.test", "NS")
	none := callOK[tools.CertificateList](t, s, "list_certificates", arguments{"site_name": "shop.test", "host": "www.shop.test"})
	require.Empty(t, none.Certificates)
	require.Equal(t, "cert-not-automatic", none.Notes[0].ID)

	out := callOK[tools.ApplyCertificateOutput](t, s, "apply_certificate",
		arguments{"site_name": "shop.test", "domains": []string{"WWW.shop.test", "*.shop.test"}, "wait": true})
	require.Len(t, out.Certificates, 2)
	for _, c := range out.Certificates {
		require.Equal(t, "OK", c.Status)
	}
	id := out.Certificates[0].ID
	list := callOK[tools.CertificateList](t, s, "list_certificates", arguments{"site_name": "shop.test", "keyword": "www"})
	require.Equal(t, 1, list.Total)
	require.Equal(t, []string{"www.shop.test"}, list.Certificates[0].Domains)
	covering := callOK[tools.CertificateList](t, s, "list_certificates", arguments{"site_name": "shop.test", "host": "www.shop.test"})
	require.Len(t, covering.Certificates, 2, "the name and the wildcard")
	one := callOK[tools.CertificateList](t, s, "list_certificates", arguments{"site_name": "shop.test", "id": id})
	require.Len(t, one.Certificates[0].Fingerprint, 64)
	quota := callOK[tools.CertificateQuotaOutput](t, s, "get_certificate_quota", arguments{"site_name": "shop.test"})
	require.Equal(t, int64(2), quota.Used)
	require.True(t, callOK[tools.DeletedCertificate](t, s, "delete_certificate", arguments{"site_name": "shop.test", "id": id}).Deleted)

	for want, args := range map[string]arguments{
		"not of the site":      {"site_name": "shop.test", "domains": []string{"www.example.com"}},
		"no host name":         {"site_name": "shop.test", "domains": []string{"https://shop.test/"}},
		"digicert_wildcard or": {"site_name": "shop.test", "domains": []string{"*.shop.test"}, "type": "digicert_single"},
		"domains":              {"site_name": "shop.test"},
		"Which site?":          {"domains": []string{"shop.test"}},
	} {
		require.Contains(t, s.refuse(t, "apply_certificate", args), want)
	}
	require.Contains(t, s.refuse(t, "delete_certificate", arguments{"site_name": "shop.test", "id": id}), "list_certificates")
	require.Contains(t, s.refuse(t, "list_certificates", arguments{"site_name": "shop.test", "id": "x", "host": "y"}), "exclude")
}

func TestWildcardOnCnameSiteIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	s, _ := withSite(t, "certificates", "shop.test", "CNAME")
	out := callOK[tools.ApplyCertificateOutput](t, s, "apply_certificate",
		arguments{"site_name": "shop.test", "domains": []string{"*.shop.test"}, "wait": true})
	require.Equal(t, "Applying", out.Certificates[0].Status)
	require.Equal(t, "cert-cname-wildcard", out.Notes[0].ID)
}

func TestSetCertificateFromFiles(t *testing.T) {
	t.Parallel()
	s, c := withSite(t, "certificates", "shop.test", "NS")
	cert, key := pemPair(t, 90, "shop.test", "www.shop.test")
	_, otherKey := pemPair(t, 90, "shop.test")
	expired, expiredKey := pemPair(t, -1, "shop.test")
	foreign, foreignKey := pemPair(t, 90, "example.com")
	keyText, err := os.ReadFile(key)
	require.NoError(t, err)
	set := func(cert, key string) arguments {
		return arguments{"site_name": "shop.test", "certificate_path": cert, "key_path": key}
	}
	for want, args := range map[string]arguments{
		"is not that of the certificate": set(cert, otherKey),
		"not now":                        set(expired, expiredKey),
		"none of which is of the site":   set(foreign, foreignKey),
		"does not exist":                 set("/nonexistent/cert.pem", key),
		"does not begin with a PEM":      set(key, key),
		"holds no PEM private key":       set(cert, cert),
		"cert-key-path":                  set(cert, string(keyText)),
		"not a regular file":             set(cert, t.TempDir()),
		"give both":                      {"site_name": "shop.test", "certificate_path": cert},
		"Give either":                    {"site_name": "shop.test"},
	} {
		text := s.refuse(t, "set_certificate", args)
		require.Contains(t, text, want)
		require.NotContains(t, text, string(keyText)[40:80])
	}
	sent, err := c.Call(t.Context(), "ListCasCertificates", nil)
	require.NoError(t, err)
	require.Empty(t, sent.Body["Certificates"], "nothing was sent")

	out := callOK[tools.SetCertificateOutput](t, s, "set_certificate", set(cert, key))
	require.Equal(t, []string{"shop.test", "www.shop.test"}, out.Domains)
	again := callOK[tools.SetCertificateOutput](t, s, "set_certificate", set(cert, key))
	require.True(t, again.Already)
	require.Equal(t, out.ID, again.ID)
	newer, newerKey := pemPair(t, 200, "shop.test")
	args := set(newer, newerKey)
	args["id"] = out.ID
	require.Equal(t, out.ID, callOK[tools.SetCertificateOutput](t, s, "set_certificate", args).ID)

	list := callOK[tools.CertificateList](t, s, "list_certificates", arguments{"site_name": "shop.test"})
	require.Equal(t, 1, list.Total)
	cas := list.Certificates[0].CasID
	callOK[tools.DeletedCertificate](t, s, "delete_certificate", arguments{"site_name": "shop.test", "id": out.ID})
	from := callOK[tools.SetCertificateOutput](t, s, "set_certificate", arguments{"site_name": "shop.test", "cas_id": cas})
	require.Equal(t, "cert-cas-region", from.Notes[0].ID)
	require.Contains(t, s.refuse(t, "set_certificate", arguments{"site_name": "shop.test", "cas_id": "7"}), "has no certificate 7")
}

func TestOriginClientCertificates(t *testing.T) {
	t.Parallel()
	s, _ := withSite(t, "certificates", "shop.test", "NS")
	cert, key := pemPair(t, 90, "client.internal")
	_, otherKey := pemPair(t, 90, "client.internal")
	site := func(more arguments) arguments {
		more["site_name"] = "shop.test"
		return more
	}
	whole := callOK[tools.OriginCertOutput](t, s, "upload_origin_client_cert", site(arguments{"certificate_path": cert, "key_path": key}))
	require.Equal(t, "origin_site", whole.Kind)
	require.Equal(t, "OK", whole.Status)
	some := callOK[tools.OriginCertOutput](t, s, "upload_origin_client_cert",
		site(arguments{"certificate_path": cert, "key_path": key, "hostnames": []string{"API.shop.test"}}))
	require.Equal(t, []string{"api.shop.test"}, some.Hostnames)

	list := callOK[tools.CertificateList](t, s, "list_certificates", site(arguments{"kind": "origin_hosts"}))
	require.Equal(t, some.ID, list.Certificates[0].ID)
	hosts := callOK[tools.SetOriginCertHostsOutput](t, s, "set_origin_client_cert_hosts",
		site(arguments{"id": some.ID, "hostnames": []string{"shop.test"}}))
	require.Equal(t, []string{"shop.test"}, hosts.Hostnames)
	one := callOK[tools.CertificateList](t, s, "list_certificates", site(arguments{"kind": "origin_hosts", "id": some.ID}))
	require.Equal(t, []string{"shop.test"}, one.Certificates[0].Hostnames)
	require.True(t, callOK[tools.DeletedCertificate](t, s, "delete_certificate", site(arguments{"kind": "origin_site", "id": whole.ID})).Deleted)
	require.Empty(t, callOK[tools.CertificateList](t, s, "list_certificates", site(arguments{"kind": "origin_site"})).Certificates)

	require.Contains(t, s.refuse(t, "delete_certificate", site(arguments{"kind": "origin_site", "id": some.ID})), "each kind by itself")
	require.Contains(t, s.refuse(t, "upload_origin_client_cert", site(arguments{"certificate_path": cert, "key_path": otherKey})), "cert-mismatch")
	require.Contains(t, s.refuse(t, "upload_origin_client_cert", site(arguments{"certificate_path": cert, "key_path": key,
		"hostnames": []string{"example.com"}})), "no host name of the site")
	require.Contains(t, s.refuse(t, "set_origin_client_cert_hosts", site(arguments{"id": some.ID, "hostnames": []string{"*.shop.test"}})), "wildcards")
	require.Contains(t, s.refuse(t, "upload_origin_client_cert", arguments{"site_id": "1", "certificate_path": cert, "key_path": key}), "site")
}
