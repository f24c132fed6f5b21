package local

import (
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local/account"
)

// consolePage gets the console with a Host header.
func consolePage(t *testing.T, info Info, method, host string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, info.Console, nil)
	require.NoError(t, err)
	if host != "" {
		r.Host = host
	}
	res, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res.StatusCode, string(body)
}

func TestConsole(t *testing.T) {
	file, err := os.Open("../../testdata/accounts/small.json")
	require.NoError(t, err)
	defer file.Close()
	a, err := account.Read(file)
	require.NoError(t, err)
	a.Namespaces[0].Pairs = append(a.Namespaces[0].Pairs, account.Pair{Key: "<script>alert(1)</script>", Value: "secret-value"})
	_, err = Start(t.Context(), Options{Seed: &a})
	require.ErrorContains(t, err, "InvalidKey.Malformed")
	a.Namespaces[0].Pairs[3].Key = "<b>bold"
	info := start(t, Options{Seed: &a}).Info()
	must(t, info, "CreateRoutine", map[string]any{"Name": "hello", "HasAssets": true})
	deploy(t, info, "hello", []byte("page"))
	for _, path := range []string{"/looked-at", "/" + strings.Repeat("long", 1000)} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, info.Edge+path, nil)
		require.NoError(t, err)
		r.Host = "shop.example"
		res, err := http.DefaultTransport.RoundTrip(r)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, 301, res.StatusCode) // by a rule of the site
	}
	askDesk(t, info, "POST", "/faults", "action=PutKv code=TooQuickRequests")

	status, page := consolePage(t, info, http.MethodGet, "")
	require.Equal(t, 200, status)
	for _, want := range []string{"shop.example", "new.example", "pending", "hello", "esa_er_token=", "settings", "&lt;b&gt;bold",
		"GET shop.example/looked-at", strings.Repeat("long", 50), "…", "https ", "action=PutKv code=TooQuickRequests"} {
		require.Contains(t, page, want)
	}
	for _, never := range []string{strings.Repeat("long", 100), "<b>bold", "secret-value", info.AccessKeySecret} {
		require.NotContains(t, page, never)
	}
	status, _ = consolePage(t, info, http.MethodPost, "")
	require.Equal(t, http.StatusMethodNotAllowed, status)
	status, _ = consolePage(t, info, http.MethodGet, "evil.example")
	require.Equal(t, http.StatusMisdirectedRequest, status)
	status, page = consolePage(t, start(t, Options{}).Info(), http.MethodGet, "localhost:1")
	require.Equal(t, 200, status)
	require.Contains(t, page, "No site yet")

	status, answer := askDesk(t, info, "GET", "/status", "")
	require.Equal(t, 200, status)
	require.Len(t, answer["sites"], 2)
	require.Contains(t, string(mustJSON(t, answer["routines"])), `"domain":"hello.`)
}

func TestSnapshotOfAFolder(t *testing.T) {
	dir := t.TempDir()
	s, err := Start(t.Context(), Options{Dir: dir, Seed: &account.Account{Format: 1, Sites: []account.Site{{Name: "a.example", Access: "NS", Coverage: "overseas"}}}})
	require.NoError(t, err)
	running, err := Snapshot(t.Context(), dir)
	require.NoError(t, err)
	require.NoError(t, s.Close())
	stopped, err := Snapshot(t.Context(), dir)
	require.NoError(t, err)
	require.Equal(t, running, stopped)
	require.Equal(t, "a.example", stopped.Sites[0].Name)
}
