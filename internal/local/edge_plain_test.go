package local

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// plainVisitor asks for files over connections that are kept, as browsers do. What
// the edge answers at once and what its HTTP server answers must be the same: a
// TE header has no other effect than that the server answers.
type plainVisitor struct {
	*shop
	quick, server *keptConnection
}

type keptConnection struct {
	net.Conn
	in *bufio.Reader
}

func (b *shop) visitPlainly() plainVisitor {
	connect := func() *keptConnection {
		c, err := net.Dial("tcp", strings.TrimPrefix(b.info.Edge, "http://"))
		require.NoError(b.t, err)
		b.t.Cleanup(func() { c.Close() })
		require.NoError(b.t, c.SetDeadline(time.Now().Add(time.Minute)))
		return &keptConnection{c, bufio.NewReader(c)}
	}
	return plainVisitor{b, connect(), connect()}
}

// get asks for a path in both ways, and returns what both gave; header pairs follow.
func (v plainVisitor) get(host, target string, header ...string) answer {
	v.t.Helper()
	quick, server := v.quick.ask(v.t, host, target, header), v.server.ask(v.t, host, target, append(header, "TE", "trailers"))
	quick.header.Del("Date")
	server.header.Del("Date")
	require.Equal(v.t, server, quick, "%s%s %v", host, target, header)
	return quick
}

func (c *keptConnection) ask(t testing.TB, host, target string, header []string) answer {
	t.Helper()
	text := "GET " + target + " HTTP/1.1\r\nHost: " + host + "\r\nUser-Agent: plain/1.0\r\n"
	for i := 0; i < len(header); i += 2 {
		text += header[i] + ": " + header[i+1] + "\r\n"
	}
	_, err := io.WriteString(c, text+"\r\n")
	require.NoError(t, err)
	res, err := http.ReadResponse(c.in, &http.Request{Method: http.MethodGet})
	require.NoError(t, err)
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.WithinDuration(t, time.Now(), dateOf(t, res.Header), time.Minute)
	return answer{res.StatusCode, res.Header, string(body)}
}

func dateOf(t testing.TB, h http.Header) time.Time {
	t.Helper()
	at, err := http.ParseTime(h.Get("Date"))
	require.NoError(t, err)
	return at
}

// shopOfFiles is a shop with a host that serves files, and nothing else.
func shopOfFiles(t *testing.T, o Options) *shop {
	b := newShop(t, o)
	b.assets("files", "www.shop.example", map[string]string{"index.html": "<h1>home</h1>", "a/index.html": "<h1>a</h1>", "style.css": strings.Repeat("a{b:c} ", 2000),
		"big.bin": strings.Repeat("x", 300_000), "icon.png": "\x89PNG", "404.html": "none"})
	return b
}

// TestPlainFiles: all kinds of addresses, and a new deployment shows at once on a
// connection that is open.
func TestPlainFiles(t *testing.T) {
	b := shopOfFiles(t, Options{OpenDefaultDomain: true})
	v := b.visitPlainly()
	for target, want := range map[string]int{
		"/": 200, "/index.html": 200, "/a/": 200, "/style.css?v=1": 200, "/big.bin": 200, "/icon.png?image_process=resize,w_1": 200, "/404.html": 200,
		"/a": 302, "/none": 404, "/style.css/": 404, "//style.css": 200, "/a/../style.css": 200, "/%73tyle.css": 200,
	} {
		v := b.visitPlainly()
		for range 2 {
			require.Equal(t, want, v.get("www.shop.example", target).status, target)
		}
	}
	for _, host := range []string{"WWW.shop.example:80", "www.shop.example.", "shop.example", "other.example", "nothing"} {
		b.visitPlainly().get(host, "/")
	}
	domain := must(t, b.info, "GetRoutine", map[string]any{"Name": "files"})["DefaultRelatedRecord"].(string)
	require.Equal(t, "<h1>home</h1>", v.get(domain, "/").body)
	require.Equal(t, "<h1>home</h1>", v.get("www.shop.example", "/", "Accept-Encoding", "gzip, br", "Cookie", "a=b").body)
	tag := v.get("www.shop.example", "/").header.Get("Etag")
	require.Equal(t, 304, b.visitPlainly().get("www.shop.example", "/", "If-None-Match", tag).status)
	require.Equal(t, 206, b.visitPlainly().get("www.shop.example", "/", "Range", "bytes=1-2").status)

	goLive(t, b.info, "files", uploadFiles(t, b.info, "files", "", map[string]string{"assets/index.html": "<h1>new</h1>"}))
	require.Equal(t, "<h1>new</h1>", v.get("www.shop.example", "/").body)
	require.Equal(t, "<h1>new</h1>", v.get(domain, "/").body)
	require.Equal(t, 404, v.get("www.shop.example", "/style.css").status)
}

