package generic

import (
	"context"
	"database/sql"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
)

func TestPoolsAndBalancers(t *testing.T) {
	b := newBench(t, Config{})
	at := api.Params{"SiteId": b.site}
	pool := api.Text(b.must("CreateOriginPool", with(at, "Name", "p", "Origins", `[{"Name":"a","Address":"192.0.2.1"},{"Name":"b","Address":"192.0.2.2","Enabled":false}]`))["Id"])
	balancer := with(at, "Name", "lb.example.com", "DefaultPools", "["+pool+"]", "FallbackPool", pool, "Monitor", `{"Type":"HTTP","Path":"/"}`,
		"SteeringPolicy", "order", "Rules", `[{"RuleName":"r","Rule":"(ssl)","RuleEnable":"on"}]`)
	lb := api.Text(b.must("CreateLoadBalancer", balancer)["Id"])

	got := b.must("GetOriginPool", with(at, "Id", pool))
	require.Equal(t, "1", api.Text(got["ReferenceLBCount"]))
	require.Equal(t, "lb.example.com", object(list(object(got["References"])["LoadBalancers"])[0])["Name"])
	require.Equal(t, "p.example.com", got["RecordName"])
	b.refuse("DependedByOthers", "DeleteOriginPool", with(at, "Id", pool))

	// Origins keep their ids for as long as they keep their names.
	first := object(list(got["Origins"])[0])["Id"]
	b.must("UpdateOriginPool", with(at, "Id", pool, "Origins", `[{"Name":"c","Address":"192.0.2.3"},{"Name":"a","Address":"192.0.2.9"}]`))
	require.Equal(t, first, object(list(b.must("GetOriginPool", with(at, "Id", pool))["Origins"])[1])["Id"])

	status := list(b.must("ListLoadBalancerOriginStatus", with(at, "LoadBalancerIds", lb))["OriginStatus"])
	require.Len(t, status, 4, "of the default pool and of the fallback pool")
	require.Equal(t, "unknown", object(status[0])["Status"])
	require.Equal(t, "default_pool", object(status[0])["PoolType"])
	status = list(b.must("ListLoadBalancerOriginStatus", with(at, "LoadBalancerIds", lb, "PoolType", "fallback_pool"))["OriginStatus"])
	require.Len(t, status, 2)
	require.Equal(t, "unknown", b.must("GetLoadBalancer", with(at, "Id", lb))["Status"])

	for code, change := range map[string][]string{
		"OriginPoolNotExist":                  {"FallbackPool", "12"},
		"InvalidSteeringPolicy":               {"SteeringPolicy", "fast"},
		"InvalidName":                         {"Name", "lb.other.com"},
		"InvalidMonitor":                      {"Monitor", `{"Type":"PING"}`},
		"InvalidDefaultPools":                 {"DefaultPools", "[]"},
		"InvalidTtl":                          {"Ttl", "5"},
		"CompileRuleError":                    {"Rules", `[{"Rule":"(ssl"}]`},
		"Record.RecordNameConflictWithLBName": {"Name", "www.example.com"},
		"LoadBalancer.AlreadyExist":           {"Name", "LB.example.com"},
	} {
		b.refuse(code, "CreateLoadBalancer", with(balancer, change...))
	}
	b.must("DeleteLoadBalancer", with(at, "Id", lb))

	// A record that has the pool as its source needs it, too.
	record := api.Text(b.must("CreateRecord", with(at, "RecordName", "app.example.com", "Type", "CNAME", "Ttl", "1", "Proxied", "true", "BizName", "web",
		"SourceType", "OP", "Data", `{"Value":"p.example.com"}`))["RecordId"])
	b.refuse("DependedByOthers", "DeleteOriginPool", with(at, "Id", pool))
	b.must("DeleteRecord", api.Params{"RecordId": record})
	b.must("DeleteOriginPool", with(at, "Id", pool))
	b.refuse("OriginPoolNotExist", "GetOriginPool", with(at, "Id", pool))
}

