package guard

// The types that the edge can serve. ESA keeps A and AAAA as one: a name has one
// record that holds all its addresses.
const (
	typeAddress = "A/AAAA"
	typeCNAME   = "CNAME"
)

func dnsRows() []Row {
	writes := []string{"CreateRecord", "UpdateRecord", "BatchCreateRecords"}
	creates := []string{"CreateRecord", "BatchCreateRecords"}
	return area("DNS records",
		// First, so that the others see the record as it is going to be.
		Row{ID: "dns-update-whole", Do: []Severity{Fix}, Source: fromAPI,
			Text:    "UpdateRecord replaces Data whole: what is not given is kept by reading the record first.",
			Actions: []string{"UpdateRecord"}, Check: keepRecord},
		Row{ID: "dns-type", Do: []Severity{Fix}, Source: fromGuide,
			Text:    "A and AAAA are one type, A/AAAA.",
			Actions: append([]string{"ListRecords"}, writes...), Check: fixRecordType},
		Row{ID: "dns-name", Do: []Severity{Fix}, Source: fromGuide,
			Text:    "A record's name is the full one, under the site: not a prefix, no trailing dot, no @.",
			Actions: creates, Check: fixRecordName,
			Reads: reads("GetSite")},
		Row{ID: "dns-cname-site-type", Do: []Severity{Block}, Source: fromGuide,
			Text:    "A site with CNAME access has only CNAME and A/AAAA records.",
			Actions: writes, Check: checkCNAMESiteType,
			Reads: reads("GetSite")},
		Row{ID: "dns-cname-site-proxy", Do: []Severity{Fix, Block}, Source: fromGuide,
			Text:    "A site with CNAME access proxies every record.",
			Actions: writes, Check: checkCNAMESiteProxy,
			Reads: reads("GetSite")},
		Row{ID: "dns-biz", Do: []Severity{Fix}, Source: fromGuide,
			Text:    "A proxied record needs a BizName (InvalidBiz): web is used.",
			Actions: writes, Check: fixBiz},
		Row{ID: "dns-biz-unproxied", Do: []Severity{Block}, Source: fromAPI,
			Text:    "BizName or HostPolicy where they mean nothing.",
			Actions: writes, Check: checkBizUnproxied},
		Row{ID: "dns-ttl", Do: []Severity{Block}, Source: fromGuide,
			Text:    "A TTL is 1 (automatic) or from 30 to 86400 seconds.",
			Actions: writes, Check: checkTTL},
		Row{ID: "dns-source-type", Do: []Severity{Fix, Block}, Source: fromGuide,
			Text:    "A CNAME's source type is Domain unless given, and then AuthConf is for nothing; OSS and S3 need it.",
			Actions: writes, Check: checkSourceType},
		Row{ID: "dns-private-ip", Do: []Severity{Block}, Source: fromAPI,
			Text:    "A private or reserved address as the origin of a proxied record. The local ESA reaches this machine's.",
			Actions: writes, Check: checkPrivateIP},
		Row{ID: "dns-one-address-record", Do: []Severity{Block}, Source: fromAPI,
			Text:    "One A/AAAA record holds all addresses of a name: a second create is offered as the merged update.",
			Actions: creates, Check: checkOneAddressRecord,
			Reads: reads("GetSite", "ListRecords")},
		Row{ID: "dns-exclusive", Do: []Severity{Block}, Source: fromAPI,
			Text:    "A/AAAA and CNAME exclude each other on a name, and a name has one CNAME.",
			Actions: writes, Check: checkExclusive,
			Reads: reads("GetSite", "ListRecords")},
		Row{ID: "dns-batch-partial", Do: []Severity{Fix}, Source: fromAPI, Where: "tools/dns_batch.go",
			Text:    "BatchCreateRecords answers 200 with failed rows: each row is reported, and the named tool fails.",
			Actions: []string{"BatchCreateRecords"}, After: reportFailedRecords},
		Row{ID: "dns-exact-search", Do: []Severity{Fix}, Source: fromAPI,
			Text:    "A search by name is exact unless told: it is made fuzzy.",
			Actions: []string{"ListRecords"}, Check: fuzzySearch("Record", "RecordName", "RecordMatchType")},
		Row{ID: "dns-secrets", Do: []Severity{Fix}, Source: fromAPI, Where: "tools/redact.go",
			Text: "AuthConf holds access keys: they are taken out of every answer."},
	)
}
