package certificate

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
)

func TestOriginClientCertificates(t *testing.T) {
	for prefix, name := range map[string]string{"Site": "whole site", "": "host names"} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, Config{})
			id := b.site("a.test", "NS")
			cert, key := b.pair(364, "client.elsewhere.test") // need not be of the site
			_, otherKey := b.pair(364, "client")
			upload := func(cert, key string) (map[string]any, string) {
				return b.call("Upload"+prefix+"OriginClientCertificate", api.Params{"SiteId": id, "Certificate": cert, "PrivateKey": key, "Name": "mtls"})
			}
			out, code := upload(cert, key)
			require.Empty(t, code)
			require.Equal(t, "OK", out["Status"])
			require.Equal(t, "365", out["ValidityDays"])
			require.Equal(t, "client.elsewhere.test", out["CommonName"])
			_, code = upload(cert, key)
			require.Equal(t, "Certificate.Duplicated", code)
			_, code = upload(cert, otherKey)
			require.Equal(t, "CertificateNotMatchPrivateKey", code)

			this := api.Params{"SiteId": id, "Id": out["Id"]}
			got := b.Must("Get"+prefix+"OriginClientCertificate", this)
			require.Equal(t, cert, got["Certificate"])
			other := map[string]string{"": "Site", "Site": ""}[prefix]
			_, code = b.call("Get"+other+"OriginClientCertificate", this)
			require.Equal(t, "Certificate.NotFound", code, "the two kinds are apart")
			list := b.Must("List"+prefix+"OriginClientCertificates", api.Params{"SiteId": id})
			require.Equal(t, json.Number("1"), list["TotalCount"])
			require.Empty(t, b.Must("List"+other+"OriginClientCertificates", api.Params{"SiteId": id})["Result"])
			b.Must("Delete"+prefix+"OriginClientCertificate", this)
			_, code = b.call("Delete"+prefix+"OriginClientCertificate", this)
			require.Equal(t, "Certificate.NotFound", code)
		})
	}
}

func TestOriginHostnames(t *testing.T) {
	b := newBench(t, Config{})
	id := b.site("a.test", "NS")
	upload := func() any {
		cert, key := b.pair(90, "client")
		return b.Must("UploadOriginClientCertificate", api.Params{"SiteId": id, "Certificate": cert, "PrivateKey": key})["Id"]
	}
	one, two := upload(), upload()
	set := func(cert any, hostnames string) string {
		_, code := b.call("SetOriginClientCertificateHostnames", api.Params{"SiteId": id, "Id": cert, "Hostnames": hostnames})
		return code
	}
	get := func(cert any) any {
		return b.Must("GetOriginClientCertificateHostnames", api.Params{"SiteId": id, "Id": cert})["Hostnames"]
	}
	require.Equal(t, []any{}, get(one))
	require.Empty(t, set(one, `["WWW.a.test","a.test","a.test"]`))
	require.Equal(t, []any{"a.test", "www.a.test"}, get(one))
	require.Empty(t, set(two, `["a.test"]`))
	require.Equal(t, []any{"www.a.test"}, get(one), "a host name has one certificate")
	require.Equal(t, []any{"a.test"}, get(two))
	require.Empty(t, set(one, `[]`))
	require.Equal(t, []any{}, get(one))
	for hostnames, code := range map[string]string{`["b.test"]`: "InvalidParameter.Hostnames", `["*.a.test"]`: "InvalidParameter.Hostnames",
		`x`: "InvalidHostnames", `null`: "MissingHostnames"} {
		require.Equal(t, code, set(one, hostnames))
	}
	require.Equal(t, "Certificate.NotFound", set("0", `[]`))
}
