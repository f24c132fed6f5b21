package rules

import (
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/expression"
	"github.com/esa-mcp/esa-mcp/internal/local/values"
)

func checkCache(f fields) *api.Error {
	for _, name := range []string{"EdgeCacheTtl", "BrowserCacheTtl"} {
		if err := f.number(name, 0, 10*365*86400); err != nil {
			return err
		}
	}
	if strings.HasPrefix(f.text("EdgeCacheMode"), "override_origin") && f.text("EdgeCacheTtl") == "" {
		return missing("EdgeCacheTtl", "EdgeCacheMode override_origin needs it")
	}
	if f.text("BrowserCacheMode") == "override_origin" && f.text("BrowserCacheTtl") == "" {
		return missing("BrowserCacheTtl", "BrowserCacheMode override_origin needs it")
	}
	if strings.HasSuffix(f.text("QueryStringMode"), "clude_query_string") && f.text("QueryString") == "" {
		return missing("QueryString", "QueryStringMode "+f.text("QueryStringMode")+" needs it")
	}
	if ttl := f.text("EdgeStatusCodeCacheTtl"); ttl != "" {
		valid := regexp.MustCompile(`^[1-5](xx|[0-9]{2})=-?[0-9]{1,9}$`)
		for pair := range strings.SplitSeq(ttl, ",") {
			if !valid.MatchString(strings.TrimSpace(pair)) {
				return values.Invalid("EdgeStatusCodeCacheTtl", "it is written as 5xx=0,404=10, not %q", ttl)
			}
		}
	}
	if key := f.text("PostBodyCacheKey"); key != "" && key != "md5" && key != "ignore" {
		return values.Invalid("PostBodyCacheKey", "it must be md5 or ignore, not %q", key)
	}
	return f.switches("PostCache")
}

func checkCustomResponse(f fields) *api.Error {
	if err := f.number("PageId", 0, 1<<62); err != nil {
		return err
	}
	return f.number("ReturnCode", 200, 599)
}

func checkHTTPSApplication(f fields) *api.Error {
	if f.text("HttpsForce") == "on" && f.text("HttpsForceCode") == "" {
		f["HttpsForceCode"] = "301"
	}
	if f.text("Hsts") == "on" && f.text("HstsMaxAge") == "" {
		return missing("HstsMaxAge", "Hsts on needs it")
	}
	if err := f.number("HstsMaxAge", 0, 10*365*86400); err != nil {
		return err
	}
	return f.number("AltSvcMa", 0, 10*365*86400)
}

func checkHTTPSBasic(f fields) *api.Error {
	if f.text("CiphersuiteGroup") == "custom" && f.text("Ciphersuite") == "" {
		return missing("Ciphersuite", "CiphersuiteGroup custom needs it")
	}
	return nil
}

func checkNetwork(f fields) *api.Error { return f.number("UploadMaxFilesize", 100, 500) }

// checkOrigin takes any name as DnsRecord: whether it is a record shows at the
// edge alone, as on the service.
func checkOrigin(f fields) *api.Error {
	for _, name := range []string{"OriginHttpPort", "OriginHttpsPort"} {
		if err := f.number(name, 1, 65535); err != nil {
			return err
		}
	}
	for _, name := range []string{"OriginHost", "OriginSni", "Follow302TargetHost"} {
		if host := f.text(name); host != "" && !values.IsHost(host) {
			return values.Invalid(name, "it must be a host name, not %q", host)
		}
	}
	return f.number("OriginReadTimeout", 1, 3600)
}

func checkRedirect(f fields) *api.Error {
	if f.text("TargetUrl") == "" {
		return missing("TargetUrl", "a redirect leads somewhere")
	}
	if f.text("Type") != "static" {
		return expression.CheckValue("TargetUrl", f.text("TargetUrl"))
	}
	u, err := url.Parse(f.text("TargetUrl"))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return values.Invalid("TargetUrl", "a static one is a whole http or https URL, not %q", f.text("TargetUrl"))
	}
	return nil
}

func checkRewrite(f fields) *api.Error {
	uri, query := f.text("Uri"), f.text("QueryString")
	switch {
	case uri == "" && query == "" && f.text("RewriteUriType") == "" && f.text("RewriteQueryStringType") == "":
		return missing("Uri", "a rewrite changes Uri, QueryString or both")
	case uri != "" && f.text("RewriteUriType") == "":
		return missing("RewriteUriType", "Uri needs it")
	case uri == "" && f.text("RewriteUriType") != "":
		return missing("Uri", "RewriteUriType needs it")
	case query != "" && f.text("RewriteQueryStringType") == "":
		return missing("RewriteQueryStringType", "QueryString needs it")
	case f.text("RewriteUriType") == "static" && !strings.HasPrefix(uri, "/"):
		return values.Invalid("Uri", "a static one starts with /, not %q", uri)
	}
	if f.text("RewriteUriType") == "dynamic" {
		if err := expression.CheckValue("Uri", uri); err != nil {
			return err
		}
	}
	if f.text("RewriteQueryStringType") == "dynamic" {
		return expression.CheckValue("QueryString", query)
	}
	return nil
}

// checkHeaders checks the list of header changes in that parameter.
func checkHeaders(param string) func(fields) *api.Error {
	token := regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$")
	return func(f fields) *api.Error {
		changes, _ := f[param].([]any)
		if len(changes) == 0 {
			return values.Invalid(param, "it is a list of at least one change of a header")
		}
		for _, c := range changes {
			change, ok := c.(map[string]any)
			if !ok {
				return values.Invalid(param, "each change is an object")
			}
			for name, value := range change {
				if _, text := value.(string); !text {
					return values.Invalid(param, "%s of a change must be text", name)
				}
			}
			if err := checkChange(param, change, token); err != nil {
				return err
			}
		}
		return nil
	}
}

func checkChange(param string, change fields, token *regexp.Regexp) *api.Error {
	name, operation := change.text("Name"), change.text("Operation")
	if !token.MatchString(name) {
		return values.Invalid(param, "%q is not the name of a header", name)
	}
	switch change.text("Type") {
	case "":
		change["Type"] = "static"
	case "static":
	case "dynamic":
		if operation != "del" {
			if err := expression.CheckValue("the value of "+name, change.text("Value")); err != nil {
				return err
			}
		}
	default:
		return values.Invalid(param, "Type must be static or dynamic, not %q", change.text("Type"))
	}
	switch operation {
	case "add", "modify":
		if change.text("Value") == "" {
			return values.Invalid(param, "%s of header %s needs a Value", operation, name)
		}
	case "del":
	default:
		return values.Invalid(param, "Operation must be add, del or modify, not %q", operation)
	}
	return nil
}

// number refuses a field that is there and no integer from least to most.
func (f fields) number(name string, least, most int64) *api.Error {
	text := f.text(name)
	if text == "" {
		return nil
	}
	if n, err := strconv.ParseInt(text, 10, 64); err != nil || n < least || n > most {
		return values.Invalid(name, "it must be an integer between %d and %d, not %q", least, most, text)
	}
	return nil
}

// switches refuses fields that are there and neither on nor off.
func (f fields) switches(names ...string) *api.Error {
	for _, name := range names {
		if v := f.text(name); v != "" && v != "on" && v != "off" {
			return values.Invalid(name, "it must be on or off, not %q", v)
		}
	}
	return nil
}

func missing(name, why string) *api.Error {
	return api.Errorf(400, "Missing"+name, "%s is mandatory here: %s.", name, why)
}
