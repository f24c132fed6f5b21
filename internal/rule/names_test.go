package rule

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseKind(t *testing.T) {
	for text, want := range map[string]Kind{
		"": "", "any": "", "cache": KindCache, "CacheRule": KindCache, "OriginRule": KindOrigin, "RedirectRule": KindRedirect, "RewriteUrlRule": KindRewrite,
		"HttpRequestHeaderModificationRule": KindRequestHeader, "HttpIncomingRequestHeaderModificationRule": KindRequestHeader,
		"HttpResponseHeaderModificationRule": KindResponseHeader, "HttpIncomingResponseHeaderModificationRule": KindResponseHeader,
		"CompressionRule": KindCompression, "HttpsBasicConfiguration": KindHTTPS, "HttpsApplicationConfiguration": KindHTTPS, "ImageTransform": KindImage,
		"VideoProcessing": KindImage, "NetworkOptimization": KindNetwork, "CustomResponseCodeRule": KindCustomResponse, "http_custom": KindWAF,
		"http_whitelist": KindWAF, "http_managed": KindWAF, "http_anti_scan": KindWAF, "ip_access_rule": KindWAF, "http_bot": KindWAF,
		"http_security_level_rule": KindWAF, "http_ratelimit": KindRateLimit, "waf_user_ruleset": KindWAF, "RoutineRoute": KindRoute, "routine route": KindRoute,
		"load_balancer": KindLoadBalancer, "load balancing": KindLoadBalancer, "version_management": KindVersion, "WaitingRoomRule": KindWaitingRoom,
		"header": KindRequestHeader, "DevelopmentMode": KindDevelopmentMode,
	} {
		got, ok := ParseKind(text)
		require.True(t, ok, text)
		require.Equal(t, want, got, text)
	}
	for _, k := range Kinds() {
		got, ok := ParseKind(string(k))
		require.True(t, ok)
		require.Equal(t, k, got)
	}
	_, ok := ParseKind("coffee")
	require.False(t, ok)
	_, ok = ParseKind("rule")
	require.False(t, ok)
}

func TestParsePlan(t *testing.T) {
	for text, want := range map[string]Plan{
		"": "", "any": "", "basic": PlanBasic, "entranceplan": PlanBasic, "Free": PlanBasic, "standardplan": PlanMedium, "pro": PlanMedium,
		"Premium": PlanHigh, "advancedplan": PlanHigh, "enterpriseplan": PlanEnterprise, "regex-capable": PlanHigh,
	} {
		got, ok := ParsePlan(text)
		require.True(t, ok, text)
		require.Equal(t, want, got, text)
	}
	_, ok := ParsePlan("gold")
	require.False(t, ok)
	require.True(t, PlanBasic.less(PlanHigh))
	require.False(t, Plan("").less(PlanHigh))
}

func TestFieldTable(t *testing.T) {
	for _, f := range Fields() {
		require.NotEmpty(t, f.Operators, f.Name)
		require.NotEmpty(t, f.Source, f.Name)
		require.NotEmpty(t, f.label(), f.Name)
		known, evident := meant(f.Name)
		require.Equal(t, f.Name, known.Name)
		require.True(t, evident)
	}
	for _, o := range Operators() {
		require.NotEmpty(t, o.Meaning)
		r := Check("("+o.Form+")", Options{Plan: PlanEnterprise})
		require.True(t, r.Valid, "%s: %v", o.Form, r.Diagnostics)
	}
}
