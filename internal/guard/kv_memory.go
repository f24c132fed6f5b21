package guard

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// KVLag is how far a read of edge KV may be behind a write: 300 seconds by ESA's
// documentation of EdgeKV. There is no read that sees all writes.
const KVLag = 5 * time.Minute

// ErrKVLag says that nobody knows what a key of edge KV stands for now.
var ErrKVLag = errors.New("the key was written less than 5 minutes ago, reads of edge KV may be older than that, and what was written last is not known")

// Bounds of a kvMemory. Of what goes beyond them it knows only that it was written.
const (
	maxKVRemembered = 10_000   // keys
	maxKVHistory    = 16       // values of a key
	maxKVText       = 64 << 10 // bytes of a value
	maxKVTexts      = 16 << 20 // bytes of all values
)

// kvMemory knows what was written to edge KV as long as reads may not show it
// yet. It is safe for concurrent use.
type kvMemory struct {
	now  func() time.Time
	load func(m *kvMemory) // before the first use: what others have written
	once sync.Once

	mu   sync.Mutex
	keys map[kvName][]kvValue // the newest last
	// unknown is when keys of a namespace were written of which nothing is kept.
	unknown map[string]time.Time
	texts   int // bytes of all values that are kept
}

type kvName struct{ namespace, key string }

func newKVMemory(now func() time.Time, load func(*kvMemory)) *kvMemory {
	return &kvMemory{now: now, load: load, keys: map[kvName][]kvValue{}, unknown: map[string]time.Time{}}
}

// expires reads when a pair expires.
func expires(get func(name string) string, now time.Time) time.Time {
	if ttl, err := strconv.ParseInt(get("ExpirationTtl"), 10, 64); err == nil {
		return now.Add(time.Duration(ttl) * time.Second)
	}
	if at, err := strconv.ParseInt(get("Expiration"), 10, 64); err == nil {
		return time.Unix(at, 0)
	}
	return time.Time{}
}

func (m *kvMemory) begin() {
	m.once.Do(func() {
		if m.load != nil {
			m.load(m)
		}
	})
}

// add notes that a key has another value; before is what it was seen to be.
func (m *kvMemory) add(namespace, key string, before, v kvValue) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if v.since.IsZero() {
		v.since = m.now()
	}
	name := kvName{namespace, key}
	had := m.keys[name]
	if len(had) == 0 && len(m.keys) >= maxKVRemembered {
		for name, had := range m.keys {
			m.unknown[name.namespace] = v.since
			m.drop(had)
		}
		clear(m.keys)
		m.unknown[namespace] = v.since
		return
	}
	if len(had) == 0 || before.sure && had[len(had)-1].sure && had[len(had)-1].at(m.now()).print != before.print {
		before.since = v.since
		had = append(had, m.kept(before)) // of somebody else
	}
	if had = append(had, m.kept(v)); len(had) > maxKVHistory {
		cut := len(had) - maxKVHistory
		m.drop(had[:cut+1])
		had = had[cut:]
		had[0] = kvValue{since: had[0].since} // and more of which nothing is known
	}
	m.keys[name] = had
}

// kept is a value without its text if there is no more room for that.
func (m *kvMemory) kept(v kvValue) kvValue {
	if m.texts+len(v.text) > maxKVTexts {
		v.text, v.whole = "", false
	}
	m.texts += len(v.text)
	return v
}

// drop makes room.
func (m *kvMemory) drop(values []kvValue) {
	for _, v := range values {
		m.texts -= len(v.text)
	}
}

// blur notes that keys of a namespace were written, and not which.
func (m *kvMemory) blur(namespace string, when time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.unknown[namespace] = when
}

// history is what a key stood for of late, the newest last; nil if reads show
// what there is.
func (m *kvMemory) history(namespace, key string) []kvValue {
	m.begin()
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	name := kvName{namespace, key}
	had := m.keys[name]
	for len(had) > 1 && now.Sub(had[1].since) >= KVLag {
		m.drop(had[:1])
		had = had[1:]
	}
	if len(had) > 0 && now.Sub(had[len(had)-1].since) >= KVLag {
		m.drop(had)
		had = nil
	}
	if had == nil {
		delete(m.keys, name)
	} else {
		m.keys[name] = had
	}
	blurred := m.unknown[namespace]
	out := make([]kvValue, len(had), len(had)+1)
	for i, v := range had {
		out[i] = v.at(now)
	}
	switch {
	case now.Sub(blurred) >= KVLag:
	case len(had) == 0 || !had[len(had)-1].since.After(blurred):
		return append(out, kvValue{since: blurred})
	case len(out) > 0:
		return append([]kvValue{{since: blurred}}, out...)
	}
	return out
}

// settle tells what a key stands for from what a read shows, which may be older
// than what was written last.
func (m *kvMemory) settle(namespace, key string, seen subject) subject {
	had := m.history(namespace, key)
	if len(had) == 0 {
		return seen
	}
	last, shown := had[len(had)-1], kvSeen(seen)
	old := slices.ContainsFunc(had[:len(had)-1], func(v kvValue) bool { return v.sure && v.print == shown.print })
	sure := !slices.ContainsFunc(had, func(v kvValue) bool { return !v.sure })
	switch {
	case last.sure && last.print == shown.print:
		return seen
	case last.sure && !old && sure:
		return seen // none of ours: somebody else has written it since
	case last.sure && old && last.print == "":
		return subject{reads: seen.reads}
	case last.sure && old && last.whole:
		return subject{reads: seen.reads, state: last.fields()}
	}
	return subject{reads: seen.reads, unsure: true}
}

