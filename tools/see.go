package tools

import (
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/guard"
	"github.com/esa-mcp/esa-mcp/resources/docs"
)

// guardrailSections say which section explains a guardrail, by the begin of its
// id; the longest begin counts.
func guardrailSections() map[string]string {
	return map[string]string{
		"pages-": "guardrails#pages-and-routines", "pages-name": "pages#names-and-size-limits", "pages-limits": "pages#names-and-size-limits",
		"pages-versions-full": "pages#names-and-size-limits", "pages-empty": "pages#what-is-left-out", "pages-secrets": "pages#what-is-left-out",
		"pages-spa": "pages#paths-without-a-file", "pages-percent": "pages#staging-rollback-and-traffic-split",
		"pages-url-token": "pages#the-default-domain-answers-401",
		"er-":             "er#run-it-for-requests-of-your-site", "er-related-cname": "pages#bind-a-custom-domain", "er-lint": "er#what-the-runtime-has",
		"origin-": "origin-rules#the-rule-has-no-effect", "origin-ip": "origin-rules#a-502-after-an-origin-rule", "origin-port": "origin-rules#settings",
		"origin-record-missing": "origin-rules#a-502-after-an-origin-rule", "origin-scheme": "origin-rules#a-502-after-an-origin-rule",
		"rule-": "rule-generation-guide#grammar-in-short", "rule-kind": "rule-generation-guide#what-each-kind-accepts",
		"rule-plan": "rule-generation-guide#regular-expressions", "rule-field": "rule-match-fields#which-field",
		"rule-global": "rule-generation-guide#all-requests-and-the-global-configuration",
		"dns-":        "dns-records#what-the-errors-mean", "dns-type": "dns-records#types-and-values", "dns-name": "dns-records#create-a-record",
		"dns-biz": "dns-records#proxied-records", "dns-private-ip": "dns-records#proxied-records", "dns-cname": "dns-records#sites-with-cname-access",
		"dns-one-address-record": "dns-records#one-address-record-per-name", "dns-exclusive": "dns-records#one-address-record-per-name",
		"dns-ttl": "dns-records#ttl", "dns-source": "dns-records#sources-in-object-storage", "dns-batch": "dns-records#many-records",
		"site-": "sites#change-a-site", "site-plan": "sites#add-a-domain", "site-icp": "sites#coverage", "site-pending": "sites#verify-a-pending-site",
		"site-version": "sites#versions-of-the-configuration", "site-delete": "sites#delete-a-site", "site-search": "sites#find-a-site",
		"cache-": "cache#other-settings", "cache-ttl": "cache#cache-for-a-time", "cache-purge": "cache#purge",
		"kv-": "kv#limits", "kv-key": "kv#keys", "kv-ttl": "kv#expiry", "kv-batch": "kv#many-values-at-once", "kv-list": "kv#list-keys",
		"kv-disabled": "kv#before-the-first-write", "kv-eventual": "kv#consistency", "kv-namespace-delete": "kv#delete",
		"stats-": "time-series#time-span-and-interval", "stats-time": "time-series#how-times-are-written", "stats-order": "time-series#how-times-are-written",
		"stats-metric": "fields#what-does-not-exist", "stats-dimension": "fields#dimensions", "stats-sampling": "time-series#sampling",
		"stats-limit": "top-data#ask-for-a-ranking",
		"cert-":       "certificates#new-records-have-none", "cert-quota": "certificates#quota", "cert-cname-wildcard": "certificates#wildcards-and-cname-access",
		"cert-mismatch": "certificates#your-own-certificate", "cert-key-path": "certificates#your-own-certificate",
		"cert-cas-region": "certificates#your-own-certificate",
	}
}

