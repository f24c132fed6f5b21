package tools

import (
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

func TestRecordName(t *testing.T) {
	for given, want := range map[string]string{
		"@": "shop.example", "": "shop.example", "shop.example": "shop.example", "shop.example.": "shop.example", "www": "www.shop.example",
		"WWW.Shop.Example": "www.shop.example", "a.b": "a.b.shop.example", "*": "*.shop.example", "_sip._tcp": "_sip._tcp.shop.example",
		"www.other.net.": "", "wwwshop.example": "",
	} {
		got, notes, err := recordName(given, "shop.example")
		if want == "" {
			require.ErrorContains(t, err, "not under the site", given)
			continue
		}
		require.NoError(t, err, given)
		require.Equal(t, want, got)
		require.Equal(t, strings.ToLower(given) != want, len(notes) == 1, "%q: a name that was changed is noted", given)
	}
}

func TestMarksBecomeComments(t *testing.T) {
	text := ";; site:     a.example.\nwww.a.example.\t1\tIN\tA\t1.1.1.1\tdirect\r\n; a remark direct\nt.a.example. 1 IN TXT \"x direct\"\nu.a.example.\t1\tIN\tA\t1.1.1.2\tproxied"
	require.Equal(t, ";; site:     a.example.\nwww.a.example.\t1\tIN\tA\t1.1.1.1\t; esa:direct\n; a remark direct\nt.a.example. 1 IN TXT \"x direct\"\n"+
		"u.a.example.\t1\tIN\tA\t1.1.1.2\t; esa:proxied", markComments(text))
	plain := "www IN CNAME direct"
	require.Equal(t, plain, markComments(plain), "another zone may have such a name")
}

func TestUnescape(t *testing.T) {
	for text, want := range map[string]string{`plain`: "plain", `a\"b`: `a"b`, `\195\169`: "é", `back\\slash`: `back\slash`, `end\`: `end\`} {
		require.Equal(t, want, unescape(text))
	}
}

func FuzzReadZone(f *testing.F) {
	for _, seed := range []string{"www IN A 1.2.3.4\n", "name,type,value\nwww,A,1.2.3.4\n", ";; site: a\nwww 1 IN TXT \"\\195\" direct\n", "$INCLUDE /etc/passwd\n", "$GENERATE 1-3 h$ A 1.2.3.$\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		file, err := readZone(text, "shop.example", false)
		if err != nil {
			return
		}
		for _, row := range file.rows {
			require.NotEmpty(t, row.kind)
		}
	})
}

// No file of the machine is read through a zone file.
func TestZoneFilesIncludeNothing(t *testing.T) {
	_, err := readZone("$INCLUDE /etc/hostname\n", "shop.example", false)
	require.ErrorContains(t, err, "cannot be read")
}

func TestZoneFilesAreBounded(t *testing.T) {
	file, err := readZone("$GENERATE 1-60000 h$ A 1.2.3.4\n", "shop.example", false)
	require.NoError(t, err)
	require.Len(t, file.rows, maxImportRows+1)
}

const activeNSSite = `{"SiteModel":{"SiteId":5,"SiteName":"shop.example","Status":"active","AccessType":"NS"}}`

func TestUpdateSendsTheWholeRecord(t *testing.T) {
	f := &fakeESA{answers: map[string]func(esa.Params) (any, error){
		"GetRecord": say(`{"RecordModel":{"RecordId":9007199254740993,"SiteId":5,"RecordName":"b.shop.example","RecordType":"CNAME","RecordSourceType":"OSS","HostPolicy":"follow_hostname",
			"Data":{"Value":"b.oss.example"},"Ttl":30,"Proxied":true,"BizName":"api","Comment":"c","HttpPorts":"80,8080",
			"AuthConf":{"AuthType":"private","AccessKey":"CANARY1","SecretKey":"CANARY2"}}}`),
		"GetSite": say(activeNSSite), "UpdateRecord": say(`{}`),
	}}
	out, err := callTool(t, f, "update_record", `{"record_id":9007199254740993,"ttl":60}`)
	require.NoError(t, err)
	require.NotContains(t, out, "CANARY")
	require.Equal(t, fakeCall{"UpdateRecord", `{"AuthConf":{"AccessKey":"CANARY1","AuthType":"private","SecretKey":"CANARY2"},"BizName":"api","Comment":"c",` +
		`"Data":{"Value":"b.oss.example"},"HostPolicy":"follow_hostname","HttpPorts":"80,8080","Proxied":true,"RecordId":9007199254740993,"SourceType":"OSS","Ttl":60,"Type":"CNAME"}`}, f.calls[2])
	f.calls = nil
	_, err = callTool(t, f, "update_record", `{"record_id":"9007199254740993","proxied":false}`)
	require.NoError(t, err)
	require.NotContains(t, f.calls[2].Params, "BizName")
	require.NotContains(t, f.calls[2].Params, "HostPolicy")
}

// An answer that does not tell of every row is not taken for success, and a call
// that fails half-way says what exists.
func TestBatchAnswersThatAreNotWhole(t *testing.T) {
	f := &fakeESA{answers: map[string]func(esa.Params) (any, error){
		"GetSite":            say(activeNSSite),
		"BatchCreateRecords": say(`{"RecordResultList":{"Success":[{"RecordId":7,"RecordName":"a.shop.example","RecordType":"TXT"}],"Failed":[],"TotalCount":2}}`),
	}}
	const two = `{"site_id":"5","records":[{"name":"a","type":"TXT","value":"x"},{"name":"b","type":"TXT","value":"x"}]}`
	_, err := callTool(t, f, "batch_create_records", two)
	require.ErrorContains(t, err, "1 records of which the answer says nothing")

	calls := 0
	f.answers["BatchCreateRecords"] = func(esa.Params) (any, error) {
		if calls++; calls > 1 {
			return nil, &esa.Error{Action: "BatchCreateRecords", Code: "RequestTimeout", OutcomeUnknown: true}
		}
		return `{"RecordResultList":{"Success":[{"RecordId":7,"RecordName":"a.shop.example","RecordType":"TXT"}]}}`, nil
	}
	long := strings.Repeat("y", maxBatchBytes)
	_, err = callTool(t, f, "batch_create_records", `{"site_id":"5","records":[{"name":"a","type":"TXT","value":"`+long+`"},{"name":"b","type":"TXT","value":"x"}]}`)
	require.ErrorContains(t, err, "Of 2 records 1 were created, 0 were not, and 1 may have been")
	require.ErrorContains(t, err, "TXT a.shop.example (record_id 7)")
}

// Every field of a record's data is sent under its name.
func TestRecordDataIsSentWhole(t *testing.T) {
	number := int64(7)
	var data RecordData
	v := reflect.ValueOf(&data).Elem()
	for i := range v.NumField() {
		if f := v.Field(i); f.Kind() == reflect.String {
			f.SetString("text")
		} else {
			f.Set(reflect.ValueOf(&number))
		}
	}
	sent := data.params()
	wire := reflect.TypeFor[wireRecordData]()
	require.Len(t, sent, wire.NumField())
	for i := range wire.NumField() {
		require.Contains(t, sent, wire.Field(i).Name)
	}
	require.Empty(t, RecordData{}.params())
}
