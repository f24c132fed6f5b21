package cache

import (
	"net/url"
	"slices"
	"strings"
)

// Shaper makes of a request's query string what the cache key has of it.
type Shaper struct {
	Mode   string   // QueryStringMode; empty is reserve_all
	Params []string // of exclude_query_string and include_query_string
	Sorted bool
}

// Shape applies the mode. Parameters keep their order unless they are to be
// sorted.
func (s Shaper) Shape(query string) string {
	if s.Mode == "ignore_all" || query == "" {
		return ""
	}
	parts := strings.Split(query, "&")
	parts = slices.DeleteFunc(parts, func(part string) bool {
		name, _, _ := strings.Cut(part, "=")
		if decoded, err := url.QueryUnescape(name); err == nil {
			name = decoded
		}
		listed := slices.Contains(s.Params, name)
		return part == "" || s.Mode == "exclude_query_string" && listed || s.Mode == "include_query_string" && !listed
	})
	if s.Sorted {
		slices.Sort(parts)
	}
	return strings.Join(parts, "&")
}

// Key is the key of an entry.
func Key(host, path, query string, variant map[string]string) string {
	var b strings.Builder
	b.WriteString(host)
	b.WriteString(path)
	b.WriteByte('?')
	b.WriteString(query)
	if len(variant) == 0 {
		return b.String()
	}
	names := make([]string, 0, len(variant))
	for name := range variant {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		b.WriteString("\n")
		b.WriteString(url.QueryEscape(name))
		b.WriteByte('=')
		b.WriteString(url.QueryEscape(variant[name]))
	}
	return b.String()
}
