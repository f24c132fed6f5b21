package plan

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/esa-mcp/esa-mcp/internal/rule"
)

// Condition is for which requests a configuration is.
type Condition struct {
	expr *rule.Expr
	test func(*rule.Request) bool
	all  bool
}

// Match reports whether a request is one of them. facts is called at most once,
// and only if the request matters.
func (c Condition) Match(facts func() *rule.Request) bool {
	return c.all || c.expr != nil && c.expr.Match(facts()) || c.test != nil && c.test(facts())
}

// everything is the condition of global configurations.
func everything() Condition { return Condition{all: true} }

// compile reads an expression. One that cannot be read matches nothing: it was
// stored by something that knows more of the language.
func compile(text string) Condition {
	if text == "true" {
		return everything()
	}
	expr, err := rule.Parse(text)
	if err != nil {
		return Condition{}
	}
	return Condition{expr: expr}
}

// Lists returns the account's lists by their names.
func (s *Source) Lists(ctx context.Context) (map[string][]string, error) {
	now, err := s.current(ctx)
	if err != nil {
		return nil, err
	}
	now.mu.RLock()
	lists := now.lists
	now.mu.RUnlock()
	if lists != nil {
		return lists, nil
	}
	if lists, err = loadLists(ctx, s.store.DB()); err != nil {
		return nil, err
	}
	now.mu.Lock()
	now.lists = lists
	now.mu.Unlock()
	return lists, nil
}

func loadLists(ctx context.Context, q querier) (map[string][]string, error) {
	rows, err := q.QueryContext(ctx, `SELECT name, items FROM lists`)
	if err != nil {
		return nil, fmt.Errorf("list the lists: %w", err)
	}
	defer rows.Close()
	lists := map[string][]string{}
	for rows.Next() {
		var name, text string
		if err := rows.Scan(&name, &text); err != nil {
			return nil, fmt.Errorf("read a list: %w", err)
		}
		var items []string
		if err := json.Unmarshal([]byte(text), &items); err != nil {
			return nil, fmt.Errorf("read the items of the list %s: %w", name, err)
		}
		lists[name] = items
	}
	return lists, rows.Err()
}
