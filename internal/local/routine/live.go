package routine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// ErrNoRoutine is the error for a routine that does not exist.
var ErrNoRoutine = errors.New("no such routine")

// ErrNoVersion is the error for a version that does not exist or is not built.
var ErrNoVersion = errors.New("no such code version")

// Live is what one environment of a routine serves.
type Live struct {
	RoutineID int64
	Shares    []Share // none: nothing is deployed; percentages add up to 100
}

const liveQuery = `SELECT r.id, coalesce(d.code_versions, '[]') FROM routines r
	LEFT JOIN routine_deployments d ON d.routine_id = r.id AND d.env = ? WHERE r.name = ?`

// Live looks up what a routine serves, or returns ErrNoRoutine. It asks the
// database each time, which takes some tens of microseconds, so that another
// process's deployment shows at once.
func (s *Service) Live(ctx context.Context, name string, env Env) (Live, error) {
	stmt, err := s.liveStmt()
	if err != nil {
		return Live{}, fmt.Errorf("look up routine: %w", err)
	}
	var l Live
	var text string
	err = stmt.QueryRowContext(ctx, env, name).Scan(&l.RoutineID, &text)
	if isNoRows(err) {
		return Live{}, ErrNoRoutine
	}
	if err != nil {
		return Live{}, fmt.Errorf("look up routine: %w", err)
	}
	l.Shares, err = parseShares(text)
	return l, err
}

// Bundle is a built version. It never changes; its files may vanish when the
// version is deleted.
type Bundle struct {
	CodeVersion string
	Created     time.Time
	NotFound    string // SinglePageApplication, NotFoundPage or empty
	HasCode     bool

	assets   []Asset
	byPath   map[string]int
	packFile string
}

// Asset finds an asset by its path, such as "/index.html".
func (b *Bundle) Asset(path string) (Asset, bool) {
	i, ok := b.byPath[path]
	if !ok {
		return Asset{}, false
	}
	return b.assets[i], true
}

// Content is an opened asset.
type Content struct {
	*io.SectionReader
	file *os.File
}

// Close ends reading.
func (c Content) Close() error { return c.file.Close() }

// Open opens an asset for reading. It returns ErrNoVersion if the version was
// deleted meanwhile; an opened asset can be read to its end even then.
func (b *Bundle) Open(a Asset) (Content, error) {
	f, err := os.Open(b.packFile)
	if errors.Is(err, os.ErrNotExist) {
		return Content{}, ErrNoVersion
	}
	if err != nil {
		return Content{}, fmt.Errorf("open asset: %w", err)
	}
	return Content{io.NewSectionReader(f, a.Offset, a.Size), f}, nil
}

// Bundle returns a built version, or ErrNoVersion.
func (s *Service) Bundle(ctx context.Context, routineID int64, codeVersion string) (*Bundle, error) {
	key := bundleKey{routineID, codeVersion}
	if b := s.bundles.get(key); b != nil {
		return b, nil
	}
	b := &Bundle{CodeVersion: codeVersion}
	var created int64
	var pack string
	var manifest []byte
	err := s.store.DB().QueryRowContext(ctx, `SELECT not_found_strategy, has_code, created_at, pack, manifest FROM routine_versions
		WHERE routine_id = ? AND code_version = ? AND status = ?`, routineID, codeVersion, statusAvailable).
		Scan(&b.NotFound, &b.HasCode, &created, &pack, &manifest)
	if isNoRows(err) {
		return nil, ErrNoVersion
	}
	if err != nil {
		return nil, fmt.Errorf("read version: %w", err)
	}
	if len(manifest) > 0 {
		if err := json.Unmarshal(manifest, &b.assets); err != nil {
			return nil, fmt.Errorf("read manifest of version %s: %w", codeVersion, err)
		}
	}
	b.Created, b.packFile = time.Unix(0, created), s.blob(pack)
	b.byPath = make(map[string]int, len(b.assets))
	for i, a := range b.assets {
		b.byPath[a.Path] = i
	}
	s.bundles.put(key, b)
	return b, nil
}

// Code returns the script of a built version, empty if it has none, or
// ErrNoVersion.
func (s *Service) Code(ctx context.Context, routineID int64, codeVersion string) (string, error) {
	var code []byte
	err := s.store.DB().QueryRowContext(ctx, `SELECT code FROM routine_versions WHERE routine_id = ? AND code_version = ? AND status = ?`,
		routineID, codeVersion, statusAvailable).Scan(&code)
	if isNoRows(err) {
		return "", ErrNoVersion
	}
	if err != nil {
		return "", fmt.Errorf("read code: %w", err)
	}
	return strings.ToValidUTF8(string(code), "\uFFFD"), nil
}

// bundleKey names a version. Routine ids are never used twice, so what a key
// means never changes.
type bundleKey struct {
	routineID   int64
	codeVersion string
}

// maxCachedAssets bounds what the cache holds, about 300 bytes each.
const maxCachedAssets = 100_000

// bundleCache keeps the manifests of versions that are being served.
type bundleCache struct {
	mu     sync.RWMutex
	all    map[bundleKey]*Bundle
	assets int
}

func (c *bundleCache) get(key bundleKey) *Bundle {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.all[key]
}

// put drops other versions, whichever come first, when there are too many: what
// is in use comes back at the next request.
func (c *bundleCache) put(key bundleKey, b *Bundle) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.all == nil {
		c.all = make(map[bundleKey]*Bundle)
	}
	c.drop(key)
	for other := range c.all {
		if c.assets+weight(b) <= maxCachedAssets {
			break
		}
		c.drop(other)
	}
	c.all[key] = b
	c.assets += weight(b)
}

func (c *bundleCache) drop(key bundleKey) {
	if b := c.all[key]; b != nil {
		c.assets -= weight(b)
		delete(c.all, key)
	}
}

// weight also counts versions without assets.
func weight(b *Bundle) int { return len(b.assets) + 100 }