func TestPoolRefusals(t *testing.T) {
	b := newBench(t, Config{})
	for origins, code := range map[string]string{
		`[{"Name":"a"}]`:            "InvalidOrigins",
		`[{"Address":"192.0.2.1"}]`: "InvalidOrigins",
		`[{"Name":"a","Address":"1"},{"Name":"a","Address":"2"}]`: "InvalidOrigins",
		`[{"Name":"a","Address":"192.0.2.1","Weight":101}]`:       "InvalidOrigins",
		`[{"Name":"a","Address":"http://192.0.2.1/"}]`:            "InvalidOrigins",
		`[{"Name":"a","Address":"one two"}]`:                      "InvalidOrigins",
		`[{"Name":"a","Address":"192.0.2.1","Type":"ftp"}]`:       "InvalidOrigins",
		`{"Name":"a"}`:                     "InvalidOrigins",
		`[1]`:                              "InvalidOrigins",
		`[{"Name":"a","Address":{"x":1}}]`: "InvalidOrigins",
		`[{"Name":"a","Address":"192.0.2.1","AuthConf":{"AuthType":"x"}}]`: "InvalidOrigins",
	} {
		b.refuse(code, "CreateOriginPool", api.Params{"SiteId": b.site, "Name": "p", "Origins": origins})
	}
	b.refuse("InvalidName", "CreateOriginPool", api.Params{"SiteId": b.site, "Name": "my pool"})
	b.refuse("SiteNotFound", "CreateOriginPool", api.Params{"SiteId": "1", "Name": "p"})
	b.refuse("InvalidEnabled", "CreateOriginPool", api.Params{"SiteId": b.site, "Name": "p", "Enabled": "maybe"})
}

func TestPagesInUse(t *testing.T) {
	b := newBench(t, Config{})
	page := api.Text(b.must("CreatePage", api.Params{"Name": "sorry", "ContentType": "text/html", "Content": "PGgxPg=="})["Id"])
	require.NoError(t, b.store.Tx(t.Context(), func(tx *sql.Tx) error {
		exists, err := PageExists(t.Context(), tx, number(page))
		require.True(t, exists)
		return err
	}))
	use := func(query string) {
		_, err := b.store.DB().Exec(query)
		require.NoError(t, err)
	}
	use(fmt.Sprintf(`INSERT INTO rule_configs (id, site_id, site_version, family, config_type, rule_name, rule, rule_enable, sequence, fields)
		VALUES (1, %s, 0, 'CustomResponseCodeRule', 'rule', 'r', 'true', 'on', 1, '{"PageId":"%s"}')`, b.site, page))
	b.refuse("DependedByOthers", "DeletePage", api.Params{"Id": page})
	use(`DELETE FROM rule_configs`)
	b.must("DeletePage", api.Params{"Id": page})
	b.refuse("InvalidContent", "CreatePage", api.Params{"Name": "x", "ContentType": "text/html", "Content": "<h1>"})
	b.refuse("InvalidContentType", "CreatePage", api.Params{"Name": "x", "ContentType": "text/css", "Content": ""})
}

func TestWaitingRoomRefusals(t *testing.T) {
	b := newBench(t, Config{})
	room := b.lives()["WaitingRoom"].create
	for code, change := range map[string][]string{
		"InvalidHostNameAndPath":   {"HostNameAndPath", `[{"Subdomain":"www.","Domain":"other.com","Path":"/"}]`},
		"InvalidNewUsersPerMinute": {"NewUsersPerMinute", "500"},
		"InvalidTotalActiveUsers":  {"TotalActiveUsers", "many"},
		"MissingCustomPageHtml":    {"WaitingRoomType", "custom"},
		"InvalidQueuingMethod":     {"QueuingMethod", "lifo"},
		"InvalidCustomPageHtml":    {"WaitingRoomType", "custom", "CustomPageHtml", "<p>"},
		"InvalidCookieName":        {"CookieName", "a b"},
	} {
		b.refuse(code, "CreateWaitingRoom", with(room, change...))
	}
	b.refuse("InvalidHostNameAndPath", "CreateWaitingRoom", with(room, "HostNameAndPath", "[]"))
	id := api.Text(b.must("CreateWaitingRoom", room)["WaitingRoomId"])
	event := with(b.lives()["WaitingRoomEvent"].create, "WaitingRoomId", id)
	b.refuse("InvalidEndTime.Mismatch", "CreateWaitingRoomEvent", with(event, "EndTime", "50"))
	b.refuse("MissingPreQueueStartTime", "CreateWaitingRoomEvent", with(event, "PreQueueEnable", "on"))
	b.refuse("InvalidPreQueueStartTime", "CreateWaitingRoomEvent", with(event, "PreQueueEnable", "on", "StartTime", "1000", "EndTime", "2000", "PreQueueStartTime", "701"))
	b.must("CreateWaitingRoomEvent", with(event, "PreQueueEnable", "on", "StartTime", "1000", "EndTime", "2000", "PreQueueStartTime", "700"))
	b.refuse("InvalidStartTime", "CreateWaitingRoomEvent", with(event, "Name", "other", "StartTime", "1999", "EndTime", "3000"))
	b.must("CreateWaitingRoomEvent", with(event, "Name", "other", "StartTime", "2000", "EndTime", "3000"))
	b.refuse("MissingWaitingRoomId", "CreateWaitingRoomEvent", with(event, "WaitingRoomId", ""))
	rule := with(b.lives()["WaitingRoomRule"].create, "WaitingRoomId", id)
	b.refuse("CompileRuleError", "CreateWaitingRoomRule", with(rule, "Rule", "(((ssl"))
	b.refuse("WaitingRoomNotExist", "CreateWaitingRoomRule", with(rule, "WaitingRoomId", "1"))
	b.must("CreateWaitingRoomRule", rule)
	b.must("DeleteWaitingRoom", api.Params{"SiteId": b.site, "WaitingRoomId": id})
	b.refuse("WaitingRoomNotExist", "ListWaitingRoomRules", api.Params{"SiteId": b.site, "WaitingRoomId": id})
}

