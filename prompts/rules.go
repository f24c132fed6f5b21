package prompts

import (
	"fmt"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/rule"
	"github.com/esa-mcp/esa-mcp/resources/live"
	"github.com/esa-mcp/esa-mcp/tools"
)

func writeARule() Prompt {
	return Prompt{
		Name: "write-a-rule", Title: "Write a rule",
		Description: "Write a rule of a site: redirect, cache, origin, headers, WAF. Brings the rules there are and the fields and operators of the language.",
		Arguments: []Argument{
			{Name: "site", Description: "Site, by name or id", Required: true, Subject: live.Sites},
			{Name: "goal", Description: "What the rule has to do, in your words", Required: true},
			{Name: "kind", Description: "Kind of rule, such as redirect or cache", Subject: live.RuleKinds},
		},
		write: func(p *page) {
			site, kind := p.args["site"], p.args["kind"]
			p.setTask("Write a rule for the site %s. It has to: %s", "为站点 %s 编写规则。目标：%s", site, p.args["goal"])
			ref := siteRef(site, nil)
			plan := ""
			if got, ok := look[tools.GetSiteOutput](p, "get_site", ref); ok {
				p.describe(got)
				plan = got.Plan
			}
			setter := p.rulesOf(ref, kind)
			p.step("Write the condition with the fields and operators below; true stands for every request.\n%s", "用下列字段和运算符编写条件；true 表示所有请求。\n%s", language(kind))
			if exists("check_rule") {
				args := object{"expression": `(http.host eq "www.example.com")`}
				if kind != "" {
					args["kind"] = kind
				}
				p.step("Check it before you use it: %s. Take the corrected form if it gives one.", "使用前先检查：%s。若返回修正后的写法则采用。", p.call("check_rule", args))
			}
			if plan != "" {
				p.find("The plan is %s; matches (regular expressions) is not on every plan.", "套餐为 %s；matches（正则）并非所有套餐都支持。", plan)
			}
			p.step("Create it, with rule_id to change one: %s.", "创建规则（修改则加 rule_id）：%s。", setter)
			p.step("Say in plain words which requests it fits and what happens to them.", "用通俗的话说明哪些请求会命中以及会发生什么。")
			p.read("rule-examples", "rule-match-fields", "rule-operators", "rule-generation-guide")
		},
	}
}

// rulesOf shows the rules of a kind, and writes the call that makes one.
func (p *page) rulesOf(ref object, kind string) string {
	const condition = `(http.host eq "www.example.com")`
	switch {
	case kind == "cache", kind == "origin":
		look[tools.ListSettingsOutput](p, "list_"+kind+"_rules", ref)
		more := object{"name": "NAME", "rule": condition}
		if kind == "cache" {
			more["edge_cache_ttl"] = 3600
		} else {
			more["origin_host"] = "origin.example.com"
		}
		return p.call("set_"+kind+"_rule", with(ref, more))
	case isPhase(kind):
		look[struct{}](p, "list_waf_rules", with(ref, object{"phase": kind}))
		return p.call("create_waf_rules", with(ref, object{"phase": kind, "rules": []object{{"name": "NAME", "expression": condition, "action": "deny"}}}))
	}
	args := ref
	if kind != "" {
		args = with(ref, object{"kind": kind})
	}
	if list, ok := look[tools.ListRulesOutput](p, "list_rules", args); ok {
		p.find("%d rules are there already; of several that fit, the first in sequence wins.", "已有 %d 条规则；多条命中时顺序靠前者生效。", len(list.Rules))
	}
	if kind == "" {
		kind = "redirect"
	}
	return p.call("set_rule", with(ref, object{"kind": kind, "name": "NAME", "rule": condition, "settings": object{}}))
}

func isPhase(kind string) bool {
	for _, phase := range tools.WafPhases() {
		if phase == kind {
			return true
		}
	}
	return false
}

