package tools

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strconv"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// Bounds of all_pages.
const (
	maxPages = 40
	maxItems = 20_000
)

// readPages follows the pages of an operation and joins their lists. It stops at
// a bound and says so.
func readPages(ctx context.Context, d *Deps, op *catalog.Operation, given map[string]any, out *ReadAPIOutput) (map[string]any, error) {
	params, err := byWireName(op, given)
	if err != nil {
		return nil, err
	}
	turn := turnPage(op)
	if turn == nil {
		return nil, Refuse("%s has no pages: leave all_pages out.", op.Action)
	}
	if p, ok := op.Param("PageSize"); ok && params["PageSize"] == nil && p.Max != nil {
		params["PageSize"] = *p.Max
	}
	var joined map[string]any
	total, items := 0, 0
	for {
		body, err := sendAPI(ctx, d, op, params, &out.Noted)
		if err != nil {
			return nil, err
		}
		out.Pages++
		added := 0
		joined, added = joinPage(joined, body)
		items += added
		if n, ok := integerOf(body["TotalCount"]); ok {
			total = n
		}
		if added == 0 || total > 0 && items >= total || !turn(params, body) {
			break
		}
		if out.Pages >= maxPages || items >= maxItems {
			out.Note(esa.Note{ID: "all-pages-cap", Text: fmt.Sprintf(
				"stopped after %d pages with %d of %d elements: narrow the list, or go on with PageNumber", out.Pages, items, total)})
			out.NextPage, _ = integerOf(params["PageNumber"])
			return joined, nil
		}
		Progress(ctx, float64(items), float64(max(total, items+1)), fmt.Sprintf("%d of %d read", items, total))
	}
	for _, name := range []string{"PageNumber", "PageSize", "TotalPage", "NextToken"} {
		delete(joined, name) // those of one page, which the joined lists are not
	}
	return joined, nil
}

// turnPage returns what sets the parameters to the page after an answer, and
// tells whether there is one; nil when the operation has no pages.
func turnPage(op *catalog.Operation) func(params esa.Params, body map[string]any) bool {
	if _, ok := op.Param("PageNumber"); ok {
		return func(params esa.Params, _ map[string]any) bool {
			page, ok := integerOf(params["PageNumber"])
			if !ok {
				page = 1
			}
			params["PageNumber"] = page + 1
			return true
		}
	}
	if _, ok := op.Param("NextToken"); ok {
		return func(params esa.Params, body map[string]any) bool {
			token, _ := body["NextToken"].(string)
			again := params["NextToken"] == token
			params["NextToken"] = token
			return token != "" && !again
		}
	}
	return nil
}

// byWireName copies the parameters under the names that the catalogue gives
// them, so that the page's are found however they were written.
func byWireName(op *catalog.Operation, given map[string]any) (esa.Params, error) {
	params := make(esa.Params, len(given)+2)
	for name, value := range given {
		p, err := op.FindParam(name)
		if err != nil {
			return nil, Refuse("%w. describe_api shows the parameters of %s.", err, op.Action)
		}
		params[p.Name] = value
	}
	return params, nil
}

// joinPage appends the lists of a page to those before it, and counts what was
// added. Everything else is the first page's.
func joinPage(joined, page map[string]any) (map[string]any, int) {
	added := 0
	if joined == nil {
		joined = maps.Clone(page)
		for _, v := range page {
			if list, ok := v.([]any); ok {
				added += len(list)
			}
		}
		return joined, added
	}
	for name, v := range page {
		list, ok := v.([]any)
		if !ok {
			continue
		}
		before, _ := joined[name].([]any)
		// A list that the first page shares must not grow in place.
		joined[name] = append(before[:len(before):len(before)], list...)
		added += len(list)
	}
	return joined, added
}

// integerOf reads an integer of an answer or an argument.
func integerOf(v any) (int, bool) {
	switch v := v.(type) {
	case int:
		return v, true
	case int64:
		return int(v), true
	case json.Number:
		n, err := strconv.Atoi(v.String())
		return n, err == nil
	case string:
		n, err := strconv.Atoi(v)
		return n, err == nil
	}
	return 0, false
}
