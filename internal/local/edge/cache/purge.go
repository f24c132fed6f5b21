package cache

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// The types of a purge, as PurgeCaches has them.
const (
	File         = "file"
	CacheKey     = "cachekey"
	CacheTag     = "cachetag"
	Directory    = "directory"
	IgnoreParams = "ignoreParams"
	Hostname     = "hostname"
	All          = "purgeall"
)

// Purge says what is to be dropped of a site's entries.
type Purge struct {
	SiteID  int64
	Type    string
	Content string // a URL, a tag or a host name
	// Variant narrows a purge by cache key to some variants of the URL.
	Variant map[string]string
	// FoldTags is whether the case of tags does not matter.
	FoldTags bool
}

// names reports whether the purge is about the entry. The scheme of a URL does
// not matter: both share what is kept.
func (p Purge) names(e *Entry) bool {
	if p.SiteID != e.SiteID {
		return false
	}
	switch p.Type {
	case All:
		return true
	case Hostname:
		return strings.EqualFold(p.Content, e.Host)
	case CacheTag:
		return slices.ContainsFunc(e.Tags, func(tag string) bool {
			return tag == p.Content || p.FoldTags && strings.EqualFold(tag, p.Content)
		})
	}
	u, err := url.Parse(p.Content)
	if err != nil || !strings.EqualFold(u.Hostname(), e.Host) {
		return false
	}
	path := u.EscapedPath()
	if path == "" {
		path = "/"
	}
	switch p.Type {
	case Directory:
		return strings.HasPrefix(e.Path, path)
	case IgnoreParams:
		return path == e.Path
	case File:
		return path == e.Path && e.Shape(u.RawQuery) == e.Query
	case CacheKey:
		return path == e.Path && e.Shape(u.RawQuery) == e.Query && p.variant(e)
	}
	return false
}

// NamesURL reports whether the purge is about what the code of routines keeps
// under an address, in a cache that knows neither sites nor variants. The header
// is that of the response, which may have cache tags.
func (p Purge) NamesURL(site, address string, h http.Header) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	host := strings.ToLower(u.Hostname())
	if host != site && !strings.HasSuffix(host, "."+site) {
		return false
	}
	whole := func(query string) string { return query }
	return p.names(&Entry{SiteID: p.SiteID, Host: host, Path: cmp.Or(u.EscapedPath(), "/"), Query: u.RawQuery, Shape: whole,
		Tags: Tags(strings.Join(h.Values(DefaultTagHeader), ","))})
}

// DefaultTagHeader has the tags of a response, unless its site names another.
const DefaultTagHeader = "Cache-Tag"

// Tags reads a header with cache tags.
func Tags(header string) []string {
	return strings.FieldsFunc(header, func(r rune) bool { return r == ',' || r == ' ' })
}

func (p Purge) variant(e *Entry) bool {
	for name, want := range p.Variant {
		for other, have := range e.Variant {
			if strings.EqualFold(name, other) && !strings.EqualFold(want, have) {
				return false
			}
		}
	}
	return true
}
