package guard_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

// newRecord are the parameters of an unproxied record.
func (w *world) newRecord(name, kind, value string, more params) params {
	p := w.on(params{"RecordName": name, "Type": kind, "Ttl": 1, "Data": map[string]any{"Value": value}})
	for k, v := range more {
		if v == nil {
			delete(p, k)
		} else {
			p[k] = v
		}
	}
	return p
}

// stored reads a record past the guardrails.
func (w *world) stored(id any) map[string]any {
	w.Helper()
	return w.do("GetRecord", params{"RecordId": id})["RecordModel"].(map[string]any)
}

// batch are the parameters of a batch of records.
func (w *world) batch(rows ...params) params {
	list := make([]any, len(rows))
	for i, row := range rows {
		delete(row, "SiteId") // the batch has it
		list[i] = row
	}
	return w.on(params{"RecordList": list})
}

var proxiedWeb = params{"Proxied": true, "BizName": "web"}

func ns(w *world)    { w.active("shop.example", "NS") }
func cname(w *world) { w.active("shop.example", "CNAME") }

func TestGuardrail_dns_type(t *testing.T) {
	prove(t, "dns-type", proof{
		setup: ns,
		with: func(w *world) {
			made := w.fixed("A and AAAA in one type", "CreateRecord", w.newRecord("www.shop.example", "a", "203.0.113.1", nil))
			require.Equal(w, "A/AAAA", w.stored(made["RecordId"])["RecordType"])
			list := w.fixed("used that", "ListRecords", w.on(params{"Type": "AAAA"}))
			require.Len(w, list["Records"], 1)
			w.fixed("RecordList[1]: Types are upper case: used TXT", "BatchCreateRecords", w.batch(w.newRecord("a.shop.example", "TXT", "x", nil), w.newRecord("b.shop.example", "txt", "x", nil)))
			w.goesThrough("CreateRecord", w.newRecord("c.shop.example", "A/AAAA", "203.0.113.1", nil))
		},
		without: func(w *world) {
			w.fails("Record.UnsupportedType", "CreateRecord", w.newRecord("www.shop.example", "A", "203.0.113.1", nil))
		},
	})
}

func TestGuardrail_dns_name(t *testing.T) {
	prove(t, "dns-name", proof{
		setup: ns,
		with: func(w *world) {
			for given, full := range map[string]string{"www": "www.shop.example", "API.shop.example.": "api.shop.example", "@": "shop.example", "*": "*.shop.example"} {
				made := w.fixed("used "+full, "CreateRecord", w.newRecord(given, "TXT", "x", nil))
				require.Equal(w, full, w.stored(made["RecordId"])["RecordName"])
			}
			w.refused("not under the site shop.example", "CreateRecord", w.newRecord("www.other.example.", "TXT", "x", nil))
			w.refused("not under the site", "CreateRecord", w.newRecord("myshop.example", "TXT", "x", nil))
			w.goesThrough("CreateRecord", w.newRecord("mail.shop.example", "TXT", "x", nil))
		},
		without: func(w *world) {
			w.fails("InvalidParameter.InvalidRecordNameSuffix", "CreateRecord", w.newRecord("www", "TXT", "x", nil))
			w.fails("InvalidParameter.InvalidRecordNameSuffix", "CreateRecord", w.newRecord("www.shop.example.", "TXT", "x", nil))
		},
	})
}

func TestGuardrail_dns_biz(t *testing.T) {
	bare := func(w *world, name string) params {
		return w.newRecord(name, "A/AAAA", "203.0.113.1", params{"Proxied": "true"})
	}
	prove(t, "dns-biz", proof{
		setup: ns,
		with: func(w *world) {
			made := w.fixed("used web", "CreateRecord", bare(w, "www.shop.example"))
			require.Equal(w, "web", w.stored(made["RecordId"])["BizName"])
			p := bare(w, "pix.shop.example")
			p["BizName"] = "video_image"
			w.fixed("used image_video", "CreateRecord", p)
			w.goesThrough("CreateRecord", w.newRecord("api.shop.example", "A/AAAA", "203.0.113.1", params{"Proxied": true, "BizName": "api"}))
		},
		without: func(w *world) {
			w.fails("InvalidParameter.InvalidBiz", "CreateRecord", bare(w, "www.shop.example"))
		},
	})
}

