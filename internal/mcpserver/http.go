package mcpserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/mark3labs/mcp-go/server"
)

// HTTPPath is where the HTTP server speaks MCP.
const HTTPPath = "/mcp"

// HTTPOptions say who may talk to the HTTP server, and how much. The zero value
// takes the defaults.
type HTTPOptions struct {
	// Token, if not empty, has to come with every request, as
	// "Authorization: Bearer TOKEN".
	Token string
	// AllowOrigins are web origins that may call beside those of this machine,
	// such as https://app.example.com. They get CORS headers.
	AllowOrigins []string
	// AllowHosts are Host names that a request over a loopback address may carry
	// beside localhost, for a reverse proxy on this machine.
	AllowHosts []string
	// MaxBody is the size of one message in bytes; default 32 MiB, as on stdio.
	// MaxBodies is how much of them may be held at once; default four.
	MaxBody, MaxBodies int64
	// MaxRequests may be open at once, listening streams included; default 512.
	MaxRequests int64
	// MaxSessions may exist at once; default 1000.
	MaxSessions int
	// SessionTimeout ends a session that is not used; default 1 hour. A client
	// that listens uses its session.
	SessionTimeout time.Duration
	// StopGrace is how long calls may take to end when the server stops; default
	// 10 s. Then they are cancelled.
	StopGrace time.Duration
	// Logger gets what goes wrong in the transport; nil drops it.
	Logger *slog.Logger
}

func (o HTTPOptions) withDefaults() HTTPOptions {
	if o.MaxBody <= 0 {
		o.MaxBody = 32 << 20
	}
	if o.MaxBodies <= 0 {
		o.MaxBodies = 4 * o.MaxBody
	}
	if o.MaxRequests <= 0 {
		o.MaxRequests = 512
	}
	if o.MaxSessions <= 0 {
		o.MaxSessions = 1000
	}
	if o.SessionTimeout <= 0 {
		o.SessionTimeout = time.Hour
	}
	if o.StopGrace <= 0 {
		o.StopGrace = 10 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// Limits of single reads and writes, and the pace of the signs of life on
// listening streams, which also keep their sessions alive.
const (
	headerTime = 10 * time.Second
	bodyTime   = time.Minute
	writeTime  = 30 * time.Second
	heartbeat  = time.Minute
)

// HTTPHandler speaks MCP over Streamable HTTP at HTTPPath. Close ends its
// sessions.
//
// mcp-go's own handler does the protocol. Around it is what that leaves out: who
// may call, limits, progress that comes in order on the stream of its call, ids
// that come back byte for byte, and errors that say what to do.
type HTTPHandler struct {
	srv      *server.MCPServer
	o        HTTPOptions
	mcp      *server.StreamableHTTPServer
	sessions *sessions

	requests, bodies atomic.Int64

	// closing ends when the handler closes, and with it what would go on for ever.
	closing context.Context
	end     context.CancelFunc
}

// NewHTTPHandler returns the handler for a server.
func NewHTTPHandler(s *server.MCPServer, o HTTPOptions) *HTTPHandler {
	o = o.withDefaults()
	h := &HTTPHandler{srv: s, o: o, sessions: newSessions(o.MaxSessions)}
	h.closing, h.end = context.WithCancel(context.Background())
	h.mcp = server.NewStreamableHTTPServer(s,
		server.WithSessionIdManager(h.sessions),
		server.WithSessionIdleTTL(o.SessionTimeout),
		server.WithHeartbeatInterval(min(heartbeat, o.SessionTimeout/2)),
		server.WithStreamableHTTPLogger(o.Logger),
		server.WithDisableLocalhostProtection(true), // admit looks at Host
	)
	return h
}

// Close ends the sessions and the listening streams. Calls go on.
func (h *HTTPHandler) Close() error {
	h.end()
	return h.mcp.Shutdown(context.Background())
}

// ServeHTTP answers one request.
func (h *HTTPHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.shareWith(r.Header.Get("Origin"), w.Header())
	if refused := h.admit(r); refused != nil {
		refused.write(w)
		return
	}
	if r.Method == http.MethodOptions {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if h.requests.Add(1) > h.o.MaxRequests {
		h.requests.Add(-1)
		busy("the server is busy: wait for answers before sending more").write(w)
		return
	}
	defer h.requests.Add(-1)
	if r.Method == http.MethodPost {
		h.post(w, r)
		return
	}
	// A listening stream, or the end of a session.
	out := newStream(w, message{}, h)
	defer out.finish(r)
	h.mcp.ServeHTTP(out.writer(r), r)
}

// ServeHTTP serves MCP over Streamable HTTP on l until ctx ends. Then it takes no
// more requests and gives calls that run StopGrace to end. It closes l.
func ServeHTTP(ctx context.Context, s *server.MCPServer, l net.Listener, o HTTPOptions) error {
	h := NewHTTPHandler(s, o)
	o = h.o
	// Calls outlive ctx by the grace, so theirs is another.
	calls, cancelCalls := context.WithCancel(context.WithoutCancel(ctx))
	defer cancelCalls()
	srv := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headerTime,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(o.Logger.Handler(), slog.LevelWarn),
		BaseContext:       func(net.Listener) context.Context { return calls },
	}
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(l) }()
	select {
	case err := <-failed:
		h.Close()
		return fmt.Errorf("serve MCP over HTTP: %w", err)
	case <-ctx.Done():
	}
	grace, endGrace := context.WithTimeout(context.WithoutCancel(ctx), o.StopGrace)
	defer endGrace()
	h.Close()
	err := srv.Shutdown(grace)
	if errors.Is(err, context.DeadlineExceeded) {
		o.Logger.Warn("calls did not end in time: cancelling them", "grace", o.StopGrace)
		cancelCalls()
		last, end := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
		defer end()
		if err = srv.Shutdown(last); err != nil {
			err = srv.Close()
		}
	}
	if err != nil {
		return fmt.Errorf("stop the HTTP server: %w", err)
	}
	return nil
}
