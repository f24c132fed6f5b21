package site

import (
	"encoding/json"
	"maps"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/quota"
)

// recordParams are those of a valid record, changed; nil takes one out.
func recordParams(site string, change api.Params) api.Params {
	p := api.Params{"SiteId": site, "RecordName": "www.shop.example", "Type": "A/AAAA", "Ttl": "30", "Data": `{"Value":"203.0.113.1"}`}
	for k, v := range change {
		if v == nil {
			delete(p, k)
		} else {
			p[k] = v
		}
	}
	return p
}

func TestCreateRecordRules(t *testing.T) {
	proxied := func(more api.Params) api.Params {
		p := api.Params{"Proxied": "true", "BizName": "web"}
		maps.Copy(p, more)
		return p
	}
	cname := func(value string, more api.Params) api.Params {
		data, _ := json.Marshal(map[string]string{"Value": value})
		p := api.Params{"Type": "CNAME", "Data": string(data)}
		maps.Copy(p, more)
		return p
	}
	oss := func(auth string) api.Params {
		return cname("b.oss.example.net", proxied(api.Params{"SourceType": "OSS", "AuthConf": auth}))
	}
	s3 := func(auth string) api.Params {
		return cname("b.s3.example.net", proxied(api.Params{"SourceType": "S3", "AuthConf": auth}))
	}
	name := func(n string) api.Params { return api.Params{"RecordName": n} }
	b := newBench(t, Config{})
	site := b.site("shop.example", "NS")
	for title, c := range map[string]struct {
		change api.Params
		code   string
	}{
		"addresses":             {api.Params{}, ""},
		"lower-case key":        {api.Params{"Data": `{"value":"203.0.113.1"}`}, ""},
		"object from JSON body": {api.Params{"Data": map[string]any{"Value": "203.0.113.1"}, "Ttl": json.Number("1")}, ""},
		"proxied":               {proxied(nil), ""},
		"root":                  {name("shop.example"), ""},
		"wildcard":              {name("*.shop.example"), ""},
		"type A":                {api.Params{"Type": "A"}, "Record.UnsupportedType"},
		"type AAAA":             {api.Params{"Type": "AAAA"}, "Record.UnsupportedType"},

		"proxied without business":    {api.Params{"Proxied": "true"}, "InvalidParameter.InvalidBiz"},
		"proxied, unknown business":   {proxied(api.Params{"BizName": "video_image"}), "InvalidParameter.InvalidBiz"},
		"business without proxy":      {api.Params{"BizName": "web"}, "InvalidParameter.InvalidBiz"},
		"proxied TXT":                 {proxied(api.Params{"Type": "TXT"}), "Record.ValidProxiedForSpecifedRecordType"},
		"host policy on addresses":    {proxied(api.Params{"HostPolicy": "follow_hostname"}), "InvalidParameter.InvalidHostPolicy"},
		"unknown host policy":         {cname("a.net", proxied(api.Params{"HostPolicy": "x"})), "InvalidParameter.InvalidHostPolicy"},
		"host policy":                 {cname("a.net", proxied(api.Params{"HostPolicy": "follow_origin_domain"})), ""},
		"source type on addresses":    {api.Params{"SourceType": "Domain"}, "Record.UnsupportedSourceType"},
		"private address, not in use": {api.Params{"Data": `{"Value":"10.0.0.1"}`}, ""},
		"private address":             {proxied(api.Params{"Data": `{"Value":"203.0.113.1,10.0.0.1"}`}), "InvalidParameter.PrivateIpAsSourceUnsupported"},
		"loopback":                    {proxied(api.Params{"Data": `{"Value":"::1"}`}), "InvalidParameter.PrivateIpAsSourceUnsupported"},
		"shared space":                {proxied(api.Params{"Data": `{"Value":"100.64.0.1"}`}), "InvalidParameter.PrivateIpAsSourceUnsupported"},
		"unique local":                {proxied(api.Params{"Data": `{"Value":"fd00::1"}`}), "InvalidParameter.PrivateIpAsSourceUnsupported"},
		"link local":                  {proxied(api.Params{"Data": `{"Value":"169.254.169.254"}`}), "InvalidParameter.PrivateIpAsSourceUnsupported"},

		"dual stack":     {api.Params{"Data": `{"Value":"203.0.113.1, 2001:db8::1"}`}, ""},
		"most addresses": {api.Params{"Data": `{"Value":"1.1.1.1,1.1.1.2,1.1.1.3,1.1.1.4,1.1.1.5,1.1.1.6,1.1.1.7,1.1.1.8,2001:db8::1,2001:db8::2,2001:db8::3,2001:db8::4"}`}, ""},
		"too many IPv4":  {api.Params{"Data": `{"Value":"1.1.1.1,1.1.1.2,1.1.1.3,1.1.1.4,1.1.1.5,1.1.1.6,1.1.1.7,1.1.1.8,1.1.1.9"}`}, "Record.AorAAAARecordValueIPExceedLimit"},
		"too many IPv6":  {api.Params{"Data": `{"Value":"2001:db8::1,2001:db8::2,2001:db8::3,2001:db8::4,2001:db8::5"}`}, "Record.AorAAAARecordValueIPExceedLimit"},
		"no address":     {api.Params{"Data": `{"Value":"example.com"}`}, "Record.AorAAAARecordValueContainInvalidIP"},
		"mapped address": {api.Params{"Data": `{"Value":"::ffff:1.2.3.4"}`}, "Record.AorAAAARecordValueContainInvalidIP"},
		"empty address":  {api.Params{"Data": `{"Value":"1.1.1.1,"}`}, "Record.AorAAAARecordValueContainInvalidIP"},
		"empty value":    {api.Params{"Data": `{"Value":""}`}, "Record.EmptyRecordValue"},
		"empty data":     {api.Params{"Data": `{}`}, "Record.EmptyRecordValue"},
		"null data":      {api.Params{"Data": `null`}, "Record.EmptyRecordValue"},
		"data no JSON":   {api.Params{"Data": `1.1.1.1`}, "Record.ParseJSONRecordValueFailed"},
		"data of two":    {api.Params{"Data": `{"Value":"1.1.1.1"}{}`}, "Record.ParseJSONRecordValueFailed"},
		"data a list":    {api.Params{"Data": `["1.1.1.1"]`}, "Record.ParseJSONRecordValueFailed"},

		"bare prefix":       {name("www"), "InvalidParameter.InvalidRecordNameSuffix"},
		"at sign":           {name("@"), "InvalidParameter.InvalidRecordNameSuffix"},
		"trailing dot":      {name("www.shop.example."), "InvalidParameter.InvalidRecordNameSuffix"},
		"other site":        {name("www.myshop.example"), "InvalidParameter.InvalidRecordNameSuffix"},
		"long name":         {name(strings.Repeat(long(60)+".", 4) + "shop.example"), "InvalidParameter.RecordNameExceedLimit"},
		"long label":        {name(long(64) + ".shop.example"), "Record.UnmatchedRecordNameSeperateStringTooLarge"},
		"two dots":          {name("a..shop.example"), "Record.UnmatchedRecordNameContainDoubleConsecutiveDot"},
		"leading dot":       {name(".shop.example"), "Record.UnmatchedRecordNameInvalidNamePrefixSuffix"},
		"leading hyphen":    {name("-a.shop.example"), "Record.UnmatchedRecordNameInvalidNamePrefixSuffix"},
		"star inside":       {name("a.*.shop.example"), "Record.UnmatchedRecordNameInvalidStartSymbol"},
		"star in a label":   {name("*a.shop.example"), "Record.UnmatchedRecordNameInvalidStartSymbol"},
		"at sign inside":    {name("a@b.shop.example"), "Record.UnmatchedRecordNameInvalidATChar"},
		"blank":             {name("a b.shop.example"), "Record.UnmatchedRecordNameOnlyRangeChars"},
		"an address":        {name("http://a.shop.example"), "InvalidParameter.InvalidRecordName"},
		"DS of the site":    {api.Params{"Type": "DS", "RecordName": "shop.example"}, "InvalidParameter.InvalidDSRecordName"},
		"DS below it":       {api.Params{"Type": "DS", "RecordName": "sub.shop.example"}, "Record.UnsupportedType"},
		"Chinese":           {name("中.shop.example"), "Record.UnmatchedRecordNameOnlyRangeChars"},
		"proxied underline": {proxied(name("_a.shop.example")), "Record.UnmatchedRecordNameInvalidUnderLine"},

		"TTL automatic": {api.Params{"Ttl": "1"}, ""},
		"TTL most":      {api.Params{"Ttl": "86400"}, ""},
		"TTL 0":         {api.Params{"Ttl": "0"}, "Record.TTLExceedLimit"},
		"TTL 29":        {api.Params{"Ttl": "29"}, "Record.TTLExceedLimit"},
		"TTL 86401":     {api.Params{"Ttl": "86401"}, "Record.TTLExceedLimit"},
		"TTL -1":        {api.Params{"Ttl": "-1"}, "Record.TTLExceedLimit"},
		"comment":       {api.Params{"Comment": strings.Repeat("中", 100)}, ""},
		"port":          {api.Params{"HttpPorts": "80,http"}, "InvalidParameter.HttpPorts"},
		"high port":     {api.Params{"HttpsPorts": "65536"}, "InvalidParameter.HttpsPorts"},
		"long comment":  {api.Params{"Comment": long(101)}, "InvalidParameter.RecordCommentExceedLimit"},
		"unknown site":  {api.Params{"SiteId": "1"}, "SiteNotFound"},

		"CNAME":                    {cname("origin.example.net", nil), ""},
		"CNAME, trailing dot":      {cname("origin.example.net.", nil), ""},
		"CNAME, underline":         {cname("_x.example.net", nil), ""},
		"CNAME, proxied underline": {cname("_x.example.net", proxied(nil)), "Record.CNameRecordValueInvalidRecordDomain"},
		"CNAME to an address":      {cname("203.0.113.1", nil), "Record.CNameRecordValueInvalidRecordDomain"},
		"CNAME to a URL":           {cname("https://a.net", nil), "Record.CNameRecordValueInvalidRecordDomain"},
		"CNAME to itself":          {cname("WWW.shop.example.", nil), "Record.CNameRecordValueCannotEqualHostRecord"},
		"CNAME too long":           {cname(strings.Repeat("a.", 127)+"com", nil), "Record.CNameRecordValueExceedLimit"},
		"CNAME to nothing":         {cname("", nil), "Record.EmptyRecordValue"},
		"unknown source":           {cname("a.net", api.Params{"SourceType": "FTP"}), "Record.UnsupportedSourceType"},
		"pool":                     {cname("p.shop.example", proxied(api.Params{"SourceType": "OP"})), "Record.PoolSourceNotExistPool"},
		"OSS without auth":         {oss(""), "Record.SourceEmptyAuthConf"},
		"OSS auth no JSON":         {oss("{"), "InvalidAuthConf"},
		"OSS public":               {oss(`{"AuthType":"public"}`), ""},
		"OSS same account":         {oss(`{"AuthType":"private_same_account"}`), ""},
		"OSS other type":           {oss(`{"AuthType":"none"}`), "Record.OSSSourceInvalidAuthType"},
		"OSS no key":               {oss(`{"AuthType":"private"}`), "Record.SourceEmptyAK"},
		"OSS no secret":            {oss(`{"AuthType":"private_cross_account","AccessKey":"a"}`), "Record.SourceEmptySecretKey"},
		"S3 same account":          {s3(`{"AuthType":"private_same_account"}`), "Record.S3SourceInvalidAuthType"},
		"S3 no region":             {s3(`{"AuthType":"private","AccessKey":"a","SecretKey":"b"}`), "Record.S3SourceInvalidAuthRegion"},
		"S3 no version":            {s3(`{"AuthType":"private","AccessKey":"a","SecretKey":"b","Region":"us-east-1"}`), "Record.S3SourceInvalidAuthVersion"},
		"S3":                       {s3(`{"AuthType":"private","AccessKey":"a","SecretKey":"b","Region":"us-east-1","Version":"v4"}`), ""},
	} {
		t.Run(title, func(t *testing.T) {
			made, code := b.Call("CreateRecord", recordParams(site, c.change))
			require.Equal(t, c.code, code)
			if code == "" { // leave the site empty for the next case
				b.Must("DeleteRecord", api.Params{"RecordId": made["RecordId"]})
			}
		})
	}
}

