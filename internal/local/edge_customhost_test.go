package local

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestEdgeCustomHostnames has a customer's own name lead to a record of the site:
// once it is verified, with the site's rules, and over HTTPS as it says.
func TestEdgeCustomHostnames(t *testing.T) {
	b := newShop(t, Options{})
	record := b.record("www.shop.example", b.origin(echo))
	b.rule("OriginRule", "true", map[string]any{"OriginScheme": "http"})
	b.rule("HttpResponseHeaderModificationRule", `(http.host eq "shop.customer.test")`, map[string]any{
		"ResponseHeaderModification": []any{map[string]any{"Name": "X-Customer", "Operation": "add", "Type": "static", "Value": "yes"}}})
	create := func(name string, more map[string]any) int64 {
		params := map[string]any{"Hostname": name, "RecordId": record, "SslFlag": "off"}
		for key, value := range more {
			params[key] = value
		}
		return id64(t, b.call("CreateCustomHostname", params), "HostnameId")
	}
	id := create("shop.customer.test", map[string]any{"SslFlag": "on", "CertType": "free"})
	require.NotEqual(t, http.StatusOK, b.get("http://shop.customer.test/a?b").status, "nobody has shown yet that the name is theirs")
	_, _, err := b.secure("https://shop.customer.test/", nil)
	require.ErrorContains(t, err, "unrecognized name")

	must(t, b.info, "VerifyCustomHostname", map[string]any{"HostnameId": id})
	got := b.get("http://shop.customer.test/a?b")
	require.Equal(t, "/a?b", got.seen(t).URI)
	require.Equal(t, "shop.customer.test", got.seen(t).Host)
	require.Equal(t, "yes", got.header.Get("X-Customer"))
	require.Empty(t, b.get("http://www.shop.example/a").header.Get("X-Customer"))
	_, state, err := b.secure("https://shop.customer.test/a", nil)
	require.NoError(t, err)
	require.Equal(t, []string{"shop.customer.test"}, state.PeerCertificates[0].DNSNames)

	must(t, b.info, "UpdateCustomHostname", map[string]any{"HostnameId": id, "RecordId": record, "SslFlag": "off"})
	_, _, err = b.secure("https://shop.customer.test/a", nil)
	require.ErrorContains(t, err, "unrecognized name", "it is switched off")

	b.rule("CacheRule", "true", map[string]any{"EdgeCacheMode": "override_origin", "EdgeCacheTtl": "600"})
	status := func() string { return b.get("http://shop.customer.test/kept.css").header.Get("X-Site-Cache-Status") }
	status()
	require.Equal(t, "HIT", status())
	b.call("PurgeCaches", map[string]any{"Type": "file", "Content": map[string]any{"Files": []string{"http://shop.customer.test/kept.css"}}})
	require.NotEqual(t, "HIT", status())

	certificate, key := selfSigned(t, "own.customer.test")
	must(t, b.info, "VerifyCustomHostname", map[string]any{"HostnameId": create("own.customer.test", map[string]any{
		"SslFlag": "on", "CertType": "upload", "Certificate": certificate, "PrivateKey": key})})
	_, err = call(t, b.info, "CreateCustomHostname", map[string]any{"SiteId": b.id, "Hostname": "other.customer.test", "RecordId": record,
		"SslFlag": "on", "CertType": "upload", "Certificate": certificate, "PrivateKey": key})
	require.ErrorContains(t, err, "InvalidCertificate", "it names another host")
	_, _, err = b.secure("https://own.customer.test/", nil)
	require.ErrorContains(t, err, "unknown authority", "it shows what was uploaded")

	certificate, key = selfSigned(t, "www.shop.example", "cas.customer.test")
	b.call("SetCertificate", map[string]any{"Type": "upload", "Name": "both", "Certificate": certificate, "PrivateKey": key})
	kept := must(t, b.info, "ListCasCertificates", nil)["Certificates"].([]any)[0].(map[string]any)["Id"]
	must(t, b.info, "VerifyCustomHostname", map[string]any{"HostnameId": create("cas.customer.test", map[string]any{
		"SslFlag": "on", "CertType": "cas", "CasId": kept})})
	_, _, err = b.secure("https://cas.customer.test/", nil)
	require.ErrorContains(t, err, "unknown authority", "it shows the one of the certificate service")
	_, err = call(t, b.info, "CreateCustomHostname", map[string]any{"SiteId": b.id, "Hostname": "none.customer.test", "RecordId": record,
		"SslFlag": "on", "CertType": "cas", "CasId": 12345})
	require.ErrorContains(t, err, "InvalidCertificate.NotFound")

	must(t, b.info, "VerifyCustomHostname", map[string]any{"HostnameId": create("plain.customer.test", nil)})
	require.Equal(t, http.StatusOK, b.get("http://plain.customer.test/").status)
	_, _, err = b.secure("https://plain.customer.test/", nil)
	require.ErrorContains(t, err, "unrecognized name", "SslFlag is off")

	must(t, b.info, "DeleteCustomHostname", map[string]any{"HostnameId": id})
	require.NotEqual(t, http.StatusOK, b.get("http://shop.customer.test/a").status)
}
