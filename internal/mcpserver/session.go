package mcpserver

import (
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// writer puts whole lines on the output, one at a time.
type writer struct {
	mu  sync.Mutex
	out io.Writer
	// closed drops everything that is still to come: after an error, and of
	// calls that did not end in time.
	closed atomic.Bool
	// failed is told the first error.
	failed func(error)
}

func (w *writer) line(text []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed.Load() {
		return
	}
	// One Write a line: a reader of the pipe sees whole messages.
	if _, err := w.out.Write(append(text, '\n')); err != nil {
		w.closed.Store(true)
		w.failed(err)
	}
}

// close does not wait for a write that the client does not read.
func (w *writer) close() { w.closed.Store(true) }

// session is the client of one loop, as mcp-go wants to see it.
type session struct {
	out    *writer
	notes  chan mcp.JSONRPCNotification
	flushs chan chan struct{}
	done   chan struct{}

	requests    requests
	initialized atomic.Bool
	level       atomic.Value // mcp.LoggingLevel
	mu          sync.Mutex
	revision    string
	info        mcp.Implementation
	abilities   mcp.ClientCapabilities
}

func newSession(out *writer) *session {
	return &session{
		out:    out,
		notes:  make(chan mcp.JSONRPCNotification, 256),
		flushs: make(chan chan struct{}),
		done:   make(chan struct{}),
	}
}

// pump writes notifications until the session is done. It alone takes from the
// channel, so that flush can tell when it is empty.
func (s *session) pump() {
	for {
		select {
		case n := <-s.notes:
			s.notify(n)
		case flushed := <-s.flushs:
			s.drain()
			close(flushed)
		case <-s.done:
			s.drain()
			return
		}
	}
}

func (s *session) drain() {
	for {
		select {
		case n := <-s.notes:
			s.notify(n)
		default:
			return
		}
	}
}

// flush returns when every notification sent before it is on the output.
func (s *session) flush() {
	flushed := make(chan struct{})
	select {
	case s.flushs <- flushed:
		<-flushed
	case <-s.done:
	}
}

// notify writes a notification; one that cannot be encoded is dropped.
func (s *session) notify(notification any) {
	if text, err := encodeJSON(notification); err == nil {
		s.out.line(text)
	}
}

// progress writes a progress notification on the caller's goroutine: none is
// dropped, and all are out before the call's answer.
func (s *session) progress(token json.RawMessage, done, total float64, text string) {
	if note := progressNote(token, done, total, text); note != nil {
		s.out.line(note)
	}
}

// progressNote is a progress notification; nil if the numbers cannot be encoded.
func progressNote(token json.RawMessage, done, total float64, text string) []byte {
	type params struct {
		ProgressToken json.RawMessage `json:"progressToken"`
		Progress      float64         `json:"progress"`
		Total         float64         `json:"total,omitempty"`
		Message       string          `json:"message,omitempty"`
	}
	note, err := encodeJSON(struct {
		JSONRPC string `json:"jsonrpc"`
		Method  string `json:"method"`
		Params  params `json:"params"`
	}{"2.0", "notifications/progress", params{token, done, total, text}})
	if err != nil {
		return nil
	}
	return note
}

// SessionID tells the sessions of one server apart while they live.
func (s *session) SessionID() string { return fmt.Sprintf("stdio-%p", s) }

func (s *session) NotificationChannel() chan<- mcp.JSONRPCNotification { return s.notes }
func (s *session) Initialize()                                         { s.initialized.Store(true) }
func (s *session) Initialized() bool                                   { return s.initialized.Load() }
func (s *session) SetLogLevel(l mcp.LoggingLevel)                      { s.level.Store(l) }

func (s *session) GetLogLevel() mcp.LoggingLevel {
	if l, ok := s.level.Load().(mcp.LoggingLevel); ok {
		return l
	}
	return mcp.LoggingLevelWarning
}

func (s *session) GetClientInfo() mcp.Implementation {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.info
}

func (s *session) SetClientInfo(info mcp.Implementation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.info = info
}

func (s *session) GetClientCapabilities() mcp.ClientCapabilities {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.abilities
}

func (s *session) SetClientCapabilities(c mcp.ClientCapabilities) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.abilities = c
}

// ProtocolVersion is the revision that initialize has negotiated; empty before.
func (s *session) ProtocolVersion() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.revision
}

// SetProtocolVersion keeps what initialize negotiated. Requests of the revision
// without a handshake say their own, and must not change that of the others.
func (s *session) SetProtocolVersion(revision string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !mcp.IsModernProtocol(revision) {
		s.revision = revision
	}
}

var (
	_ server.SessionWithLogging         = (*session)(nil)
	_ server.SessionWithClientInfo      = (*session)(nil)
	_ server.SessionWithProtocolVersion = (*session)(nil)
)
