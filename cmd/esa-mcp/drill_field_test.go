package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
	"github.com/esa-mcp/esa-mcp/internal/esa"
	"github.com/esa-mcp/esa-mcp/internal/guard"
	"github.com/esa-mcp/esa-mcp/internal/local"
	"github.com/esa-mcp/esa-mcp/tools"
)

// field is where drills are held: a local ESA, and the tools as the server has
// them, with a client that does not wait between two tries.
type field struct {
	t     *testing.T
	dir   string
	esa   *local.Server
	wire  *wire
	clock *drillClock
	state *drillState
	tools map[string]tools.Tool
	deps  *tools.Deps
	hangs bool // builds do

	journals int
	log      string // the audit log of the present tools
	saved    []byte // what it has when a fault comes
}

// newField starts a local ESA with one active site, drill.example.
func newField(t *testing.T) *field {
	t.Helper()
	clock := &drillClock{now: time.Now()}
	dir := t.TempDir()
	server, err := local.Start(t.Context(), local.Options{Dir: dir, Now: clock.Now})
	require.NoError(t, err)
	t.Cleanup(func() { server.Close() })
	f := &field{t: t, dir: dir, esa: server, clock: clock, tools: map[string]tools.Tool{}}
	f.wire = &wire{next: &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		_, port, _ := net.SplitHostPort(address) // whatever the resolver thinks of .localhost
		return new(net.Dialer).DialContext(ctx, network, "127.0.0.1:"+port)
	}}}
	f.state = openDrillState(t, dir)
	for _, tool := range tools.All() {
		f.tools[tool.Meta().Name] = tool
	}
	f.begin()
	f.do("create_site", arguments{"name": "drill.example", "access_type": "NS"})
	f.do("verify_site", arguments{"site_name": "drill.example"})
	return f
}

// begin makes the tools of a new process, which knows nothing of the account.
func (f *field) begin() {
	f.t.Helper()
	info := f.esa.Info()
	sleep := func(ctx context.Context, d time.Duration) error {
		f.clock.pass(d)
		return ctx.Err()
	}
	client, err := esa.New(esa.Config{Endpoint: info.Endpoint, Credentials: esa.StaticCredentials(info.AccessKeyID, info.AccessKeySecret, ""),
		Transport: f.wire, Sleep: sleep})
	require.NoError(f.t, err)
	f.journals++
	f.log = filepath.Join(f.dir, fmt.Sprintf("audit-%d.jsonl", f.journals))
	require.NoError(f.t, os.WriteFile(f.log, f.saved, 0o600))
	journal, err := guard.OpenJournal(f.log, f.clock.Now, tools.Redact)
	require.NoError(f.t, err)
	if f.deps != nil {
		require.NoError(f.t, f.deps.Journal.Close())
	}
	f.deps = &tools.Deps{
		ESA:    guard.New(client, guard.Config{LocalOrigins: true, Journal: journal, Now: f.clock.Now}),
		Upload: client, Local: tools.KnownLocal(tools.LocalInfo{Edge: info.Edge}), Locks: tools.NewLocks(), Confirmed: true, Journal: journal,
		Now: f.clock.Now, Logger: slog.New(slog.DiscardHandler), Version: "drill",
		// What is built meanwhile is built in the end, unless it is made to hang.
		Sleep: func(ctx context.Context, d time.Duration) error {
			f.clock.pass(d)
			if f.hangs {
				return sleep(ctx, min(d, 2*time.Millisecond))
			}
			return f.state.built(ctx)
		},
	}
}

// save keeps what there is for restore: the account's state and the audit log.
func (f *field) save() {
	f.t.Helper()
	var err error
	f.saved, err = os.ReadFile(f.log)
	require.NoError(f.t, err)
	require.NoError(f.t, f.state.built(f.t.Context()))
	f.state.save()
}

// restore brings back what was saved, with tools that know nothing of what came
// after it.
func (f *field) restore() {
	f.t.Helper()
	f.state.restore()
	f.begin()
}

// changes are those that the audit log has of what came after save.
func (f *field) changes() []guard.Change {
	f.t.Helper()
	all, err := f.deps.Journal.Recent(100)
	require.NoError(f.t, err)
	return all[:len(all)-recorded(f.saved)]
}

// recorded counts the changes in an audit log that may have been carried out.
func recorded(log []byte) int {
	return bytes.Count(log, []byte(`"outcome":"`+guard.Done+`"`)) + bytes.Count(log, []byte(`"outcome":"`+guard.Unknown+`"`))
}

