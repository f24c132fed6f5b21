package generic

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/localtest"
	"github.com/esa-mcp/esa-mcp/internal/local/quota"
	"github.com/esa-mcp/esa-mcp/internal/local/site"
	"github.com/esa-mcp/esa-mcp/internal/local/state"
)

// bench is the service on a fresh state with the site example.com, which has a
// proxied record www.
type bench struct {
	t                      *testing.T
	store                  *state.Store
	table                  api.Table
	site, record, instance string
}

func newBench(t *testing.T, cfg Config) *bench {
	t.Helper()
	store, err := state.Open(t.Context(), state.Memory)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	cfg.Now = func() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }
	sites, err := site.New(t.Context(), store, site.Config{Now: cfg.Now, PoolExists: PoolExists})
	require.NoError(t, err)
	b := &bench{t: t, store: store, table: New(store, cfg).Table()}
	b.table.Add(sites.Table())
	b.instance = b.must("ListUserRatePlanInstances", api.Params{})["InstanceInfo"].([]any)[0].(map[string]any)["InstanceId"].(string)
	b.site = api.Text(b.must("CreateSite", api.Params{"SiteName": "example.com", "AccessType": "NS", "Coverage": "overseas", "InstanceId": b.instance})["SiteId"])
	b.record = api.Text(b.must("CreateRecord", api.Params{"SiteId": b.site, "RecordName": "www.example.com", "Type": "A/AAAA", "Ttl": "1",
		"Proxied": "true", "BizName": "web", "Data": `{"Value":"8.8.8.8"}`})["RecordId"])
	return b
}

// call answers the decoded JSON, and the code of an error. It fails the test if
// an answer does not have the shape that the catalogue describes.
func (b *bench) call(action string, params api.Params) (map[string]any, string) {
	b.t.Helper()
	answer, err := b.table[action](b.t.Context(), &api.Request{Action: action, Params: params})
	if err != nil {
		var e *api.Error
		require.True(b.t, errors.As(err, &e), "%s: %v", action, err)
		return nil, e.Code
	}
	raw, err := json.Marshal(answer)
	require.NoError(b.t, err)
	if answer != nil {
		require.NoError(b.t, localtest.Fits(action, raw), "%s", raw)
	}
	out, err := decode(string(raw))
	require.NoError(b.t, err)
	return out, ""
}

func (b *bench) must(action string, params api.Params) map[string]any {
	b.t.Helper()
	out, code := b.call(action, params)
	require.Empty(b.t, code, "%s %v", action, params)
	return out
}

func (b *bench) refuse(code, action string, params api.Params) {
	b.t.Helper()
	_, got := b.call(action, params)
	require.Equal(b.t, code, got, "%s %v", action, params)
}

// with returns the parameters with more, in pairs.
func with(p api.Params, more ...string) api.Params {
	out := api.Params{}
	for name, value := range p {
		out[name] = value
	}
	for i := 0; i < len(more); i += 2 {
		out[more[i]] = more[i+1]
	}
	return out
}

// life is what a test of a kind's life needs to know of it.
type life struct {
	create api.Params // besides the parent's id
	update api.Params // besides the thing's own id
	seen   [2]string  // a member, and its value after the update
}

