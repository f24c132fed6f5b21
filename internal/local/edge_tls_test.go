package local

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// secure sends a GET over HTTPS as a browser that trusts the local authority,
// and returns the error of the handshake.
func (b *shop) secure(address string, change func(*tls.Config)) (answer, *tls.ConnectionState, error) {
	b.t.Helper()
	text, err := os.ReadFile(b.info.CAFile)
	require.NoError(b.t, err)
	roots := x509.NewCertPool()
	require.True(b.t, roots.AppendCertsFromPEM(text))
	config := &tls.Config{RootCAs: roots}
	if change != nil {
		change(config)
	}
	at := strings.TrimPrefix(b.info.EdgeTLS, "https://")
	transport := &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true, DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, at)
		}}
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, address, nil)
	require.NoError(b.t, err)
	res, err := transport.RoundTrip(r)
	if err != nil {
		return answer{}, nil, err
	}
	state := res.TLS
	res.Body.Close()
	u, err := url.Parse(address)
	require.NoError(b.t, err)
	require.NotEmpty(b.t, u.Host)
	return b.roundTrip(transport, r), state, nil
}

// certify applies for certificates and waits until they are issued.
func (b *shop) certify(domains string) {
	b.t.Helper()
	made := b.call("ApplyCertificate", map[string]any{"Domains": domains, "Type": "lets_encrypt"})
	for _, one := range made["Result"].([]any) {
		id := one.(map[string]any)["Id"]
		require.Eventually(b.t, func() bool {
			return b.call("GetCertificate", map[string]any{"Id": id})["Status"] == "OK"
		}, time.Minute, 50*time.Millisecond)
	}
}

func TestEdgeHTTPS(t *testing.T) {
	b := newShop(t, Options{OpenDefaultDomain: true})
	to := b.origin(echo)
	b.record("www.shop.example", to)
	b.record("bare.shop.example", to)
	b.rule("OriginRule", "true", map[string]any{"OriginScheme": "http"})
	b.rule("HttpsApplicationConfiguration", "true", map[string]any{"HttpsForce": "on", "Hsts": "on", "HstsMaxAge": "100", "HstsIncludeSubdomains": "on"})
	_, _, err := b.secure("https://www.shop.example/", nil)
	require.ErrorContains(t, err, "unrecognized name", "no certificate covers it yet")

	b.certify("www.shop.example")
	got, state, err := b.secure("https://www.shop.example/a", nil)
	require.NoError(t, err)
	require.Equal(t, "https", got.seen(t).Header.Get("X-Forwarded-Proto"))
	require.Equal(t, "max-age=100; includeSubDomains", got.header.Get("Strict-Transport-Security"))
	require.Equal(t, "h2", state.NegotiatedProtocol)
	require.Equal(t, []string{"www.shop.example"}, state.PeerCertificates[0].DNSNames)
	_, _, err = b.secure("https://bare.shop.example/", nil)
	require.ErrorContains(t, err, "unrecognized name")
	_, _, err = b.secure("https://other.example/", nil)
	require.ErrorContains(t, err, "unrecognized name")

	edge := strings.TrimPrefix(b.info.EdgeTLS, "https://127.0.0.1:")
	require.Equal(t, "https://www.shop.example:"+edge+"/x?y", b.get("http://www.shop.example:8080/x?y").header.Get("Location"), "to the edge's own port")
	require.Equal(t, "https://www.shop.example/x", b.get("http://www.shop.example/x").header.Get("Location"))

	must(t, b.info, "CreateRoutine", map[string]any{"Name": "hello", "HasAssets": true})
	deploy(t, b.info, "hello", []byte("page"))
	host := must(t, b.info, "GetRoutine", map[string]any{"Name": "hello"})["DefaultRelatedRecord"].(string)
	got, _, err = b.secure("https://"+host+"/", nil)
	require.NoError(t, err)
	require.Equal(t, "page", got.body)
}

