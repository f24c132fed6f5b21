package esa

import (
	"slices"
	"strings"
)

// CodeInfo says what an error code of the service really means.
type CodeInfo struct {
	// Code is the code, or the begin of several codes with a * at its end.
	Code string
	// Meaning is what happened, Fix what to do about it.
	Meaning, Fix string
	// Next is the tool that helps next, or empty. To this package it is text.
	Next string
}

// Symptom is a failure that comes without a code of the API.
type Symptom struct{ What, Meaning, Fix string }

// Codes returns the table of codes, by subject and in a fixed order.
func Codes() []CodeInfo {
	return slices.Concat(generalCodes(), accessCodes(), siteCodes(), recordCodes(), recordNameCodes(), recordValueCodes(),
		ruleCodes(), certificateCodes(), kvCodes(), routineCodes(), analyticsCodes())
}

// LookupCode finds what is known of a code: its own row, or else that of the
// longest begin.
func LookupCode(code string) (CodeInfo, bool) {
	var best CodeInfo
	for _, c := range Codes() {
		if c.Code == code {
			return c, true
		}
		if begin, ok := strings.CutSuffix(c.Code, "*"); ok && strings.HasPrefix(code, begin) && len(c.Code) > len(best.Code) {
			best = c
		}
	}
	return best, best.Code != ""
}

// text is meaning and fix as one.
func (c CodeInfo) text() string { return strings.TrimSpace(c.Meaning + " " + c.Fix) }

// Symptoms returns what goes wrong without a code: on the edge, or in an answer
// that says success.
func Symptoms() []Symptom {
	return []Symptom{
		{"401 on a default domain of a routine or Pages site", "Not an error of the site: default domains are private.",
			"Open the address with its access token, as get_routine gives it, or bind a custom domain for the public."},
		{"502 destination_not_found on the edge", "The origin is not down: an origin rule names a raw address or a host that is no record of the site.",
			"Give the rule the name of a record of the site (set_origin_rule); diagnose_domain finds it and offers the call."},
		{"A site search finds nothing", "The service's search is exact unless told otherwise, and a trailing dot breaks it.",
			"list_sites searches in the middle of names, too."},
		{"HTTP 200, and yet something failed", "Batches of records, of KV pairs and purges report failed rows inside a successful answer.",
			"The tools read them and name each row that failed."},
		{"Environment variables are empty after a deploy", "A version carries variables only if its environment was named when it was made.",
			"Deploy with deploy_pages or deploy_routine, which name it."},
	}
}

func generalCodes() []CodeInfo {
	return []CodeInfo{
		{"UnsupportedHTTPMethod", "Not a permission problem: the operation takes another HTTP method than was used.", "", ""},
		{"InvalidAction.NotFound", "This endpoint does not have the operation:", "check its name and the endpoint.", "search_api"},
		{"InternalException", "The service failed.", "Look whether it did it all the same before sending the call again.", ""},
		{"ServiceInvokeFailed", "A part of the service failed.", "Try again later; quote the request id if it persists.", ""},
		{"undefined", "The service failed without saying why.", "Try again in some seconds.", ""},
		{"ServiceUnavailable", "The service is busy:", "try again in some seconds.", ""},
		{"TooManyRequests", "Too many calls in a short time, or the service is busy:", "try again in some seconds.", ""},
		{"Throttling*", "Too many calls in a short time:", "wait some seconds, then go on more slowly.", ""},
		{"LockFailed", "Another change on this site is under way:", "try again in some seconds.", ""},
		{"DependedByOthers", "Something still uses it:",
			"delete or change that first (a load balancer its pool, a rule its list or page, a routine its record).", ""},
		{"ProductCheckError", "The site's plan does not have this feature.", "", "list_plan_instances"},
		{"NotApplicable", "Not for the site's plan, or not on this endpoint; the message says which.", "", "list_plan_instances"},
		{"QuotaExceed*", "A quota is used up:", "delete what is not needed any more or raise the quota in the console.", ""},
		{"Instance.NotOnline", "The plan instance has expired or is unpaid:", "renew it in the console.", "list_plan_instances"},
		{"Missing*", "A required parameter was not sent.", "", "describe_api"},
	}
}

func accessCodes() []CodeInfo {
	const temporary = "The temporary keys have expired or do not belong together:"
	const all = "get new ones, all three values."
	const clock, set = "This machine's clock is wrong:", "set it."
	const unknown = "The access key id does not exist on this endpoint:"
	const check = "check it, whether it is disabled, and whether the account is international (esa.ap-southeast-1.aliyuncs.com)."
	return []CodeInfo{
		{"SignatureDoesNotMatch", "The access key secret does not belong to the access key id, or was copied incompletely.", "", ""},
		{"SignatureNonceUsed", "The call arrived twice.", "Look whether it was done, then send it anew.", ""},
		{"InvalidAccessKeyId.NotFound", unknown, check, ""},
		{"InvalidAccessKeyId", unknown, check, ""},
		{"InvalidAccessKeyId.Inactive", "The access key is disabled:", "enable it in the RAM console or use another.", ""},
		{"InvalidTimeStamp.Expired", clock, set, ""},
		{"InvalidTimeStamp.Format", clock, set, ""},
		{"InvalidSecurityToken.Expired", temporary, all, ""},
		{"InvalidSecurityToken.Malformed", temporary, all, ""},
		{"InvalidSecurityToken.MismatchWithAccessKey", temporary, all, ""},
	}
}

