package mcpserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"
	"sync"
	"syscall"
	"time"

	"github.com/mark3labs/mcp-go/server"

	"github.com/esa-mcp/esa-mcp/tools"
)

// StdioOptions bound what one client may ask of the process. The zero value takes
// the defaults.
type StdioOptions struct {
	// MaxLine is the size of one message in bytes; default 32 MiB, so that an
	// HTML page of ESA's 25 MB limit fits as JSON text. A longer line is dropped
	// and answered with -32600.
	MaxLine int
	// MaxRunning calls run at once, default 64. MaxWaiting run or wait, default
	// 1024, with MaxWaitingBytes of messages, default four lines; what is beyond
	// is answered "busy".
	MaxRunning, MaxWaiting, MaxWaitingBytes int
	// MaxBatch is the number of messages in a JSON-RPC batch; default 100.
	MaxBatch int
	// EOFGrace is how long calls may take to end when the client has closed its
	// side; default 2 minutes, so that a deploy from a one-shot pipe ends well.
	EOFGrace time.Duration
	// StopGrace is how long calls may take once they are cancelled; default 3 s.
	StopGrace time.Duration
	// Logger gets what goes wrong in the loop itself; nil drops it.
	Logger *slog.Logger
}

func (o StdioOptions) withDefaults() StdioOptions {
	set := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	set(&o.MaxLine, 32<<20)
	set(&o.MaxRunning, 64)
	set(&o.MaxWaiting, 1024)
	set(&o.MaxWaitingBytes, 4*o.MaxLine)
	set(&o.MaxBatch, 100)
	if o.EOFGrace <= 0 {
		o.EOFGrace = 2 * time.Minute
	}
	if o.StopGrace <= 0 {
		o.StopGrace = 3 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// loop is the state of one ServeStdio.
type loop struct {
	srv  *server.MCPServer
	o    StdioOptions
	out  *writer
	sess *session

	calls   sync.WaitGroup
	running chan struct{} // one element for each call that runs

	mu       sync.Mutex
	inflight map[string]*call // by id, exactly as written: 7 is not "7"
	waiting  int
	bytes    int
}

// call is a request that has been accepted and not yet answered.
type call struct {
	cancel    context.CancelFunc
	cancelled bool // by the client, which wants no answer then
	listens   bool // it ends only when it is cancelled
}

// ServeStdio serves one client on in and out, a JSON-RPC message a line, until in
// ends, ctx ends or out fails. Several may serve one server at the same time.
//
// It stands in for mcp-go's own loop, and promises what that does not: every
// message that was read before the end of in is answered; initialize is answered
// before anything after it is looked at; a cancelled call is really cancelled and
// not answered; progress comes before the answer; ids come back byte for byte;
// lines, batches and waiting calls are bounded.
//
// The result is nil when the client has left, and ctx's error when ctx ended. A
// Read of in that is under way then is left behind: close in to end it.
func ServeStdio(ctx context.Context, s *server.MCPServer, in io.Reader, out io.Writer, o StdioOptions) error {
	o = o.withDefaults()
	// Three ends: the caller's ctx, a broken output, and the end of the loop.
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	w := &writer{out: out, failed: func(err error) { stop(&writeError{err}) }}
	defer w.close()
	l := &loop{
		srv: s, o: o, out: w, sess: newSession(w),
		running:  make(chan struct{}, o.MaxRunning),
		inflight: make(map[string]*call),
	}
	if err := s.RegisterSession(ctx, l.sess); err != nil {
		return fmt.Errorf("register the session: %w", err)
	}
	defer s.UnregisterSession(context.WithoutCancel(ctx), l.sess.SessionID())
	go l.sess.pump()
	defer close(l.sess.done)

	lines, readFailed := make(chan inputLine), make(chan error, 1)
	go func() { readFailed <- readLines(ctx, in, o.MaxLine, lines) }()

	l.read(s.WithContext(ctx, l.sess), lines)
	l.finish(ctx, stop)

	var broken *writeError
	switch cause := context.Cause(ctx); {
	case errors.As(cause, &broken) && clientLeft(broken.err):
		return nil
	case errors.As(cause, &broken):
		return fmt.Errorf("write to the client: %w", broken.err)
	case cause != nil && !errors.Is(cause, errOverdue):
		return ctx.Err()
	}
	if err := <-readFailed; err != nil && !clientLeft(err) {
		return fmt.Errorf("read from the client: %w", err)
	}
	return nil
}

type writeError struct{ err error }

func (e *writeError) Error() string { return e.err.Error() }
func (e *writeError) Unwrap() error { return e.err }

var errOverdue = errors.New("the client left and calls did not end")

// clientLeft reports whether an error only says that the other side is gone.
func clientLeft(err error) bool {
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe) || errors.Is(err, io.EOF)
}

// read takes lines until they or ctx end.
func (l *loop) read(ctx context.Context, lines <-chan inputLine) {
	for {
		select {
		case <-ctx.Done():
			return
		case line, ok := <-lines:
			switch {
			case !ok:
				return
			case line.tooLong:
				l.out.line(replyError(invalid(nil, fmt.Sprintf(
					"the message is longer than the limit of %d bytes and was dropped; give large content as a path", l.o.MaxLine)), nil))
			default:
				l.take(ctx, line.text)
			}
		}
	}
}

// finish lets calls end: in their own time when the client has closed its side,
// else cancelled.
func (l *loop) finish(ctx context.Context, stop context.CancelCauseFunc) {
	l.sess.requests.leave()
	l.endListening()
	ended := make(chan struct{})
	go func() { l.calls.Wait(); close(ended) }()
	grace := time.NewTimer(l.o.EOFGrace)
	defer grace.Stop()
	select {
	case <-ended:
		return
	case <-ctx.Done():
	case <-grace.C:
		l.o.Logger.Warn("the client has left: cancelling the calls that still run", "grace", l.o.EOFGrace)
		stop(errOverdue)
	}
	cancelled := time.NewTimer(l.o.StopGrace)
	defer cancelled.Stop()
	select {
	case <-ended:
	case <-cancelled.C:
		l.o.Logger.Warn("calls did not end in time", "grace", l.o.StopGrace)
	}
}

// take handles one line: a message or a batch of them.
func (l *loop) take(ctx context.Context, line []byte) {
	if line[0] == '[' {
		l.takeBatch(ctx, line)
		return
	}
	m, problem := parse(line)
	if problem != nil {
		l.out.line(replyError(problem, nil))
		return
	}
	l.dispatch(ctx, m, l.write)
}

// write sends an answer, behind the notifications of its call; nil is none.
func (l *loop) write(answer []byte) {
	if answer != nil {
		l.sess.flush()
		l.out.line(answer)
	}
}

// dispatch answers a message through done, which is called once, with nil if
// there is nothing to say.
func (l *loop) dispatch(ctx context.Context, m message, done func([]byte)) {
	switch {
	case m.method == "notifications/cancelled" && m.id == nil:
		l.cancel(m.cancels)
		done(nil)
	case m.answers != nil:
		l.sess.requests.deliver(m.answers, m.answer)
		done(nil)
	case m.id == nil: // a notification, or an answer to nothing we asked
		if m.method != "" {
			l.handle(ctx, m)
		}
		done(nil)
	case m.method == "initialize" || m.method == "logging/setLevel":
		// In order: what follows depends on it.
		done(l.handle(ctx, m))
	default:
		l.start(ctx, m, done)
	}
}

// start runs a request on a goroutine of its own. It is registered before the
// next line is read, so that a cancellation right behind it finds it.
func (l *loop) start(ctx context.Context, m message, done func([]byte)) {
	ctx, cancel := context.WithCancel(ctx)
	c := &call{cancel: cancel, listens: m.method == methodListen}
	l.mu.Lock()
	busy := l.waiting >= l.o.MaxWaiting || l.waiting > 0 && l.bytes+len(m.raw) > l.o.MaxWaitingBytes
	if !busy {
		l.waiting++
		l.bytes += len(m.raw)
		l.inflight[string(m.id)] = c
	}
	l.mu.Unlock()
	if busy {
		cancel()
		done(replyError(&problem{m.id, codeBusy, "the server is busy: wait for answers before sending more"}, nil))
		return
	}
	l.calls.Go(func() {
		defer cancel()
		// The slot is awaited here and not in the reading loop, which has to stay
		// free for cancellations.
		var answer []byte
		select {
		case l.running <- struct{}{}:
			if ctx.Err() == nil { // select takes either when both are ready
				answer = l.handle(ctx, m)
			}
			<-l.running
		case <-ctx.Done():
		}
		if answer == nil {
			answer = replyError(&problem{m.id, codeBusy, "the server is stopping"}, nil)
		}
		if l.end(m, c) {
			answer = nil
		}
		done(answer)
	})
}

// end forgets a call and reports whether the client has cancelled it.
func (l *loop) end(m message, c *call) (cancelled bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting--
	l.bytes -= len(m.raw)
	if l.inflight[string(m.id)] == c {
		delete(l.inflight, string(m.id))
	}
	return c.cancelled
}

// endListening ends the calls that would wait for news for ever.
func (l *loop) endListening() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.inflight {
		if c.listens {
			c.cancel()
		}
	}
}

