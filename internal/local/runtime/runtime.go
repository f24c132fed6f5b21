// Package runtime runs edge routines: it gives each request to the JavaScript of
// a routine's code version and returns the response.
//
// Each version has isolated virtual machines of its own, which serve one request
// at a time. A request that loops, exhausts its memory or crashes the engine
// costs that machine and nothing else.
//
// The package must not know how a request found its routine, nor where key-value
// pairs, cached responses and origins are: the caller passes these in as a Host.
package runtime

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	goruntime "runtime"
	"time"
)

// Script is one code version of a routine.
type Script struct {
	// Key is unique to the code: two scripts of one key are the same.
	Key string
	// Routine and CodeVersion are for messages.
	Routine, CodeVersion string
	// Load returns the source text. It is called when the version's first
	// machine is made.
	Load func(ctx context.Context) (string, error)
	// Env are the environment variables.
	Env map[string]string
}

// Host is what a request's code can reach outside its machine. A nil field
// makes the calls that need it fail with an error that says so.
type Host struct {
	KV    KV
	Cache Cache
	// Origin answers a fetch of the request's own host: it does one exchange
	// with the site's origin, follows no redirect and leaves the body as it
	// came.
	Origin func(ctx context.Context, r *http.Request) (*http.Response, error)
	// Fetch answers the fetches of other hosts, in the same way; nil for the
	// service's own Config.Fetch.
	Fetch func(ctx context.Context, r *http.Request) (*http.Response, error)
	// Log gets what the code writes to the console, and warnings of the runtime
	// itself. The level is debug, info, warn or error.
	Log func(level, message string)
}

// KV is the edge key-value store.
type KV interface {
	// Get returns a value, or false if the namespace has no such key.
	Get(ctx context.Context, namespace, key string) ([]byte, bool, error)
	Put(ctx context.Context, namespace, key string, value []byte) error
	// Delete reports whether there was such a key.
	Delete(ctx context.Context, namespace, key string) (bool, error)
}

// Cache is what the global object cache keeps, by http URL.
type Cache interface {
	Get(ctx context.Context, url string) (*CachedResponse, bool, error)
	Put(ctx context.Context, url string, r *CachedResponse) error
	// Delete reports whether there was such a response.
	Delete(ctx context.Context, url string) (bool, error)
}

// CachedResponse is a whole response that code has put into the cache.
type CachedResponse struct {
	Status  int
	Header  http.Header
	Body    []byte
	Expires time.Time
}

// Result is the response that the code made.
type Result struct {
	Status int
	// Header has Content-Type only if the code gave one.
	Header http.Header
	// Body must be closed. Reading it to its end lets code that streams go on.
	Body io.ReadCloser
	// Length is the length of the body in bytes, -1 if it is not known yet.
	Length int64
	// Streams is that the body is still being made, and may be made of the
	// request's.
	Streams bool
}

// Config is what New needs; every field may be left empty.
type Config struct {
	Logger *slog.Logger     // nil: no logs
	Now    func() time.Time // nil: time.Now
	Limits Limits
	// Fetch answers fetches that the Host leaves open.
	Fetch func(ctx context.Context, r *http.Request) (*http.Response, error)
	// MaxMachines bounds the machines of all versions together; 0: 64.
	MaxMachines int
	// Parallel is how many machines of one version may compute at the same
	// time; machines that wait for something do not count. 0: 2, or 1 on a
	// machine with one core.
	Parallel int
	// IdleFor is how long an unused machine is kept; 0: 1 minute.
	IdleFor time.Duration
}

// Limits bound one request. A zero field means the default.
type Limits struct {
	// CPU is how long a request's JavaScript may compute, 2 s. The service allows
	// a tenth of a second or less, on an engine that is about ten times faster:
	// past half of this limit the code gets a warning in its log.
	CPU time.Duration
	// Wall is how long a request may take until its response is complete, 60 s.
	Wall time.Duration
	// Grace is how much longer code that cannot be interrupted may compute before
	// its machine is given up, 5 s.
	Grace time.Duration
	// Leave is how long a stream's code may take to write again after its visitor
	// has left, 1 s. Then it hears of that, and may put things in order in the time
	// that any request has.
	Leave time.Duration
	// Memory is what a machine may hold, in bytes, 128 MiB.
	Memory int64
	// Body is the largest body that code may hold in one piece, in bytes, 32 MiB.
	// Bodies that only pass through are not bounded.
	Body int64
	// Subrequests is how many fetches, cache and key-value operations one
	// request may make, 32; Concurrent how many of them at a time, 4; KV how
	// many of them may be key-value operations, 8.
	Subrequests, Concurrent, KV int
}

func (c Config) withDefaults() Config {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	setDefault(&c.MaxMachines, 64)
	setDefault(&c.Parallel, min(2, goruntime.NumCPU()))
	setDefault(&c.IdleFor, time.Minute)
	setDefault(&c.Limits.CPU, 2*time.Second)
	setDefault(&c.Limits.Wall, time.Minute)
	setDefault(&c.Limits.Grace, 5*time.Second)
	setDefault(&c.Limits.Leave, time.Second)
	setDefault(&c.Limits.Memory, 128<<20)
	setDefault(&c.Limits.Body, 32<<20)
	setDefault(&c.Limits.Subrequests, 32)
	setDefault(&c.Limits.Concurrent, 4)
	setDefault(&c.Limits.KV, 8)
	return c
}

func setDefault[T int | int64 | time.Duration](v *T, def T) {
	if *v == 0 {
		*v = def
	}
}

// Service runs routines. It is safe for concurrent use.
type Service struct {
	cfg  Config
	pool *pool
}

// New returns the service. It costs nothing until the first request.
func New(cfg Config) *Service {
	cfg = cfg.withDefaults()
	return &Service{cfg: cfg, pool: newPool(cfg)}
}

// Close drops idle machines and refuses further requests. Requests under way
// end by themselves.
func (s *Service) Close() { s.pool.close() }

// Run gives a request to a script. The request must have the full URL that the
// code is to see. Errors are ErrCPU, ErrMemory, ErrWall, ErrNotResponse,
// ErrNeverSettles, *ErrThrow, ErrClosed, an error of Script.Load, or that of ctx.
func (s *Service) Run(ctx context.Context, script Script, host Host, r *http.Request) (*Result, error) {
	j, err := newJob(ctx, s.cfg, host, r)
	if err != nil {
		return nil, err
	}
	m, err := s.pool.acquire(j.ctx, script)
	if err != nil {
		j.end()
		return nil, j.explain(err)
	}
	return j.run(m)
}