func siteCodes() []CodeInfo {
	const gone, find = "The site id is wrong, deleted or of another account:", "list the sites to get it."
	var codes []CodeInfo
	for _, code := range []string{"SiteNotFound", "SiteNotFound.NotFound", "InvalidSite.NotFound", "SiteIdDDoSVersionCheckFailed", "101", "32"} {
		codes = append(codes, CodeInfo{code, gone, find, "list_sites"})
	}
	return append(codes,
		CodeInfo{"Site.AlreadyExist", "The account, or another one, has a site of this name.", "Use that one.", "list_sites"},
		CodeInfo{"Site.InvalidName", "A site's name is a domain such as example.com:", "without scheme, path or trailing dot.", "check_site_name"},
		CodeInfo{"Site.SubSiteUnavailable", "The plan does not take a name under another site's as a site of its own.",
			"Add a record to that site instead.", "list_sites"},
		CodeInfo{"Site.InternalError", "The service failed.", "Try again in some seconds.", ""},
		CodeInfo{"Site.ServiceBusy", "The service is busy with this site:", "try again in some seconds.", ""},
	)
}

func ruleCodes() []CodeInfo {
	return []CodeInfo{
		{"CompileRuleError", "The rule does not compile: besides syntax, a field or operator that this kind of rule or this plan does not have.", "", ""},
		{"RuleRegexQuotaCheckFailed", "The plan has no regular expressions at all:", "write the rule without matches, or change the plan.", ""},
	}
}

func certificateCodes() []CodeInfo {
	return []CodeInfo{
		{"Certificate.Duplicated", "This certificate is there already:", "look up its id instead of uploading it.", "list_certificates"},
		{"CertQuotaCheckFailed", "Expired certificates count too:", "delete those first.", "get_certificate_quota"},
		{"InvalidCertificate.NotFound", "No such certificate on this site:", "look up its id.", "list_certificates"},
		{"Certificate.NotFound", "No such certificate:", "look up its id.", "list_certificates"},
		{"InvalidSSLPub", "The certificate is no PEM that ESA reads:", "give the whole chain, the site's certificate first.", ""},
		{"InvalidSSLPri", "The private key is no PEM that ESA reads:", "give it without a passphrase.", ""},
		{"CertificateDomainNotMatchSite", "The certificate names no host of the site:", "use one whose names lie under the site's.", ""},
		{"CertificateNotMatchPrivateKey", "The private key does not belong to the certificate:", "give the pair that was made together.", ""},
	}
}

func kvCodes() []CodeInfo {
	return []CodeInfo{
		{"InvalidAccount.NotFound", "Not the access key: edge KV has never been enabled on this account.",
			"Enable it in the ESA console; no API call does it.", "get_kv_account"},
		{"InvalidNameSpace.Malformed", "The namespace's name has characters that it may not have:", "use letters, digits, hyphens and underscores.", ""},
		{"InvalidNameSpace.NotFound", "No namespace of this name:", "look for it, or create it.", "create_kv_namespace"},
		{"InvalidNameSpace.Duplicate", "The namespace exists already:", "use it.", ""},
		{"InvalidNameSpace.QuotaFull", "The account has all the namespaces it may have:", "delete one, or use one with a prefix for the keys.", "get_kv_account"},
		{"InvalidKey.Malformed", "A key has no spaces, slashes or backslashes:", "use another separator, such as a colon.", ""},
		{"InvalidKey.ExceedsMaximum", "The key is longer than 512 characters.", "", ""},
		{"InvalidKey.ExceedsCapacity", "The namespace is full:", "delete keys.", "list_kv"},
		{"InvalidKey.NotFound", "No such key, or it has expired. A key written a moment ago can take minutes to be seen.", "", "list_kv"},
		{"InvalidValue.ExceedsMaximum", "The value is larger than 2 MB.", "put_kv sends larger ones, up to 25 MB, as a file.", "put_kv"},
		{"TooQuickRequests", "Too many calls to edge KV in a short time:", "try again in some seconds.", ""},
	}
}

func routineCodes() []CodeInfo {
	const closed = "The edge routine service may not be open on this account, or the operation is superseded:"
	const see = "check GetErService, and use ListUserRoutines for GetRoutineUserInfo."
	return []CodeInfo{
		{"RoutineNotExist", "No routine of this name:", "list the routines, or create it.", "list_routines"},
		{"RoutineNameAlreadyExist*", "A routine of this name exists:", "deploy a new version to it instead of creating it.", "get_routine"},
		{"RoutineAlreadyExist*", "A routine of this name exists:", "deploy a new version to it instead of creating it.", "get_routine"},
		{"ErService.HasOpened", "The service is open already:", "go on.", ""},
		{"NotNull", closed, see, "list_routines"},
		{"ParameterNotExist", closed, see, "list_routines"},
	}
}

func analyticsCodes() []CodeInfo {
	return []CodeInfo{
		{"InvalidParameter.TimeRange", "The time span is longer than 31 days:", "ask for shorter periods.", "query_time_series"},
		{"InvalidEndTime.Mismatch", "The end lies before the start:", "exchange them.", "query_time_series"},
		{"InvalidTime.Malformed", "A time is written 2026-01-02T15:04:05Z, in UTC.", "The analytics tools also take -24h and -7d.", "query_time_series"},
		{"InvalidParameter.Field", "There is no such metric:", "there are Traffic, Requests, RequestTraffic and PageView.", "query_time_series"},
		{"InvalidParameter.Dimension", "There is no such dimension:", "names are such as ClientCountryCode and EdgeResponseStatusCode.", "query_top_data"},
		{"TooManyDimensions", "One query takes fewer dimensions:", "ask several times.", "query_top_data"},
		{"QuotaCheckFailed.Function", "No quota is used up: the plan does not keep data that long.", "Ask for a shorter or later time span.", "query_time_series"},
	}
}
