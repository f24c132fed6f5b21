package local

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// clock is a clock that tests move, by less than a signature is good for.
type clock struct{ now atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.now.Store(time.Now().Truncate(time.Second).UnixNano())
	return c
}

func (c *clock) time() time.Time         { return time.Unix(0, c.now.Load()).UTC() }
func (c *clock) advance(d time.Duration) { c.now.Add(int64(d)) }

// counter is an origin whose answers count up; headers say what else they have.
type counter struct {
	n       atomic.Int64
	headers func(h http.Header, r *http.Request) (status int)
}

func (c *counter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	status := 200
	w.Header().Set("Content-Type", "text/plain")
	if c.headers != nil {
		status = c.headers(w.Header(), r)
	}
	if status == http.StatusNotModified {
		w.WriteHeader(status)
		return
	}
	body := fmt.Sprintf("%d", c.n.Add(1))
	w.Header().Set("Content-Length", fmt.Sprint(len(body)))
	w.WriteHeader(status)
	fmt.Fprint(w, body)
}

func cacheFor(seconds int) func(http.Header, *http.Request) int {
	return func(h http.Header, _ *http.Request) int {
		h.Set("Cache-Control", fmt.Sprintf("max-age=%d", seconds))
		return 200
	}
}

// cached is a shop whose www has an origin that counts.
func cached(t *testing.T, c *counter) (*shop, *clock) {
	now := newClock()
	b := newShop(t, Options{Now: now.time})
	b.record("www.shop.example", b.origin(c.ServeHTTP))
	return b, now
}

func TestEdgeCachesStaticFilesAsTheOriginSays(t *testing.T) {
	b, now := cached(t, &counter{headers: cacheFor(60)})
	steps := []struct {
		path, body, status string
		wait               time.Duration
	}{
		{"/a.css", "1", "MISS", 0},
		{"/a.css", "1", "HIT", 0},
		{"/a.css", "1", "HIT", 59 * time.Second},
		{"/a.css", "2", "EXPIRED", time.Second},
		{"/a.css", "2", "HIT", 0},
		{"/a.css?x", "3", "MISS", 0},
		{"/page", "4", "DYNAMIC", 0},
		{"/page", "5", "DYNAMIC", 0},
	}
	for i, s := range steps {
		now.advance(s.wait)
		got := b.get("http://www.shop.example" + s.path)
		require.Equal(t, s.body, got.body, i)
		require.Equal(t, s.status, got.cache(), i)
	}
	require.Equal(t, "0", b.get("http://www.shop.example/a.css").header.Get("Age"))
	now.advance(7 * time.Second)
	require.Equal(t, "7", b.get("http://www.shop.example/a.css").header.Get("Age"))
	require.Equal(t, "DYNAMIC", b.do("POST", "http://www.shop.example/a.css", "x").cache())
	head := b.do("HEAD", "http://www.shop.example/a.css", "")
	require.Equal(t, "HIT", head.cache())
	require.Equal(t, "1", head.header.Get("Content-Length"))
}

