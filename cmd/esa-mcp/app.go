package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/esa"
	"github.com/esa-mcp/esa-mcp/internal/guard"
	"github.com/esa-mcp/esa-mcp/internal/local"
	described "github.com/esa-mcp/esa-mcp/internal/local/account"
	"github.com/esa-mcp/esa-mcp/internal/local/fault"
	"github.com/esa-mcp/esa-mcp/internal/local/quota"
	"github.com/esa-mcp/esa-mcp/internal/mcpserver"
	"github.com/esa-mcp/esa-mcp/tools"
)

// app is the server and what it works with: the client, and the local ESA if
// that was asked for. The local ESA starts beside the server, so that the
// answer to initialize does not wait for it.
type app struct {
	server *mcpserver.Server
	build  build
	ready  func() (*tools.Deps, error)
	stop   context.CancelFunc
	watch  mcpserver.Watch

	mu    sync.Mutex
	local *local.Server
	// journal is the audit log.
	journal *guard.Journal
}

// appOptions are what only some commands want.
type appOptions struct {
	// openDefaultDomain serves the local ESA's default domains without a token.
	openDefaultDomain bool
	// confirmed lets tools do what they would ask for.
	confirmed bool
	// oneCall says that the process ends with one call of a tool.
	oneCall bool
	// seed is what the local ESA's account is made to have.
	seed *described.Account
	// console gets what routines on the local ESA write; see local.Options.
	console func(routine, level, message string)
	// origin is behind the local ESA's default domains; see local.Options.
	origin *url.URL
	// faults are those of the local ESA; newApp reads them from the settings.
	faults []fault.Fault
	// quotas are those of the local ESA, likewise.
	quotas quota.Set
	// wait makes newApp return when the dependencies are ready, with their error.
	wait bool
}

func (s *settings) selectTools() ([]tools.Tool, error) {
	selected, err := tools.Select(tools.All(), s.toolsets, s.readOnly)
	if err != nil {
		return nil, err
	}
	return s.offered(selected)
}

func newApp(ctx context.Context, s *settings, o appOptions) (*app, error) {
	selected, err := s.selectTools()
	if err != nil {
		return nil, err
	}
	if o.faults, err = s.injected(); err != nil {
		return nil, err
	}
	if len(o.faults) > 0 && !s.local {
		return nil, errors.New("--fault needs --local: only the local ESA fails on demand")
	}
	if o.quotas, err = s.limits(); err != nil {
		return nil, err
	}
	if len(s.quotas) > 0 && !s.local {
		return nil, errors.New("--quota needs --local: an account's quotas are those of its plans")
	}
	ctx, stop := context.WithCancel(ctx)
	a := &app{build: thisBuild(), stop: stop}
	a.ready = sync.OnceValues(func() (*tools.Deps, error) { return a.dependencies(ctx, s, o) })
	switch {
	case o.wait:
		if _, err := a.ready(); err != nil {
			a.close()
			return nil, failed("%w", err)
		}
	case s.local:
		go a.ready()
	default:
		// Bad settings are told at once; nothing is reached yet.
		if _, err := a.ready(); err != nil {
			a.close()
			return nil, err
		}
	}
	a.server = mcpserver.New(mcpserver.Options{
		Version: a.build.Version, Commit: a.build.Commit, Date: a.build.Date,
		Tools: selected, Deps: a.ready, Logger: s.logger, Timeout: s.timeout, Watch: &a.watch,
	})
	return a, nil
}

// dependencies makes what the tools work with. It reaches nothing outside: the
// credentials are looked for at the first call.
func (a *app) dependencies(ctx context.Context, s *settings, o appOptions) (*tools.Deps, error) {
	config := esa.Config{Endpoint: s.endpoint, Region: s.region, Version: a.build.Version, Logger: s.logger}
	var where func(context.Context) *tools.LocalInfo
	if s.local {
		var allowed []string
		if o.origin != nil {
			allowed = []string{o.origin.Hostname()}
		}
		l, err := local.Start(ctx, local.Options{
			DefaultOrigin: o.origin, AllowOrigins: allowed,
			Faults: o.faults, Quotas: o.quotas, Seed: o.seed, Console: o.console, Dir: s.localDir, OpenDefaultDomain: o.openDefaultDomain, Logger: s.logger, Now: time.Now,
		})
		if err != nil {
			return nil, fmt.Errorf("start the local ESA: %w", err)
		}
		a.mu.Lock()
		a.local = l
		a.mu.Unlock()
		li := l.Info()
		config.Endpoint = li.Endpoint
		config.Credentials = esa.StaticCredentials(li.AccessKeyID, li.AccessKeySecret, "")
		where = tools.KnownLocal(tools.LocalInfo{Edge: li.Edge, OpenDefaultDomain: o.openDefaultDomain})
	}
	client, err := esa.New(config)
	if err != nil {
		return nil, err
	}
	if endpoint, ok := client.Loopback(); ok && where == nil {
		where = (&localAsker{endpoint: endpoint}).ask
	}
	guarded, journal, err := a.guard(s, client)
	if err != nil {
		return nil, err
	}
	var tokens *guard.Tokens
	if !o.oneCall { // there is no second call to bring one
		tokens = guard.NewTokens(time.Now)
	}
	return &tools.Deps{
		ESA: guarded, Upload: client, Local: where, SameProcess: s.local, Locks: tools.NewLocks(), Confirmed: o.confirmed, Tokens: tokens, Journal: journal,
		Now: time.Now, Sleep: sleep, Logger: s.logger, Version: a.build.Version,
	}, nil
}

// connect opens an in-process session that speaks the protocol as any client.
func (a *app) connect(ctx context.Context) (*mcpserver.Session, error) {
	return mcpserver.Connect(ctx, a.server)
}

// close ends the local ESA, if it was started, and the audit log.
func (a *app) close() error {
	a.stop()
	_, _ = a.ready() // what is being started has to be there to be closed; its error was told, or is that of stop
	a.mu.Lock()
	defer a.mu.Unlock()
	var failures []error
	if a.local != nil {
		failures = append(failures, a.local.Close())
	}
	if a.journal != nil {
		failures = append(failures, a.journal.Close())
	}
	return errors.Join(failures...)
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// outliveReaders has a write that nobody reads fail, where the system would end the
// process at once: what serves has a state to close and calls to end.
func outliveReaders() { signal.Ignore(syscall.SIGPIPE) }

// serve speaks MCP on the standard streams until the client leaves.
func serve(ctx context.Context, s *settings, std streams) error {
	outliveReaders()
	a, err := newApp(ctx, s, appOptions{})
	if err != nil {
		return err
	}
	defer a.close()
	err = mcpserver.ServeStdio(ctx, a.server, std.in, std.out, mcpserver.StdioOptions{Logger: s.logger})
	if err != nil && !errors.Is(err, context.Canceled) {
		return failed("serve MCP: %w", err)
	}
	return nil
}
