package local

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// shop is a local ESA with one active site, shop.example.
type shop struct {
	t    testing.TB
	esa  *Server
	info Info
	id   int64
}

func newShop(t testing.TB, o Options) *shop {
	t.Helper()
	s, err := Start(t.Context(), patient(o))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	b := &shop{t: t, esa: s, info: s.Info()}
	b.id = b.site("shop.example", "NS")
	b.call("VerifySite", nil)
	return b
}

// site makes a pending site and returns its id.
func (b *shop) site(name, access string) int64 {
	b.t.Helper()
	instance := must(b.t, b.info, "ListUserRatePlanInstances", nil)["InstanceInfo"].([]any)[0].(map[string]any)["InstanceId"]
	made := must(b.t, b.info, "CreateSite", map[string]any{"SiteName": name, "AccessType": access, "Coverage": "overseas", "InstanceId": instance})
	id, err := made["SiteId"].(json.Number).Int64()
	require.NoError(b.t, err)
	return id
}

// call sends an operation about the site.
func (b *shop) call(action string, params map[string]any) map[string]any {
	b.t.Helper()
	all := map[string]any{"SiteId": b.id}
	for name, v := range params {
		all[name] = v
	}
	return must(b.t, b.info, action, all)
}

// id64 reads an id from an answer.
func id64(t testing.TB, answer map[string]any, name string) int64 {
	t.Helper()
	id, err := answer[name].(json.Number).Int64()
	require.NoError(t, err)
	return id
}

// origin starts an origin server. Once it is closed, nobody listens at its port.
func (b *shop) origin(h http.HandlerFunc) *httptest.Server {
	b.t.Helper()
	s := httptest.NewUnstartedServer(h)
	require.NoError(b.t, s.Listener.Close())
	s.Listener = listenAside(b.t)
	s.Start()
	b.t.Cleanup(s.Close)
	return s
}

// listenAside listens at a port below those that systems give out, so that after
// the listener is closed no other test is given the port.
func listenAside(t testing.TB) net.Listener {
	t.Helper()
	for {
		l, err := net.Listen("tcp", fmt.Sprint("127.0.0.1:", 20_000+rand.IntN(12_000)))
		if err == nil || !errors.Is(err, syscall.EADDRINUSE) {
			require.NoError(t, err)
			return l
		}
	}
}

// nobody is an address at which nobody listens, and no test does.
const nobody = "127.0.0.1:1"

func portOf(t testing.TB, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	require.NoError(t, err)
	return u.Port()
}

// record makes a proxied record that leads to a server on this machine, and
// returns its id.
func (b *shop) record(name string, to *httptest.Server) int64 {
	b.t.Helper()
	params := map[string]any{"RecordName": name, "Type": "CNAME", "Ttl": 1, "Proxied": true, "BizName": "web",
		"Data": map[string]any{"Value": "origin.localhost"}}
	if to != nil {
		params["HttpPorts"] = portOf(b.t, to.URL)
	}
	return id64(b.t, b.call("CreateRecord", params), "RecordId")
}

// answer is what a visitor gets.
type answer struct {
	status int
	header http.Header
	body   string
}

// rules are the configurations that applied, by kind.
func (a answer) rules() string { return a.header.Get("X-Esa-Rules") }

func (a answer) cache() string { return a.header.Get("X-Site-Cache-Status") }

// do sends a visitor's request to the edge; header pairs follow the address.
// Redirects are not followed, and nothing is decompressed.
func (b *shop) do(method, address, body string, header ...string) answer {
	b.t.Helper()
	u, err := url.Parse(address)
	require.NoError(b.t, err)
	edge, err := url.Parse(b.info.Edge)
	require.NoError(b.t, err)
	host := u.Host
	u.Scheme, u.Host = edge.Scheme, edge.Host
	r, err := http.NewRequestWithContext(b.t.Context(), method, u.String(), strings.NewReader(body))
	require.NoError(b.t, err)
	r.Host = host
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	return b.roundTrip(http.DefaultTransport.(*http.Transport), r)
}

func (b *shop) roundTrip(shared *http.Transport, r *http.Request) answer {
	b.t.Helper()
	transport := shared.Clone()
	transport.DisableCompression, transport.DisableKeepAlives = true, true
	res, err := transport.RoundTrip(r)
	require.NoError(b.t, err)
	defer res.Body.Close()
	content, err := io.ReadAll(res.Body)
	require.NoError(b.t, err)
	return answer{res.StatusCode, res.Header, string(content)}
}

func (b *shop) get(address string, header ...string) answer {
	b.t.Helper()
	return b.do(http.MethodGet, address, "", header...)
}

// echo answers with what an origin sees of a request.
func echo(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Server", "origin")
	raw, err := json.Marshal(seen{r.Method, r.Host, r.RequestURI, string(body), r.Header, r.TLS != nil})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Write(raw)
}

type seen struct {
	Method, Host, URI, Body string
	Header                  http.Header
	TLS                     bool
}

// seen reads the answer of echo.
func (a answer) seen(t testing.TB) seen {
	t.Helper()
	var s seen
	require.Equal(t, 200, a.status, a.body)
	require.NoError(t, json.Unmarshal([]byte(a.body), &s))
	return s
}

// secureOrigin starts an origin with HTTPS, whose certificate nobody trusts. It
// tells the handler the name that the client asked for in X-Sni.
func (b *shop) secureOrigin(h http.HandlerFunc) *httptest.Server {
	b.t.Helper()
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set("X-Sni", r.TLS.ServerName)
		h(w, r)
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	b.t.Cleanup(s.Close)
	return s
}
