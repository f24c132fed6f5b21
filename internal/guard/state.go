package guard

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// maxKept bounds the answers that are kept.
const maxKept = 512

// state keeps answers of operations that read for a short while, so that the
// guardrails of a call, and those of the calls after it, share them.
type state struct {
	next  esa.Caller
	keep  time.Duration
	now   func() time.Time
	mu    sync.Mutex
	kept  map[string]kept
	epoch int // grows with each write
	// lasting are facts that, once true, stay true while the process lives.
	lasting map[string]bool
	kv      *kvMemory
}

type kept struct {
	area, site string
	body       map[string]any
	until      time.Time
}

func newState(next esa.Caller, keep time.Duration, now func() time.Time, kv *kvMemory) *state {
	return &state{next: next, keep: keep, now: now, kv: kv, kept: make(map[string]kept), lasting: make(map[string]bool)}
}

// reading begins a read. The function it returns keeps the answer, unless
// something was written meanwhile.
func (s *state) reading(op *catalog.Operation, params esa.Params) (store func(body map[string]any)) {
	if op.Effect != catalog.Read || op.SideEffect || op.SecretInResponse {
		return func(map[string]any) {}
	}
	key, site := keyOf(op, params)
	s.mu.Lock()
	began := s.epoch
	s.mu.Unlock()
	return func(body map[string]any) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.epoch != began {
			return
		}
		if len(s.kept) >= maxKept {
			clear(s.kept)
		}
		s.kept[key] = kept{op.Area, site, body, s.now().Add(s.keep)}
	}
}

// keyOf makes one key of a call, whatever the spelling of its parameters.
func keyOf(op *catalog.Operation, params esa.Params) (key, site string) {
	params = canonical(op, params)
	var b strings.Builder
	b.WriteString(op.Action)
	for _, name := range slices.Sorted(maps.Keys(params)) {
		text := scalar(params[name])
		if text == "" {
			text, _ = compactJSON(params[name])
		}
		b.WriteString("\x00" + name + "=" + text)
	}
	return b.String(), scalar(params["SiteId"])
}

// changed forgets what a write may have changed: answers of its area, of its
// site if it names one. Sites and plans hang together with everything.
func (s *state) changed(op *catalog.Operation, site string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.epoch++
	if op.Area == "site" || op.Area == "plan-billing-quota" || op.Area == "version-management" {
		clear(s.kept)
		return
	}
	for key, k := range s.kept {
		if k.area == op.Area && (site == "" || k.site == "" || k.site == site) {
			delete(s.kept, key)
		}
	}
}

func (s *state) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.epoch++
	clear(s.kept)
}

// read answers an operation that reads, from what is kept if it is fresh and may
// be believed. The
// answer is shared: it must not be changed.
func (s *state) read(ctx context.Context, action string, params esa.Params, anew bool) (map[string]any, error) {
	op, ok := catalog.Lookup(action)
	if !ok || op.Effect != catalog.Read {
		return nil, fmt.Errorf("%s is no operation that reads", action)
	}
	key, _ := keyOf(op, params)
	s.mu.Lock()
	k, ok := s.kept[key]
	s.mu.Unlock()
	if ok && !anew && s.now().Before(k.until) {
		return k.body, nil
	}
	store := s.reading(op, params)
	res, err := s.next.Call(ctx, action, params)
	if err != nil {
		return nil, err
	}
	store(res.Body)
	return res.Body, nil
}

// State is what guardrails see of the account. Answers are believed for a short
// while, and forgotten when something is written that may change them.
type State struct{ s *state }

// First reports whether it is the first time that this is asked of the key.
func (s *State) First(key string) bool {
	s.s.mu.Lock()
	defer s.s.mu.Unlock()
	had := s.s.lasting[key]
	s.s.lasting[key] = true
	return !had
}

// Lasting finds out a fact that stays true once it is: ask is called until it
// says so.
func (s *State) Lasting(key string, ask func() (bool, error)) (bool, error) {
	s.s.mu.Lock()
	had := s.s.lasting[key]
	s.s.mu.Unlock()
	if had {
		return true, nil
	}
	is, err := ask()
	if is && err == nil {
		s.First(key)
	}
	return is, err
}

// Read answers an operation that reads, decoded into T as encoding/json does.
func Read[T any](ctx context.Context, s *State, action string, params esa.Params) (T, error) {
	return read[T](ctx, s, action, params, false)
}

// ReadAnew is Read of what may have changed by itself: it asks the service.
func ReadAnew[T any](ctx context.Context, s *State, action string, params esa.Params) (T, error) {
	return read[T](ctx, s, action, params, true)
}

func read[T any](ctx context.Context, s *State, action string, params esa.Params, anew bool) (T, error) {
	var out T
	body, err := s.s.read(ctx, action, params, anew)
	if err != nil {
		return out, err
	}
	if err := (esa.Result{Body: body}).Decode(&out); err != nil {
		return out, fmt.Errorf("%s: %w", action, err)
	}
	return out, nil
}

// ID is an id of the service, which answers it as a number or as text.
type ID string

// UnmarshalJSON takes both forms.
func (id *ID) UnmarshalJSON(raw []byte) error {
	*id = ID(bytes.Trim(raw, `"`))
	if string(raw) == "null" {
		*id = ""
	}
	return nil
}

// Number is the id as a parameter.
func (id ID) Number() json.Number { return json.Number(id) }
