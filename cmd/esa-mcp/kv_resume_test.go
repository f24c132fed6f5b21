package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/tools"
)

// gate lets chosen calls of one action pass and holds the others back until the
// client is gone, so that a kill finds it in the middle of its work.
type gate struct {
	mu     sync.Mutex
	action string
	seen   map[string]int // the number of each call: one that is tried again is the same
	passed int
	pass   func(n int) bool // of the nth call, from 1
}

func (g *gate) meddle(_ http.ResponseWriter, r *http.Request) bool {
	if action(r) != g.action {
		return false
	}
	body, err := io.ReadAll(r.Body) // a server sees a client go only when it has read all that was sent
	if err != nil {
		return true
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if g.admit(r.URL.RawQuery + "\n" + string(body)) {
		return false
	}
	<-r.Context().Done()
	return true
}

func (g *gate) admit(call string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	n, again := g.seen[call]
	if !again {
		n = len(g.seen) + 1
		g.seen[call] = n
	}
	pass := g.pass(n)
	if pass && !again {
		g.passed++
	}
	return pass
}

func (g *gate) count() int { g.mu.Lock(); defer g.mu.Unlock(); return g.passed }

// killWhen starts one tool call and kills it as soon as it has come that far.
func killWhen(t *testing.T, env []string, far func() bool, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary, append([]string{"call"}, args...)...)
	cmd.Env = env
	require.NoError(t, cmd.Start())
	require.Eventually(t, far, 5*time.Minute, 5*time.Millisecond)
	require.NoError(t, cmd.Process.Kill())
	require.Error(t, cmd.Wait())
}

// stateOf reads one number of a state file; -1 if it is not there.
func stateOf(path, field string) float64 {
	raw, err := os.ReadFile(path)
	var state map[string]any
	if err != nil || json.Unmarshal(raw, &state) != nil {
		return -1
	}
	n, _ := state[field].(float64)
	return n
}

func TestKVImportResumesAfterAKill(t *testing.T) {
	t.Parallel()
	const rows = 60_000 // six batches
	file := filepath.Join(t.TempDir(), "rows.jsonl")
	f, err := os.Create(file)
	require.NoError(t, err)
	w := bufio.NewWriter(f)
	for i := range rows {
		fmt.Fprintf(w, `{"key":"k%06d","value":"%d"}`+"\n", i, i)
	}
	fmt.Fprintln(w, `{"key":"a b","value":"bad"}`)
	require.NoError(t, w.Flush())
	require.NoError(t, f.Close())

	r := newRig(t)
	s := start(t, r.env, "--toolsets", "kv")
	callOK[tools.CreateKVNamespaceOutput](t, s, "create_kv_namespace", arguments{"namespace": "ns"})
	// The second call is held back, so that later batches are done before it.
	g := &gate{action: "BatchPutKv", seen: map[string]int{}, pass: func(n int) bool { return n == 1 || n == 3 || n == 4 }}
	r.set(g.meddle)
	state := file + ".import-state.json"
	killWhen(t, r.env, func() bool { return stateOf(state, "stored") == 30_000 }, "import_kv", "namespace=ns", "path="+file)
	require.Less(t, stateOf(state, "rows"), 40_000.0)
	require.Equal(t, 3, g.count())

	g.mu.Lock()
	g.seen, g.passed, g.pass = map[string]int{}, 0, func(int) bool { return true }
	g.mu.Unlock()
	out := callOK[tools.ImportKVOutput](t, s, "import_kv", arguments{"namespace": "ns", "path": file})
	require.EqualValues(t, rows+1, out.Rows)
	require.EqualValues(t, rows, out.Stored)
	require.EqualValues(t, 1, out.FailedCount)
	require.Equal(t, 3, g.count(), "what was stored is not sent again")
	require.Equal(t, rows, callOK[tools.ListKVOutput](t, s, "list_kv", arguments{"namespace": "ns"}).Total)
	for _, i := range []int{0, 19_999, 59_999} {
		got := callOK[tools.GetKVOutput](t, s, "get_kv", arguments{"namespace": "ns", "key": fmt.Sprintf("k%06d", i)})
		require.Equal(t, fmt.Sprint(i), got.Value)
	}
	require.NoFileExists(t, state)
	failed, err := os.ReadFile(out.FailedFile)
	require.NoError(t, err)
	require.Equal(t, 1, strings.Count(string(failed), "\n"))
}

