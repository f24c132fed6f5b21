package purge

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
)

// block answers BlockObject: addresses that the edge is not to serve for a time,
// or again.
func (s *Service) block(ctx context.Context, r *api.Request) (any, error) {
	kind := r.Params.String("Type")
	if kind != "block" && kind != "unblock" {
		return nil, api.Errorf(400, "InvalidType", "Type must be block or unblock, not %q.", kind)
	}
	seconds, err := r.Params.Int("Maxage", 0)
	if err != nil {
		return nil, err
	}
	if kind == "block" && seconds < 1 {
		return nil, api.Errorf(400, "MissingMaxage", "Maxage is mandatory here: it says for how many seconds the objects are blocked.")
	}
	var addresses []string
	if _, err := r.Params.JSON("Content", &addresses); err != nil {
		return nil, err
	}
	if len(addresses) == 0 {
		return nil, refuse("Content must be a list of addresses that is not empty.")
	}
	var answer taskAnswer
	err = s.store.Tx(ctx, func(tx *sql.Tx) error {
		site, served, err := siteOf(ctx, tx, r.Params)
		if err != nil {
			return err
		}
		var tasks []task
		for _, address := range addresses {
			if err := checkURL(address, served); err != nil {
				return err
			}
			tasks = append(tasks, task{kind: kind, typ: strconv.FormatInt(seconds, 10), content: address})
		}
		if err := s.keepBlocked(ctx, tx, site, addresses, kind == "block", time.Duration(seconds)*time.Second); err != nil {
			return err
		}
		answer.TaskID, err = s.insert(ctx, tx, site, tasks)
		return err
	})
	return answer, err
}

// keepBlocked blocks addresses from now on, or lets them be served again. Those whose
// time is over are forgotten.
func (s *Service) keepBlocked(ctx context.Context, tx *sql.Tx, site int64, addresses []string, block bool, how time.Duration) error {
	now := s.cfg.Now()
	if _, err := tx.ExecContext(ctx, `DELETE FROM blocked_objects WHERE ends <= ?`, now.UnixMilli()); err != nil {
		return fmt.Errorf("forget what was blocked: %w", err)
	}
	for _, address := range addresses {
		address, err := withoutScheme(address)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM blocked_objects WHERE site_id = ? AND address = ?`, site, address); err != nil {
			return fmt.Errorf("unblock %s: %w", address, err)
		}
		if !block {
			continue
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO blocked_objects (site_id, address, ends) VALUES (?, ?, ?)`, site, address, now.Add(how).UnixMilli())
		if err != nil {
			return fmt.Errorf("block %s: %w", address, err)
		}
	}
	return nil
}

// withoutScheme is an address as the edge compares it.
func withoutScheme(address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", err
	}
	text := strings.ToLower(u.Hostname()) + cmp.Or(u.EscapedPath(), "/")
	if u.RawQuery != "" {
		text += "?" + u.RawQuery
	}
	return text, nil
}
