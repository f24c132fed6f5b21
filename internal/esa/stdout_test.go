package esa

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// childMode makes the test binary run as a program of its own.
const childMode = "ESA_TEST_CHILD"

// TestChild is that program: it makes one call, and writes one line.
func TestChild(t *testing.T) {
	mode := os.Getenv(childMode)
	if mode == "" {
		t.Skip("run by the tests below")
	}
	out := os.Stdout
	if mode == "silent" {
		var err error
		out, err = TakeStdout()
		require.NoError(t, err)
	}
	c := testClient(t, os.Getenv("ESA_TEST_ENDPOINT"), func(cfg *Config) {
		cfg.Credentials = StaticCredentials(testKeyID, testSecret, "token-secret")
	})
	_, err := c.Call(t.Context(), "GetKv", Params{"Namespace": "n", "Key": "private-key-name"})
	_, _ = fmt.Fprintln(out, "protocol", err)
}

func runChild(t *testing.T, mode string, env ...string) string {
	cmd := exec.Command(os.Args[0], "-test.run=^TestChild$")
	cmd.Env = append(os.Environ(), append(env, childMode+"="+mode)...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "%s %s", out, stderr.String())
	require.NotContains(t, stderr.String(), testKeyID)
	require.NotContains(t, stderr.String(), "private-key-name")
	return string(out)
}

func TestLibraryCannotReachStdout(t *testing.T) {
	server := newScript(t, answer(200, "{}"))
	env := []string{"DEBUG=dara,tea,credential", "ESA_TEST_ENDPOINT=" + server.URL}
	// Without TakeStdout the library does print: the test can fail.
	require.Contains(t, runChild(t, "loud", env...), "Authorization: ACS3-HMAC-SHA256 Credential="+testKeyID)
	require.Equal(t, "protocol <nil>\n", runChild(t, "silent", env...))
	require.Equal(t, 2, server.count())
}

func TestProxyOfTheEnvironment(t *testing.T) {
	var asked []string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Method+" "+r.Host)
		w.WriteHeader(http.StatusBadGateway)
	}))
	t.Cleanup(proxy.Close)
	env := []string{"HTTPS_PROXY=" + strings.Replace(proxy.URL, "http://", "http://user:proxy-password@", 1), "NO_PROXY=", "no_proxy=", "https_proxy="}
	out := runChild(t, "silent", append(env, "ESA_TEST_ENDPOINT=https://esa.example.com")...)
	require.Contains(t, out, CodeConnection)
	require.NotContains(t, out, "proxy-password")
	require.Contains(t, asked, "CONNECT esa.example.com:443")

	// Loopback is never asked of a proxy.
	asked = nil
	server := newScript(t, answer(200, "{}"))
	env = append(env, "HTTP_PROXY="+proxy.URL, "ESA_TEST_ENDPOINT="+strings.Replace(server.URL, "127.0.0.1", "esa.localhost", 1))
	require.Equal(t, "protocol <nil>\n", runChild(t, "silent", env...))
	require.Empty(t, asked)
}

// The library puts a proxy's password on the request to ESA itself.
func TestProxyPasswordStaysWithTheProxy(t *testing.T) {
	server := newCapture(t)
	env := []string{"HTTP_PROXY=http://user:proxy-password@127.0.0.1:1", "NO_PROXY=", "no_proxy=", "http_proxy=", "ESA_TEST_ENDPOINT=" + server.URL}
	require.Equal(t, "protocol <nil>\n", runChild(t, "silent", env...))
	req, _ := server.last()
	require.Empty(t, req.Header.Get("Proxy-Authorization"))
}
