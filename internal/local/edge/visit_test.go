package edge

import (
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local/analytics"
)

type visits struct {
	mu   sync.Mutex
	list []analytics.Visit
}

func (v *visits) Record(one analytics.Visit) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.list = append(v.list, one)
}

func TestRequestsAreRecorded(t *testing.T) {
	log := &visits{}
	f := newFixture(t, Config{Recorder: log})
	r := httptest.NewRequest("POST", "http://www.example.com/a%20b?x=1&esa_er_token=secret", strings.NewReader("12345"))
	r.Header.Set("User-Agent", "agent")
	r.Header.Set("Referer", "https://from.example/")
	r.RemoteAddr = "192.0.2.7:1234"
	w := httptest.NewRecorder()
	f.edge.ServeHTTP(w, r)
	require.Len(t, log.list, 1)
	v := log.list[0]
	require.Greater(t, v.RequestBytes, int64(5+len("/a%20b?x=1")))
	v.RequestBytes = 0
	require.Equal(t, analytics.Visit{
		Time: f.clock(), Host: "www.example.com", Method: "POST", Path: "/a b", Query: "x=1", Protocol: "HTTP/1.1",
		Referer: "https://from.example/", UserAgent: "agent", ClientIP: "192.0.2.7", Status: 404,
		ContentType: "text/plain; charset=utf-8", Bytes: int64(w.Body.Len()),
	}, v)
}
