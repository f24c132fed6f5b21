package mcpserver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"github.com/esa-mcp/esa-mcp/tools"
)

// post answers one message of a client.
func (h *HTTPHandler) post(w http.ResponseWriter, r *http.Request) {
	body, release, refused := h.read(w, r)
	defer release()
	if refused != nil {
		refused.write(w)
		return
	}
	m, refused := h.understand(r, body)
	if refused != nil {
		refused.write(w)
		return
	}
	out := newStream(w, m, h)
	defer out.finish(r)
	ctx, code := withOwnCode(r.Context())
	out.code, out.modern = code, isModern(r, body)
	if m.method == methodListen {
		var cancel context.CancelFunc
		ctx, cancel = context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(h.closing, cancel)()
	}
	if acceptsEvents(r) {
		ctx = context.WithValue(ctx, streamKey{}, out)
	}
	if m.progressToken != nil && acceptsEvents(r) {
		ctx = tools.WithProgress(ctx, func(done, total float64, text string) {
			out.event(progressNote(m.progressToken, done, total, tools.Clean(text)))
		})
	}
	r = r.WithContext(ctx)
	r.Body = io.NopCloser(bytes.NewReader(body))
	h.mcp.ServeHTTP(out.writer(r), r)
}

// read takes the body into memory, within the limits. release gives its share
// back and has to be called, whatever the result.
func (h *HTTPHandler) read(w http.ResponseWriter, r *http.Request) (body []byte, release func(), refused *refusal) {
	share := r.ContentLength
	if share < 0 {
		share = h.o.MaxBody // not known beforehand
	}
	release = func() { h.bodies.Add(-share) }
	if held := h.bodies.Add(share); held > h.o.MaxBodies && held > share {
		return nil, release, busy("the server holds as many large messages as it can: wait for answers before sending more")
	}
	// A deadline for the body alone: it must not end calls that take longer.
	// Writers that know no deadlines, as in tests, read without.
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(bodyTime))
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, h.o.MaxBody))
	_ = control.SetReadDeadline(time.Time{})
	var tooLong *http.MaxBytesError
	switch {
	case errors.As(err, &tooLong):
		return nil, release, h.tooLarge()
	case err != nil:
		return nil, release, refuse(http.StatusBadRequest, "the body did not arrive whole")
	}
	h.bodies.Add(int64(len(body)) - share)
	share = int64(len(body))
	return bytes.TrimSpace(body), release, nil
}

// understand parses a message and looks whether its session lives.
func (h *HTTPHandler) understand(r *http.Request, body []byte) (message, *refusal) {
	if bytes.HasPrefix(body, []byte("[")) {
		return message{}, refuse(http.StatusBadRequest, "batches are not supported over HTTP: send one message a request")
	}
	m, problem := parse(body)
	if problem != nil {
		return m, &refusal{status: http.StatusBadRequest, id: problem.id, code: problem.code, text: problem.text}
	}
	switch {
	case isModern(r, body):
	case m.method == string(mcp.MethodInitialize):
		if h.sessions.full() {
			return m, busy("the server has as many sessions as it can: end one, or wait until one times out")
		}
	default:
		return m, h.session(r)
	}
	return m, nil
}

// session refuses a request without a session that lives.
func (h *HTTPHandler) session(r *http.Request) *refusal {
	switch id := r.Header.Get(server.HeaderKeySessionID); {
	case id == "":
		return refuse(http.StatusBadRequest, "the header %s is missing: send initialize first, its answer has the session", server.HeaderKeySessionID)
	case !h.sessions.has(id):
		return refuse(http.StatusNotFound, "the session has ended: send initialize for a new one")
	}
	return nil
}

// acceptsEvents reports whether the client takes an event stream. One that says
// nothing takes anything.
func acceptsEvents(r *http.Request) bool {
	accept := strings.ToLower(strings.Join(r.Header.Values("Accept"), ","))
	return accept == "" || strings.Contains(accept, "text/event-stream") || strings.Contains(accept, "*/*") || strings.Contains(accept, "text/*")
}

type streamKey struct{}

// Notify sends a notification to the client of a call, before the call's answer.
// Over HTTP mcp-go drops what it has in hand when the call returns, so that there
// the stream of the call takes it.
func Notify(ctx context.Context, s *server.MCPServer, method string, params map[string]any) error {
	out, ok := ctx.Value(streamKey{}).(*stream)
	if !ok {
		return s.SendNotificationToClient(ctx, method, params)
	}
	note, err := encodeJSON(struct {
		JSONRPC string         `json:"jsonrpc"`
		Method  string         `json:"method"`
		Params  map[string]any `json:"params,omitempty"`
	}{"2.0", method, params})
	if err != nil {
		return fmt.Errorf("encode %s: %w", method, err)
	}
	out.event(note)
	return nil
}
