package site

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
)

func TestRecordData(t *testing.T) {
	for _, c := range []struct{ kind, data, code string }{
		{"MX", `{"Value":"mail.example.net.","Priority":10}`, ""},
		{"MX", `{"Value":"mail.example.net"}`, "InvalidParameter.RecordData"},
		{"MX", `{"Value":"mail.example.net","Priority":65536}`, "Record.RecordPriorityExceedLimit"},
		{"MX", `{"Value":"1.1.1.1","Priority":1}`, "InvalidParameter.RecordData"},
		{"MX", `{"Priority":1}`, "Record.EmptyRecordValue"},
		{"NS", `{"Value":"ns.example.net"}`, ""},
		{"NS", `{"Value":"ns"}`, "InvalidParameter.RecordData"},
		{"TXT", `{"Value":"v=spf1 -all"}`, ""},
		{"TXT", `{"Value":""}`, "Record.EmptyRecordValue"},
		{"TXT", `{"Value":"` + long(450) + `"}`, ""},
		{"TXT", `{"Value":"` + long(451) + `"}`, "Record.TXTRecordValueExceedLimit"},
		{"SRV", `{"Value":"sip.example.net","Priority":1,"Weight":2,"Port":5060}`, ""},
		{"SRV", `{"Value":"sip.example.net","Priority":1,"Weight":2,"Port":65536}`, "Record.SRVRecordPortExceedLimit"},
		{"SRV", `{"Value":"sip.example.net","Priority":1,"Weight":-1,"Port":1}`, "Record.RecordWeightExceedLimit"},
		{"CAA", `{"Flag":0,"Tag":"issue","Value":"letsencrypt.org"}`, ""},
		{"CAA", `{"Flag":0,"Tag":"issue","Value":"letsencrypt.org; accounturi=x"}`, ""},
		{"CAA", `{"Flag":0,"Tag":"issuewild","Value":";"}`, ""},
		{"CAA", `{"Flag":0,"Tag":"issue","Value":"not a name"}`, "Record.InvalidIssueDataWithCAARecordTag"},
		{"CAA", `{"Flag":0,"Tag":"issue"}`, "Record.EmptyRecordValue"},
		{"CAA", `{"Flag":256,"Tag":"issue","Value":"a.org"}`, "Record.CAARecordFlagExceedLimit"},
		{"CAA", `{"Flag":0,"Tag":"other","Value":"a.org"}`, "Record.CAARecordTagExceedLimit"},
		{"CAA", `{"Flag":0,"Tag":"iodef","Value":"mailto:a@b.org"}`, ""},
		{"CAA", `{"Flag":0,"Tag":"iodef","Value":"mailto:a"}`, "Record.InvalidMailAddressWithCAARecordTag"},
		{"CAA", `{"Flag":0,"Tag":"iodef","Value":"https://a.org/x"}`, ""},
		{"CAA", `{"Flag":0,"Tag":"iodef","Value":"https:"}`, "Record.InvalidHTTPURLValueWithCAARecordTag"},
		{"CAA", `{"Flag":0,"Tag":"iodef","Value":"tel:1"}`, "Record.InvalidIodefDataWithCAARecordTag"},
		{"CERT", `{"Type":1,"KeyTag":2,"Algorithm":3,"Certificate":"dGVzdA=="}`, ""},
		{"CERT", `{"Type":1,"KeyTag":2,"Algorithm":3,"Certificate":"***"}`, "Record.InvalidCertEncodeWithCERTRecord"},
		{"CERT", `{"Type":65536,"KeyTag":2,"Algorithm":3,"Certificate":"dGVzdA=="}`, "Record.CERTRecordTypeExceedLimit"},
		{"CERT", `{"Type":1,"KeyTag":2,"Algorithm":256,"Certificate":"dGVzdA=="}`, "Record.CERTRecordAlgorithmExceedLimit"},
		{"SMIMEA", `{"Usage":1,"Selector":1,"MatchingType":1,"Certificate":"dGVzdA=="}`, ""},
		{"SMIMEA", `{"Usage":1,"Selector":1,"MatchingType":1,"Certificate":"zz!"}`, "Record.InvalidSmimeaEncodeWithSMIMEARecord"},
		{"TLSA", `{"Usage":3,"Selector":1,"MatchingType":1,"Certificate":"0aFF"}`, ""},
		{"TLSA", `{"Usage":3,"Selector":1,"MatchingType":1,"Certificate":"dGVzdA=="}`, "Record.InvalidTslaEncodeWithTSLARecord"},
		{"TLSA", `{"Usage":256,"Selector":1,"MatchingType":1,"Certificate":"00"}`, "Record.RecordUsageExceedLimit"},
		{"TLSA", `{"Usage":3,"Selector":256,"MatchingType":1,"Certificate":"00"}`, "Record.RecordSelectorExceedLimit"},
		{"TLSA", `{"Usage":3,"Selector":1,"MatchingType":-1,"Certificate":"00"}`, "Record.RecordMatchingTypeExceedLimit"},
		{"SSHFP", `{"Algorithm":1,"Type":1,"Fingerprint":"abcdef"}`, ""},
		{"SSHFP", `{"Algorithm":1,"Type":1,"Fingerprint":"xyz"}`, "Record.InvalidFingerprintWithSSHFPRecord"},
		{"SSHFP", `{"Algorithm":1,"Type":1}`, "Record.EmptyRecordValue"},
		{"SSHFP", `{"Algorithm":1,"Type":300,"Fingerprint":"ab"}`, "Record.TypeExceedLimitWithSSHFPRecord"},
		{"URI", `{"Value":"ftp://a.org/x","Priority":1,"Weight":1}`, ""},
		{"URI", `{"Value":"a.org","Priority":1,"Weight":1}`, "Record.InvalidURLWithURIRecord"},
	} {
		t.Run(c.kind+" "+c.data[:min(len(c.data), 60)], func(t *testing.T) {
			rec := record{kind: c.kind, name: "_sip._tcp.shop.example"}
			require.NoError(t, json.Unmarshal([]byte(c.data), &rec.data))
			require.Equal(t, c.code, codeOf(t, rec.checkData(Config{AllowOrigin: noAddress, RefuseOrigin: noAddress})))
		})
	}
}

