package routine

import (
	"context"
	"fmt"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
)

// maxRoutePage is the largest page of routes and of edge routine records, and
// the size of one that does not say.
const maxRoutePage = 500

type routesAnswer struct {
	PageNumber, PageSize, TotalCount, TotalPage int64
	Configs                                     []routeAnswer
}

// listRoutineRoutes answers ListRoutineRoutes: the routes of one routine on all
// sites. It has no filter by name.
func (s *Service) listRoutineRoutes(ctx context.Context, r *api.Request) (any, error) {
	name, err := required(r.Params, "RoutineName")
	if err != nil {
		return nil, err
	}
	id, _, err := routineID(ctx, s.store.DB(), api.Params{"Name": name})
	if err != nil {
		return nil, err
	}
	return s.routes(ctx, r.Params, `WHERE t.routine_id = ?`, []any{id}, true)
}

// listSiteRoutes answers ListSiteRoutes: the routes of one site, first come
// those that are tried first.
func (s *Service) listSiteRoutes(ctx context.Context, r *api.Request) (any, error) {
	at, err := siteOf(ctx, s.store.DB(), r.Params)
	if err != nil {
		return nil, err
	}
	where, args := `WHERE t.site_id = ?`, []any{at.id}
	if name := r.Params.String("RouteName"); name != "" {
		where, args = where+` AND t.name = ?`, append(args, name)
	}
	if r.Params.String("ConfigId") != "" {
		id, err := r.Params.Int("ConfigId", 0)
		if err != nil {
			return nil, err
		}
		where, args = where+` AND t.id = ?`, append(args, id)
	}
	switch kind := r.Params.String("ConfigType"); kind {
	case "", "rule":
	case "global": // every route has a rule
		where += ` AND 0`
	default:
		return nil, api.Errorf(400, "InvalidConfigType", "ConfigType must be global or rule, not %.40q.", kind)
	}
	return s.routes(ctx, r.Params, where, args, false)
}

func (s *Service) routes(ctx context.Context, p api.Params, where string, args []any, withSite bool) (any, error) {
	page, err := p.Page(maxRoutePage, maxRoutePage)
	if err != nil {
		return nil, err
	}
	out := routesAnswer{PageNumber: page.Number, PageSize: page.Size, Configs: []routeAnswer{}}
	db := s.store.DB()
	if err := db.QueryRowContext(ctx, `SELECT count(*) FROM routine_routes t `+where, args...).Scan(&out.TotalCount); err != nil {
		return nil, fmt.Errorf("count routes: %w", err)
	}
	out.TotalPage = (out.TotalCount + page.Size - 1) / page.Size
	rows, err := db.QueryContext(ctx, routeQuery+where+` ORDER BY t.site_id, t.sequence, t.id LIMIT ? OFFSET ?`,
		append(args, page.Size, page.Offset())...)
	if err != nil {
		return nil, fmt.Errorf("list routes: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var t route
		if err := t.scan(rows); err != nil {
			return nil, fmt.Errorf("list routes: %w", err)
		}
		out.Configs = append(out.Configs, t.answer(withSite))
	}
	return out, rows.Err()
}