func TestCnameAccessSite(t *testing.T) {
	b := newBench(t, Config{})
	site := b.site("shop.example", "CNAME")
	for title, c := range map[string]struct {
		change api.Params
		code   string
	}{
		"proxied":     {api.Params{"Proxied": "true", "BizName": "api"}, ""},
		"not proxied": {api.Params{}, "InvalidParameter.CnameSiteRecordNoProxied"},
		"TXT":         {api.Params{"Type": "TXT"}, "InvalidParameter.CnameSiteRecordUnsupport"},
	} {
		_, code := b.Call("CreateRecord", recordParams(site, c.change))
		require.Equal(t, c.code, code, title)
	}
}

func TestRecordsOfOneName(t *testing.T) {
	b := newBench(t, Config{})
	site := b.site("shop.example", "NS")
	add := func(name, kind, value string) string {
		data := map[string]any{"Value": value}
		if kind == "MX" {
			data["Priority"] = 10
		}
		_, code := b.Call("CreateRecord", recordParams(site, api.Params{"RecordName": name, "Type": kind, "Data": data}))
		return code
	}
	for i, c := range []struct{ name, kind, value, code string }{
		{"a.shop.example", "A/AAAA", "1.1.1.1", ""},
		{"A.shop.example", "A/AAAA", "1.1.1.1", "Record.RecordNameConflictWithSameRecordType"},
		{"a.shop.example", "A/AAAA", "1.1.1.2", "Record.Conflict"},
		{"a.shop.example", "CNAME", "x.net", "Record.RecordNameConflictForSpecifiedRecordType"},
		{"a.shop.example", "TXT", "one", ""},
		{"a.shop.example", "TXT", "two", ""},
		{"a.shop.example", "TXT", "two", "Record.RecordNameConflictWithSameRecordType"},
		{"a.shop.example", "NS", "ns.x.net", "Record.RecordNameConflictWithNSRecord"},
		{"n.shop.example", "NS", "ns1.x.net", ""},
		{"n.shop.example", "NS", "ns2.x.net", ""},
		{"n.shop.example", "TXT", "x", "Record.RecordNameConflictWithNSRecord"},
		{"shop.example", "NS", "ns.x.net", "Record.NSRecordCannotEqualSiteName"},
		{"b.shop.example", "CNAME", "c.shop.example", ""},
		{"b.shop.example", "CNAME", "d.shop.example", "Record.Conflict"},
		{"c.shop.example", "CNAME", "d.shop.example", ""},
		{"d.shop.example", "CNAME", "B.shop.example.", "SourceCircleExist"},
		{"d.shop.example", "CNAME", "e.shop.example", ""},
	} {
		require.Equal(t, c.code, add(c.name, c.kind, c.value), "case %d %+v", i, c)
	}
}

