// Package local puts the local ESA together: the API gateway with its
// operations, the upload endpoint, and the edge, on loopback listeners over one
// state.
//
// Its parts are the packages below it. A call comes to gateway, an upload to oss,
// and what is asked of the local ESA itself to admin and console. Operations are in
// the package of their subject - site, rules, waf, lists, certificate, purge, kv,
// files, routine, analytics - or, where they only keep things, in generic; api,
// values, expression and quota are what they share. The edge serves by what
// edge/plan compiles from the state, and runs routines in runtime. State, account
// (files that describe one), fault and version stand beside all of them.
// docs/local-esa.md says of each operation how it is answered.
//
// It must not know anything of the ESA client or of MCP. What a client of the
// real service can do must work here over HTTP alone.
package local

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/local/account"
	"github.com/esa-mcp/esa-mcp/internal/local/admin"
	"github.com/esa-mcp/esa-mcp/internal/local/analytics"
	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/certificate"
	"github.com/esa-mcp/esa-mcp/internal/local/console"
	"github.com/esa-mcp/esa-mcp/internal/local/edge"
	"github.com/esa-mcp/esa-mcp/internal/local/edge/balance"
	"github.com/esa-mcp/esa-mcp/internal/local/edge/fastpath"
	"github.com/esa-mcp/esa-mcp/internal/local/edge/origin"
	"github.com/esa-mcp/esa-mcp/internal/local/fault"
	"github.com/esa-mcp/esa-mcp/internal/local/files"
	"github.com/esa-mcp/esa-mcp/internal/local/gateway"
	"github.com/esa-mcp/esa-mcp/internal/local/generic"
	"github.com/esa-mcp/esa-mcp/internal/local/kv"
	"github.com/esa-mcp/esa-mcp/internal/local/lists"
	"github.com/esa-mcp/esa-mcp/internal/local/oss"
	"github.com/esa-mcp/esa-mcp/internal/local/purge"
	"github.com/esa-mcp/esa-mcp/internal/local/quota"
	"github.com/esa-mcp/esa-mcp/internal/local/routine"
	"github.com/esa-mcp/esa-mcp/internal/local/rules"
	"github.com/esa-mcp/esa-mcp/internal/local/runtime"
	"github.com/esa-mcp/esa-mcp/internal/local/site"
	"github.com/esa-mcp/esa-mcp/internal/local/state"
	"github.com/esa-mcp/esa-mcp/internal/local/version"
	"github.com/esa-mcp/esa-mcp/internal/local/waf"
)

const (
	anyPort      = "127.0.0.1:0"
	defaultGrace = 5 * time.Second
	// checkEvery is how soon the edge sees what another process changed.
	checkEvery = 20 * time.Millisecond
)

// Options say how the local ESA is to run. The zero value is one in memory on
// free ports.
type Options struct {
	// Listen and EdgeListen are the addresses of the API and of the edge,
	// 127.0.0.1 and a free port if empty. Others than loopback are refused: both
	// are there for everybody who reaches them.
	Listen, EdgeListen string
	// EdgeTLSListen is the address of the edge's HTTPS, likewise.
	EdgeTLSListen string
	// TLSListen is the address of the API's HTTPS, for clients that speak nothing
	// else; none if empty.
	TLSListen string
	// Dir keeps the state; empty or ":memory:" keeps it in memory until Close.
	Dir string
	// OpenDefaultDomain serves the default domains of routines without an access
	// token.
	OpenDefaultDomain bool
	// DefaultOrigin is the origin behind the default domains of routines, which
	// otherwise have none. It has to be one that the edge may go to.
	DefaultOrigin *url.URL
	// AllowOrigins are the origins that the edge goes to besides loopback
	// addresses: HOST, HOST:PORT or all. Names that end in .localhost are loopback.
	AllowOrigins []string
	// Console gets what the code of routines writes to the console, and why code
	// failed: the level is debug, info, warn or error. Nil: Logger gets both. It is
	// called by many goroutines at once.
	Console func(routine, level, message string)
	// Logger gets what happens, never parameters or keys; silent if nil.
	Logger *slog.Logger
	// Now is the clock of all parts; time.Now if nil.
	Now func() time.Time
	// Grace is how long Close waits for calls that are under way; 5 s if 0.
	Grace time.Duration

	// Intercept, if set, comes before the handler of each verified call: see
	// gateway.Config.
	Intercept func(ctx context.Context, action string) error
	// WrapUploads, if set, comes before the upload endpoint, so that tests can
	// delay or refuse an upload.
	WrapUploads func(http.Handler) http.Handler
	// Seed, if set, is what the account is made to have, beside what it has.
	Seed *account.Account
	// Faults make calls, uploads and builds fail. More can be switched on at the
	// address of Info.Admin.
	Faults []fault.Fault
	// Quotas are how much of everything there may be; the zero value is the table
	// of package quota.
	Quotas quota.Set
	// Site, KV and Routine set up the parts. Their clocks and loggers come from
	// the fields above.
	Site    site.Config
	KV      kv.Config
	Routine routine.Config
	// Analytics sets up the request log.
	Analytics analytics.Config
	Rules     rules.Config
	Purge     purge.Config
	// Certificate sets up the certificates; its clock is Now.
	Certificate certificate.Config
	// Runtime sets up what runs routines.
	Runtime runtime.Config

	edgeAddress           string // this and the ports are known when the listeners are open
	edgePort, edgeTLSPort string
}

