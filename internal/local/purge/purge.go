// Package purge is the part of the local ESA that takes purges and preloads of
// cached content: it checks what is asked, counts it against the day's quota and
// keeps the tasks.
//
// It must not know how calls arrive or are signed, nor how the edge caches: it
// writes purges down, and each edge drops what they name at its next request; and
// it has addresses fetched, and keeps what came of it. A task is Refreshing for a
// while all the same, as on the service.
//
// MissingTimeParameter and InvalidEndTime.Mismatch are documented codes; for
// refused content and used-up quotas none is, and these follow the patterns of
// the service and of its sister, the CDN.
package purge

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/quota"
	"github.com/esa-mcp/esa-mcp/internal/local/state"
)

// Config is what the service needs. The zero value of each field has a default.
type Config struct {
	// Now is the clock; time.Now if nil.
	Now func() time.Time
	// Duration is how long a task is Refreshing; 2 s if 0. On the service it is
	// minutes.
	Duration time.Duration
	// Quotas are how many objects a site may purge and preload a day.
	Quotas quota.Set
	// Files opens what UploadFile reads; every address is refused if nil.
	Files Files
	// Fetch fetches an address for the edge's cache, as a visitor with those headers
	// would: a preload. It is called by several goroutines at once. If it is nil,
	// nothing is fetched, and preloads are Complete after Duration.
	Fetch func(ctx context.Context, address string, headers map[string]string) (Fetched, error)
}

// Preload is the name of the quota of preloads.
const Preload = "preload"

// The types of a purge.
const (
	typeFile         = "file"
	typeCacheKey     = "cachekey"
	typeCacheTag     = "cachetag"
	typeDirectory    = "directory"
	typeIgnoreParams = "ignoreParams"
	typeHostname     = "hostname"
	typeAll          = "purgeall"
)

const (
	kindPurge   = "purge"
	kindPreload = "preload"
)

// keep is how long a task is listed.
const keep = 30 * 24 * time.Hour

// quotaOf is the kind of quota that a type of purge has, or preloads.
func quotaOf(typ string) (kind string, ok bool) {
	kind, ok = map[string]string{typeFile: quota.PurgeFiles, typeIgnoreParams: quota.PurgeIgnoreParams, typeCacheTag: quota.PurgeTags,
		typeDirectory: quota.PurgeDirectories, typeHostname: quota.PurgeHostnames, typeAll: quota.PurgeAll, Preload: quota.Preloads}[typ]
	return kind, ok
}

// Service answers the operations of purges and preloads.
type Service struct {
	store *state.Store
	cfg   Config

	ctx      context.Context // of fetches, ended by Close
	stop     context.CancelFunc
	slots    chan struct{} // bounds the fetches at once
	fetching sync.WaitGroup
}

// New makes the service.
func New(store *state.Store, cfg Config) *Service {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Duration == 0 {
		cfg.Duration = 2 * time.Second
	}
	s := &Service{store: store, cfg: cfg, slots: make(chan struct{}, fetchesAtOnce)}
	s.ctx, s.stop = context.WithCancel(context.Background())
	return s
}

// Close ends the fetches that are under way; their tasks fail when their time is
// up.
func (s *Service) Close() {
	s.stop()
	s.fetching.Wait()
}

// Table returns the operations.
func (s *Service) Table() api.Table {
	return api.Table{
		"BlockObject":          s.block,
		"DescribePreloadTasks": s.describePreloads,
		"DescribePurgeTasks":   s.describePurges,
		"GetFailFile":          s.failFile,
		"GetPurgeQuota":        s.getQuota,
		"GetUploadTask":        s.getUpload,
		"ListUploadTasks":      s.listUploads,
		"PreloadCaches":        s.preload,
		"PurgeCaches":          s.purge,
		"SubmitUploadTask":     s.submitUpload,
		"UploadFile":           s.uploadFile,
	}
}

type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// siteOf finds the site that a call is about and the names that it serves, or fails
// with SiteNotFound.
func siteOf(ctx context.Context, q querier, p api.Params) (id int64, served names, err error) {
	if id, err = p.Int("SiteId", 0); err != nil {
		return 0, names{}, err
	}
	var customers string
	err = q.QueryRowContext(ctx, `SELECT name, (SELECT json_group_array(lower(name)) FROM resources WHERE kind = 'CustomHostname' AND site_id = sites.id)
		FROM sites WHERE id = ?`, id).Scan(&served.site, &customers)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, names{}, api.Errorf(404, "SiteNotFound", "The specified site %d does not exist.", id)
	}
	if err == nil {
		err = json.Unmarshal([]byte(customers), &served.customers)
	}
	if err != nil {
		return 0, names{}, fmt.Errorf("look up the site: %w", err)
	}
	return id, served, nil
}

// used counts what a site has purged or preloaded today, in UTC. A purge by
// cache key is one of a file.
func (s *Service) used(ctx context.Context, q querier, site int64, quota string) (int64, error) {
	day := s.cfg.Now().UTC().Truncate(24 * time.Hour).UnixMilli()
	kind, types := kindPurge, []any{quota, quota}
	switch quota {
	case Preload:
		kind, types = kindPreload, []any{"", ""}
	case typeFile:
		types = []any{typeFile, typeCacheKey}
	}
	var n int64
	err := q.QueryRowContext(ctx, `SELECT COUNT(*) FROM cache_tasks WHERE site_id = ? AND kind = ? AND created >= ? AND type IN (?, ?)`,
		append([]any{site, kind, day}, types...)...).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count the day's tasks: %w", err)
	}
	return n, nil
}
