package local

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// server is an origin that says its name and the Host it was asked for.
type server struct {
	name   string
	at     *httptest.Server
	sick   atomic.Bool // answers 503 to /health
	asked  atomic.Int64
	probes atomic.Int64
}

func (b *shop) server(name string) *server {
	b.t.Helper()
	s := &server{name: name}
	s.at = b.origin(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/health" {
			s.probes.Add(1)
			if s.sick.Load() {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
			return
		}
		s.asked.Add(1)
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the visitor is gone
		}
		fmt.Fprintf(w, "%s %s%s", s.name, r.Host, body)
	})
	return s
}

// pool makes an origin pool of servers, and returns its id. A server that is nil is
// one that nobody answers for.
func (b *shop) pool(name string, servers ...*server) int64 {
	b.t.Helper()
	origins := []map[string]any{}
	for i, s := range servers {
		o := map[string]any{"Name": fmt.Sprint(name, i), "Address": nobody, "Enabled": true, "Weight": 50}
		if s != nil {
			o["Address"] = "127.0.0.1:" + portOf(b.t, s.at.URL)
		}
		origins = append(origins, o)
	}
	return b.poolOf(name, origins...)
}

func (b *shop) poolOf(name string, origins ...map[string]any) int64 {
	b.t.Helper()
	return id64(b.t, b.call("CreateOriginPool", map[string]any{"Name": name, "Enabled": true, "Origins": origins}), "Id")
}

// balancer makes lb.shop.example over pools, the last of which is the fallback, and
// the record www, which leads there.
func (b *shop) balancer(pools []int64, more map[string]any) int64 {
	b.t.Helper()
	all := map[string]any{"Name": "lb.shop.example", "Enabled": true, "SteeringPolicy": "order", "DefaultPools": pools[:len(pools)-1],
		"FallbackPool": pools[len(pools)-1], "Monitor": map[string]any{"Type": "off"}}
	for name, v := range more {
		all[name] = v
	}
	id := id64(b.t, b.call("CreateLoadBalancer", all), "Id")
	b.call("CreateRecord", map[string]any{"RecordName": "www.shop.example", "Type": "CNAME", "Ttl": 1, "Proxied": true, "BizName": "web",
		"SourceType": "LB", "Data": map[string]any{"Value": "lb.shop.example"}})
	return id
}

// who is the server that answers a visitor.
func (b *shop) who(address string, header ...string) string {
	b.t.Helper()
	got := b.get(address, header...)
	if got.status != 200 {
		return fmt.Sprint(got.status, " ", got.header.Get("X-Esa-Error"))
	}
	name, _, _ := strings.Cut(got.body, " ")
	return name
}

const www = "http://www.shop.example/"

func TestEdgeFetchesFromPools(t *testing.T) {
	b := newShop(t, Options{})
	one, two := b.server("one"), b.server("two")
	id := b.poolOf("main",
		map[string]any{"Name": "a", "Address": "localhost:" + portOf(t, one.at.URL), "Weight": 100, "Header": map[string]any{"Host": []string{"inner.example"}}},
		map[string]any{"Name": "b", "Address": "127.0.0.1:" + portOf(t, two.at.URL), "Weight": 100, "Enabled": false})
	b.call("CreateRecord", map[string]any{"RecordName": "www.shop.example", "Type": "CNAME", "Ttl": 1, "Proxied": true, "BizName": "web",
		"SourceType": "OP", "Data": map[string]any{"Value": "main.shop.example"}})
	b.call("CreateRecord", map[string]any{"RecordName": "chain.shop.example", "Type": "CNAME", "Ttl": 1, "Proxied": true, "BizName": "web",
		"Data": map[string]any{"Value": "www.shop.example"}})
	got := b.get(www)
	require.Equal(t, "one inner.example", got.body)
	origins := b.call("GetOriginPool", map[string]any{"Id": id})["Origins"].([]any)
	first := origins[0].(map[string]any)["Id"]
	require.Equal(t, fmt.Sprintf("origin_pool %d, pool_origin %v", id, first), got.rules())
	require.Equal(t, "one inner.example", b.get("http://chain.shop.example/").body)

	set := func(change func(a, b map[string]any)) {
		change(origins[0].(map[string]any), origins[1].(map[string]any))
		b.call("UpdateOriginPool", map[string]any{"Id": id, "Enabled": true, "Origins": origins})
	}
	set(func(one, two map[string]any) { one["Weight"], two["Enabled"] = 0, true })
	require.Equal(t, "two www.shop.example", b.get(www).body, "no weight, no requests")
	set(func(one, two map[string]any) { one["Weight"], two["Weight"] = 10, 30 })
	seen := map[string]int{}
	for range 400 {
		seen[b.who(www)]++
	}
	require.InDelta(t, 100, seen["one"], 55)
	require.Equal(t, 400, seen["one"]+seen["two"])

	b.rule("OriginRule", `http.request.uri.path eq "/ruled"`, map[string]any{"OriginScheme": "http", "OriginHost": "ruled.example"})
	set(func(one, _ map[string]any) { one["Enabled"] = false })
	require.Equal(t, "two ruled.example", b.get(www+"ruled").body)
	b.call("UpdateOriginPool", map[string]any{"Id": id, "Enabled": false, "Origins": origins})
	require.Equal(t, "502 destination_not_found", b.who(www))
	require.Contains(t, b.get(www).body, "No origin of main is enabled")
}

