// Package routine is the local ESA's edge routines (Pages): routines, their code
// versions and how these are built from uploads, deployments and access tokens.
//
// It must not know how a request reached it nor how an asset is served: the
// gateway calls its table of operations, the object storage tells it of uploads,
// and the edge asks it what is live.
package routine

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/quota"
	"github.com/esa-mcp/esa-mcp/internal/local/state"
)

// Config is what New needs; every field may be left empty.
type Config struct {
	Logger *slog.Logger     // nil: no logs
	Now    func() time.Time // nil: time.Now
	Random io.Reader        // nil: crypto/rand
	// DefaultDomainSuffix ends the default domains; "er.localhost" if empty.
	DefaultDomainSuffix string
	Quotas              quota.Set     // routines, their versions and routes
	UploadTTL           time.Duration // how long an upload address is good; 0: 30 minutes
	TokenTTL            time.Duration // how long an access token is good; 0: 1 hour
	Limits              Limits
	// BeforeBuild runs before each build: an error makes the build fail with
	// that reason, and a build hangs as long as it does. For tests.
	BeforeBuild func(ctx context.Context, name, codeVersion string) error
	// Closed makes an account whose routine service was never opened: every call
	// but GetErService and OpenErService answers NotNull, as users report of the
	// service. OpenErService opens it for as long as the process runs.
	Closed bool
}

// Limits bound an upload and what is in it. A zero field means the default.
type Limits struct {
	MaxUpload int64 // bytes of a zip; 4 GiB
	MaxCode   int64 // bytes of a script; 5 MiB
	MaxAsset  int64 // bytes of one asset; 25 MiB
	MaxTotal  int64 // bytes of all files together; 4 GiB
	MaxFiles  int   // assets; 50,000
	// MaxRatio is how many times larger than the zip its files may be, once they
	// are larger than 64 MiB; 200.
	MaxRatio int64
}

func (c Config) withDefaults() Config {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Random == nil {
		c.Random = rand.Reader
	}
	if c.DefaultDomainSuffix == "" {
		c.DefaultDomainSuffix = "er.localhost"
	}
	setDefault(&c.UploadTTL, 30*time.Minute)
	setDefault(&c.TokenTTL, time.Hour)
	setDefault(&c.Limits.MaxUpload, 4<<30)
	setDefault(&c.Limits.MaxCode, 5<<20)
	setDefault(&c.Limits.MaxAsset, 25<<20)
	setDefault(&c.Limits.MaxTotal, 4<<30)
	setDefault(&c.Limits.MaxFiles, 50_000)
	setDefault(&c.Limits.MaxRatio, 200)
	return c
}

func setDefault[T int | int64 | time.Duration](v *T, def T) {
	if *v == 0 {
		*v = def
	}
}

// quota is how many of a kind the account has.
func (c Config) quota(kind string) int { return c.Quotas.Of("", kind) }

// Service is the routines of one state. It is safe for concurrent use.
type Service struct {
	store *state.Store
	cfg   Config

	open atomic.Bool // the routine service of the account

	ctx    context.Context // of the builds; ends with Close
	cancel context.CancelFunc
	slots  chan struct{} // builds that may run at once

	mu     sync.Mutex // guards closed, and builds against Close
	closed bool
	builds sync.WaitGroup

	restored []string // files of versions that Restore made
	bundles  bundleCache
	liveStmt func() (*sql.Stmt, error) // prepared on first use, closed with the store
}

// maxBuilds keeps builds from taking the whole machine: each uses all cores.
const maxBuilds = 2

// New returns the service. Builds that an earlier process left unfinished wait
// for Resume.
func New(store *state.Store, cfg Config) *Service {
	ctx, cancel := context.WithCancel(context.Background())
	s := &Service{
		store: store, cfg: cfg.withDefaults(),
		ctx: ctx, cancel: cancel, slots: make(chan struct{}, maxBuilds),
		liveStmt: sync.OnceValues(func() (*sql.Stmt, error) { return store.DB().Prepare(liveQuery) }),
	}
	s.open.Store(!cfg.Closed)
	return s
}

// Close stops running builds, which Resume of a later service starts again, and
// waits for them. Call it before the store is closed.
func (s *Service) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.cancel()
	s.builds.Wait()
	return nil
}

// Table returns the operations.
func (s *Service) Table() api.Table {
	table := api.Table{
		"CreateRoutine":                      s.createRoutine,
		"GetRoutine":                         s.getRoutine,
		"ListUserRoutines":                   s.listUserRoutines,
		"DeleteRoutine":                      s.deleteRoutine,
		"GetRoutineAccessToken":              s.getAccessToken,
		"GetRoutineStagingCodeUploadInfo":    s.getStagingUploadInfo,
		"CommitRoutineStagingCode":           s.commitStagingCode,
		"CreateRoutineWithAssetsCodeVersion": s.createAssetsVersion,
		"GetRoutineCodeVersionInfo":          s.getVersionInfo,
		"ListRoutineCodeVersions":            s.listVersions,
		"DeleteRoutineCodeVersion":           s.deleteVersion,
		"PublishRoutineCodeVersion":          s.publishVersion,
		"CreateRoutineCodeDeployment":        s.createDeployment,
		"GetRoutineCodeVersion":              s.getVersionCode,
		"UpdateRoutineConfigDescription":     s.updateDescription,
		"GetRoutineStagingEnvIp":             s.getStagingIPs,
		"GetRoutineUserInfo":                 s.getUserInfo,
		"ListEdgeRoutinePlans":               s.listPlans,
		"ListRoutineCanaryAreas":             s.listCanaryAreas,
		"CreateRoutineRoute":                 s.createRoute,
		"GetRoutineRoute":                    s.getRoute,
		"UpdateRoutineRoute":                 s.updateRoute,
		"DeleteRoutineRoute":                 s.deleteRoute,
		"ListRoutineRoutes":                  s.listRoutineRoutes,
		"ListSiteRoutes":                     s.listSiteRoutes,
		"CreateRoutineRelatedRecord":         s.createRelatedRecord,
		"DeleteRoutineRelatedRecord":         s.deleteRelatedRecord,
		"ListRoutineRelatedRecords":          s.listRelatedRecords,
		"ListEdgeRoutineRecords":             s.listEdgeRecords,
	}
	for action, handle := range table {
		table[action] = s.whenOpen(handle)
	}
	table["GetErService"], table["OpenErService"] = s.getErService, s.openErService
	return table
}

// whenOpen refuses calls as long as the service is not open.
func (s *Service) whenOpen(handle api.Handler) api.Handler {
	return func(ctx context.Context, r *api.Request) (any, error) {
		if !s.open.Load() {
			return nil, api.Errorf(400, "NotNull", "The specified parameter must not be null.")
		}
		return handle(ctx, r)
	}
}

func (s *Service) getErService(context.Context, *api.Request) (any, error) {
	type service struct{ PlanName, Status string }
	if !s.open.Load() {
		return service{Status: "NotOpened"}, nil
	}
	return service{"er_freemode", "Running"}, nil
}

func (s *Service) openErService(context.Context, *api.Request) (any, error) {
	if s.open.Swap(true) {
		return nil, api.Errorf(400, "ErService.HasOpened", "The edge routine service is already open.")
	}
	return nil, nil
}

// isNoRows reports a query that found nothing.
func isNoRows(err error) bool { return errors.Is(err, sql.ErrNoRows) }
