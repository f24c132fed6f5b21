package local

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local/account"
	"github.com/esa-mcp/esa-mcp/internal/local/quota"
)

// tooMuch has of each kind of quota the calls, as testdata/calls.txt has them,
// whose last is refused where there may be none of the kind.
func tooMuch() map[string]string {
	const (
		record   = `CreateRecord {"SiteId":"$site","RecordName":"www.full.example","Type":"A/AAAA","Ttl":1,"Proxied":true,"BizName":"web","Data":{"Value":"203.0.113.1"}} > record=RecordId`
		rule     = `"SiteId":"$site","RuleName":"r","RuleEnable":"on","Rule":"(http.host eq \"www.full.example\")"`
		room     = `CreateWaitingRoom {"SiteId":"$site","Name":"room","CookieName":"c","Enable":"on","HostNameAndPath":[{"Subdomain":"www.","Domain":"full.example","Path":"/"}],"NewUsersPerMinute":"200","TotalActiveUsers":"200","SessionDuration":"5","QueuingMethod":"fifo","QueuingStatusCode":"200","WaitingRoomType":"default"} > room=WaitingRoomId`
		routine  = `CreateRoutine {"Name":"hello","HasAssets":true}`
		pool     = `CreateOriginPool {"SiteId":"$site","Name":"pool","Origins":[{"Name":"a","Address":"192.0.2.1"}]} > pool=Id`
		app      = `CreateEdgeContainerApp {"Name":"my-app","ServicePort":80,"TargetPort":8080} > app=AppId`
		delivery = `"BusinessType":"dcdn_log_er","DeliveryType":"http","FieldName":"a","HttpDelivery":{"DestUrl":"http://logs.example.net/"}`
		purge    = `PurgeCaches {"SiteId":"$site","Type":"%s","Content":{%s}}`
	)
	lines := func(all ...string) string { return strings.Join(all, "\n") }
	return map[string]string{
		quota.Sites:              `CreateSite {"SiteName":"more.example","AccessType":"NS","Coverage":"overseas","InstanceId":"$plan"}`,
		quota.Records:            record,
		quota.WildcardRecords:    `CreateRecord {"SiteId":"$site","RecordName":"*.full.example","Type":"TXT","Ttl":1,"Data":{"Value":"x"}}`,
		quota.SameNameRecords:    `CreateRecord {"SiteId":"$site","RecordName":"a.full.example","Type":"TXT","Ttl":1,"Data":{"Value":"x"}}`,
		quota.CacheRules:         `CreateCacheRule {` + rule + `,"BypassCache":"bypass_all"}`,
		quota.OriginRules:        `CreateOriginRule {` + rule + `,"OriginHost":"a.example.net"}`,
		quota.RedirectRules:      `CreateRedirectRule {` + rule + `,"Type":"static","StatusCode":"301","TargetUrl":"https://www.full.example/","ReserveQueryString":"off"}`,
		quota.CompressionRules:   `CreateCompressionRule {` + rule + `,"Gzip":"on"}`,
		quota.HTTPSRules:         `CreateHttpsApplicationConfiguration {` + rule + `,"HttpsForce":"on"}`,
		quota.TransformRules:     `CreateRewriteUrlRule {` + rule + `,"RewriteUriType":"static","Uri":"/new"}`,
		quota.ConfigurationRules: `CreateImageTransform {` + rule + `,"Enable":"on"}`,
		quota.RoutineRoutes:      lines(routine, `CreateRoutineRoute {"SiteId":"$site","RoutineName":"hello","RouteName":"all","RouteEnable":"on","Rule":"true"}`),
		quota.WAFRules:           `CreateWafRule {"SiteId":"$site","Phase":"http_custom","Config":{"Name":"bad","Expression":"(ip.src eq 192.0.2.1)","Action":"deny"}}`,
		quota.WAFRulesets:        `CreateWafRuleset {"SiteId":"$site","Phase":"http_custom","Name":"ours"}`,
		quota.WaitingRooms:       room,
		quota.WaitingRoomRules:   lines(room, `CreateWaitingRoomRule {"SiteId":"$site","WaitingRoomId":"$room","RuleName":"r","RuleEnable":"on","Rule":"(ssl)"}`),
		quota.WaitingRoomEvents:  lines(room, `CreateWaitingRoomEvent {"SiteId":"$site","WaitingRoomId":"$room","Name":"sale","Enable":"on","StartTime":"100","EndTime":"200","NewUsersPerMinute":"200","TotalActiveUsers":"200","SessionDuration":"5","QueuingMethod":"fifo","QueuingStatusCode":"200","WaitingRoomType":"default"}`),
		quota.OriginPools:        pool,
		quota.LoadBalancers:      lines(pool, `CreateLoadBalancer {"SiteId":"$site","Name":"lb.full.example","DefaultPools":["$pool"],"FallbackPool":"$pool","Monitor":{"Type":"off"},"SteeringPolicy":"order"}`),
		quota.CustomHostnames:    lines(record, `CreateCustomHostname {"SiteId":"$site","Hostname":"shop.customer.test","RecordId":"$record","SslFlag":"off"}`),
		quota.Layer4Applications: `CreateTransportLayerApplication {"SiteId":"$site","RecordName":"l4.full.example","Rules":[{"EdgePort":"80","Protocol":"TCP","Source":"192.0.2.1","SourcePort":"80","SourceType":"ip","ClientIPPassThroughMode":"off"}]}`,
		quota.DeliveryTasks:      `CreateSiteDeliveryTask {"SiteId":"$site","TaskName":"push",` + delivery + `}`,
		quota.PreloadJobs:        `CreateScheduledPreloadJob {"SiteId":"$site","Name":"nightly","InsertWay":"textBox","UrlList":"http://www.full.example/a"}`,
		quota.FreeCertificates:   `ApplyCertificate {"SiteId":"$site","Domains":"www.full.example","Type":"lets_encrypt"}`,
		quota.OwnCertificates:    `SetCertificate {"SiteId":"$site","Type":"upload","Name":"ours","Certificate":"$cert","PrivateKey":"$key"}`,
		quota.PurgeFiles:         fmt.Sprintf(purge, "file", `"Files":["http://www.full.example/a"]`),
		quota.PurgeDirectories:   fmt.Sprintf(purge, "directory", `"Directories":["http://www.full.example/a/"]`),
		quota.PurgeTags:          fmt.Sprintf(purge, "cachetag", `"CacheTags":["a"]`),
		quota.PurgeIgnoreParams:  fmt.Sprintf(purge, "ignoreParams", `"IgnoreParams":["http://www.full.example/a"]`),
		quota.PurgeHostnames:     fmt.Sprintf(purge, "hostname", `"Hostnames":["www.full.example"]`),
		quota.PurgeAll:           fmt.Sprintf(purge, "purgeall", `"PurgeAll":true`),
		quota.Preloads:           `PreloadCaches {"SiteId":"$site","Content":["http://www.full.example/a"]}`,
		quota.HistoryMinutes:     `DescribeSiteTopData {"SiteId":"$site","StartTime":"$yesterday","Fields":[{"FieldName":"Requests","Dimension":["ALL"]}]}`,
		quota.Lists:              `CreateList {"Name":"office","Kind":"ip","Items":["192.0.2.0/24"]}`,
		quota.ListItems:          `CreateList {"Name":"office","Kind":"ip","Items":["192.0.2.0/24"]}`,
		quota.Pages:              `CreatePage {"Name":"sorry","ContentType":"text/html","Content":"PGgxPnNvcnJ5PC9oMT4="}`,
		quota.ScenePolicies:      `CreateCustomScenePolicy {"Name":"sale","Template":"promotion","SiteIds":"$site","StartTime":"2026-01-01T00:00:00Z","EndTime":"2026-01-02T00:00:00Z"}`,
		quota.UserWAFRulesets:    `CreateUserWafRuleset {"InstanceId":"$plan","Name":"everywhere","Phase":"http_custom","Status":"on","Expression":"ip.src eq 192.0.2.1"}`,
		quota.Namespaces:         `CreateKvNamespace {"Namespace":"ns"}`,
		quota.Routines:           routine,
		quota.RoutineVersions:    lines(routine, `CreateRoutineWithAssetsCodeVersion {"Name":"hello"}`),
		quota.RoutineRouteSites:  lines(routine, `CreateRoutineRoute {"SiteId":"$site","RoutineName":"hello","RouteName":"all","RouteEnable":"on","Rule":"true"}`),
		quota.ContainerApps:      app,
		quota.ContainerVersions:  lines(app, `CreateEdgeContainerAppVersion {"AppId":"$app","Name":"version-1","Containers":[{"Name":"c","Image":"nginx","Spec":"1C2G","IsACRImage":false,"ProbeType":"tcpSocket","ProbeContent":{"Port":80},"Storage":"0.5G"}]}`),
		quota.UserDeliveryTasks:  `CreateUserDeliveryTask {"TaskName":"push",` + delivery + `}`,
		quota.Others:             `CreateUrlObservation {"SiteId":"$site","Url":"https://www.full.example/","SdkType":"manual"}`,
	}
}

