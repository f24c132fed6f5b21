package runtime

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const wptDir = "testdata/wpt"

// wptFailures is the list of the tests that are known to fail, with the reasons.
const wptFailures = wptDir + "/failures.txt"

// unexplained heads the failures that -update found and nobody has looked into.
const unexplained = "not looked into"

// wptResult is what became of one test of a file.
type wptResult struct {
	Name    string
	Status  int // 0 is a pass
	Message string
}

// TestWebPlatform runs the files of the web-platform-tests that testdata/wpt
// keeps. A test that fails must be in the list of failures, under a reason, and
// one that is in the list must fail. With -update the list is written anew: what
// fails for no known reason comes last.
func TestWebPlatform(t *testing.T) {
	if raceDetector {
		t.Skip("the engine is about fifty times slower with it")
	}
	known := readFailures(t)
	found := failures{}
	var mu sync.Mutex
	run, failed := 0, 0
	ran := map[string]bool{}
	t.Run("files", func(t *testing.T) {
		for _, file := range wptFiles(t) {
			t.Run(file, func(t *testing.T) {
				t.Parallel()
				results := runWPT(t, file)
				mu.Lock()
				defer mu.Unlock()
				ran[file] = true
				seen := map[string]int{}
				for _, r := range results {
					if n := seen[r.Name]; n > 0 { // a name that comes again
						seen[r.Name]++
						r.Name += fmt.Sprintf(" (%d)", n+1)
					} else {
						seen[r.Name] = 1
					}
					run++
					key := failure{file, r.Name}
					reason, expected := known[key]
					if r.Status == 0 {
						if expected && !*update {
							t.Errorf("passes now, so take it off the list of failures: %s", r.Name)
						}
						continue
					}
					failed++
					if reason == "" {
						reason = unexplained
					}
					found[key] = reason
					if !expected && !*update {
						t.Errorf("%s: %s", r.Name, r.Message)
					} else if testing.Verbose() && (reason == unexplained) {
						t.Logf("%q: %s", r.Name, r.Message)
					}
				}
			})
		}
	})
	if *update {
		found.write(t)
	} else if !t.Failed() {
		for f := range known {
			if _, ok := found[f]; !ok && (ran[f.file] || !slices.Contains(wptFiles(t), f.file)) {
				t.Errorf("there is no such test, so take it off the list of failures: %s %s", f.file, f.name)
			}
		}
	}
	t.Logf("web-platform-tests: %d run, %d passed, %d expected failures", run, run-failed, failed)
}

// wptFiles are the test files, by their paths in the web-platform-tests.
func wptFiles(t *testing.T) []string {
	var files []string
	require.NoError(t, fs.WalkDir(os.DirFS(wptDir), ".", func(name string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(name, ".any.js") || strings.HasSuffix(name, ".window.js") {
			files = append(files, name)
		}
		return err
	}))
	require.NotEmpty(t, files)
	return files
}

// runWPT runs one file in a machine of its own.
func runWPT(t *testing.T, file string) []wptResult {
	t.Helper()
	const host = "http://web-platform.test/"
	adapter, err := os.ReadFile(wptDir + "/adapter.js")
	require.NoError(t, err)
	scripts, err := json.Marshal(wptScripts(t, file))
	require.NoError(t, err)
	source := strings.NewReplacer("SCRIPTS,", string(scripts)+",", "ADDRESS;", strconv.Quote(host+file)+";").Replace(string(adapter))
	service := New(Config{Limits: Limits{
		CPU: 5 * time.Minute, Wall: 5 * time.Minute, Subrequests: 10_000, Concurrent: 1000, KV: 1000, Memory: 1 << 30,
	}})
	defer service.Close()
	script := Script{Key: file, Routine: "wpt", CodeVersion: "1", Load: func(context.Context) (string, error) { return source, nil }}
	served := Host{Fetch: func(_ context.Context, r *http.Request) (*http.Response, error) {
		w := httptest.NewRecorder()
		serveWPT(w, r)
		return w.Result(), nil
	}}
	result, err := service.Run(t.Context(), script, served, httptest.NewRequest("GET", "http://www.shop.localhost/", nil))
	require.NoError(t, err)
	defer result.Body.Close()
	body, err := io.ReadAll(result.Body)
	require.NoError(t, err)
	var results []wptResult
	require.NoError(t, json.Unmarshal(body, &results), string(body))
	return results
}

