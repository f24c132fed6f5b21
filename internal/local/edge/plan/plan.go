// Package plan compiles what the state says of a site into what the edge works
// by: which host is whose, its records, its rules in order. It reads the tables
// that the parts of the control plane keep, and keeps the result in memory until
// the configuration changes.
//
// It must not know HTTP servers nor how a request is answered.
package plan

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/local/edge/cache"
	"github.com/esa-mcp/esa-mcp/internal/local/state"
)

// maxHosts bounds the hosts that are kept, so that visitors who make up names
// cannot fill the memory.
const maxHosts = 10_000

// Config is what New needs; every field may be left empty.
type Config struct {
	// CheckEvery is for how long a plan is used before the state is asked whether
	// another process changed it; 0: at each question. What this process changes
	// shows at once, if Changed is called after it.
	CheckEvery time.Duration
	// Cache loses what purges name before the first plan of a changed configuration
	// is handed out; it may be nil.
	Cache *cache.Store
	// CodeCache is the routines' own cache, likewise, of purges that are for it, too.
	CodeCache CodeCache
}

// CodeCache is what the code of routines keeps by address.
type CodeCache interface {
	// Purge drops what matches, and returns how many that were.
	Purge(match func(url string, header http.Header) bool) int
}

// Source hands out plans. It is safe for concurrent use.
type Source struct {
	store *state.Store
	cfg   Config

	now     atomic.Pointer[snapshot]
	checked atomic.Int64 // when, on the monotonic clock
	changes atomic.Int64 // calls of Changed
	seen    atomic.Int64 // of those, how many were before the last look began
	started time.Time
	loading sync.Mutex // guards the next
	// purged is the last purge that was applied; -1: none was looked for yet.
	purged int64
}

// New returns a source over the state.
func New(store *state.Store, cfg Config) *Source {
	return &Source{store: store, cfg: cfg, started: time.Now(), purged: -1}
}

// Changed says that the configuration may have changed, so that the next
// question looks.
func (s *Source) Changed() { s.changes.Add(1) }

// snapshot is what is known of one version of the configuration.
type snapshot struct {
	version int64
	mu      sync.RWMutex
	hosts   map[string]*Host
	sites   map[siteKey]*Site
	lists   map[string][]string // nil: not loaded yet
}

// fresh is the snapshot, if there is no reason to look whether it has changed.
func (s *Source) fresh() *snapshot {
	if s.seen.Load() != s.changes.Load() || time.Since(s.started)-time.Duration(s.checked.Load()) >= s.cfg.CheckEvery {
		return nil
	}
	return s.now.Load()
}

// current is the snapshot of the configuration as it is.
func (s *Source) current(ctx context.Context) (*snapshot, error) {
	if now := s.fresh(); now != nil {
		return now, nil
	}
	if now := s.now.Load(); now == nil || s.seen.Load() != s.changes.Load() || s.cfg.CheckEvery == 0 {
		s.loading.Lock()
	} else if !s.loading.TryLock() {
		return now, nil // somebody else looks for changes of other processes, and this request need not wait
	}
	defer s.loading.Unlock()
	if now := s.fresh(); now != nil { // somebody else has looked meanwhile
		return now, nil
	}
	changes := s.changes.Load() // before the look: a change after it counts again
	version, err := s.store.ConfigVersion(ctx)
	if err != nil {
		return nil, err
	}
	now := s.now.Load()
	if now == nil || now.version != version {
		if err := s.purge(ctx); err != nil {
			return nil, err
		}
		now = &snapshot{version: version, hosts: map[string]*Host{}, sites: map[siteKey]*Site{}}
		s.now.Store(now)
	}
	s.checked.Store(int64(time.Since(s.started)))
	s.seen.Store(changes)
	return now, nil
}

// Version is a number that changes whenever a plan may have.
func (s *Source) Version(ctx context.Context) (int64, error) {
	now, err := s.current(ctx)
	if err != nil {
		return 0, err
	}
	return now.version, nil
}

// Host returns what is known of a host name as a Host header has it. Its site is
// nil if the account has none for it.
func (s *Source) Host(ctx context.Context, host string) (*Host, error) {
	now, err := s.current(ctx)
	if err != nil {
		return nil, err
	}
	name := HostName(host)
	now.mu.RLock()
	h := now.hosts[name]
	now.mu.RUnlock()
	if h != nil {
		return h, nil
	}
	if h, err = s.loadHost(ctx, now, name); err != nil {
		return nil, err
	}
	now.mu.Lock()
	defer now.mu.Unlock()
	if len(now.hosts) >= maxHosts {
		clear(now.hosts)
	}
	now.hosts[name] = h
	return h, nil
}

// site returns a version of the compiled site, once for each snapshot.
func (s *Source) site(ctx context.Context, now *snapshot, id, number int64) (*Site, error) {
	key := siteKey{id, number}
	now.mu.RLock()
	t := now.sites[key]
	now.mu.RUnlock()
	if t != nil {
		return t, nil
	}
	t, err := loadSite(ctx, s.store.DB(), id, number)
	if err != nil {
		return nil, err
	}
	now.mu.Lock()
	defer now.mu.Unlock()
	if other := now.sites[key]; other != nil {
		return other, nil
	}
	now.sites[key] = t
	return t, nil
}

// BalancedSites are the sites that have load balancers.
func (s *Source) BalancedSites(ctx context.Context) ([]*Site, error) {
	now, err := s.current(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := s.store.DB().QueryContext(ctx, `SELECT DISTINCT site_id FROM resources WHERE kind = 'LoadBalancer' AND site_id IS NOT NULL`)
	if err != nil {
		return nil, fmt.Errorf("list the sites with load balancers: %w", err)
	}
	defer rows.Close()
	var ids []int64
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("read a site with load balancers: %w", err)
		}
		ids = append(ids, id)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return nil, fmt.Errorf("list the sites with load balancers: %w", err)
	}
	sites := make([]*Site, len(ids))
	for i, id := range ids {
		if sites[i], err = s.site(ctx, now, id, inProduction); err != nil {
			return nil, err
		}
	}
	return sites, nil
}

// HostName is a host as plans name it: lower case, without port and final dot.
func HostName(host string) string {
	if strings.Contains(host, ":") {
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// querier is the part of sql.DB and sql.Tx that reads.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}
