package runtime

import (
	"context"
	"io"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func text(source string) Script {
	return Script{Key: source, Load: func(context.Context) (string, error) { return source, nil }}
}

// patient is a configuration whose requests are not ended, nor warned, because the
// machine is busy: what they compute is measured by the clock.
func patient(c Config) Config {
	c.Limits.CPU, c.Limits.Wall = 2*time.Minute, 5*time.Minute
	return c
}

func TestHello(t *testing.T) {
	s := New(patient(Config{}))
	defer s.Close()
	for range 3 {
		r, err := s.Run(t.Context(), text(`export default { async fetch(request) { return new Response("hello " + new URL(request.url).pathname, {headers: {"X-A": "1"}}) } }`), Host{}, httptest.NewRequest("GET", "http://x.localhost/p?q", nil))
		require.NoError(t, err)
		b, err := io.ReadAll(r.Body)
		require.NoError(t, err)
		require.Equal(t, "hello /p", string(b))
		require.Equal(t, "1", r.Header.Get("X-A"))
	}
}

// TestNoEnvironment: env is an object although the script has no variables.
func TestNoEnvironment(t *testing.T) {
	s := New(patient(Config{}))
	defer s.Close()
	script := text(`export default { fetch: (request, context, env) => Response.json([typeof env, env !== null && "X" in env, process.env.X ?? "none"]) }`)
	body, err := get(t, s, script, "/")
	require.NoError(t, err)
	require.Equal(t, `["object",false,"none"]`, body)
}