// serveWPT is the server of the web-platform-tests, as far as the files need it.
func serveWPT(w http.ResponseWriter, r *http.Request) {
	switch path.Base(r.URL.Path) {
	case "echo-content.py":
		w.Header().Set("Content-Type", "text/plain")
		_, _ = io.Copy(w, r.Body)
	case "echo-content-escaped.py":
		body, _ := io.ReadAll(r.Body)
		for _, c := range body {
			if c == '\\' || c > 126 || c < 32 && c != '\n' && c != '\r' {
				_, _ = fmt.Fprintf(w, "\\x%02x", c)
			} else {
				_, _ = w.Write([]byte{c})
			}
		}
	case "inspect-headers.py":
		for _, name := range strings.Split(r.URL.Query().Get("headers"), "|") {
			if v := r.Header.Values(name); len(v) > 0 {
				w.Header().Set("X-Request-"+name, strings.Join(v, ", "))
			}
		}
	case "trickle.py":
		count, _ := strconv.Atoi(r.URL.Query().Get("count"))
		_, _ = io.WriteString(w, strings.Repeat("TEST_TRICKLE\n", count))
	case "status.py":
		query := r.URL.Query()
		code, _ := strconv.Atoi(query.Get("code"))
		w.Header().Set("Content-Type", query.Get("type"))
		w.WriteHeader(code)
		_, _ = io.WriteString(w, query.Get("content"))
	default:
		http.FileServerFS(os.DirFS(wptDir)).ServeHTTP(w, r)
	}
}

var wptMeta = regexp.MustCompile(`(?m)^// META: script=(\S+)`)

// wptScripts is the harness, the scripts that a file asks for, and the file, as
// one script.
func wptScripts(t *testing.T, file string) string {
	var b strings.Builder
	add := func(name string) string {
		text, err := os.ReadFile(filepath.Join(wptDir, filepath.FromSlash(name)))
		require.NoError(t, err)
		b.Write(text)
		b.WriteString("\n;\n")
		return string(text)
	}
	add("resources/testharness.js")
	b.WriteString("__report({ add_result_callback, add_completion_callback, timeout });\n")
	text, err := os.ReadFile(filepath.Join(wptDir, filepath.FromSlash(file)))
	require.NoError(t, err)
	for _, m := range wptMeta.FindAllStringSubmatch(string(text), -1) {
		if strings.HasPrefix(m[1], "/") {
			add(strings.TrimPrefix(m[1], "/"))
		} else {
			add(path.Join(path.Dir(file), m[1]))
		}
	}
	add(file)
	return b.String()
}

// failure is a test that is known to fail.
type failure struct{ file, name string }

// failures are the known ones with their reasons.
type failures map[failure]string

// readFailures reads the list: a line with a reason after "#", and below it one
// line for each test, the file and the test's name as a JSON string.
func readFailures(t *testing.T) failures {
	text, err := os.ReadFile(wptFailures)
	if *update && os.IsNotExist(err) {
		return failures{}
	}
	require.NoError(t, err)
	all, reason := failures{}, ""
	for n, line := range strings.Split(string(text), "\n") {
		if r, ok := strings.CutPrefix(line, "# "); ok {
			reason = r
			continue
		}
		if line == "" {
			continue
		}
		file, quoted, _ := strings.Cut(line, " ")
		var name string
		require.NoError(t, json.Unmarshal([]byte(quoted), &name), "%s:%d", wptFailures, n+1)
		require.NotEmpty(t, reason, "%s:%d: the failure has no reason", wptFailures, n+1)
		if reason == unexplained && !*update {
			t.Errorf("%s:%d: the failure is not looked into", wptFailures, n+1)
		}
		require.NotContains(t, all, failure{file, name}, "%s:%d", wptFailures, n+1)
		all[failure{file, name}] = reason
	}
	return all
}

// write writes the list by reasons, those of no reason last.
func (f failures) write(t *testing.T) {
	byReason := map[string][]failure{}
	for one, reason := range f {
		byReason[reason] = append(byReason[reason], one)
	}
	reasons := slices.Sorted(maps.Keys(byReason))
	if _, ok := byReason[unexplained]; ok {
		reasons = append(slices.DeleteFunc(reasons, func(r string) bool { return r == unexplained }), unexplained)
	}
	var b strings.Builder
	for _, reason := range reasons {
		b.WriteString("# " + reason + "\n")
		list := byReason[reason]
		slices.SortFunc(list, func(a, c failure) int { return strings.Compare(a.file+"\n"+a.name, c.file+"\n"+c.name) })
		for _, one := range list {
			name, err := json.Marshal(one.name)
			require.NoError(t, err)
			b.WriteString(one.file + " " + string(name) + "\n")
		}
		b.WriteString("\n")
	}
	require.NoError(t, os.WriteFile(wptFailures, []byte(strings.TrimSuffix(b.String(), "\n")), 0o644))
}
