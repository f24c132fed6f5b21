package purge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/apitest"
	"github.com/esa-mcp/esa-mcp/internal/local/quota"
	"github.com/esa-mcp/esa-mcp/internal/local/site"
)

// bench is the service on a fresh state with the site example.com, which has a
// proxied record www and a plain one.
type bench struct {
	*apitest.Bench
	site    string
	service *Service
}

func newBench(t *testing.T, cfg Config) *bench {
	t.Helper()
	b := &bench{Bench: apitest.New(t)}
	b.Floats = true
	cfg.Now = b.Clock
	sites, err := site.New(t.Context(), b.Store, site.Config{Now: cfg.Now})
	require.NoError(t, err)
	b.service = New(b.Store, cfg)
	t.Cleanup(b.service.Close)
	b.Table = b.service.Table()
	b.Table.Add(sites.Table())
	instance := b.Must("ListUserRatePlanInstances", api.Params{})["InstanceInfo"].([]any)[0].(map[string]any)["InstanceId"]
	b.site = fmt.Sprintf("%.0f", b.Must("CreateSite", api.Params{"SiteName": "example.com", "AccessType": "NS",
		"Coverage": "overseas", "InstanceId": instance})["SiteId"])
	for name, proxied := range map[string]bool{"www": true, "*.any": true, "plain": false} {
		record := api.Params{"SiteId": b.site, "RecordName": name + ".example.com", "Type": "A/AAAA", "Ttl": "1", "Data": `{"Value":"8.8.8.8"}`}
		if proxied {
			record["Proxied"], record["BizName"] = "true", "web"
		}
		b.Must("CreateRecord", record)
	}
	return b
}

// purges lists the purges of all types that are listed apart.
func (b *bench) purges(more ...string) []map[string]any {
	b.T.Helper()
	var out []map[string]any
	for _, kind := range []string{typeFile, typeCacheTag, typeDirectory, typeIgnoreParams, typeHostname, typeAll} {
		out = append(out, b.tasks("DescribePurgeTasks", append(more, "Type", kind)...)...)
	}
	return out
}

func (b *bench) purge(kind, content string) (map[string]any, string) {
	b.T.Helper()
	return b.Call("PurgeCaches", api.Params{"SiteId": b.site, "Type": kind, "Content": content})
}

// tasks lists the tasks of an operation, newest first.
func (b *bench) tasks(action string, more ...string) []map[string]any {
	b.T.Helper()
	params := api.Params{"SiteId": b.site}
	for i := 0; i < len(more); i += 2 {
		params[more[i]] = more[i+1]
	}
	var out []map[string]any
	for _, t := range b.Must(action, params)["Tasks"].([]any) {
		out = append(out, t.(map[string]any))
	}
	return out
}

func TestPurgeContent(t *testing.T) {
	for name, c := range map[string]struct{ kind, content, code string }{
		"files":                {"file", `{"Files":["http://www.example.com/a.jpg?b=1","https://example.com/"]}`, ""},
		"files as objects":     {"file", `{"Files":[{"Url":"http://www.example.com/a.jpg"}]}`, ""},
		"cache keys":           {"cachekey", `{"CacheKeys":[{"Url":"http://www.example.com/a","Headers":{"UserGeo":"CN"}}]}`, ""},
		"tags":                 {"cachetag", `{"CacheTags":["one","two"]}`, ""},
		"directory":            {"directory", `{"Directories":["https://www.example.com/img/"]}`, ""},
		"ignoring parameters":  {"ignoreParams", `{"IgnoreParams":["https://www.example.com/a.jpg"]}`, ""},
		"host":                 {"hostname", `{"Hostnames":["WWW.example.com"]}`, ""},
		"all":                  {"purgeall", `{"PurgeAll":true}`, ""},
		"all without saying":   {"purgeall", `{"PurgeAll":false}`, "InvalidParameter.Content"},
		"nothing":              {"file", ``, "InvalidParameter.Content"},
		"the wrong list":       {"file", `{"Directories":["https://www.example.com/img/"]}`, "InvalidParameter.Content"},
		"directory unfinished": {"directory", `{"Directories":["https://www.example.com/img"]}`, "InvalidParameter.Content"},
		"other site":           {"file", `{"Files":["http://www.example.org/a"]}`, "InvalidParameter.Content"},
		"site as a prefix":     {"hostname", `{"Hostnames":["badexample.com"]}`, "InvalidParameter.Content"},
		"one of two is wrong":  {"file", `{"Files":["http://www.example.com/a","/b"]}`, "InvalidParameter.Content"},
		"empty tag":            {"cachetag", `{"CacheTags":[""]}`, "InvalidParameter.Content"},
		"no scheme":            {"file", `{"Files":["www.example.com/a"]}`, "InvalidParameter.Content"},
		"no JSON":              {"file", `http://www.example.com/a`, "InvalidContent"},
		"unknown type":         {"url", `{"Files":["http://www.example.com/a"]}`, "InvalidType"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, Config{})
			out, code := b.purge(c.kind, c.content)
			require.Equal(t, c.code, code)
			if code == "" {
				require.Regexp(t, `^\d{15,}$`, out["TaskId"])
				require.NotEmpty(t, b.purges())
			} else {
				require.Empty(t, b.purges(), "nothing is begun")
			}
		})
	}
	b := newBench(t, Config{})
	_, code := b.Call("PurgeCaches", api.Params{"SiteId": "1", "Type": "purgeall", "Content": `{"PurgeAll":true}`})
	require.Equal(t, "SiteNotFound", code)
}

