package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/tools"
)

func TestRecordsFromCreationToDeletion(t *testing.T) {
	t.Parallel()
	s := startLocal(t, "--toolsets", "all")
	site := newSite(t, s, "shop.example", "NS")
	made := callOK[tools.RecordOutput](t, s, "create_record", arguments{"site_name": "shop.example", "name": "www", "type": "a",
		"value": "203.0.113.1, 2001:DB8::1", "proxied": true, "comment": "front"})
	require.Equal(t, "www.shop.example", made.Name)
	require.Equal(t, "A/AAAA", made.Type)
	require.Equal(t, "203.0.113.1,2001:db8::1", made.Data.Value)
	require.Equal(t, "web", made.BizName)
	require.EqualValues(t, 1, made.TTL)
	var ids []string
	for _, n := range made.Notes {
		ids = append(ids, n.ID)
	}
	require.Equal(t, []string{"dns-type", "dns-name", "dns-biz", "cert-not-automatic"}, ids)

	text := s.refuse(t, "create_record", arguments{"site_id": site.ID, "name": "www", "type": "A/AAAA", "value": "203.0.113.9"})
	require.Contains(t, text, "dns-one-address-record")
	require.Contains(t, text, `record_id `+string(made.ID)+`, value "203.0.113.1,2001:db8::1,203.0.113.9"`)
	require.Contains(t, s.refuse(t, "create_record", arguments{"site_id": site.ID, "name": "www", "type": "CNAME", "value": "a.example.net"}), "dns-exclusive")

	changed := callOK[tools.RecordOutput](t, s, "update_record", arguments{"record_id": made.ID, "ttl": 60})
	require.Equal(t, made.Data, changed.Data, "what is left out stays")
	require.Equal(t, "front", changed.Comment)
	require.True(t, changed.Proxied)
	require.EqualValues(t, 60, changed.TTL)
	changed = callOK[tools.RecordOutput](t, s, "update_record", arguments{"record_id": made.ID, "proxied": false, "value": "10.0.0.1", "comment": ""})
	require.False(t, changed.Proxied)
	require.Empty(t, changed.BizName)
	require.Empty(t, changed.Comment)
	require.Contains(t, s.refuse(t, "update_record", arguments{"record_id": made.ID, "proxied": true}), "dns-private-ip")

	shown := callOK[tools.RecordOutput](t, s, "get_record", arguments{"record_id": made.ID})
	require.Equal(t, changed.Record, shown.Record)
	gone := callOK[tools.RecordOutput](t, s, "delete_record", arguments{"record_id": made.ID})
	require.Equal(t, "10.0.0.1", gone.Data.Value, "it says what was deleted")
	require.Contains(t, s.refuse(t, "get_record", arguments{"record_id": made.ID}), "Record.NotFound")
	require.Contains(t, s.refuse(t, "delete_record", arguments{"record_id": made.ID}), "Record.NotFound")
}