// Info says where a local ESA answers and with which key.
type Info struct {
	Endpoint        string `json:"endpoint"` // of the API, "http://127.0.0.1:4001"
	Edge            string `json:"edge"`     // "http://127.0.0.1:4002"
	AccessKeyID     string `json:"access_key_id"`
	AccessKeySecret string `json:"access_key_secret"`
	// Admin is where the local ESA itself is asked and told things, with the key
	// as user and password: "http://127.0.0.1:4001/_local".
	Admin string `json:"admin"`
	// Console is a page for a browser that shows what there is.
	Console string `json:"console"`
	// EdgeTLS is the edge's HTTPS: "https://127.0.0.1:4003". Its certificates are
	// those of the sites; the free ones and those of default domains are signed by
	// the authority whose certificate is in CAFile, as PEM.
	EdgeTLS string `json:"edge_tls"`
	CAFile  string `json:"ca_file"`
	// EndpointTLS is the API's HTTPS, if it was asked for; its certificates are
	// signed by that authority, too.
	EndpointTLS string `json:"endpoint_tls,omitempty"`
}

// Server is a running local ESA.
type Server struct {
	info     Info
	store    *state.Store
	routines *routine.Service
	purges   *purge.Service
	things   *generic.Service
	log      *analytics.Service
	edge     edgeParts
	servers  []*http.Server
	plain    *fastpath.Listener // of the edge, before its server
	stop     context.CancelFunc // ends calls that outlast the grace
	serving  sync.WaitGroup
	close    func() error
}

// Start opens the state and serves until Close; ctx bounds the start alone.
// Builds that an earlier process left unfinished go on.
func Start(ctx context.Context, o Options) (*Server, error) {
	o = o.withDefaults()
	at, err := openListeners(ctx, o)
	if err != nil {
		return nil, err
	}
	o.edgeAddress = at.edge.Addr().String()
	if _, o.edgePort, err = net.SplitHostPort(o.edgeAddress); err != nil {
		return nil, errors.Join(err, at.close())
	}
	if _, o.edgeTLSPort, err = net.SplitHostPort(at.edgeTLS.Addr().String()); err != nil {
		return nil, errors.Join(err, at.close())
	}
	s, apiHandler, visitors, err := assemble(ctx, o)
	if err != nil {
		return nil, errors.Join(err, at.close())
	}
	s.info = at.info(s.store.Account())
	if s.info.CAFile, err = s.writeAuthority(ctx, o.Dir); err != nil {
		return nil, errors.Join(err, at.close(), s.closeState())
	}
	base, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = stop
	s.serve(base, o.Logger, at.api, apiHandler)
	if at.apiTLS != nil {
		s.serve(base, o.Logger, tls.NewListener(at.apiTLS, apiTLS(s.edge.certificates)), apiHandler)
	}
	s.plain = fastpath.Listen(at.edge, visitors)
	s.serve(base, o.Logger, s.plain, visitors)
	s.serve(base, o.Logger, tls.NewListener(at.edgeTLS, edge.NewTLS(s.routines, s.edge.plans, s.edge.certificates)), visitors)
	s.serving.Go(func() { s.edge.monitors.Run(base) })
	s.serving.Go(func() { s.things.Run(base, o.Logger) })
	s.close = sync.OnceValue(func() error { return s.shutdown(o.Grace) })
	return s, nil
}

