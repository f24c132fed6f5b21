package tools

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"runtime/debug"
	"sync"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// kvLimits are how large the batches of an import get and how many of them are
// under way at once. The service answers 429 to more than it likes, which the
// client repeats.
type kvLimits struct {
	bytes   int
	keys    int64
	workers int
}

// limitsFor chooses the flow by the size of the source, in bytes. Plain batches
// are quickest for a little. For much, uploads are as quick where calls are, and
// quicker where each takes its time; they take a tenth of the calls to edge KV,
// whose number the service limits, and with these limits no more memory.
func limitsFor(source int64) kvLimits {
	if source > largeKVImport {
		return kvLimits{bytes: 8_000_000, keys: math.MaxInt64, workers: 2}
	}
	return kvLimits{bytes: maxKVBatch, keys: maxKVKeys, workers: 4}
}

// largeKVImport is what takes more than sixteen plain batches.
const largeKVImport = 16 * maxKVBatch

// kvImport is one run of import_kv. One goroutine reads, cuts batches and keeps
// the state; workers send. Batches that share a key follow each other, so that
// the last value of the source wins.
type kvImport struct {
	d                     *Deps
	source                kvSource
	prefix                string
	statePath, failedPath string
	state                 kvImportState
	failed                *os.File
	out                   *ImportKVOutput

	limits  kvLimits
	start   int64   // of the next batch
	ahead   *kvItem // read, but too much for the last batch
	ended   bool
	sending map[string]int // keys under way
	noted   map[string]bool
}

// kvBatch is a part of the source on its way.
type kvBatch struct {
	kvRange
	items    []kvItem // without those that a later one replaces
	replaced int64
	offset   int64 // of the source, behind it
	failed   []kvFailure
	notes    Noted
	err      error
}

// open begins anew or goes on with what the state file tells of.
func (r *kvImport) open(want kvImportState, restart bool) error {
	r.state, r.noted, r.sending = want, map[string]bool{}, map[string]int{}
	r.limits = limitsFor(r.source.size())
	var old kvImportState
	found := false
	if !restart {
		var err error
		if found, err = loadState(r.statePath, &old); err != nil {
			return err
		}
	}
	if found {
		if !old.same(want) {
			return Refuse("%s is of another import (other namespace, path, format or prefix), or the source has changed since. Give restart true to begin anew, or another state_file.", r.statePath)
		}
		r.state = old
		if err := r.source.skip(old.Rows); err != nil {
			return fmt.Errorf("find the place in the source: %w", err)
		}
	}
	r.start = r.state.Rows
	var err error
	if r.failed, err = cutFile(r.failedPath, r.state.FailedBytes); err != nil {
		return Refuse("The file of failed rows cannot be written: %v.", err)
	}
	if err := saveState(r.statePath, r.state); err != nil {
		return errors.Join(Refuse("%v. Give state_file a place that can be written.", err), r.failed.Close())
	}
	return nil
}

// finish closes the files and removes those that are of no use any more.
func (r *kvImport) finish(complete bool) error {
	err := r.failed.Close()
	if r.state.Failed == 0 {
		err = errors.Join(err, os.Remove(r.failedPath))
	}
	if complete {
		err = errors.Join(err, dropState(r.statePath))
	}
	return err
}

// run sends all that is left. Batches under way are let finish when one fails.
func (r *kvImport) run(ctx context.Context) error {
	todo, done := make(chan *kvBatch), make(chan *kvBatch)
	var workers sync.WaitGroup
	for range r.limits.workers {
		workers.Go(func() {
			for b := range todo {
				r.send(ctx, b)
				done <- b
			}
		})
	}
	defer workers.Wait()
	defer close(todo)
	var (
		next     *kvBatch
		underWay int
		failure  error
	)
	for {
		if next == nil && failure == nil {
			if next, failure = r.cut(); failure == nil && ctx.Err() != nil {
				failure = ctx.Err()
			}
		}
		if failure != nil {
			next = nil
		}
		if next == nil && underWay == 0 {
			return failure
		}
		var give chan *kvBatch // nil blocks
		if next != nil && !r.clashes(next) {
			give = todo
		}
		select {
		case give <- next:
			r.mark(next, 1)
			next = nil
			underWay++
		case b := <-done:
			r.mark(b, -1)
			underWay--
			// That rows may be stored is worth more than why no more were sent.
			if err := r.commit(ctx, b); err != nil && (failure == nil || esa.OutcomeUnknown(err)) {
				failure = err
			}
		}
	}
}