// TestPlainFilesNeedAToken: a default domain that is not open stays closed.
func TestPlainFilesNeedAToken(t *testing.T) {
	b := shopOfFiles(t, Options{})
	domain := must(t, b.info, "GetRoutine", map[string]any{"Name": "files"})["DefaultRelatedRecord"].(string)
	require.Equal(t, 401, b.visitPlainly().get(domain, "/").status)
	token := must(t, b.info, "GetRoutineAccessToken", map[string]any{"Name": "files"})["Token"].(string)
	require.Equal(t, 200, b.visitPlainly().get(domain, "/?esa_er_token="+token).status)
}

// TestPlainFilesObey: whatever the site's configuration says of files counts at once,
// on a connection that is open, and no longer than it is there.
func TestPlainFilesObey(t *testing.T) {
	for name, change := range map[string]func(b *shop) (undo func()){
		"header": func(b *shop) func() {
			return b.ruled("HttpResponseHeaderModificationRule", map[string]any{"ResponseHeaderModification": []any{map[string]any{"Name": "X-A", "Operation": "add", "Type": "static", "Value": "b"}}})
		},
		"compression": func(b *shop) func() { return b.ruled("CompressionRule", map[string]any{"Gzip": "on"}) },
		"redirect": func(b *shop) func() {
			return b.ruled("RedirectRule", map[string]any{"Type": "static", "TargetUrl": "https://new.example/", "StatusCode": "302", "ReserveQueryString": "off"})
		},
		"rewrite": func(b *shop) func() {
			return b.ruled("RewriteUrlRule", map[string]any{"RewriteUriType": "static", "Uri": "/a/"})
		},
		"https": func(b *shop) func() {
			id := b.rule("HttpsApplicationConfiguration", "", map[string]any{"HttpsForce": "on", "HttpsForceCode": "307"})
			return func() { b.call("DeleteHttpsApplicationConfiguration", map[string]any{"ConfigId": id}) }
		},
		"security": func(b *shop) func() {
			id := b.security("http_custom", map[string]any{"Action": "deny", "Expression": path("/style.css")})
			return func() { b.call("DeleteWafRule", map[string]any{"Id": id}) }
		},
		"route": func(b *shop) func() {
			b.code("coded", `export default { fetch() { return new Response("code") } }`)
			id := b.route("coded", path("/style.css"), nil)
			return func() { b.call("DeleteRoutineRoute", map[string]any{"ConfigId": id}) }
		},
		"block": func(b *shop) func() {
			block := map[string]any{"Content": []string{"https://www.shop.example/style.css"}, "Type": "block", "Maxage": 600}
			b.call("BlockObject", block)
			block["Type"] = "unblock"
			return func() { b.call("BlockObject", block) }
		},
		"pause": func(b *shop) func() {
			b.call("UpdateSitePause", map[string]any{"Paused": true})
			return func() { b.call("UpdateSitePause", map[string]any{"Paused": false}) }
		},
		"no host": func(b *shop) func() {
			list := must(b.t, b.info, "ListRoutineRelatedRecords", map[string]any{"Name": "files"})["RelatedRecords"].([]any)
			b.call("DeleteRoutineRelatedRecord", map[string]any{"Name": "files", "RecordName": "www.shop.example", "RecordId": list[0].(map[string]any)["RecordId"]})
			return func() {
				b.call("CreateRoutineRelatedRecord", map[string]any{"Name": "files", "RecordName": "www.shop.example"})
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := shopOfFiles(t, Options{})
			get := func(v plainVisitor) answer { return v.get("www.shop.example", "/style.css", "Accept-Encoding", "gzip") }
			kept := b.visitPlainly()
			before := get(kept)
			require.Equal(t, 200, before.status)
			undo := change(b)
			changed := get(kept)
			require.NotEqual(t, before, changed)
			require.Equal(t, changed, get(b.visitPlainly()))
			undo()
			require.Equal(t, before, get(kept))
			require.Equal(t, before, get(b.visitPlainly()))
		})
	}
}

// ruled makes a rule for the stylesheet, and returns what deletes it.
func (b *shop) ruled(family string, params map[string]any) (undo func()) {
	id := b.rule(family, path("/style.css"), params)
	return func() { b.call("Delete"+family, map[string]any{"ConfigId": id}) }
}