func TestEdgeFailsOverByHealth(t *testing.T) {
	b := newShop(t, Options{})
	one, two, last := b.server("one"), b.server("two"), b.server("last")
	pools := []int64{b.pool("p1", one), b.pool("p2", two), b.pool("p3", last)}
	lb := b.balancer(pools, map[string]any{"Monitor": map[string]any{"Type": "HTTP", "Path": "/health", "Interval": 1, "Timeout": 10, "ConsecutiveDown": 2,
		"ExpectedCodes": "200,204"}})
	states := func() string {
		var all []string
		for _, entry := range b.call("ListLoadBalancerOriginStatus", map[string]any{"LoadBalancerIds": lb})["OriginStatus"].([]any) {
			o := entry.(map[string]any)
			reason, _ := o["Reason"].(string)
			all = append(all, strings.TrimSpace(fmt.Sprint(o["PoolType"], " ", o["Status"], " ", reason)))
		}
		return strings.Join(all, ", ")
	}
	wait := func(want string) {
		t.Helper()
		require.Eventually(t, func() bool { return states() == want }, time.Minute, 20*time.Millisecond, "%s is not %s", states(), want)
	}
	wait("default_pool healthy, default_pool healthy, fallback_pool healthy")
	require.Equal(t, "one", b.who(www))
	require.Equal(t, "one", b.who("http://lb.shop.example/"), "the load balancer's own name")

	one.sick.Store(true)
	wait("default_pool unhealthy status code 503, default_pool healthy, fallback_pool healthy")
	require.Equal(t, "two", b.who(www))
	require.Equal(t, "healthy", b.call("GetLoadBalancer", map[string]any{"Id": lb})["Status"])
	two.at.Close()
	wait("default_pool unhealthy status code 503, default_pool unhealthy origin_connect_failed, fallback_pool healthy")
	require.Equal(t, "last", b.who(www))
	require.Equal(t, "unhealthy", b.call("GetLoadBalancer", map[string]any{"Id": lb})["Status"])
	last.sick.Store(true)
	wait("default_pool unhealthy status code 503, default_pool unhealthy origin_connect_failed, fallback_pool unhealthy status code 503")
	require.Equal(t, "last", b.who(www), "the fallback pool is asked however it is")
	one.sick.Store(false)
	wait("default_pool healthy, default_pool unhealthy origin_connect_failed, fallback_pool unhealthy status code 503")
	require.Equal(t, "one", b.who(www), "requests come back")

	b.call("UpdateLoadBalancer", map[string]any{"Id": lb, "Monitor": map[string]any{"Type": "off"}})
	probes := one.probes.Load()
	require.Equal(t, "default_pool undetected, default_pool undetected, fallback_pool undetected", states())
	require.Equal(t, "one", b.who(www))
	require.LessOrEqual(t, one.probes.Load(), probes+1, "nobody probes any more")
}

