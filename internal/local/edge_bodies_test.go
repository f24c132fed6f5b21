package local

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestEdgePassesBodiesBothWaysAtOnce: who answers with what it is being sent loses
// nothing of it, however large it is.
func TestEdgePassesBodiesBothWaysAtOnce(t *testing.T) {
	b := newShop(t, Options{OpenDefaultDomain: true})
	b.record("origin.shop.example", b.origin(func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex()
		w.WriteHeader(http.StatusCreated)
		_, _ = io.Copy(w, r.Body) // what is missing shows in the answer
	}))
	b.record("code.shop.example", nil)
	b.code("same", `export default { fetch: (request) => new Response(request.body) }`)
	b.code("piped", `export default { fetch: (request) => new Response(request.body.pipeThrough(new TransformStream())) }`)
	b.route("same", `starts_with(http.request.uri.path, "/same")`, nil)
	b.route("piped", `starts_with(http.request.uri.path, "/piped")`, nil)
	for _, to := range []string{"origin.shop.example/", "code.shop.example/same", "code.shop.example/piped"} {
		host, path, _ := strings.Cut(to, "/")
		path = "/" + path
		for _, size := range []int{1000, 70_000, 300_000, 3_000_000} {
			body := strings.Repeat("0123456789", size/10)
			for _, header := range []http.Header{{}, {"Expect": {"100-continue"}}} {
				require.True(t, body == keptAlive(b, host, path, body, header), "%s%s %d %v", host, path, size, header)
			}
		}
	}
}

// keptAlive posts a body on a connection that stays open, as most visitors' do, and
// returns the body of the answer.
func keptAlive(b *shop, host, path, body string, header http.Header) string {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.info.Edge+path, strings.NewReader(body))
	require.NoError(b.t, err)
	r.Host, r.Header = host, header
	response, err := http.DefaultTransport.RoundTrip(r)
	require.NoError(b.t, err)
	defer response.Body.Close()
	got, err := io.ReadAll(response.Body)
	require.NoError(b.t, err)
	return string(got)
}

// TestEdgeSendsHeadersAtOnce: a visitor has the headers of a stream before its first
// piece.
func TestEdgeSendsHeadersAtOnce(t *testing.T) {
	b := newShop(t, Options{})
	var gate chan struct{}
	slow := b.origin(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/stream" {
			w.Header().Set("Content-Type", "text/event-stream")
			require.NoError(t, http.NewResponseController(w).Flush())
		}
		<-gate
		fmt.Fprint(w, "data: 1\n\n")
	})
	b.record("origin.shop.example", slow)
	b.record("code.shop.example", nil)
	b.code("events", `export default { fetch() {
		return new Response(new ReadableStream({ async pull(c) {
			c.enqueue(await (await fetch("http://slow.localhost:`+portOf(t, slow.URL)+`/")).bytes());
			c.close();
		} }), { headers: { "content-type": "text/event-stream" } });
	} }`)
	b.route("events", `(http.host eq "code.shop.example")`, nil)
	for _, host := range []string{"origin.shop.example", "code.shop.example"} {
		gate = make(chan struct{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, b.info.Edge+"/stream", nil)
		require.NoError(t, err)
		r.Host = host
		response, err := http.DefaultTransport.RoundTrip(r)
		close(gate)
		require.NoError(t, err, "%s: the headers wait for the first piece", host)
		require.Equal(t, "text/event-stream", response.Header.Get("Content-Type"))
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, "data: 1\n\n", string(body))
		cancel()
	}
}

// TestEdgeWhenTheOriginBreaksOff: what has come goes on to the visitor, who is told
// that it is not all; one who wants a part is told why he gets none.
func TestEdgeWhenTheOriginBreaksOff(t *testing.T) {
	b := newShop(t, Options{})
	b.record("www.shop.example", b.origin(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/switch" {
			w.Header().Set("Upgrade", "other")
			w.Header().Set("Connection", "Upgrade")
			w.WriteHeader(http.StatusSwitchingProtocols)
			return
		}
		w.Header().Set("Content-Type", "text/css")
		w.Header().Set("Cache-Control", "max-age=60")
		w.Header().Set("Content-Length", "100")
		fmt.Fprint(w, "half of it")
	}))
	for _, path := range []string{"/page", "/kept.css", "/kept.css"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.info.Edge+path, nil)
		require.NoError(t, err)
		r.Host = "www.shop.example"
		response, err := http.DefaultTransport.RoundTrip(r)
		require.NoError(t, err, path)
		body, err := io.ReadAll(response.Body)
		require.ErrorIs(t, err, io.ErrUnexpectedEOF, path)
		require.NoError(t, response.Body.Close())
		require.Equal(t, "half of it", string(body), path)
	}
	got := b.get("http://www.shop.example/kept.css", "Range", "bytes=0-3")
	require.Equal(t, 502, got.status)
	require.Equal(t, "origin_bad_response", got.header.Get("X-Esa-Error"))
	got = b.get("http://www.shop.example/switch")
	require.Equal(t, 502, got.status)
	require.Contains(t, got.body, "nobody asked")
}
