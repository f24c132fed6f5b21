package cache

import (
	"errors"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"
)

// Settings are what cache rules say of a request, in the API's words.
type Settings struct {
	Mode       string // EdgeCacheMode; empty is follow_origin
	TTL        time.Duration
	StatusTTL  string // EdgeStatusCodeCacheTtl: "5xx=0,404=10"
	ServeStale bool
	// Deception is the armour against cache deception: a response must be of the
	// type that the path's extension promises.
	Deception bool
}

// The modes.
const (
	FollowOrigin         = "follow_origin"
	NoCache              = "no_cache"
	OverrideOrigin       = "override_origin"
	FollowOriginBypass   = "follow_origin_bypass"
	FollowOriginOverride = "follow_origin_override"
)

// Lifetime is for how long a response may be kept; 0: not at all. The order is
// that of the service's sister, the CDN: a status's own time, then the mode, then
// what the origin says, then a default.
func (s Settings) Lifetime(r *http.Response, requestPath string, now time.Time) time.Duration {
	if s.Mode == NoCache || r.StatusCode == http.StatusNotModified || r.StatusCode == http.StatusPartialContent {
		return 0
	}
	if s.Deception && !typeFits(requestPath, r.Header.Get("Content-Type")) {
		return 0
	}
	cookie := len(r.Header["Set-Cookie"]) > 0
	if ttl, said := statusTTL(s.StatusTTL, r.StatusCode); said {
		if cookie {
			return 0
		}
		return ttl
	}
	usual := isUsual(r.StatusCode)
	if s.Mode == OverrideOrigin && usual {
		return s.TTL
	}
	if cookie {
		return 0
	}
	ttl, said := originTTL(r.Header, now)
	switch {
	case said && (usual || keepable(r.StatusCode)):
		return ttl
	case said, s.Mode == FollowOriginBypass:
		return 0
	case usual && s.Mode == FollowOriginOverride:
		return s.TTL
	case usual:
		return guess(r.Header, now)
	case keepable(r.StatusCode) && r.StatusCode != http.StatusFound && r.StatusCode != http.StatusTemporaryRedirect &&
		r.StatusCode != http.StatusForbidden:
		return time.Second // spares the origin a burst
	}
	return 0
}

// isUsual reports whether a status is kept as the modes say.
func isUsual(status int) bool {
	switch status {
	case 200, 203, 300, 301, 308, 410:
		return true
	}
	return false
}

// keepable reports whether a status is kept if the origin allows it.
func keepable(status int) bool {
	switch status {
	case 204, 302, 305, 307, 403, 404, 405, 414, 424, 429, 500, 501, 502, 503, 504:
		return true
	}
	return false
}

// statusTTL finds the time for a status: its own before that of its class.
func statusTTL(list string, status int) (ttl time.Duration, said bool) {
	exact := false
	for pair := range strings.SplitSeq(list, ",") {
		code, seconds, ok := strings.Cut(strings.TrimSpace(pair), "=")
		n, isTime := lasting(seconds)
		if !ok || !isTime {
			continue
		}
		class := len(code) == 3 && code[1:] == "xx" && code[0] == byte('0'+status/100)
		if code == strconv.Itoa(status) || class && !exact {
			ttl, said = n, true
			exact = exact || !class
		}
	}
	return ttl, said
}

// lasting reads a number of seconds, of which more than 2^31 are no more than that
// (RFC 9111, section 1.2.2).
func lasting(text string) (time.Duration, bool) {
	n, err := strconv.ParseInt(text, 10, 64)
	if errors.Is(err, strconv.ErrRange) {
		err = nil // n is the largest number, or the smallest
	}
	return time.Duration(min(max(n, 0), 1<<31)) * time.Second, err == nil
}

// originTTL is what the origin says: Pragma, Cache-Control, Expires.
func originTTL(h http.Header, now time.Time) (ttl time.Duration, said bool) {
	control := strings.ToLower(strings.Join(h["Cache-Control"], ","))
	if control == "" && strings.Contains(strings.ToLower(h.Get("Pragma")), "no-cache") {
		return 0, true
	}
	shared := false
	for directive := range strings.SplitSeq(control, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
		switch name {
		case "no-store", "no-cache", "private":
			return 0, true
		case "s-maxage", "max-age":
			n, ok := lasting(strings.Trim(value, `"`))
			if !ok || shared && name == "max-age" {
				continue
			}
			ttl, said, shared = n, true, name == "s-maxage"
		}
	}
	if said {
		return ttl, true
	}
	if text := h.Get("Expires"); text != "" {
		at, err := http.ParseTime(text)
		if err != nil {
			return 0, true // "0" means that it has expired
		}
		return max(at.Sub(now), 0), true
	}
	return 0, false
}

// guess is the default of the service's sister, the CDN, for responses of which
// the origin says nothing: a tenth of their age, from 10 seconds to an hour; 10
// seconds if they have an ETag alone; else nothing.
func guess(h http.Header, now time.Time) time.Duration {
	if at, err := http.ParseTime(h.Get("Last-Modified")); err == nil {
		return min(max(now.Sub(at)/10, 10*time.Second), time.Hour)
	}
	if h.Get("Etag") != "" {
		return 10 * time.Second
	}
	return 0
}

// typeFits reports whether a content type is the one that a path's extension
// promises; an extension that promises none fits all.
func typeFits(requestPath, contentType string) bool {
	promised := mime.TypeByExtension(strings.ToLower(path.Ext(requestPath)))
	if promised == "" {
		return true
	}
	want, _, _ := mime.ParseMediaType(promised)
	have, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return false
	}
	return want == have || strings.HasSuffix(want, "javascript") && strings.HasSuffix(have, "javascript")
}
