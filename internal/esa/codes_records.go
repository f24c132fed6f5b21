package esa

func recordCodes() []CodeInfo {
	const source, conf = "An OSS or S3 source needs AuthConf:", "AuthType, and for private buckets the keys that it names."
	return []CodeInfo{
		{"InvalidParameter.CnameSiteRecordNoProxied", "On a site with CNAME access every record is proxied:", "set Proxied to true.", ""},
		{"InvalidParameter.CnameSiteRecordUnsupport", "A site with CNAME access takes only A/AAAA and CNAME records.", "", ""},
		{"InvalidParameter.InvalidBiz", "A proxied record needs BizName:", "web, api or image_video.", ""},
		{"InvalidParameter.InvalidHostPolicy", "HostPolicy is for proxied CNAME records only:", "leave it out elsewhere.", ""},
		{"InvalidParameter.PrivateIpAsSourceUnsupported", "A proxied record cannot point to a private or reserved address:",
			"use the origin's public one.", ""},
		{"InvalidParameter.SourceIpInBlacklist", "ESA does not take this address as an origin:", "use another, often because it is an address of ESA itself.", ""},
		{"InvalidParameter.RecordCommentExceedLimit", "The comment is too long:", "100 characters at most.", ""},
		{"QuotaExceed.RecordCount", "The site has all the records it may have:", "delete some, or raise the quota in the console.", "list_records"},
		{"QuotaExceed.WildCardRecord", "The site has all the wildcard records it may have:", "delete one, or name the hosts.", "list_records"},
		{"SameNameRecordExceedLimit", "Too many records of this name:", "put all addresses into one A/AAAA record.", "update_record"},
		{"SourceCircleExist", "The record leads back to itself:", "give the origin another name than one that this site serves.", "list_records"},
		{"Record.Conflict", "Another record of the same name is in the way:", "update or delete it. A and AAAA exclude CNAME, " +
			"and all addresses of a name are one A/AAAA record.", "list_records"},
		{"Record.NotFound", "No such record: its id changes when it is created anew.", "List the records to get it.", "list_records"},
		{"Record.TTLExceedLimit", "Ttl must be 1 (automatic) or 30 to 86400 seconds.", "", ""},
		{"Record.ValidProxiedForSpecifedRecordType", "Records of this type cannot be proxied:", "only A/AAAA and CNAME can.", ""},
		{"Record.ProtectedAsCustomHostnameSource", "Custom hostnames use the record as their origin:", "change those first.", ""},
		{"Record.ProxiedAsCustomHostnameSource", "The origin of custom hostnames has to stay proxied.", "", ""},
		{"Record.PoolSourceNotExistPool", "There is no origin pool of this name:", "create it first, or use another source.", ""},
		{"Record.UnsupportedSourceType", "A CNAME's source type is Domain, OSS, S3, LB or OP.", "", ""},
		{"Record.SourceEmpty*", source, conf, ""},
		{"Record.S3Source*", source, conf, ""},
		{"Record.OSSSource*", source, conf, ""},
		{"Record.NoResource", "The service has nothing to put the record on at the moment:", "try again in some seconds.", ""},
		{"Record.Reserved", "The name is reserved for a moment, most likely because a record of it was just deleted:", "try again in some seconds.", ""},
		{"Record.ServiceBusy", "The service is busy:", "try again in some seconds.", ""},
	}
}

func recordNameCodes() []CodeInfo {
	const name = "The record's name is no host name:"
	return []CodeInfo{
		{"InvalidParameter.InvalidRecordName", name, "labels of letters, digits and hyphens, joined by dots; * only as the first.", ""},
		{"InvalidParameter.InvalidRecordNameSuffix", "RecordName must be the full name under the site (www.example.com, not www),",
			"and SiteId that site's.", "list_sites"},
		{"InvalidParameter.RecordNameExceedLimit", "The record's name is too long:", "253 characters at most, 63 in a label.", ""},
		{"InvalidParameter.InvalidDSRecordName", "A DS record cannot stand at the site's own name:", "it belongs to a name that is delegated.", ""},
		{"Record.UnmatchedRecordName*", name, "the code's end says which rule it breaks.", ""},
		{"Record.SRVRecordInvalidRecordName", "An SRV record's name is _service._protocol.host.", "", ""},
		{"Record.NSRecordCannotEqualSiteName", "An NS record cannot stand at the site's own name:", "it delegates a name below it.", ""},
		{"Record.RecordNameConflict*", "Another record of the same name is in the way:",
			"update or delete it. A and AAAA exclude CNAME, and all addresses of a name are one A/AAAA record.", "list_records"},
		{"Record.RecordNameConflictWithNSRecord", "The name is delegated by an NS record:", "delete that first.", "list_records"},
		{"Record.RecordNameConflictWithLBName", "A load balancer has this name:", "use another name, or delete it first.", ""},
		{"Record.RecordNameConflictWithPoolName", "An origin pool has this name:", "use another name.", ""},
		{"Record.RecordNameConflictWithIPAName", "A transport-layer application has this name:", "use another name, or delete it first.", ""},
	}
}

func recordValueCodes() []CodeInfo {
	return []CodeInfo{
		{"InvalidParameter.RecordData", "Data does not have what a record of this type needs.", "", "describe_api"},
		{"Record.EmptyRecordValue", "Data.Value is empty.", "", ""},
		{"Record.ParseJSONRecordValueFailed", "Data is a JSON object whose fields depend on the type.", "", "describe_api"},
		{"Record.UnsupportedType", "There is no such record type:", "write A/AAAA for A and for AAAA.", ""},
		{"Record.TXTRecordValueExceedLimit", "The text is too long for a TXT record.", "", ""},
		{"Record.AorAAAARecordValueContainInvalidIP", "One of the addresses is none:", "write them with commas between.", ""},
		{"Record.AorAAAARecordValueIPExceedLimit", "Too many addresses in one record.", "", ""},
		{"Record.CNameRecordValue*", "The target must be a host name other than the record's own, without scheme, port or path.", "", ""},
		{"Record.CNameRecordValueExceedLimit", "The target's name is too long.", "", ""},
		{"Record.CNameRecordValueCannotEqualHostRecord", "A CNAME cannot point to its own name.", "", ""},
		{"Record.CNameRecordValueInvalidRecordDomain", "The target must be a host name, without scheme, port or path.", "", ""},
		{"Record.CAARecord*", "A CAA record has Flag 0 to 255, Tag issue, issuewild or iodef, and a Value that fits the tag.", "", ""},
		{"Record.CERTRecord*", "A CERT record has Type, KeyTag and Algorithm as numbers.", "", ""},
		{"Record.SRVRecordPort*", "A port is 0 to 65535.", "", ""},
		{"Record.Record*", "A number in Data is outside its range: Priority, Weight and the like; the code says which.", "", ""},
		{"Record.Invalid*", "Data holds a value that is not encoded as this type needs it: CAA, CERT, SSHFP, SMIMEA, TLSA and URI each have their form.", "", ""},
		{"Record.TypeExceedLimit*", "The record's inner type is outside its range.", "", ""},
	}
}