func (b *bench) lives() map[string]life {
	site := api.Params{"SiteId": b.site}
	room := with(site, "Name", "n", "CookieName", "c", "Enable", "on", "NewUsersPerMinute", "100", "TotalActiveUsers", "200", "SessionDuration", "5",
		"QueuingMethod", "fifo", "QueuingStatusCode", "200", "WaitingRoomType", "default")
	return map[string]life{
		"OriginPool": {with(site, "Name", "n", "Origins", `[{"Name":"o","Address":"192.0.2.1"}]`), with(site, "Enabled", "false"), [2]string{"Enabled", "false"}},
		"WaitingRoom": {with(room, "HostNameAndPath", `[{"Subdomain":"www.","Domain":"example.com","Path":"/"}]`),
			with(site, "QueuingMethod", "random"), [2]string{"QueuingMethod", "random"}},
		"WaitingRoomRule":  {with(site, "Rule", "true", "RuleEnable", "on", "RuleName", "n"), with(site, "Rule", "(ssl)", "RuleEnable", "off", "RuleName", "m"), [2]string{"Rule", "(ssl)"}},
		"WaitingRoomEvent": {with(room, "StartTime", "100", "EndTime", "200"), with(site, "EndTime", "300"), [2]string{"EndTime", "300"}},
		"CustomHostname":   {with(site, "Hostname", "shop.customer.test", "RecordId", b.record, "SslFlag", "off"), api.Params{"SslFlag": "on", "CertType": "free"}, [2]string{"CertStatus", "Applying"}},
		"TransportLayerApplication": {with(site, "RecordName", "l4.example.com", "Rules",
			`[{"EdgePort":"80","Protocol":"TCP","Source":"192.0.2.1","SourcePort":"80","SourceType":"ip","ClientIPPassThroughMode":"off"}]`),
			with(site, "Ipv6", "on"), [2]string{"Ipv6", "on"}},
		"Page": {api.Params{"Name": "n", "ContentType": "text/html", "Content": "PGgxPg=="},
			api.Params{"Name": "m", "ContentType": "text/html", "Content": "PGgxPg==", "Description": "d"}, [2]string{"Description", "d"}},
		"SiteDeliveryTask": {with(site, "TaskName", "n", "BusinessType", "dcdn_log_er", "DeliveryType", "http", "FieldName", "a,b", "HttpDelivery", `{"DestUrl":"http://a.test"}`),
			with(site, "FieldName", "c"), [2]string{"TaskName", "n"}},
		"UserDeliveryTask": {api.Params{"TaskName": "n", "BusinessType": "dcdn_log_er", "DeliveryType": "http", "FieldName": "a,b", "HttpDelivery": `{"DestUrl":"http://a.test"}`},
			api.Params{"FieldName": "c"}, [2]string{"TaskName", "n"}},
		"EdgeContainerApp":            {api.Params{"Name": "my-app", "ServicePort": "80", "TargetPort": "80"}, nil, [2]string{"ServicePort", "80"}},
		"EdgeContainerAppVersion":     {api.Params{"Name": "version-1", "Containers": `[{"Name":"c","Image":"nginx","Spec":"1C2G","IsACRImage":false,"ProbeType":"tcpSocket","ProbeContent":{"Port":80},"Storage":"0.5G"}]`}, nil, [2]string{"Name", "version-1"}},
		"EdgeContainerAppImageSecret": {api.Params{"Registry": "r.test", "Username": "u", "Password": "secret"}, nil, [2]string{"Username", "u"}},
		"EdgeContainerAppRecord":      {api.Params{"RecordName": "app.example.com"}, nil, [2]string{"RecordName", "app.example.com"}},
		"CustomScenePolicy": {api.Params{"Name": "n", "Template": "promotion", "SiteIds": b.site, "StartTime": "2026-01-01T00:00:00Z", "EndTime": "2026-01-02T00:00:00Z"},
			api.Params{"Name": "m", "Template": "promotion", "StartTime": "2026-01-01T00:00:00Z", "EndTime": "2026-01-03T00:00:00Z"}, [2]string{"EndTime", "2026-01-03T00:00:00Z"}},
		"UserWafRuleset": {api.Params{"InstanceId": b.instance, "Name": "n", "Phase": "http_custom", "Status": "on", "Expression": "ip.src == 1.1.1.1",
			"Rules": `[{"Name":"r","Action":"deny","Expression":"ip.src eq 1.1.1.1"}]`}, api.Params{"InstanceId": b.instance, "Status": "off"}, [2]string{"Status", "off"}},
		"ScheduledPreloadJob": {with(site, "Name", "n", "InsertWay", "textBox", "UrlList", "http://www.example.com/a"), nil, [2]string{"UrlCount", "1"}},
		"UrlObservation":      {with(site, "Url", "https://www.example.com/", "SdkType", "manual"), with(site, "SdkType", "automatic"), [2]string{"SdkType", "automatic"}},
		"KeylessServer":       {with(site, "Name", "n", "Host", "keys.test", "Port", "443"), with(site, "Name", "n", "Host", "keys.test", "Port", "444"), [2]string{"Port", "444"}},
		"CacheReserve":        {api.Params{"QuotaGb": "512"}, api.Params{"TargetQuotaGb": "1024"}, [2]string{"CacheReserveCapacity", "1024"}},
	}
}