func TestTasksRunAndAreListed(t *testing.T) {
	b := newBench(t, Config{Duration: 10 * time.Second})
	first, _ := b.purge("file", `{"Files":["http://www.example.com/1","http://www.example.com/2"]}`)
	b.Now = b.Now.Add(4 * time.Second)
	b.purge("directory", `{"Directories":["http://www.example.com/d/"]}`)

	require.Len(t, b.tasks("DescribePurgeTasks"), 2, "files, if nothing is said")
	tasks := append(b.tasks("DescribePurgeTasks", "Type", "directory"), b.tasks("DescribePurgeTasks")...)
	require.Len(t, tasks, 3)
	require.Equal(t, map[string]any{"Content": "http://www.example.com/d/", "CreateTime": "2026-03-01T12:00:04Z", "Description": "",
		"Process": "0%", "Status": "Refreshing", "TaskId": tasks[0]["TaskId"], "Type": "directory"}, tasks[0])
	require.Equal(t, first["TaskId"], tasks[1]["TaskId"])
	require.Equal(t, first["TaskId"], tasks[2]["TaskId"], "one call, one task id")
	require.Equal(t, "40%", tasks[1]["Process"])

	b.Now = b.Now.Add(6 * time.Second)
	require.Len(t, b.purges("Status", "Complete"), 2)
	require.Len(t, b.purges("Status", "Refreshing"), 1)
	require.Len(t, b.tasks("DescribePurgeTasks", "Type", "file"), 2)
	require.Len(t, b.tasks("DescribePurgeTasks", "Content", "http://www.example.com/1"), 1)
	require.Len(t, b.purges("StartTime", "2026-03-01T12:00:04Z", "EndTime", "2026-03-01T12:00:04Z"), 1)
	second := b.Must("DescribePurgeTasks", api.Params{"SiteId": b.site, "PageSize": "1", "PageNumber": "2"})
	require.EqualValues(t, 2, second["TotalCount"])
	require.Len(t, second["Tasks"], 1)
	require.Empty(t, b.tasks("DescribePreloadTasks"))

	for name, c := range map[string]struct {
		params api.Params
		code   string
	}{
		"only a start":   {api.Params{"StartTime": "2026-03-01T12:00:04Z"}, "MissingTimeParameter"},
		"back to front":  {api.Params{"StartTime": "2026-03-01T12:00:04Z", "EndTime": "2026-03-01T12:00:03Z"}, "InvalidEndTime.Mismatch"},
		"no time":        {api.Params{"StartTime": "today", "EndTime": "2026-03-01T12:00:03Z"}, "InvalidStartTime.Malformed"},
		"unknown state":  {api.Params{"Status": "Done"}, "InvalidStatus"},
		"unknown type":   {api.Params{"Type": "url"}, "InvalidType"},
		"a large page":   {api.Params{"PageSize": "51"}, "InvalidPageSize"},
		"unknown site":   {api.Params{"SiteId": "1"}, "SiteNotFound"},
		"too far a page": {api.Params{"PageNumber": "100001"}, "InvalidPageNumber"},
	} {
		t.Run(name, func(t *testing.T) {
			_, code := b.Call("DescribePurgeTasks", c.params)
			require.Equal(t, c.code, code)
		})
	}
	b.Now = b.Now.Add(31 * 24 * time.Hour)
	require.Empty(t, b.purges(), "tasks are kept for 30 days")
}

func TestQuota(t *testing.T) {
	b := newBench(t, Config{Quotas: quota.Set{}.With(quota.PurgeFiles, 3)})
	quota := func(kind string) []any {
		out := b.Must("GetPurgeQuota", api.Params{"SiteId": b.site, "Type": kind})
		return []any{out["Quota"], out["Usage"], out["Quota30Day"], out["Usage30Day"]}
	}
	b.purge("file", `{"Files":["http://www.example.com/1"]}`)
	b.purge("cachekey", `{"CacheKeys":[{"Url":"http://www.example.com/1"}]}`)
	b.purge("directory", `{"Directories":["http://www.example.com/d/"]}`)
	require.Equal(t, []any{"3", "2", "0", "0"}, quota("file"), "a cache key counts as a file")
	require.Equal(t, []any{"500", "1", "0", "0"}, quota("directory"))
	_, code := b.purge("file", `{"Files":["http://www.example.com/1","http://www.example.com/2"]}`)
	require.Equal(t, "QuotaExceeded.Refresh", code)
	require.Equal(t, "2", quota("file")[1], "a refused call counts nothing")
	_, code = b.purge("file", `{"Files":["http://www.example.com/1"]}`)
	require.Empty(t, code)
	b.Now = b.Now.Add(12 * time.Hour)
	require.Equal(t, "0", quota("file")[1], "the next day")
	_, code = b.Call("GetPurgeQuota", api.Params{"SiteId": b.site, "Type": "preload"})
	require.Equal(t, "InvalidType", code)
}