func TestGuardrail_dns_biz_unproxied(t *testing.T) {
	biz := func(w *world) params {
		return w.newRecord("www.shop.example", "CNAME", "a.example.net", params{"BizName": "web"})
	}
	prove(t, "dns-biz-unproxied", proof{
		setup: ns,
		with: func(w *world) {
			w.sends(w.refused("BizName is for proxied records", "CreateRecord", biz(w)))
			c := w.refused("HostPolicy is for CNAME records", "CreateRecord", w.newRecord("a.shop.example", "A/AAAA", "203.0.113.1",
				params{"Proxied": true, "BizName": "web", "HostPolicy": "follow_hostname"}))
			w.sends(c)
			w.refused("HostPolicy is for proxied records", "CreateRecord", w.newRecord("b.shop.example", "CNAME", "a.example.net", params{"HostPolicy": "follow_hostname"}))
			w.goesThrough("CreateRecord", w.newRecord("c.shop.example", "CNAME", "a.example.net", params{"Proxied": true, "BizName": "web", "HostPolicy": "follow_hostname"}))
		},
		without: func(w *world) {
			w.fails("InvalidParameter.InvalidBiz", "CreateRecord", biz(w))
			w.fails("InvalidParameter.InvalidHostPolicy", "CreateRecord", w.newRecord("a.shop.example", "A/AAAA", "203.0.113.1",
				params{"Proxied": true, "BizName": "web", "HostPolicy": "follow_hostname"}))
		},
	})
}

func TestGuardrail_dns_cname_site_type(t *testing.T) {
	prove(t, "dns-cname-site-type", proof{
		setup: cname,
		with: func(w *world) {
			w.refused("Create the TXT record at the domain's DNS provider", "CreateRecord", w.newRecord("a.shop.example", "TXT", "x", nil))
			w.goesThrough("CreateRecord", w.newRecord("b.shop.example", "CNAME", "a.example.net", proxiedWeb))
		},
		without: func(w *world) {
			w.fails("InvalidParameter.CnameSiteRecordUnsupport", "CreateRecord", w.newRecord("a.shop.example", "TXT", "x", nil))
		},
	})
}

func TestGuardrail_dns_cname_site_proxy(t *testing.T) {
	prove(t, "dns-cname-site-proxy", proof{
		setup: cname,
		with: func(w *world) {
			made := w.fixed("set Proxied", "CreateRecord", w.newRecord("a.shop.example", "CNAME", "a.example.net", nil))
			require.Equal(w, true, w.stored(made["RecordId"])["Proxied"])
			off := w.newRecord("b.shop.example", "CNAME", "a.example.net", params{"Proxied": false})
			require.Equal(w, true, w.refused("Proxied cannot be false", "CreateRecord", off).Params["Proxied"])
			w.refused("Proxied cannot be false", "UpdateRecord", params{"RecordId": made["RecordId"], "Data": map[string]any{"Value": "b.example.net"}, "Proxied": false})
		},
		without: func(w *world) {
			w.fails("InvalidParameter.CnameSiteRecordNoProxied", "CreateRecord", w.newRecord("a.shop.example", "CNAME", "a.example.net", nil))
		},
	})
}

