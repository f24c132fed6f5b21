package certificate

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
)

func TestClientCertificates(t *testing.T) {
	b := newBench(t, Config{})
	site := b.site("a.example", "NS")
	of := func(more ...string) api.Params {
		p := api.Params{"SiteId": site}
		for i := 0; i < len(more); i += 2 {
			p[more[i]] = more[i+1]
		}
		return p
	}
	made := b.Must("CreateClientCertificate", of("PkeyType", "ECDSA", "ValidityDays", "30"))
	require.Contains(t, made["PrivateKey"], "PRIVATE KEY")
	require.Equal(t, "active", made["Status"])
	id := made["Id"].(string)
	leaf, err := parseLeaf(made["Certificate"].(string))
	require.NoError(t, err)
	require.Equal(t, b.Now.AddDate(0, 0, 30).Unix(), leaf.NotAfter.Unix())

	// From a CSR: the key stays with its owner.
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: "phone"}}, key)
	require.NoError(t, err)
	csr := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}))
	signed := b.Must("CreateClientCertificate", of("CSR", csr, "ValidityDays", "30"))
	require.Equal(t, "phone", signed["CommonName"])
	require.Nil(t, signed["PrivateKey"])
	require.Len(t, b.Must("ListClientCertificates", of())["Result"], 2)

	_, code := b.call("DeleteClientCertificate", of("Id", id))
	require.Equal(t, "Certificate.StatusError", code)
	b.Must("RevokeClientCertificate", of("Id", id))
	require.Equal(t, "revoked", b.Must("GetClientCertificate", of("Id", id))["Status"])
	b.Must("ActivateClientCertificate", of("Id", id))
	require.Equal(t, "active", b.Must("GetClientCertificate", of("Id", id))["Status"])
	b.Must("RevokeClientCertificate", of("Id", id))
	b.Must("DeleteClientCertificate", of("Id", id))
	_, code = b.call("GetClientCertificate", of("Id", id))
	require.Equal(t, "Certificate.NotFound", code)

	b.Must("SetClientCertificateHostnames", of("Hostnames", `["WWW.a.example"]`))
	require.Equal(t, []any{"www.a.example"}, b.Must("GetClientCertificateHostnames", of())["Hostnames"])
	for code, p := range map[string]api.Params{
		"InvalidParameter.ValidityDays": of("ValidityDays", "0"),
		"InvalidParameter.PkeyType":     of("ValidityDays", "1", "PkeyType", "DSA"),
		"InvalidParameter.CSR":          of("ValidityDays", "1", "CSR", "x"),
	} {
		_, got := b.call("CreateClientCertificate", p)
		require.Equal(t, code, got)
	}
	require.NotEmpty(t, b.Must("GetDcvDelegation", of())["DelegationDomain"])
}

func TestAuthoritiesOfClientsAndOrigins(t *testing.T) {
	b := newBench(t, Config{})
	site := b.site("a.example", "NS")
	ca, _, err := sign(&x509.Certificate{Subject: pkix.Name{CommonName: "CA"}, NotBefore: b.Now.Add(-time.Hour), NotAfter: b.Now.AddDate(1, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}, nil)
	require.NoError(t, err)
	for _, use := range []string{"ClientCa", "OriginCa"} {
		upload := api.Params{"SiteId": site, "Certificate": ca, "Name": "n"}
		id := b.Must("Upload"+use+"Certificate", upload)["Id"].(string)
		_, code := b.call("Upload"+use+"Certificate", upload)
		require.Equal(t, "Certificate.Duplicated", code)
		_, code = b.call("Upload"+use+"Certificate", api.Params{"SiteId": site, "Certificate": "x"})
		require.Equal(t, "InvalidSSLPub", code)
		one := api.Params{"SiteId": site, "Id": id}
		require.Equal(t, ca, b.Must("Get"+use+"Certificate", one)["Certificate"])
		require.Len(t, b.Must("List"+use+"Certificates", api.Params{"SiteId": site})["Result"], 1)
		if use == "ClientCa" {
			b.Must("SetClientCaCertificateHostnames", api.Params{"SiteId": site, "Id": id, "Hostnames": `["a.example"]`})
			require.Equal(t, []any{"a.example"}, b.Must("GetClientCaCertificateHostnames", one)["Hostnames"])
		}
		b.Must("Delete"+use+"Certificate", one)
		require.Empty(t, b.Must("List"+use+"Certificates", api.Params{"SiteId": site})["Result"])
	}
}
