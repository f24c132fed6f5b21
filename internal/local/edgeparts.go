package local

import (
	"context"

	"github.com/esa-mcp/esa-mcp/internal/local/certificate"
	"github.com/esa-mcp/esa-mcp/internal/local/edge"
	"github.com/esa-mcp/esa-mcp/internal/local/edge/balance"
	"github.com/esa-mcp/esa-mcp/internal/local/edge/cache"
	"github.com/esa-mcp/esa-mcp/internal/local/edge/origin"
	"github.com/esa-mcp/esa-mcp/internal/local/edge/plan"
	"github.com/esa-mcp/esa-mcp/internal/local/purge"
	"github.com/esa-mcp/esa-mcp/internal/local/runtime"
	"github.com/esa-mcp/esa-mcp/internal/local/state"
)

// codeCacheSize is how many bytes routines can put into the global object cache.
const codeCacheSize = 64 << 20

// edgeParts are the edge's own parts that others of the local ESA talk to.
type edgeParts struct {
	plans   *plan.Source
	origins *origin.Client
	cache   *cache.Store
	code    *runtime.Service
	// codeCache is what the code of routines keeps.
	codeCache *runtime.MemoryCache
	// health is what monitors know of the origins of load balancers.
	health   *balance.Health
	monitors *balance.Monitors
	// certificates are what the edge shows to visitors and origins.
	certificates *certificate.Service
}

func newEdgeParts(store *state.Store, allowed origin.Allowed, o Options, certificates *certificate.Service, health *balance.Health) edgeParts {
	kept := cache.New(edge.CacheSize)
	codeCache := runtime.NewMemoryCache(codeCacheSize, o.Now)
	plans := plan.New(store, plan.Config{CheckEvery: checkEvery, Cache: kept, CodeCache: codeCache})
	origins := origin.New(plans, allowed)
	return edgeParts{plans: plans, origins: origins, cache: kept, code: runtime.New(o.Runtime), codeCache: codeCache, health: health,
		monitors: balance.NewMonitors(plans, origins, health, o.Logger), certificates: certificates}
}

// changed is told of each call: the configuration may be another since.
func (p edgeParts) changed() {
	p.plans.Changed()
	p.monitors.Changed()
}

// config is how the edge is set up.
func (p edgeParts) config(o Options, log edge.Recorder, pairs runtime.KV) edge.Config {
	return edge.Config{
		Logger: o.Logger, Now: o.Now, OpenDefaultDomain: o.OpenDefaultDomain, Recorder: log, Console: o.Console,
		Plans: p.plans, Origins: p.origins, Cache: p.cache, Health: p.health, Runtime: p.code, KV: pairs,
		CodeCache: p.codeCache, Certificates: p.certificates, TLSPort: o.edgeTLSPort, DefaultOrigin: o.DefaultOrigin,
	}
}

// preload has the edge fetch an address for its cache.
func preload(ctx context.Context, e edge.Preloader, address string, headers map[string]string) (purge.Fetched, error) {
	status, reason, err := e.Preload(ctx, address, headers)
	return purge.Fetched{Status: status, TimedOut: reason == origin.TimedOut, NoOrigin: reason != "" && reason != origin.TimedOut}, err
}

// close ends what the parts keep open.
func (p edgeParts) close() {
	p.code.Close()
	p.origins.Close()
}
