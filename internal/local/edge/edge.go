// Package edge is the local ESA's edge: the HTTP server that visitors of a
// deployed site talk to. It finds what a host name serves and serves it.
//
// It must not know the API's operations, how versions are built, nor the
// database: it asks the routine service what is live, and package plan how a site
// is configured.
package edge

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"net/http"
	"net/url"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/local/analytics"
	"github.com/esa-mcp/esa-mcp/internal/local/edge/balance"
	"github.com/esa-mcp/esa-mcp/internal/local/edge/cache"
	"github.com/esa-mcp/esa-mcp/internal/local/edge/origin"
	"github.com/esa-mcp/esa-mcp/internal/local/edge/plan"
	"github.com/esa-mcp/esa-mcp/internal/local/edge/room"
	"github.com/esa-mcp/esa-mcp/internal/local/routine"
	"github.com/esa-mcp/esa-mcp/internal/local/runtime"
)

// Config is what New needs; every field may be left empty.
type Config struct {
	Logger *slog.Logger // one line for each request at debug level; nil: no logs
	Now    func() time.Time
	// OpenDefaultDomain serves default domains to everybody. Otherwise they
	// answer 401 to requests without an access token.
	OpenDefaultDomain bool
	// Pick returns a number from 0 to n-1: it splits requests between two versions
	// and orders random queues; nil: at random. It is called by many goroutines at once.
	Pick func(n int) int
	// Runtime runs the code of routines, which has KV and CodeCache to keep
	// things in; nil: what has code answers 501.
	Runtime   *runtime.Service
	KV        runtime.KV
	CodeCache runtime.Cache
	// Console gets what the code of routines writes to the console, and why code
	// failed; nil: both are logged.
	Console func(routine, level, message string)
	// Recorder gets every request that was answered; nil: nobody does.
	Recorder Recorder
	// Plans knows the account's sites, and Origins fetches from their origins. If
	// they are nil, only default domains are served.
	Plans   *plan.Source
	Origins *origin.Client
	// Cache keeps responses of origins; nil: one of 256 MiB. It is the one that
	// Plans purges.
	Cache *cache.Store
	// Certificates are those that the edge shows to origins; nil: it shows none.
	Certificates Certificates
	// Health is what is known of the origins of load balancers; nil: nothing is.
	Health *balance.Health
	// DefaultOrigin is the origin of default domains, such as
	// "https://www.example.com": their code sees requests as of that host, and
	// what it fetches from there goes there. Nil: they have none.
	DefaultOrigin *url.URL
	// TLSPort is the port of the edge's HTTPS, where redirects to HTTPS lead.
	TLSPort string
}

// New returns the edge.
func New(svc *routine.Service, cfg Config) Edge {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Pick == nil {
		cfg.Pick = mathrand.IntN
	}
	if cfg.Health == nil {
		cfg.Health = &balance.Health{}
	}
	if cfg.Cache == nil {
		cfg.Cache = cache.New(CacheSize)
	}
	key := make([]byte, 32)
	rand.Read(key) // never fails
	return &edge{svc: svc, cfg: cfg, key: key, limits: &limits{}, live: &live{}, rooms: room.New(cfg.Pick), scans: &scans{}, server: []string{"ESA (local)"}}
}

// CacheSize is how much the cache holds, in bytes.
const CacheSize = 256 << 20

type edge struct {
	svc *routine.Service
	cfg Config

	limits *limits
	live   *live
	plain  plainFiles
	rooms  *room.Rooms
	scans  *scans
	key    []byte   // of what visitors' browsers prove
	server []string // the value of the Server header
}

func (e *edge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	started := e.cfg.Now()
	rec := &recorder{ResponseWriter: w, visitor: readVisitor(r), began: started}
	if r.Body != nil && r.Body != http.NoBody {
		own := *r // the server looks at its request's body in the end
		own.Body = countedBody{r.Body, rec}
		rec.open, rec.awaited = r.ProtoMajor == 1, r.Header["Expect"] != nil
		r = &own
	}
	rec.Header()["Server"] = e.server
	defer e.note(rec, r) // also when the connection is cut in the middle
	e.route(rec, r)
}