func TestRecordQuotas(t *testing.T) {
	taken := netip.MustParseAddr("203.0.113.9")
	b := newBench(t, Config{Quotas: quota.Set{}.With(quota.Records, 4).With(quota.WildcardRecords, 1).With(quota.SameNameRecords, 1), RefuseOrigin: func(ip netip.Addr) bool { return ip == taken }})
	site := b.site("shop.example", "NS")
	text := func(value string) api.Params {
		return recordParams(site, api.Params{"RecordName": "t.shop.example", "Type": "TXT", "Data": `{"Value":"` + value + `"}`})
	}
	b.Must("CreateRecord", text("one"))
	_, code := b.Call("CreateRecord", text("two"))
	require.Equal(t, "SameNameRecordExceedLimit", code)
	origin := api.Params{"Data": `{"Value":"203.0.113.9"}`, "Proxied": "true", "BizName": "web"}
	_, code = b.Call("CreateRecord", recordParams(site, origin))
	require.Equal(t, "InvalidParameter.SourceIpInBlacklist", code)
	b.Must("CreateRecord", recordParams(site, api.Params{"RecordName": "*.shop.example"}))
	_, code = b.Call("CreateRecord", recordParams(site, api.Params{"RecordName": "*.b.shop.example"}))
	require.Equal(t, "QuotaExceed.WildCardRecord", code)
	b.Must("CreateRecord", recordParams(site, api.Params{"RecordName": "b.shop.example"}))
	b.Must("CreateRecord", recordParams(site, api.Params{"RecordName": "c.shop.example"}))
	_, code = b.Call("CreateRecord", recordParams(site, api.Params{"RecordName": "d.shop.example"}))
	require.Equal(t, "QuotaExceed.RecordCount", code)
}

