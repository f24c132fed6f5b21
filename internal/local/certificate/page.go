package certificate

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
)

// pageOf is a page of a site's certificates of one kind, as M has them.
type pageOf[M any] struct {
	PageNumber, PageSize int64
	Result               []M
	SiteID               int64 `json:"SiteId"`
	SiteName             string
	TotalCount           int64
}

// kind is where the rows of certificates of one kind are: a table, and the value
// of the column that tells kinds apart there.
type kind struct {
	table, column string
	value         any
}

// listPage answers an operation that lists, the newest first.
func listPage[R, M any](s *Service, of kind, load func(ctx context.Context, q querier, rest string, args ...any) ([]R, error), model func(R) M) api.Handler {
	return func(ctx context.Context, r *api.Request) (any, error) {
		page, err := r.Params.Page(20, 500)
		if err != nil {
			return nil, err
		}
		out := pageOf[M]{PageNumber: page.Number, PageSize: page.Size, Result: []M{}}
		err = s.store.Tx(ctx, func(tx *sql.Tx) error {
			site, err := siteOf(ctx, tx, r.Params)
			if err != nil {
				return err
			}
			out.SiteID, out.SiteName = site.id, site.name
			where := ` WHERE site_id = ? AND ` + of.column + ` = ?`
			if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM `+of.table+where, site.id, of.value).Scan(&out.TotalCount); err != nil {
				return fmt.Errorf("count %s: %w", of.table, err)
			}
			list, err := load(ctx, tx, where+` ORDER BY created DESC, rowid DESC LIMIT ? OFFSET ?`, site.id, of.value, page.Size, page.Offset())
			for _, c := range list {
				out.Result = append(out.Result, model(c))
			}
			return err
		})
		return out, err
	}
}