func TestKVExportResumesAfterAKill(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := start(t, r.env, "--toolsets", "kv")
	callOK[tools.CreateKVNamespaceOutput](t, s, "create_kv_namespace", arguments{"namespace": "ns"})
	values := map[string]string{}
	for i := range 800 {
		values[fmt.Sprintf("k%03d", i)] = fmt.Sprint("v", i)
	}
	callOK[tools.BatchPutKVOutput](t, s, "batch_put_kv", arguments{"namespace": "ns", "values": values})
	file := filepath.Join(t.TempDir(), "out.jsonl")
	g := &gate{action: "GetKvDetail", seen: map[string]int{}, pass: func(n int) bool { return n <= 350 }}
	r.set(g.meddle)
	killWhen(t, r.env, func() bool { return stateOf(file+".export-state.json", "exported") == 300 && g.count() == 350 },
		"export_kv", "namespace=ns", "path="+file)

	r.set(nil)
	// A line that a kill had left half written is not kept.
	broken, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = broken.WriteString(`{"key":"k300","val`)
	require.NoError(t, err)
	require.NoError(t, broken.Close())
	out := callOK[tools.ExportKVOutput](t, s, "export_kv", arguments{"namespace": "ns", "path": file})
	require.EqualValues(t, 800, out.Exported)
	require.EqualValues(t, 300, out.Resumed)
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(string(raw)), "\n")
	require.Len(t, lines, 800)
	for _, line := range lines {
		var row struct{ Key, Value string }
		require.NoError(t, json.Unmarshal([]byte(line), &row))
		require.Equal(t, values[row.Key], row.Value)
		delete(values, row.Key)
	}
	require.Empty(t, values)
	require.NoFileExists(t, file+".export-state.json")
}

// Much data goes by upload, in a tenth of the calls; what one of them refuses is
// done by the next run, and nothing twice.
func TestLargeImportGoesByUpload(t *testing.T) {
	t.Parallel()
	const rows, size = 420, 100_000
	file := filepath.Join(t.TempDir(), "large.jsonl")
	var text strings.Builder
	for i := range rows {
		fmt.Fprintf(&text, `{"key":"k%03d","value":"%s"}`+"\n", i, strings.Repeat(fmt.Sprintf("%03d ", i), size/4))
	}
	require.NoError(t, os.WriteFile(file, []byte(text.String()), 0o600))
	s := startLocal(t, "--fault", "action=BatchPutKvWithHighCapacity code=NoPermission skip=2 count=1")
	callOK[tools.CreateKVNamespaceOutput](t, s, "create_kv_namespace", arguments{"namespace": "large"})
	stopped := s.refuse(t, "import_kv", arguments{"namespace": "large", "path": file})
	require.Contains(t, stopped, "Call import_kv again")
	type output struct {
		tools.ImportKVOutput
		Raw []struct{ Action string }
	}
	done := callOK[output](t, s, "import_kv", arguments{"namespace": "large", "path": file, "raw": true})
	require.Equal(t, int64(rows), done.Stored)
	require.Zero(t, done.FailedCount)
	require.GreaterOrEqual(t, done.Resumed, int64(2*8_000_000/(size+100)-1), "what was stored is not sent again")
	for _, call := range done.Raw {
		require.NotEqual(t, "BatchPutKv", call.Action)
	}
	require.LessOrEqual(t, len(done.Raw), 1+4)
	last := callOK[tools.GetKVOutput](t, s, "get_kv", arguments{"namespace": "large", "key": "k419", "max_bytes": 8})
	require.Equal(t, "419 419 ", last.Value)
	require.Equal(t, size, last.Bytes)

	small := filepath.Join(t.TempDir(), "small.jsonl")
	require.NoError(t, os.WriteFile(small, []byte(text.String()[:25*(size+50)][:strings.LastIndex(text.String()[:25*(size+50)], "\n")+1]), 0o600))
	by := callOK[output](t, s, "import_kv", arguments{"namespace": "large", "path": small, "raw": true})
	require.Equal(t, "BatchPutKv", by.Raw[len(by.Raw)-1].Action)
}
