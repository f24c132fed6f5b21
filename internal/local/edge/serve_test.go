package edge

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPaths(t *testing.T) {
	f := newFixture(t, open())
	f.deploy("site", "", "assets/index.html", "home", "assets/a b.txt", "space", "assets/文/件 1.html", "chinese",
		"assets/dir/index.html", "dir", "assets/empty.txt", "", "assets/x", "file", "assets/q?.txt", "question", "assets/%41.txt", "percent")
	tests := map[string]struct {
		status   int
		body     string
		location string
	}{
		"/":                                 {200, "home", ""},
		"/index.html":                       {200, "home", ""},
		"/index.html/":                      {404, "", ""},
		"/a%20b.txt":                        {200, "space", ""},
		"/%E6%96%87/%E4%BB%B6%201.html":     {200, "chinese", ""},
		"/%E6%96%87/":                       {404, "", ""},
		"/q%3F.txt":                         {200, "question", ""},
		"/%2541.txt":                        {200, "percent", ""},
		"/A.txt":                            {404, "", ""},
		"/dir/":                             {200, "dir", ""},
		"/dir":                              {302, "", "/dir/"},
		"/dir?a=1&b=%2F":                    {302, "", "/dir/?a=1&b=%2F"},
		"/x/../dir":                         {302, "", "/dir/"},
		"/dir/..":                           {200, "home", ""},
		"/dir/.":                            {200, "dir", ""},
		"//dir":                             {302, "", "/dir/"},
		"/../../../etc/passwd":              {404, "", ""},
		"/..%2f..%2fetc/passwd":             {404, "", ""},
		"/%2e%2e/x":                         {200, "file", ""},
		"/dir%5c..%5cx":                     {404, "", ""},
		"/x%00":                             {404, "", ""},
		"/empty.txt":                        {200, "", ""},
		"/none":                             {404, "", ""},
		"http://elsewhere/x":                {200, "file", ""},
		"/" + strings.Repeat("a", 10000):    {404, "", ""},
		"/" + strings.Repeat("a/../", 1000): {200, "home", ""},
	}
	for target, want := range tests {
		t.Run(target[:min(len(target), 40)], func(t *testing.T) {
			rec := f.get("site", target)
			require.Equal(t, want.status, rec.Code)
			require.Equal(t, want.location, rec.Header().Get("Location"))
			if want.status == 200 {
				require.Equal(t, want.body, rec.Body.String())
			}
		})
	}
}

func TestConditionsAndRanges(t *testing.T) {
	f := newFixture(t, open())
	f.deploy("site", "", "assets/app.js", "0123456789")
	whole := f.get("site", "/app.js")
	require.Equal(t, 200, whole.Code)
	require.Equal(t, "text/javascript; charset=utf-8", whole.Header().Get("Content-Type"))
	require.Equal(t, "10", whole.Header().Get("Content-Length"))
	require.Equal(t, "bytes", whole.Header().Get("Accept-Ranges"))
	const date = "Sun, 01 Mar 2026 10:00:00 GMT"
	require.Equal(t, date, whole.Header().Get("Last-Modified"))
	etag := whole.Header().Get("ETag")
	require.Equal(t, `"84d89877f0d4041efb6bf91a16f0248f"`, etag)
	tests := map[string]struct {
		header []string
		status int
		body   string
	}{
		"If-None-Match":               {[]string{"If-None-Match", `"x", ` + etag}, 304, ""},
		"If-None-Match weak":          {[]string{"If-None-Match", "W/" + etag}, 304, ""},
		"If-None-Match other":         {[]string{"If-None-Match", `"x"`}, 200, "0123456789"},
		"If-Match":                    {[]string{"If-Match", etag}, 200, "0123456789"},
		"If-Match other":              {[]string{"If-Match", `"x"`}, 412, ""},
		"If-Modified-Since same":      {[]string{"If-Modified-Since", date}, 304, ""},
		"If-Modified-Since before":    {[]string{"If-Modified-Since", "Sun, 01 Mar 2026 09:59:59 GMT"}, 200, "0123456789"},
		"ETag wins over the date":     {[]string{"If-None-Match", `"x"`, "If-Modified-Since", date}, 200, "0123456789"},
		"range":                       {[]string{"Range", "bytes=2-4"}, 206, "234"},
		"range to the end":            {[]string{"Range", "bytes=-3"}, 206, "789"},
		"range outside":               {[]string{"Range", "bytes=10-"}, 416, "invalid range: failed to overlap\n"},
		"range with its ETag":         {[]string{"Range", "bytes=0-0", "If-Range", etag}, 206, "0"},
		"range with another ETag":     {[]string{"Range", "bytes=0-0", "If-Range", `"x"`}, 200, "0123456789"},
		"range of nonsense is an end": {[]string{"Range", "bytes=x"}, 416, "invalid range\n"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			rec := f.get("site", "/app.js", tt.header...)
			require.Equal(t, tt.status, rec.Code)
			require.Equal(t, tt.body, rec.Body.String())
		})
	}
	head := f.do("HEAD", f.host("site"), "/app.js")
	require.Equal(t, 200, head.Code)
	require.Equal(t, "10", head.Header().Get("Content-Length"))
	require.Empty(t, head.Body.String())
}

