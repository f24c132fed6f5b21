package main

import (
	"slices"
	"strings"
)

// Why the local ESA cannot come to a code by itself.
const (
	busy     = "the local ESA is never busy"
	broken   = "the local ESA does not fail"
	spelling = "another spelling for what the local ESA answers with the documented code"
	ourWay   = "the client never sends such a call"
	account  = "the local account's key is plain and never disabled"
)

// codeCases are the codes of the table, each with a call that gets it.
func codeCases() []codeCase {
	return slices.Concat(generalCases(), siteCases(), recordCases(), nameCases(), valueCases(), sourceCases(), quotaCases(),
		certificateCases(), kvCases(), routineCases(), analyticsCases())
}

func generalCases() []codeCase {
	return []codeCase{
		{code: "UnsupportedHTTPMethod", outside: ourWay},
		{code: "InvalidAction.NotFound", outside: ourWay},
		{code: "InternalException", outside: broken}, {code: "ServiceInvokeFailed", outside: broken}, {code: "undefined", outside: broken},
		{code: "ServiceUnavailable", outside: busy}, {code: "TooManyRequests", outside: busy}, {code: "LockFailed", outside: busy},
		{code: "Throttling.User", outside: busy},
		{code: "DependedByOthers", action: "DeleteList", params: arguments{"Id": "$LIST"}, before: []apiCall{{"CreateWafRule", arguments{
			"SiteId": "$SITE", "Phase": "http_custom", "Config": arguments{"Name": "a", "Action": "deny", "Expression": "(ip.src in $blocked)"}}}}},
		{code: "ProductCheckError", outside: spelling},
		{code: "NotApplicable", world: "basic plan", action: "UpdateSiteVanityNS", params: arguments{"SiteId": "$SITE",
			"VanityNSList": "ns1.codes.example,ns2.codes.example"}},
		{code: "Instance.NotOnline", world: "unpaid plan", action: "CreateSite", params: newSiteOn("a.example")},
		{code: "MissingConfig", action: "CreateWafRule", params: arguments{"SiteId": "$SITE", "Phase": "http_custom"}},

		{code: "SignatureDoesNotMatch", world: "wrong secret", action: "ListSites"},
		{code: "InvalidAccessKeyId.NotFound", world: "unknown key", action: "ListSites"},
		{code: "InvalidSecurityToken.MismatchWithAccessKey", world: "foreign token", action: "ListSites"},
		{code: "InvalidTimeStamp.Expired", world: "later clock", action: "ListSites"},
		{code: "SignatureNonceUsed", outside: ourWay}, {code: "InvalidTimeStamp.Format", outside: ourWay}, {code: "InvalidAccessKeyId", outside: ourWay},
		{code: "InvalidAccessKeyId.Inactive", outside: account}, {code: "InvalidSecurityToken.Expired", outside: account},
		{code: "InvalidSecurityToken.Malformed", outside: account},
	}
}

func newSiteOn(name string) arguments {
	return arguments{"SiteName": name, "AccessType": "NS", "Coverage": "overseas", "InstanceId": "$PLAN"}
}

func siteCases() []codeCase {
	return []codeCase{
		{code: "SiteNotFound", action: "ListRecords", params: arguments{"SiteId": 1}},
		{code: "SiteNotFound.NotFound", outside: spelling}, {code: "InvalidSite.NotFound", outside: spelling},
		{code: "SiteIdDDoSVersionCheckFailed", outside: spelling}, {code: "101", outside: spelling}, {code: "32", outside: spelling},
		{code: "Site.AlreadyExist", action: "CreateSite", params: newSiteOn("codes.example")},
		{code: "Site.InvalidName", action: "CreateSite", params: newSiteOn("https://codes.example/")},
		{code: "Site.SubSiteUnavailable", world: "basic plan", action: "CreateSite", params: newSiteOn("eu.codes.example")},
		{code: "Site.InternalError", outside: broken}, {code: "Site.ServiceBusy", outside: busy},

		{code: "CompileRuleError", action: "CreateRedirectRule", params: redirect(`(http.host eq "a.example"`)},
		{code: "RuleRegexQuotaCheckFailed", world: "basic plan", action: "CreateRedirectRule", params: redirect(`(http.host matches "^a.*")`)},
	}
}

