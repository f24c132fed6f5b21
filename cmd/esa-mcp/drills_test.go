package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
	"github.com/esa-mcp/esa-mcp/internal/esa"
	"github.com/esa-mcp/esa-mcp/tools"
)

// A drill is one call of a tool that changes something. It is held once without
// a fault, which shows the operations that the tool sends and what the account
// has after each. Then each of these operations is met with every kind of fault,
// and what the tool says is compared with what the account has.
type drill struct {
	tool  string
	about string // which of the tool's drills it is; empty: the only one
	// prepare makes what the call needs, and returns what makes its arguments; dir
	// is an empty folder, a new one for each fault.
	prepare func(f *field) func(dir string) arguments
	// brief says that few faults will do: another drill of the tool meets all.
	brief bool
	// anew says that each call that is carried out makes another thing, as it is
	// meant to.
	anew bool
}

func (d drill) name() string { return strings.TrimSpace(d.tool + " " + d.about) }

// drillFault is a way in which one call of an operation goes wrong.
type drillFault struct {
	words string // of the local ESA's fault
	// ends is how the tool's call ends instead; after says that the operation has
	// been carried out by then.
	ends  error
	after bool
	// refused: the service says plainly that it has done nothing.
	refused bool
}

func (k drillFault) String() string {
	if k.ends == nil {
		return k.words
	}
	return fmt.Sprintf("ends after=%t %v", k.after, k.ends)
}

// writeFaults meet operations that write. With count=9 the client's repetitions
// fail, too.
func writeFaults() []drillFault {
	return []drillFault{
		{words: "code=InvalidParameter.Drill count=1", refused: true},
		{words: "code=TooManyRequests count=1"},
		{words: "code=TooManyRequests count=9", refused: true},
		{words: "code=ServiceUnavailable count=1"},
		{words: "code=InternalException count=1"},
		{words: "code=InternalException when=after count=1"},
		{words: "code=InternalException when=after count=9"},
		{words: "code=ServiceInvokeFailed when=after count=1"},
		{words: "drop=before count=1"},
		{words: "drop=before count=9"},
		{words: "drop=after count=1"},
		{words: "drop=after count=9"},
		{words: "drop=half count=1"},
		{words: "drop=half count=9"},
		{words: "latency=2ms when=after count=1"},
		{ends: context.Canceled},
		{ends: context.Canceled, after: true},
		{ends: context.DeadlineExceeded, after: true},
	}
}

// fewFaults are the kinds in short.
func fewFaults() []drillFault {
	return slices.DeleteFunc(writeFaults(), func(k drillFault) bool {
		return k.words != "code=InvalidParameter.Drill count=1" && k.words != "drop=after count=9" && k.words != "drop=half count=1" && !k.after
	})
}

// readFaults meet operations that read, after the first that wrote.
func readFaults() []drillFault {
	return []drillFault{
		{words: "code=InvalidParameter.Drill count=1"},
		{words: "drop=half count=9"},
		{ends: context.DeadlineExceeded},
	}
}

// rehearsal is what a drill comes to without a fault.
type rehearsal struct {
	text       string
	operations []crossing
	// states are what the account had at first and after each operation that
	// writes; the last is what was asked for.
	states []things
}

func (r rehearsal) before() things { return r.states[0] }
func (r rehearsal) want() things   { return r.states[len(r.states)-1] }

// firstWrite is the first operation that changes something.
func (r rehearsal) firstWrite() crossing {
	i := slices.IndexFunc(r.operations, func(c crossing) bool { return writesOperation(c.operation) })
	return r.operations[i]
}