func TestGuardrail_dns_one_address_record(t *testing.T) {
	second := func(w *world) params { return w.newRecord("www.shop.example", "A/AAAA", "203.0.113.2", nil) }
	prove(t, "dns-one-address-record", proof{
		setup: func(w *world) {
			ns(w)
			w.record("www.shop.example", "A/AAAA", "203.0.113.1", false)
		},
		with: func(w *world) {
			update := w.refused(`value "203.0.113.1,203.0.113.2"`, "CreateRecord", second(w))
			require.Equal(w, "UpdateRecord", update.Action)
			w.sends(update)
			require.Equal(w, "203.0.113.1,203.0.113.2", w.stored(update.Params["RecordId"])["Data"].(map[string]any)["Value"])
			w.refused("one row with all addresses", "BatchCreateRecords", w.batch(w.newRecord("a.shop.example", "A/AAAA", "203.0.113.1", nil), w.newRecord("A.shop.example.", "AAAA", "2001:db8::1", nil)))
			w.goesThrough("CreateRecord", w.newRecord("other.shop.example", "A/AAAA", "203.0.113.1", nil))
		},
		without: func(w *world) { w.fails("Record.Conflict", "CreateRecord", second(w)) },
	})
}

func TestGuardrail_dns_exclusive(t *testing.T) {
	other := func(w *world) params { return w.newRecord("www.shop.example", "CNAME", "a.example.net", nil) }
	prove(t, "dns-exclusive", proof{
		setup: func(w *world) {
			ns(w)
			w.record("www.shop.example", "A/AAAA", "203.0.113.1", true)
		},
		with: func(w *world) {
			update := w.refused("exclude each other", "CreateRecord", other(w))
			w.sends(update)
			require.Equal(w, "CNAME", w.stored(update.Params["RecordId"])["RecordType"])
			w.refused("a name has one CNAME", "CreateRecord", w.newRecord("www.shop.example", "CNAME", "b.example.net", nil))
			w.refused("stands in the list with type CNAME", "BatchCreateRecords", w.batch(w.newRecord("a.shop.example", "CNAME", "a.example.net", nil), w.newRecord("a.shop.example", "A/AAAA", "203.0.113.1", nil)))
			w.goesThrough("CreateRecord", w.newRecord("www.shop.example", "TXT", "beside it", nil))
		},
		without: func(w *world) {
			w.fails("Record.RecordNameConflictForSpecifiedRecordType", "CreateRecord", other(w))
		},
	})
}

func TestGuardrail_dns_ttl(t *testing.T) {
	at := func(w *world, ttl any) params {
		return w.newRecord("www.shop.example", "TXT", "x", params{"Ttl": ttl})
	}
	prove(t, "dns-ttl", proof{
		setup: ns,
		with: func(w *world) {
			for ttl, nearest := range map[int]int64{0: 1, 5: 30, 100000: 86400} {
				require.EqualValues(w, nearest, w.refused("1 (automatic) or 30 to 86400", "CreateRecord", at(w, ttl)).Params["Ttl"])
			}
			c := w.refused("RecordList[0]: Ttl 5", "BatchCreateRecords", w.batch(at(w, 5)))
			w.sends(c)
			w.goesThrough("CreateRecord", w.newRecord("a.shop.example", "TXT", "x", params{"Ttl": "86400"}))
		},
		without: func(w *world) { w.fails("Record.TTLExceedLimit", "CreateRecord", at(w, 5)) },
	})
}

