package generic

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
	"github.com/esa-mcp/esa-mcp/internal/local/api"
)

// list answers ListXs: those of the place that fit, oldest first unless the call
// orders them.
func (s *Service) list(ctx context.Context, k kind, r *api.Request) (any, error) {
	op := operation(r.Action)
	taken, err := take(op, r.Params)
	if err != nil {
		return nil, err
	}
	page, err := pageOf(op, r.Params)
	if err != nil {
		return nil, err
	}
	var fitting []map[string]any
	total, most := 0, 0
	var at place
	err = s.store.Tx(ctx, func(tx *sql.Tx) error {
		if at, err = s.placeOf(ctx, tx, k, r.Params); err != nil {
			return err
		}
		if most, err = s.quotaOf(ctx, tx, k, at.site); err != nil {
			return err
		}
		condition, args := at.condition(k)
		if k.parentID != "" && r.Params.String(k.parentID) == "" {
			condition, args = `r.site_id = ?`, []any{at.site} // of any parent
		}
		all, err := find(ctx, tx, k, condition, args...)
		if err != nil {
			return err
		}
		for _, it := range all {
			m, err := s.members(ctx, tx, k, it)
			if err != nil {
				return err
			}
			if k.fits(m, taken) {
				fitting = append(fitting, m)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	total = len(fitting)
	order(fitting, k, taken)
	if page != nil {
		first := min(int(min(page.Offset(), 1<<30)), total)
		fitting = fitting[first:min(first+int(page.Size), total)]
	}
	entries := make([]any, len(fitting))
	for i, m := range fitting {
		entries[i] = m
	}
	out := map[string]any{
		k.member: entries, "TotalCount": total, "Usage": total, "InstanceUsage": total, "Quota": most,
		"SiteId": at.site, "SiteName": at.siteName,
	}
	if page != nil {
		out["PageNumber"], out["PageSize"] = page.Number, page.Size
		out["TotalPage"] = (int64(total) + page.Size - 1) / page.Size
	}
	return answer(r.Action, out), nil
}

// pageOf reads which page a call wants; nil if the operation has no pages.
func pageOf(op *catalog.Operation, sent api.Params) (*api.Page, error) {
	p, paged := op.Param("PageSize")
	if !paged {
		return nil, nil
	}
	size, most := int64(20), int64(500)
	if n := number(strings.Trim(string(p.Default), `"`)); n > 0 {
		size = n
	}
	most = max(most, number(string(p.Example))) // what is documented as an example is taken
	if p.Max != nil {
		most = *p.Max
	}
	page, err := sent.Page(size, max(size, most))
	return &page, err
}

// fits reports whether a thing is what a list asks for. A parameter that the
// thing has too must be equal; names follow the match type, and search words
// are looked for in the middle.
func (k kind) fits(m, taken map[string]any) bool {
	for name, want := range taken {
		text := api.Text(want)
		if text == "" {
			continue
		}
		switch name {
		case "PageNumber", "PageSize", "SiteId", "SiteVersion", "OrderBy", "OrderKey", "OrderType", "SortBy", "SortOrder",
			"MatchType", "NameMatchType", "RecordMatchType", "SearchType", "StartTime", "EndTime", k.parentID, k.account:
			continue
		case "SearchKey":
			if !contains(api.Text(m["Name"]), text) && !contains(api.Text(m["RecordName"]), text) && !contains(api.Text(m[k.id]), text) {
				return false
			}
			continue
		case "QueryArgs":
			if !fitsArgs(m, object(want)) {
				return false
			}
			continue
		}
		have, known := m[name]
		if !known {
			continue
		}
		if name == k.unique {
			if !matches(matchType(taken), api.Text(have), text) {
				return false
			}
			continue
		}
		if api.Text(have) != text {
			return false
		}
	}
	return true
}

// fitsArgs holds a thing against QueryArgs: NameLike, AnyLike and the like look
// in the middle, all others are equal.
func fitsArgs(m, args map[string]any) bool {
	for name, want := range args {
		text := api.Text(want)
		switch {
		case text == "":
		case strings.HasSuffix(name, "Like"):
			if !contains(api.Text(m["Name"]), text) && (name == "NameLike" || !contains(api.Text(m["Description"]), text)) {
				return false
			}
		default:
			if have, known := m[name]; known && api.Text(have) != text {
				return false
			}
		}
	}
	return true
}

func contains(text, part string) bool {
	return strings.Contains(strings.ToLower(text), strings.ToLower(part))
}

func matchType(taken map[string]any) string {
	for _, name := range []string{"MatchType", "NameMatchType", "RecordMatchType"} {
		if t := api.Text(taken[name]); t != "" {
			return t
		}
	}
	return "exact"
}

func matches(how, have, want string) bool {
	have, want = strings.ToLower(have), strings.ToLower(want)
	switch how {
	case "prefix":
		return strings.HasPrefix(have, want)
	case "suffix":
		return strings.HasSuffix(have, want)
	case "fuzzy":
		return strings.Contains(have, want)
	}
	return have == want
}

// order sorts as OrderKey and OrderType, or OrderBy, say.
func order(list []map[string]any, k kind, taken map[string]any) {
	by := api.Text(taken["OrderKey"]) + api.Text(taken["OrderBy"]) + api.Text(taken["SortBy"])
	if by == "" {
		return
	}
	descending := strings.EqualFold(api.Text(taken["OrderType"])+api.Text(taken["SortOrder"]), "desc")
	if strings.EqualFold(by, "id") {
		by = k.id
	}
	slices.SortStableFunc(list, func(a, b map[string]any) int {
		c := cmp.Compare(api.Text(a[by]), api.Text(b[by]))
		if descending {
			return -c
		}
		return c
	})
}
