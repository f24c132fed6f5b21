package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/tools"
)

func TestBatchReportsEachRow(t *testing.T) {
	t.Parallel()
	s := startLocal(t, "--toolsets", "all")
	newSite(t, s, "shop.example", "NS")
	batch := func(records ...arguments) arguments {
		return arguments{"site_name": "shop.example", "records": records}
	}
	out := callOK[tools.BatchCreateOutput](t, s, "batch_create_records", batch(
		arguments{"name": "www", "type": "A", "value": "203.0.113.1", "proxied": true},
		arguments{"name": "www.shop.example", "type": "AAAA", "value": "2001:db8::1"},
		arguments{"name": "@", "type": "MX", "value": "mx.mail.example", "priority": 10},
		arguments{"name": "t", "type": "TXT", "value": "x", "ttl": 60}))
	require.Len(t, out.Created, 3, "the addresses of www are one record")
	require.Equal(t, "203.0.113.1,2001:db8::1", out.Created[0].Value)
	require.Equal(t, "10 mx.mail.example", out.Created[1].Value)
	got := callOK[tools.RecordOutput](t, s, "get_record", arguments{"record_id": out.Created[0].ID})
	require.True(t, got.Proxied)
	require.Equal(t, "web", got.BizName)

	text := s.refuse(t, "batch_create_records", batch(
		arguments{"name": "new", "type": "TXT", "value": "x"},
		arguments{"name": "www", "type": "A", "value": "203.0.113.7"}))
	require.Contains(t, text, "Of 2 records 1 were created and 1 were not.")
	require.Contains(t, text, "A/AAAA www.shop.example 203.0.113.7: Record.Conflict")
	require.Contains(t, text, "TXT new.shop.example (record_id ")

	text = s.refuse(t, "batch_create_records", batch(
		arguments{"name": "good", "type": "TXT", "value": "x"},
		arguments{"name": "bad", "type": "A", "value": "nowhere"},
		arguments{"name": "worse", "type": "TXT", "value": "x", "ttl": 2}))
	require.Contains(t, text, "Nothing was sent: of 3 records 2 are wrong")
	require.Contains(t, text, "records[1]")
	require.Contains(t, text, "records[2] TXT worse: ttl 2")
	require.EqualValues(t, 4, callOK[tools.ListRecordsOutput](t, s, "list_records", arguments{"site_name": "shop.example"}).Total)
}

const zoneFile = `$ORIGIN shop.example.
$TTL 3600
@	IN	SOA	ns1.old.example. admin.old.example. 1 7200 3600 1209600 3600
@	IN	NS	ns1.old.example.
@	IN	A	203.0.113.1
www	60	IN	A	203.0.113.2 ; cf_tags=cf-proxied:true
www	60	IN	AAAA	2001:db8::2
blog	IN	CNAME	host.blog.example.
@	IN	MX	10 mx
@	5	IN	TXT	"v=spf1 -all"
_sip._tcp	IN	SRV	1 2 5060 sip
@	IN	CAA	0 issue "letsencrypt.org"
old	IN	PTR	host
`

func TestImportOfAZoneFile(t *testing.T) {
	t.Parallel()
	s := startLocal(t, "--toolsets", "all")
	newSite(t, s, "shop.example", "NS")
	path := filepath.Join(t.TempDir(), "shop.zone")
	require.NoError(t, os.WriteFile(path, []byte(zoneFile), 0o600))
	args := func(more arguments) arguments {
		more["site_name"], more["path"] = "shop.example", path
		return more
	}
	dry := callOK[tools.ImportRecordsOutput](t, s, "import_records", args(arguments{"dry_run": true}))
	require.Equal(t, 7, dry.ToCreate)
	require.Len(t, dry.Create, 7)
	require.Zero(t, dry.Created)
	require.Len(t, dry.Skipped, 3)
	require.Contains(t, strings.Join(dry.Skipped, "\n"), "PTR old.shop.example: ESA does not have the type")
	require.Zero(t, callOK[tools.ListRecordsOutput](t, s, "list_records", arguments{"site_name": "shop.example"}).Total)

	out := callOK[tools.ImportRecordsOutput](t, s, "import_records", args(arguments{}))
	require.Equal(t, 7, out.Created)
	list := callOK[tools.ListRecordsOutput](t, s, "list_records", arguments{"site_name": "shop.example", "name": "www"}).Records
	require.Len(t, list, 1)
	require.Equal(t, "203.0.113.2,2001:db8::2", list[0].Data.Value)
	require.True(t, list[0].Proxied)
	spf := callOK[tools.ListRecordsOutput](t, s, "list_records", arguments{"site_name": "shop.example", "type": "TXT"}).Records[0]
	require.EqualValues(t, 30, spf.TTL, "the least that ESA takes")

	again := callOK[tools.ImportRecordsOutput](t, s, "import_records", args(arguments{}))
	require.Equal(t, 7, again.Same)
	require.Zero(t, again.ToCreate+again.ToChange+again.Created)

	callOK[tools.RecordOutput](t, s, "update_record", arguments{"record_id": list[0].ID, "value": "203.0.113.99", "comment": "mine"})
	diff := callOK[tools.ImportRecordsOutput](t, s, "import_records", args(arguments{}))
	require.Equal(t, 1, diff.ToChange)
	require.Zero(t, diff.Changed, "changing has to be asked for")
	require.Contains(t, diff.Change[0].Was, "203.0.113.99")
	diff = callOK[tools.ImportRecordsOutput](t, s, "import_records", args(arguments{"update": true}))
	require.Equal(t, 1, diff.Changed)
	back := callOK[tools.RecordOutput](t, s, "get_record", arguments{"record_id": list[0].ID})
	require.Equal(t, "203.0.113.2,2001:db8::2", back.Data.Value)
	require.Equal(t, "mine", back.Comment)
}