func redirect(rule string) arguments {
	return arguments{"SiteId": "$SITE", "RuleName": "a", "RuleEnable": "on", "Rule": rule, "Type": "static", "StatusCode": "302",
		"TargetUrl": "https://b.example/", "ReserveQueryString": "off"}
}

// record is a record that the usual site takes.
func record(change arguments) arguments {
	return with(arguments{"SiteId": "$SITE", "RecordName": "r.codes.example", "Type": "A/AAAA", "Ttl": 1, "Data": arguments{"Value": "203.0.113.9"}}, change)
}

func value(v string) arguments { return arguments{"Value": v} }

func recordCases() []codeCase {
	create := func(code string, change arguments) codeCase {
		return codeCase{code: code, action: "CreateRecord", params: record(change)}
	}
	onCNAME := func(change arguments) arguments {
		return with(arguments{"SiteId": "$CNAME", "RecordName": "r.cname.example"}, change)
	}
	proxied := func(change arguments) arguments { return with(arguments{"Proxied": true, "BizName": "web"}, change) }
	conflict := create("Record.Conflict", arguments{"RecordName": "twice.codes.example", "Data": value("203.0.113.10")})
	conflict.before = []apiCall{{"CreateRecord", record(arguments{"RecordName": "twice.codes.example"})}}
	circle := create("SourceCircleExist", arguments{"RecordName": "b.codes.example", "Type": "CNAME", "Data": value("a.codes.example")})
	circle.before = []apiCall{{"CreateRecord", record(arguments{"RecordName": "a.codes.example", "Type": "CNAME", "Data": value("b.codes.example")})}}
	return []codeCase{
		create("InvalidParameter.CnameSiteRecordNoProxied", onCNAME(nil)),
		create("InvalidParameter.CnameSiteRecordUnsupport", onCNAME(arguments{"Type": "TXT"})),
		create("InvalidParameter.InvalidBiz", arguments{"Proxied": true}),
		create("InvalidParameter.InvalidHostPolicy", proxied(arguments{"HostPolicy": "follow_hostname"})),
		create("InvalidParameter.PrivateIpAsSourceUnsupported", proxied(arguments{"Data": value("10.0.0.1")})),
		create("InvalidParameter.RecordCommentExceedLimit", arguments{"Comment": strings.Repeat("x", 101)}),
		circle, conflict,
		{code: "Record.NotFound", action: "GetRecord", params: arguments{"RecordId": 1}},
		create("Record.TTLExceedLimit", arguments{"Ttl": 5}),
		create("Record.ValidProxiedForSpecifedRecordType", proxied(arguments{"Type": "TXT"})),
		{code: "Record.ProtectedAsCustomHostnameSource", action: "DeleteRecord", params: arguments{"RecordId": "$ORIGIN"},
			before: []apiCall{{"CreateCustomHostname", arguments{"SiteId": "$SITE", "Hostname": "shop.elsewhere.example", "RecordId": "$ORIGIN", "SslFlag": "off"}}}},
		{code: "Record.ProxiedAsCustomHostnameSource", action: "UpdateRecord", params: arguments{"RecordId": "$ORIGIN", "Data": value("203.0.113.9"), "Proxied": false}},
		{code: "Record.NoResource", outside: busy}, {code: "Record.Reserved", outside: busy}, {code: "Record.ServiceBusy", outside: busy},
	}
}

