package site

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/quota"
)

func TestBatchTellsEachRow(t *testing.T) {
	b := newBench(t, Config{Quotas: quota.Set{}.With(quota.Records, 4)})
	id := b.active("shop.example", "NS")
	out := b.Must("BatchCreateRecords", api.Params{"SiteId": id, "RecordList": `[
		{"RecordName":"www.shop.example","Type":"A/AAAA","Ttl":30,"Proxied":true,"BizName":"web","Data":{"Value":"203.0.113.1"}},
		{"RecordName":"WWW.shop.example","Type":"A/AAAA","Ttl":30,"Proxied":false,"Data":{"value":"203.0.113.2"}},
		{"RecordName":"www","Type":"TXT","Ttl":1,"Proxied":false,"Data":{"Value":"x"}},
		{"RecordName":"b.shop.example","Type":"TXT","Ttl":1,"Proxied":false,"Data":{"Value":"x"}},
		{"RecordName":"c.shop.example","Type":"TXT","Ttl":1,"Data":"nonsense"}]`})["RecordResultList"].(map[string]any)
	require.Equal(t, json.Number("5"), out["TotalCount"])
	require.Equal(t, []string{"www.shop.example", "b.shop.example"}, names(out["Success"], "RecordName"))
	require.Equal(t, []string{"success", "success"}, names(out["Success"], "Description"))
	var codes []string
	for _, d := range names(out["Failed"], "Description") {
		code, _, _ := strings.Cut(d, ":")
		codes = append(codes, code)
	}
	require.Equal(t, []string{"Record.Conflict", "InvalidParameter.InvalidRecordNameSuffix", "Record.ParseJSONRecordValueFailed"}, codes)
	made := out["Success"].([]any)[0].(map[string]any)["RecordId"]
	record := b.Must("GetRecord", api.Params{"RecordId": made})["RecordModel"].(map[string]any)
	require.Equal(t, true, record["Proxied"])
	require.Equal(t, json.Number("2"), b.Must("ListRecords", api.Params{"SiteId": id})["TotalCount"])

	for list, code := range map[string]string{`[]`: "InvalidRecordList", `{`: "InvalidRecordList", ``: "InvalidRecordList"} {
		_, got := b.Call("BatchCreateRecords", api.Params{"SiteId": id, "RecordList": list})
		require.Equal(t, code, got)
	}
	_, code := b.Call("BatchCreateRecords", api.Params{"SiteId": "1", "RecordList": `[{}]`})
	require.Equal(t, "SiteNotFound", code)
}

func TestExport(t *testing.T) {
	b := newBench(t, Config{})
	id := b.active("shop.example", "NS")
	for _, p := range []api.Params{
		{"Data": `{"Value":"203.0.113.1,2001:db8::1"}`, "Proxied": "true", "BizName": "web"},
		{"RecordName": "shop.example", "Type": "MX", "Data": `{"Value":"mx.mail.example","Priority":10}`, "Ttl": "600"},
		{"RecordName": "shop.example", "Type": "TXT", "Data": `{"Value":"say \"hi\"; é"}`, "Ttl": "1"},
		{"RecordName": "long.shop.example", "Type": "TXT", "Data": `{"Value":"` + long(300) + `"}`},
		{"RecordName": "_s._tcp.shop.example", "Type": "SRV", "Data": `{"Value":"h.shop.example","Priority":1,"Weight":2,"Port":3}`},
		{"RecordName": "shop.example", "Type": "CAA", "Data": `{"Flag":0,"Tag":"issue","Value":"ca.example"}`},
		{"RecordName": "f.shop.example", "Type": "SSHFP", "Data": `{"Algorithm":1,"Type":2,"Fingerprint":"ab"}`},
		{"RecordName": "g.shop.example", "Type": "TLSA", "Data": `{"Usage":1,"Selector":0,"MatchingType":2,"Certificate":"ab"}`},
		{"RecordName": "u.shop.example", "Type": "URI", "Data": `{"Priority":1,"Weight":2,"Value":"https://a.example/"}`},
		{"RecordName": "k.shop.example", "Type": "CERT", "Data": `{"Type":1,"KeyTag":2,"Algorithm":3,"Certificate":"YWI="}`},
	} {
		b.Must("CreateRecord", recordParams(id, p))
	}
	text := b.Must("ExportRecords", api.Params{"SiteId": id})["Content"].(string)
	require.Equal(t, strings.ReplaceAll(`;;
;; site:     shop.example.
;; Exported: 2026-03-01 12:00:00
;;

;; A/AAAA Records
www.shop.example.|30|IN|A|203.0.113.1|proxied
www.shop.example.|30|IN|AAAA|2001:db8::1|proxied

;; MX Records
shop.example.|600|IN|MX|10 mx.mail.example.|direct

;; TXT Records
long.shop.example.|30|IN|TXT|"`+long(255)+`" "`+long(45)+`"|direct
shop.example.|1|IN|TXT|"say \"hi\"; \195\169"|direct

;; SRV Records
_s._tcp.shop.example.|30|IN|SRV|1 2 3 h.shop.example.|direct

;; CAA Records
shop.example.|30|IN|CAA|0 issue "ca.example"|direct

;; CERT Records
k.shop.example.|30|IN|CERT|1 2 3 YWI=|direct

;; SSHFP Records
f.shop.example.|30|IN|SSHFP|1 2 ab|direct

;; TLSA Records
g.shop.example.|30|IN|TLSA|1 0 2 ab|direct

;; URI Records
u.shop.example.|30|IN|URI|1 2 "https://a.example/"|direct
`, "|", "\t"), text)
	_, code := b.Call("ExportRecords", api.Params{"SiteId": "1"})
	require.Equal(t, "SiteNotFound", code)
}