// call calls a tool and returns what the agent reads.
func (f *field) call(ctx context.Context, tool string, args arguments) (text string, isError bool) {
	f.t.Helper()
	raw, err := json.Marshal(args)
	require.NoError(f.t, err)
	out, err := f.tools[tool].Call(ctx, func() (*tools.Deps, error) { return f.deps, nil }, raw)
	if err != nil {
		return err.Error(), true
	}
	return string(out), false
}

// do calls a tool that must succeed, and returns its result.
func (f *field) do(tool string, args arguments) map[string]any {
	f.t.Helper()
	text, isError := f.call(f.t.Context(), tool, args)
	require.False(f.t, isError, "%s: %s", tool, text)
	var out map[string]any
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	require.NoError(f.t, d.Decode(&out), text)
	return out
}

// faults replaces the faults that are on.
func (f *field) faults(text string) {
	f.t.Helper()
	f.hangs = strings.Contains(text, "build=hang")
	setFaults(f.t, f.esa.Info(), text)
}

// setFaults replaces the faults that a local ESA has on.
func setFaults(t *testing.T, info local.Info, text string) {
	t.Helper()
	for _, method := range []string{http.MethodDelete, http.MethodPost} {
		if method == http.MethodPost && text == "" {
			return
		}
		r, err := http.NewRequestWithContext(t.Context(), method, info.Admin+"/faults", strings.NewReader(text))
		require.NoError(t, err)
		r.SetBasicAuth(info.AccessKeyID, info.AccessKeySecret)
		res, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		res.Body.Close()
		require.Less(t, res.StatusCode, 300, text)
	}
}

// faultsHit is how many calls the faults that are on have met.
func faultsHit(t *testing.T, info local.Info) (n int) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, info.Admin+"/faults", nil)
	require.NoError(t, err)
	r.SetBasicAuth(info.AccessKeyID, info.AccessKeySecret)
	res, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer res.Body.Close()
	var list struct{ Faults []struct{ Hit int } }
	require.NoError(t, json.NewDecoder(res.Body).Decode(&list))
	for _, f := range list.Faults {
		n += f.Hit
	}
	return n
}

// drillClock is the time of a field: it passes when somebody waits.
type drillClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *drillClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *drillClock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// uploadCall is the name of a file's upload among the operations.
const uploadCall = "Upload"

// wire carries the calls of a field, tells of each, and can end a call of a tool
// when one of its operations comes by.
type wire struct {
	next http.RoundTripper

	mu       sync.Mutex
	answered func(operation string) // after each, before the caller has the answer
	end      func()
	endAt    crossing
	after    bool
	seen     map[string]int
}

// crossing is the nth call of an operation.
type crossing struct {
	operation string
	nth       int
}

// watch calls answered with each operation from now on; nil stops that.
func (w *wire) watch(answered func(operation string)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answered = answered
}

// endCall calls end when that call comes by: before it is sent, or when its
// answer is there, which the caller then does not get.
func (w *wire) endCall(at crossing, after bool, end func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.endAt, w.after, w.end, w.seen = at, after, end, map[string]int{}
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	operation := operationOf(r)
	w.mu.Lock()
	answered, end := w.answered, w.end
	if end != nil {
		w.seen[operation]++
		if w.endAt != (crossing{operation, w.seen[operation]}) {
			end = nil
		}
	}
	after := w.after
	w.mu.Unlock()
	if end != nil && !after {
		end()
		<-r.Context().Done() // which comes a little later
		return nil, r.Context().Err()
	}
	res, err := w.next.RoundTrip(r)
	if err == nil {
		// Whole, so that the service is done with it.
		body, readErr := io.ReadAll(res.Body)
		res.Body.Close()
		res.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body), failing{readErr}))
	}
	if answered != nil {
		answered(operation)
	}
	if end != nil {
		end()
		<-r.Context().Done() // which comes a little later
		return nil, r.Context().Err()
	}
	return res, err
}

// operationOf is the operation of a request that is about to be sent. The API
// library writes its headers in lower case.
func operationOf(r *http.Request) string {
	for name, values := range r.Header {
		if strings.EqualFold(name, "x-acs-action") {
			return values[0]
		}
	}
	return uploadCall
}

// failing reads nothing but an error, or the end.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	return 0, io.EOF
}

// writesOperation reports whether an operation changes something.
func writesOperation(name string) bool {
	op, ok := catalog.Lookup(name)
	return ok && (op.Effect != catalog.Read || op.SideEffect)
}
