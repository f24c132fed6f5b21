package local

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"
)

// rule makes a rule of a family for the requests of an expression, and returns
// its id. Without an expression it makes the global configuration.
func (b *shop) rule(family, expression string, params map[string]any) int64 {
	b.t.Helper()
	all := map[string]any{}
	if expression != "" {
		all["Rule"], all["RuleName"], all["RuleEnable"] = expression, "test", "on"
	}
	for name, v := range params {
		all[name] = v
	}
	return id64(b.t, b.call("Create"+family, all), "ConfigId")
}

func path(p string) string { return fmt.Sprintf(`(http.request.uri.path eq %q)`, p) }

func TestEdgeRedirects(t *testing.T) {
	b := newShop(t, Options{})
	b.record("www.shop.example", b.origin(echo))
	old := b.rule("RedirectRule", path("/old"), map[string]any{"Type": "static", "TargetUrl": "https://new.example/x?a=1", "StatusCode": "308", "ReserveQueryString": "on"})
	b.rule("RedirectRule", path("/old"), map[string]any{"Type": "static", "TargetUrl": "https://second.example/", "StatusCode": "301", "ReserveQueryString": "off"})
	b.rule("RedirectRule", path("/bare"), map[string]any{"Type": "static", "TargetUrl": "https://new.example/", "StatusCode": "302", "ReserveQueryString": "off"})

	got := b.get("http://www.shop.example/old?b=2")
	require.Equal(t, 308, got.status)
	require.Equal(t, "https://new.example/x?a=1&b=2", got.header.Get("Location"))
	require.Equal(t, fmt.Sprint("redirect ", old), got.rules(), "the first rule wins and ends the way")
	require.Equal(t, "https://new.example/x?a=1", b.get("http://www.shop.example/old").header.Get("Location"))
	require.Equal(t, "https://new.example/", b.get("http://www.shop.example/bare?b=2").header.Get("Location"))
	require.Equal(t, 200, b.get("http://www.shop.example/other").status)

	b.call("UpdateRedirectRule", map[string]any{"ConfigId": old, "RuleEnable": "off"})
	require.Equal(t, "https://second.example/", b.get("http://www.shop.example/old").header.Get("Location"))
}

func TestEdgeForcesHTTPS(t *testing.T) {
	b := newShop(t, Options{})
	b.record("www.shop.example", b.origin(echo))
	b.record("plain.shop.example", b.origin(echo))
	b.rule("HttpsApplicationConfiguration", "", map[string]any{"HttpsForce": "on", "HttpsForceCode": "307"})
	b.rule("HttpsApplicationConfiguration", `(http.host eq "plain.shop.example")`, map[string]any{"HttpsForce": "off"})
	got := b.get("http://www.shop.example/a%20b?c=d")
	require.Equal(t, 307, got.status)
	require.Equal(t, "https://www.shop.example/a%20b?c=d", got.header.Get("Location"))
	require.Equal(t, 200, b.get("http://plain.shop.example/").status, "a rule counts more than the global configuration")
}

func TestEdgeRewrites(t *testing.T) {
	b := newShop(t, Options{})
	b.record("www.shop.example", b.origin(echo))
	b.rule("RewriteUrlRule", path("/a"), map[string]any{"RewriteUriType": "static", "Uri": "/b c/%2F"})
	b.rule("RewriteUrlRule", path("/q"), map[string]any{"RewriteQueryStringType": "static", "QueryString": "fixed=1"})
	require.Equal(t, "/b%20c/%2F?x=1", b.get("http://www.shop.example/a?x=1").seen(t).URI)
	require.Equal(t, "/q?fixed=1", b.get("http://www.shop.example/q?x=1").seen(t).URI)
	require.Equal(t, "/other?x=1", b.get("http://www.shop.example/other?x=1").seen(t).URI)
}