// note logs an answered request.
func (e *edge) note(rec *recorder, r *http.Request) {
	e.keep(rec.visit(r), rec.Header().Get(versionHeader))
}

// keep logs a visit, which a version of a routine may have answered.
func (e *edge) keep(v analytics.Visit, version string) {
	if e.cfg.Logger.Enabled(context.Background(), slog.LevelDebug) {
		// No query string: it may hold an access token.
		e.cfg.Logger.Debug("edge request", "host", v.Host, "method", v.Method, "path", v.Path,
			"status", v.Status, "bytes", v.Bytes, "version", version, "took", e.cfg.Now().Sub(v.Time))
	}
	if e.cfg.Recorder != nil {
		e.cfg.Recorder.Record(v)
	}
}

// route finds what the host name serves.
func (e *edge) route(w *recorder, r *http.Request) {
	name, env, ok := e.svc.ParseHost(r.Host)
	if !ok {
		e.routeSite(w, r)
		return
	}
	// A version that vanishes between two questions was replaced by another
	// process: asking again finds the new one.
	for range 3 {
		err := e.serveDefault(w, r, name, env)
		if errors.Is(err, routine.ErrNoVersion) {
			continue
		}
		if err != nil && r.Context().Err() == nil {
			e.cfg.Logger.ErrorContext(r.Context(), "edge request failed", "host", r.Host, "path", r.URL.Path, "error", err)
			problem(w, r, http.StatusInternalServerError, "The local edge failed; its log says why.")
		}
		return
	}
	problem(w, r, http.StatusServiceUnavailable, "The deployed version is being replaced. Try again.")
}

// routeSite finds the site of a host that is no default domain.
func (e *edge) routeSite(w *recorder, r *http.Request) {
	if e.cfg.Plans != nil {
		host, err := e.cfg.Plans.Host(r.Context(), r.Host)
		if err != nil && r.Context().Err() == nil {
			e.cfg.Logger.ErrorContext(r.Context(), "edge request failed", "host", r.Host, "path", r.URL.Path, "error", err)
			problem(w, r, http.StatusInternalServerError, "The local edge failed; its log says why.")
		}
		if err != nil {
			return
		}
		if host.Site != nil {
			e.serveSite(w, r, host)
			return
		}
	}
	problem(w, r, http.StatusNotFound, "The local edge serves no host named %q.", r.Host)
}

// serveDefault serves a routine's default domain. If it returns an error,
// nothing was answered yet.
func (e *edge) serveDefault(w *recorder, r *http.Request, name string, env routine.Env) error {
	live, err := e.lookup(r.Context(), name, env)
	if errors.Is(err, routine.ErrNoRoutine) {
		problem(w, r, http.StatusNotFound, "There is no routine named %q behind the host %q.", name, r.Host)
		return nil
	}
	if err != nil {
		return err
	}
	if !e.cfg.OpenDefaultDomain && !e.admit(w, r, live.RoutineID) {
		return nil
	}
	if len(live.Shares) == 0 {
		problem(w, r, http.StatusNotFound, "Nothing is deployed to the %s environment of the routine %q.", env, name)
		return nil
	}
	bundle, err := e.svc.Bundle(r.Context(), live.RoutineID, e.choose(live.Shares))
	if err != nil {
		return err
	}
	return e.serveBundle(w, r, bundle, func() error { return e.serveCode(w, r, live.RoutineID, name, bundle) })
}

// choose picks one of the deployed versions by their percentages.
func (e *edge) choose(shares []routine.Share) string {
	if len(shares) == 1 {
		return shares[0].CodeVersion
	}
	n := int64(e.cfg.Pick(100))
	for _, share := range shares {
		if n < share.Percentage {
			return share.CodeVersion
		}
		n -= share.Percentage
	}
	return shares[len(shares)-1].CodeVersion
}

// problem answers with one sentence of plain text.
func problem(w http.ResponseWriter, r *http.Request, status int, format string, args ...any) {
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		fmt.Fprintf(w, format+"\n", args...)
	}
}