// codeSections say the same of the service's error codes. Codes that their own
// text explains in full are not here.
func codeSections() map[string]string {
	const records, address, web = "dns-records#what-the-errors-mean", "dns-records#one-address-record-per-name", "dns-records#proxied-records"
	return map[string]string{
		"UnsupportedHTTPMethod": "api_overview#reading-and-changing",
		"InvalidAccessKeyId":    "endpoints#errors-of-signing-in", "SignatureDoesNotMatch": "endpoints#errors-of-signing-in",
		"InvalidSecurityToken": "endpoints#credentials", "Forbidden": "endpoints#permissions", "NoPermission": "endpoints#permissions",
		"CompileRuleError": "rule-generation-guide#what-each-kind-accepts", "RuleRegexQuotaCheckFailed": "rule-generation-guide#regular-expressions",
		"Record.": records, "Record.RecordNameConflict": address, "Record.Conflict": address, "SameNameRecordExceedLimit": address,
		"Record.TTLExceedLimit": "dns-records#ttl", "Record.UnsupportedType": "dns-records#types-and-values",
		"Record.Source": "dns-records#sources-in-object-storage", "Record.S3Source": "dns-records#sources-in-object-storage",
		"Record.OSSSource": "dns-records#sources-in-object-storage", "Record.UnsupportedSourceType": "dns-records#sources-in-object-storage",
		"InvalidParameter.InvalidBiz": web, "InvalidParameter.InvalidHostPolicy": web, "InvalidParameter.PrivateIpAsSourceUnsupported": web,
		"SourceCircleExist": web, "InvalidParameter.RecordData": "dns-records#types-and-values",
		"InvalidParameter.InvalidRecordName": "dns-records#create-a-record", "InvalidParameter.CnameSiteRecord": "dns-records#sites-with-cname-access",
		"Site.SubSiteUnavailable": "sites#add-a-domain", "Site.InvalidName": "sites#add-a-domain", "Instance.NotOnline": "sites#states-of-a-site",
		"InvalidAccount.NotFound": "kv#before-the-first-write", "InvalidKey.Malformed": "kv#keys", "InvalidKey.NotFound": "kv#consistency",
		"InvalidNameSpace": "kv#before-the-first-write", "InvalidValue.ExceedsMaximum": "kv#limits", "InvalidKey.Exceeds": "kv#limits",
		"CertQuotaCheckFailed": "certificates#quota", "CertificateNotMatchPrivateKey": "certificates#your-own-certificate",
		"CertificateDomainNotMatchSite": "certificates#your-own-certificate", "InvalidSSL": "certificates#your-own-certificate",
		"InvalidParameter.Field": "fields#what-does-not-exist", "InvalidParameter.Dimension": "fields#dimensions",
		"InvalidParameter.TimeRange": "time-series#time-span-and-interval", "InvalidTime.Malformed": "time-series#how-times-are-written",
		"QuotaCheckFailed.Function": "time-series#how-far-back",
		"NotNull":                   "pages#what-happens-underneath", "ParameterNotExist": "pages#what-happens-underneath",
	}
}

// toolSections say which section to read before a tool is used that takes more
// knowledge than its schema has room for. Their descriptions end with it.
func toolSections() map[string]string {
	return map[string]string{
		"deploy_pages":              "pages#deploy-a-folder",
		"bind_custom_domain":        "pages#bind-a-custom-domain",
		"publish_routine_version":   "pages#staging-rollback-and-traffic-split",
		"deploy_routine":            "er#what-the-runtime-has",
		"set_route":                 "er#run-it-for-requests-of-your-site",
		"create_site":               "sites#add-a-domain",
		"create_record":             "dns-records#create-a-record",
		"put_kv":                    "kv#limits",
		"import_kv":                 "kv#many-values-at-once",
		"set_cache_rule":            "cache#modes",
		"purge_cache":               "cache#purge",
		"set_origin_rule":           "origin-rules#settings",
		"proxy_subdomain":           "origin-rules#the-short-way",
		"apply_certificate":         "certificates#wildcards-and-cname-access",
		"set_certificate":           "certificates#your-own-certificate",
		"upload_origin_client_cert": "certificates#client-certificate-for-the-origin",
		"set_rule":                  "rule-generation-guide#what-each-kind-accepts",
		"check_rule":                "rule-match-fields#which-field",
		"query_time_series":         "time-series#time-span-and-interval",
		"query_top_data":            "top-data#questions-and-their-dimensions",
	}
}

// seeTool adds to a tool's description where to read on.
func seeTool(name, description string) string {
	if section, ok := toolSections()[name]; ok {
		return description + " See " + docs.IndexURI + "/" + section + "."
	}
	return description
}

// sectionFor is the address of the section with the longest begin of name; empty
// if there is none.
func sectionFor(name string, sections map[string]string) string {
	best := ""
	for begin := range sections {
		if strings.HasPrefix(name, begin) && len(begin) > len(best) {
			best = begin
		}
	}
	if best == "" {
		return ""
	}
	return docs.IndexURI + "/" + sections[best]
}

var guardrailID = lazyRegexp(`\b[a-z]+(-[a-z]+)+\b`)

// seeGuardrail is the section that explains the first guardrail that a refusal
// names.
func seeGuardrail(text string) string {
	known := map[string]bool{}
	for _, row := range guard.Table() {
		known[row.ID] = true
	}
	for _, word := range guardrailID().FindAllString(text, -1) {
		if known[word] {
			return sectionFor(word, guardrailSections())
		}
	}
	return ""
}

// withSee adds the address to a text that does not have one.
func withSee(text, uri string) string {
	if uri == "" || strings.Contains(text, docs.IndexURI) {
		return text
	}
	return text + "\nSee: " + uri
}
