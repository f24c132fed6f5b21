package tools

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
	"github.com/esa-mcp/esa-mcp/internal/esa"
)

const aRule = `(http.host eq "a.example.com")`

func TestSetRuleSends(t *testing.T) {
	const common = `"Rule":"(http.host eq \"a.example.com\")","RuleEnable":"on","RuleName":"n"`
	for name, c := range map[string]struct{ args, action, params string }{
		"redirect": {`"kind":"redirect","settings":{"target_url":"https://b.example.com/"}`, "CreateRedirectRule",
			`{"ReserveQueryString":"on",` + common + `,"SiteId":7,"StatusCode":"302","TargetUrl":"https://b.example.com/","Type":"static"}`},
		"dynamic redirect": {`"kind":"redirect","sequence":3,"settings":{"target_url":"concat(\"https://b\",http.request.uri)","type":"dynamic","status_code":301,"reserve_query_string":false}`, "CreateRedirectRule",
			`{"ReserveQueryString":"off",` + common + `,"Sequence":3,"SiteId":7,"StatusCode":"301","TargetUrl":"concat(\"https://b\",http.request.uri)","Type":"dynamic"}`},
		"rewrite": {`"kind":"rewrite","settings":{"uri":"/new","query_string":"a=1"}`, "CreateRewriteUrlRule",
			`{"QueryString":"a=1","RewriteQueryStringType":"static","RewriteUriType":"static",` + common + `,"SiteId":7,"Uri":"/new"}`},
		"compression": {`"kind":"compression","settings":{"Brotli":true,"gzip":"off"}`, "CreateCompressionRule",
			`{"Brotli":"on","Gzip":"off",` + common + `,"SiteId":7}`},
		"https": {`"kind":"https","settings":{"https_force":"on","hsts":"on","hsts_max_age":3600}`, "CreateHttpsApplicationConfiguration",
			`{"Hsts":"on","HstsMaxAge":"3600","HttpsForce":"on","HttpsForceCode":"301",` + common + `,"SiteId":7}`},
		"tls": {`"kind":"tls","settings":{"tls10":"off","http3":"on"}`, "CreateHttpsBasicConfiguration",
			`{"Http3":"on",` + common + `,"SiteId":7,"Tls10":"off"}`},
		"request headers": {`"kind":"request_headers","headers":[{"action":"add","name":"X-A","value":"1"},{"action":"del","name":"X-B"}]`, "CreateHttpRequestHeaderModificationRule",
			`{"RequestHeaderModification":[{"Name":"X-A","Operation":"add","Type":"static","Value":"1"},{"Name":"X-B","Operation":"del","Type":"static"}],` + common + `,"SiteId":7}`},
		"response headers": {`"kind":"response_headers","headers":[{"action":"modify","name":"X-A","value":"ip.src","dynamic":true}]`, "CreateHttpResponseHeaderModificationRule",
			`{"ResponseHeaderModification":[{"Name":"X-A","Operation":"modify","Type":"dynamic","Value":"ip.src"}],` + common + `,"SiteId":7}`},
	} {
		t.Run(name, func(t *testing.T) {
			f := &fakeESA{answers: map[string]func(esa.Params) (any, error){c.action: say(`{"ConfigId":9007199254740993}`)}}
			raw, err := callTool(t, f, "set_rule", `{"site_id":7,"name":"n","rule":"(http.host eq \"a.example.com\")",`+c.args+`}`)
			require.NoError(t, err)
			require.Len(t, f.calls, 1)
			require.Equal(t, c.action, f.calls[0].Action)
			require.JSONEq(t, c.params, f.calls[0].Params)
			var out SetKindRuleOutput
			require.NoError(t, json.Unmarshal([]byte(raw), &out))
			require.True(t, out.Created)
			require.Equal(t, ID("9007199254740993"), out.Rule.ID)
			require.Equal(t, aRule, out.Rule.Rule)
		})
	}
}

