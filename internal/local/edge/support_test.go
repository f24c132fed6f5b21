package edge

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/oss"
	"github.com/esa-mcp/esa-mcp/internal/local/routine"
	"github.com/esa-mcp/esa-mcp/internal/local/state"
)

// fixture is an edge before a routine service.
type fixture struct {
	t     testing.TB
	svc   *routine.Service
	store *state.Store
	edge  http.Handler

	mu  sync.Mutex
	now time.Time
}

func newFixture(t testing.TB, cfg Config) *fixture { return openFixture(t, state.Memory, cfg) }

func openFixture(t testing.TB, dir string, cfg Config) *fixture {
	store, err := state.Open(context.Background(), dir)
	require.NoError(t, err)
	return fixtureOver(t, store, cfg)
}

// fixtureOver is a fixture over a state, which it closes.
func fixtureOver(t testing.TB, store *state.Store, cfg Config) *fixture {
	f := &fixture{t: t, store: store, now: time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)}
	f.svc = routine.New(store, routine.Config{Now: f.clock})
	cfg.Now = f.clock
	f.edge = New(f.svc, cfg)
	t.Cleanup(func() {
		require.NoError(t, f.svc.Close())
		require.NoError(t, store.Close())
	})
	return f
}

func (f *fixture) clock() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

func (f *fixture) wait(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = f.now.Add(d)
}

func (f *fixture) call(action string, params api.Params) map[string]any {
	f.t.Helper()
	answer, err := f.svc.Table()[action](context.Background(), &api.Request{Action: action, Params: params, BaseURL: "http://127.0.0.1"})
	require.NoError(f.t, err)
	raw, err := json.Marshal(answer)
	require.NoError(f.t, err)
	var out map[string]any
	require.NoError(f.t, json.Unmarshal(raw, &out))
	return out
}

// site makes a version of the files (name, content, name ...), creating the
// routine if it is new, and waits until it is available.
func (f *fixture) site(name, strategy string, files ...string) (codeVersion string) {
	f.t.Helper()
	if _, err := f.svc.Live(context.Background(), name, routine.Production); err != nil {
		f.call("CreateRoutine", api.Params{"Name": name})
	}
	made := f.call("CreateRoutineWithAssetsCodeVersion", api.Params{"Name": name, "ConfOptions.NotFoundStrategy": strategy})
	codeVersion = made["CodeVersion"].(string)
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	for i := 0; i < len(files); i += 2 {
		part, err := w.Create(files[i])
		require.NoError(f.t, err)
		_, err = io.WriteString(part, files[i+1])
		require.NoError(f.t, err)
	}
	require.NoError(f.t, w.Close())
	path := filepath.Join(f.store.BlobDir(), codeVersion+".zip")
	require.NoError(f.t, os.WriteFile(path, buf.Bytes(), 0o600))
	key := made["OssPostConfig"].(map[string]any)["Key"].(string)
	require.NoError(f.t, f.svc.Uploaded(context.Background(), oss.Object{Key: key, Path: path, Size: int64(buf.Len())}))
	require.Eventually(f.t, func() bool {
		got := f.call("GetRoutineCodeVersionInfo", api.Params{"Name": name, "CodeVersion": codeVersion})
		return got["Status"] == "available"
	}, time.Minute, time.Millisecond)
	return codeVersion
}

func (f *fixture) publish(name, env, codeVersion string) {
	f.t.Helper()
	f.call("PublishRoutineCodeVersion", api.Params{"Name": name, "Env": env, "CodeVersion": codeVersion})
}

// deploy is site and publish to production.
func (f *fixture) deploy(name, strategy string, files ...string) string {
	f.t.Helper()
	v := f.site(name, strategy, files...)
	f.publish(name, "production", v)
	return v
}

func (f *fixture) host(name string) string { return f.svc.DefaultDomain(name, routine.Production) }

// do sends a request; header pairs follow. The target is as on the request line.
func (f *fixture) do(method, host, target string, header ...string) *httptest.ResponseRecorder {
	f.t.Helper()
	r := httptest.NewRequest(method, target, nil)
	r.Host = host
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	rec := httptest.NewRecorder()
	f.edge.ServeHTTP(rec, r)
	return rec
}

func (f *fixture) get(name, target string, header ...string) *httptest.ResponseRecorder {
	f.t.Helper()
	return f.do("GET", f.host(name), target, header...)
}
