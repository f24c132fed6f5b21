package local

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local/purge"
)

// preloaded preloads, waits for all tasks of preloads, and returns them by their
// address: "Complete", or what a failed one says.
func (b *shop) preloaded(call map[string]any) map[string]string {
	b.t.Helper()
	b.call("PreloadCaches", call)
	return b.preloads(1)
}

// preloads waits until there are so many tasks of preloads or more and all have
// ended, and returns them by their address.
func (b *shop) preloads(least int) map[string]string {
	b.t.Helper()
	got := map[string]string{}
	require.Eventually(b.t, func() bool {
		clear(got)
		tasks := b.call("DescribePreloadTasks", nil)["Tasks"].([]any)
		for _, entry := range tasks {
			task := entry.(map[string]any)
			says := task["Status"].(string)
			if says == "Refreshing" {
				return false
			}
			if says == "Failed" {
				says = task["Description"].(string)
			}
			got[task["Content"].(string)] = says
		}
		return len(tasks) >= least
	}, time.Minute, 5*time.Millisecond)
	return got
}

func TestEdgePreloadsFromTheOrigin(t *testing.T) {
	b := newShop(t, Options{Purge: purge.Config{Duration: time.Millisecond}})
	to := &counter{headers: func(h http.Header, r *http.Request) int {
		h.Set("Cache-Control", "max-age=600")
		h.Set("X-Encoding", r.Header.Get("Accept-Encoding"))
		return max(200, map[string]int{"/gone.css": 404, "/broken.css": 503}[r.URL.Path])
	}}
	b.record("www.shop.example", b.origin(to.ServeHTTP))
	b.record("closed.shop.example", &httptest.Server{URL: "http://" + nobody})
	b.call("CreateRecord", map[string]any{"RecordName": "plain.shop.example", "Type": "A/AAAA", "Ttl": 1, "Data": map[string]any{"Value": "192.0.2.1"}})
	redirect := b.rule("RedirectRule", `http.host eq "www.shop.example"`, map[string]any{"Type": "static", "TargetUrl": "https://elsewhere.example/", "StatusCode": "302", "ReserveQueryString": "off"})

	got := b.preloaded(map[string]any{"Content": []string{"http://www.shop.example/a.css", "http://www.shop.example/gone.css",
		"http://www.shop.example/broken.css", "http://closed.shop.example/a.css", "http://plain.shop.example/a.css"}})
	require.Equal(t, map[string]string{
		"http://www.shop.example/a.css": "Complete", "http://www.shop.example/gone.css": "Origin Return StatusCode 4XX",
		"http://www.shop.example/broken.css": "Origin Return StatusCode 5XX", "http://closed.shop.example/a.css": "Internal Error",
		"http://plain.shop.example/a.css": "Internal Error",
	}, got)
	require.Equal(t, int64(3), to.n.Load(), "each is fetched once, past the redirect")
	b.call("DeleteRedirectRule", map[string]any{"ConfigId": redirect})
	require.Equal(t, "HIT", b.get("http://www.shop.example/a.css", "Accept-Encoding", "gzip").cache())
	require.Equal(t, "MISS", b.get("http://www.shop.example/a.css").cache(), "without gzip it is another answer")

	b.preloaded(map[string]any{"Content": []string{"http://www.shop.example/b.css"}, "Headers": map[string]string{"Accept-Encoding": "identity"}})
	require.Equal(t, "HIT", b.get("http://www.shop.example/b.css").cache())
	require.Equal(t, int64(5), to.n.Load())
	b.preloaded(map[string]any{"Content": []string{"http://www.shop.example/b.css"}, "Headers": map[string]string{"Accept-Encoding": "identity"}})
	require.Equal(t, int64(5), to.n.Load(), "what is fresh is not fetched")
}