func TestMonitorTypes(t *testing.T) {
	b := newShop(t, Options{})
	listen := func(greeting string) string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		t.Cleanup(func() { l.Close() })
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				fmt.Fprint(conn, greeting)
				conn.Close()
			}
		}()
		return l.Addr().String()
	}
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { udp.Close() })
	secure := b.secureOrigin(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			http.Redirect(w, r, "/there", http.StatusFound)
		}
	})
	tls := strings.TrimPrefix(secure.URL, "https://")
	for name, tt := range map[string]struct {
		address string
		monitor map[string]any
		want    string
	}{
		"tcp":               {listen(""), map[string]any{"Type": "TCP"}, "healthy"},
		"tcp, nobody":       {nobody, map[string]any{"Type": "TCP"}, "unhealthy"},
		"smtp":              {listen("220 hello\r\n"), map[string]any{"Type": "SMTP"}, "healthy"},
		"smtp, other":       {listen("500 go away\r\n"), map[string]any{"Type": "SMTP"}, "unhealthy"},
		"udp":               {udp.LocalAddr().String(), map[string]any{"Type": "UDP"}, "healthy"},
		"udp, nobody":       {nobody, map[string]any{"Type": "UDP"}, "unhealthy"},
		"ping":              {"127.0.0.1", map[string]any{"Type": "ICMP Ping"}, "healthy"},
		"ping, not allowed": {"192.0.2.1", map[string]any{"Type": "ICMP Ping"}, "unhealthy"},
		"https":             {tls, map[string]any{"Type": "HTTPS", "FollowRedirects": true}, "healthy"},
		"https, redirect":   {tls, map[string]any{"Type": "HTTPS"}, "unhealthy"},
		"https, expected":   {tls, map[string]any{"Type": "HTTPS", "ExpectedCodes": "3xx"}, "healthy"},
		"http to https":     {tls, map[string]any{"Type": "HTTP"}, "unhealthy"},
		"port":              {"127.0.0.1", map[string]any{"Type": "HTTPS", "Port": json.Number(portOf(t, secure.URL)), "ExpectedCodes": "300-302"}, "healthy"},
	} {
		t.Run(name, func(t *testing.T) {
			pool := b.poolOf("p", map[string]any{"Name": "o", "Address": tt.address})
			lb := id64(t, b.call("CreateLoadBalancer", map[string]any{"Name": "lb.shop.example", "SteeringPolicy": "order", "DefaultPools": []int64{pool},
				"FallbackPool": pool, "Monitor": tt.monitor}), "Id")
			status := func() any {
				return b.call("ListLoadBalancerOriginStatus", map[string]any{"LoadBalancerIds": lb, "PoolType": "default_pool"})["OriginStatus"].([]any)[0].(map[string]any)["Status"]
			}
			require.Eventually(t, func() bool { return status() != "unknown" }, time.Minute, 5*time.Millisecond)
			require.Equal(t, tt.want, status())
			b.call("DeleteLoadBalancer", map[string]any{"Id": lb})
			b.call("DeleteOriginPool", map[string]any{"Id": pool})
		})
	}
}

func TestEdgeAsksTheNextOriginThatCanBeReached(t *testing.T) {
	b := newShop(t, Options{})
	two, last := b.server("two"), b.server("last")
	pools := []int64{b.pool("p1", nil), b.pool("p2", nil, two), b.pool("p3", last)}
	id := b.balancer(pools, nil)
	require.Equal(t, "502 origin_connect_failed", b.who(www), "no monitor, and no other pool")
	b.call("UpdateLoadBalancer", map[string]any{"Id": id, "DefaultPools": pools[1:2]})
	for range 10 {
		got := b.do("POST", www, "+body")
		require.Equal(t, "two www.shop.example+body", got.body, "what did not come to the one goes to the other")
	}
	b.call("UpdateLoadBalancer", map[string]any{"Id": id, "DefaultPools": pools[:1], "AdaptiveRouting": map[string]any{"FailoverAcrossPools": true}})
	require.Equal(t, "last", b.who(www))
	b.call("UpdateLoadBalancer", map[string]any{"Id": id, "DefaultPools": pools[:2]})
	require.Equal(t, "two", b.who(www))
	b.call("UpdateLoadBalancer", map[string]any{"Id": id, "Enabled": false})
	require.Equal(t, "502 destination_not_found", b.who(www))
}

func TestEdgeSteersAtRandomByWeight(t *testing.T) {
	b := newShop(t, Options{})
	pools := []int64{b.pool("p1", b.server("one")), b.pool("p2", b.server("two")), b.pool("p3", b.server("three")), b.pool("p4", b.server("last"))}
	b.balancer(pools, map[string]any{"SteeringPolicy": "random", "RandomSteering": map[string]any{"DefaultWeight": 0,
		"PoolWeights": map[string]any{fmt.Sprint(pools[0]): 30, fmt.Sprint(pools[1]): 70}}})
	seen := map[string]int{}
	for range 400 {
		seen[b.who(www)]++
	}
	require.InDelta(t, 120, seen["one"], 55)
	require.InDelta(t, 280, seen["two"], 55)
	require.Zero(t, seen["three"])
}

