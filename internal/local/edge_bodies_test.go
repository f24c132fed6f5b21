package local

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
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
	gate := make(chan struct{})
	slow := b.origin(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/stream" {
			w.Header().Set("Content-Type", "text/event-stream")
			require.NoError(t, http.NewResponseController(w).Flush())
		}
		select {
		case <-gate:
			fmt.Fprint(w, "data: 1\n\n")
		case <-r.Context().Done():
		}
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
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, b.info.Edge+"/stream", nil)
		require.NoError(t, err)
		r.Host = host
		response, err := http.DefaultTransport.RoundTrip(r)
		require.NoError(t, err, "%s: the headers wait for the first piece", host)
		gate <- struct{}{}
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

// TestEdgeConnectionsAfterBodies: what is left of a body that nobody read is never
// taken for a request, and the connection serves the next one or ends.
func TestEdgeConnectionsAfterBodies(t *testing.T) {
	var log lockedBuffer
	b := newShop(t, Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	b.record("origin.shop.example", b.origin(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "done") }))
	b.record("code.shop.example", nil)
	for name, body := range map[string]string{
		"text":   `"done"`,
		"stream": `new ReadableStream({ start(c) { c.enqueue(new TextEncoder().encode("done")); c.close(); } })`,
		"own":    `request.body ?? "done"`,
	} {
		b.code(name+"-body", `export default { fetch: (request) => new Response(`+body+`) }`)
		b.route(name+"-body", `starts_with(http.request.uri.path, "/`+name+`")`, nil)
	}
	for _, to := range []string{"origin.shop.example/", "code.shop.example/text", "code.shop.example/stream", "code.shop.example/own"} {
		host, path, _ := strings.Cut(to, "/")
		for _, size := range []int{10, 70_000, 300_000, 2_000_000} {
			for _, chunked := range []bool{false, true} {
				what := fmt.Sprintf("%s %d chunked %v", to, size, chunked)
				body := fmt.Sprintf("Content-Length: %d\r\n\r\n%s", size, strings.Repeat("x", size))
				if chunked {
					body = fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", size, strings.Repeat("x", size))
				}
				conn, err := net.Dial("tcp", strings.TrimPrefix(b.info.Edge, "http://"))
				require.NoError(t, err)
				require.NoError(t, conn.SetDeadline(time.Now().Add(time.Minute)))
				sent := make(chan struct{})
				go func() {
					defer close(sent)
					fmt.Fprintf(conn, "POST /%s HTTP/1.1\r\nHost: %s\r\n%s", path, host, body) // fails if the edge has closed
				}()
				from := bufio.NewReader(conn)
				first, err := http.ReadResponse(from, &http.Request{Method: http.MethodPost})
				require.NoError(t, err, what)
				answer, err := io.ReadAll(first.Body)
				require.NoError(t, err, what)
				if path == "own" {
					require.Len(t, answer, size, what)
				} else {
					require.Equal(t, "done", string(answer), what)
				}
				if !first.Close {
					<-sent
					fmt.Fprintf(conn, "GET /%s HTTP/1.1\r\nHost: %s\r\n\r\n", path, host)
					second, err := http.ReadResponse(from, &http.Request{Method: http.MethodGet})
					require.NoError(t, err, what)
					require.Equal(t, 200, second.StatusCode, what)
					answer, err = io.ReadAll(second.Body)
					require.NoError(t, err, what)
					require.Equal(t, "done", string(answer), what)
				}
				require.NoError(t, conn.Close())
				<-sent
			}
		}
	}
	require.NotContains(t, log.String(), "panic")
}

// lockedBuffer is a buffer that many may write to at once.
type lockedBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