func TestEdgeCacheModes(t *testing.T) {
	silent := func(h http.Header, _ *http.Request) int { return 200 }
	private := func(h http.Header, _ *http.Request) int { h.Set("Cache-Control", "private"); return 200 }
	cookie := func(h http.Header, _ *http.Request) int {
		h.Set("Set-Cookie", "a=b")
		h.Set("Cache-Control", "max-age=60")
		return 200
	}
	missing := func(h http.Header, _ *http.Request) int { return 404 }
	tests := map[string]struct {
		rule          map[string]any
		origin        func(http.Header, *http.Request) int
		first, second string
		// for how long a kept answer is fresh
		fresh time.Duration
	}{
		"follow, said":             {map[string]any{"EdgeCacheMode": "follow_origin"}, cacheFor(30), "MISS", "HIT", 30 * time.Second},
		"follow, nothing said":     {map[string]any{"EdgeCacheMode": "follow_origin"}, silent, "BYPASS", "BYPASS", 0},
		"follow, private":          {map[string]any{"EdgeCacheMode": "follow_origin"}, private, "BYPASS", "BYPASS", 0},
		"follow, cookie":           {map[string]any{"EdgeCacheMode": "follow_origin"}, cookie, "BYPASS", "BYPASS", 0},
		"override, private":        {map[string]any{"EdgeCacheMode": "override_origin", "EdgeCacheTtl": "20"}, private, "MISS", "HIT", 20 * time.Second},
		"no cache":                 {map[string]any{"EdgeCacheMode": "no_cache"}, cacheFor(30), "BYPASS", "BYPASS", 0},
		"bypass all":               {map[string]any{"BypassCache": "bypass_all"}, cacheFor(30), "BYPASS", "BYPASS", 0},
		"or bypass, said":          {map[string]any{"EdgeCacheMode": "follow_origin_bypass"}, cacheFor(30), "MISS", "HIT", 30 * time.Second},
		"or bypass, nothing said":  {map[string]any{"EdgeCacheMode": "follow_origin_bypass"}, silent, "BYPASS", "BYPASS", 0},
		"or override, said":        {map[string]any{"EdgeCacheMode": "follow_origin_override", "EdgeCacheTtl": "20"}, cacheFor(30), "MISS", "HIT", 30 * time.Second},
		"or override, nothing":     {map[string]any{"EdgeCacheMode": "follow_origin_override", "EdgeCacheTtl": "20"}, silent, "MISS", "HIT", 20 * time.Second},
		"status":                   {map[string]any{"EdgeCacheMode": "follow_origin", "EdgeStatusCodeCacheTtl": "4xx=5,404=10"}, missing, "MISS", "HIT", 10 * time.Second},
		"status of another":        {map[string]any{"EdgeCacheMode": "override_origin", "EdgeCacheTtl": "20", "EdgeStatusCodeCacheTtl": "5xx=5"}, missing, "MISS", "HIT", time.Second},
		"an answer of another":     {map[string]any{"EdgeCacheMode": "override_origin", "EdgeCacheTtl": "20"}, func(http.Header, *http.Request) int { return 400 }, "BYPASS", "BYPASS", 0},
		"deception, page as style": {map[string]any{"EdgeCacheMode": "override_origin", "EdgeCacheTtl": "20", "CacheDeceptionArmor": "on"}, silent, "BYPASS", "BYPASS", 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			b, now := cached(t, &counter{headers: tt.origin})
			id := b.rule("CacheRule", "true", tt.rule)
			got := b.get("http://www.shop.example/page.css")
			require.Equal(t, tt.first, got.cache())
			require.Equal(t, fmt.Sprint("cache ", id), got.rules())
			require.Equal(t, tt.second, b.get("http://www.shop.example/page.css").cache())
			if tt.fresh > 0 {
				now.advance(tt.fresh - 1)
				require.Equal(t, "HIT", b.get("http://www.shop.example/page.css").cache())
				now.advance(1)
				require.Equal(t, "EXPIRED", b.get("http://www.shop.example/page.css").cache())
			}
		})
	}
}

