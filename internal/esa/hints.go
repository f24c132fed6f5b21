package esa

import "strings"

// isNotFound reports whether a code means that the thing does not exist. The
// service has many spellings for it, some of them numbers.
func isNotFound(code string) bool {
	switch code {
	case "101", "32":
		return true
	}
	return strings.Contains(code, "NotFound") || strings.HasSuffix(code, "NotExist")
}

// hintFor says what a code really means and what to do, where the service's own
// text misleads or says nothing.
func hintFor(e *Error, action string) string {
	if h := codeHint(e.Code); h != "" {
		return h
	}
	if e.Code == "InvalidAction.NotFound" {
		return "This endpoint does not have the operation: check its name and the endpoint."
	}
	switch code := e.Code; {
	case strings.HasPrefix(code, "Routine") && strings.Contains(code, "AlreadyExist"):
		return "A routine of this name exists: deploy a new version to it instead of creating it."
	case strings.HasPrefix(code, "Throttling"):
		return "Too many calls in a short time: wait some seconds, then go on more slowly."
	case strings.HasPrefix(code, "QuotaExceed"):
		return "A quota is used up: delete what is not needed any more or raise the quota in the console."
	case strings.HasPrefix(code, "Record.RecordNameConflict"), code == "Record.Conflict":
		return "Another record of the same name is in the way: list the records of this name, then update or delete it. " +
			"A and AAAA exclude CNAME, and all addresses of a name are one A/AAAA record."
	case strings.HasPrefix(code, "Record.CNameRecordValue"):
		return "The target must be a host name other than the record's own, without scheme, port or path."
	case strings.HasPrefix(code, "Record.SourceEmpty"), strings.HasPrefix(code, "Record.S3Source"), strings.HasPrefix(code, "Record.OSSSource"):
		return "An OSS or S3 source needs AuthConf: AuthType, and for private buckets the keys that it names."
	case strings.HasPrefix(code, "Forbidden"), code == "NoPermission":
		return "The account's RAM user or role lacks the permission: attach AliyunESAFullAccess, or a policy with esa:" + action + "."
	case e.HTTPStatus == 403 && e.Code == CodeBadAnswer:
		return "Something before the service refused the call: a proxy or firewall, most likely."
	case e.HTTPStatus/100 == 3 || e.HTTPStatus == 404 && e.Code == CodeBadAnswer:
		return "This does not look like the ESA API: check the endpoint."
	}
	return ""
}

// codeHint has the codes that mean one thing.
func codeHint(code string) string {
	switch code {
	case "UnsupportedHTTPMethod":
		return "Not a permission problem: the operation takes another HTTP method than was used."
	case "InvalidParameter.InvalidBiz":
		return "A proxied record needs BizName: web, api or image_video."
	case "InvalidParameter.InvalidRecordNameSuffix":
		return "RecordName must be the full name under the site (www.example.com, not www), and SiteId that site's."
	case "InvalidParameter.CnameSiteRecordNoProxied":
		return "On a site with CNAME access every record is proxied: set Proxied to true."
	case "InvalidParameter.CnameSiteRecordUnsupport":
		return "A site with CNAME access takes only A/AAAA and CNAME records."
	case "InvalidParameter.PrivateIpAsSourceUnsupported":
		return "A proxied record cannot point to a private or reserved address: use the origin's public one."
	case "InvalidParameter.InvalidHostPolicy":
		return "HostPolicy is for proxied CNAME records only: leave it out elsewhere."
	case "CompileRuleError":
		return "The rule does not compile: besides syntax, a field or operator that this kind of rule or this plan does not have."
	case "RuleRegexQuotaCheckFailed":
		return "The plan has no regular expressions at all: write the rule without matches, or change the plan."
	case "CertQuotaCheckFailed":
		return "Expired certificates count too: delete those first."
	case "Certificate.Duplicated":
		return "This certificate is there already: look up its id instead of uploading it."
	case "QuotaCheckFailed.Function":
		return "No quota is used up: the plan does not keep data that long. Ask for a shorter or later time span."
	case "Instance.NotOnline":
		return "The plan instance has expired or is unpaid: renew it in the console."
	case "ErService.HasOpened":
		return "The service is open already: go on."
	case "NotNull", "ParameterNotExist":
		return "The edge routine service may not be open on this account, or the operation is superseded: " +
			"check GetErService, and use ListUserRoutines for GetRoutineUserInfo."
	case "ProductCheckError", "NotApplicable":
		return "The site's plan does not have this feature."
	case "SiteNotFound", "SiteNotFound.NotFound", "InvalidSite.NotFound", "SiteIdDDoSVersionCheckFailed", "101", "32":
		return "The site id is wrong, deleted or of another account: list the sites to get it."
	case "LockFailed":
		return "Another change on this site is under way: try again in some seconds."
	case "Site.ServiceBusy", "Record.ServiceBusy", "TooManyRequests", "TooQuickRequests", "ServiceUnavailable":
		return "The service is busy: try again in some seconds."
	case "DependedByOthers":
		return "Something still uses it: delete or change that first (a load balancer its pool, a rule its list or page, a routine its record)."
	case "InvalidAccount.NotFound":
		return "Not the access key: edge KV has never been enabled on this account. Enable it in the ESA console; no API call does it."
	case "SameNameRecordExceedLimit":
		return "Too many records of this name: put all addresses into one A/AAAA record."
	case "Record.TTLExceedLimit":
		return "Ttl must be 1 (automatic) or 30 to 86400 seconds."
	case "Record.NotFound":
		return "No such record: its id changes when it is created anew. List the records to get it."
	case "RoutineNotExist":
		return "No routine of this name: list the routines, or create it."
	case "SignatureDoesNotMatch":
		return "The access key secret does not belong to the access key id, or was copied incompletely."
	case "InvalidAccessKeyId.NotFound", "InvalidAccessKeyId":
		return "The access key id does not exist on this endpoint: check it, whether it is disabled, and whether the account is " +
			"international (esa.ap-southeast-1.aliyuncs.com)."
	case "InvalidAccessKeyId.Inactive":
		return "The access key is disabled: enable it in the RAM console or use another."
	case "InvalidTimeStamp.Expired", "InvalidTimeStamp.Format":
		return "This machine's clock is wrong: set it."
	case "InvalidSecurityToken.Expired", "InvalidSecurityToken.Malformed", "InvalidSecurityToken.MismatchWithAccessKey":
		return "The temporary keys have expired or do not belong together: get new ones, all three values."
	}
	return ""
}
