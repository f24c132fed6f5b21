package edge

import (
	"context"
	"net/http"
	"sync"

	"github.com/esa-mcp/esa-mcp/internal/local/analytics"
	"github.com/esa-mcp/esa-mcp/internal/local/edge/fastpath"
	"github.com/esa-mcp/esa-mcp/internal/local/routine"
)

// plainFiles are the answers to plain requests for files that all visitors get
// alike, for as long as the configuration does not change.
type plainFiles struct {
	mu      sync.RWMutex
	version int64
	answers map[address]*fastpath.Answer
	size    int64 // of their bodies, in bytes, those of files with several addresses each time
}

// address is what a plain request asks for.
type address struct{ host, path string }

// maxPlainFiles bounds the addresses that are kept.
const maxPlainFiles = 10_000

// Answer is the whole answer to a plain request, if it is one of a routine's files
// and no configuration has a say in it: the same as that of ServeHTTP.
func (e *edge) Answer(r *fastpath.Request) *fastpath.Answer {
	r.Began = e.cfg.Now()
	if e.cfg.Plans == nil || withoutToken(r.Query) != r.Query {
		return nil
	}
	ctx := context.Background() // the answers are in memory but for the first
	version, err := e.cfg.Plans.Version(ctx)
	if err != nil {
		return nil
	}
	at := address{r.Host, r.Path}
	e.plain.mu.RLock()
	a := e.plain.answers[at]
	known := e.plain.version == version
	e.plain.mu.RUnlock()
	if a != nil && known {
		return a
	}
	if a = e.plainFile(ctx, at); a == nil {
		return nil
	}
	e.plain.mu.Lock()
	defer e.plain.mu.Unlock()
	if e.plain.version != version || len(e.plain.answers) >= maxPlainFiles || e.plain.size >= maxAllAssets {
		e.plain.version, e.plain.answers, e.plain.size = version, map[address]*fastpath.Answer{}, 0
	}
	e.plain.answers[at] = a
	e.plain.size += int64(len(a.Body))
	return a
}

// plainFile finds the file at an address. What it cannot find, or not surely, is
// ServeHTTP's to answer, errors with it.
func (e *edge) plainFile(ctx context.Context, at address) *fastpath.Answer {
	name, env, ok := e.svc.ParseHost(at.host)
	if !ok {
		host, err := e.cfg.Plans.Host(ctx, at.host)
		if err != nil || host.Site == nil || host.Routine == "" || !host.Site.Plain() {
			return nil
		}
		name, env = host.Routine, routine.Production
	} else if !e.cfg.OpenDefaultDomain {
		return nil
	}
	live, err := e.lookup(ctx, name, env)
	if err != nil || len(live.Shares) != 1 {
		return nil
	}
	bundle, err := e.svc.Bundle(ctx, live.RoutineID, live.Shares[0].CodeVersion)
	if err != nil {
		return nil
	}
	to := resolve(bundle, at.path)
	if !to.found {
		return nil
	}
	file := e.live.asset(bundle, to.asset)
	if file == nil {
		return nil
	}
	head := http.Header{"Server": e.server, versionHeader: {bundle.CodeVersion}}
	return file.plain(head, bundle.CodeVersion)
}

// Answered logs a request that Answer has answered.
func (e *edge) Answered(r *fastpath.Request, a *fastpath.Answer, sent int64) {
	e.keep(analytics.Visit{
		Time: r.Began, Host: r.Host, Method: http.MethodGet, Path: r.Path, Query: r.Query, Protocol: "HTTP/1.1",
		Referer: r.Referer, UserAgent: r.UserAgent, RequestedWith: r.RequestedWith, ClientIP: r.ClientIP,
		Status: http.StatusOK, ContentType: a.ContentType, Bytes: sent, RequestBytes: r.Size,
	}, a.Version)
}
