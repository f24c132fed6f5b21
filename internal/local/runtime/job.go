package runtime

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"modernc.org/quickjs"
)

// job is one request on its way through a machine.
type job struct {
	cfg     Config
	host    Host
	request *http.Request // nil: loads the script
	body    requestBody

	ctx     context.Context // ends with the job
	cancel  context.CancelCauseFunc
	release func() bool                     // from then on the job outlives the caller's context
	atEnd   func(func()) (stop func() bool) // runs a function when the caller's context ends
	timeout context.CancelFunc
	events  chan event // what operations have come to

	// Of the goroutine that runs the machine.
	used     time.Duration // CPU time
	warned   bool
	finished bool  // the script is done with the request
	failure  error // how, if it did not end well
	pending  int   // operations that have not ended
	timers   timers
	counts   counts
	bodies   bodies
	cancels  map[int]context.CancelFunc // of the operations under way that can be cancelled
	codecs   map[string]codec
	inFlight chan struct{} // a slot for each subrequest under way

	entered atomic.Int64 // when the machine went into JavaScript, Unix nanoseconds; 0 outside
	monitor *time.Timer

	mu     sync.Mutex
	state  jobState
	head   chan struct{} // closed when there is a result or an error
	result *Result
	err    error
	output *output // of a streamed response
}

type jobState int

const (
	running   jobState = iota
	abandoned          // the machine never came back
	ended
)

// event is what an operation has come to: an error, or a value.
type event struct {
	op    int
	err   error
	value value
	body  *body // comes with the value, may be nil
}

// counts are a request's uses of the limited calls. The redirects of fetches, which
// are followed beside the code, count as subrequests, too.
type counts struct {
	subrequests atomic.Int64
	kv          int
}

func newJob(ctx context.Context, cfg Config, host Host, r *http.Request) (*job, error) {
	j := &job{cfg: cfg, host: host, request: r, events: make(chan event, 8), head: make(chan struct{})}
	if r != nil {
		if err := j.body.open(r); err != nil {
			return nil, err
		}
	}
	limited, timeout := context.WithTimeoutCause(context.WithoutCancel(ctx), cfg.Limits.Wall, ErrWall)
	j.timeout = timeout
	j.ctx, j.cancel = context.WithCancelCause(limited)
	j.atEnd = func(f func()) func() bool { return context.AfterFunc(ctx, f) }
	j.release = j.atEnd(func() { j.cancel(ctx.Err()) })
	return j, nil
}

// run lets the machine serve the job and returns when there is a response or an
// error. The machine goes back to its pool by itself.
func (j *job) run(m *machine) (*Result, error) {
	m.job = j
	limit := j.cfg.Limits.CPU + j.cfg.Limits.Grace
	j.monitor = time.AfterFunc(limit, func() { j.watch(m) })
	m.jobs <- j
	<-j.head
	return j.result, j.err
}

// serve runs the machine until the script is done with the request.
func (j *job) serve(m *machine) {
	err := j.loop(m)
	if errors.Is(j.failure, ErrMemory) {
		err = j.failure // the machine is not worth keeping
	}
	if err == nil && j.request != nil {
		err = m.collect()
	}
	j.monitor.Stop()
	j.mu.Lock()
	gone := j.state == abandoned
	j.state = ended
	j.mu.Unlock()
	switch {
	case gone: // it came back after all; the pool has forgotten it
		m.lost.Store(false)
		m.close()
	case j.request == nil: // who loads the script goes on with the machine
	case err != nil:
		m.pool.drop(m)
		m.close()
	default:
		m.job = nil
		m.pool.release(m)
	}
	if err == nil {
		err = j.failure
	}
	j.conclude(err)
}

// loop enters JavaScript for the request, then for each event.
func (j *job) loop(m *machine) error {
	var err error
	if j.request == nil {
		err = j.enter(m, m.begin)
	} else {
		err = j.enter(m, m.dispatch, j.dispatchArgs()...)
	}
	for err == nil && !j.finished {
		if j.pending == 0 {
			return ErrNeverSettles
		}
		var e event
		if e, err = j.next(m); err != nil {
			return err
		}
		j.pending--
		delete(j.cancels, e.op)
		err = j.enter(m, m.settle, j.settleArgs(e)...)
	}
	return err
}

// next waits for an event, or for the end of the job.
func (j *job) next(m *machine) (event, error) {
	select {
	case e := <-j.events:
		return e, nil
	default:
	}
	var due <-chan time.Time
	if wait, ok := j.timers.wait(); ok {
		if wait <= 0 {
			return j.timers.fire(), nil
		}
		t := time.NewTimer(wait)
		defer t.Stop()
		due = t.C
	}
	m.pool.blocked(m)
	defer m.pool.resumed(m)
	select {
	case e := <-j.events:
		return e, nil
	case <-due:
		return j.timers.fire(), nil
	case <-j.ctx.Done():
		return event{}, j.explain(j.ctx.Err())
	}
}

