package local

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"testing"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	"github.com/alibabacloud-go/tea/dara"
	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
)

// secure is an HTTP client that trusts the authority of a local ESA.
type secure struct{ *http.Client }

func (s secure) Call(r *http.Request, _ *http.Transport) (*http.Response, error) { return s.Do(r) }

// TestCloseIsQuiet: a server that is closed right after its start, as --export does,
// has nothing to complain of.
func TestCloseIsQuiet(t *testing.T) {
	var log bytes.Buffer
	for range 20 {
		s, err := Start(t.Context(), Options{Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn}))})
		require.NoError(t, err)
		require.NoError(t, s.Close())
	}
	require.Empty(t, log.String())
}

// TestAPIOverTLS calls the API by HTTPS; upload addresses are by HTTPS then.
func TestAPIOverTLS(t *testing.T) {
	info := start(t, Options{TLSListen: "127.0.0.1:0"}).Info()
	require.Regexp(t, `^https://127\.0\.0\.1:\d+$`, info.EndpointTLS)
	pem, err := os.ReadFile(info.CAFile)
	require.NoError(t, err)
	roots := x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM(pem))
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	t.Cleanup(transport.CloseIdleConnections)

	client, err := openapi.NewClient(&openapi.Config{AccessKeyId: &info.AccessKeyID, AccessKeySecret: &info.AccessKeySecret,
		Endpoint: dara.String(strings.TrimPrefix(info.EndpointTLS, "https://")), HttpClient: secure{&http.Client{Transport: transport}}})
	require.NoError(t, err)
	ask := func(action string, body map[string]any) map[string]any {
		out, err := client.CallApi(&openapi.Params{Action: &action, Version: dara.String(catalog.Version), Method: dara.String("POST"),
			Pathname: dara.String("/"), Protocol: dara.String("HTTPS"), AuthType: dara.String("AK"), Style: dara.String("RPC"),
			ReqBodyType: dara.String("formData"), BodyType: dara.String("json")}, &openapi.OpenApiRequest{Body: body}, &dara.RuntimeOptions{})
		require.NoError(t, err)
		return out["body"].(map[string]any)
	}
	ask("CreateRoutine", map[string]any{"Name": "hello"})
	slot := ask("GetRoutineStagingCodeUploadInfo", map[string]any{"Name": "hello"})["OssPostConfig"].(map[string]any)
	require.Contains(t, slot["Url"], info.EndpointTLS)

	address := strings.TrimPrefix(info.EndpointTLS, "https://")
	for name, fine := range map[string]bool{"localhost": true, "esa-local.oss.localhost": true, "esa.cn-hangzhou.aliyuncs.com": true, "example.com": false} {
		conn, err := tls.Dial("tcp", address, &tls.Config{ServerName: name, RootCAs: roots})
		require.Equal(t, fine, err == nil, "%s: %v", name, err)
		if err == nil {
			require.NoError(t, conn.Close())
		}
	}
	require.Empty(t, start(t, Options{}).Info().EndpointTLS, "only if it was asked for")
}
