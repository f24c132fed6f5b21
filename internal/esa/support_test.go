package esa

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	testKeyID  = "LTAItestkeyid0001"
	testSecret = "testsecretthatmustnotleak"
)

// waits records the waits between tries, without waiting.
type waits struct {
	mu  sync.Mutex
	all []time.Duration
}

func (w *waits) sleep(ctx context.Context, d time.Duration) error {
	w.mu.Lock()
	w.all = append(w.all, d)
	w.mu.Unlock()
	return ctx.Err()
}

func (w *waits) list() []time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]time.Duration(nil), w.all...)
}

func testConfig(endpoint string) Config {
	return Config{
		Endpoint: endpoint, Version: "test", Region: DefaultRegion,
		Credentials: StaticCredentials(testKeyID, testSecret, ""),
		Sleep:       new(waits).sleep, Random: func() float64 { return 1 },
	}
}

func testClient(t testing.TB, endpoint string, change ...func(*Config)) *Client {
	t.Helper()
	cfg := testConfig(endpoint)
	for _, f := range change {
		f(&cfg)
	}
	c, err := New(cfg)
	require.NoError(t, err)
	return c
}

// script answers the n-th request with the n-th step, and the last one for ever.
type script struct {
	*httptest.Server
	n atomic.Int64
}

func newScript(t testing.TB, steps ...http.HandlerFunc) *script {
	s := &script{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := int(s.n.Add(1))
		steps[min(n, len(steps))-1](w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *script) count() int { return int(s.n.Load()) }

func answer(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// hangUp closes the connection without an answer.
func hangUp(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		conn.Close()
	}
}

func failure(t testing.TB, err error) *Error {
	t.Helper()
	require.Error(t, err)
	var e *Error
	require.ErrorAs(t, err, &e)
	require.NotContains(t, err.Error(), testSecret)
	require.NotContains(t, e.Hint, testSecret)
	return e
}