func TestEdgeChangesHeaders(t *testing.T) {
	b := newShop(t, Options{})
	b.record("www.shop.example", b.origin(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Secret", "s")
		w.Header().Add("X-Twice", "1")
		echo(w, r)
	}))
	change := func(name, operation, value string) map[string]any {
		return map[string]any{"Name": name, "Operation": operation, "Type": "static", "Value": value}
	}
	out := b.rule("HttpRequestHeaderModificationRule", "true", map[string]any{"RequestHeaderModification": []any{
		change("x-added", "add", "a"), change("x-there", "modify", "new"), change("x-gone", "del", "")}})
	in := b.rule("HttpIncomingRequestHeaderModificationRule", "true", map[string]any{"RequestHeaderModification": []any{
		change("x-in", "add", "in")}})
	b.rule("HttpIncomingResponseHeaderModificationRule", "true", map[string]any{"ResponseHeaderModification": []any{
		change("x-secret", "del", "")}})
	b.rule("HttpResponseHeaderModificationRule", "true", map[string]any{"ResponseHeaderModification": []any{
		change("x-twice", "add", "2"), change("x-frame-options", "modify", "DENY")}})
	b.rule("RedirectRule", path("/away"), map[string]any{"Type": "static", "TargetUrl": "https://new.example/", "StatusCode": "301", "ReserveQueryString": "off"})
	got := b.get("http://www.shop.example/", "X-There", "old", "X-Gone", "x", "X-Added", "z")
	h := got.seen(t).Header
	require.Equal(t, []string{"z", "a"}, h["X-Added"])
	require.Equal(t, []string{"new"}, h["X-There"])
	require.Equal(t, []string{"in"}, h["X-In"])
	require.Empty(t, h["X-Gone"])
	require.Empty(t, got.header["X-Secret"])
	require.Equal(t, []string{"1", "2"}, got.header["X-Twice"])
	require.Equal(t, "DENY", got.header.Get("X-Frame-Options"))
	require.True(t, strings.HasPrefix(got.rules(), fmt.Sprintf("incoming_request_header %d, request_header %d, incoming_response_header ", in, out)), got.rules())
	require.Equal(t, "DENY", b.get("http://www.shop.example/away").header.Get("X-Frame-Options"), "redirects have them, too")
}

func TestEdgeOriginRules(t *testing.T) {
	b := newShop(t, Options{})
	plain, secure := b.origin(echo), b.secureOrigin(echo)
	b.record("www.shop.example", nil)
	b.record("other.shop.example", plain)
	rule := func(path string, params map[string]any) {
		b.rule("OriginRule", fmt.Sprintf("(http.request.uri.path eq %q)", path), params)
	}
	rule("/http", map[string]any{"OriginScheme": "http", "OriginHttpPort": portOf(t, plain.URL), "OriginHost": "inner.example"})
	rule("/https", map[string]any{"OriginScheme": "https", "OriginHttpsPort": portOf(t, secure.URL), "OriginSni": "sni.example"})
	rule("/verify", map[string]any{"OriginScheme": "https", "OriginHttpsPort": portOf(t, secure.URL), "OriginVerify": "on"})
	rule("/mismatch", map[string]any{"OriginHttpsPort": portOf(t, plain.URL)})
	rule("/record", map[string]any{"DnsRecord": "other.shop.example", "OriginScheme": "http"})
	rule("/ip", map[string]any{"DnsRecord": "127.0.0.1", "OriginScheme": "http"})
	rule("/none", map[string]any{"DnsRecord": "none.shop.example", "OriginScheme": "http"})
	get := func(path string) answer { return b.get("http://www.shop.example" + path) }

	s := get("/http").seen(t)
	require.Equal(t, "inner.example", s.Host)
	require.False(t, s.TLS)
	s = get("/https").seen(t)
	require.Equal(t, "www.shop.example", s.Host)
	require.Equal(t, []string{"sni.example"}, s.Header["X-Sni"])
	require.Equal(t, "www.shop.example", get("/record").seen(t).Host)
	for path, want := range map[string][2]string{
		"/verify":   {"origin_tls_failed", "OriginVerify"},
		"/mismatch": {"origin_scheme_mismatch", "Set OriginScheme to http"},
		"/ip":       {"destination_not_found", "is the address 127.0.0.1"},
		"/none":     {"destination_not_found", `"none.shop.example" is no A/AAAA or CNAME record`},
		"/default":  {"origin_connect_failed", "80 and 443"},
	} {
		got := get(path)
		require.Equal(t, 502, got.status, path)
		require.Equal(t, want[0], got.header.Get("X-Esa-Error"), path)
		require.Contains(t, got.body, want[1], path)
	}
}

