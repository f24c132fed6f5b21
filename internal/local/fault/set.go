package fault

import (
	"context"
	"math/rand/v2"
	"strings"
	"sync"
	"time"
)

// Set holds the faults that are switched on. It may be used by many goroutines;
// a nil Set has no faults.
type Set struct {
	mu      sync.Mutex
	last    int
	entries []*entry
}

type entry struct {
	id      int
	fault   Fault
	random  *rand.Rand
	matched int
	hit     int
	gone    chan struct{} // closed when the fault is taken away
}

// Entry is a fault that is switched on, and how often it applied.
type Entry struct {
	ID    int    `json:"id"`
	Fault string `json:"fault"` // as Parse reads it
	// Matched counts the calls that it was about, Hit those that it met.
	Matched int `json:"matched"`
	Hit     int `json:"hit"`
}

// NewSet makes a set of those faults.
func NewSet(faults ...Fault) *Set {
	s := &Set{}
	s.Add(faults...)
	return s
}

// Add switches faults on and returns their ids.
func (s *Set) Add(faults ...Fault) []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	ids := make([]int, 0, len(faults))
	for _, f := range faults {
		s.last++
		s.entries = append(s.entries, &entry{id: s.last, fault: f, random: rand.New(rand.NewPCG(f.Seed, 0)), gone: make(chan struct{})})
		ids = append(ids, s.last)
	}
	return ids
}

// Remove switches a fault off, all if id is 0, and returns how many that were.
func (s *Set) Remove(id int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	var kept []*entry
	for _, e := range s.entries {
		if id == 0 || e.id == id {
			close(e.gone)
			continue
		}
		kept = append(kept, e)
	}
	removed := len(s.entries) - len(kept)
	s.entries = kept
	return removed
}

// List returns the faults in the order in which they were added.
func (s *Set) List() []Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]Entry, 0, len(s.entries))
	for _, e := range s.entries {
		list = append(list, Entry{ID: e.id, Fault: e.fault.String(), Matched: e.matched, Hit: e.hit})
	}
	return list
}

// meet returns the entries of that kind that a call meets.
func (s *Set) meet(k kind, c Call) []*entry {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var met []*entry
	for _, e := range s.entries {
		if e.fault.kind() == k && e.fault.matches(c) && e.draw() {
			met = append(met, e)
		}
	}
	return met
}

// draw decides whether a call that matches is met.
func (e *entry) draw() bool {
	e.matched++
	f := e.fault
	chosen := f.Rate == 0 || e.random.Float64() < f.Rate // drawn for skipped calls, too
	if !chosen || e.matched <= f.Skip || f.Count > 0 && e.hit >= f.Count {
		return false
	}
	e.hit++
	return true
}

// Injection is what happens to one call.
type Injection struct {
	before, after time.Duration // to wait
	Drop          Drop
	// Code, if set, is the refusal that is answered instead of the answer; After
	// says that the call is carried out all the same.
	Code, Message string
	Status        int
	After         bool
}

// Call decides what happens to a call. Waits add up; of refusals and drops the
// first counts.
func (s *Set) Call(c Call) Injection {
	var in Injection
	for _, e := range s.meet(ofCalls, c) {
		f := e.fault
		if f.After {
			in.after += f.Latency
		} else {
			in.before += f.Latency
		}
		if in.Code != "" || in.Drop != "" {
			continue
		}
		in.Drop, in.Code, in.After = f.Drop, f.Code, f.After
		if f.Code == "" {
			continue
		}
		if in.Message = f.Message; in.Message == "" {
			in.Message = "The call failed: " + f.Code + "."
		}
		if in.Status = f.Status; in.Status == 0 {
			in.Status = StatusOf(f.Code, c.Action)
		}
	}
	return in
}

// Before waits for what comes before a call, and reports whether the call is
// to be carried out or answered at all: the connection may be cut first.
func (in Injection) Before(ctx context.Context) bool {
	return wait(ctx, in.before) && in.Drop != DropBefore
}

// Carry is the context to carry the call out with. One whose answer waits is
// carried out even for a client that gives up waiting.
func (in Injection) Carry(ctx context.Context) context.Context {
	if in.after > 0 {
		return context.WithoutCancel(ctx)
	}
	return ctx
}

func wait(ctx context.Context, d time.Duration) bool {
	if d == 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// Lag is how far back a read of KV sees; 0 for one that sees what is.
func (s *Set) Lag(c Call) time.Duration {
	lag := time.Duration(0)
	for _, e := range s.meet(ofReads, c) {
		lag = max(lag, e.fault.Stale)
	}
	return lag
}

// MaxLag is how far back any read may have to see.
func (s *Set) MaxLag() time.Duration {
	if s == nil {
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	lag := time.Duration(0)
	for _, e := range s.entries {
		lag = max(lag, e.fault.Stale)
	}
	return lag
}

// Build reports whether the build of a routine's version fails. A build that is
// to hang is kept here until the fault is taken away or ctx ends.
func (s *Set) Build(ctx context.Context, routine string) (fails bool) {
	for _, e := range s.meet(ofBuilds, Call{Routine: routine}) {
		if e.fault.Build == BuildFail {
			return true
		}
		select {
		case <-e.gone:
		case <-ctx.Done():
		}
	}
	return false
}

// StatusOf is the HTTP status that a code comes with: the documented one, or
// what codes of its form have.
func StatusOf(code, action string) int {
	switch code {
	case "TooQuickRequests":
		return 429
	case "ServiceUnavailable", "Site.ServiceBusy", "Record.ServiceBusy":
		return 503
	case "InternalException", "InternalError", "ServiceInvokeFailed", "undefined":
		return 500
	case "InvalidNameSpace.Duplicate", "InvalidNameSpace.QuotaFull":
		return 406
	case "InvalidKey.ExceedsCapacity", "UnsupportedHTTPMethod", "NoPermission", "AccessDenied":
		return 403
	case "SiteNotFound":
		return 404
	}
	switch {
	case action == Upload && (strings.HasPrefix(code, "Signature") || strings.HasPrefix(code, "Invalid")):
		return 403 // the object storage's
	case strings.HasPrefix(code, "Forbidden"):
		return 403
	case strings.HasSuffix(code, ".NotFound"):
		return 404
	}
	return 400 // throttling, too: see the facts about TooManyRequests
}