// send is what a worker does.
func (r *kvImport) send(ctx context.Context, b *kvBatch) {
	defer func() {
		if v := recover(); v != nil {
			r.d.Logger.Error("import panicked", "panic", Clean(fmt.Sprint(v)), "stack", string(debug.Stack()))
			b.err = errors.New("internal error: this is a bug in esa-mcp")
		}
	}()
	b.failed, b.err = sendKV(ctx, r.d, &b.notes, r.state.Namespace, b.items)
}

// cut makes the next batch that is not done; nil at the end of the source. Where
// batches end depends on the rows alone, so that a later run cuts alike.
func (r *kvImport) cut() (*kvBatch, error) {
	for !r.ended || r.ahead != nil {
		b, err := r.fill()
		if err != nil {
			return nil, err
		}
		if b.Rows > 0 && !r.state.has(b.kvRange) {
			return b, nil
		}
	}
	return nil, nil
}

func (r *kvImport) fill() (*kvBatch, error) {
	b := &kvBatch{kvRange: kvRange{Start: r.start}, items: make([]kvItem, 0, 1024)}
	at := map[string]int{}
	for size := 2; ; {
		item, err := r.read()
		if errors.Is(err, io.EOF) {
			r.ended = true
			break
		}
		if err != nil {
			return nil, err
		}
		n := item.size()
		if b.Rows > 0 && (b.Rows == r.limits.keys || size+n > r.limits.bytes) {
			r.ahead = item
			break
		}
		b.Rows++
		size += n
		if i, twice := at[item.Key]; twice && item.Problem == "" {
			b.items[i] = *item
			b.replaced++
			continue
		}
		if item.Problem == "" {
			at[item.Key] = len(b.items)
		}
		b.items = append(b.items, *item)
	}
	r.start += b.Rows
	b.offset = r.source.offset()
	return b, nil
}

func (r *kvImport) read() (*kvItem, error) {
	if item := r.ahead; item != nil {
		r.ahead = nil
		return item, nil
	}
	if r.ended {
		return nil, io.EOF
	}
	item, err := r.source.next()
	if err == nil && r.prefix != "" {
		item.Key = r.prefix + item.Key
		item.check()
	}
	return &item, err
}

// clashes reports whether a key of the batch is under way.
func (r *kvImport) clashes(b *kvBatch) bool {
	if len(r.sending) == 0 {
		return false
	}
	for i := range b.items {
		if b.items[i].Problem == "" && r.sending[b.items[i].Key] > 0 {
			return true
		}
	}
	return false
}

func (r *kvImport) mark(b *kvBatch, change int) {
	for i := range b.items {
		item := &b.items[i]
		if item.Problem != "" {
			continue
		}
		if r.sending[item.Key] += change; r.sending[item.Key] == 0 {
			delete(r.sending, item.Key)
		}
	}
}

// commit notes what became of a batch: failed rows first, then the state, so that
// the state never tells of rows that are not there.
func (r *kvImport) commit(ctx context.Context, b *kvBatch) error {
	for _, note := range b.notes.Notes {
		if !r.noted[note.ID] {
			r.noted[note.ID] = true
			r.out.Note(note)
		}
	}
	if b.err != nil {
		return b.err
	}
	var lines []byte
	for _, f := range b.failed {
		lines = append(appendJSON(lines, kvFailedRow{kvRow: rowOf(f.kvItem), File: f.File, Error: f.Reason}), '\n')
		if len(r.out.Failed) < maxKVFailures {
			r.out.Failed = append(r.out.Failed, KVFailedKey{f.Key, f.Reason})
		}
	}
	if _, err := r.failed.Write(lines); err != nil {
		return fmt.Errorf("write the failed rows: %w", err)
	}
	s := &r.state
	s.FailedBytes += int64(len(lines))
	s.Failed += int64(len(b.failed))
	s.Stored += int64(len(b.items) - len(b.failed))
	s.Replaced += b.replaced
	s.done(b.kvRange)
	if err := saveState(r.statePath, s); err != nil {
		return err
	}
	Progress(ctx, float64(b.offset), float64(r.source.size()), fmt.Sprintf("%d stored, %d failed", s.Stored, s.Failed))
	return nil
}
