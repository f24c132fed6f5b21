package local

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestEdgeFetchesFromTheOrigin(t *testing.T) {
	b := newShop(t, Options{})
	b.record("www.shop.example", b.origin(echo))
	got := b.do("POST", "http://www.shop.example/a%2Fb/c?x=1&y=%20", "body", "Cookie", "a=b", "X-Esa-Client-Ip", "198.51.100.7",
		"X-Esa-Client-Country", "DE", "Connection", "X-Hop", "X-Hop", "1", "X-Forwarded-For", "192.0.2.1")
	s := got.seen(t)
	require.Equal(t, seen{Method: "POST", Host: "www.shop.example", URI: "/a%2Fb/c?x=1&y=%20", Body: "body", Header: s.Header}, s)
	require.Equal(t, "a=b", s.Header.Get("Cookie"))
	require.Equal(t, "192.0.2.1, 198.51.100.7", s.Header.Get("X-Forwarded-For"))
	require.Equal(t, "http", s.Header.Get("X-Forwarded-Proto"))
	require.Equal(t, "1.1 local-esa", s.Header.Get("Via"))
	for _, name := range []string{"X-Hop", "X-Esa-Client-Ip", "X-Esa-Client-Country"} {
		require.Empty(t, s.Header.Get(name), name)
	}
	require.Equal(t, "ESA (local)", got.header.Get("Server"))
	require.Equal(t, "application/json", got.header.Get("Content-Type"))
	require.Equal(t, "DYNAMIC", got.cache())
}

func TestEdgeHosts(t *testing.T) {
	b := newShop(t, Options{})
	to := b.origin(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "origin of ", r.Host) })
	b.record("www.shop.example", to)
	b.record("*.shop.example", to)
	b.record("*.deep.shop.example", to)
	b.record("shop.example", to)
	b.call("CreateRecord", map[string]any{"RecordName": "text.shop.example", "Type": "TXT", "Ttl": 1, "Data": map[string]any{"Value": "x"}})
	b.call("CreateRecord", map[string]any{"RecordName": "direct.shop.example", "Type": "A/AAAA", "Ttl": 1, "Data": map[string]any{"Value": "192.0.2.1"}})
	pending := b.site("pending.example", "NS")
	require.NotZero(t, pending)
	for host, want := range map[string]struct {
		status int
		body   string
	}{
		"www.shop.example":        {200, "origin of www.shop.example"},
		"WWW.Shop.example.:8080":  {200, "origin of www.shop.example"},
		"shop.example":            {200, "origin of shop.example"},
		"any.shop.example":        {200, "origin of any.shop.example"},
		"a.b.shop.example":        {200, "origin of a.b.shop.example"},
		"a.deep.shop.example":     {200, "origin of a.deep.shop.example"},
		"text.shop.example":       {404, "has no A/AAAA or CNAME record for text.shop.example"},
		"direct.shop.example":     {404, "direct.shop.example is not proxied"},
		"pending.example":         {404, "The site pending.example is pending"},
		"othershop.example":       {404, "serves no host named"},
		"shop.example.other.test": {404, "serves no host named"},
	} {
		got := b.get("http://" + host + "/")
		require.Equal(t, want.status, got.status, host)
		require.Contains(t, got.body, want.body, host)
	}
	b.call("UpdateSitePause", map[string]any{"Paused": true})
	got := b.get("http://www.shop.example/")
	require.Equal(t, 404, got.status)
	require.Contains(t, got.body, "is paused")
	b.call("UpdateSitePause", map[string]any{"Paused": false})
	require.Equal(t, 200, b.get("http://www.shop.example/").status)
}

// TestEdgeSeesChangesAtOnce also has a second process change what the first
// serves.
func TestEdgeSeesChangesAtOnce(t *testing.T) {
	dir := t.TempDir()
	b := newShop(t, Options{Dir: dir})
	to := b.origin(echo)
	require.Equal(t, 404, b.get("http://www.shop.example/").status)
	id := b.record("www.shop.example", to)
	require.Equal(t, 200, b.get("http://www.shop.example/").status)
	must(t, b.info, "DeleteRecord", map[string]any{"RecordId": id})
	require.Equal(t, 404, b.get("http://www.shop.example/").status)

	other := start(t, Options{Dir: dir})
	elsewhere := &shop{t: t, esa: other, info: other.Info(), id: b.id}
	elsewhere.record("www.shop.example", to)
	require.Eventually(t, func() bool { return b.get("http://www.shop.example/").status == 200 }, time.Minute, 5*time.Millisecond)
}