// rehearse holds the drill without a fault.
func (f *field) rehearse(d drill, args func(dir string) arguments) rehearsal {
	f.t.Helper()
	r := rehearsal{states: []things{f.state.look()}}
	seen := map[string]int{}
	var mu sync.Mutex
	f.restore()
	f.wire.watch(func(operation string) {
		mu.Lock()
		defer mu.Unlock()
		seen[operation]++
		r.operations = append(r.operations, crossing{operation, seen[operation]})
		if writesOperation(operation) {
			r.states = append(r.states, f.state.look())
		}
	})
	text, isError := f.call(f.t.Context(), d.tool, args(f.t.TempDir()))
	f.wire.watch(nil)
	require.False(f.t, isError, "without a fault: %s", text)
	r.text = text
	r.states = append(r.states, f.state.look())
	return r
}

// maybe is how a tool says that it does not know whether something was done.
var maybe = regexp.MustCompile(`may have been carried out|may be done|has probably|may have been`)

// One of how many faults each drill meets unless ESA_MCP_DRILLS is all, and under
// the race detector. They have no factor in common with the numbers of the kinds,
// so that over the drills every kind has its turn.
const (
	plainShare = 5
	raceShare  = 17
)

// share is one of how many faults are met now.
func share() int {
	switch {
	case raceEnabled:
		return raceShare
	case os.Getenv("ESA_MCP_DRILLS") == "all":
		return 1
	}
	return plainShare
}

// TestFaultDrills holds every drill.
func TestFaultDrills(t *testing.T) {
	every := share()
	for _, d := range allDrills() {
		if raceEnabled && d.brief {
			continue
		}
		t.Run(d.name(), func(t *testing.T) {
			t.Parallel()
			f := newField(t)
			args := d.prepare(f)
			f.save()
			plain := f.rehearse(d, args)
			wrote, n := false, 0
			for _, at := range plain.operations {
				if _, known := catalog.Lookup(at.operation); !known && at.operation != uploadCall {
					continue // of another service: no fault can name it
				}
				writes := writesOperation(at.operation) || at.operation == uploadCall
				kinds := readFaults()
				if writes {
					kinds = writeFaults()
					if d.brief {
						kinds = fewFaults()
					}
				} else if !wrote {
					continue
				}
				wrote = wrote || writes
				for _, kind := range kinds {
					n++
					if n%every != 0 {
						continue
					}
					t.Run(fmt.Sprintf("%s %d %s", at.operation, at.nth, kind), func(t *testing.T) {
						f.at(t).meet(d, args(t.TempDir()), plain, at, kind)
					})
				}
			}
		})
	}
}

// at is the field for a part of its test.
func (f *field) at(t *testing.T) *field {
	f.t, f.state.t = t, t
	return f
}

// meet holds a drill with one fault.
func (f *field) meet(d drill, args arguments, plain rehearsal, at crossing, kind drillFault) {
	t := f.t
	f.restore()
	require.Empty(t, f.state.look().beyond(plain.before()))
	ctx := newEndable(t.Context())
	if kind.ends != nil {
		f.wire.endCall(at, kind.after, func() { ctx.end(kind.ends) })
	} else {
		f.faults(fmt.Sprintf("action=%s skip=%d %s", at.operation, at.nth-1, kind.words))
	}
	text, isError := f.call(ctx, d.tool, args)
	f.wire.endCall(crossing{}, false, nil)
	f.faults("")
	now := f.state.look()
	f.judge(plain, at, kind, text, isError, now)

	// As the agent would, once more: what may be done twice at once, the rest if
	// a look has shown that it is not there.
	again := f.tools[d.tool].Meta().Idempotent == tools.Yes && !d.anew
	if !again && !now.same(plain.before()) {
		return
	}
	second, isError := f.call(t.Context(), d.tool, args)
	final := f.state.look()
	require.True(t, final.same(plain.want()), "first: %s\nsecond: %s\n%s", text, second, plain.want().difference(final))
	if isError {
		require.Regexp(t, `already|exists|(?i)not ?found|no such|not ?exist|no `, second)
	}
}

