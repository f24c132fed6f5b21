package local

import (
	"github.com/esa-mcp/esa-mcp/internal/local/certificate"
	"github.com/esa-mcp/esa-mcp/internal/local/edge"
	"github.com/esa-mcp/esa-mcp/internal/local/edge/cache"
	"github.com/esa-mcp/esa-mcp/internal/local/edge/origin"
	"github.com/esa-mcp/esa-mcp/internal/local/edge/plan"
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
	// certificates are what the edge shows to visitors and origins.
	certificates *certificate.Service
}

func newEdgeParts(store *state.Store, allowed origin.Allowed, code runtime.Config, certificates *certificate.Service) edgeParts {
	kept := cache.New(edge.CacheSize)
	plans := plan.New(store, plan.Config{CheckEvery: checkEvery, Cache: kept})
	return edgeParts{plans: plans, origins: origin.New(plans, allowed), cache: kept, code: runtime.New(code), certificates: certificates}
}

// config is how the edge is set up.
func (p edgeParts) config(o Options, log edge.Recorder, pairs runtime.KV) edge.Config {
	return edge.Config{
		Logger: o.Logger, Now: o.Now, OpenDefaultDomain: o.OpenDefaultDomain, Recorder: log, Console: o.Console,
		Plans: p.plans, Origins: p.origins, Cache: p.cache, Runtime: p.code, KV: pairs,
		CodeCache: runtime.NewMemoryCache(codeCacheSize, o.Now), Certificates: p.certificates, TLSPort: o.edgeTLSPort,
	}
}

// close ends what the parts keep open.
func (p edgeParts) close() {
	p.code.Close()
	p.origins.Close()
}
