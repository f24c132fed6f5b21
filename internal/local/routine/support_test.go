package routine

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
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
	"github.com/esa-mcp/esa-mcp/internal/local/state"
)

// clock is a time that tests set.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// fixture is a service with an object storage before it.
type fixture struct {
	t     testing.TB
	svc   *Service
	store *state.Store
	clock *clock
	url   string
}

func newFixture(t testing.TB, cfg Config) *fixture { return openFixture(t, state.Memory, cfg) }

func openFixture(t testing.TB, dir string, cfg Config) *fixture {
	store, err := state.Open(context.Background(), dir)
	require.NoError(t, err)
	f := &fixture{t: t, store: store, clock: newClock()}
	cfg.Now = f.clock.Now
	f.svc = New(store, cfg)
	server := httptest.NewServer(oss.New(store, oss.Config{Now: cfg.Now, Uploaded: f.svc.Uploaded}))
	f.url = server.URL
	t.Cleanup(func() {
		server.Close()
		require.NoError(t, f.svc.Close())
		require.NoError(t, store.Close())
	})
	return f
}

// try calls an operation and returns its answer as a client would see it.
func (f *fixture) try(action string, params api.Params) (map[string]any, error) {
	f.t.Helper()
	h, ok := f.svc.Table()[action]
	require.True(f.t, ok, "no handler for %s", action)
	answer, err := h(context.Background(), &api.Request{Action: action, Params: params, BaseURL: f.url})
	if err != nil {
		return nil, err
	}
	raw, err := json.Marshal(answer)
	require.NoError(f.t, err)
	var out map[string]any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	require.NoError(f.t, d.Decode(&out))
	return out, nil
}

func (f *fixture) call(action string, params api.Params) map[string]any {
	f.t.Helper()
	out, err := f.try(action, params)
	require.NoError(f.t, err)
	return out
}

// refuses checks the code of an operation's error and returns its message.
func (f *fixture) refuses(code, action string, params api.Params) string {
	f.t.Helper()
	_, err := f.try(action, params)
	var refused *api.Error
	require.ErrorAs(f.t, err, &refused)
	require.Equal(f.t, code, refused.Code, refused.Message)
	return refused.Message
}

// post uploads a form and returns the status and the answer.
func post(t testing.TB, url string, fields map[string]string, file []byte) (int, string) {
	t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for name, value := range fields {
		require.NoError(t, w.WriteField(name, value))
	}
	part, err := w.CreateFormFile("file", "upload")
	require.NoError(t, err)
	_, err = part.Write(file)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	resp, err := http.Post(url, w.FormDataContentType(), &body)
	require.NoError(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(text)
}

// upload sends a zip for a new version and waits for its build.
func (f *fixture) upload(name string, params api.Params, data []byte) (codeVersion string) {
	f.t.Helper()
	all := api.Params{"Name": name}
	for k, v := range params {
		all[k] = v
	}
	made := f.call("CreateRoutineWithAssetsCodeVersion", all)
	require.Equal(f.t, "init", made["Status"])
	status, text := f.send(made, data)
	require.Equal(f.t, 204, status, text)
	f.svc.builds.Wait()
	return made["CodeVersion"].(string)
}

// send posts the form that CreateRoutineWithAssetsCodeVersion answered.
func (f *fixture) send(made map[string]any, data []byte) (int, string) {
	f.t.Helper()
	form := made["OssPostConfig"].(map[string]any)
	return post(f.t, form["Url"].(string), map[string]string{
		"OSSAccessKeyId": form["OSSAccessKeyId"].(string), "Signature": form["Signature"].(string),
		"policy": form["Policy"].(string), "key": form["Key"].(string),
		"x-oss-security-token": form["XOssSecurityToken"].(string),
	}, data)
}

func (f *fixture) status(name, codeVersion string) string {
	f.t.Helper()
	return f.call("GetRoutineCodeVersionInfo", api.Params{"Name": name, "CodeVersion": codeVersion})["Status"].(string)
}

// blobFiles lists what is in the blob folder.
func (f *fixture) blobFiles() []string {
	f.t.Helper()
	var names []string
	require.NoError(f.t, filepath.WalkDir(f.store.BlobDir(), func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, path)
		}
		return err
	}))
	return names
}

// zipOf makes a zip of names and contents, in order: name, content, name ...
func zipOf(t testing.TB, pairs ...string) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	for i := 0; i < len(pairs); i += 2 {
		entry, err := w.Create(pairs[i])
		require.NoError(t, err)
		_, err = io.WriteString(entry, pairs[i+1])
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return buf.Bytes()
}

// deployJSON is the CodeVersions parameter for versions and percentages.
func deployJSON(pairs ...any) string {
	text := "["
	for i := 0; i < len(pairs); i += 2 {
		if i > 0 {
			text += ","
		}
		text += fmt.Sprintf(`{"CodeVersion":"%v","Percentage":%v}`, pairs[i], pairs[i+1])
	}
	return text + "]"
}