// written are the keys of a namespace that were written of late: what is known
// of them now, and how long ago.
func (m *kvMemory) written(namespace, prefix string) map[string]kvValue {
	m.begin()
	m.mu.Lock()
	names := slices.Collect(maps.Keys(m.keys))
	m.mu.Unlock()
	out := map[string]kvValue{}
	for _, name := range names {
		if name.namespace != namespace || !strings.HasPrefix(name.key, prefix) {
			continue
		}
		if had := m.history(namespace, name.key); len(had) > 0 {
			out[name.key] = had[len(had)-1]
		}
	}
	return out
}

// note remembers what a call has written, or may have.
func (m *kvMemory) note(c *Call, before prior, answer map[string]any, failure error) {
	if c.Op.Area != "kv" {
		return
	}
	fate := Change{Outcome: Done}
	fate.fail(failure)
	if fate.Outcome != Done && fate.Outcome != Unknown || c.settled {
		return
	}
	m.begin()
	namespace, now := c.Text("Namespace"), m.now()
	named := func(field string) map[string]bool {
		out := map[string]bool{}
		list, _ := answer[field].([]any)
		for _, key := range list {
			out[scalar(key)] = true
		}
		return out
	}
	put := func(key string, was subject, v kvValue) {
		if fate.Outcome == Unknown {
			v.maybe, v.sure = v.sure, false
		}
		m.add(namespace, key, kvSeen(was), v)
	}
	batch := func(key string, v kvValue, done, failed map[string]bool) {
		switch {
		case done[key] || fate.Outcome == Unknown:
			put(key, before.values[key], v)
		case !failed[key]:
			put(key, before.values[key], kvValue{})
		}
	}
	switch c.Op.Action {
	case "PutKv":
		put(c.Text("Key"), before.thing, pairValue(c.Text, now))
	case "PutKvWithHighCapacity":
		put(c.Text("Key"), before.thing, kvValue{sure: c.uploaded != "", print: c.uploaded})
	case "DeleteKv":
		put(c.Text("Key"), before.thing, kvValue{sure: true})
	case "BatchPutKv":
		done, failed := named("SuccessKeys"), named("FailKeys")
		eachPair(c, func(get func(string) string) { batch(get("Key"), pairValue(get, now), done, failed) })
	case "BatchDeleteKv":
		done, failed := named("SuccessKeys"), named("FailKeys")
		for _, key := range items(c, "Keys") {
			batch(scalar(key), kvValue{sure: true}, done, failed)
		}
	case "BatchPutKvWithHighCapacity", "BatchDeleteKvWithHighCapacity", "DeleteKvNamespace":
		m.blur(namespace, now)
	}
}

// pairValue is what a pair that is sent stands for.
func pairValue(get func(name string) string, now time.Time) kvValue {
	v := kvOf(kvFields(get("Value"), strings.EqualFold(get(base64Field), "true")))
	v.until = expires(get, now)
	return v
}

// triedSince reports whether a key stands for one of two values: what a change
// left, or what was sent after it without an answer, one or several times.
func (m *kvMemory) triedSince(e Expect, sent kvValue) bool {
	had := m.history(scalar(e.Params["Namespace"]), scalar(e.Params["Key"]))
	tries := 0
	for len(had) > 0 && had[len(had)-1].maybe && had[len(had)-1].print == sent.print {
		had, tries = had[:len(had)-1], tries+1
	}
	return tries > 0 && len(had) > 0 && had[len(had)-1].sure && had[len(had)-1].print == kvExpected(e).print
}

// changed compares what a key stands for with what a change left: a difference,
// or none, or ErrKVLag. That it is back already, because taking it back was tried
// without an answer, is no difference: back is what it was.
func (m *kvMemory) changed(e Expect, seen subject, back map[string]kvValue) ([]Difference, error) {
	now := m.settle(scalar(e.Params["Namespace"]), scalar(e.Params["Key"]), seen)
	is, want := kvSeen(now), kvExpected(e)
	switch {
	case now.unsure:
		if was, known := back[scalar(e.Params["Key"])]; known && m.triedSince(e, was) {
			return nil, nil
		}
		return nil, ErrKVLag
	case is.print == want.print:
		return nil, nil
	case e.Absent:
		return []Difference{{Field: named(e), Before: "gone", After: "there again"}}, nil
	case is.print == "":
		return []Difference{{Field: named(e), Before: "there", After: "gone"}}, nil
	}
	return []Difference{{Field: "Value", Before: e.Fields["Value"], After: now.state["Value"]}}, nil
}

// correctKV settles what was read of a key.
func (s *state) correctKV(params esa.Params, seen subject) subject {
	if seen.reads != "GetKv" {
		return seen
	}
	return s.kv.settle(scalar(params["Namespace"]), scalar(params["Key"]), seen)
}