func TestEdgeSteersByWhereTheVisitorIs(t *testing.T) {
	b := newShop(t, Options{})
	pools := []int64{b.pool("p1", b.server("default")), b.pool("p2", b.server("europe")), b.pool("p3", b.server("shanghai")), b.pool("p4", b.server("france"))}
	b.balancer([]int64{pools[0], pools[0]}, map[string]any{"SteeringPolicy": "geo", "RegionPools": fmt.Sprintf(`{"WEU":[%d]}`, pools[1]),
		"SubRegionPools": fmt.Sprintf(`{"CN-SH,CN-SX":[%d],"FR":[%d]}`, pools[2], pools[3])})
	for place, want := range map[string]string{"DE": "europe", "FR": "france", "CN CN-SH": "shanghai", "CN CN-ZJ": "default", "US": "default", "": "default"} {
		country, province, _ := strings.Cut(place, " ")
		require.Equal(t, want, b.who(www, "X-Esa-Client-Country", country, "X-Esa-Client-Province", province), place)
	}
}

func TestEdgeKeepsVisitorsAtAnOrigin(t *testing.T) {
	b := newShop(t, Options{})
	servers := []*server{b.server("one"), b.server("two"), b.server("three")}
	pool := b.pool("p1", servers...)
	id := b.balancer([]int64{pool, pool}, map[string]any{"SessionAffinity": "ip"})
	seen := map[string]bool{}
	for i := range 30 {
		ip := fmt.Sprintf("198.51.100.%d", i)
		first := b.who(www, "X-Esa-Client-Ip", ip)
		for range 3 {
			require.Equal(t, first, b.who(www, "X-Esa-Client-Ip", ip))
		}
		seen[first] = true
	}
	require.Len(t, seen, 3)

	b.call("UpdateLoadBalancer", map[string]any{"Id": id, "SessionAffinity": "cookie"})
	got := b.get(www)
	cookie := strings.Split(got.header.Get("Set-Cookie"), ";")[0]
	require.Regexp(t, `^esa_lb=\d+$`, cookie)
	first := strings.Fields(got.body)[0]
	for range 20 {
		got := b.get(www, "Cookie", cookie)
		require.Equal(t, first, strings.Fields(got.body)[0])
		require.Empty(t, got.header.Get("Set-Cookie"))
	}
	for _, s := range servers {
		if s.name == first {
			s.at.Close()
		}
	}
	got = b.get(www, "Cookie", cookie)
	require.NotEqual(t, first, strings.Fields(got.body)[0])
	require.NotEqual(t, cookie, strings.Split(got.header.Get("Set-Cookie"), ";")[0], "a new session")
}

func TestEdgeBalancesByRules(t *testing.T) {
	b := newShop(t, Options{})
	one, two := b.pool("p1", b.server("one")), b.pool("p2", b.server("two"))
	rule := func(path string, more map[string]any) map[string]any {
		r := map[string]any{"RuleName": "r", "RuleEnable": "on", "Rule": fmt.Sprintf(`starts_with(http.request.uri.path, %q)`, path)}
		for name, v := range more {
			r[name] = v
		}
		return r
	}
	id := b.balancer([]int64{one, one}, map[string]any{"Rules": []any{
		rule("/fixed", map[string]any{"FixedResponse": map[string]any{"StatusCode": 418, "ContentType": "text/x-tea", "MessageBody": "tea", "Location": "/pot"}}),
		rule("/two", map[string]any{"Overrides": map[string]any{"default_pools": []int64{two}}}),
		rule("/two/end", map[string]any{"Terminates": true}),
		rule("/two", map[string]any{"RuleEnable": "off", "Overrides": map[string]any{"default_pools": []int64{one}}}),
		rule("/two/", map[string]any{"Overrides": map[string]any{"default_pools": []int64{one}}}),
	}})
	require.Equal(t, "one", b.who(www))
	require.Equal(t, "two", b.who(www+"two"))
	require.Equal(t, "two", b.who(www+"two/end"))
	require.Equal(t, "one", b.who(www+"two/more"))
	got := b.get(www + "fixed")
	require.Equal(t, answer{418, got.header, "tea"}, got)
	require.Equal(t, "text/x-tea", got.header.Get("Content-Type"))
	require.Equal(t, "/pot", got.header.Get("Location"))
	require.Equal(t, fmt.Sprintf("load_balancer %d, load_balancer_rule 1", id), got.rules())
	require.Contains(t, b.get(www+"two").rules(), fmt.Sprintf("load_balancer %d, load_balancer_rule 2, origin_pool %d, pool_origin ", id, two))
	_, err := call(t, b.info, "DeleteLoadBalancer", map[string]any{"SiteId": b.id, "Id": id})
	require.ErrorContains(t, err, "DependedByOthers")
}