func TestEdgeCacheKeys(t *testing.T) {
	tests := map[string]struct {
		rule map[string]any
		// requests as address and headers; those of one letter share an answer
		requests []string
		want     string
	}{
		"whole query":     {nil, []string{"/a?x=1&y=2", "/a?x=1&y=2", "/a?y=2&x=1", "/a"}, "AABC"},
		"sorted":          {map[string]any{"SortQueryStringForCache": "on"}, []string{"/a?x=1&y=2", "/a?y=2&x=1"}, "AA"},
		"ignored":         {map[string]any{"QueryStringMode": "ignore_all"}, []string{"/a?x=1", "/a?y=2", "/a", "/b"}, "AAAB"},
		"excluded":        {map[string]any{"QueryStringMode": "exclude_query_string", "QueryString": "utm z"}, []string{"/a?x=1&utm=3", "/a?utm=4&x=1&z", "/a?x=2"}, "AAB"},
		"included":        {map[string]any{"QueryStringMode": "include_query_string", "QueryString": "x"}, []string{"/a?x=1&y=3", "/a?y=4&x=1", "/a?x=2"}, "AAB"},
		"device":          {map[string]any{"UserDeviceType": "on"}, []string{"/a|User-Agent: Mozilla/5.0 (iPhone; CPU iPhone OS 17_5)", "/a|User-Agent: curl/8", "/a|User-Agent: Mozilla/5.0 (Linux; Android 14) Mobile Safari/537.36"}, "ABA"},
		"country":         {map[string]any{"UserGeo": "on"}, []string{"/a|X-Esa-Client-Country: DE", "/a|X-Esa-Client-Country: fr", "/a|X-Esa-Client-Country: FR"}, "ABB"},
		"language":        {map[string]any{"UserLanguage": "on"}, []string{"/a|Accept-Language: de-AT,en", "/a|Accept-Language: de", "/a|Accept-Language: en"}, "AAB"},
		"header":          {map[string]any{"IncludeHeader": "X-A X-B"}, []string{"/a|X-A: 1", "/a|X-A: 2", "/a|X-B: 1", "/a|X-C: 1"}, "ABCD"},
		"cookie":          {map[string]any{"IncludeCookie": "lang"}, []string{"/a|Cookie: lang=de; x=1", "/a|Cookie: lang=en", "/a|Cookie: x=2; lang=de"}, "ABA"},
		"header's being":  {map[string]any{"CheckPresenceHeader": "X-A"}, []string{"/a|X-A: 1", "/a|X-A: 2", "/a"}, "AAB"},
		"cookie's being":  {map[string]any{"CheckPresenceCookie": "s"}, []string{"/a|Cookie: s=1", "/a|Cookie: s=2", "/a"}, "AAB"},
		"what is encoded": {nil, []string{"/a%20b", "/a%20b", "/a+b", "/a%2Fb", "/a/b"}, "AABCD"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			b, _ := cached(t, &counter{})
			rule := map[string]any{"EdgeCacheMode": "override_origin", "EdgeCacheTtl": "60"}
			for name, v := range tt.rule {
				rule[name] = v
			}
			b.rule("CacheRule", "true", rule)
			for i, r := range tt.requests {
				address, header, _ := strings.Cut(r, "|")
				var pair []string
				if name, value, ok := strings.Cut(header, ": "); ok {
					pair = []string{name, value}
				}
				letter := "0ABCD"[int(b.get("http://www.shop.example"+address, pair...).body[0]-'0')]
				require.Equal(t, string(tt.want[i]), string(letter), r)
			}
		})
	}
}