func nameCases() []codeCase {
	named := func(code, name, kind string, data arguments) codeCase {
		return codeCase{code: code, action: "CreateRecord", params: record(arguments{"RecordName": name, "Type": kind, "Data": data})}
	}
	address := value("203.0.113.9")
	other := named("Record.RecordNameConflictForSpecifiedRecordType", "both.codes.example", "CNAME", value("x.elsewhere.example"))
	other.before = []apiCall{{"CreateRecord", record(arguments{"RecordName": "both.codes.example"})}}
	delegated := named("Record.RecordNameConflictWithNSRecord", "sub.codes.example", "A/AAAA", address)
	delegated.before = []apiCall{{"CreateRecord", record(arguments{"RecordName": "sub.codes.example", "Type": "NS", "Data": value("ns.elsewhere.example")})}}
	pooled := named("Record.RecordNameConflictWithPoolName", "pool.codes.example", "A/AAAA", address)
	balanced := named("Record.RecordNameConflictWithLBName", "lb.codes.example", "A/AAAA", address)
	balanced.before = []apiCall{{"CreateLoadBalancer", arguments{"SiteId": "$SITE", "Name": "lb.codes.example", "DefaultPools": []string{"$POOL"},
		"FallbackPool": "$POOL", "Monitor": arguments{"Type": "off"}, "SteeringPolicy": "order", "Enabled": true}}}
	tunnelled := named("Record.RecordNameConflictWithIPAName", "ssh.codes.example", "A/AAAA", address)
	tunnelled.before = []apiCall{{"CreateTransportLayerApplication", arguments{"SiteId": "$SITE", "RecordName": "ssh.codes.example",
		"Rules": []arguments{{"Protocol": "TCP", "EdgePort": "22", "SourceType": "ip", "Source": "203.0.113.1", "SourcePort": "22", "ClientIPPassThroughMode": "off"}}}}}
	return []codeCase{
		named("InvalidParameter.InvalidRecordName", "https://www.codes.example", "A/AAAA", address),
		named("InvalidParameter.InvalidRecordNameSuffix", "www", "A/AAAA", address),
		named("InvalidParameter.RecordNameExceedLimit", strings.Repeat("long.", 40)+"codes.example", "A/AAAA", address),
		named("InvalidParameter.InvalidDSRecordName", "codes.example", "DS", value("1 8 2 ab")),
		named("Record.UnmatchedRecordNameInvalidNamePrefixSuffix", "-a.codes.example", "A/AAAA", address),
		named("Record.SRVRecordInvalidRecordName", "sip.codes.example", "SRV", arguments{"Value": "a.example", "Priority": 1, "Weight": 1, "Port": 1}),
		named("Record.NSRecordCannotEqualSiteName", "codes.example", "NS", value("ns.elsewhere.example")),
		other, delegated,
		balanced, pooled, tunnelled,
	}
}

func valueCases() []codeCase {
	typed := func(code, kind string, data any) codeCase {
		return codeCase{code: code, action: "CreateRecord", params: record(arguments{"Type": kind, "Data": data})}
	}
	const long = "11 letters."
	port := typed("Record.SRVRecordPortExceedLimit", "SRV", arguments{"Value": "a.example", "Priority": 1, "Weight": 1, "Port": 70000})
	port.params["RecordName"] = "_sip._tcp.codes.example"
	return []codeCase{
		typed("InvalidParameter.RecordData", "MX", value("mx.example.com")),
		typed("Record.EmptyRecordValue", "TXT", value("")),
		{code: "Record.ParseJSONRecordValueFailed", outside: ourWay},
		typed("Record.UnsupportedType", "AAAA", value("2001:db8::1")),
		typed("Record.TXTRecordValueExceedLimit", "TXT", value(strings.Repeat(long, 41))),
		typed("Record.AorAAAARecordValueContainInvalidIP", "A/AAAA", value("203.0.113")),
		typed("Record.AorAAAARecordValueIPExceedLimit", "A/AAAA", value("192.0.2.1,192.0.2.2,192.0.2.3,192.0.2.4,192.0.2.5,192.0.2.6,192.0.2.7,192.0.2.8,192.0.2.9")),
		typed("Record.CNameRecordValueExceedLimit", "CNAME", value(strings.Repeat("long.", 60)+"example")),
		typed("Record.CNameRecordValueCannotEqualHostRecord", "CNAME", value("r.codes.example")),
		typed("Record.CNameRecordValueInvalidRecordDomain", "CNAME", value("https://x.example/")),
		{code: "Record.CNameRecordValueOther", outside: "the row is for codes that nobody has told of"},
		typed("Record.CAARecordFlagExceedLimit", "CAA", arguments{"Flag": 300, "Tag": "issue", "Value": "ca.example"}),
		typed("Record.CERTRecordAlgorithmExceedLimit", "CERT", arguments{"Type": 1, "KeyTag": 1, "Algorithm": 300, "Certificate": "YQ=="}),
		port,
		typed("Record.RecordPriorityExceedLimit", "MX", arguments{"Value": "mx.example.com", "Priority": 70000}),
		typed("Record.InvalidTslaEncodeWithTSLARecord", "TLSA", arguments{"Usage": 1, "Selector": 1, "MatchingType": 1, "Certificate": "xyz"}),
		typed("Record.TypeExceedLimitWithSSHFPRecord", "SSHFP", arguments{"Algorithm": 1, "Type": 300, "Fingerprint": "ab"}),
	}
}