func TestEveryRecordType(t *testing.T) {
	t.Parallel()
	s := startLocal(t, "--toolsets", "all")
	newSite(t, s, "shop.example", "NS")
	n := func(v int64) *int64 { return &v }
	for _, c := range []struct {
		args arguments
		want tools.RecordData
	}{
		{arguments{"name": "c", "type": "CNAME", "value": "target.example.net."}, tools.RecordData{Value: "target.example.net"}},
		{arguments{"name": "@", "type": "MX", "value": "mx.mail.example", "priority": 5}, tools.RecordData{Value: "mx.mail.example", Priority: n(5)}},
		{arguments{"name": "@", "type": "MX", "value": "20 mx2.mail.example."}, tools.RecordData{Value: "mx2.mail.example", Priority: n(20)}},
		{arguments{"name": "@", "type": "TXT", "value": `"v=spf1 " "-all"`}, tools.RecordData{Value: "v=spf1 -all"}},
		{arguments{"name": "t", "type": "txt", "value": `plain "text"`}, tools.RecordData{Value: `plain "text"`}},
		{arguments{"name": "sub", "type": "NS", "value": "ns1.example.net"}, tools.RecordData{Value: "ns1.example.net"}},
		{arguments{"name": "_sip._tcp", "type": "SRV", "value": "1 5 5060 sip.shop.example"}, tools.RecordData{Value: "sip.shop.example", Priority: n(1), Weight: n(5), Port: n(5060)}},
		{arguments{"name": "_xmpp._tcp", "type": "SRV", "value": "5 5222 x.shop.example", "priority": 9}, tools.RecordData{Value: "x.shop.example", Priority: n(9), Weight: n(5), Port: n(5222)}},
		{arguments{"name": "@", "type": "CAA", "value": `0 issue "letsencrypt.org"`}, tools.RecordData{Value: "letsencrypt.org", Flag: n(0), Tag: "issue"}},
		{arguments{"name": "k", "type": "CERT", "value": "1 12345 8 dGVzdA=="}, tools.RecordData{Type: n(1), KeyTag: n(12345), Algorithm: n(8), Certificate: "dGVzdA=="}},
		{arguments{"name": "s", "type": "SMIMEA", "value": "3 1 1 74657374"}, tools.RecordData{Usage: n(3), Selector: n(1), MatchingType: n(1), Certificate: "dGVzdA=="}},
		{arguments{"name": "f", "type": "SSHFP", "value": "4 2 abcdef"}, tools.RecordData{Algorithm: n(4), Type: n(2), Fingerprint: "abcdef"}},
		{arguments{"name": "g", "type": "TLSA", "value": "3 1 1 abcdef"}, tools.RecordData{Usage: n(3), Selector: n(1), MatchingType: n(1), Certificate: "abcdef"}},
		{arguments{"name": "u", "type": "URI", "value": `1 5 "https://shop.example/a"`}, tools.RecordData{Value: "https://shop.example/a", Priority: n(1), Weight: n(5)}},
	} {
		c.args["site_name"] = "shop.example"
		out := callOK[tools.RecordOutput](t, s, "create_record", c.args)
		require.Equal(t, c.want, out.Data, "%v", c.args)
	}
	mx := callOK[tools.ListRecordsOutput](t, s, "list_records", arguments{"site_name": "shop.example", "type": "MX"}).Records[0]
	out := callOK[tools.RecordOutput](t, s, "update_record", arguments{"record_id": mx.ID, "value": "other.mail.example"})
	require.Equal(t, tools.RecordData{Value: "other.mail.example", Priority: mx.Data.Priority}, out.Data, "the priority stays")
	out = callOK[tools.RecordOutput](t, s, "update_record", arguments{"record_id": mx.ID, "priority": 1})
	require.Equal(t, tools.RecordData{Value: "other.mail.example", Priority: n(1)}, out.Data)
	callOK[tools.RecordOutput](t, s, "update_record", arguments{"record_id": mx.ID, "type": "TXT", "value": "now a text"})
}