func TestGuardrail_dns_source_type(t *testing.T) {
	bucket := func(w *world, name string, more params) params {
		p := w.newRecord(name, "CNAME", "assets.oss-cn-hangzhou.aliyuncs.com", proxiedWeb)
		for k, v := range more {
			p[k] = v
		}
		return p
	}
	public := map[string]any{"AuthType": "public"}
	prove(t, "dns-source-type", proof{
		setup: ns,
		with: func(w *world) {
			made := w.fixed("used OSS", "CreateRecord", bucket(w, "a.shop.example", params{"AuthConf": public}))
			require.Equal(w, "OSS", w.stored(made["RecordId"])["RecordSourceType"])
			w.sends(w.refused("OSS source needs AuthConf", "CreateRecord", bucket(w, "b.shop.example", params{"SourceType": "OSS"})))
			w.refused("set SourceType to OSS or S3", "CreateRecord", w.newRecord("c.shop.example", "CNAME", "files.example.net", params{"AuthConf": public}))
			w.fixed("written Domain", "CreateRecord", bucket(w, "d.shop.example", params{"SourceType": "domain"}))
			w.refused("SourceType is for CNAME records", "CreateRecord", w.newRecord("e.shop.example", "A/AAAA", "203.0.113.1", params{"SourceType": "Domain"}))
			plain := w.goesThrough("CreateRecord", w.newRecord("f.shop.example", "CNAME", "files.example.net", nil))
			require.Equal(w, "Domain", w.stored(plain["RecordId"])["RecordSourceType"])
		},
		without: func(w *world) {
			w.fails("Record.SourceEmptyAuthConf", "CreateRecord", bucket(w, "b.shop.example", params{"SourceType": "OSS"}))
			made := w.goesThrough("CreateRecord", bucket(w, "a.shop.example", params{"AuthConf": public}))
			require.Equal(w, "Domain", w.stored(made["RecordId"])["RecordSourceType"], "the bucket would be asked without its authentication")
		},
	})
}

func TestGuardrail_dns_private_ip(t *testing.T) {
	at := func(w *world, ip string) params { return w.newRecord("www.shop.example", "A/AAAA", ip, proxiedWeb) }
	prove(t, "dns-private-ip", proof{
		setup: ns,
		with: func(w *world) {
			for _, ip := range []string{"192.168.1.1", "203.0.113.1, 10.0.0.1", "100.64.0.1", "fd00::1", "::ffff:172.16.0.1"} {
				w.refused("which the edge cannot reach", "CreateRecord", at(w, ip))
			}
			w.goesThrough("CreateRecord", w.newRecord("lan.shop.example", "A/AAAA", "192.168.1.1", nil))
			w.goesThrough("CreateRecord", at(w, "203.0.113.1"))
		},
		without: func(w *world) {
			w.fails("InvalidParameter.PrivateIpAsSourceUnsupported", "CreateRecord", at(w, "192.168.1.1"))
		},
	})
}

func TestGuardrail_dns_update_whole(t *testing.T) {
	mx := params{}
	prove(t, "dns-update-whole", proof{
		setup: func(w *world) {
			ns(w)
			p := w.newRecord("shop.example", "MX", "mail.example.net", params{"Ttl": 600, "Comment": "the mail host"})
			p["Data"] = map[string]any{"Value": "mail.example.net", "Priority": 10}
			mx["RecordId"] = w.do("CreateRecord", p)["RecordId"]
		},
		with: func(w *world) {
			w.fixed("kept Type, Ttl, Comment, Data.Priority as stored", "UpdateRecord", params{"RecordId": mx["RecordId"], "Data": map[string]any{"value": "mx2.example.net"}, "Proxied": false})
			now := w.stored(mx["RecordId"])
			require.Equal(w, "the mail host", now["Comment"])
			require.Equal(w, json.Number("600"), now["Ttl"])
			require.Equal(w, map[string]any{"Value": "mx2.example.net", "Priority": json.Number("10")}, now["Data"])

			bucket := w.newRecord("a.shop.example", "CNAME", "assets.oss-cn-hangzhou.aliyuncs.com", proxiedWeb)
			bucket["SourceType"], bucket["AuthConf"] = "OSS", map[string]any{"AuthType": "private", "AccessKey": "the-key-id", "SecretKey": "the-secret"}
			id := w.do("CreateRecord", bucket)["RecordId"]
			res, err := w.try("UpdateRecord", params{"RecordId": id, "Ttl": 60})
			require.NoError(w, err)
			require.NotContains(w, w.notes(res)[0], "the-secret")
			require.Equal(w, "the-secret", w.stored(id)["AuthConf"].(map[string]any)["SecretKey"], "the key is kept")
			w.fixed("kept", "UpdateRecord", params{"RecordId": id, "Proxied": false})
			require.Empty(w, w.stored(id)["BizName"])
		},
		without: func(w *world) {
			w.fails("InvalidParameter.RecordData", "UpdateRecord", params{"RecordId": mx["RecordId"], "Data": map[string]any{"Value": "mx2.example.net"}})
		},
	})
}

