package fastpath

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRead(t *testing.T) {
	const host = "Host: www.shop.example:8080\r\n"
	var r Request
	text := "GET /a/b-c_1.css?v=1&x=%20y HTTP/1.1\r\nhost:  www.shop.example:8080\t\r\nUser-Agent: Mozilla/5.0 (X11)\r\nAccept-Encoding: gzip\r\n" +
		"REFERER: http://www.shop.example/\r\nX-Requested-With: XMLHttpRequest\r\nConnection: Keep-Alive\r\nCookie: a=b; c=d\r\n\r\n"
	size, ok := r.read([]byte(text + "GET / HT"))
	require.True(t, ok)
	require.Equal(t, len(text), size)
	require.Equal(t, Request{Host: "www.shop.example:8080", Path: "/a/b-c_1.css", Query: "v=1&x=%20y", Referer: "http://www.shop.example/",
		UserAgent: "Mozilla/5.0 (X11)", RequestedWith: "XMLHttpRequest", Size: int64(len(text))}, r)
	_, ok = r.read([]byte("GET / HTTP/1.1\r\n" + host + "\r\n"))
	require.True(t, ok)
	require.Equal(t, Request{Host: "www.shop.example:8080", Path: "/", Size: 47}, r, "nothing is left of the request before")

	for name, text := range map[string]string{
		"nothing":            "",
		"half":               "GET / HTTP/1.1\r\n" + host,
		"half a line":        "GET / HTTP/1.1\r\n" + host + "\r",
		"other method":       "HEAD / HTTP/1.1\r\n" + host + "\r\n",
		"old protocol":       "GET / HTTP/1.0\r\n" + host + "\r\n",
		"bare line ends":     "GET / HTTP/1.1\nHost: a\n\n",
		"proxy":              "GET http://www.shop.example/ HTTP/1.1\r\n" + host + "\r\n",
		"escaped":            "GET /a%20b HTTP/1.1\r\n" + host + "\r\n",
		"dots":               "GET /a/../b HTTP/1.1\r\n" + host + "\r\n",
		"two slashes":        "GET //a HTTP/1.1\r\n" + host + "\r\n",
		"no host":            "GET / HTTP/1.1\r\n\r\n",
		"two hosts":          "GET / HTTP/1.1\r\n" + host + host + "\r\n",
		"strange host":       "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
		"space before colon": "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
		"folded":             "GET / HTTP/1.1\r\n" + host + "X: a\r\n b\r\n\r\n",
		"control":            "GET / HTTP/1.1\r\n" + host + "X: a\x00b\r\n\r\n",
		"no colon":           "GET / HTTP/1.1\r\n" + host + "X\r\n\r\n",
		"no name":            "GET / HTTP/1.1\r\n" + host + ": a\r\n\r\n",
		"two agents":         "GET / HTTP/1.1\r\n" + host + "User-Agent: a\r\nUser-Agent: b\r\n\r\n",
	} {
		_, ok := r.read([]byte(text))
		require.False(t, ok, name)
	}
	for _, header := range []string{
		"Range: bytes=0-1", "If-None-Match: x", "if-modified-since: x", "IF-RANGE: x", "Content-Length: 0", "Transfer-Encoding: chunked", "TE: trailers",
		"Trailer: x", "Expect: 100-continue", "Upgrade: websocket", "Connection: close", "Connection: upgrade", "HTTP2-Settings: x",
		"X-Esa-Client-Ip: 192.0.2.1", "x-esa-site-version: 1",
	} {
		_, ok := r.read([]byte("GET / HTTP/1.1\r\n" + host + header + "\r\n\r\n"))
		require.False(t, ok, header)
	}
}

// FuzzRead: what is taken for a plain request is the same one to net/http, without a
// body, and the next begins where net/http says.
func FuzzRead(f *testing.F) {
	f.Add([]byte("GET /a.css?v=1 HTTP/1.1\r\nHost: a.example\r\nUser-Agent: b\r\nReferer: c\r\nX-Requested-With: d\r\n\r\nGET / HTTP/1.1\r\n\r\n"))
	f.Add([]byte("GET / HTTP/1.1\r\nhost:\ta.example:80 \r\nCookie: a=b\r\nconnection: keep-alive\r\n\r\n"))
	f.Add([]byte("GET / HTTP/1.1\r\nHost: a\r\nRange: bytes=0-1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc"))
	f.Fuzz(func(t *testing.T, text []byte) {
		var r Request
		size, ok := r.read(text)
		if !ok {
			return
		}
		rest := bufio.NewReader(bytes.NewReader(text))
		got, err := http.ReadRequest(rest)
		require.NoError(t, err)
		require.Equal(t, "GET HTTP/1.1", got.Method+" "+got.Proto)
		require.Equal(t, Request{Host: got.Host, Path: got.URL.Path, Query: got.URL.RawQuery, Referer: got.Referer(), UserAgent: got.UserAgent(),
			RequestedWith: got.Header.Get("X-Requested-With"), Size: int64(size)}, r)
		require.Equal(t, r.Path, got.URL.EscapedPath())
		require.False(t, got.Close)
		require.Equal(t, http.NoBody, got.Body)
		for name, values := range got.Header {
			require.False(t, strings.HasPrefix(name, "If-") || strings.HasPrefix(name, "X-Esa-") || name == "Range" || name == "Upgrade" || name == "Expect", name)
			if name == "User-Agent" || name == "Referer" || name == "X-Requested-With" {
				require.Len(t, values, 1)
			}
		}
		left, err := io.ReadAll(rest)
		require.NoError(t, err)
		require.Equal(t, len(text)-size, len(left))
	})
}
