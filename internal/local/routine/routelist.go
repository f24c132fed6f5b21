package routine

import (
	"context"
	"fmt"
	"strings"

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

// maxRule is the longest rule expression, in bytes.
const maxRule = 4096

// checkRule refuses what cannot be a rule expression: one that is empty or too
// long, whose quotes or parentheses do not close, or that asks nothing.
func checkRule(rule string) error {
	refuse := func(why string) error {
		return api.Errorf(400, "CompileRuleError", "The rule does not compile: %s.", why)
	}
	text := strings.TrimSpace(rule)
	switch {
	case text == "true":
		return nil
	case text == "":
		return refuse("it is empty")
	case len(text) > maxRule:
		return refuse(fmt.Sprintf("it has %d bytes, more than %d", len(text), maxRule))
	}
	bare, ok := withoutStrings(text)
	if !ok {
		return refuse("a string has no closing quote")
	}
	depth := 0
	for _, c := range bare {
		switch c {
		case '(':
			depth++
		case ')':
			if depth--; depth < 0 {
				return refuse("a parenthesis closes that was not opened")
			}
		case '&', '|', '=', '~', '*', ';':
			return refuse(fmt.Sprintf("%q is no operator", c))
		}
	}
	if depth > 0 {
		return refuse("a parenthesis is not closed")
	}
	for _, field := range []string{"http.", "ip.", "ssl", "tcp.", "ali."} {
		if strings.Contains(bare, field) {
			return nil
		}
	}
	return refuse("it asks about no field, such as http.host")
}

// withoutStrings takes the quoted parts out of an expression; false if one does
// not end.
func withoutStrings(text string) (string, bool) {
	var b strings.Builder
	quoted := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case !quoted:
			b.WriteByte(c)
		}
	}
	return b.String(), !quoted
}
