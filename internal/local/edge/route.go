package edge

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/local/edge/plan"
	"github.com/esa-mcp/esa-mcp/internal/local/routine"
)

// routine lets a routine answer, if a route of the site or a related record of
// the host says so, and reports whether it did. The first route that applies
// counts, whatever it says.
func (x *exchange) routine() bool {
	for _, t := range x.host.Site.Routes {
		if !t.When.Match(x.facts) {
			continue
		}
		if t.Bypass {
			x.apply("route bypass", t.ID)
			return false
		}
		x.apply("route", t.ID)
		return x.waits() || x.runRoute(t)
	}
	if x.host.Routine == "" {
		return false
	}
	return x.waits() || x.runRoute(&plan.Route{Routine: x.host.Routine})
}

// maxReplay is the largest request body that is kept for the origin in case the
// routine fails, in bytes.
const maxReplay = 8 << 20

// runRoute lets the routine of a route answer. With Fallback it reports false if
// the routine failed, and the request is as it was.
func (x *exchange) runRoute(t *plan.Route) bool {
	asked := x.r
	if t.Timeout > 0 {
		ctx, cancel := context.WithTimeout(x.r.Context(), t.Timeout)
		defer cancel()
		asked = x.r.WithContext(ctx)
	}
	again := x.r.Body
	if t.Fallback {
		body, err := io.ReadAll(io.LimitReader(x.r.Body, maxReplay+1))
		if err != nil {
			x.refuse(err)
			return true
		}
		if len(body) > maxReplay {
			problem(x.w, x.r, http.StatusRequestEntityTooLarge, "A request to a route with Fallback may have a body of %d bytes at most.", maxReplay)
			return true
		}
		asked.Body, again = io.NopCloser(bytes.NewReader(body)), io.NopCloser(bytes.NewReader(body))
	}
	failed := x.runLive(asked, t)
	if failed == nil {
		return true
	}
	if t.Fallback && x.r.Context().Err() == nil {
		x.logFailure(x.r, t.Routine, failed)
		x.w.Header().Set(fallbackHeader, firstLine(failed.Error()))
		x.r.Body = again
		return false
	}
	switch {
	case errors.Is(failed, errNotDeployed):
		problem(x.w, x.r, http.StatusNotFound, "Nothing is deployed to the production environment of the routine %q.", t.Routine)
	case errors.Is(asked.Context().Err(), context.DeadlineExceeded):
		problem(x.w, x.r, http.StatusGatewayTimeout, "The routine %q took longer than its route's Timeout of %d s.", t.Routine, t.Timeout/time.Second)
	default:
		x.codeFailed(x.w, x.r, t.Routine, failed)
	}
	return true
}

// fallbackHeader says why the origin answered for a routine. Only the local ESA
// has it.
const fallbackHeader = "X-Esa-Fallback"

func firstLine(text string) string {
	for i := range len(text) {
		if text[i] < ' ' {
			return text[:i]
		}
	}
	return text
}

var errNotDeployed = errors.New("nothing is deployed")

// runLive serves a request from what is live of a routine. If it returns an
// error, nothing was answered yet.
func (x *exchange) runLive(r *http.Request, t *plan.Route) error {
	for range 3 { // a version that vanishes between two questions was replaced
		live, err := x.lookup(r.Context(), t.Routine, routine.Production)
		if err != nil {
			return fmt.Errorf("look for the routine: %w", err)
		}
		if len(live.Shares) == 0 {
			return errNotDeployed
		}
		bundle, err := x.svc.Bundle(r.Context(), live.RoutineID, x.choose(live.Shares))
		if errors.Is(err, routine.ErrNoVersion) {
			continue
		}
		if err != nil {
			return err
		}
		err = x.pictured(r, func(w http.ResponseWriter, r *http.Request) error {
			return x.serveBundle(w, r, bundle, func() error { return x.runCode(w, r, live.RoutineID, t.Routine, bundle) })
		})
		if !errors.Is(err, routine.ErrNoVersion) {
			return err
		}
	}
	return errNotDeployed
}

// runCode lets the code of a version answer. A fetch of the host itself goes to
// the site's origin.
func (x *exchange) runCode(w http.ResponseWriter, r *http.Request, id int64, name string, b *routine.Bundle) error {
	if x.cfg.Runtime == nil {
		return errors.New("this edge runs no routine code")
	}
	host := x.codeHost(r, name)
	host.Origin = x.originForCode
	result, err := x.cfg.Runtime.Run(r.Context(), x.script(id, name, b.CodeVersion), host, r)
	if err != nil {
		return err
	}
	x.w.originStatus = int(x.codeOrigin.Load())
	if result.Streams {
		x.w.keepReading()
	}
	writeResult(w, r, result)
	return nil
}

// originForCode does one exchange with the site's origin for a routine. It is
// called by several goroutines at once.
func (x *exchange) originForCode(ctx context.Context, r *http.Request) (*http.Response, error) {
	r = r.WithContext(ctx)
	own := &exchange{edge: x.edge, w: &recorder{visitor: x.w.visitor}, r: r, asked: r, host: x.host, now: x.now,
		scheme: r.URL.Scheme, quiet: true}
	response, err := own.fetch(nil)
	if err == nil {
		x.codeOrigin.Store(int64(response.StatusCode))
	}
	return response, err
}
