package main

import (
	"net/http"
	"net/url"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local/admin"
	"github.com/esa-mcp/esa-mcp/tools"
)

// TestAddressAtEndpoint deploys to a local ESA that runs by itself: the address has
// the port of its edge, which only it knows, and opens.
func TestAddressAtEndpoint(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var asked atomic.Int32
	r.set(func(w http.ResponseWriter, r *http.Request) bool {
		fails := r.URL.Path == admin.AddressesPath && asked.Add(1) == 1
		if fails {
			http.Error(w, "busy", http.StatusBadGateway)
		}
		return fails
	})
	s := start(t, r.env)
	page := arguments{"name": "hello", "html": "<p>hi</p>"}
	callOK[tools.DeployOutput](t, s, "deploy_html", page)

	out := callOK[tools.GetRoutineOutput](t, s, "get_routine", arguments{"name": "hello"})
	edge, err := url.Parse(r.info.Edge)
	require.NoError(t, err)
	address, err := url.Parse(out.URL)
	require.NoError(t, err)
	require.Equal(t, "http", address.Scheme)
	require.Equal(t, edge.Port(), address.Port())
	status, body := browse(t, out.URL)
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, "<p>hi</p>")
	callOK[tools.GetRoutineOutput](t, s, "get_routine", arguments{"name": "hello"})
	require.EqualValues(t, 2, asked.Load(), "one answer is enough")
}

// TestAddressBehindLoopback: what answers at a loopback address need not be a local
// ESA. Then addresses are as the service has them.
func TestAddressBehindLoopback(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.set(func(w http.ResponseWriter, r *http.Request) bool {
		foreign := r.URL.Path == admin.AddressesPath
		if foreign {
			http.NotFound(w, r)
		}
		return foreign
	})
	out := callOK[tools.DeployOutput](t, start(t, r.env), "deploy_html", arguments{"name": "hello", "html": "<p>hi</p>"})
	require.Regexp(t, `^https://hello\.[0-9a-f]{8}\.er\.localhost/\?esa_er_token=`, out.URL)
	require.Empty(t, out.StagingURL)
}