func TestEdgeComputesValues(t *testing.T) {
	b := newShop(t, Options{})
	b.record("www.shop.example", b.origin(echo))
	dynamic := func(expression string) map[string]any {
		return map[string]any{"Name": "x-v", "Operation": "add", "Type": "dynamic", "Value": expression}
	}
	b.rule("HttpRequestHeaderModificationRule", "true", map[string]any{"RequestHeaderModification": []any{dynamic(`ip.geoip.country`)}})
	b.rule("HttpResponseHeaderModificationRule", "true", map[string]any{"ResponseHeaderModification": []any{dynamic(`concat("from ", http.host)`)}})
	b.rule("RewriteUrlRule", `starts_with(http.request.uri.path, "/v1/")`, map[string]any{"RewriteUriType": "dynamic",
		"Uri": `regex_replace(http.request.uri.path, "^/v1/", "/v2/")`})
	b.rule("RedirectRule", path("/to"), map[string]any{"Type": "dynamic", "TargetUrl": `concat("https://new.example", http.request.uri)`,
		"StatusCode": "302", "ReserveQueryString": "off"})
	got := b.get("http://www.shop.example/v1/x", "X-Esa-Client-Country", "FR")
	require.Equal(t, "/v2/x", got.seen(t).URI)
	require.Equal(t, []string{"FR"}, got.seen(t).Header["X-V"])
	require.Equal(t, "from www.shop.example", got.header.Get("X-V"))
	require.Equal(t, "https://new.example/to?a=b", b.get("http://www.shop.example/to?a=b").header.Get("Location"))
}

func TestEdgeCompresses(t *testing.T) {
	b := newShop(t, Options{})
	long := strings.Repeat("compress me ", 1000)
	b.record("www.shop.example", b.origin(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", r.URL.Query().Get("type"))
		w.Header().Set("ETag", `"tag"`)
		text := long
		if r.URL.Path == "/short" {
			text = "short"
		}
		fmt.Fprint(w, text)
	}))
	b.rule("CompressionRule", "", map[string]any{"Gzip": "on", "Brotli": "on", "Zstd": "on"})
	b.rule("CompressionRule", path("/gzip"), map[string]any{"Brotli": "off", "Zstd": "off"})
	tests := map[string]struct{ path, accepts, kind, encoding string }{
		"best":         {"/", "gzip, br, zstd", "text/html", "br"},
		"zstd":         {"/", "gzip, zstd", "text/html", "zstd"},
		"gzip":         {"/", "gzip", "application/json", "gzip"},
		"refused":      {"/", "br;q=0, gzip", "text/css", "gzip"},
		"by a rule":    {"/gzip", "gzip, br, zstd", "text/html", "gzip"},
		"not accepted": {"/", "", "text/html", ""},
		"an image":     {"/", "gzip", "image/png", ""},
		"too short":    {"/short", "gzip", "text/html", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := b.get("http://www.shop.example"+tt.path+"?type="+tt.kind, "Accept-Encoding", tt.accepts)
			require.Equal(t, tt.encoding, got.header.Get("Content-Encoding"))
			if tt.encoding == "" {
				require.Equal(t, `"tag"`, got.header.Get("ETag"))
				return
			}
			require.Equal(t, `W/"tag"`, got.header.Get("ETag"))
			require.Contains(t, got.header.Get("Vary"), "Accept-Encoding")
			require.Equal(t, long, decompress(t, tt.encoding, got.body))
		})
	}
}

func decompress(t *testing.T, encoding, body string) string {
	t.Helper()
	var from io.Reader
	var err error
	switch encoding {
	case "br":
		from = brotli.NewReader(strings.NewReader(body))
	case "zstd":
		from, err = zstd.NewReader(strings.NewReader(body))
	default:
		from, err = gzip.NewReader(strings.NewReader(body))
	}
	require.NoError(t, err)
	text, err := io.ReadAll(from)
	require.NoError(t, err)
	return string(text)
}