func TestEdgePurges(t *testing.T) {
	pages := []string{"www/a.css", "www/a.css?x=1", "www/dir/b.css", "img/a.css"}
	tests := map[string]struct {
		kind    string
		content map[string]any
		gone    string // for each page whether it is asked for anew
	}{
		"file":              {"file", map[string]any{"Files": []string{"http://www.shop.example/a.css"}}, "y..."},
		"file, query":       {"file", map[string]any{"Files": []string{"https://www.shop.example/a.css?x=1"}}, ".y.."},
		"without arguments": {"ignoreParams", map[string]any{"IgnoreParams": []string{"http://www.shop.example/a.css"}}, "yy.."},
		"directory":         {"directory", map[string]any{"Directories": []string{"http://www.shop.example/dir/"}}, "..y."},
		"host":              {"hostname", map[string]any{"Hostnames": []string{"www.shop.example"}}, "yyy."},
		"tag":               {"cachetag", map[string]any{"CacheTags": []string{"t-/dir/b.css"}}, "..y."},
		"common tag":        {"cachetag", map[string]any{"CacheTags": []string{"all"}}, "yyyy"},
		"tag, other case":   {"cachetag", map[string]any{"CacheTags": []string{"ALL"}}, "...."},
		"all":               {"purgeall", map[string]any{"PurgeAll": true}, "yyyy"},
		"variant":           {"cachekey", map[string]any{"CacheKeys": []any{map[string]any{"Url": "http://www.shop.example/a.css"}}}, "y..."},
		"other variant": {"cachekey", map[string]any{"CacheKeys": []any{map[string]any{"Url": "http://www.shop.example/a.css",
			"Headers": map[string]string{"UserDeviceType": "mobile"}}}}, "...."},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			b := newShop(t, Options{})
			to := b.origin((&counter{headers: func(h http.Header, r *http.Request) int {
				h.Set("Cache-Control", "max-age=600")
				h.Set("Cache-Tag", "all,t-"+r.URL.Path)
				return 200
			}}).ServeHTTP)
			b.record("www.shop.example", to)
			b.record("img.shop.example", to)
			b.rule("CacheRule", "true", map[string]any{"EdgeCacheMode": "follow_origin", "UserDeviceType": "on"})
			look := func(page string) string {
				host, path, _ := strings.Cut(page, "/")
				return b.get("http://" + host + ".shop.example/" + path).cache()
			}
			for _, page := range pages {
				require.Equal(t, "MISS", look(page))
				require.Equal(t, "HIT", look(page))
			}
			b.call("PurgeCaches", map[string]any{"Type": tt.kind, "Content": tt.content})
			for i, page := range pages {
				want := map[byte]string{'y': "MISS", '.': "HIT"}[tt.gone[i]]
				require.Equal(t, want, look(page), page)
			}
		})
	}
}

func TestEdgePurgesOfAnotherProcess(t *testing.T) {
	dir := t.TempDir()
	b := newShop(t, Options{Dir: dir})
	b.record("www.shop.example", b.origin((&counter{headers: cacheFor(600)}).ServeHTTP))
	require.Equal(t, "MISS", b.get("http://www.shop.example/a.css").cache())
	other := start(t, Options{Dir: dir})
	(&shop{t: t, esa: other, info: other.Info(), id: b.id}).call("PurgeCaches", map[string]any{"Type": "purgeall", "Content": map[string]any{"PurgeAll": true}})
	require.Eventually(t, func() bool { return b.get("http://www.shop.example/a.css").body == "2" }, time.Minute, 5*time.Millisecond)
}

func TestEdgeTagsWithoutCase(t *testing.T) {
	b := newShop(t, Options{})
	b.record("www.shop.example", b.origin((&counter{headers: func(h http.Header, _ *http.Request) int {
		h.Set("Cache-Control", "max-age=600")
		h.Set("X-My-Tags", "News Sport")
		return 200
	}}).ServeHTTP))
	b.call("UpdateCacheTag", map[string]any{"TagName": "X-My-Tags", "CaseInsensitive": "on"})
	b.get("http://www.shop.example/a.css")
	b.call("PurgeCaches", map[string]any{"Type": "cachetag", "Content": map[string]any{"CacheTags": []string{"SPORT"}}})
	require.Equal(t, "MISS", b.get("http://www.shop.example/a.css").cache())
}

func TestEdgeServesStale(t *testing.T) {
	broken := atomic.Bool{}
	b, now := cached(t, &counter{headers: func(h http.Header, r *http.Request) int {
		h.Set("Cache-Control", "max-age=10")
		if broken.Load() {
			return 503
		}
		return 200
	}})
	b.rule("CacheRule", path("/stale.css"), map[string]any{"EdgeCacheMode": "follow_origin", "ServeStale": "on"})
	for _, path := range []string{"/stale.css", "/other.css"} {
		require.Equal(t, "MISS", b.get("http://www.shop.example"+path).cache())
	}
	now.advance(time.Minute)
	broken.Store(true)
	got := b.get("http://www.shop.example/stale.css")
	require.Equal(t, 200, got.status)
	require.Equal(t, "STALE", got.cache())
	require.Equal(t, "1", got.body)
	require.Equal(t, "60", got.header.Get("Age"))
	require.Equal(t, 503, b.get("http://www.shop.example/other.css").status)
}