func TestEdgeHTTPSSettings(t *testing.T) {
	b := newShop(t, Options{})
	to := b.origin(echo)
	b.record("*.shop.example", to)
	b.rule("OriginRule", "true", map[string]any{"OriginScheme": "http"})
	b.certify("*.shop.example")
	for host, settings := range map[string]map[string]any{
		"off": {"Https": "off"}, "http1": {"Http2": "off"}, "old": {"Tls10": "on", "Tls13": "off"}, "new": {"Tls12": "off"},
	} {
		b.rule("HttpsBasicConfiguration", `(http.host eq "`+host+`.shop.example")`, settings)
	}
	at := func(version uint16) func(*tls.Config) {
		return func(c *tls.Config) { c.MinVersion, c.MaxVersion = version, version }
	}
	_, _, err := b.secure("https://off.shop.example/", nil)
	require.Error(t, err)
	_, state, err := b.secure("https://http1.shop.example/", nil)
	require.NoError(t, err)
	require.Equal(t, "http/1.1", state.NegotiatedProtocol)
	_, state, err = b.secure("https://old.shop.example/", nil)
	require.NoError(t, err)
	require.EqualValues(t, tls.VersionTLS12, state.Version)
	_, _, err = b.secure("https://old.shop.example/", at(tls.VersionTLS11))
	require.NoError(t, err)
	_, _, err = b.secure("https://any.shop.example/", at(tls.VersionTLS11))
	require.Error(t, err, "off by default")
	_, _, err = b.secure("https://new.shop.example/", at(tls.VersionTLS12))
	require.Error(t, err)
}

func TestEdgeShowsUploadedCertificates(t *testing.T) {
	b := newShop(t, Options{})
	b.record("www.shop.example", b.origin(echo))
	b.rule("OriginRule", "true", map[string]any{"OriginScheme": "http"})
	certificate, key := selfSigned(t, "www.shop.example", "www.elsewhere.example")
	b.call("SetCertificate", map[string]any{"Type": "upload", "Name": "own", "Certificate": certificate, "PrivateKey": key})
	trusting := func(c *tls.Config) { c.InsecureSkipVerify = true }
	_, state, err := b.secure("https://www.shop.example/", trusting)
	require.NoError(t, err)
	require.Equal(t, "own", state.PeerCertificates[0].Subject.CommonName)
	must(t, b.info, "VerifySite", map[string]any{"SiteId": b.site("elsewhere.example", "NS")})
	_, _, err = b.secure("https://www.elsewhere.example/", trusting)
	require.ErrorContains(t, err, "unrecognized name", "a certificate is for its own site")
}

func TestEdgeShowsItselfToOrigins(t *testing.T) {
	b := newShop(t, Options{})
	origin := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.TLS.PeerCertificates) > 0 {
			w.Header().Set("X-Client", r.TLS.PeerCertificates[0].Subject.CommonName)
		}
		echo(w, r)
	}))
	origin.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	origin.StartTLS()
	t.Cleanup(origin.Close)
	b.record("www.shop.example", nil)
	b.rule("OriginRule", "true", map[string]any{"OriginScheme": "https", "OriginHttpsPort": portOf(t, origin.URL), "OriginMtls": "on"})
	require.Empty(t, b.get("http://www.shop.example/").header.Get("X-Client"))
	certificate, key := selfSigned(t, "edge.shop.example")
	b.call("UploadSiteOriginClientCertificate", map[string]any{"Name": "me", "Certificate": certificate, "PrivateKey": key})
	require.Equal(t, "own", b.get("http://www.shop.example/").header.Get("X-Client"))
}

// selfSigned makes a certificate for names, and its key.
func selfSigned(t testing.TB, names ...string) (certificate, key string) {
	t.Helper()
	return signed(t, &x509.Certificate{Subject: pkix.Name{CommonName: "own"}, DNSNames: names})
}

// signed signs a certificate by itself, for a year.
func signed(t testing.TB, template *x509.Certificate) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template.SerialNumber, template.NotBefore, template.NotAfter = big.NewInt(time.Now().UnixNano()), time.Now().Add(-time.Hour), time.Now().AddDate(1, 0, 0)
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	require.NoError(t, err)
	raw, err := x509.MarshalECPrivateKey(private)
	require.NoError(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: raw}))
}
