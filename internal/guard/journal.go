package guard

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// Change is one entry of the audit log: an operation that writes, as it was sent
// or why it was not. It holds no secrets.
type Change struct {
	ID   string    `json:"id"`
	Time time.Time `json:"time"`
	// Tool and Args are the call of the tool that it belongs to.
	Tool string         `json:"tool,omitempty"`
	Args map[string]any `json:"tool_arguments,omitempty"`
	// Action and Params are the operation, after the guardrails.
	Action     string         `json:"action"`
	Params     map[string]any `json:"arguments"`
	Guardrails []string       `json:"guardrails,omitempty"`
	// Outcome is one of the constants below.
	Outcome     string `json:"outcome"`
	Error       string `json:"error,omitempty"`
	RequestID   string `json:"request_id,omitempty"`
	ConfirmedBy string `json:"confirmed_by,omitempty"`
	// Undoes is the change that this one took back, and UndoesCall which call of its
	// Undo this is, from 1; 0 in logs from before there was that: the only one.
	Undoes     string `json:"undoes,omitempty"`
	UndoesCall int    `json:"undoes_call,omitempty"`
	Undo       *Undo  `json:"undo,omitempty"`
}

// Outcomes of a change.
const (
	Done         = "done"
	Refused      = "refused"       // by a guardrail
	NotConfirmed = "not_confirmed" // it has to be, and was not
	FailedCall   = "failed"        // the service refused it
	Unknown      = "unknown"       // it may have been carried out
)

// maxRecent is how many changes are kept in memory, maxShownText how much of a
// text the log shows.
const (
	maxRecent    = 200
	maxShownText = 256
)

// Journal keeps changes: the last ones in memory, and all in a file if it has
// one. It is safe for concurrent use.
type Journal struct {
	// Redact takes the secrets out of what belongs to an operation.
	redact func(action string, body map[string]any) map[string]any
	path   string
	now    func() time.Time

	mu     sync.Mutex
	file   *os.File
	recent []Change
	kv     *kvMemory
}

// OpenJournal opens the audit log, and makes it if it is not there; an empty path
// keeps changes in memory alone.
func OpenJournal(path string, now func() time.Time, redact func(action string, body map[string]any) map[string]any) (*Journal, error) {
	j := &Journal{redact: redact, path: path, now: now}
	j.kv = newKVMemory(now, j.recallKV)
	if path == "" {
		return j, nil
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the audit log: %w", err)
	}
	j.file = file
	return j, nil
}

// Close closes the file.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.file == nil {
		return nil
	}
	file := j.file
	j.file = nil
	return file.Close()
}

// add completes a change and keeps it. The line goes out in one write, so that
// several processes may share the file.
func (j *Journal) add(c Change) error {
	var id [6]byte
	rand.Read(id[:]) // never fails
	c.ID, c.Time = hex.EncodeToString(id[:]), j.now().UTC()
	line, err := compactJSON(c)
	j.mu.Lock()
	defer j.mu.Unlock()
	j.recent = append(j.recent, c)
	if len(j.recent) > 2*maxRecent { // seldom, because it moves them all
		j.recent = slices.Delete(j.recent, 0, len(j.recent)-maxRecent)
	}
	if j.file == nil || err != nil {
		return err
	}
	_, err = io.WriteString(j.file, line+"\n")
	return err
}

// clean is what the log shows of parameters: no secrets, and no long texts.
func (j *Journal) clean(action string, params map[string]any) map[string]any {
	// Abridged first: a batch may have megabytes, which nothing else is to copy.
	plain, _ := decoded(abridged(params)).(map[string]any)
	short, _ := shortened(j.redact(action, plain)).(map[string]any)
	return short
}

// maxShownItems is how many members of a list or an object the log shows.
const maxShownItems = 50

// abridged cuts long lists and objects, and says how much is missing. What is
// cut is a copy.
func abridged(v any) any {
	switch v := v.(type) {
	case []any:
		if len(v) <= maxShownItems {
			return v
		}
		return append(slices.Clone(v[:maxShownItems]), fmt.Sprintf("... and %d more", len(v)-maxShownItems))
	case map[string]any:
		out := make(map[string]any, min(len(v), maxShownItems+1))
		for i, name := range slices.Sorted(maps.Keys(v)) {
			if i == maxShownItems {
				out["..."] = fmt.Sprintf("and %d more", len(v)-maxShownItems)
				break
			}
			out[name] = abridged(v[name])
		}
		return out
	}
	return v
}

func shortened(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			v[k] = shortened(e)
		}
	case []any:
		for i, e := range v {
			v[i] = shortened(e)
		}
	case string:
		if len(v) > maxShownText {
			return fmt.Sprintf("%.64q... (%d bytes)", v, len(v))
		}
	}
	return v
}