func TestCustomHostnames(t *testing.T) {
	b := newBench(t, Config{})
	host := b.lives()["CustomHostname"].create
	id := api.Text(b.must("CreateCustomHostname", with(host, "SslFlag", "on", "CertType", "free"))["HostnameId"])
	model := func() map[string]any {
		return object(b.must("GetCustomHostname", api.Params{"HostnameId": id})["CustomHostnameModel"])
	}
	require.Equal(t, "pending", model()["Status"])
	require.Equal(t, "www.example.com", model()["RecordName"])
	require.Equal(t, "Applying", model()["CertStatus"])
	require.Equal(t, true, b.must("VerifyCustomHostname", api.Params{"HostnameId": id})["Passed"])
	require.Equal(t, "OK", model()["CertStatus"], "it waited for that alone")
	b.must("ApplyCustomHostnameCertificate", api.Params{"HostnameId": id})
	require.Equal(t, "active", model()["Status"])
	require.Equal(t, "OK", model()["CertStatus"])
	require.Len(t, list(b.must("ListCustomHostnames", api.Params{"SiteId": b.site, "Status": "active"})["Hostnames"]), 1)
	require.Empty(t, list(b.must("ListCustomHostnames", api.Params{"SiteId": b.site, "Status": "pending"})["Hostnames"]))
	b.refuse("CustomHostname.AlreadyExist", "CreateCustomHostname", host)
	b.refuse("InvalidHostname", "CreateCustomHostname", with(host, "Hostname", "a.example.com"))
	b.refuse("InvalidHostname", "CreateCustomHostname", with(host, "Hostname", "not a host"))
	b.refuse("Record.NotFound", "CreateCustomHostname", with(host, "Hostname", "b.test", "RecordId", "1"))
	b.refuse("MissingCertificate", "CreateCustomHostname", with(host, "Hostname", "b.test", "SslFlag", "on", "CertType", "upload"))
	b.refuse("MissingCertType", "CreateCustomHostname", with(host, "Hostname", "b.test", "SslFlag", "on"))
	b.refuse("InvalidSSLPub", "CreateCustomHostname", with(host, "Hostname", "b.test", "SslFlag", "on", "CertType", "upload", "Certificate", "c", "PrivateKey", "k"))
}

func TestScheduledPreloads(t *testing.T) {
	b := newBench(t, Config{})
	job := api.Text(b.must("CreateScheduledPreloadJob", b.lives()["ScheduledPreloadJob"].create)["Id"])
	out := b.must("CreateScheduledPreloadExecutions", api.Params{"Id": job, "Executions": `[
		{"SliceLen":10,"Interval":30,"StartTime":"2026-06-03T16:00:00Z","EndTime":"2026-06-04T16:00:00Z","Status":"finished"},{"SliceLen":0,"Interval":30}]`})
	require.Equal(t, "waiting", object(list(out["SuccessExecutions"])[0])["Status"], "which is not the caller's to say")
	require.Equal(t, []any{`InvalidSliceLen: Specified parameter SliceLen is not valid: it must be an integer between 1 and 10000, not "0".`}, out["FailedMessages"])
	require.Equal(t, "1", api.Text(out["SuccessCount"]))
	require.Len(t, out["FailedMessages"], 1)
	id := api.Text(object(list(out["SuccessExecutions"])[0])["Id"])
	require.Equal(t, job, object(list(out["SuccessExecutions"])[0])["JobId"])
	require.Equal(t, "running", b.must("StartScheduledPreloadExecution", api.Params{"Id": id})["Status"])
	require.Equal(t, "20", api.Text(b.must("UpdateScheduledPreloadExecution", api.Params{"Id": id, "SliceLen": "20"})["SliceLen"]))
	moved := b.must("UpdateScheduledPreloadExecution", api.Params{"Id": id, "StartTime": "2024-05-31T17:10:48.849+08:00", "EndTime": "2024-05-31T18:10:48.849+08:00"})
	require.Equal(t, "2024-05-31T09:10:48Z", moved["StartTime"], "times may have an offset")
	require.Equal(t, "stopped", b.must("StopScheduledPreloadExecution", api.Params{"Id": id})["Status"])
	require.Len(t, list(b.must("ListScheduledPreloadExecutions", api.Params{"Id": job})["Executions"]), 1)
	b.must("DeleteScheduledPreloadExecution", api.Params{"Id": id})
	require.Empty(t, list(b.must("ListScheduledPreloadExecutions", api.Params{"Id": job})["Executions"]))
	b.refuse("InvalidUrlList", "CreateScheduledPreloadJob", with(b.lives()["ScheduledPreloadJob"].create, "Name", "m", "UrlList", "http://other.com/"))
}

