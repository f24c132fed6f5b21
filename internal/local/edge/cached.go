package edge

import (
	"bytes"
	"cmp"
	"crypto/md5"
	"encoding/hex"
	"io"
	"maps"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
	"github.com/esa-mcp/esa-mcp/internal/local/agent"
	"github.com/esa-mcp/esa-mcp/internal/local/edge/cache"
	"github.com/esa-mcp/esa-mcp/internal/local/edge/origin"
	"github.com/esa-mcp/esa-mcp/internal/local/edge/plan"
)

// What the cache status header says.
const (
	statusHit     = "HIT"
	statusMiss    = "MISS"
	statusExpired = "EXPIRED" // it was kept, but for too long
	statusStale   = "STALE"   // the same, and the origin failed
	statusBypass  = "BYPASS"  // rules, or the origin, do not want it kept
	statusDynamic = "DYNAMIC" // no rule, and no file that is kept without one
)

// maxKept is the largest response that is kept, in bytes.
const maxKept = 32 << 20

// caching is what the cache rules say of one request.
type caching struct {
	settings plan.Settings
	policy   cache.Settings
	shaper   cache.Shaper
	variant  map[string]string
	key      string
	query    string
}

// answer answers from the cache or from the origin.
func (x *exchange) answer() {
	s := x.settings(plan.Cache, "cache")
	status, looked := x.enters(s)
	if !looked {
		if x.waits() {
			return
		}
		x.w.Header().Set(cacheStatusHeader, status)
		x.browserCache(s)
		x.forward()
		return
	}
	c, err := x.caching(s)
	if err != nil {
		x.refuse(err)
		return
	}
	x.browserCache(s)
	kept := x.cfg.Cache.Get(c.key)
	if kept != nil && kept.Fresh(x.now) {
		x.serveKept(kept, statusHit)
		return
	}
	if !x.waits() {
		x.renew(c, kept)
	}
}

// enters tells whether the request goes to the cache at all, and if not, what the
// answer says of that.
func (x *exchange) enters(s plan.Settings) (status string, looked bool) {
	method := x.r.Method
	ruled := false
	for _, one := range s {
		ruled = ruled || !one.Global
	}
	switch {
	case x.host.Site.Option("DevelopmentMode", "Enable") == "on", s.Text("BypassCache") == "bypass_all", s.Text("EdgeCacheMode") == cache.NoCache:
		return statusBypass, false
	case !catalog.CachesPort(x.asked.Host, s.Text("AdditionalCacheablePorts")):
		return statusDynamic, false
	case method == http.MethodPost && s.On("PostCache"), method == http.MethodGet, method == http.MethodHead:
	default:
		return statusDynamic, false
	}
	if !ruled && s.Text("BypassCache") != "cache_all" && !catalog.CachedByDefault(x.asked.URL.Path) {
		return statusDynamic, false
	}
	return "", true
}

// caching works out the key. It is made of the address as the visitor asked for
// it: rewrites happen on the way to the origin.
func (x *exchange) caching(s plan.Settings) (*caching, error) {
	c := &caching{settings: s, variant: map[string]string{}}
	c.policy = cache.Settings{Mode: s.Text("EdgeCacheMode"), TTL: seconds(s, "EdgeCacheTtl"), StatusTTL: s.Text("EdgeStatusCodeCacheTtl"),
		ServeStale: s.On("ServeStale"), Deception: s.On("CacheDeceptionArmor")}
	c.shaper = cache.Shaper{Mode: s.Text("QueryStringMode"), Params: strings.Fields(s.Text("QueryString")), Sorted: s.On("SortQueryStringForCache")}
	x.vary(c)
	if x.aside {
		c.variant["site version"] = strconv.FormatInt(x.host.Site.Version, 10) // production must not see it
	}
	x.pictures.key(c.variant)
	if x.r.Method == http.MethodPost {
		if err := x.varyByBody(c); err != nil {
			return nil, err
		}
	}
	c.query = c.shaper.Shape(x.asked.URL.RawQuery)
	c.key = cache.Key(strconv.FormatInt(x.host.Site.ID, 10)+"/"+x.host.Name, x.asked.URL.EscapedPath(), c.query, c.variant)
	return c, nil
}

func seconds(s plan.Settings, name string) time.Duration {
	return time.Duration(s.Int(name, 0)) * time.Second
}

