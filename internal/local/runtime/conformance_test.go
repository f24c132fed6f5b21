package runtime

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/tools/txtar"

	"github.com/esa-mcp/esa-mcp/internal/pages"
)

var update = flag.Bool("update", false, "write what routines answer into the cases")

// TestRoutines runs the cases of testdata/routines. A case is an archive of one
// routine and the requests that it gets, in order: routine.js, or an entry of
// testdata/npm that is bundled first; then pairs of request and response, and at
// the end what the routine logged, if the case says so.
//
// A request is written as in HTTP. Of a response, the status, the headers that
// are named, and the body must be the same; a line of the body that begins with
// "~" is a regular expression, and empty lines at the end do not count. An error has the line "error: TEXT" alone.
func TestRoutines(t *testing.T) {
	files, err := filepath.Glob("testdata/routines/*.txtar")
	require.NoError(t, err)
	require.Greater(t, len(files), 80, "so many cases there are at least")
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			runCase(t, file)
		})
	}
}

func runCase(t *testing.T, file string) {
	archive, err := txtar.ParseFile(file)
	require.NoError(t, err)
	host := newTestHost()
	// One machine serves a case's requests, so that they share the module's state.
	service := New(Config{Parallel: 1, Limits: Limits{CPU: 2 * time.Minute, Wall: 2 * time.Minute}})
	defer service.Close()
	script := caseScript(t, archive)
	var request []byte
	for i, part := range archive.Files {
		switch part.Name {
		case "request":
			request = part.Data
		case "response":
			got := exchange(t, service, script, host.host(), request)
			archive.Files[i].Data = checkText(t, string(part.Data), got)
		case "log":
			archive.Files[i].Data = checkText(t, string(part.Data), host.logOf(strings.Count(string(part.Data), "\n")))
		}
	}
	if *update {
		require.NoError(t, os.WriteFile(file, txtar.Format(archive), 0o644))
	}
}

func caseScript(t *testing.T, archive *txtar.Archive) Script {
	s := Script{Key: "case", Routine: "case", CodeVersion: "1", Env: map[string]string{"GREETING": "hi", "EMPTY": ""}}
	for _, part := range archive.Files {
		switch part.Name {
		case "routine.js":
			s.Load = func(context.Context) (string, error) { return string(part.Data), nil }
		case "entry":
			name := strings.TrimSpace(string(part.Data))
			if _, err := os.Stat("testdata/npm/node_modules"); err != nil {
				t.Skip("needs make routine-packages")
			}
			bundled, err := pages.Bundle(t.Context(), filepath.Join("testdata/npm", name), pages.BundleOptions{})
			require.NoError(t, err)
			s.Load = func(context.Context) (string, error) { return string(bundled.Code), nil }
		}
	}
	require.NotNil(t, s.Load, "the case has neither routine.js nor entry")
	return s
}

// exchange gives a request to the routine and writes its answer as text.
func exchange(t *testing.T, service *Service, script Script, host Host, text []byte) string {
	r := readRequest(t, text)
	result, err := service.Run(t.Context(), script, host, r)
	if err != nil {
		text := "error: " + err.Error() + "\n"
		var thrown *ErrThrow
		if errors.As(err, &thrown) && thrown.Stack != "" {
			where, _, _ := strings.Cut(thrown.Stack, "\n")
			text += strings.TrimSpace(where) + "\n"
		}
		return text
	}
	defer result.Body.Close()
	body, err := io.ReadAll(result.Body)
	var b strings.Builder
	fmt.Fprintf(&b, "%d\n", result.Status)
	for _, name := range sortedNames(result.Header) {
		for _, v := range result.Header[name] {
			fmt.Fprintf(&b, "%s: %s\n", strings.ToLower(name), v)
		}
	}
	b.WriteString("\n")
	b.Write(body)
	if err != nil {
		fmt.Fprintf(&b, "\nbroken off: %v", err)
	}
	return b.String()
}

