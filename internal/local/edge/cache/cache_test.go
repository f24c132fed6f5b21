package cache

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func entry(path string, size int) *Entry {
	return &Entry{SiteID: 1, Host: "www.shop.example", Path: path, Shape: Shaper{}.Shape, Body: make([]byte, size), Header: http.Header{}}
}

func TestStoreDropsTheLeastRecentlyUsed(t *testing.T) {
	s := New(40 << 10)
	for _, key := range []string{"a", "b", "c"} {
		s.Put(key, entry("/"+key, 8<<10), s.Begin())
	}
	require.NotNil(t, s.Get("a")) // now b is the oldest
	s.Put("d", entry("/d", 8<<10), s.Begin())
	s.Put("e", entry("/e", 8<<10), s.Begin())
	require.Nil(t, s.Get("b"))
	require.NotNil(t, s.Get("a"))
	s.Put("huge", entry("/huge", 30<<10), s.Begin())
	require.Nil(t, s.Get("huge"), "one response does not push out all others")
	s.Put("a", entry("/a", 1), s.Begin())
	require.Len(t, s.Get("a").Body, 1)
}

// TestStoreForgetsWhatWasAskedForBeforeAPurge: the answer may be older than what
// the purge was about.
func TestStoreForgetsWhatWasAskedForBeforeAPurge(t *testing.T) {
	s := New(1 << 20)
	ticket := s.Begin()
	s.Purge(Purge{SiteID: 1, Type: File, Content: "http://www.shop.example/a"})
	s.Put("a", entry("/a", 1), ticket)
	s.Put("b", entry("/b", 1), ticket)
	require.Nil(t, s.Get("a"))
	require.NotNil(t, s.Get("b"), "the purge was not about it")
	s.Put("a", entry("/a", 1), s.Begin())
	require.NotNil(t, s.Get("a"))

	ticket = s.Begin()
	s.Clear()
	s.Put("a", entry("/a", 1), ticket)
	require.Nil(t, s.Get("a"))
	require.Zero(t, s.Len())
	ticket = s.Begin()
	for range remembered + 1 {
		s.Purge(Purge{SiteID: 2, Type: All})
	}
	s.Put("a", entry("/a", 1), ticket)
	require.Nil(t, s.Get("a"), "nobody knows any more what was purged since")
}

func TestLifetime(t *testing.T) {
	now := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	tests := []struct {
		settings Settings
		status   int
		header   string
		want     time.Duration
	}{
		{Settings{}, 200, "Cache-Control: max-age=10, s-maxage=20", 20 * time.Second},
		{Settings{}, 200, "Cache-Control: s-maxage=20, max-age=10", 20 * time.Second},
		{Settings{}, 200, `Cache-Control: public, max-age="30"`, 30 * time.Second},
		{Settings{}, 200, "Cache-Control: no-store, max-age=10", 0},
		{Settings{}, 200, "Cache-Control: max-age=9999999999", 1 << 31 * time.Second},
		{Settings{}, 200, "Cache-Control: max-age=99999999999999999999", 1 << 31 * time.Second},
		{Settings{}, 200, "Cache-Control: max-age=-99999999999999999999", 0},
		{Settings{StatusTTL: "2xx=9999999999"}, 200, "", 1 << 31 * time.Second},
		{Settings{}, 200, "Cache-Control: public", 0},
		{Settings{}, 200, "Pragma: no-cache", 0},
		{Settings{}, 200, "Expires: Sun, 01 Mar 2026 10:05:00 GMT", 5 * time.Minute},
		{Settings{}, 200, "Expires: 0", 0},
		{Settings{}, 200, "Last-Modified: Sun, 01 Mar 2026 09:50:00 GMT", time.Minute},
		{Settings{}, 200, "Last-Modified: Thu, 01 Jan 2015 00:00:00 GMT", time.Hour},
		{Settings{}, 200, "Last-Modified: Sun, 01 Mar 2026 10:00:00 GMT", 10 * time.Second},
		{Settings{}, 200, `Etag: "x"`, 10 * time.Second},
		{Settings{}, 404, "", time.Second},
		{Settings{}, 404, "Cache-Control: max-age=10", 10 * time.Second},
		{Settings{}, 302, "", 0},
		{Settings{}, 302, "Cache-Control: max-age=10", 10 * time.Second},
		{Settings{}, 400, "Cache-Control: max-age=10", 0},
		{Settings{}, 206, "Cache-Control: max-age=10", 0},
		{Settings{Mode: OverrideOrigin, TTL: time.Minute}, 200, "Cache-Control: no-store", time.Minute},
		{Settings{Mode: OverrideOrigin, TTL: time.Minute}, 200, "Set-Cookie: a=b", time.Minute},
		{Settings{Mode: OverrideOrigin, TTL: time.Minute}, 500, "", time.Second},
		{Settings{StatusTTL: "4xx=5, 404=7"}, 404, "", 7 * time.Second},
		{Settings{StatusTTL: "404=7,4xx=5"}, 404, "", 7 * time.Second},
		{Settings{StatusTTL: "4xx=5"}, 400, "", 5 * time.Second},
		{Settings{StatusTTL: "2xx=-1"}, 200, "Cache-Control: max-age=10", 0},
		{Settings{StatusTTL: "4xx=5"}, 400, "Set-Cookie: a=b", 0},
		{Settings{Mode: NoCache}, 200, "Cache-Control: max-age=10", 0},
		{Settings{Deception: true}, 200, "Cache-Control: max-age=10", 0},
	}
	for _, tt := range tests {
		r := &http.Response{StatusCode: tt.status, Header: http.Header{"Content-Type": {"text/html"}}}
		if name, value, ok := strings.Cut(tt.header, ": "); ok {
			r.Header.Set(name, value)
		}
		require.Equal(t, tt.want, tt.settings.Lifetime(r, "/style.css", now), "%+v", tt)
	}
}

func FuzzShape(f *testing.F) {
	f.Add("exclude_query_string", "a=1&b=2&&c", "b", true)
	f.Add("include_query_string", "a=%zz&=", "a", false)
	f.Fuzz(func(t *testing.T, mode, query, param string, sorted bool) {
		s := Shaper{Mode: mode, Params: []string{param}, Sorted: sorted}
		once := s.Shape(query)
		require.Equal(t, once, s.Shape(once), "shaping twice changes nothing more")
		require.LessOrEqual(t, len(once), len(query))
	})
}