// vary adds to the key what settings want in it.
func (x *exchange) vary(c *caching) {
	s, h := c.settings, x.asked.Header
	if s.On("UserDeviceType") {
		c.variant["UserDeviceType"] = deviceOf(h.Get("User-Agent"))
	}
	if s.On("UserGeo") {
		c.variant["UserGeo"] = x.w.visitor.country
	}
	if s.On("UserLanguage") {
		c.variant["UserLanguage"] = languageOf(h.Get("Accept-Language"))
	}
	for _, name := range strings.Fields(s.Text("IncludeHeader")) {
		c.variant["header "+name] = strings.Join(h.Values(name), ",")
	}
	for _, name := range strings.Fields(s.Text("IncludeCookie")) {
		c.variant["cookie "+name] = cookieOf(x.asked, name)
	}
	for _, name := range strings.Fields(s.Text("CheckPresenceHeader")) {
		c.variant["has header "+name] = strconv.FormatBool(len(h.Values(name)) > 0)
	}
	for _, name := range strings.Fields(s.Text("CheckPresenceCookie")) {
		_, err := x.asked.Cookie(name)
		c.variant["has cookie "+name] = strconv.FormatBool(err == nil)
	}
	if strings.Contains(strings.ToLower(h.Get("Accept-Encoding")), "gzip") {
		c.variant["encoding"] = "gzip"
	}
}

func cookieOf(r *http.Request, name string) string {
	cookie, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	return cookie.Value
}

// languageOf is the first language that a visitor accepts, without its region.
func languageOf(accept string) string {
	first, _, _ := strings.Cut(accept, ",")
	first, _, _ = strings.Cut(first, ";")
	first, _, _ = strings.Cut(first, "-")
	return strings.ToLower(strings.TrimSpace(first))
}

// deviceOf tells mobile, tablet and pc apart, as the cache key does.
func deviceOf(header string) string {
	switch agent.Read(header).Device {
	case "Tablet":
		return "tablet"
	case "Mobile":
		return "mobile"
	}
	return "pc"
}

// varyByBody adds a POST's body to the key, unless it is to be ignored. A body
// over the limit makes a key of its own, which nothing is kept under.
func (x *exchange) varyByBody(c *caching) error {
	limit := int64(c.settings.Int("PostBodySizeLimit", 8)) << 10
	body, err := io.ReadAll(io.LimitReader(x.r.Body, limit+1))
	if err != nil {
		return err
	}
	r := *x.r
	r.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(body), x.r.Body), x.r.Body}
	x.r = &r
	if int64(len(body)) > limit {
		c.policy.Mode = cache.NoCache
	}
	c.variant["method"] = http.MethodPost
	if c.settings.Text("PostBodyCacheKey") != "ignore" {
		sum := md5.Sum(body)
		c.variant["body"] = hex.EncodeToString(sum[:])
	}
	return nil
}

// browserCache says for how long browsers may keep the answer.
func (x *exchange) browserCache(s plan.Settings) {
	switch s.Text("BrowserCacheMode") {
	case "no_cache":
		x.changes = append(x.changes, headerChange{"Expires", "del", ""}, headerChange{"Pragma", "del", ""})
		x.change("Cache-Control", "no-cache")
	case "override_origin":
		x.changes = append(x.changes, headerChange{"Expires", "del", ""}, headerChange{"Pragma", "del", ""})
		x.change("Cache-Control", "max-age="+strconv.Itoa(s.Int("BrowserCacheTtl", 0)))
	}
}

// serveKept answers from the cache, with conditions and ranges.
func (x *exchange) serveKept(e *cache.Entry, status string) {
	h := x.w.Header()
	maps.Copy(h, e.Header)
	h.Set(cacheStatusHeader, status)
	h.Set("Age", strconv.FormatInt(max(0, int64(x.now.Sub(e.Stored)/time.Second)), 10))
	x.sendWhole(e.Status, e.Body)
}