// post hands in what an operation has come to, from another goroutine.
func (j *job) post(e event) {
	select {
	case j.events <- e:
	case <-j.ctx.Done():
		if e.body != nil {
			_ = e.body.Close() // it has no errors
		}
	}
}

// enter calls a function of the web layer and all that it sets going.
func (j *job) enter(m *machine, f quickjs.Value, args ...any) (err error) {
	left := j.cfg.Limits.CPU - j.used
	if left <= 0 {
		return ErrCPU
	}
	if err := m.vm.SetEvalTimeout(left); err != nil {
		return err
	}
	started := time.Now()
	j.entered.Store(started.UnixNano())
	defer func() {
		j.entered.Store(0)
		j.used += time.Since(started)
		j.warnOfCPU()
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", errCrashed, p)
		}
	}()
	r, err := f.CallValue(quickjs.UndefinedValue, args...)
	if err != nil {
		return engineError(err)
	}
	r.Free()
	for {
		n, err := m.vm.ExecutePendingJobs()
		switch {
		case err != nil && strings.HasPrefix(err.Error(), "quickjs: aborted draining") && n > 0:
			if time.Since(started) > left {
				return ErrCPU
			}
		case err != nil:
			return engineError(err)
		default:
			return nil
		}
	}
}

func (j *job) warnOfCPU() {
	if j.used > j.cfg.Limits.CPU/2 && !j.warned {
		j.warned = true
		j.log("warn", fmt.Sprintf("the request has computed for %d ms here; ESA allows far less CPU time", j.used.Milliseconds()))
	}
}

// watch gives up on a machine that is inside JavaScript for too long although it
// was interrupted: a few things of the engine, such as joining a huge array,
// cannot be.
func (j *job) watch(m *machine) {
	limit := j.cfg.Limits.CPU + j.cfg.Limits.Grace
	entered := j.entered.Load()
	inside := time.Duration(0)
	if entered != 0 {
		inside = time.Since(time.Unix(0, entered))
	}
	j.mu.Lock()
	if j.state != running {
		j.mu.Unlock()
		return
	}
	if inside < limit {
		j.monitor.Reset(limit - inside)
		j.mu.Unlock()
		return
	}
	j.state = abandoned
	m.lost.Store(true)
	j.mu.Unlock()
	j.cfg.Logger.Error("gave up on a routine's machine that cannot be interrupted", "version", m.version.key, "after", inside)
	if j.request != nil {
		m.pool.drop(m)
	}
	j.conclude(ErrCPU)
}

// respond gives the response to the caller, once.
func (j *job) respond(r *Result) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.result == nil && j.err == nil {
		// The rest is about the response's body: whoever sends it closes it. A stream
		// has to hear of it, too, while it has nothing to send.
		if j.release() && j.output != nil {
			j.release = j.atEnd(func() { _ = j.output.Close() }) // it has no errors
		}
		j.result = r
		close(j.head)
	}
}

// visitorLeft ends the job of a stream that nobody reads any more, unless its code
// hears of it.
func (j *job) visitorLeft() {
	time.AfterFunc(j.cfg.Limits.Leave, func() {
		if !j.output.heard.Load() {
			j.cancel(errGone)
		}
	})
}

// conclude ends the job. An error goes to the caller, or breaks off the body of
// a response that it has already.
func (j *job) conclude(err error) {
	j.mu.Lock()
	switch {
	case j.result == nil && j.err == nil:
		if j.err = err; err == nil {
			j.result = &Result{Body: http.NoBody} // the script is loaded
		}
		close(j.head)
	case err != nil:
		j.broke(err)
	}
	j.mu.Unlock()
	j.end()
}

// broke is told of an error after the response was given out: nobody but the log
// can have it.
func (j *job) broke(err error) {
	open := j.output != nil && j.output.fail(err)
	if errors.Is(err, errGone) || errors.Is(err, context.Canceled) {
		return // nobody is left to wait for it
	}
	what := "What went on after the response failed: "
	if open {
		what = "The response broke off: "
	}
	j.log("error", what+Reason(err))
}

// explain tells why the job's context ended, if that is what err is about.
func (j *job) explain(err error) error {
	if !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled) {
		return err
	}
	cause := context.Cause(j.ctx)
	if errors.Is(cause, context.DeadlineExceeded) {
		return ErrWall // the caller's own limit
	}
	return cause
}

// end lets go of what the job holds.
func (j *job) end() {
	j.bodies.closeAll()
	j.release()
	j.cancel(context.Canceled)
	j.timeout()
}

func (j *job) log(level, message string) {
	if j.host.Log != nil {
		j.host.Log(level, message)
	}
}
