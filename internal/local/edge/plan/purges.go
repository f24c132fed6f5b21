package plan

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/esa-mcp/esa-mcp/internal/local/edge/cache"
)

// purge drops from the cache what purges since the last time name. Those from
// before this process began have nothing to drop.
func (s *Source) purge(ctx context.Context) error {
	if s.cfg.Cache == nil {
		return nil
	}
	if s.purged < 0 {
		last, err := s.lastPurge(ctx)
		if err == nil {
			s.purged = last
		}
		return err
	}
	list, last, gap, err := s.purges(ctx, s.purged)
	if err != nil {
		return err
	}
	if gap {
		s.cfg.Cache.Clear()
		if s.cfg.CodeCache != nil {
			s.cfg.CodeCache.Purge(func(string, http.Header) bool { return true })
		}
	}
	for _, p := range list {
		s.cfg.Cache.Purge(p.Purge)
		if p.code && s.cfg.CodeCache != nil {
			s.cfg.CodeCache.Purge(func(url string, header http.Header) bool { return p.NamesURL(p.site, url, header) })
		}
	}
	s.purged = last
	return nil
}

// siteWide is a purge as it is stored.
type siteWide struct {
	cache.Purge
	site string // its name
	code bool   // it is for the routines' own cache, too
}

// purges reads the purges after the one of that id, in their order, and the id of
// the last. gap tells that some in between are no longer kept.
func (s *Source) purges(ctx context.Context, after int64) (list []siteWide, last int64, gap bool, err error) {
	rows, err := s.store.DB().QueryContext(ctx, `SELECT p.id, p.site_id, p.type, p.content, p.variant, p.edge_compute, s.name, coalesce(t.fields, '{}')
		FROM cache_purges p JOIN sites s ON s.id = p.site_id LEFT JOIN site_settings t ON t.site_id = p.site_id AND t.name = 'CacheTag' AND t.site_version = 0 WHERE p.id > ? ORDER BY p.id`, after)
	if err != nil {
		return nil, after, false, fmt.Errorf("list the purges: %w", err)
	}
	defer rows.Close()
	last = after
	for rows.Next() {
		var p siteWide
		var id int64
		var variant, tagging string
		if err := rows.Scan(&id, &p.SiteID, &p.Type, &p.Content, &variant, &p.code, &p.site, &tagging); err != nil {
			return nil, after, false, fmt.Errorf("read a purge: %w", err)
		}
		if variant != "" {
			if err := json.Unmarshal([]byte(variant), &p.Variant); err != nil {
				return nil, after, false, fmt.Errorf("read the variant of purge %d: %w", id, err)
			}
		}
		fields, _, err := decodeFields(tagging)
		if err != nil {
			return nil, after, false, fmt.Errorf("read how tags are compared: %w", err)
		}
		p.FoldTags = fields["CaseInsensitive"] == "on"
		gap = gap || id != last+1
		list, last = append(list, p), id
	}
	return list, last, gap, rows.Err()
}

// lastPurge is the id of the last purge so far; 0 if there was none.
func (s *Source) lastPurge(ctx context.Context) (int64, error) {
	var last int64
	err := s.store.DB().QueryRowContext(ctx, `SELECT seq FROM sqlite_sequence WHERE name = 'cache_purges'`).Scan(&last)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, fmt.Errorf("look up the last purge: %w", err)
	}
	return last, nil
}