func TestSetRuleRefuses(t *testing.T) {
	const cond = `"rule":"true",`
	for name, c := range map[string]struct{ args, want string }{
		"kind":                  {cond + `"kind":"redirects"`, "redirect"},
		"no condition":          {`"kind":"compression","settings":{"gzip":"on"}`, "scope global"},
		"unknown setting":       {cond + `"kind":"compression","settings":{"gzipp":"on"}`, `did you mean "gzip"? There are`},
		"list":                  {cond + `"kind":"compression","settings":{"gzip":["on"]}`, "must be a text"},
		"value":                 {cond + `"kind":"compression","settings":{"gzip":"yes"}`, "use on, off"},
		"no target":             {cond + `"kind":"redirect","settings":{"status_code":"301"}`, "target_url"},
		"relative target":       {cond + `"kind":"redirect","settings":{"target_url":"/x"}`, "type dynamic"},
		"status":                {cond + `"kind":"redirect","settings":{"target_url":"https://a.example","status_code":"200"}`, "301, 302"},
		"no rewrite":            {cond + `"kind":"rewrite"`, "query_string"},
		"relative uri":          {cond + `"kind":"rewrite","settings":{"uri":"x"}`, "starts with /"},
		"hsts":                  {cond + `"kind":"https","settings":{"hsts":"on"}`, "hsts_max_age"},
		"cipher suites":         {cond + `"kind":"tls","settings":{"ciphersuite_group":"custom"}`, "ciphersuite"},
		"page":                  {cond + `"kind":"custom_response","settings":{"page_id":"1"}`, "return_code"},
		"headers of a redirect": {cond + `"kind":"redirect","headers":[{"action":"del","name":"A"}]`, "request_headers"},
		"settings of headers":   {cond + `"kind":"request_headers","settings":{"a":"b"}`, "give headers"},
		"no headers":            {cond + `"kind":"request_headers","headers":[]`, "at least one"},
		"add without a value":   {cond + `"kind":"request_headers","headers":[{"action":"add","name":"A"}]`, "needs a value"},
		"del with a value":      {cond + `"kind":"request_headers","headers":[{"action":"del","name":"A","value":"1"}]`, "takes no value"},
		"header name":           {cond + `"kind":"request_headers","headers":[{"action":"del","name":"A: b"}]`, "not the name"},
		"nothing to change":     {`"kind":"redirect","rule_id":"5"`, "Nothing to change"},
		"no headers to change":  {`"kind":"request_headers","rule_id":"5"`, "Nothing to change"},
	} {
		t.Run(name, func(t *testing.T) {
			f := &fakeESA{}
			_, err := callTool(t, f, "set_rule", `{"site_id":7,`+c.args+`}`)
			require.ErrorContains(t, err, c.want)
			require.Empty(t, f.calls, "nothing is sent")
		})
	}
}

func TestSetRuleKeepsWhatIsNotGiven(t *testing.T) {
	const redirect = `{"ConfigId":5,"ConfigType":"rule","Rule":"true","RuleName":"old","RuleEnable":"on","Sequence":4,
		"Type":"static","TargetUrl":"https://a.example/","StatusCode":"308","ReserveQueryString":"off","SiteVersion":0,"RequestId":"r"}`
	const headers = `{"ConfigId":5,"ConfigType":"rule","Rule":"true","RuleName":"old","RuleEnable":"on","Sequence":4,
		"RequestHeaderModification":[{"Name":"X-A","Operation":"add","Type":"dynamic","Value":"ip.src"}],"RequestId":"r"}`
	f := &fakeESA{answers: map[string]func(esa.Params) (any, error){
		"GetRedirectRule": say(redirect), "UpdateRedirectRule": say(`{}`),
		"GetHttpRequestHeaderModificationRule": say(headers), "UpdateHttpRequestHeaderModificationRule": say(`{}`),
	}}
	_, err := callTool(t, f, "set_rule", `{"site_id":7,"kind":"redirect","rule_id":"5","settings":{"target_url":"https://b.example/"}}`)
	require.NoError(t, err)
	require.JSONEq(t, `{"ConfigId":5,"Rule":"true","RuleEnable":"on","RuleName":"old","Sequence":4,"SiteId":7,
		"Type":"static","TargetUrl":"https://b.example/","StatusCode":"308","ReserveQueryString":"off"}`, f.calls[1].Params)
	f.calls = nil
	raw, err := callTool(t, f, "set_rule", `{"site_id":7,"kind":"request_headers","rule_id":"5","enabled":false}`)
	require.NoError(t, err)
	require.JSONEq(t, `{"ConfigId":5,"Rule":"true","RuleEnable":"off","RuleName":"old","Sequence":4,"SiteId":7,
		"RequestHeaderModification":[{"Name":"X-A","Operation":"add","Type":"dynamic","Value":"ip.src"}]}`, f.calls[len(f.calls)-1].Params)
	require.Contains(t, raw, `"dynamic":true`)
	_, err = callTool(t, f, "set_rule", `{"site_id":7,"kind":"redirect","rule_id":"5","scope":"global","settings":{"status_code":"301"}}`)
	require.ErrorContains(t, err, "cannot change")
}