func TestUpdateRecord(t *testing.T) {
	b := newBench(t, Config{})
	site := b.site("shop.example", "NS")
	id := b.Must("CreateRecord", recordParams(site, api.Params{"Proxied": "true", "BizName": "web", "Comment": "first"}))["RecordId"]
	get := func() map[string]any {
		return b.Must("GetRecord", api.Params{"RecordId": id})["RecordModel"].(map[string]any)
	}
	before := get()
	require.Equal(t, "A/AAAA", before["RecordType"])
	require.Regexp(t, `^www\.shop\.example\.[0-9a-f]{8}\.cname\.localhost$`, before["RecordCname"])
	require.Equal(t, "shop.example", before["SiteName"])
	require.Equal(t, json.Number("30"), before["Ttl"])

	b.Now = b.Now.Add(time.Minute)
	b.Must("UpdateRecord", api.Params{"RecordId": id, "Data": `{"Value":"203.0.113.2,203.0.113.3"}`, "RecordName": "other.shop.example"})
	after := get()
	require.Equal(t, map[string]any{"Value": "203.0.113.2,203.0.113.3"}, after["Data"])
	require.Equal(t, "www.shop.example", after["RecordName"], "a record cannot be renamed")
	require.Equal(t, "web", after["BizName"])
	require.Equal(t, "first", after["Comment"])
	require.Equal(t, before["CreateTime"], after["CreateTime"])
	require.Equal(t, "2026-03-01T12:01:00Z", after["UpdateTime"])

	b.Must("UpdateRecord", api.Params{"RecordId": id, "Data": `{"Value":"203.0.113.2"}`, "Proxied": "false"})
	require.Empty(t, get()["BizName"], "goes with the proxy")
	require.Empty(t, get()["RecordCname"])
	b.Must("UpdateRecord", api.Params{"RecordId": id, "Data": `{"Value":"a.net"}`, "Type": "CNAME", "Ttl": "60"})
	require.Equal(t, "Domain", get()["RecordSourceType"])

	for title, c := range map[string]struct {
		params api.Params
		code   string
	}{
		"bad TTL":     {api.Params{"Ttl": "5"}, "Record.TTLExceedLimit"},
		"bad data":    {api.Params{"Data": `{"Value":"1.1.1.1"}`}, "Record.CNameRecordValueInvalidRecordDomain"},
		"no business": {api.Params{"Proxied": "true"}, "InvalidParameter.InvalidBiz"},
		"unknown":     {api.Params{"RecordId": "1"}, "Record.NotFound"},
		"empty data":  {api.Params{"Data": `{}`}, "Record.EmptyRecordValue"},
	} {
		p := api.Params{"RecordId": id, "Data": `{"Value":"b.net"}`}
		maps.Copy(p, c.params)
		_, code := b.Call("UpdateRecord", p)
		require.Equal(t, c.code, code, title)
	}
	require.Equal(t, map[string]any{"Value": "a.net"}, get()["Data"], "a refused update changes nothing")

	b.Must("DeleteRecord", api.Params{"RecordId": id})
	_, code := b.Call("DeleteRecord", api.Params{"RecordId": id})
	require.Equal(t, "Record.NotFound", code)
}