func TestEdgeAsksWhetherSomethingChanged(t *testing.T) {
	asked := atomic.Int64{}
	c := &counter{headers: func(h http.Header, r *http.Request) int {
		h.Set("Cache-Control", "max-age=10")
		h.Set("ETag", `"v1"`)
		if r.Header.Get("If-None-Match") == `"v1"` {
			asked.Add(1)
			return http.StatusNotModified
		}
		return 200
	}}
	b, now := cached(t, c)
	require.Equal(t, "MISS", b.get("http://www.shop.example/a.css").cache())
	now.advance(time.Minute)
	got := b.get("http://www.shop.example/a.css")
	require.Equal(t, "EXPIRED", got.cache())
	require.Equal(t, "1", got.body)
	require.EqualValues(t, 1, asked.Load())
	require.Equal(t, "HIT", b.get("http://www.shop.example/a.css").cache())
	got = b.get("http://www.shop.example/a.css", "If-None-Match", `"v1"`)
	require.Equal(t, 304, got.status)
	require.Equal(t, "HIT", got.cache())
	got = b.get("http://www.shop.example/a.css", "Range", "bytes=0-0")
	require.Equal(t, 206, got.status)
	require.Equal(t, "bytes 0-0/1", got.header.Get("Content-Range"))
}

func TestEdgeBrowserCacheAndDevelopmentMode(t *testing.T) {
	b, _ := cached(t, &counter{headers: func(h http.Header, _ *http.Request) int {
		h.Set("Cache-Control", "max-age=60")
		h.Set("Expires", "Thu, 01 Jan 2026 00:00:00 GMT")
		return 200
	}})
	b.rule("CacheRule", path("/short.css"), map[string]any{"BrowserCacheMode": "override_origin", "BrowserCacheTtl": "5"})
	b.rule("CacheRule", path("/none.css"), map[string]any{"BrowserCacheMode": "no_cache"})
	require.Equal(t, "max-age=60", b.get("http://www.shop.example/a.css").header.Get("Cache-Control"))
	for range 2 { // from the origin and from the cache
		got := b.get("http://www.shop.example/short.css")
		require.Equal(t, "max-age=5", got.header.Get("Cache-Control"))
		require.Empty(t, got.header.Get("Expires"))
		require.Equal(t, "no-cache", b.get("http://www.shop.example/none.css").header.Get("Cache-Control"))
	}
	b.call("UpdateDevelopmentMode", map[string]any{"Enable": "on"})
	require.Equal(t, "BYPASS", b.get("http://www.shop.example/a.css").cache())
}

func TestEdgeCachesPosts(t *testing.T) {
	b, _ := cached(t, &counter{headers: cacheFor(60)})
	b.rule("CacheRule", path("/md5"), map[string]any{"PostCache": "on", "PostBodyCacheKey": "md5", "PostBodySizeLimit": "1"})
	b.rule("CacheRule", path("/ignore"), map[string]any{"PostCache": "on", "PostBodyCacheKey": "ignore"})
	post := func(path, body string) string { return b.do("POST", "http://www.shop.example"+path, body).cache() }
	require.Equal(t, "MISS", post("/md5", "a"))
	require.Equal(t, "HIT", post("/md5", "a"))
	require.Equal(t, "MISS", post("/md5", "b"))
	require.Equal(t, "MISS", post("/ignore", "a"))
	require.Equal(t, "HIT", post("/ignore", "b"))
	long := strings.Repeat("x", 2000)
	require.Equal(t, "BYPASS", post("/md5", long))
	require.Equal(t, "BYPASS", post("/md5", long))
	require.Equal(t, "MISS", b.get("http://www.shop.example/md5").cache(), "a GET is another")
}
