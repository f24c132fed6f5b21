package edge

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"github.com/esa-mcp/esa-mcp/internal/local/routine"
	"github.com/esa-mcp/esa-mcp/internal/local/runtime"
)

// serveCode lets the code of a version answer. If it returns an error, nothing
// was answered yet.
func (e *edge) serveCode(w *recorder, r *http.Request, routineID int64, name string, b *routine.Bundle) error {
	if e.cfg.Runtime == nil {
		problem(w, r, http.StatusNotImplemented, "The path %q is no asset, and this version has routine code; this edge runs none.", r.URL.Path)
		return nil
	}
	r = e.asOfOrigin(r)
	result, err := e.cfg.Runtime.Run(r.Context(), e.script(routineID, name, b.CodeVersion), e.codeHost(r, name), r)
	if errors.Is(err, routine.ErrNoVersion) {
		return err
	}
	if err != nil {
		e.codeFailed(w, r, name, err)
		return nil
	}
	if result.Streams {
		w.keepReading()
	}
	writeResult(w, r, result)
	return nil
}

// script is the code of a version. Routine ids are never used twice.
func (e *edge) script(routineID int64, name, codeVersion string) runtime.Script {
	return runtime.Script{
		Key:     strconv.FormatInt(routineID, 10) + "/" + codeVersion,
		Routine: name, CodeVersion: codeVersion,
		Load: func(ctx context.Context) (string, error) { return e.svc.Code(ctx, routineID, codeVersion) },
	}
}

// asOfOrigin is a request to a default domain as its code sees it: one for the
// host of the origin behind it, if there is one.
func (e *edge) asOfOrigin(r *http.Request) *http.Request {
	to := e.cfg.DefaultOrigin
	if to == nil {
		return r
	}
	r = r.Clone(r.Context())
	r.Host = to.Host
	r.URL.Scheme, r.URL.Host = to.Scheme, to.Host
	return r
}

// codeHost is what code can reach when it serves a default domain, behind which
// is DefaultOrigin or no origin.
func (e *edge) codeHost(r *http.Request, name string) runtime.Host {
	host := runtime.Host{
		KV: e.cfg.KV, Cache: e.cfg.CodeCache, Fetch: e.fetchForCode,
		Log: func(level, message string) {
			if e.cfg.Console != nil {
				e.cfg.Console(name, level, message)
				return
			}
			e.cfg.Logger.InfoContext(r.Context(), "routine log", "routine", name, "level", level, "message", message)
		},
	}
	if e.cfg.DefaultOrigin != nil {
		host.Origin = e.fetchOutside
	}
	return host
}

// codeFailed answers for code that gave no response, and says why.
func (e *edge) codeFailed(w http.ResponseWriter, r *http.Request, name string, err error) {
	status := http.StatusInternalServerError
	switch {
	case errors.Is(err, runtime.ErrWall):
		status = http.StatusGatewayTimeout
	case errors.Is(err, runtime.ErrCPU), errors.Is(err, runtime.ErrMemory), errors.Is(err, runtime.ErrClosed):
		status = http.StatusServiceUnavailable
	}
	e.logFailure(r, name, err)
	problem(w, r, status, "The routine %q failed: %s", name, runtime.Reason(err))
}

// logFailure logs why code gave no response.
func (e *edge) logFailure(r *http.Request, name string, err error) {
	if e.cfg.Console != nil {
		e.cfg.Console(name, "error", r.Method+" "+r.URL.Path+" failed: "+runtime.Reason(err))
		return
	}
	e.cfg.Logger.WarnContext(r.Context(), "routine failed", "routine", name, "path", r.URL.Path, "error", runtime.Reason(err))
}

// writeResult answers with what the code returned, and passes streams on as they
// come.
func writeResult(w http.ResponseWriter, r *http.Request, result *runtime.Result) {
	defer result.Body.Close() // only read
	dropHopByHop(result.Header)
	h := w.Header()
	for name, values := range result.Header {
		h[name] = values
	}
	withheld := r.Method == http.MethodHead && result.Length == 0 && hasBody(result.Status) // only GET has it: its length is the code's to say
	if !withheld {
		h.Del("Content-Length") // the code may have got it wrong
	}
	if !withheld && result.Length >= 0 && hasBody(result.Status) {
		h.Set("Content-Length", strconv.FormatInt(result.Length, 10))
	}
	w.WriteHeader(result.Status)
	if r.Method != http.MethodHead {
		copyBody(w, result.Body, result.Length < 0)
	}
}

func hasBody(status int) bool {
	return status != http.StatusNoContent && status != http.StatusNotModified
}