func TestGuardrail_dns_batch_partial(t *testing.T) {
	rows := func(w *world) params {
		return w.batch(w.newRecord("a.shop.example", "TXT", "x", nil), w.newRecord("taken.shop.example", "A/AAAA", "203.0.113.9", nil))
	}
	prove(t, "dns-batch-partial", proof{
		setup: func(w *world) {
			ns(w)
			w.record("taken.shop.example", "A/AAAA", "203.0.113.1", false)
		},
		with: func(w *world) {
			w.warned("1 of 2 records were NOT created: A/AAAA taken.shop.example: Record.Conflict", "BatchCreateRecords", rows(w))
			_, err := w.tool("batch_create_records", map[string]any{"site_id": w.site, "records": []any{
				map[string]any{"name": "b", "type": "TXT", "value": "x"}, map[string]any{"name": "taken", "type": "A", "value": "203.0.113.9"}}})
			require.ErrorContains(w, err, "dns-batch-partial")
			require.ErrorContains(w, err, "b.shop.example (record_id")
			w.goesThrough("BatchCreateRecords", w.batch(w.newRecord("c.shop.example", "TXT", "x", nil)))
		},
		without: func(w *world) {
			result := w.goesThrough("BatchCreateRecords", rows(w))["RecordResultList"].(map[string]any)
			require.Len(w, result["Failed"], 1, "a success with a failure inside")
		},
	})
}

func TestGuardrail_dns_exact_search(t *testing.T) {
	prove(t, "dns-exact-search", proof{
		setup: func(w *world) {
			ns(w)
			w.record("www.shop.example", "TXT", "x", false)
		},
		with: func(w *world) {
			require.Len(w, w.fixed("searched fuzzy", "ListRecords", w.on(params{"RecordName": "www"}))["Records"], 1)
			require.Len(w, w.fixed("without a trailing dot", "ListRecords", w.on(params{"RecordName": "WWW.shop.example."}))["Records"], 1)
			require.Empty(w, w.goesThrough("ListRecords", w.on(params{"RecordName": "www", "RecordMatchType": "exact"}))["Records"])
		},
		without: func(w *world) {
			require.Empty(w, w.goesThrough("ListRecords", w.on(params{"RecordName": "www"}))["Records"])
		},
	})
}

func TestGuardrail_dns_secrets(t *testing.T) {
	var id any
	const secret = "canary-of-the-record"
	prove(t, "dns-secrets", proof{
		setup: func(w *world) {
			ns(w)
			p := w.newRecord("a.shop.example", "CNAME", "assets.oss-cn-hangzhou.aliyuncs.com", proxiedWeb)
			p["SourceType"], p["AuthConf"] = "OSS", map[string]any{"AuthType": "private", "AccessKey": secret + "-id", "SecretKey": secret}
			id = w.do("CreateRecord", p)["RecordId"]
		},
		with: func(w *world) {
			for name, arguments := range map[string]map[string]any{
				"get_record":   {"record_id": text(id), "raw": true},
				"list_records": {"site_id": w.site, "raw": true},
				"read_api":     {"action": "GetRecord", "params": map[string]any{"RecordId": id}},
			} {
				out, err := w.tool(name, arguments)
				require.NoError(w, err, name)
				require.NotContains(w, out, secret, name)
				require.Contains(w, out, "a.shop.example", name)
			}
		},
		without: func(w *world) {
			raw, err := json.Marshal(w.goesThrough("GetRecord", params{"RecordId": id}))
			require.NoError(w, err)
			require.Contains(w, string(raw), secret, "the service answers it whole")
		},
	})
}