// TestPreloadsFromAFile has a job read its addresses once, from a file.
func TestPreloadsFromAFile(t *testing.T) {
	files := map[string]string{"good": "http://www.example.com/a\r\n\nhttps://www.example.com/b\n", "other": "http://www.example.org/\n", "none": "\n", "binary": "\xff\xfe"}
	b := newBench(t, Config{ReadFile: func(_ context.Context, _ *sql.Tx, address string, most int64) ([]byte, error) {
		content, ok := files[address]
		require.EqualValues(t, 10_000_000, most)
		if !ok {
			return nil, api.Errorf(404, "InvalidUrl.NotFound", "There is no file at the Url.")
		}
		return []byte(content), nil
	}})
	job := api.Params{"SiteId": b.site, "Name": "n", "InsertWay": "oss"}
	got := b.must("CreateScheduledPreloadJob", with(job, "OssUrl", "good"))
	require.Equal(t, "2", api.Text(got["UrlCount"]))
	require.Equal(t, "www.example.com", got["Domains"])
	delete(files, "good")
	require.Equal(t, "2", api.Text(b.must("GetScheduledPreloadJob", api.Params{"Id": got["Id"]})["UrlCount"]))
	for address, code := range map[string]string{"": "MissingOssUrl", "gone": "InvalidUrl.NotFound", "other": "InvalidOssUrl", "none": "MissingOssUrl", "binary": "InvalidOssUrl"} {
		b.refuse(code, "CreateScheduledPreloadJob", with(job, "Name", "m", "OssUrl", address))
	}
}

func TestContainers(t *testing.T) {
	b := newBench(t, Config{})
	app := api.Text(b.must("CreateEdgeContainerApp", b.lives()["EdgeContainerApp"].create)["AppId"])
	version := api.Text(b.must("CreateEdgeContainerAppVersion", with(b.lives()["EdgeContainerAppVersion"].create, "AppId", app))["VersionId"])
	status := func() map[string]any {
		return object(b.must("GetEdgeContainerAppStatus", api.Params{"AppId": app, "PublishEnv": "prod"})["AppStatus"])
	}
	require.Equal(t, "undeploy", status()["DeployStatus"])
	b.must("PublishEdgeContainerAppVersion", api.Params{"AppId": app, "VersionId": version, "PublishEnv": "prod"})
	require.Equal(t, version, status()["DeployedVersion"])
	b.refuse("DependedByOthers", "DeleteEdgeContainerAppVersion", api.Params{"AppId": app, "VersionId": version})
	b.refuse("EdgeContainerAppVersionNotExist", "PublishEdgeContainerAppVersion", api.Params{"AppId": app, "VersionId": "ver-1", "PublishEnv": "prod"})
	b.must("CreateEdgeContainerAppRecord", api.Params{"AppId": app, "RecordName": "app.example.com"})
	require.Len(t, list(b.must("ListEdgeContainerRecords", api.Params{"SiteId": b.site})["Records"]), 1)
	b.refuse("InvalidRecordName", "CreateEdgeContainerAppRecord", api.Params{"AppId": app, "RecordName": "app.other.com"})
	require.Equal(t, "NotOpened", b.must("GetEdgeContainer", api.Params{})["Status"])
	b.must("OpenEdgeContainer", api.Params{})
	require.Equal(t, "Running", b.must("GetEdgeContainer", api.Params{})["Status"])
	b.must("UpdateEdgeContainerAppLogRiver", api.Params{"AppId": app, "Path": "/log", "Stdout": "true"})
	require.Equal(t, true, b.must("GetEdgeContainerAppLogRiver", api.Params{"AppId": app})["Stdout"])
	b.refuse("EdgeContainerAppNotExist", "GetEdgeContainerAppLogRiver", api.Params{"AppId": "app-80000000000000000"})
	require.Empty(t, b.must("GetEdgeContainerLogs", api.Params{"AppId": app, "Lines": "10"})["Items"])
}