func (l *loop) cancel(id []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c, ok := l.inflight[string(id)]; ok {
		c.cancelled = true
		c.cancel()
	}
}

// handle gives a message to mcp-go and encodes the answer; nil for a
// notification.
func (l *loop) handle(ctx context.Context, m message) (answer []byte) {
	defer func() {
		if v := recover(); v != nil {
			l.o.Logger.Error("handler panicked", "method", m.method, "panic", tools.Clean(fmt.Sprint(v)), "stack", string(debug.Stack()))
			answer = nil
			if m.id != nil {
				answer = replyError(&problem{m.id, -32603, "internal error in " + m.method}, nil)
			}
		}
	}()
	if m.progressToken != nil {
		var end func()
		ctx, end = l.reportProgress(ctx, m)
		defer end()
	}
	ctx, own := withOwnCode(ctx)
	response := l.srv.HandleMessage(ctx, m.raw)
	if m.id == nil {
		return nil
	}
	return reply(m.id, response, func(code int, text string) (int, string) { return own.or(code), explain(l.srv, m, code, text) })
}

// reportProgress gives the call a way to report progress that ends with it.
func (l *loop) reportProgress(ctx context.Context, m message) (context.Context, func()) {
	var mu sync.Mutex
	ended := false
	inner := tools.WithProgress(ctx, func(done, total float64, text string) {
		mu.Lock()
		defer mu.Unlock()
		if !ended && ctx.Err() == nil {
			l.sess.progress(m.progressToken, done, total, tools.Clean(text))
		}
	})
	return inner, func() {
		mu.Lock()
		defer mu.Unlock()
		ended = true
	}
}