func TestAuthConfComesBack(t *testing.T) {
	b := newBench(t, Config{})
	site := b.site("shop.example", "NS")
	id := b.Must("CreateRecord", recordParams(site, api.Params{"Type": "CNAME", "Data": `{"Value":"b.oss.example.net"}`, "Proxied": "true", "BizName": "web",
		"SourceType": "OSS", "AuthConf": `{"AuthType":"private","AccessKey":"ak","SecretKey":"sk"}`}))["RecordId"]
	auth := func() any {
		return b.Must("GetRecord", api.Params{"RecordId": id})["RecordModel"].(map[string]any)["AuthConf"]
	}
	require.Equal(t, map[string]any{"AuthType": "private", "AccessKey": "ak", "SecretKey": "sk"}, auth())
	b.Must("UpdateRecord", api.Params{"RecordId": id, "Data": `{"Value":"c.oss.example.net"}`})
	require.NotNil(t, auth())
	b.Must("UpdateRecord", api.Params{"RecordId": id, "Data": `{"Value":"c.example.net"}`, "SourceType": "Domain"})
	require.Nil(t, auth())
}

func TestListRecords(t *testing.T) {
	b := newBench(t, Config{})
	site := b.site("shop.example", "NS")
	other := b.site("other.example", "NS")
	add := func(site, name string, change api.Params) {
		b.Now = b.Now.Add(time.Second)
		p := recordParams(site, change)
		p["RecordName"] = name
		b.Must("CreateRecord", p)
	}
	add(site, "www.shop.example", api.Params{"Proxied": "true", "BizName": "web"})
	add(site, "api.shop.example", api.Params{"Proxied": "true", "BizName": "api"})
	add(site, "shop.example", api.Params{"Type": "TXT"})
	add(site, "www2.shop.example", api.Params{"Type": "CNAME", "Data": `{"Value":"a.net"}`})
	add(other, "www.other.example", nil)

	for title, c := range map[string]struct {
		params api.Params
		want   []string
	}{
		"all, newest first": {api.Params{}, []string{"www2.shop.example", "shop.example", "api.shop.example", "www.shop.example"}},
		"exact by default":  {api.Params{"RecordName": "www"}, []string{}},
		"exact":             {api.Params{"RecordName": "WWW.shop.example"}, []string{"www.shop.example"}},
		"prefix":            {api.Params{"RecordName": "www", "RecordMatchType": "prefix"}, []string{"www2.shop.example", "www.shop.example"}},
		"suffix":            {api.Params{"RecordName": "w.shop.example", "RecordMatchType": "suffix"}, []string{"www.shop.example"}},
		"fuzzy":             {api.Params{"RecordName": "pi.s", "RecordMatchType": "fuzzy"}, []string{"api.shop.example"}},
		"type":              {api.Params{"Type": "TXT"}, []string{"shop.example"}},
		"proxied":           {api.Params{"Proxied": "true"}, []string{"api.shop.example", "www.shop.example"}},
		"not proxied":       {api.Params{"Proxied": "false"}, []string{"www2.shop.example", "shop.example"}},
		"business":          {api.Params{"BizName": "api"}, []string{"api.shop.example"}},
		"source":            {api.Params{"SourceType": "Domain"}, []string{"www2.shop.example"}},
		"last page":         {api.Params{"PageSize": "3", "PageNumber": "2"}, []string{"www.shop.example"}},
	} {
		c.params["SiteId"] = site
		out := b.Must("ListRecords", c.params)
		require.Equal(t, c.want, names(out["Records"], "RecordName"), title)
		if title == "last page" {
			require.Equal(t, json.Number("4"), out["TotalCount"])
		}
	}
	require.Equal(t, json.Number("500"), b.Must("ListRecords", api.Params{"SiteId": site})["PageSize"])
	for param, v := range map[string]string{"RecordMatchType": "regex", "PageSize": "0"} {
		_, code := b.Call("ListRecords", api.Params{"SiteId": site, "RecordName": "x", param: v})
		require.Equal(t, "Invalid"+param, code)
	}
}