// TestLives creates, changes, finds and deletes one of each kind.
func TestLives(t *testing.T) {
	for _, k := range kinds() {
		if k.name == "ScheduledPreloadExecution" || k.name == "LoadBalancer" {
			continue // they need others: see their own tests
		}
		t.Run(k.name, func(t *testing.T) {
			b := newBench(t, Config{})
			l, ok := b.lives()[k.name]
			require.True(t, ok, "say how one is made")
			create, place := l.create, api.Params{}
			if k.site {
				place["SiteId"] = b.site
			}
			if k.account != "" {
				place[k.account] = l.create[k.account]
			}
			if k.parent != "" {
				of := kindOf(k.parent)
				parent := api.Text(b.must(of.create, b.lives()[k.parent].create)[of.id])
				create = with(create, k.parentID, parent)
				place[k.parentID] = parent
			}
			creator := k.create + k.put
			made := b.must(creator, create)
			if k.unique != "" {
				b.refuse(k.name+".AlreadyExist", creator, create)
			}
			rows := list(b.must(k.list, place)[k.member])
			require.Len(t, rows, 1)
			id := api.Text(made[k.id])
			if id == "" {
				id = api.Text(object(rows[0])[k.id])
			}
			require.NotEmpty(t, id)
			own := with(place, k.id, id)
			if update := k.update + k.put; update != "" && l.update != nil {
				b.must(update, with(l.update, k.id, id))
			}
			row := object(list(b.must(k.list, place)[k.member])[0])
			if _, tells := row[l.seen[0]]; tells || k.get == "" {
				require.Equal(t, l.seen[1], api.Text(row[l.seen[0]]))
			}
			if k.get != "" {
				got := b.must(k.get, own)
				if k.wrap != "" {
					got = object(got[k.wrap])
				}
				require.Equal(t, l.seen[1], api.Text(got[l.seen[0]]), "%v", got)
			}
			if k.remove == "" {
				return
			}
			b.must(k.remove, own)
			require.Empty(t, b.must(k.list, place)[k.member])
			_, code := b.call(k.remove, own)
			require.Regexp(t, "NotExist|NotFound", code)
			if k.site {
				b.must(creator, create)
				b.must("DeleteSite", api.Params{"SiteId": b.site})
				var left int
				require.NoError(t, b.store.DB().QueryRow(`SELECT COUNT(*) FROM resources`).Scan(&left))
				require.Zero(t, left, "what belongs to a site goes with it")
				_, code = b.call(k.list, place)
				require.Equal(t, "SiteNotFound", code)
			}
		})
	}
}

func TestQuotas(t *testing.T) {
	b := newBench(t, Config{Quotas: quota.Set{}.With(quota.OriginPools, 2)})
	for i := range 2 {
		b.must("CreateOriginPool", api.Params{"SiteId": b.site, "Name": fmt.Sprint("p", i)})
	}
	b.refuse("QuotaExceed.OriginPool", "CreateOriginPool", api.Params{"SiteId": b.site, "Name": "p2"})
	b.must("UpdateOriginPool", api.Params{"SiteId": b.site, "Id": b.must("ListOriginPools", api.Params{"SiteId": b.site})["OriginPools"].([]any)[0].(map[string]any)["Id"], "Enabled": "false"})
}

func TestPaging(t *testing.T) {
	b := newBench(t, Config{})
	for i := range 5 {
		b.must("CreateOriginPool", api.Params{"SiteId": b.site, "Name": fmt.Sprint("pool-", i)})
	}
	out := b.must("ListOriginPools", api.Params{"SiteId": b.site, "PageNumber": "2", "PageSize": "2"})
	require.Equal(t, "5", api.Text(out["TotalCount"]))
	require.Equal(t, "pool-2", object(list(out["OriginPools"])[0])["Name"])
	require.Len(t, list(b.must("ListOriginPools", api.Params{"SiteId": b.site, "PageNumber": "9", "PageSize": "2"})["OriginPools"]), 0)
	regions := b.must("ListLoadBalancerRegions", api.Params{"PageSize": "1024"})
	require.Len(t, regions["Regions"], int(number(regions["TotalCount"])), "the documented example")
	require.Len(t, b.must("ListLoadBalancerRegions", api.Params{"PageSize": "2", "PageNumber": "2"})["Regions"], 2)
	require.Empty(t, b.must("ListLoadBalancerRegions", api.Params{"PageNumber": "1000"})["Regions"])
	b.refuse("InvalidPageSize", "ListOriginPools", api.Params{"SiteId": b.site, "PageSize": "0"})
	require.Len(t, list(b.must("ListOriginPools", api.Params{"SiteId": b.site, "Name": "pool", "MatchType": "fuzzy"})["OriginPools"]), 5)
	require.Len(t, list(b.must("ListOriginPools", api.Params{"SiteId": b.site, "Name": "pool-3"})["OriginPools"]), 1)
	require.Empty(t, list(b.must("ListOriginPools", api.Params{"SiteId": b.site, "Name": "pool"})["OriginPools"]))
}