func TestEdgePurgesWhatRoutinesKeep(t *testing.T) {
	b := newShop(t, Options{})
	b.record("www.shop.example", nil)
	b.code("keeps", `export default { async fetch(request) {
		const url = new URL(request.url), key = "http://www.shop.example" + url.pathname;
		const kept = await cache.get(key);
		if (kept) return new Response("kept " + await kept.text());
		await cache.put(key, new Response("x", { headers: { "cache-control": "max-age=600", "cache-tag": "t" + url.pathname.length } }));
		return new Response("new");
	} }`)
	b.route("keeps", "true", nil)
	pages := []string{"/a", "/dir/bb"}
	for name, tt := range map[string]struct {
		kind    string
		content map[string]any
		compute bool
		gone    string
	}{
		"file":          {"file", map[string]any{"Files": []string{"http://www.shop.example/a"}}, true, "y."},
		"not for it":    {"file", map[string]any{"Files": []string{"http://www.shop.example/a"}}, false, ".."},
		"directory":     {"directory", map[string]any{"Directories": []string{"http://www.shop.example/dir/"}}, true, ".y"},
		"tag":           {"cachetag", map[string]any{"CacheTags": []string{"t2"}}, true, "y."},
		"host":          {"hostname", map[string]any{"Hostnames": []string{"www.shop.example"}}, true, "yy"},
		"other host":    {"hostname", map[string]any{"Hostnames": []string{"img.shop.example"}}, true, ".."},
		"all":           {"purgeall", map[string]any{"PurgeAll": true}, true, "yy"},
		"all, not here": {"purgeall", map[string]any{"PurgeAll": true}, false, ".."},
	} {
		t.Run(name, func(t *testing.T) {
			for _, page := range pages {
				b.get("http://www.shop.example" + page)
				require.Equal(t, "kept x", b.get("http://www.shop.example"+page).body)
			}
			b.call("PurgeCaches", map[string]any{"Type": tt.kind, "Content": tt.content, "EdgeComputePurge": tt.compute})
			for i, page := range pages {
				want := map[byte]string{'y': "new", '.': "kept x"}[tt.gone[i]]
				require.Equal(t, want, b.get("http://www.shop.example"+page).body, fmt.Sprint(name, page))
			}
		})
	}
}

func TestEdgePreloadsOnSchedule(t *testing.T) {
	b := newShop(t, Options{Purge: purge.Config{Duration: time.Millisecond}})
	to := &counter{headers: cacheFor(600)}
	b.record("www.shop.example", b.origin(to.ServeHTTP))
	job := b.call("CreateScheduledPreloadJob", map[string]any{"Name": "j", "InsertWay": "textBox",
		"UrlList": "http://www.shop.example/a.css http://www.shop.example/b.css http://www.shop.example/c.css"})["Id"]
	runs := func() []any {
		return must(t, b.info, "ListScheduledPreloadExecutions", map[string]any{"Id": job})["Executions"].([]any)
	}
	start := func(at time.Time) any {
		t.Helper()
		out := must(t, b.info, "CreateScheduledPreloadExecutions", map[string]any{"Id": job, "Executions": []any{map[string]any{
			"SliceLen": 2, "Interval": 1, "StartTime": at.UTC().Format("2006-01-02T15:04:05Z"), "EndTime": at.Add(time.Hour).UTC().Format("2006-01-02T15:04:05Z")}}})
		require.EqualValues(t, "1", fmt.Sprint(out["SuccessCount"]), out)
		return out["SuccessExecutions"].([]any)[0].(map[string]any)["Id"]
	}
	later := start(time.Now().Add(time.Hour))
	require.Eventually(t, func() bool { return fmt.Sprint(runs()[0].(map[string]any)["Status"]) == "waiting" }, time.Minute, 10*time.Millisecond)
	must(t, b.info, "DeleteScheduledPreloadExecution", map[string]any{"Id": later})

	start(time.Now().Add(-time.Second))
	require.Eventually(t, func() bool { return fmt.Sprint(runs()[0].(map[string]any)["Status"]) == "finished" }, time.Minute, 20*time.Millisecond)
	b.preloads(3) // the origin hears of a fetch before the cache has its answer
	require.Equal(t, int64(3), to.n.Load())
	for _, name := range []string{"a", "b", "c"} {
		require.Equal(t, "HIT", b.get("http://www.shop.example/"+name+".css", "Accept-Encoding", "gzip").cache())
	}
	told := must(t, b.info, "GetScheduledPreloadJob", map[string]any{"Id": job})
	require.Equal(t, "3 2", fmt.Sprint(told["UrlSubmitted"], " ", told["TaskSubmitted"]))
	require.Len(t, b.call("DescribePreloadTasks", nil)["Tasks"], 3)
	must(t, b.info, "ResetScheduledPreloadJob", map[string]any{"Id": job})
	require.Eventually(t, func() bool { return len(b.call("DescribePreloadTasks", nil)["Tasks"].([]any)) == 6 }, time.Minute, 20*time.Millisecond)
}