func TestSettings(t *testing.T) {
	b := newBench(t, Config{})
	b.must("EditSiteWafSettings", api.Params{"SiteId": b.site, "Settings": `{"SecurityLevel":{"Value":"high"}}`})
	b.must("EditSiteWafSettings", api.Params{"SiteId": b.site, "Settings": `{"AddSecurityHeaders":{"Enable":true}}`})
	b.refuse("InvalidSettings", "EditSiteWafSettings", api.Params{"SiteId": b.site, "Settings": `{"SecurityLevel":{"Value":"highest"}}`})
	require.Equal(t, "high", object(object(b.must("GetSiteWafSettings", api.Params{"SiteId": b.site})["Settings"])["SecurityLevel"])["Value"])
	at := api.Params{"SiteId": b.site}
	require.Equal(t, "default", b.must("DescribeHttpDDoSAttackProtection", at)["GlobalMode"])
	require.Equal(t, "hard", b.must("SetHttpDDoSAttackProtection", with(at, "GlobalMode", "hard"))["GlobalMode"])
	require.Equal(t, "hard", b.must("DescribeHttpDDoSAttackProtection", at)["GlobalMode"])
	b.refuse("InvalidGlobalMode", "SetHttpDDoSAttackProtection", with(at, "GlobalMode", "soft"))
	b.refuse("SiteNotFound", "DescribeHttpDDoSAttackProtection", api.Params{"SiteId": "1"})

	b.must("EditSiteWafSettings", with(at, "Settings", `{"SecurityLevel":{"Value":"high"}}`))
	settings := object(b.must("GetSiteWafSettings", at)["Settings"])
	require.Equal(t, "high", object(settings["SecurityLevel"])["Value"])
	require.Contains(t, settings, "AddSecurityHeaders", "what was not said stays")

	require.Equal(t, false, b.must("GetSiteCustomLog", at)["IsExist"])
	b.must("CreateSiteCustomLog", with(at, "RequestHeaders", `["X-A"]`))
	got := b.must("GetSiteCustomLog", at)
	require.Equal(t, true, got["IsExist"])
	require.Equal(t, []any{"X-A"}, object(got["LogCustomField"])["RequestHeaders"])

	b.must("SetDdosMaxBurstGbps", api.Params{"InstanceId": "a", "MaxBurstGbps": "20"})
	require.Equal(t, "20", b.must("DescribeDdosMaxBurstGbps", api.Params{"InstanceId": "a"})["MaxBurstGbps"])
	require.Equal(t, "0", b.must("DescribeDdosMaxBurstGbps", api.Params{"InstanceId": "b"})["MaxBurstGbps"])
}

func TestFacts(t *testing.T) {
	b := newBench(t, Config{})
	at := api.Params{"SiteId": b.site}
	require.NotEmpty(t, b.must("ListCiphers", api.Params{"CiphersGroup": "strict"})["Result"])
	b.refuse("InvalidCiphersGroup", "ListCiphers", api.Params{"CiphersGroup": "weak"})
	ips := list(b.must("ListESAIPInfo", api.Params{"VipInfo": "127.0.0.1, 192.0.2.1"})["Content"])
	require.Equal(t, "True", object(ips[0])["CdnIp"])
	require.Equal(t, "False", object(ips[1])["CdnIp"])
	b.refuse("InvalidVipInfo", "ListESAIPInfo", api.Params{"VipInfo": "here"})
	times := with(at, "StartTime", "2026-01-01T00:00:00Z", "EndTime", "2026-01-01T01:00:00Z")
	require.Equal(t, "2026-01-01T00:00:00Z", b.must("DescribeDDoSBpsList", times)["StartTime"])
	b.refuse("InvalidEndTime.Mismatch", "DescribeDDoSBpsList", with(times, "EndTime", "2025-01-01T01:00:00Z"))
	b.refuse("SiteNotFound", "DescribeDDoSBpsList", with(times, "SiteId", "1"))
	require.Equal(t, "2", api.Text(b.must("ListDDoSInstances", api.Params{"PageNumber": "2"})["PageNumber"]))
	b.refuse("InvalidRuleId.NotFound", "SetHttpDDoSAttackRuleStatus", with(at, "RuleIds", "1", "Status", "on"))
	for action := range Refused() {
		b.refuse("NotApplicable", action, api.Params{})
	}
}