func sortedNames(h http.Header) []string {
	var names []string
	for name := range h {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func readRequest(t *testing.T, text []byte) *http.Request {
	head, body, _ := bytes.Cut(text, []byte("\n\n"))
	body = bytes.TrimSuffix(body, []byte("\n"))
	lines := strings.Split(strings.TrimSpace(string(head)), "\n")
	raw := strings.Join(append([]string{lines[0] + " HTTP/1.1", "Host: www.shop.localhost"}, lines[1:]...), "\r\n")
	if len(body) > 0 {
		raw += fmt.Sprintf("\r\nContent-Length: %d", len(body))
	}
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(raw + "\r\n\r\n" + string(body))))
	require.NoError(t, err)
	return r
}

// checkText compares an answer with what a case wants, and returns what the case
// should have. Headers that the case does not name do not count.
func checkText(t *testing.T, want, got string) []byte {
	t.Helper()
	wantHead, wantBody, hasHead := strings.Cut(want, "\n\n")
	gotHead, gotBody, _ := strings.Cut(got, "\n\n")
	if !hasHead {
		wantHead, wantBody = strings.TrimSuffix(want, "\n"), ""
		if !strings.Contains(got, "\n\n") {
			gotHead = strings.TrimSuffix(got, "\n")
		}
	}
	named := map[string]bool{}
	for line := range strings.SplitSeq(wantHead, "\n") {
		name, _, _ := strings.Cut(line, ":")
		named[name] = true
	}
	var kept []string
	for i, line := range strings.Split(gotHead, "\n") {
		name, _, _ := strings.Cut(line, ":")
		if i == 0 || named[name] || (*update && wantHead == "" && name == "content-type") {
			kept = append(kept, line)
		}
	}
	if *update {
		if matches(wantBody, gotBody) {
			gotBody = strings.TrimSuffix(wantBody, "\n")
		}
		return []byte(strings.TrimRight(strings.Join(kept, "\n")+"\n\n"+gotBody, "\n") + "\n")
	}
	require.Equal(t, wantHead, strings.Join(kept, "\n"), "the whole answer:\n%s", got)
	if !matches(wantBody, gotBody) {
		require.Equal(t, strings.TrimSuffix(wantBody, "\n"), gotBody)
	}
	return []byte(want)
}

func matches(want, got string) bool {
	wantLines, gotLines := strings.Split(strings.TrimRight(want, "\n"), "\n"), strings.Split(strings.TrimRight(got, "\n"), "\n")
	return slices.EqualFunc(wantLines, gotLines, func(w, g string) bool {
		if pattern, ok := strings.CutPrefix(w, "~"); ok {
			return regexp.MustCompile("^" + pattern + "$").MatchString(g)
		}
		return w == strings.TrimSuffix(g, "\r")
	})
}

// testHost is what the routines of the cases reach: a store, a cache, and one
// server behind all names.
type testHost struct {
	kv    *memoryKV
	cache *MemoryCache
	logs  chan string
}

func newTestHost() *testHost {
	return &testHost{newMemoryKV(), NewMemoryCache(1<<20, time.Now), make(chan string, 1000)}
}

func (h *testHost) host() Host {
	return Host{
		KV: h.kv, Cache: h.cache,
		Origin: func(_ context.Context, r *http.Request) (*http.Response, error) { return answerOf("origin", r), nil },
		Fetch: func(_ context.Context, r *http.Request) (*http.Response, error) {
			if r.URL.Hostname() == "down.example" {
				return nil, fmt.Errorf("connection refused")
			}
			return answerOf(r.URL.Host, r), nil
		},
		Log: func(level, message string) { h.logs <- level + " " + message },
	}
}

func (h *testHost) logText() string {
	var b strings.Builder
	for len(h.logs) > 0 {
		b.WriteString(<-h.logs + "\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// logOf is the log when it has so many lines, or after a minute: some are written when
// the answer is out.
func (h *testHost) logOf(lines int) string {
	text := h.logText()
	for limit := time.After(time.Minute); lines > 0 && (text == "" || strings.Count(text, "\n") < lines-1); {
		select {
		case line := <-h.logs:
			text = strings.TrimPrefix(text+"\n"+line, "\n")
		case <-limit:
			return text
		}
	}
	return text
}

func answerOf(server string, r *http.Request) *http.Response {
	w := httptest.NewRecorder()
	w.Header().Set("X-Server", server)
	serveTest(w, r)
	return w.Result()
}