// judge compares what a tool said with what the account has now.
func (f *field) judge(plain rehearsal, at crossing, kind drillFault, text string, isError bool, now things) {
	t := f.t
	require.Empty(t, now.beyond(plain.states...), "twice, or not asked for: %s", text)
	require.Empty(t, common(plain.states).beyond(now), "lost: %s", text)
	admits := isError || strings.Contains(text, `"status":"failed"`)
	if !admits {
		require.True(t, now.same(plain.want()), "it was not done, but: %s\n%s", text, plain.want().difference(now))
		if writesOperation(at.operation) && !strings.Contains(text, esa.NoteEarlierTry) {
			require.Equal(t, outline(t, plain.text), outline(t, text))
		}
		return
	}
	recent := f.changes()
	if now.same(plain.before()) {
		if kind.refused {
			require.NotRegexp(t, maybe, text, "nothing was done, and the service said so")
		}
		if kind.refused && at == plain.firstWrite() {
			require.Empty(t, recent, "the journal has what was not done")
		}
		return
	}
	require.NotEmpty(t, recent, "the journal does not have what was done")
	if now.same(plain.want()) && writesOperation(at.operation) {
		require.Regexp(t, maybe, text, "all was done")
		return
	}
	require.Regexp(t, maybe.String()+`|Carried out before|"status":"done"|stopped after [1-9]`, text, "a part was done")
}

// outline is a result without what differs each time, and without its notes.
func outline(t *testing.T, text string) string {
	var v map[string]any
	require.NoError(t, json.Unmarshal([]byte(text), &v), text)
	delete(v, "notes")
	raw, err := json.Marshal(v)
	require.NoError(t, err)
	return regexp.MustCompile(`\b(verify_)?[0-9a-f]{32}\b|\d{4}-\d\d-\d\dT[0-9:]+Z|\d{9,}|"seconds":[0-9.]+|esa_er_token=[^"]*|"RequestId":"[^"]*"`).ReplaceAllString(string(raw), "N")
}

// endable is a context that ends as it is told to.
type endable struct {
	context.Context
	done chan struct{}
	mu   sync.Mutex
	err  error
}

func newEndable(parent context.Context) *endable {
	return &endable{Context: parent, done: make(chan struct{})}
}

func (e *endable) end(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.err == nil {
		e.err = err
		close(e.done)
	}
}

func (e *endable) Done() <-chan struct{} { return e.done }

func (e *endable) Err() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.err
}

func (e *endable) Deadline() (time.Time, bool) { return time.Time{}, false }

// TestEveryWritingToolHasADrill wants a drill of each tool that changes something.
func TestEveryWritingToolHasADrill(t *testing.T) {
	var without []string
	for _, tool := range tools.All() {
		name := tool.Meta().Name
		_, exempt := writesNothing()[name]
		has := slices.ContainsFunc(allDrills(), func(d drill) bool { return d.tool == name })
		if tool.Meta().ReadOnly != tools.Yes && !has && !exempt {
			without = append(without, name)
		}
	}
	require.Empty(t, without)
}

// writesNothing are the tools that are not read-only and yet change nothing on
// the service, with the reason.
func writesNothing() map[string]string {
	return map[string]string{
		"export_records": "the service makes a file of the zone for it, which nobody else sees",
		"export_kv":      "it writes a file on this machine alone",
		"create_report":  "it writes a file on this machine alone",
	}
}

// allDrills are the drills of all tools. The first of each tool meets every kind
// of fault, the others few, unless ESA_MCP_DRILLS is all.
func allDrills() []drill {
	all := slices.Concat(siteDrills(), dnsDrills(), kvDrills(), cacheDrills(), ruleDrills(), certificateDrills(), securityDrills(), deployDrills(), routineDrills(), apiDrills())
	had := map[string]bool{}
	for i := range all {
		d := &all[i]
		d.brief = had[d.tool] && os.Getenv("ESA_MCP_DRILLS") != "all"
		had[d.tool] = true
		d.anew = d.tool == "purge_cache" || d.tool == "preload_cache"
	}
	return all
}