func TestServiceNames(t *testing.T) {
	for name, code := range map[string]string{
		"_sip._tcp.shop.example":   "",
		"_sip._tcp.a.shop.example": "",
		"sip._tcp.shop.example":    "Record.SRVRecordInvalidRecordName",
		"_sip.shop.example":        "Record.SRVRecordInvalidRecordName",
		"shop.example":             "Record.SRVRecordInvalidRecordName",
		"*.shop.example":           "Record.UnmatchedRecordNameForbidStarSev",
	} {
		require.Equal(t, code, codeOf(t, checkRecordName(name, "shop.example", "SRV", false)), name)
	}
}

func codeOf(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	var e *api.Error
	require.True(t, errors.As(err, &e), "%v", err)
	return e.Code
}

// FuzzRecord puts any name and data through the checks: they must neither panic
// nor pass what would not come back from the tables as it went in.
func FuzzRecord(f *testing.F) {
	for _, kind := range recordTypes {
		f.Add(kind, "www.shop.example", `{"Value":"203.0.113.1","Priority":1,"Weight":1,"Port":1,"Tag":"issue","Flag":0}`, true)
	}
	f.Add("A/AAAA", "*.shop.example", `{"value":"::1, 1.1.1.1"}`, false)
	f.Add("CNAME", "..shop.example", `{"Value":"_a..b"}`, true)
	f.Add("CAA", "shop.example", `{"Flag":1,"Tag":"iodef","Value":"mailto:\"a\"@b"}`, false)
	f.Fuzz(func(t *testing.T, kind, name, data string, proxied bool) {
		p := api.Params{"Type": kind, "Ttl": "1", "Data": data}
		if proxied {
			p["Proxied"], p["BizName"] = "true", "web"
		}
		rec := record{name: name}
		err := rec.apply(p)
		if err == nil {
			err = rec.check(site{name: "shop.example", accessType: accessNS}, Config{AllowOrigin: noAddress, RefuseOrigin: noAddress})
		}
		if err != nil {
			var e *api.Error
			if !errors.As(err, &e) || e.Code == "" || e.Status != 400 {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		if !within(name, "shop.example") || len(name) > 200 {
			t.Fatalf("accepted the name %q", name)
		}
		text := rec.dataText()
		var back record
		if err := json.Unmarshal([]byte(text), &back.data); err != nil || back.dataText() != text {
			t.Fatalf("data %s does not survive being stored: %v", text, err)
		}
	})
}