// language is the fields that a kind of rule has, with their operators.
func language(kind string) string {
	of, _ := rule.ParseKind(kind)
	var b strings.Builder
	b.WriteString("```\n")
	for _, f := range rule.Fields() {
		if f.Only != "" && of != "" && f.Only != of {
			continue
		}
		fmt.Fprintf(&b, "%s  %s: %s", f.Name, f.Type, strings.Join(f.Operators, " "))
		if f.Only != "" {
			fmt.Fprintf(&b, "  (%s only)", f.Only)
		}
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
	for _, o := range rule.Operators() {
		fmt.Fprintf(&b, "%s  %s\n", o.Name, o.Form)
	}
	b.WriteString("```")
	return b.String()
}

func secureASite() Prompt {
	return Prompt{
		Name: "secure-a-site", Title: "Secure a site",
		Description: "Look at a site's HTTPS, TLS, WAF, records and certificates, and close what is open.",
		Arguments: []Argument{
			{Name: "site", Description: "Site, by name or id", Required: true, Subject: live.Sites},
		},
		write: func(p *page) {
			site := p.args["site"]
			ref := siteRef(site, nil)
			p.setTask("Make the site %s safer without breaking it.", "在不影响业务的前提下加固站点 %s。", site)
			if got, ok := look[tools.GetSiteOutput](p, "get_site", ref); ok {
				p.describe(got)
				if got.Status != "active" {
					p.step("Get the site active first: %s.", "先激活站点：%s。", p.call("verify_site", ref))
				}
			}
			p.secureHTTPS(ref)
			p.secureCertificates(ref)
			p.secureRecords(ref)
			p.secureWAF(ref)
			p.step("Ask the person before each change, and make one at a time.",
				"每次修改前先征得用户同意，逐项进行。")
			p.read("certificates", "rule-examples", "guardrails")
		},
	}
}

// secureHTTPS looks at the site's defaults for HTTPS and TLS.
func (p *page) secureHTTPS(ref object) {
	rules, ok := look[tools.ListRulesOutput](p, "list_rules", ref)
	if !ok {
		return
	}
	set := map[string]string{}
	for _, r := range rules.Rules {
		if r.Scope == "global" && (r.Kind == "https" || r.Kind == "tls") {
			for name, value := range r.Settings {
				set[name] = value
			}
		}
	}
	fix := map[string]object{}
	for _, want := range []struct {
		kind, setting, safe string
		en, zh              string
	}{
		{"tls", "tls10", "off", "TLS 1.0 may be on", "TLS 1.0 可能仍开启"},
		{"tls", "tls11", "off", "TLS 1.1 may be on", "TLS 1.1 可能仍开启"},
		{"tls", "tls13", "on", "TLS 1.3 is not switched on", "未开启 TLS 1.3"},
		{"https", "https_force", "on", "HTTP is not redirected to HTTPS", "HTTP 未强制跳转到 HTTPS"},
	} {
		if set[want.setting] == want.safe {
			continue
		}
		p.find("%s.", "%s。", p.say(want.en, want.zh))
		if fix[want.kind] == nil {
			fix[want.kind] = object{}
		}
		fix[want.kind][want.setting] = want.safe
	}
	change := func(kind string, settings object) string {
		return p.call("set_rule", with(ref, object{"kind": kind, "scope": "global", "settings": settings}))
	}
	if fix["tls"] != nil {
		p.step("Old TLS versions off, new ones on: %s. Very old clients are shut out.", "关闭旧版 TLS、开启新版：%s。很旧的客户端将无法访问。", change("tls", fix["tls"]))
	}
	if fix["https"] != nil {
		p.step("Once a certificate is valid: %s.", "证书有效之后：%s。", change("https", fix["https"]))
	}
	if set["hsts"] != "on" {
		p.find("HSTS is off.", "HSTS 未开启。")
		p.step("HSTS last, and with a short time first, because browsers keep to it: %s.", "最后再开 HSTS，且先用较短时间，因为浏览器会一直遵守：%s。",
			change("https", object{"hsts": "on", "hsts_max_age": 86400}))
	}
}

func (p *page) secureCertificates(ref object) {
	list, ok := look[tools.CertificateList](p, "list_certificates", ref)
	if !ok {
		return
	}
	if len(list.Certificates) == 0 {
		p.find("The site has no certificate.", "站点没有证书。")
		p.step("Apply for one: %s.", "申请证书：%s。", p.call("apply_certificate", with(ref, object{"domains": []string{"www.example.com"}})))
	}
	for _, c := range list.Certificates {
		if c.Status != "OK" && c.Status != "Issued" {
			p.find("Certificate %s (%s) is %s until %s.", "证书 %s（%s）状态 %s，有效期至 %s。", c.ID, strings.Join(c.Domains, " "), c.Status, c.NotAfter)
		}
	}
}

// secureRecords finds addresses of servers that anyone can look up.
func (p *page) secureRecords(ref object) {
	list, ok := look[tools.ListRecordsOutput](p, "list_records", with(ref, object{"page_size": 200}))
	if !ok {
		return
	}
	hidden := map[string]bool{} // addresses behind proxied records
	for _, r := range list.Records {
		if r.Proxied {
			hidden[r.Data.Value] = true
		}
	}
	for _, r := range list.Records {
		if r.Proxied || r.Type != "A/AAAA" {
			continue
		}
		p.find("%s shows the address %s to everyone.", "%s 对外暴露了地址 %s。", r.Name, r.Data.Value)
		if hidden[r.Data.Value] {
			p.find("That is the address of a server behind a proxied record: whoever knows it goes past the edge.", "该地址同时是已代理记录的源站：知道它就能绕过边缘。")
		}
		p.step("If %s carries web traffic: %s.", "若 %s 承载 Web 流量：%s。", r.Name, p.call("update_record", object{"record_id": string(r.ID), "proxied": true, "biz_name": "web"}))
	}
}

func (p *page) secureWAF(ref object) {
	sets, ok := look[tools.ListWafRulesetsOutput](p, "list_waf_rulesets", ref)
	if !ok {
		return
	}
	filled := map[string]bool{}
	for _, s := range sets.Rulesets {
		if s.Rules != nil && *s.Rules > 0 && s.Status != "off" {
			filled[s.Phase] = true
		}
	}
	if !filled["http_ratelimit"] {
		p.find("There is no rate limit.", "没有频次控制规则。")
	}
	if !filled["http_custom"] {
		p.find("There is no security rule of your own.", "没有自定义安全规则。")
		p.step("Block what should not be asked for, after asking what is used: %s.", "确认业务用不到后，拦截不应被访问的路径：%s。",
			p.call("create_waf_rules", with(ref, object{"phase": "http_custom", "rules": []object{{"name": "dot files",
				"expression": `(http.request.uri.path contains "/.git") or (http.request.uri.path contains "/.env")`, "action": "deny"}}})))
	}
}