func TestListRulesOfAllKinds(t *testing.T) {
	empty := say(`{"Configs":[],"TotalCount":0}`)
	f := &fakeESA{answers: map[string]func(esa.Params) (any, error){}}
	for _, k := range ruleKinds() {
		f.answers["List"+k.noun+"s"] = empty
	}
	f.answers["ListRedirectRules"] = say(`{"TotalCount":3,"Configs":[
		{"ConfigId":2,"ConfigType":"rule","RuleName":"late","Rule":"true","RuleEnable":"off","Sequence":9,"TargetUrl":"https://a.example/"},
		{"ConfigId":3,"ConfigType":"rule","RuleName":"early","Rule":"true","RuleEnable":"on","Sequence":1},
		{"ConfigId":4,"ConfigType":"global","TargetUrl":"https://g.example/"}]}`)
	f.answers["ListImageTransforms"] = fail(&esa.Error{Code: "NotApplicable", HTTPStatus: 400})
	raw, err := callTool(t, f, "list_rules", `{"site_id":7}`)
	require.NoError(t, err)
	require.Len(t, f.calls, len(ruleKinds()))
	var out ListRulesOutput
	require.NoError(t, json.Unmarshal([]byte(raw), &out))
	var names []string
	for _, r := range out.Rules {
		require.Equal(t, "redirect", r.Kind)
		names = append(names, r.Scope+" "+r.Name)
	}
	require.Equal(t, []string{"global ", "rule early", "rule late"}, names)
	require.False(t, out.Rules[2].Enabled)
	require.Equal(t, "rule-plan", out.Notes[0].ID)

	_, err = callTool(t, f, "list_rules", `{"site_id":7,"kind":"image"}`)
	require.ErrorContains(t, err, "NotApplicable", "asked for alone it is an error")
	f.answers["ListImageTransforms"] = fail(&esa.Error{Code: "SiteNotFound", HTTPStatus: 404})
	_, err = callTool(t, f, "list_rules", `{"site_id":7}`)
	require.ErrorContains(t, err, "SiteNotFound")
}

func TestDeleteRuleAnswersWhatItWas(t *testing.T) {
	f := &fakeESA{answers: map[string]func(esa.Params) (any, error){
		"GetCompressionRule":    say(`{"ConfigId":5,"ConfigType":"global","Gzip":"on"}`),
		"DeleteCompressionRule": say(`{}`),
	}}
	raw, err := callTool(t, f, "delete_rule", `{"site_id":7,"kind":"compression","rule_id":5}`)
	require.NoError(t, err)
	require.JSONEq(t, `{"site_id":"7","deleted":{"kind":"compression","id":"5","scope":"global","enabled":true,"settings":{"gzip":"on"}}}`, raw)
	require.Equal(t, fakeCall{"DeleteCompressionRule", `{"ConfigId":5,"SiteId":7}`}, f.calls[1])
	_, err = callTool(t, f, "delete_rule", `{"site_id":7,"kind":"gzip","rule_id":5}`)
	require.ErrorContains(t, err, "There are tls, https")
}

// The schema names every kind, and every kind is one of the catalogue.
func TestRuleKinds(t *testing.T) {
	var schema struct {
		Properties struct{ Kind struct{ Enum []string } }
	}
	require.NoError(t, json.Unmarshal(toolNamed(t, "set_rule").InputSchema(), &schema))
	var names []string
	for _, k := range ruleKinds() {
		names = append(names, k.name)
	}
	require.ElementsMatch(t, names, schema.Properties.Kind.Enum)
	for _, call := range kindCalls("Create", "Update", "Get", "List", "Delete") {
		_, ok := catalog.Lookup(call)
		require.True(t, ok, call)
	}
}
