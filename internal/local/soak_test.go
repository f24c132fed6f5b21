package local

import (
	"cmp"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	// soakRequests is what half an hour at 1,000 requests a second brings. They
	// come as fast as they are answered.
	soakRequests = 1_800_000
	soakClients  = 16
	// soakParts is how often memory is looked at, four quarters in all.
	soakParts = 20
	// soakGrowth is how much of the second quarter's memory the last may have.
	soakGrowth = 1.05
)

// soakMix is of what a thousand requests are.
var soakMix = []struct {
	share      int
	host, path string
	want       string // of the answer
	fresh      bool   // each has an address of its own
}{
	{650, "www", "/small.css", "a{b:c} ", false},
	{50, "www", "/small.css?v=", "a{b:c} ", true},
	{50, "www", "/page.html", "<p>text</p>", false},
	{50, "cdn", "/file.css", "/file.css", false},
	{10, "cdn", "/file.css?v=", "/file.css", true},
	{130, "hello", "/", "hello", false},
	{30, "app", "/api/users/3?q=x", `"id":"3"`, false},
	{30, "kv", "/?key=", "counted", true},
}

// TestSoak sends as many requests as half an hour of traffic has to the real
// thing: files, an origin behind the cache with a purge now and then, routines of
// several kinds, and some that never end. Every answer is checked, and memory must
// not grow. It runs with ESA_MCP_SOAK, the number of requests or 1 for all, as make
// soak sets it; fewer than all are too few to judge memory by.
//
// What grows at first, and has done so when the first quarter is over: Go's heap, up
// to what the collector waits for; the machines of the routine that waits for its
// pairs, up to one for each client; the pages of the database that connections keep;
// what the engine's and the database's allocator leaves between what is in use. What
// grows all the time is on the disk: the request log, by a row for each address that
// is asked for once. Nothing of that log, of those addresses and of what a routine
// leaves behind may stay in memory, so the medians of the second quarter and of the
// last are alike.
func TestSoak(t *testing.T) {
	total, err := strconv.Atoi(cmp.Or(os.Getenv("ESA_MCP_SOAK"), "0"))
	require.NoError(t, err)
	switch total {
	case 0:
		t.Skip("needs ESA_MCP_SOAK")
	case 1:
		total = soakRequests
	}
	s := newSoak(t)
	var resident []int64
	for part := range soakParts {
		started := time.Now()
		s.send(t, total/soakParts, part)
		now := s.edge.resident(t)
		fmt.Printf("soak: %8d requests, %6.0f/s, %4d MB resident\n", (part+1)*total/soakParts,
			float64(total/soakParts)/time.Since(started).Seconds(), now>>20)
		resident = append(resident, now)
	}
	if total >= soakRequests {
		early, late := middle(resident[soakParts/4:soakParts/2]), middle(resident[soakParts*3/4:])
		require.LessOrEqual(t, float64(late), soakGrowth*float64(early), "memory grows: %d MB in the second quarter, %d MB in the last", early>>20, late>>20)
	}
	require.EqualValues(t, s.sent.Load(), s.counted(t), "the log has every request")
}

// middle is the median.
func middle(of []int64) int64 { return slices.Sorted(slices.Values(of))[len(of)/2] }

// soak is a local ESA with sites and routines, and who asks it.
type soak struct {
	*shop
	edge      process
	transport *http.Transport
	sent      atomic.Int64
}

func newSoak(t *testing.T) *soak {
	t.Helper()
	b, edge := startShop(t)
	s := &soak{shop: b, edge: edge, transport: &http.Transport{MaxIdleConnsPerHost: soakClients, DisableCompression: true}}
	t.Cleanup(s.transport.CloseIdleConnections)
	b.assets("files", "www.shop.example", staticFiles())
	b.record("cdn.shop.example", b.origin(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/css")
		w.Header().Set("Cache-Control", "max-age=3600")
		_, _ = io.WriteString(w, r.URL.Path+strings.Repeat(" ", 4096)) // fails if the edge leaves
	}))
	must(t, b.info, "CreateKvNamespace", map[string]any{"Namespace": "soak"})
	for name, code := range map[string]string{
		"hello": `export default { fetch: () => new Response("hello") }`,
		"loop":  `export default { fetch() { for (;;) {} } }`,
		"kv": `export default { async fetch(request) {
			const kv = new EdgeKV({ namespace: "soak" }), key = "key-" + Number(new URL(request.url).searchParams.get("key")) % 500;
			const n = Number(await kv.get(key) ?? 0) + 1;
			await kv.put(key, String(n));
			return new Response("counted " + n);
		} }`,
		"app": soakApp,
	} {
		b.code(name, code)
		b.call("CreateRoutineRelatedRecord", map[string]any{"Name": name, "RecordName": name + ".shop.example"})
	}
	return s
}

