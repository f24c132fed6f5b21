package mcpserver

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/esa-mcp/esa-mcp/tools"
)

// stream is what mcp-go writes an answer to. It lets the call itself write events
// before the answer, which then becomes the last event; gives answers the id that
// the client wrote; and turns bare texts of errors into JSON-RPC errors.
type stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
	h       *HTTPHandler
	m       message  // without an id: nothing to answer
	code    *ownCode // of an error that a handler has given one
	modern  bool     // of the revision in which errors of requests are HTTP errors

	// head is what mcp-go sets, without our lock. It is not w's, which an event
	// may have sent meanwhile.
	head http.Header

	mu     sync.Mutex
	status int  // that of mcp-go, until it is sent
	sent   bool // the head is on its way
	events bool // the response is an event stream
	ended  bool
	text   bytes.Buffer // of an error that is no JSON
}

func newStream(w http.ResponseWriter, m message, h *HTTPHandler) *stream {
	return &stream{w: w, control: http.NewResponseController(w), h: h, m: m, head: http.Header{}}
}

// flushing is a stream that mcp-go may make an event stream: it looks for Flush.
type flushing struct{ *stream }

func (s flushing) Flush() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flush()
}

// writer is the stream as the client accepts it.
func (s *stream) writer(r *http.Request) http.ResponseWriter {
	if acceptsEvents(r) {
		return flushing{s}
	}
	return s
}

func (s *stream) Header() http.Header { return s.head }

const eventHead, eventTail = "event: message\ndata: ", "\n\n"

func (s *stream) WriteHeader(status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sent {
		return // as an event stream; the answer will be an event
	}
	s.status = status
	kind := s.head.Get("Content-Type")
	if strings.HasPrefix(kind, "text/event-stream") || kind == "" && status < http.StatusBadRequest {
		s.events = kind != ""
		s.sendHead(s.head)
	}
}

// Write takes an event, the body of an answer, or the text of an error. mcp-go
// writes each at once.
func (s *stream) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	payload, isEvent := bytes.CutPrefix(p, []byte(eventHead))
	switch {
	case isEvent:
		return len(p), s.send(s.own(bytes.TrimSpace(payload)))
	case strings.HasPrefix(s.head.Get("Content-Type"), "application/json"):
		return len(p), s.send(s.own(bytes.TrimSpace(p)))
	case s.status >= http.StatusBadRequest:
		return s.text.Write(p)
	}
	if !s.sent {
		s.sendHead(s.head)
	}
	s.deadline()
	return s.w.Write(p)
}

// event sends a message ahead of the answer. It reports false if that is not
// possible any more.
func (s *stream) event(message []byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended || message == nil || s.sent && !s.events {
		return false
	}
	if !s.sent {
		s.status, s.events = http.StatusOK, true
		s.sendHead(http.Header{"Content-Type": {"text/event-stream"}, "Cache-Control": {"no-cache"}})
	}
	if s.send(message) == nil {
		s.flush()
	}
	return true
}

// notification is event of a notification.
func (s *stream) notification(n mcp.JSONRPCNotification) bool {
	note, err := encodeJSON(n)
	return err == nil && s.event(note)
}

func (s *stream) sendHead(head http.Header) {
	s.sent = true
	maps.Copy(s.w.Header(), head)
	s.deadline()
	s.w.WriteHeader(s.status)
}

// send writes a message as the kind of response has it. The caller has the lock.
func (s *stream) send(message []byte) error {
	if !s.sent {
		s.sendHead(s.head)
	}
	s.deadline()
	if s.events {
		message = fmt.Appendf(nil, "%s%s%s", eventHead, message, eventTail)
	} else {
		message = append(message, '\n')
	}
	_, err := s.w.Write(message)
	return err
}

func (s *stream) flush() {
	s.deadline()
	_ = s.control.Flush() // one that cannot has sent already
}

// deadline bounds the next write: a client that does not read must not keep a
// call for ever. Writers that know no deadlines, as in tests, go without.
func (s *stream) deadline() { _ = s.control.SetWriteDeadline(time.Now().Add(writeTime)) }

// own gives an answer to the stream's message the id as the client wrote it, and
// an error a text for it. Other messages stay as they are.
func (s *stream) own(payload []byte) []byte {
	if s.m.id == nil {
		return payload
	}
	var answer struct {
		Method string          `json:"method"`
		Result json.RawMessage `json:"result"`
		Error  *struct {
			Code    int    `json:"code"`
			Message string `json:"message"`
			Data    any    `json:"data"`
		} `json:"error"`
	}
	if err := json.Unmarshal(payload, &answer); err != nil || answer.Method != "" {
		return payload
	}
	if e := answer.Error; e != nil {
		code := s.code.or(e.Code)
		if s.modern && !s.sent && code == mcp.INVALID_PARAMS {
			s.status = http.StatusBadRequest
		}
		return replyError(&problem{s.m.id, code, explain(s.h.srv, s.m, e.Code, e.Message)}, e.Data)
	}
	return envelope(s.m.id, "result", answer.Result)
}

// finish ends the response: with an error, if the call panicked, or mcp-go said
// nothing or only a text.
func (s *stream) finish(r *http.Request) {
	v := recover()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	if v != nil {
		s.h.o.Logger.Error("handler panicked", "method", s.m.method, "panic", tools.Clean(fmt.Sprint(v)), "stack", string(debug.Stack()))
	}
	failure := &refusal{status: http.StatusInternalServerError, id: s.m.id, code: mcp.INTERNAL_ERROR, text: "internal error in " + s.m.method}
	switch {
	case v != nil && s.events && s.m.id != nil:
		s.send(replyError(&problem{s.m.id, failure.code, failure.text}, nil))
	case s.sent:
	case v == nil && r.Context().Err() != nil:
		busy("the server is stopping").write(s.w) // or the client has gone and reads nothing
	case v != nil || s.text.Len() == 0:
		failure.write(s.w)
	default:
		failure.status, failure.code, failure.text = s.status, mcp.INVALID_REQUEST, strings.TrimSpace(s.text.String())
		failure.write(s.w)
	}
	s.deadline() // what net/http still has to write
}
