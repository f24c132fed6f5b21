package runtime

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// serveOnce runs a script for a request as an HTTP server does: the request's
// context ends when its answer is out.
func serveOnce(t *testing.T, s *Service, h *testHost, script Script, r *http.Request) string {
	t.Helper()
	ctx, end := context.WithCancel(t.Context())
	defer end()
	result, err := s.Run(ctx, script, h.host(), r)
	require.NoError(t, err)
	defer result.Body.Close()
	body, err := io.ReadAll(result.Body)
	require.NoError(t, err)
	return string(body)
}

// nextLog waits for a line of the log.
func nextLog(t *testing.T, h *testHost) string {
	t.Helper()
	select {
	case line := <-h.logs:
		return line
	case <-time.After(time.Minute):
		t.Fatal("nothing was logged")
		return ""
	}
}

// TestWorkGoesOnAfterTheResponse: what waitUntil was given is done, whatever the
// response's body is made of.
func TestWorkGoesOnAfterTheResponse(t *testing.T) {
	for name, body := range map[string]string{
		"text":     `"now"`,
		"stream":   `new ReadableStream({ start(c) { c.enqueue(new TextEncoder().encode("now")); c.close(); } })`,
		"own body": `request.body`,
	} {
		t.Run(name, func(t *testing.T) {
			s, h := New(patient(Config{})), newTestHost()
			defer s.Close()
			script := text(`export default { fetch(request, context) {
				context.waitUntil(new Promise((done) => setTimeout(done, 100)).then(() => console.log("later")));
				return new Response(` + body + `);
			} }`)
			r := httptest.NewRequest("POST", "http://x.localhost/", io.MultiReader(strings.NewReader("now"))) // of unknown length
			require.Equal(t, "now", serveOnce(t, s, h, script, r))
			require.Equal(t, "info later", nextLog(t, h))
		})
	}
}

// TestStreamHearsThatTheVisitorLeft: it is cancelled, what waitUntil was given is
// done, and the machine serves on.
func TestStreamHearsThatTheVisitorLeft(t *testing.T) {
	s, h := New(patient(Config{Parallel: 1, Limits: Limits{Leave: time.Minute}})), newTestHost()
	defer s.Close()
	script := text(`let served = 0;
		export default { fetch(request, context) {
			served++;
			if (request.url.endsWith("/count")) return new Response(String(served));
			return new Response(new ReadableStream({
				async pull(c) { await new Promise((next) => setTimeout(next, 1)); c.enqueue(new Uint8Array(1000)); },
				cancel(reason) { console.log("cancelled:", reason.name); context.waitUntil(Promise.resolve().then(() => console.log("cleaned up"))); },
			}));
		} }`)
	r, err := s.Run(t.Context(), script, h.host(), httptest.NewRequest("GET", "http://x.localhost/", nil))
	require.NoError(t, err)
	_, err = io.ReadFull(r.Body, make([]byte, 5000))
	require.NoError(t, err)
	require.NoError(t, r.Body.Close())
	require.Equal(t, "info cancelled: AbortError", nextLog(t, h))
	require.Equal(t, "info cleaned up", nextLog(t, h))
	require.Equal(t, "2", serveOnce(t, s, h, script, httptest.NewRequest("GET", "http://x.localhost/count", nil)))
	require.Empty(t, h.logText())
}

// TestIdleStreamEndsWithItsVisitor: code that writes nothing more is ended all the
// same.
func TestIdleStreamEndsWithItsVisitor(t *testing.T) {
	s := New(patient(Config{}))
	defer s.Close()
	script := handler(`
		return new Response(new ReadableStream({ pull(c) { c.enqueue(new Uint8Array(1)); return new Promise((r) => setTimeout(r, 50000)); } }));`)
	ctx, leave := context.WithCancel(t.Context())
	r, err := s.Run(ctx, script, Host{}, httptest.NewRequest("GET", "http://x.localhost/", nil))
	require.NoError(t, err)
	_, err = io.ReadFull(r.Body, make([]byte, 1))
	require.NoError(t, err)
	leave()
	_, err = r.Body.Read(make([]byte, 1))
	require.Error(t, err)
	waitForIdle(t, s)
}