// TestEveryQuotaRefuses sets each quota to none, and runs into it: a call that is
// good otherwise has the code of the table.
func TestEveryQuotaRefuses(t *testing.T) {
	const site = `CreateSite {"SiteName":"full.example","AccessType":"NS","Coverage":"overseas","InstanceId":"$plan"} > site=SiteId`
	for _, k := range quota.Kinds() {
		t.Run(k.Name, func(t *testing.T) {
			calls, ok := tooMuch()[k.Name]
			require.True(t, ok, "say which call the quota refuses")
			set := quota.Set{}.With(k.Name, 0)
			if k.Name == quota.Sites {
				set = quota.Set{}.With(k.Name, 1)
			}
			s := newScript(t, start(t, Options{Quotas: set}).Info())
			s.vars["yesterday"] = time.Now().UTC().Add(-20 * time.Hour).Format("2006-01-02T15:04:05Z")
			all := strings.Split(`ListUserRatePlanInstances {} > plan=InstanceInfo.0.InstanceId`+"\n"+site+"\n"+`VerifySite {"SiteId":"$site"}`+"\n"+calls, "\n")
			for i, line := range all[:len(all)-1] {
				action, rest, _ := strings.Cut(line, " ")
				s.call(i, action, rest)
			}
			action, rest, _ := strings.Cut(all[len(all)-1], " ")
			params, _, _ := strings.Cut(rest, " > ")
			var sent map[string]any
			require.NoError(t, json.Unmarshal([]byte(params), &sent))
			_, err := call(t, s.info, action, s.fill(sent).(map[string]any))
			require.Equal(t, strings.ReplaceAll(k.Code, "KIND", "UrlObservation"), code(err), "%v", err)
		})
	}
}

