package edge

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local/analytics"
	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/edge/fastpath"
	"github.com/esa-mcp/esa-mcp/internal/local/edge/plan"
	"github.com/esa-mcp/esa-mcp/internal/local/state"
)

// last waits for the number of a visit and returns it.
func (v *visits) last(t *testing.T, n int) analytics.Visit {
	t.Helper()
	require.Eventually(t, func() bool {
		v.mu.Lock()
		defer v.mu.Unlock()
		return len(v.list) == n
	}, time.Minute, time.Millisecond)
	return v.list[n-1]
}

// TestPlainFilesAreLogged: the log has of an answer at once what it has of any other,
// and so has the log of the edge.
func TestPlainFilesAreLogged(t *testing.T) {
	store, err := state.Open(t.Context(), state.Memory)
	require.NoError(t, err)
	recorded, log := &visits{}, &bytes.Buffer{}
	f := fixtureOver(t, store, Config{OpenDefaultDomain: true, Recorder: recorded, Plans: plan.New(store, plan.Config{}),
		Logger: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	version := f.deploy("site", "", "assets/style.css", "a{b:c}")
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	edge := f.edge.(Edge)
	l, server := fastpath.Listen(inner, edge), &http.Server{Handler: edge}
	go server.Serve(l) // ends with the test

	var got []analytics.Visit
	for i, more := range [][]string{nil, {"Te", "trailers"}} { // the server answers the second
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+inner.Addr().String()+"/style.css?v=1", nil)
		require.NoError(t, err)
		r.Host = f.host("site")
		r.Header = http.Header{"User-Agent": {"plain/1.0"}, "Referer": {"http://a.example/"}, "X-Requested-With": {"b"}}
		if more != nil {
			r.Header[more[0]] = more[1:]
		}
		res, err := http.DefaultTransport.RoundTrip(r)
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, res.Body)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		got = append(got, recorded.last(t, i+1))
	}
	got[1].RequestBytes -= int64(len("Te: trailers\r\n"))
	require.Equal(t, got[1], got[0])
	require.Equal(t, "/style.css", got[0].Path)
	require.EqualValues(t, 6, got[0].Bytes)

	require.NoError(t, server.Shutdown(context.Background()))
	require.NoError(t, l.Shutdown(context.Background()))
	require.Equal(t, 2, bytes.Count(log.Bytes(), []byte(`msg="edge request"`)))
	require.Equal(t, 2, bytes.Count(log.Bytes(), []byte("method=GET path=/style.css status=200 bytes=6 version="+version)))
	require.NotContains(t, log.String(), "v=1")

	slow := &fastpath.Request{Host: f.host("site"), Path: "/style.css"}
	answer, began := edge.Answer(slow), f.clock()
	f.wait(time.Minute)
	edge.Answered(slow, answer, 3)
	require.Equal(t, began, recorded.last(t, 3).Time, "a visit is of when it began")
}

// TestAnswersAtOnce: what is a file for all, and what the server has to look at.
func TestAnswersAtOnce(t *testing.T) {
	store, err := state.Open(t.Context(), state.Memory)
	require.NoError(t, err)
	f := fixtureOver(t, store, Config{OpenDefaultDomain: true, Plans: plan.New(store, plan.Config{})})
	old := f.deploy("site", "", "assets/index.html", "home", "assets/a/index.html", "a")
	edge := f.edge.(Edge)
	ask := func(host, path, query string) *fastpath.Answer {
		return edge.Answer(&fastpath.Request{Host: host, Path: path, Query: query})
	}
	first := ask(f.host("site"), "/", "")
	require.NotNil(t, first)
	require.Equal(t, "home", string(first.Body))
	require.Same(t, first, ask(f.host("site"), "/", "x=1"), "it is kept")
	require.NotNil(t, ask(f.host("site"), "/a/", ""))
	require.Nil(t, ask(f.host("site"), "/a", ""), "a redirect")
	require.Nil(t, ask(f.host("site"), "/none", ""))
	require.Nil(t, ask(f.host("site"), "/", "esa_er_token=x"), "the token becomes a cookie")
	require.Nil(t, ask("other.example", "/", ""))

	// Of two versions, each gets its share.
	f.call("CreateRoutineCodeDeployment", api.Params{"Name": "site", "Env": "production", "Strategy": "percentage",
		"CodeVersions": fmt.Sprintf(`[{"CodeVersion":%q,"Percentage":80},{"CodeVersion":%q,"Percentage":20}]`, old, f.site("site", "", "assets/index.html", "new"))})
	require.Nil(t, ask(f.host("site"), "/", ""))
}
