package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/tools"
)

func TestUploadRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := start(t, r.env)
	callOK[tools.DeployOutput](t, s, "deploy_html", arguments{"name": "refused", "html": "old"})
	before := live(t, r, "refused")
	r.set(func(w http.ResponseWriter, q *http.Request) bool {
		if action(q) != "" {
			return false
		}
		w.WriteHeader(http.StatusForbidden)
		io.WriteString(w, `<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>You are forbidden to upload.</Message><RequestId>6A1</RequestId></Error>`)
		return true
	})
	text := s.refuse(t, "deploy_html", arguments{"name": "refused", "html": "new"})
	require.Contains(t, text, "AccessDenied")
	require.Contains(t, text, "6A1")
	require.Contains(t, text, "Live now: staging: version "+before[0].Versions[0].Version)
	require.Equal(t, before, live(t, r, "refused"))
	versions := callOK[tools.GetRoutineOutput](t, start(t, r.env), "get_routine", arguments{"name": "refused"}).Versions
	require.Len(t, versions, 1, "the version without content was taken back")
}

func TestBuildFailed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := start(t, r.env)
	callOK[tools.DeployOutput](t, s, "deploy_html", arguments{"name": "failing", "html": "old"})
	before := live(t, r, "failing")
	r.set(func(_ http.ResponseWriter, q *http.Request) bool {
		if action(q) == "" { // spoil the zip on its way
			body, _ := io.ReadAll(q.Body)
			spoiled := bytes.ReplaceAll(body, []byte("assets/index.html"), []byte("assetz/index.html"))
			q.Body, q.ContentLength = io.NopCloser(bytes.NewReader(spoiled)), int64(len(spoiled))
		}
		return false
	})
	text := s.refuse(t, "deploy_html", arguments{"name": "failing", "html": "new"})
	require.Contains(t, text, "could not build version")
	require.Contains(t, text, "Live now: staging: version "+before[0].Versions[0].Version+" (100 %); production: version ")
	require.Equal(t, before, live(t, r, "failing"))
}

func TestProductionFailsAfterStaging(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := start(t, r.env)
	first := callOK[tools.DeployOutput](t, s, "deploy_html", arguments{"name": "half", "html": "old"})
	r.set(func(w http.ResponseWriter, q *http.Request) bool {
		if action(q) != "CreateRoutineCodeDeployment" {
			return false
		}
		body, _ := io.ReadAll(q.Body)
		q.Body = io.NopCloser(bytes.NewReader(body))
		return strings.Contains(string(body), "Env=production") && refuseAPI(w, 403, "NoPermission", "You are not authorized.")
	})
	text := s.refuse(t, "deploy_html", arguments{"name": "half", "html": "new"})
	require.Contains(t, text, "deployment to production of half failed")
	require.Contains(t, text, "NoPermission")
	now := live(t, r, "half")
	require.NotEqual(t, first.Version, now[0].Versions[0].Version)
	require.Contains(t, text, "staging: version "+now[0].Versions[0].Version)
	require.Contains(t, text, "production: version "+first.Version)
}

func TestThrottledCallsAreRepeated(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var refused atomic.Int32
	r.set(func(w http.ResponseWriter, q *http.Request) bool {
		return action(q) != "" && refused.Add(1)%2 == 1 && refuseAPI(w, 400, "Throttling.Api", "Request was denied due to api flow control.")
	})
	s := start(t, r.env)
	out := callOK[tools.DeployOutput](t, s, "deploy_html", arguments{"name": "throttled", "html": "x"})
	require.Equal(t, tools.StatusLive, out.Status)
	require.Greater(t, refused.Load(), int32(8))
}

func TestThrottledForEver(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.set(func(w http.ResponseWriter, q *http.Request) bool {
		return refuseAPI(w, 400, "Throttling.User", "Request was denied due to user flow control.")
	})
	s := start(t, r.env, "--timeout", "3s")
	text := s.refuse(t, "deploy_html", arguments{"name": "throttled", "html": "x"})
	require.Contains(t, text, "Throttling.User")
	require.Contains(t, text, "00000000-0000-0000-0000-00000000BAD0")
	require.Empty(t, callOK[tools.ListRoutinesOutput](t, func() *server { r.set(nil); return start(t, r.env) }(), "list_routines", nil).Routines)
}

func TestServiceDoesNotAnswer(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.set(func(_ http.ResponseWriter, q *http.Request) bool {
		<-q.Context().Done()
		return true
	})
	s := start(t, r.env, "--timeout", "1s")
	text := s.refuse(t, "list_sites", nil)
	require.Contains(t, text, "RequestTimeout")
	require.Contains(t, text, "ESA_MCP_TIMEOUT")
}

func TestCancelledUpload(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := start(t, r.env)
	uploading := make(chan struct{})
	gone := make(chan struct{})
	r.set(func(_ http.ResponseWriter, q *http.Request) bool {
		if action(q) != "" {
			return false
		}
		io.CopyN(io.Discard, q.Body, 1024)
		close(uploading)
		io.Copy(io.Discard, q.Body) // the end of a connection shows once its body is read
		<-q.Context().Done()
		close(gone)
		return true
	})
	site := writeSite(t, map[string]string{"index.html": "x"})
	require.NoError(t, os.WriteFile(filepath.Join(site, "big.bin"), bytes.Repeat([]byte("0123456789abcdef"), 1<<18), 0o644))
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-uploading
		cancel()
	}()
	_, err := s.callRaw(ctx, "deploy_pages", arguments{"name": "cancelled", "path": site})
	require.ErrorIs(t, err, context.Canceled)
	select {
	case <-gone:
	case <-time.After(time.Minute):
		t.Fatal("the upload went on after the call was cancelled")
	}
	// The server lives, nothing is live, and the version that got nothing goes.
	require.Eventually(t, func() bool {
		out := callOK[tools.GetRoutineOutput](t, s, "get_routine", arguments{"name": "cancelled"})
		return len(out.Versions) == 0
	}, time.Minute, 50*time.Millisecond)
	for _, e := range live(t, r, "cancelled") {
		require.Empty(t, e.Versions)
	}
}

func TestBuildThatTakesLong(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	hasty := start(t, r.env, "--timeout", "8s") // else the deploy's own patience
	s := start(t, r.env)
	var building atomic.Bool
	building.Store(true)
	r.set(func(w http.ResponseWriter, q *http.Request) bool {
		if action(q) != "GetRoutineCodeVersionInfo" || !building.Load() {
			return false
		}
		body, _ := io.ReadAll(q.Body)
		q.Body = io.NopCloser(bytes.NewReader(body))
		return refuseAPI(w, 200, "", "") // no Status: not built yet
	})
	out := callOK[tools.DeployOutput](t, hasty, "deploy_html", arguments{"name": "slow", "html": "slow page"})
	require.Equal(t, tools.StatusBuilding, out.Status)
	require.Contains(t, out.Next, "get_deployment")
	for _, e := range out.Live {
		require.Empty(t, e.Versions)
	}
	building.Store(false)
	look := callOK[tools.DeployOutput](t, s, "get_deployment", arguments{"name": "slow", "version": out.Version})
	require.Equal(t, tools.StatusAvailable, look.Status)
	done := callOK[tools.DeployOutput](t, s, "get_deployment", arguments{"name": "slow", "version": out.Version, "resume": true})
	require.Equal(t, tools.StatusLive, done.Status)
	require.Equal(t, out.Version, done.Live[1].Versions[0].Version)
}
