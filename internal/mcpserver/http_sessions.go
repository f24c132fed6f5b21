package mcpserver

import (
	"crypto/rand"
	"errors"
	"sync"

	"github.com/mark3labs/mcp-go/server"
)

// sessions knows the ids of the sessions that live. mcp-go's own managers take
// any well-formed id, or remember those that ended for ever.
type sessions struct {
	limit int

	mu   sync.Mutex
	live map[string]bool
}

var _ server.SessionIdManager = (*sessions)(nil)

func newSessions(limit int) *sessions {
	return &sessions{limit: limit, live: make(map[string]bool)}
}

var errNoSession = errors.New("there is no such session")

// full reports whether no session can be added.
func (s *sessions) full() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.live) >= s.limit
}

// has reports whether a session lives.
func (s *sessions) has(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.live[id]
}

// Generate makes a session with an id that cannot be guessed.
func (s *sessions) Generate() string {
	id := rand.Text()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.live[id] = true
	return id
}

// Validate returns an error unless the session lives.
func (s *sessions) Validate(id string) (terminated bool, err error) {
	if !s.has(id) {
		return false, errNoSession
	}
	return false, nil
}

// Terminate ends a session; one that has ended is no error.
func (s *sessions) Terminate(id string) (notAllowed bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.live, id)
	return false, nil
}