// sendWhole answers with a body that is all there. Headers are set already.
func (x *exchange) sendWhole(status int, body []byte) {
	h := x.w.Header()
	if status == http.StatusOK && isRead(x.r) {
		h.Set("Accept-Ranges", "bytes")
		if partly(x.asked.Header) {
			h.Del("Content-Length")
			noGuess(h)
			modified, _ := http.ParseTime(h.Get("Last-Modified")) // the zero time if there is none
			http.ServeContent(x.w, inBytes(x.asked), path.Base(x.asked.URL.Path), modified, bytes.NewReader(body))
			return
		}
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	x.w.WriteHeader(status)
	if x.r.Method != http.MethodHead {
		_, _ = x.w.Write(body) // fails if the visitor leaves, and nobody is left to tell
	}
}

// renew asks the origin for what the cache does not have, or not any more, and
// keeps the answer if it may be kept.
func (x *exchange) renew(c *caching, old *cache.Entry) {
	status := statusMiss
	if old != nil {
		status = statusExpired
	}
	ticket := x.cfg.Cache.Begin()
	response, err := x.fetch(func(h http.Header) { x.askWhole(h, c, old) })
	if failed := err != nil || response.StatusCode >= 500; failed && old != nil && c.policy.ServeStale && x.r.Context().Err() == nil {
		if err == nil {
			response.Body.Close()
		}
		x.serveKept(old, statusStale)
		return
	}
	if err != nil {
		x.refuse(err)
		return
	}
	defer response.Body.Close() // only read
	if response.StatusCode == http.StatusNotModified && old != nil {
		x.refresh(c, old, response, ticket)
		return
	}
	ttl := c.policy.Lifetime(response, x.asked.URL.Path, x.now)
	if ttl <= 0 || x.r.Method == http.MethodHead || response.ContentLength > maxKept {
		if ttl <= 0 {
			status = statusBypass
		}
		x.w.Header().Set(cacheStatusHeader, status)
		x.send(response)
		return
	}
	x.keep(c, response, ttl, status, ticket)
}

// askWhole makes a request that fills the cache of the visitor's: the whole
// resource, in an encoding that the key knows, and only if it has changed.
func (x *exchange) askWhole(h http.Header, c *caching, old *cache.Entry) {
	if h["Range"] != nil && x.rangesPass() {
		return // a part is asked for as a part, and not kept
	}
	for _, name := range []string{"Range", "If-Range", "If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "Accept-Encoding"} {
		delete(h, name)
	}
	if c.variant["encoding"] != "" {
		h.Set("Accept-Encoding", "gzip")
	}
	if old == nil || old.Status != http.StatusOK {
		return
	}
	if tag := old.Header.Get("Etag"); tag != "" {
		h.Set("If-None-Match", tag)
	} else if at := old.Header.Get("Last-Modified"); at != "" {
		h.Set("If-Modified-Since", at)
	}
}

// rangesPass reports whether an origin rule sends a visitor's range on.
func (x *exchange) rangesPass() bool {
	for _, c := range x.host.Site.Configs(plan.Origin) {
		if c.Fields["Range"] == "on" && x.matches(c) {
			return true
		}
	}
	return false
}

// refresh keeps an entry for longer, as the origin says that it has not changed.
func (x *exchange) refresh(c *caching, old *cache.Entry, response *http.Response, ticket cache.Ticket) {
	dropHopByHop(response.Header)
	renewed := *old
	renewed.Header = old.Header.Clone()
	for name, values := range response.Header {
		if name != "Content-Length" && name != "Server" {
			renewed.Header[name] = values
		}
	}
	response.StatusCode, response.Header = old.Status, renewed.Header
	renewed.Stored, renewed.Expires = x.now, x.now.Add(c.policy.Lifetime(response, x.asked.URL.Path, x.now))
	x.cfg.Cache.Put(c.key, &renewed, ticket)
	x.serveKept(&renewed, statusExpired)
}

// keep answers with a response and puts it into the cache. One that the visitor
// wants a part of is read first; any other goes on while it is read.
func (x *exchange) keep(c *caching, response *http.Response, ttl time.Duration, status string, ticket cache.Ticket) {
	dropHopByHop(response.Header)
	response.Header.Del("Server")
	x.w.Header().Set(cacheStatusHeader, status)
	entry := &cache.Entry{SiteID: x.host.Site.ID, Host: x.host.Name, Path: x.asked.URL.EscapedPath(), Query: c.query, Shape: c.shaper.Shape,
		Variant: c.variant, Status: response.StatusCode, Header: response.Header.Clone(), Tags: x.tags(response.Header),
		Stored: x.now, Expires: x.now.Add(ttl)}
	if partly(x.asked.Header) {
		body, err := io.ReadAll(response.Body)
		if err != nil {
			x.refuse(cmp.Or(x.r.Context().Err(), origin.BrokeOff(err)))
			return
		}
		entry.Body = body
		x.cfg.Cache.Put(c.key, entry, ticket)
		maps.Copy(x.w.Header(), response.Header)
		x.sendWhole(response.StatusCode, body)
		return
	}
	response.Body = &keeper{ReadCloser: response.Body, length: response.ContentLength, keep: func(body []byte) {
		entry.Body = body
		x.cfg.Cache.Put(c.key, entry, ticket)
	}}
	x.send(response) // does not come back if either side breaks off
}

// keeper collects a body while it is read, up to a limit. At its end, before the
// visitor has all of it, it is kept: whoever asks again then finds it. A reader may
// tell of the end only after the last bytes, which are the visitor's by then, so the
// length counts where it is known.
type keeper struct {
	io.ReadCloser
	length int64             // -1: not known
	keep   func(body []byte) // nil: it is kept, or is too large

	body bytes.Buffer
}

func (k *keeper) Read(p []byte) (int, error) {
	n, err := k.ReadCloser.Read(p)
	if k.keep == nil {
		return n, err
	}
	if k.body.Len()+n > maxKept {
		k.keep, k.body = nil, bytes.Buffer{}
		return n, err
	}
	k.body.Write(p[:n])
	if err == io.EOF || int64(k.body.Len()) == k.length {
		k.keep(k.body.Bytes())
		k.keep = nil
	}
	return n, err
}

// tags are the cache tags of a response, in the header that the site names.
func (x *exchange) tags(h http.Header) []string {
	name := cmp.Or(x.host.Site.Option("CacheTag", "TagName"), cache.DefaultTagHeader)
	return cache.Tags(strings.Join(h.Values(name), ","))
}