func TestPreload(t *testing.T) {
	b := newBench(t, Config{Quotas: quota.Set{}.With(quota.Preloads, 4)})
	out := b.Must("PreloadCaches", api.Params{"SiteId": b.site, "Headers": `{"Accept-Encoding":"br"}`,
		"Content": `["http://www.example.com/1","https://x.any.example.com/","http://plain.example.com/"]`})
	require.Regexp(t, `^\d{15,}$`, out["TaskId"])
	require.Len(t, b.tasks("DescribePreloadTasks", "Status", "Refreshing"), 3)
	b.Now = b.Now.Add(time.Minute)
	done := b.tasks("DescribePreloadTasks", "Status", "Complete")
	require.Len(t, done, 3, "nothing is fetched")
	require.NotContains(t, done[2], "Type")
	for content, code := range map[string]string{
		`[]`:                          "InvalidParameter.Content",
		`["http://www.example.org/"]`: "InvalidParameter.Content",
		`["http://www.example.com/1","http://www.example.com/2"]`: "QuotaExceeded.Preload",
		`["http://www.example.com/1"]`:                            "",
	} {
		_, got := b.Call("PreloadCaches", api.Params{"SiteId": b.site, "Content": content})
		require.Equal(t, code, got, content)
	}
}

func TestPreloadTellsWhatCameOfTheFetch(t *testing.T) {
	results := map[string]struct {
		got    Fetched
		err    error
		status string
		says   string
	}{
		"http://www.example.com/good":    {Fetched{Status: 200}, nil, "Complete", ""},
		"http://www.example.com/gone":    {Fetched{Status: 404}, nil, "Failed", "Origin Return StatusCode 4XX"},
		"http://www.example.com/broken":  {Fetched{Status: 503}, nil, "Failed", "Origin Return StatusCode 5XX"},
		"http://www.example.com/slow":    {Fetched{Status: 504, TimedOut: true}, nil, "Failed", "Origin Timeout"},
		"http://www.example.com/down":    {Fetched{Status: 502, NoOrigin: true}, nil, "Failed", "Internal Error"},
		"http://plain.example.com/plain": {Fetched{}, errors.New("not at the edge"), "Failed", "Internal Error"},
	}
	var headers sync.Map
	b := newBench(t, Config{Duration: time.Second, Fetch: func(_ context.Context, address string, h map[string]string) (Fetched, error) {
		headers.Store(address, h)
		if strings.HasSuffix(address, "/hangs") {
			return Fetched{}, errors.New("never noted: the service is closed")
		}
		return results[address].got, results[address].err
	}})
	content, err := json.Marshal(slices.Collect(maps.Keys(results)))
	require.NoError(t, err)
	b.Must("PreloadCaches", api.Params{"SiteId": b.site, "Content": string(content)})
	b.service.fetching.Wait()
	require.Len(t, b.tasks("DescribePreloadTasks", "Status", "Refreshing"), len(results), "for a while all the same")
	b.Now = b.Now.Add(time.Second)
	for address, want := range results {
		listed := b.tasks("DescribePreloadTasks", "Content", address)
		require.Len(t, listed, 1)
		require.Equal(t, want.status, listed[0]["Status"], address)
		require.Equal(t, want.says, listed[0]["Description"], address)
		sent, _ := headers.Load(address)
		require.Equal(t, map[string]string{"Accept-Encoding": "gzip"}, sent)
	}

	b.service.Close()
	b.Must("PreloadCaches", api.Params{"SiteId": b.site, "Content": `["http://www.example.com/hangs"]`, "Headers": `{"X-A":"b"}`})
	b.service.fetching.Wait()
	b.Now = b.Now.Add(fetchLimit - time.Second)
	require.Len(t, b.tasks("DescribePreloadTasks", "Status", "Refreshing"), 1)
	b.Now = b.Now.Add(time.Second)
	require.Equal(t, "Internal Error", b.tasks("DescribePreloadTasks", "Content", "http://www.example.com/hangs")[0]["Description"])
}

func TestTasksGoWithTheirSite(t *testing.T) {
	b := newBench(t, Config{})
	b.purge("purgeall", `{"PurgeAll":true}`)
	b.Must("DeleteSite", api.Params{"SiteId": b.site})
	require.Empty(t, b.Must("DescribePurgeTasks", api.Params{"Type": typeAll})["Tasks"])
}
