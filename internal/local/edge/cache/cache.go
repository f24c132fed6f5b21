// Package cache is the edge's cache: whole responses in memory, by key, the least
// recently used dropped first. It decides how long a response may be kept, and
// drops what purges name.
//
// It must not know how rules are matched nor how a response is fetched or sent.
package cache

import (
	"container/list"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Entry is a response that was kept. It never changes.
type Entry struct {
	SiteID int64
	// Host, Path and Query are what the response is of; the query as the key has
	// it, which settings shape.
	Host, Path, Query string
	// Shape makes of a request's query what the key has of it.
	Shape func(query string) string
	// Variant are the further parts of the key: UserDeviceType, UserGeo,
	// UserLanguage, and header and cookie names.
	Variant map[string]string

	Status  int
	Header  http.Header
	Body    []byte
	Tags    []string
	Stored  time.Time
	Expires time.Time
}

// Fresh reports whether the entry may be served at that time without asking.
func (e *Entry) Fresh(now time.Time) bool { return now.Before(e.Expires) }

// size is about what an entry takes in memory.
func (e *Entry) size() int64 {
	n := int64(len(e.Body) + len(e.Host) + len(e.Path) + len(e.Query) + 1024)
	for name, values := range e.Header {
		n += int64(len(name))
		for _, v := range values {
			n += int64(len(v))
		}
	}
	return n
}

// Store keeps entries by key. It is safe for concurrent use.
type Store struct {
	max int64

	mu      sync.Mutex
	entries map[string]*list.Element
	recent  *list.List // of *slot, the most recently used first
	size    int64
	purges  []applied
	passed  int64 // purges that were applied in all
}

type slot struct {
	key   string
	entry *Entry
}

// applied is a purge that was applied as the n-th.
type applied struct {
	n     int64
	purge Purge
}

// remembered bounds the purges that Put looks back at.
const remembered = 1000

// New returns a store that holds so many bytes.
func New(maxBytes int64) *Store {
	return &Store{max: maxBytes, entries: map[string]*list.Element{}, recent: list.New()}
}

// Get returns the entry of a key, fresh or not; nil if there is none.
func (s *Store) Get(key string) *Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entries[key]
	if e == nil {
		return nil
	}
	s.recent.MoveToFront(e)
	return e.Value.(*slot).entry
}

// Ticket marks the time at which a response was asked for. An entry is not kept
// if a purge since then names it: the response may be older than the purge.
type Ticket int64

// Begin returns a ticket for a fetch that begins now.
func (s *Store) Begin() Ticket {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Ticket(s.passed)
}

// Put keeps an entry, in place of an older one of the same key.
func (s *Store) Put(key string, e *Entry, since Ticket) {
	size := e.size()
	if size > s.max/4 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.passed-int64(since) > int64(len(s.purges)) {
		return // more purges than are remembered
	}
	for _, a := range s.purges {
		if a.n > int64(since) && a.purge.names(e) {
			return
		}
	}
	s.drop(s.entries[key])
	s.entries[key] = s.recent.PushFront(&slot{key, e})
	s.size += size
	for s.size > s.max {
		s.drop(s.recent.Back())
	}
}

// Purge drops what a purge names, and returns how many entries that were.
func (s *Store) Purge(p Purge) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.passed++
	s.purges = append(s.purges, applied{s.passed, p})
	if len(s.purges) > remembered {
		s.purges = slices.Delete(s.purges, 0, len(s.purges)-remembered)
	}
	dropped := 0
	for e := s.recent.Front(); e != nil; {
		next := e.Next()
		if p.names(e.Value.(*slot).entry) {
			s.drop(e)
			dropped++
		}
		e = next
	}
	return dropped
}

// Clear drops everything.
func (s *Store) Clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.passed += remembered + 1 // what is being fetched is not kept either
	s.purges = nil
	clear(s.entries)
	s.recent.Init()
	s.size = 0
}

// drop forgets an element; nil does nothing.
func (s *Store) drop(e *list.Element) {
	if e == nil {
		return
	}
	old := s.recent.Remove(e).(*slot)
	delete(s.entries, old.key)
	s.size -= old.entry.size()
}

// Len is how many entries there are.
func (s *Store) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.entries)
}