func sourceCases() []codeCase {
	from := func(code, source string, auth arguments) codeCase {
		change := arguments{"Type": "CNAME", "Data": value("bucket.example.com"), "SourceType": source}
		if auth != nil {
			change["AuthConf"] = auth
		}
		return codeCase{code: code, action: "CreateRecord", params: record(change)}
	}
	return []codeCase{
		from("Record.UnsupportedSourceType", "FTP", nil),
		from("Record.PoolSourceNotExistPool", "OP", nil),
		from("Record.SourceEmptyAuthConf", "OSS", nil),
		from("Record.OSSSourceInvalidAuthType", "OSS", arguments{"AuthType": "secret"}),
		from("Record.S3SourceInvalidAuthType", "S3", arguments{"AuthType": "private_same_account"}),
	}
}

// quotaCases fill up a small account, in this order.
func quotaCases() []codeCase {
	on := func(change arguments) arguments { return record(with(arguments{"SiteId": "$SITE"}, change)) }
	text := arguments{"RecordName": "t.codes.example", "Type": "TXT", "Data": value("one")}
	return []codeCase{
		{code: "QuotaExceed.SiteCount", world: "small", action: "CreateSite", params: newSiteOn("third.example")},
		{code: "InvalidParameter.SourceIpInBlacklist", world: "small", action: "CreateRecord",
			params: on(arguments{"Proxied": true, "BizName": "web", "Data": value("203.0.113.66")})},
		{code: "QuotaExceed.WildCardRecord", world: "small", action: "CreateRecord", params: on(arguments{"RecordName": "*.b.codes.example"}),
			before: []apiCall{{"CreateRecord", on(arguments{"RecordName": "*.codes.example"})}}},
		{code: "SameNameRecordExceedLimit", world: "small", action: "CreateRecord", params: on(with(text, arguments{"Data": value("two")})),
			before: []apiCall{{"CreateRecord", on(text)}}},
		{code: "QuotaExceed.RecordCount", world: "small", action: "CreateRecord", params: on(arguments{"RecordName": "d.codes.example"}),
			before: []apiCall{{"CreateRecord", on(arguments{"RecordName": "c.codes.example"})}}},
		{code: "CertQuotaCheckFailed", world: "small", action: "ApplyCertificate", params: arguments{"SiteId": "$SITE", "Domains": "b.codes.example", "Type": "lets_encrypt"},
			before: []apiCall{{"ApplyCertificate", arguments{"SiteId": "$SITE", "Domains": "a.codes.example", "Type": "lets_encrypt"}}}},
		{code: "InvalidKey.ExceedsCapacity", world: "small", action: "PutKv", params: arguments{"Namespace": "full", "Key": "k", "Value": "more than ten bytes"},
			before: []apiCall{{"CreateKvNamespace", arguments{"Namespace": "full"}}}},
	}
}

func certificateCases() []codeCase {
	set := func(code, cert, key string) codeCase {
		return codeCase{code: code, action: "SetCertificate", params: arguments{"SiteId": "$SITE", "Type": "upload", "Name": "a", "Certificate": cert, "PrivateKey": key}}
	}
	twice := set("Certificate.Duplicated", "$CERT", "$KEY")
	twice.before = []apiCall{{"SetCertificate", twice.params}}
	return []codeCase{
		twice,
		{code: "InvalidCertificate.NotFound", action: "GetCertificate", params: arguments{"SiteId": "$SITE", "Id": "1"}},
		{code: "Certificate.NotFound", action: "GetOriginClientCertificate", params: arguments{"SiteId": "$SITE", "Id": "1"}},
		set("InvalidSSLPub", "no certificate", "$KEY"),
		set("InvalidSSLPri", "$CERT", "no key"),
		set("CertificateDomainNotMatchSite", "$OTHERCERT", "$OTHERKEY"),
		set("CertificateNotMatchPrivateKey", "$CERT", "$OTHERKEY"),
	}
}

