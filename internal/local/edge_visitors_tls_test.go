package local

import (
	"crypto/tls"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEdgeLimitsCipherSuites(t *testing.T) {
	b := newShop(t, Options{})
	b.record("www.shop.example", b.origin(echo))
	b.rule("OriginRule", "true", map[string]any{"OriginScheme": "http"})
	b.certify("www.shop.example")
	const strong, other, older = tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA
	with := func(suite uint16) error {
		_, state, err := b.secure("https://www.shop.example/", func(c *tls.Config) { c.MaxVersion, c.CipherSuites = tls.VersionTLS12, []uint16{suite} })
		if err == nil {
			require.Equal(t, suite, state.CipherSuite)
		}
		return err
	}
	id := b.rule("HttpsBasicConfiguration", "", map[string]any{"CiphersuiteGroup": "all"})
	for _, suite := range []uint16{strong, other, older} {
		require.NoError(t, with(suite))
	}
	set := func(params map[string]any) {
		params["ConfigId"] = id
		b.call("UpdateHttpsBasicConfiguration", params)
	}
	set(map[string]any{"CiphersuiteGroup": "strict"})
	require.NoError(t, with(strong))
	require.Error(t, with(older))
	set(map[string]any{"CiphersuiteGroup": "custom", "Ciphersuite": "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"})
	require.NoError(t, with(other))
	require.Error(t, with(strong))
	_, state, err := b.secure("https://www.shop.example/", nil)
	require.NoError(t, err)
	require.Equal(t, uint16(tls.VersionTLS13), state.Version, "whose suites are not limited")
}

func TestEdgeComparesTheHandshakeWithTheHost(t *testing.T) {
	b := newShop(t, Options{})
	for _, name := range []string{"www.shop.example", "front.shop.example", "allowed.shop.example"} {
		b.record(name, b.origin(echo))
	}
	b.rule("OriginRule", "true", map[string]any{"OriginScheme": "http"})
	b.certify("*.shop.example")
	as := func(sni string) int {
		got, _, err := b.secure("https://www.shop.example/", func(c *tls.Config) { c.ServerName = sni })
		require.NoError(t, err)
		return got.status
	}
	require.Equal(t, 200, as("front.shop.example"), "nobody compares")
	b.rule("HttpsApplicationConfiguration", `(http.host eq "www.shop.example")`, map[string]any{"HttpsSniVerify": "on", "HttpsSniWhitelist": "allowed.shop.example other.example"})
	require.Equal(t, http.StatusForbidden, as("front.shop.example"))
	require.Equal(t, 200, as("allowed.shop.example"))
	require.Equal(t, 200, as("www.shop.example"))
	require.Equal(t, 200, b.get("http://www.shop.example/").status)
}

func TestEdgeCachesAtFurtherPortsIfToldTo(t *testing.T) {
	b, _ := cached(t, &counter{headers: cacheFor(60)})
	for range 2 {
		require.Equal(t, "DYNAMIC", b.get("http://www.shop.example:8880/a.css").cache())
	}
	require.Equal(t, "MISS", b.get("http://www.shop.example/a.css").cache())
	require.Equal(t, "HIT", b.get("http://www.shop.example:12345/a.css").cache(), "the local edge's own port")
	b.rule("CacheRule", "true", map[string]any{"EdgeCacheMode": "follow_origin", "AdditionalCacheablePorts": "8880,2052"})
	require.Equal(t, "HIT", b.get("http://www.shop.example:8880/a.css").cache())
	require.Equal(t, "DYNAMIC", b.get("http://www.shop.example:2096/a.css").cache())
}