func TestEdgeFollowsRecords(t *testing.T) {
	b := newShop(t, Options{AllowOrigins: []string{"127.0.0.1"}})
	to := b.origin(echo)
	port := portOf(t, to.URL)
	record := func(name, kind, value string, more map[string]any) {
		params := map[string]any{"RecordName": name, "Type": kind, "Ttl": 1, "Proxied": true, "BizName": "web",
			"Data": map[string]any{"Value": value}, "HttpPorts": port + ",81"}
		for name, v := range more {
			params[name] = v
		}
		b.call("CreateRecord", params)
	}
	record("address.shop.example", "A/AAAA", "127.0.0.1", nil)
	record("chain.shop.example", "CNAME", "address.shop.example", nil)
	record("host.shop.example", "CNAME", "origin.localhost", map[string]any{"HostPolicy": "follow_origin_domain"})
	record("away.shop.example", "CNAME", "www.elsewhere.example", nil)
	record("public.shop.example", "A/AAAA", "192.0.2.1", nil)
	require.Equal(t, "address.shop.example", b.get("http://address.shop.example/").seen(t).Host)
	require.Equal(t, "chain.shop.example", b.get("http://chain.shop.example/").seen(t).Host)
	require.Equal(t, "origin.localhost", b.get("http://host.shop.example/").seen(t).Host)
	for host, want := range map[string]string{"away": "--allow-origin www.elsewhere.example", "public": "--allow-origin 192.0.2.1:" + port} {
		got := b.get("http://" + host + ".shop.example/")
		require.Equal(t, 502, got.status)
		require.Equal(t, "origin_not_allowed", got.header.Get("X-Esa-Error"))
		require.Contains(t, got.body, want)
	}
	_, err := call(t, newShop(t, Options{}).info, "CreateRecord", map[string]any{"SiteId": b.id, "RecordName": "a.shop.example",
		"Type": "A/AAAA", "Ttl": 1, "Proxied": true, "BizName": "web", "Data": map[string]any{"Value": "127.0.0.1"}})
	require.ErrorContains(t, err, "PrivateIpAsSourceUnsupported", "as on the service, unless it is allowed")
}

func TestEdgeTellsWhyAnOriginFails(t *testing.T) {
	b := newShop(t, Options{})
	b.record("gone.shop.example", &httptest.Server{URL: "http://" + nobody})
	b.record("self.shop.example", &httptest.Server{URL: b.info.Edge})
	garbage := b.origin(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			io.WriteString(conn, "SSH-2.0-x\r\n")
			conn.Close()
		}
	})
	b.record("garbage.shop.example", garbage)
	for host, reason := range map[string]string{"gone": "origin_connect_failed", "self": "origin_loop", "garbage": "origin_bad_response"} {
		got := b.get("http://" + host + ".shop.example/")
		require.Equal(t, 502, got.status, host)
		require.Equal(t, reason, got.header.Get("X-Esa-Error"), host)
		require.Contains(t, got.body, "502 "+reason)
	}
}

func TestEdgeStreamsBothWays(t *testing.T) {
	b := newShop(t, Options{})
	next := make(chan struct{})
	to := b.origin(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/count" {
			n, _ := io.Copy(io.Discard, r.Body)
			fmt.Fprint(w, n)
			return
		}
		io.WriteString(w, "first ")
		http.NewResponseController(w).Flush()
		<-next
		io.WriteString(w, "second")
	})
	b.record("www.shop.example", to)
	require.Equal(t, "5000000", b.do("PUT", "http://www.shop.example/count", strings.Repeat("x", 5_000_000)).body)

	r, err := http.NewRequestWithContext(t.Context(), "GET", b.info.Edge+"/", nil)
	require.NoError(t, err)
	r.Host = "www.shop.example"
	res, err := http.DefaultTransport.RoundTrip(r)
	require.NoError(t, err)
	defer res.Body.Close()
	first := make([]byte, 6)
	_, err = io.ReadFull(res.Body, first)
	require.NoError(t, err)
	require.Equal(t, "first ", string(first), "before the origin is done")
	close(next)
	rest, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Equal(t, "second", string(rest))
}

func TestEdgeFollowsRedirectsOfTheOrigin(t *testing.T) {
	b := newShop(t, Options{})
	second := b.origin(echo)
	first := b.origin(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/once", "/plain":
			http.Redirect(w, r, "/twice?from=once", http.StatusFound)
		case "/twice":
			http.Redirect(w, r, "http://second.localhost:"+portOf(t, second.URL)+"/end", http.StatusMovedPermanently)
		}
	})
	b.record("www.shop.example", first)
	settings := map[string]any{"OriginScheme": "http", "Follow302Enable": "on", "Follow302MaxTries": "2", "Follow302RetainArgs": "on", "Follow302RetainHeader": "on"}
	b.rule("OriginRule", path("/once"), settings)
	got := b.get("http://www.shop.example/once?a=b", "X-Mine", "1")
	s := got.seen(t)
	require.Equal(t, "/end?a=b", s.URI)
	require.Equal(t, "second.localhost:"+portOf(t, second.URL), s.Host)
	require.Equal(t, "1", s.Header.Get("X-Mine"))
	require.Equal(t, 302, b.get("http://www.shop.example/plain").status, "without a rule the visitor gets it")
}

