package rules

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
)

func TestRefusals(t *testing.T) {
	b := newBench(t, Config{})
	for name, c := range map[string]struct {
		family string
		params api.Params
		code   string
	}{
		"unknown site":           {"CacheRule", rule("a", "SiteId", "1"), "SiteNotFound"},
		"unknown version":        {"CacheRule", rule("a", "SiteVersion", "3"), "InvalidSiteVersion"},
		"rule without name":      {"CacheRule", api.Params{"Rule": "true"}, "InvalidRuleName"},
		"long name":              {"CacheRule", rule(strings.Repeat("é", 129)), "InvalidRuleName"},
		"empty expression":       {"CacheRule", rule("a", "Rule", ""), "CompileRuleError"},
		"open quote":             {"CacheRule", rule("a", "Rule", `(http.host eq "a)`), "CompileRuleError"},
		"open parenthesis":       {"CacheRule", rule("a", "Rule", `(http.host eq "a"`), "CompileRuleError"},
		"enable":                 {"CacheRule", rule("a", "RuleEnable", "yes"), "InvalidRuleEnable"},
		"sequence zero":          {"CacheRule", rule("a", "Sequence", "0"), "InvalidSequence"},
		"sequence text":          {"CacheRule", rule("a", "Sequence", "x"), "InvalidSequence"},
		"enumeration":            {"CacheRule", rule("a", "EdgeCacheMode", "always"), "InvalidEdgeCacheMode"},
		"one of several":         {"CacheRule", rule("a", "AdditionalCacheablePorts", "8880,80"), "InvalidAdditionalCacheablePorts"},
		"ttl is missing":         {"CacheRule", rule("a", "EdgeCacheMode", "override_origin"), "MissingEdgeCacheTtl"},
		"ttl is text":            {"CacheRule", rule("a", "EdgeCacheMode", "override_origin", "EdgeCacheTtl", "1h"), "InvalidEdgeCacheTtl"},
		"query string":           {"CacheRule", rule("a", "QueryStringMode", "include_query_string"), "MissingQueryString"},
		"range":                  {"CacheRule", rule("a", "PostBodySizeLimit", "9"), "InvalidPostBodySizeLimit"},
		"status ttl":             {"CacheRule", rule("a", "EdgeStatusCodeCacheTtl", "404"), "InvalidEdgeStatusCodeCacheTtl"},
		"port":                   {"OriginRule", rule("a", "OriginHttpPort", "70000"), "InvalidOriginHttpPort"},
		"host":                   {"OriginRule", rule("a", "OriginHost", "http://a.example"), "InvalidOriginHost"},
		"server name":            {"OriginRule", rule("a", "OriginSni", "a b"), "InvalidOriginSni"},
		"unknown list":           {"CacheRule", rule("a", "Rule", "(ip.src in $nobody)"), "CompileRuleError"},
		"follow":                 {"OriginRule", rule("a", "Follow302MaxTries", "6"), "InvalidFollow302MaxTries"},
		"relative target":        {"RedirectRule", rule("a", "Type", "static", "TargetUrl", "/x"), "InvalidTargetUrl"},
		"no target":              {"RedirectRule", rule("a", "Type", "dynamic", "TargetUrl", ""), "MissingTargetUrl"},
		"dynamic target":         {"RedirectRule", rule("a", "Type", "dynamic", "TargetUrl", `concat("https://a`), "CompileRuleError"},
		"dynamic uri":            {"RewriteUrlRule", rule("a", "RewriteUriType", "dynamic", "Uri", `concat("/a"`), "CompileRuleError"},
		"dynamic query":          {"RewriteUrlRule", rule("a", "RewriteQueryStringType", "dynamic", "QueryString", `)`), "CompileRuleError"},
		"dynamic header":         {"HttpRequestHeaderModificationRule", rule("a", "RequestHeaderModification", `[{"Name":"A","Operation":"add","Type":"dynamic","Value":"f("}]`), "CompileRuleError"},
		"header type":            {"HttpRequestHeaderModificationRule", rule("a", "RequestHeaderModification", `[{"Name":"A","Operation":"add","Type":"x","Value":"1"}]`), "InvalidRequestHeaderModification"},
		"header value is number": {"HttpRequestHeaderModificationRule", rule("a", "RequestHeaderModification", `[{"Name":"A","Operation":"add","Value":1}]`), "InvalidRequestHeaderModification"},
		"headers are an object":  {"HttpRequestHeaderModificationRule", rule("a", "RequestHeaderModification", `{"Name":"A"}`), "InvalidRequestHeaderModification"},
		"large rule":             {"CacheRule", rule("a", "QueryStringMode", "include_query_string", "QueryString", strings.Repeat("a", 4100)), "RuleSizeQuotaCheckFailed"},
		"nothing to rewrite":     {"RewriteUrlRule", rule("a"), "MissingUri"},
		"rewrite without type":   {"RewriteUrlRule", rule("a", "Uri", "/x"), "MissingRewriteUriType"},
		"relative uri":           {"RewriteUrlRule", rule("a", "Uri", "x", "RewriteUriType", "static"), "InvalidUri"},
		"no headers":             {"HttpRequestHeaderModificationRule", rule("a", "RequestHeaderModification", "[]"), "InvalidRequestHeaderModification"},
		"headers are no JSON":    {"HttpRequestHeaderModificationRule", rule("a", "RequestHeaderModification", "X: 1"), "InvalidRequestHeaderModification"},
		"header operation":       {"HttpRequestHeaderModificationRule", rule("a", "RequestHeaderModification", `[{"Name":"A","Operation":"set","Value":"1"}]`), "InvalidRequestHeaderModification"},
		"header without a value": {"HttpRequestHeaderModificationRule", rule("a", "RequestHeaderModification", `[{"Name":"A","Operation":"add"}]`), "InvalidRequestHeaderModification"},
		"header name":            {"HttpResponseHeaderModificationRule", rule("a", "ResponseHeaderModification", `[{"Name":"A B","Operation":"del"}]`), "InvalidResponseHeaderModification"},
		"cipher suites":          {"HttpsBasicConfiguration", rule("a", "CiphersuiteGroup", "custom"), "MissingCiphersuite"},
		"hsts without age":       {"HttpsApplicationConfiguration", rule("a", "Hsts", "on"), "MissingHstsMaxAge"},
		"status of a response":   {"CustomResponseCodeRule", rule("a", "PageId", "0", "ReturnCode", "42"), "InvalidReturnCode"},
		"upload size":            {"NetworkOptimization", rule("a", "UploadMaxFilesize", "99"), "InvalidUploadMaxFilesize"},
	} {
		t.Run(name, func(t *testing.T) {
			b.T = t
			_, code := b.Call("Create"+c.family, c.params)
			require.Equal(t, c.code, code)
			require.Equal(t, json.Number("0"), b.Must("List"+c.family+"s", api.Params{})["TotalCount"])
		})
	}
}
