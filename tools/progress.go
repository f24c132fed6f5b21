package tools

import (
	"context"
	"math"
	"sync"
)

// ProgressFunc takes one report of progress: done of total (0: unknown).
type ProgressFunc func(done, total float64, message string)

type progressKey struct{}

// reporter keeps MCP's rule that the value of a progress notification increases.
type reporter struct {
	mu   sync.Mutex
	sent bool
	last float64
	send ProgressFunc
}

// WithProgress returns a context in which Progress reports to send. Reports come
// one at a time, in order.
func WithProgress(ctx context.Context, send ProgressFunc) context.Context {
	return context.WithValue(ctx, progressKey{}, &reporter{send: send})
}

func hasProgress(ctx context.Context) bool {
	_, ok := ctx.Value(progressKey{}).(*reporter)
	return ok
}

// Progress tells the client how far a call is: done of total, with a message. It
// does nothing when the client asked for no progress. A total of 0 is unknown.
// done has to grow from report to report, as MCP demands: a report that does not
// is left out, so count phases so that each has its own value.
func Progress(ctx context.Context, done, total float64, message string) {
	r, ok := ctx.Value(progressKey{}).(*reporter)
	if !ok || math.IsNaN(done) || math.IsInf(done, 0) || math.IsNaN(total) || math.IsInf(total, 0) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.sent && done <= r.last {
		return
	}
	r.sent, r.last = true, done
	r.send(done, total, message)
}
