package local

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestEdgeAddsNothingToWhatWasSent: the edge makes up no headers that the origin or
// the visitor left out.
func TestEdgeAddsNothingToWhatWasSent(t *testing.T) {
	b := newShop(t, Options{})
	b.record("www.shop.example", b.origin(func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Content-Type"] = nil
		w.Header().Set("X-Agent", strings.Join(r.Header["User-Agent"], ","))
		w.Header().Set("Cache-Control", "max-age=60")
		fmt.Fprint(w, "<html>")
	}))
	b.rule("HttpRequestHeaderModificationRule", path("/no-agent"), map[string]any{
		"RequestHeaderModification": []map[string]any{{"Name": "User-Agent", "Operation": "del"}}})
	for _, at := range []string{"/", "/a.css", "/a.css", "/no-agent"} { // the second time from the cache
		got := b.get("http://www.shop.example"+at, "User-Agent", "mine")
		require.Empty(t, got.header["Content-Type"], at)
		require.Equal(t, "<html>", got.body)
		if at == "/no-agent" {
			require.Empty(t, got.header.Get("X-Agent"))
		} else {
			require.Equal(t, "mine", got.header.Get("X-Agent"))
		}
	}
}

// TestEdgeKeepsTheFrameOfMessages: rules change headers, not where a message ends.
func TestEdgeKeepsTheFrameOfMessages(t *testing.T) {
	b := newShop(t, Options{})
	b.record("www.shop.example", b.origin(echo))
	changes := []map[string]any{
		{"Name": "Content-Length", "Operation": "modify", "Value": "2"},
		{"Name": "transfer-encoding", "Operation": "add", "Value": "chunked"},
		{"Name": "Connection", "Operation": "add", "Value": "X-Kept"},
		{"Name": "X-Kept", "Operation": "add", "Value": "1"},
	}
	b.rule("HttpResponseHeaderModificationRule", "true", map[string]any{"ResponseHeaderModification": changes})
	b.rule("HttpRequestHeaderModificationRule", "true", map[string]any{"RequestHeaderModification": changes})
	b.rule("HttpIncomingRequestHeaderModificationRule", "true", map[string]any{"RequestHeaderModification": changes})
	b.rule("HttpIncomingResponseHeaderModificationRule", "true", map[string]any{"ResponseHeaderModification": changes})
	got := b.do("POST", "http://www.shop.example/", "the whole body")
	require.Equal(t, "the whole body", got.seen(t).Body)
	require.Equal(t, "1", got.seen(t).Header.Get("X-Kept"))
	require.Equal(t, []string{"1", "1"}, got.header["X-Kept"])
	require.Equal(t, strconv.Itoa(len(got.body)), got.header.Get("Content-Length"))
}

// TestEdgeRanges: ranges in bytes are served, and others are no ranges.
func TestEdgeRanges(t *testing.T) {
	b := newShop(t, Options{OpenDefaultDomain: true})
	b.record("www.shop.example", b.origin(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/css")
		w.Header().Set("Cache-Control", "max-age=60")
		fmt.Fprint(w, "0123456789")
	}))
	b.record("pages.shop.example", nil)
	b.routine("files", "", map[string]string{"assets/a.css": "0123456789"})
	b.route("files", `(http.host eq "pages.shop.example")`, nil)
	require.Equal(t, "MISS", b.get("http://www.shop.example/a.css").cache())
	for _, address := range []string{"http://www.shop.example/a.css", "http://pages.shop.example/a.css"} {
		for header, want := range map[string]string{"bytes=2-3": "206 23", "bytes=-1": "206 9", "BYTES=0-0": "206 0", "items=2-3": "200 0123456789", "pages=1": "200 0123456789"} {
			got := b.get(address, "Range", header)
			require.Equal(t, want, fmt.Sprint(got.status, " ", got.body), "%s %s", address, header)
		}
		require.Equal(t, 416, b.get(address, "Range", "bytes=20-").status)
	}
}

// TestEdgeTellsTheLengthOfWhatIsCompressedAlready: from the cache as from the origin.
func TestEdgeTellsTheLengthOfWhatIsCompressedAlready(t *testing.T) {
	b := newShop(t, Options{})
	var packed bytes.Buffer
	zip, err := gzip.NewWriterLevel(&packed, gzip.NoCompression)
	require.NoError(t, err)
	fmt.Fprint(zip, strings.Repeat("x", 10_000))
	require.NoError(t, zip.Close())
	b.record("www.shop.example", b.origin(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/css")
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("Cache-Control", "max-age=60")
		w.Header().Set("Content-Length", strconv.Itoa(packed.Len()))
		w.Write(packed.Bytes())
	}))
	for _, method := range []string{"GET", "GET", "HEAD"} {
		got := b.do(method, "http://www.shop.example/a.css", "", "Accept-Encoding", "gzip")
		require.Equal(t, strconv.Itoa(packed.Len()), got.header.Get("Content-Length"), method)
	}
}

// TestEdgeUpgradesToWebSocketsAlone: another protocol would pass by the rules.
func TestEdgeUpgradesToWebSocketsAlone(t *testing.T) {
	b := newShop(t, Options{})
	b.record("www.shop.example", b.origin(echo))
	got := b.get("http://www.shop.example/", "Connection", "Upgrade, HTTP2-Settings", "Upgrade", "h2c", "HTTP2-Settings", "AAMAAABkAAQCAAAAAAIAAAAA").seen(t)
	require.Empty(t, got.Header["Upgrade"])
	require.Empty(t, got.Header["Http2-Settings"])
	got = b.get("http://www.shop.example/", "Connection", "Upgrade", "Upgrade", "WebSocket", "X-Forwarded-Host", "asked.example").seen(t)
	require.Equal(t, "WebSocket", got.Header.Get("Upgrade"))
	require.Equal(t, "http", got.Header.Get("X-Forwarded-Proto"))
	require.Equal(t, "127.0.0.1", got.Header.Get("X-Forwarded-For"))
	require.Equal(t, "asked.example", got.Header.Get("X-Forwarded-Host"))
}

// TestEdgeFetchesWholeWhatHasNoParts: an origin that has no range of an empty file is
// asked for all of it.
func TestEdgeFetchesWholeWhatHasNoParts(t *testing.T) {
	b := newShop(t, Options{})
	to := b.origin(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		if r.Header.Get("Range") != "" {
			w.Header().Set("Content-Range", "bytes */0")
			w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
		}
	})
	b.record("www.shop.example", to)
	b.rule("OriginRule", "true", map[string]any{"OriginScheme": "http", "OriginHttpPort": portOf(t, to.URL), "Range": "force"})
	require.Equal(t, 200, b.get("http://www.shop.example/").status)
	require.Equal(t, 416, b.get("http://www.shop.example/", "Range", "bytes=5-").status, "the visitor asked for a part")
}