func TestMethods(t *testing.T) {
	f := newFixture(t, open())
	f.deploy("site", "SinglePageApplication", "assets/index.html", "home")
	for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"} {
		for _, target := range []string{"/", "/any/route"} {
			rec := f.do(method, f.host("site"), target)
			require.Equal(t, 405, rec.Code, method)
			require.Equal(t, "GET, HEAD", rec.Header().Get("Allow"))
		}
	}
}

func TestNotFoundStrategies(t *testing.T) {
	const home, page = "assets/index.html", "assets/404.html"
	const navigate = "navigate"
	tests := map[string]struct {
		strategy string
		files    []string
		method   string
		mode     string // Sec-Fetch-Mode
		status   int
		body     string
	}{
		"none":                      {"", []string{home, "home", page, "lost"}, "GET", "", 404, "no file for the path"},
		"single page":               {"SinglePageApplication", []string{home, "home"}, "GET", "", 200, "home"},
		"single page HEAD":          {"SinglePageApplication", []string{home, "home"}, "HEAD", "", 200, ""},
		"single page without index": {"SinglePageApplication", []string{"assets/a", "a"}, "GET", navigate, 404, "no file"},
		"404 page":                  {"404Page", []string{home, "home", page, "lost"}, "GET", "", 404, "lost"},
		"404 page HEAD":             {"404Page", []string{home, "home", page, "lost"}, "HEAD", "", 404, ""},
		"404 page POST":             {"404Page", []string{home, "home", page, "lost"}, "POST", "", 404, "lost"},
		"404 page missing":          {"404Page", []string{home, "home"}, "GET", "", 404, "no file"},
		"code":                      {"", []string{home, "home", "routine/index.js", "x"}, "GET", navigate, 501, "this edge runs none"},
		"code, POST":                {"", []string{home, "home", "routine/index.js", "x"}, "POST", "", 501, "routine code"},
		"code and strategy":         {"SinglePageApplication", []string{home, "home", "routine/index.js", "x"}, "GET", "cors", 501, "routine code"},
		"code and strategy, a page": {"SinglePageApplication", []string{home, "home", "routine/index.js", "x"}, "GET", navigate, 200, "home"},
		"code and 404 page, a page": {"404Page", []string{page, "lost", "routine/index.js", "x"}, "GET", navigate, 404, "lost"},
		"code alone":                {"", []string{"routine/index.js", "x"}, "GET", "", 501, "routine code"},
		"code does not hide assets": {"", []string{"assets/deep/route", "asset", "routine/index.js", "x"}, "GET", "", 200, "asset"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, open())
			f.deploy("site", tt.strategy, tt.files...)
			var header []string
			if tt.mode != "" {
				header = []string{"Sec-Fetch-Mode", tt.mode}
			}
			rec := f.do(tt.method, f.host("site"), "/deep/route", header...)
			require.Equal(t, tt.status, rec.Code)
			if tt.body == "" {
				require.Empty(t, rec.Body.String())
			}
			require.Contains(t, rec.Body.String(), tt.body)
			require.NotEmpty(t, rec.Header().Get("X-Esa-Version"))
		})
	}
}

// TestNotFoundPageIgnoresConditions: 304 and 206 would hide that nothing was found.
func TestNotFoundPageIgnoresConditions(t *testing.T) {
	f := newFixture(t, open())
	f.deploy("site", "404Page", "assets/404.html", "lost")
	etag := f.get("site", "/404.html").Header().Get("ETag")
	rec := f.get("site", "/none", "If-None-Match", etag, "Range", "bytes=0-0")
	require.Equal(t, 404, rec.Code)
	require.Equal(t, "lost", rec.Body.String())
	require.Equal(t, "4", rec.Header().Get("Content-Length"))
}