func TestRecordMistakesAreRefused(t *testing.T) {
	t.Parallel()
	s := startLocal(t, "--toolsets", "all")
	newSite(t, s, "shop.example", "NS")
	newSite(t, s, "c.example", "CNAME")
	for want, args := range map[string]arguments{
		"dns-ttl":               {"name": "a", "type": "TXT", "value": "x", "ttl": 5},
		"ESA has A/AAAA":        {"name": "a", "type": "PTR", "value": "x"},
		"not an IP address":     {"name": "a", "type": "A", "value": "host.example"},
		"10 mail.example.com":   {"name": "a", "type": "MX", "value": "mail.example"},
		"dns-biz-unproxied":     {"name": "a", "type": "A", "value": "203.0.113.1", "biz_name": "api"},
		"dns-private-ip":        {"name": "a", "type": "A", "value": "192.168.1.1", "proxied": true},
		"not under the site":    {"name": "www.other.net.", "type": "A", "value": "203.0.113.1"},
		"leave it out for TXT":  {"name": "a", "type": "TXT", "value": "x", "priority": 1},
		"proxied is for A/AAAA": {"name": "a", "type": "TXT", "value": "x", "proxied": true},
		"point to itself":       {"name": "a", "type": "CNAME", "value": "a.shop.example"},
		"are for CNAME records": {"name": "a", "type": "A", "value": "203.0.113.1", "source_type": "OSS"},
		"does not exist":        {"name": "a", "type": "CNAME", "value": "b.oss.example.net", "source_type": "OSS", "auth_file": "/no/such/file"},
		"dns-cname-site-type":   {"site_name": "c.example", "name": "a", "type": "TXT", "value": "x"},
		"dns-cname-site-proxy":  {"site_name": "c.example", "name": "a", "type": "A", "value": "203.0.113.1", "proxied": false},
		"give one of Domain":    {"name": "a", "type": "CNAME", "value": "b.example.net", "source_type": "GCS"},
		"host_policy is for":    {"name": "a", "type": "CNAME", "value": "b.example.net", "host_policy": "follow_hostname"},
		"up to 65535":           {"name": "a", "type": "MX", "value": "b.example.net", "priority": 70000},
		"There is no site":      {"site_name": "none.test", "name": "a", "type": "A", "value": "203.0.113.1"},
	} {
		if args["site_name"] == nil {
			args["site_name"] = "shop.example"
		}
		require.Contains(t, s.refuse(t, "create_record", args), want)
	}
	out := callOK[tools.RecordOutput](t, s, "create_record", arguments{"site_name": "c.example", "name": "www", "type": "CNAME", "value": "o.example.net"})
	require.True(t, out.Proxied)
	require.NotEmpty(t, out.Cname)
	require.Contains(t, out.NextSteps[0], out.Cname)
	require.Contains(t, s.refuse(t, "update_record", arguments{"record_id": out.ID}), "Nothing to change")
	require.Contains(t, s.refuse(t, "update_record", arguments{"record_id": out.ID, "priority": 1}), "priority is for")
}

func TestKeysOfBucketsStayOut(t *testing.T) {
	t.Parallel()
	s := startLocal(t, "--toolsets", "all")
	newSite(t, s, "shop.example", "NS")
	file := filepath.Join(t.TempDir(), "auth.json")
	require.NoError(t, os.WriteFile(file, []byte(`{"auth_type":"private","access_key":"CANARYKEY","secret_key":"CANARYSECRET"}`), 0o600))
	text, isError := s.try(t, t.Context(), "create_record", arguments{"site_name": "shop.example", "name": "files", "type": "CNAME", "proxied": true,
		"value": "b.oss.example.net", "source_type": "OSS", "auth_file": file})
	require.False(t, isError, text)
	require.NotContains(t, text, "CANARY")
	require.Contains(t, text, `"origin_auth":"private"`)
	id := callOK[tools.ListRecordsOutput](t, s, "list_records", arguments{"site_name": "shop.example"}).Records[0].ID
	for _, tool := range []string{"get_record", "update_record", "delete_record"} {
		args := arguments{"record_id": id}
		if tool == "update_record" {
			args["ttl"] = 60
		}
		text, isError = s.agree(t, tool, args)
		require.False(t, isError, text)
		require.NotContains(t, text, "CANARY", tool)
		require.Contains(t, text, `"origin_auth":"private"`, "%s: the keys stay stored", tool)
	}
	require.NoError(t, os.WriteFile(file, []byte(`{"secret_key":"CANARYSECRET"`), 0o600))
	require.NotContains(t, s.refuse(t, "create_record", arguments{"site_name": "shop.example", "name": "files", "type": "CNAME",
		"value": "b.oss.example.net", "source_type": "OSS", "auth_file": file}), "CANARY")
}