func TestExportAndImportAgain(t *testing.T) {
	t.Parallel()
	s := startLocal(t, "--toolsets", "all")
	newSite(t, s, "shop.example", "NS")
	callOK[tools.ImportRecordsOutput](t, s, "import_records", arguments{"site_name": "shop.example", "text": zoneFile})
	callOK[tools.RecordOutput](t, s, "create_record", arguments{"site_name": "shop.example", "name": "q", "type": "TXT", "value": `a "quoted"; text, é direct`})
	path := filepath.Join(t.TempDir(), "out.zone")
	out := callOK[tools.ExportRecordsOutput](t, s, "export_records", arguments{"site_name": "shop.example", "path": path})
	require.Equal(t, 9, out.Records)
	require.Contains(t, s.refuse(t, "export_records", arguments{"site_name": "shop.example", "path": path}), "nothing is overwritten")
	inline := callOK[tools.ExportRecordsOutput](t, s, "export_records", arguments{"site_name": "shop.example"})
	require.Contains(t, inline.Text, "www.shop.example.\t60\tIN\tA\t203.0.113.2\t; esa:proxied")

	same := callOK[tools.ImportRecordsOutput](t, s, "import_records", arguments{"site_name": "shop.example", "path": path})
	require.Equal(t, 8, same.Same)
	require.Zero(t, same.Created+same.ToChange)
	list := callOK[tools.ListRecordsOutput](t, s, "list_records", arguments{"site_name": "shop.example"})
	for _, r := range list.Records {
		callOK[tools.RecordOutput](t, s, "delete_record", arguments{"record_id": r.ID})
	}
	require.Equal(t, 8, callOK[tools.ImportRecordsOutput](t, s, "import_records", arguments{"site_name": "shop.example", "path": path}).Created)
	after := callOK[tools.ListRecordsOutput](t, s, "list_records", arguments{"site_name": "shop.example"})
	data := func(records []tools.Record) map[string]string {
		m := map[string]string{}
		for _, r := range records {
			m[r.Type+" "+r.Name] = fmt.Sprint(r.Data.Value, r.TTL, r.Proxied, r.BizName)
		}
		return m
	}
	require.Equal(t, data(list.Records), data(after.Records))
}

func TestImportOfCSVAndOfManyRows(t *testing.T) {
	t.Parallel()
	s := startLocal(t, "--toolsets", "all")
	newSite(t, s, "shop.example", "NS")
	text := "name,type,value,ttl,priority,proxied,biz_name\n" +
		"www,A,\"203.0.113.1,203.0.113.2\",60,,true,api\n@,MX,mx.mail.example,,5,,\nx,TXT,\"a, b\",,,,\n"
	out := callOK[tools.ImportRecordsOutput](t, s, "import_records", arguments{"site_name": "shop.example", "text": text})
	require.Equal(t, 3, out.Created)
	www := callOK[tools.ListRecordsOutput](t, s, "list_records", arguments{"site_name": "shop.example", "name": "www"}).Records[0]
	require.Equal(t, "api", www.BizName)
	require.EqualValues(t, 60, www.TTL)

	var many strings.Builder
	many.WriteString("name,type,value\n")
	for i := range 300 {
		fmt.Fprintf(&many, "h%d,TXT,value of host number %d\n", i, i)
	}
	require.Equal(t, 300, callOK[tools.ImportRecordsOutput](t, s, "import_records", arguments{"site_name": "shop.example", "text": many.String()}).Created)

	for want, args := range map[string]arguments{
		"either path or text":   {},
		"does not exist":        {"path": "/no/such.zone"},
		`"colour" is not known`: {"text": "name,type,colour\n"},
		"no column value":       {"text": "name,type\n"},
		"line 3, TXT b: ttl":    {"text": "name,type,value,ttl\na,TXT,x,\nb,TXT,x,2\n"},
		"cannot be read":        {"text": "www IN A 999.1.1.1\n"},
	} {
		args["site_name"] = "shop.example"
		require.Contains(t, s.refuse(t, "import_records", args), want)
	}
	require.Equal(t, []string{"line 2, A/AAAA a: value: \"x\" is not an IP address; a host name needs type CNAME."},
		callOK[tools.ImportRecordsOutput](t, s, "import_records", arguments{"site_name": "shop.example", "text": "name,type,value\na,A,x\n", "dry_run": true}).Problems)
}