func TestEdgeFetchesInParts(t *testing.T) {
	b := newShop(t, Options{})
	content := strings.Repeat("0123456789", 200_000)
	var asked []string
	to := b.origin(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Header.Get("Range"))
		http.ServeContent(w, r, "a.txt", time.Time{}, strings.NewReader(content))
	})
	b.record("www.shop.example", to)
	b.rule("OriginRule", path("/force.txt"), map[string]any{"OriginScheme": "http", "Range": "force", "RangeChunkSize": "1MB"})
	b.rule("OriginRule", path("/on.txt"), map[string]any{"OriginScheme": "http", "Range": "on"})
	b.rule("CacheRule", "true", map[string]any{"EdgeCacheMode": "override_origin", "EdgeCacheTtl": "60"})
	got := b.get("http://www.shop.example/force.txt")
	require.Equal(t, 200, got.status)
	require.Equal(t, content, got.body)
	require.Equal(t, []string{"bytes=0-1048575", "bytes=1048576-2097151"}, asked)
	require.Equal(t, "HIT", b.get("http://www.shop.example/force.txt").cache())

	asked = nil
	got = b.get("http://www.shop.example/on.txt", "Range", "bytes=5-7")
	require.Equal(t, 206, got.status)
	require.Equal(t, "567", got.body)
	require.Equal(t, []string{"bytes=5-7"}, asked)
	got = b.get("http://www.shop.example/off.txt", "Range", "bytes=5-7")
	require.Equal(t, "567", got.body)
	require.Equal(t, []string{"bytes=5-7", ""}, asked, "the whole is fetched and kept")
	require.Equal(t, "HIT", b.get("http://www.shop.example/off.txt").cache())
}

func TestEdgeTellsOriginsOfVisitors(t *testing.T) {
	b := newShop(t, Options{})
	b.record("www.shop.example", b.origin(echo))
	b.call("UpdateManagedTransform", map[string]any{"AddRealClientIpHeader": "on", "RealClientIpHeaderName": "X-Real-Ip", "AddClientGeolocationHeader": "on"})
	s := b.get("http://www.shop.example/", "X-Esa-Client-Ip", "192.0.2.9", "X-Esa-Client-Country", "de").seen(t)
	require.Equal(t, "192.0.2.9", s.Header.Get("X-Real-Ip"))
	require.Equal(t, "DE", s.Header.Get("Ali-Ip-Country"))
}

func TestEdgePassesWebSocketsOn(t *testing.T) {
	b := newShop(t, Options{})
	to := b.origin(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "websocket" {
			w.WriteHeader(http.StatusUpgradeRequired)
			return
		}
		w.Header().Set("Connection", "Upgrade")
		w.Header().Set("Upgrade", "websocket")
		w.WriteHeader(http.StatusSwitchingProtocols)
		conn, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		line, err := buffered.ReadString('\n')
		if err == nil {
			fmt.Fprint(conn, "echo ", r.Host, " ", line)
		}
	})
	b.record("www.shop.example", to)
	b.record("off.shop.example", to)
	b.rule("NetworkOptimization", `(http.host eq "off.shop.example")`, map[string]any{"Websocket": "off"})
	talk := func(host string) (head string, answer string) {
		conn, err := net.Dial("tcp", strings.TrimPrefix(b.info.Edge, "http://"))
		require.NoError(t, err)
		defer conn.Close()
		require.NoError(t, conn.SetDeadline(time.Now().Add(time.Minute)))
		fmt.Fprintf(conn, "GET /ws HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", host)
		from := bufio.NewReader(conn)
		res, err := http.ReadResponse(from, nil)
		require.NoError(t, err)
		if res.StatusCode != http.StatusSwitchingProtocols {
			return res.Status, ""
		}
		fmt.Fprint(conn, "hello\n")
		line, err := from.ReadString('\n')
		require.NoError(t, err)
		return res.Status, line
	}
	head, line := talk("www.shop.example")
	require.Equal(t, "101 Switching Protocols", head)
	require.Equal(t, "echo www.shop.example hello\n", line)
	head, _ = talk("off.shop.example")
	require.Equal(t, "426 Upgrade Required", head)
}