// Recent are the last changes that were carried out, the newest first.
func (j *Journal) Recent(most int) ([]Change, error) {
	var all []Change
	err := j.each(func(c Change) {
		if c.Outcome == Done || c.Outcome == Unknown {
			if all = append(all, c); len(all) > 2*most {
				all = slices.Delete(all, 0, len(all)-most)
			}
		}
	})
	if len(all) > most {
		all = all[len(all)-most:]
	}
	slices.Reverse(all)
	return all, err
}

// ErrNoChange says that the journal has no such change.
var ErrNoChange = errors.New("no such change")

// Taken is how far a change has been taken back.
type Taken struct {
	// By is the change that completed it; empty if none did.
	By string
	// calls are those of the Undo that were carried out, from 1; tried those that
	// were sent, too, but got no or no good answer.
	calls, tried map[int]bool
}

// Find returns a change, and how far later ones took it back.
func (j *Journal) Find(id string) (found Change, taken Taken, err error) {
	taken.calls, taken.tried = map[int]bool{}, map[int]bool{}
	last := ""
	err = j.each(func(c Change) {
		switch {
		case c.ID == id:
			found = c
		case c.Undoes == id && c.Outcome == Done && c.UndoesCall == 0:
			taken.By = c.ID
		case c.Undoes == id && c.Outcome == Done:
			taken.calls[c.UndoesCall], last = true, c.ID
		case c.Undoes == id && (c.Outcome == Unknown || c.Outcome == FailedCall):
			taken.tried[c.UndoesCall] = true
		}
	})
	if err == nil && found.ID == "" {
		err = ErrNoChange
	}
	if found.Undo != nil && len(taken.calls) > 0 && len(taken.calls) == len(found.Undo.Calls) {
		taken.By = last
	}
	return found, taken, err
}

// maxLine bounds one line of the log.
const maxLine = 8 << 20

// each gives all changes in order: those of the file, or else of the memory.
// Lines that are none are passed over: the last may be half written.
func (j *Journal) each(use func(Change)) error {
	if j.path == "" {
		j.mu.Lock()
		recent := slices.Clone(j.recent)
		j.mu.Unlock()
		for _, c := range recent {
			use(c)
		}
		return nil
	}
	return j.lines(func([]byte) bool { return true }, use)
}

// lines gives the changes of the file in order, of the lines that are wanted.
func (j *Journal) lines(wanted func(line []byte) bool, use func(Change)) error {
	file, err := os.Open(j.path)
	if err != nil {
		return fmt.Errorf("read the audit log: %w", err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(make([]byte, 64<<10), maxLine)
	for lines.Scan() {
		if !wanted(lines.Bytes()) {
			continue
		}
		d := json.NewDecoder(bytes.NewReader(lines.Bytes()))
		d.UseNumber()
		var c Change
		if d.Decode(&c) == nil && c.ID != "" {
			use(c)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read the audit log: %w", err)
	}
	return nil
}

// recallKV tells a memory what processes before this one have written to edge KV.
// What cannot be read is not known then.
func (j *Journal) recallKV(m *kvMemory) {
	if j.path == "" {
		return
	}
	// An error leaves out some, as a log that is not there does.
	_ = j.lines(func(line []byte) bool { return bytes.Contains(line, []byte("Kv")) }, func(c Change) {
		if op, ok := catalog.Lookup(c.Action); ok && op.Area == "kv" {
			m.recall(c)
		}
	})
}

// record keeps what became of a call that writes.
func (g *Guard) record(run *Run, c *Call, res esa.Result, failure error, undo *Undo) {
	if g.cfg.Journal == nil || run != nil && run.Dry {
		return
	}
	j := g.cfg.Journal
	change := Change{Action: c.Op.Action, Params: j.clean(c.Op.Action, c.params), Outcome: Done, RequestID: res.RequestID(), Undo: undo}
	for _, n := range c.notes {
		if !slices.Contains(change.Guardrails, n.ID) {
			change.Guardrails = append(change.Guardrails, n.ID)
		}
	}
	if run != nil {
		change.Tool, change.Undoes, change.UndoesCall = run.Tool, run.Undoes, run.UndoesCall
		if run.Args != nil {
			change.Args = j.clean("", run.Args)
		}
		if run.By != nil && len(c.asked) > 0 {
			change.ConfirmedBy = run.By()
		}
	}
	change.fail(failure)
	if err := j.add(change); err != nil {
		g.cfg.Logger.Error("the audit log could not be written", "action", c.Op.Action, "error", err.Error())
	}
}

// fail says how a call failed.
func (c *Change) fail(failure error) {
	if failure == nil {
		return
	}
	var (
		refused *Refusal
		service *esa.Error
	)
	switch {
	case errors.As(failure, &refused):
		c.Outcome, c.Error = Refused, refused.Reason
		c.Guardrails = append(c.Guardrails, refused.ID)
	case errors.As(failure, &service):
		c.Outcome, c.Error, c.RequestID = FailedCall, service.Code, service.RequestID
		if service.OutcomeUnknown {
			c.Outcome = Unknown
		}
	default:
		c.Outcome = NotConfirmed
	}
}
