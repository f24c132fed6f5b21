package purge

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
)

// content is the parameter Content of PurgeCaches; the type says which field
// counts.
type content struct {
	Files        []json.RawMessage // addresses, or objects like those of CacheKeys
	CacheKeys    []cacheKey
	CacheTags    []string
	Directories  []string
	IgnoreParams []string
	Hostnames    []string
	PurgeAll     bool
}

// cacheKey is one variant of a file: the address with the values that the site's
// cache key has besides.
type cacheKey struct {
	URL     string `json:"Url"`
	Headers map[string]string
}

func refuse(format string, args ...any) error {
	return api.Errorf(400, "InvalidParameter.Content", format, args...)
}

// objects returns what is to be purged, one text an object.
func (c content) objects(kind string, served names) ([]string, error) {
	var (
		field string
		list  []string
		check func(text string, served names) error
	)
	switch kind {
	case typeFile:
		field, check = "Files", checkURL
		for _, raw := range c.Files {
			address, err := fileOf(raw)
			if err != nil {
				return nil, err
			}
			list = append(list, address)
		}
	case typeCacheKey:
		field, check = "CacheKeys", checkURL
		for _, key := range c.CacheKeys {
			list = append(list, key.URL)
		}
	case typeCacheTag:
		field, list, check = "CacheTags", c.CacheTags, checkTag
	case typeDirectory:
		field, list, check = "Directories", c.Directories, checkDirectory
	case typeIgnoreParams:
		field, list, check = "IgnoreParams", c.IgnoreParams, checkURL
	case typeHostname:
		field, list, check = "Hostnames", c.Hostnames, checkHost
	case typeAll:
		if !c.PurgeAll {
			return nil, refuse("Content must be {\"PurgeAll\":true} for the type purgeall.")
		}
		return []string{served.site}, nil
	default:
		return nil, api.Errorf(400, "InvalidType", "Type must be file, cachekey, cachetag, directory, ignoreParams, hostname or purgeall, not %q.", kind)
	}
	if len(list) == 0 {
		return nil, refuse("Content must have a list %s that is not empty for the type %s.", field, kind)
	}
	for _, text := range list {
		if err := check(text, served); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// variants returns for each object which variants of it are meant; nil is all.
func (c content) variants(kind string) []map[string]string {
	var list []map[string]string
	switch kind {
	case typeFile:
		for _, raw := range c.Files {
			var key cacheKey
			_ = json.Unmarshal(raw, &key) // a plain address has no variants
			list = append(list, key.Headers)
		}
	case typeCacheKey:
		for _, key := range c.CacheKeys {
			list = append(list, key.Headers)
		}
	}
	return list
}

func fileOf(raw json.RawMessage) (string, error) {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text, nil
	}
	var key cacheKey
	if err := json.Unmarshal(raw, &key); err != nil {
		return "", refuse("Files must be addresses or objects with Url.")
	}
	return key.URL, nil
}

// checkURL refuses what is no http or https address of a host of the site.
func checkURL(text string, served names) error {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return refuse("%q is not an http or https address.", text)
	}
	return checkHost(u.Hostname(), served)
}

func checkDirectory(text string, served names) error {
	if err := checkURL(text, served); err != nil {
		return err
	}
	if !strings.HasSuffix(text, "/") {
		return refuse("%q is not a directory: it must end with a slash.", text)
	}
	return nil
}

func checkTag(text string, _ names) error {
	if text == "" || strings.ContainsAny(text, " ,\t\r\n") {
		return refuse("%q is not a cache tag: it must not be empty and have neither spaces nor commas.", text)
	}
	return nil
}

// names are the host names that a site serves: its own and all under it, and custom
// host names.
type names struct {
	site      string
	customers []string
}

// checkHost refuses a host that is not the site's: nobody purges what belongs to
// others.
func checkHost(host string, served names) error {
	host = strings.ToLower(host)
	if host != served.site && !strings.HasSuffix(host, "."+served.site) && !slices.Contains(served.customers, host) {
		return refuse("The host name %q does not belong to the site %s.", host, served.site)
	}
	return nil
}
