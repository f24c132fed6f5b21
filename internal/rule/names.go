package rule

import (
	"slices"
	"strings"
)

// Kinds lists the kinds of rules.
func Kinds() []Kind {
	return []Kind{KindCache, KindOrigin, KindRedirect, KindRewrite, KindRequestHeader, KindResponseHeader, KindCompression,
		KindHTTPS, KindImage, KindNetwork, KindCustomResponse, KindWAF, KindRateLimit, KindRoute, KindLoadBalancer,
		KindVersion, KindDevelopmentMode, KindWaitingRoom}
}

// Plans lists the plans, from the least to the most.
func Plans() []Plan { return []Plan{PlanBasic, PlanMedium, PlanHigh, PlanEnterprise} }

// ParseKind reads a kind as this package, the ESA operations (CacheRule,
// HttpsBasicConfiguration) or the phases of the WAF (http_custom) name it. The
// empty text and "any" are the unknown kind.
func ParseKind(text string) (Kind, bool) {
	name := plainName(text)
	for _, end := range []string{"rules", "rule", "configuration", "modification"} {
		name = strings.TrimSuffix(name, end)
	}
	if name == "" || name == "any" || name == "all" {
		return "", name != "" || strings.TrimSpace(text) == ""
	}
	for _, k := range Kinds() {
		if plainName(string(k)) == name {
			return k, true
		}
	}
	switch name {
	case "url", "rewriteurl", "urlrewrite", "transform":
		return KindRewrite, true
	case "header", "httprequestheader", "httpincomingrequestheader", "incomingrequestheaders", "requestheaders", "headers":
		return KindRequestHeader, true
	case "httpresponseheader", "httpincomingresponseheader", "incomingresponseheaders", "responseheaders":
		return KindResponseHeader, true
	case "httpsapplication", "httpsbasic", "tls":
		return KindHTTPS, true
	case "imagetransform", "images", "videoprocessing", "video":
		return KindImage, true
	case "networkoptimization":
		return KindNetwork, true
	case "customresponsecode", "customerror", "customresponses":
		return KindCustomResponse, true
	case "wafuserruleset", "wafrulesets", "wafruleset", "httpcustom", "httpwhitelist", "httpbot", "httpmanaged", "httpantiscan", "ipaccess",
		"httpsecuritylevel", "security":
		return KindWAF, true
	case "httpratelimit", "ratelimiting", "rateplan":
		return KindRateLimit, true
	case "routine", "routineroute", "routes", "er", "edgeroutine", "erroute":
		return KindRoute, true
	case "lb", "loadbalancing", "loadbalance":
		return KindLoadBalancer, true
	case "versionmanagement", "gray", "grayscale", "siteversion":
		return KindVersion, true
	case "devmode":
		return KindDevelopmentMode, true
	}
	return "", false
}

// ParsePlan reads a plan as GetWafFilter names it (basic, medium, high,
// enterprise), as it is sold (Entrance, Pro, Premium, Enterprise) or as a plan
// instance says (basicplan, enterpriseplan). The empty text and "any" are the
// unknown plan.
func ParsePlan(text string) (Plan, bool) {
	name := strings.TrimSuffix(plainName(text), "plan")
	switch name {
	case "":
		return "", true
	case "any", "all":
		return "", true
	case "basic", "entrance", "free", "lite", "personal":
		return PlanBasic, true
	case "medium", "pro", "standard":
		return PlanMedium, true
	case "high", "premium", "advanced", "professional", "regexcapable":
		return PlanHigh, true
	case "enterprise", "ent", "ultimate":
		return PlanEnterprise, true
	}
	return "", false
}

// plainName is a name in lower case without the marks between its words.
func plainName(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || r == '-' || r == ' ' {
			return -1
		}
		return r
	}, strings.ToLower(strings.TrimSpace(s)))
}

// less reports whether a known plan offers less than another.
func (p Plan) less(than Plan) bool {
	return p != "" && slices.Index(Plans(), p) < slices.Index(Plans(), than)
}