// TestQuotasAreReported asks the operations that report quotas, on the site of a
// basic plan.
func TestQuotasAreReported(t *testing.T) {
	set, err := quota.Parse(quota.Set{}, "plan=basic cache_rules=3 free_certificates=4 purge_files=5 waf_rules=2 delivery_tasks=7; scene_policies=8 lists=6 pages=9 kv_namespaces=2 routines=11 routine_versions=12")
	require.NoError(t, err)
	info := start(t, Options{Quotas: set, Seed: &account.Account{Format: account.Format, OwnPlan: &account.Plan{Plan: "basicplan", Sites: 3},
		Sites: []account.Site{{Name: "a.example", Access: "NS", Coverage: "overseas"}}}}).Info()
	site := must(t, info, "ListSites", nil)["Sites"].([]any)[0].(map[string]any)["SiteId"]
	at := func(more ...string) map[string]any {
		p := map[string]any{"SiteId": site}
		for i := 0; i < len(more); i += 2 {
			p[more[i]] = more[i+1]
		}
		return p
	}
	for _, c := range []struct {
		action string
		params map[string]any
		want   []string
	}{
		{"ListInstanceQuotas", at("QuotaNames", "siteCount,cache_rules|rule_quota,free_cert,refresh_file,waf:phase:http_custom:rules_per_instance:less_than_or_equal"),
			[]string{`"QuotaValue":"3","QuotaValueType":"num"`, `"QuotaName":"cache_rules|rule_quota","QuotaValue":"3"`, `"QuotaName":"free_cert","QuotaValue":"4"`,
				`"QuotaName":"refresh_file","QuotaValue":"5"`, `less_than_or_equal","QuotaValue":"2"`}},
		{"ListInstanceQuotasWithUsage", at("QuotaNames", "siteCount,cache_rules|rule_quota,transition_rule,waiting_room"),
			[]string{`"QuotaName":"siteCount","QuotaValue":"3"`, `"Usage":"1"`, `"QuotaName":"cache_rules|rule_quota","QuotaValue":"3"`, `"QuotaName":"transition_rule","QuotaValue":"10"`, `"waiting_room","QuotaValue":"1"`}},
		{"GetPurgeQuota", at("Type", "file"), []string{`"Quota":"5"`}},
		{"GetCertificateQuota", at("Type", "free"), []string{`"Quota":4`}},
		{"GetSiteLogDeliveryQuota", at("BusinessType", "dcdn_log_er"), []string{`"FreeQuota":7`}},
		{"DescribeCustomScenePolicies", nil, []string{`"Quota":8`}},
		{"GetWafQuota", nil, []string{`"List":{"Enable":true`, `"NumberTotal":{"LessThanOrEqual":6}`, `"Page":{"Enable":true,"NumberTotal":{"LessThanOrEqual":9}}`, `"ScenePolicy":{"Enable":true,"NumberTotal":{"LessThanOrEqual":8}}`}},
		{"GetKvAccount", nil, []string{`"NamespaceQuota":2`}},
		{"ListUserRoutines", nil, []string{`"QuotaRoutineNumber":11`}},
		{"ListEdgeRoutinePlans", nil, []string{`"ErRoutineQuota":"11"`, `"ErRoutineCodeVersionQuota":"12"`}},
	} {
		text := string(mustJSON(t, must(t, info, c.action, c.params)))
		for _, want := range c.want {
			require.Contains(t, text, want, c.action)
		}
	}
}