// soakApp stands for an application with a router.
const soakApp = `
const routes = [];
const on = (path, ...handlers) => routes.push([new RegExp("^" + path.replace(/:(\w+)/g, "(?<$1>[^/]+)") + "$"), handlers]);
on("/", () => new Response("home"));
for (let i = 0; i < 20; i++) on("/page/" + i + "/:name", c => Response.json(c.params));
on("/api/users/:id",
	async (c, next) => { const r = await next(); const h = new Headers(r.headers); h.set("x-by", "soak"); return new Response(r.body, { status: r.status, headers: h }); },
	async (c, next) => { c.query = Object.fromEntries(c.url.searchParams); return next(); },
	c => Response.json({ id: c.params.id, query: c.query, items: Array.from({ length: 20 }, (_, i) => ({ i, square: i * i, name: "item " + i })) }));
export default { async fetch(request) {
	const url = new URL(request.url);
	for (const [pattern, handlers] of routes) {
		const match = pattern.exec(url.pathname);
		if (!match) continue;
		const c = { request, url, params: { ...match.groups } };
		const run = i => handlers[i](c, () => run(i + 1));
		return run(0);
	}
	return new Response("not found", { status: 404 });
} };`

// send sends so many requests of the mix, and at the end of them a purge and, in
// every other part, a request to a routine that never ends.
func (s *soak) send(t *testing.T, n, part int) {
	var next atomic.Int64
	var all sync.WaitGroup
	for client := range soakClients {
		all.Go(func() {
			random := rand.New(rand.NewPCG(uint64(part), uint64(client)))
			for next.Add(1) <= int64(n) {
				if err := s.one(random.IntN(1000)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	if part%2 == 0 {
		all.Go(func() {
			if status, body, err := s.fetch("loop", "/"); err != nil || status != http.StatusServiceUnavailable {
				t.Errorf("the endless loop: %d %s %v", status, body, err)
			}
		})
	}
	all.Wait()
	if t.Failed() {
		t.FailNow()
	}
	s.call("PurgeCaches", map[string]any{"Type": "purgeall", "Content": map[string]any{"PurgeAll": true}})
}

// one sends the request that stands at a place among a thousand.
func (s *soak) one(place int) error {
	for _, kind := range soakMix {
		if place -= kind.share; place >= 0 {
			continue
		}
		path := kind.path
		if kind.fresh {
			path += strconv.FormatInt(s.sent.Load(), 10)
		}
		status, body, err := s.fetch(kind.host, path)
		if err == nil && (status != http.StatusOK || !strings.Contains(body, kind.want)) {
			err = fmt.Errorf("%s%s answered %d: %.200s", kind.host, path, status, body)
		}
		return err
	}
	return fmt.Errorf("the shares do not add up to a thousand")
}

func (s *soak) fetch(host, path string) (int, string, error) {
	r, err := http.NewRequest(http.MethodGet, s.edge.address+path, nil)
	if err != nil {
		return 0, "", err
	}
	r.Host = host + ".shop.example"
	s.sent.Add(1)
	res, err := s.transport.RoundTrip(r)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close() // only read
	body, err := io.ReadAll(res.Body)
	return res.StatusCode, string(body), err
}

// counted is how many requests the analytics know.
func (s *soak) counted(t *testing.T) (n int64) {
	t.Helper()
	now := time.Now().UTC()
	stamp := func(t time.Time) string { return t.Format("2006-01-02T15:04:05Z") }
	answer := s.call("DescribeSiteTopData", map[string]any{"StartTime": stamp(now.Add(-24 * time.Hour)), "EndTime": stamp(now.Add(2 * time.Second)), "Fields": []map[string]any{{"FieldName": "Requests", "Dimension": []string{"ALL"}}}})
	values := answer["Data"].([]any)[0].(map[string]any)["DetailData"].([]any)
	require.Len(t, values, 1)
	return id64(t, values[0].(map[string]any), "Value")
}