func kvCases() []codeCase {
	put := func(code, key, value string) codeCase {
		return codeCase{code: code, action: "PutKv", params: arguments{"Namespace": "ns", "Key": key, "Value": value}}
	}
	full := codeCase{code: "InvalidNameSpace.QuotaFull", action: "CreateKvNamespace", params: arguments{"Namespace": "one-more"}}
	for _, name := range strings.Fields("b c d e f g h i j") { // ns is the first of ten
		full.before = append(full.before, apiCall{"CreateKvNamespace", arguments{"Namespace": "ns-" + name}})
	}
	return []codeCase{
		{code: "InvalidAccount.NotFound", world: "without KV", action: "GetKvAccount"},
		{code: "InvalidNameSpace.Malformed", action: "CreateKvNamespace", params: arguments{"Namespace": "a b"}},
		{code: "InvalidNameSpace.NotFound", action: "GetKvNamespace", params: arguments{"Namespace": "none"}},
		{code: "InvalidNameSpace.Duplicate", action: "CreateKvNamespace", params: arguments{"Namespace": "ns"},
			before: []apiCall{{"CreateKvNamespace", arguments{"Namespace": "ns"}}}},
		full,
		put("InvalidKey.Malformed", "a/b", "v"),
		put("InvalidKey.ExceedsMaximum", strings.Repeat("k", 513), "v"),
		put("InvalidValue.ExceedsMaximum", "k", strings.Repeat("v", 2_000_001)),
		{code: "InvalidKey.NotFound", action: "GetKv", params: arguments{"Namespace": "ns", "Key": "none"}},
		{code: "TooQuickRequests", outside: busy},
	}
}

func routineCases() []codeCase {
	return []codeCase{
		{code: "RoutineNotExist", action: "GetRoutine", params: arguments{"Name": "none"}},
		{code: "RoutineNameAlreadyExist", action: "CreateRoutine", params: arguments{"Name": "twice"},
			before: []apiCall{{"CreateRoutine", arguments{"Name": "twice"}}}},
		{code: "RoutineAlreadyExist", outside: spelling},
		{code: "ErService.HasOpened", action: "OpenErService"},
		{code: "NotNull", world: "closed routines", action: "GetRoutineUserInfo"},
		{code: "ParameterNotExist", outside: spelling},
	}
}

func analyticsCases() []codeCase {
	ask := func(code, start, end, fields string) codeCase {
		return codeCase{code: code, action: "DescribeSiteTopData", params: arguments{"StartTime": start, "EndTime": end, "Limit": "5", "Fields": fields}}
	}
	const fields = `[{"FieldName":"Requests","Dimension":["ALL"]}]`
	many := `[{"FieldName":"Requests","Dimension":["` + strings.Join(strings.Fields(`ClientASN ClientBrowser ClientCountryCode ClientDevice
		ClientIP ClientIPVersion ClientISP ClientOS ClientProvinceCode ClientRequestHost ClientRequestMethod ClientRequestPath`), `","`) + `"]}]`
	return []codeCase{
		ask("InvalidParameter.TimeRange", "$DAY-40", "$DAY-1", fields),
		ask("InvalidEndTime.Mismatch", "$DAY-1", "$DAY-2", fields),
		ask("InvalidTime.Malformed", "yesterday", "$DAY-1", fields),
		ask("QuotaCheckFailed.Function", "$DAY-400", "$DAY-399", fields),
		ask("InvalidParameter.Field", "$DAY-2", "$DAY-1", `[{"FieldName":"HitRate","Dimension":["ALL"]}]`),
		ask("InvalidParameter.Dimension", "$DAY-2", "$DAY-1", `[{"FieldName":"Requests","Dimension":["Status"]}]`),
		ask("TooManyDimensions", "$DAY-2", "$DAY-1", many),
	}
}