func (o Options) withDefaults() Options {
	if o.Listen == "" {
		o.Listen = anyPort
	}
	if o.EdgeListen == "" {
		o.EdgeListen = anyPort
	}
	if o.EdgeTLSListen == "" {
		o.EdgeTLSListen = anyPort
	}
	if o.Dir == "" {
		o.Dir = state.Memory
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Grace == 0 {
		o.Grace = defaultGrace
	}
	if o.WrapUploads == nil {
		o.WrapUploads = func(h http.Handler) http.Handler { return h }
	}
	o.Site.Now, o.KV.Now = o.Now, o.Now
	o.Site.Quotas, o.KV.Quotas, o.Routine.Quotas = o.Quotas, o.Quotas, o.Quotas
	o.Analytics.Quotas = o.Quotas
	o.Rules.Quotas, o.Purge.Quotas, o.Certificate.Quotas = o.Quotas, o.Quotas, o.Quotas
	o.Purge.Now, o.Certificate.Now = o.Now, o.Now
	o.Routine.Now, o.Routine.Logger = o.Now, o.Logger
	o.Runtime.Now, o.Runtime.Logger = o.Now, o.Logger
	o.Analytics.Now, o.Analytics.Logger = o.Now, o.Logger
	return o
}

// assemble opens the state and makes the two handlers over it.
func assemble(ctx context.Context, o Options) (_ *Server, apiHandler http.Handler, visitors edge.Edge, err error) {
	store, err := state.Open(ctx, o.Dir)
	if err != nil {
		return nil, nil, nil, err
	}
	allowed, err := origin.ParseAllowed(o.AllowOrigins)
	if err != nil {
		return nil, nil, nil, errors.Join(err, store.Close())
	}
	o.Site.AllowOrigin = allowed.AnyPort
	o.Site.PoolExists, o.Site.NameTaken, o.Site.IsHostnameOrigin = generic.PoolExists, generic.NameTaken, generic.IsHostnameOrigin
	sites, err := site.New(ctx, store, o.Site)
	if err != nil {
		return nil, nil, nil, errors.Join(err, store.Close())
	}
	faults := fault.NewSet(o.Faults...)
	o.Routine.BeforeBuild = failBuilds(faults, o.Routine.BeforeBuild)
	o.KV.MaxLag = faults.MaxLag
	o.KV.Lag = func(action, namespace string) time.Duration {
		return faults.Lag(fault.Call{Action: action, Namespace: namespace})
	}
	routines := routine.New(store, o.Routine)
	table := api.Table{}
	table.Add(sites.Table())
	health := &balance.Health{}
	certificates := certificate.New(store, o.Certificate)
	table.Add(certificates.Table())
	table.Add(waf.New(store, waf.Config{Now: o.Now, Quotas: o.Quotas, KnownVersion: site.KnownVersion}).Table())
	table.Add(lists.New(store, lists.Config{Now: o.Now, Quotas: o.Quotas, InUse: waf.UsesList}).Table())
	o.Rules.PageExists, o.Rules.KnownVersion = generic.PageExists, site.KnownVersion
	table.Add(rules.New(store, o.Rules).Table())
	uploaded := files.New(store, files.Config{Now: o.Now})
	table.Add(uploaded.Table())
	o.KV.Files, o.Purge.Files = uploaded, uploaded
	open := make(chan struct{}) // closed when visitors is there
	o.Purge.Fetch = func(ctx context.Context, address string, headers map[string]string) (purge.Fetched, error) {
		select {
		case <-open:
			return preload(ctx, visitors, address, headers)
		case <-ctx.Done():
			return purge.Fetched{}, ctx.Err()
		}
	}
	purges := purge.New(store, o.Purge)
	table.Add(purges.Table())
	things := generic.New(store, generic.Config{Now: o.Now, Quotas: o.Quotas, OriginHealth: health.Of, Preload: purges.Preload, ReadFile: uploaded.Read})
	table.Add(things.Table())
	pairs := kv.New(store, o.KV)
	table.Add(pairs.Table())
	table.Add(routines.Table())
	log := analytics.New(store, o.Analytics)
	table.Add(log.Table())

	makeStrict(table)
	if o.Seed != nil {
		if err := account.Seed(ctx, account.Parts{Store: store, Table: table, Routines: routines, Generic: things, Certificates: certificates}, *o.Seed, o.Now()); err != nil {
			return nil, nil, nil, errors.Join(err, routines.Close(), log.Close(), store.Close())
		}
	}
	if err := routines.Resume(ctx); err != nil { // which works on, so that it comes after the seed
		return nil, nil, nil, errors.Join(fmt.Errorf("resume builds: %w", err), routines.Close(), log.Close(), store.Close())
	}
	parts := newEdgeParts(store, allowed, o, certificates, health)
	key := store.Account()
	calls := gateway.New(gateway.Config{
		AccessKeyID: key.AccessKeyID, AccessKeySecret: key.AccessKeySecret,
		Table: table.After(parts.changed), Intercept: o.Intercept, Faults: faults, Now: o.Now, Logger: o.Logger,
		Versions: map[string]string{files.Action: files.Version},
	})
	takeOver := func(ctx context.Context, object oss.Object) error {
		if taken, err := uploaded.Uploaded(ctx, object); taken || err != nil {
			return err
		}
		return routines.Uploaded(ctx, object)
	}
	storage := oss.New(store, oss.Config{Logger: o.Logger, Now: o.Now, Uploaded: takeOver})
	uploads := o.WrapUploads(faults.Uploads(storage, oss.Refuse))
	requests := console.NewRequests(log)
	shown := viewer{o, store, table, routines}
	desk := admin.New(admin.Config{AccessKeyID: key.AccessKeyID, AccessKeySecret: key.AccessKeySecret, Faults: faults, Status: shown.status,
		Versions: version.New(store), Changed: parts.changed,
		Addresses: admin.Addresses{Edge: "http://" + o.edgeAddress, OpenDefaultDomain: o.OpenDefaultDomain}})
	page := console.New(console.Config{Snapshot: shown.snapshot, Requests: requests, Faults: faults, Link: shown.link, Now: o.Now})
	visitors = edge.New(routines, parts.config(o, requests, pairs))
	close(open)
	return &Server{store: store, routines: routines, purges: purges, things: things, log: log, edge: parts}, split(calls, uploads, desk, page), visitors, nil
}

// failBuilds puts the faults of builds before the build.
func failBuilds(faults *fault.Set, next func(ctx context.Context, name, codeVersion string) error) func(context.Context, string, string) error {
	return func(ctx context.Context, name, codeVersion string) error {
		if faults.Build(ctx, name) {
			return errors.New("the build failed on demand")
		}
		if next == nil {
			return nil
		}
		return next(ctx, name, codeVersion)
	}
}

// split sends uploads and what is for the local ESA itself past the gateway. It
// is no ServeMux, which would redirect paths that it finds unclean, and a
// redirect loses a signed call.
func split(calls, uploads, desk, page http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, "/oss/") || oss.AtBucket(r):
			uploads.ServeHTTP(w, r)
		case strings.HasPrefix(r.URL.Path, admin.Path+"/"):
			desk.ServeHTTP(w, r)
		case r.URL.Path == console.Path:
			page.ServeHTTP(w, r)
		default:
			calls.ServeHTTP(w, r)
		}
	})
}

// Info says where the server answers and with which key.
func (s *Server) Info() Info { return s.info }

// Export describes what the account has, for Options.Seed.
func (s *Server) Export(ctx context.Context) (account.Account, error) {
	return account.Export(ctx, s.store)
}

// Close stops serving, lets calls under way end within Options.Grace, cuts off
// the rest, and closes the state. Closing twice is the same as once.
func (s *Server) Close() error { return s.close() }

func (s *Server) shutdown(grace time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	var ending sync.WaitGroup
	failed := make([]error, len(s.servers)+1)
	for i, server := range s.servers {
		ending.Go(func() {
			if err := server.Shutdown(ctx); err != nil { // out of patience
				failed[i] = server.Close()
			}
		})
	}
	ending.Go(func() { failed[len(s.servers)] = s.plain.Shutdown(ctx) })
	ending.Wait()
	s.stop()
	s.serving.Wait()
	return errors.Join(append(failed, s.closeState())...)
}

// closeState ends what works on the state, and closes it.
func (s *Server) closeState() error {
	s.purges.Close()
	s.edge.close()
	return errors.Join(s.routines.Close(), s.log.Close(), s.store.Close())
}
