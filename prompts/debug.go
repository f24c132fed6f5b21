package prompts

import (
	"maps"
	"slices"
	"strings"

	"github.com/esa-mcp/esa-mcp/resources/live"
	"github.com/esa-mcp/esa-mcp/tools"
)

func debugADomain() Prompt {
	return Prompt{
		Name: "debug-a-domain", Title: "Debug a domain",
		Description: "Find out why a host does not answer as it should. Brings site, records, routes, rules, certificates and status codes of the last day, with what is wrong in them.",
		Arguments: []Argument{
			{Name: "host", Description: "Host name that misbehaves", Required: true, Subject: live.Records},
			{Name: "symptom", Description: "What is seen, such as 502, a redirect loop, an old page",
				Values: []string{"401", "403", "404", "502", "504", "certificate error", "redirect loop", "old content", "no answer"}},
		},
		write: func(p *page) {
			host, symptom := hostName(p.args["host"]), p.args["symptom"]
			p.setTask("Find out why %s does not answer as it should, and propose the fix.", "查明 %s 工作不正常的原因，并提出修复方案。", host)
			if symptom != "" {
				p.find("Seen: %s.", "现象：%s。", symptom)
			}
			site, ok := p.siteOf(host)
			if !ok {
				p.addSite(host)
				p.read("dns-records", "errors")
				return
			}
			ref := object{"site_id": string(site.ID)}
			p.diagnose(host)
			p.debugRecords(site, host)
			p.debugCertificates(ref, host)
			p.debugRules(ref, host)
			p.debugTraffic(ref, symptom)
			p.explainSymptom(ref, symptom, host)
			p.step("Say what is wrong and which finding shows it. Ask the person before you change or delete anything.", "说明问题所在以及依据哪条信息；修改或删除任何内容前先征得用户同意。")
			p.read("errors", "origin-rules", "cache", "certificates", "dns-records")
		},
	}
}

// diagnose shows what diagnose_domain finds wrong, with the calls that mend it.
func (p *page) diagnose(host string) {
	out, ok := look[tools.DiagnoseDomainOutput](p, "diagnose_domain", object{"host": host})
	if !ok {
		return
	}
	if out.Healthy {
		p.find("diagnose_domain finds nothing wrong in the configuration: %s.", "diagnose_domain 未发现配置问题：%s。", out.Verdict)
	}
	for _, f := range out.Findings {
		if f.Severity == tools.SeverityInfo {
			continue
		}
		p.find("%s (%s): %s [%s].", "%s（%s）：%s [%s]。", f.ID, f.Severity, f.Finding, f.Evidence)
		if f.Fix != nil {
			p.step("Against %s: %s.", "针对 %s：%s。", f.ID, p.call(f.Fix.Tool, f.Fix.Arguments))
		}
	}
}

func (p *page) debugRecords(site tools.Site, host string) {
	records := p.recordsOf(site, host)
	if len(records) == 0 {
		_, parent, _ := strings.Cut(host, ".")
		wildcard := p.recordsOf(site, "*."+parent)
		if len(wildcard) == 0 {
			p.step("Nothing leads to the host: make a record with %s, or bind a routine with bind_custom_domain.", "没有任何记录指向该主机名：用 %s 创建记录，或用 bind_custom_domain 绑定函数。",
				p.call("create_record", object{"site_id": string(site.ID), "name": host, "type": "A/AAAA", "value": "192.0.2.1", "proxied": true, "biz_name": "web"}))
		}
		return
	}
	for _, r := range records {
		if !r.Proxied && (r.Type == "A/AAAA" || r.Type == "CNAME") {
			p.step("If the edge has to serve the host: %s.", "若应由边缘提供服务：%s。",
				p.call("update_record", object{"record_id": string(r.ID), "proxied": true, "biz_name": "web"}))
		}
		if site.AccessType == "CNAME" && r.Cname != "" {
			p.find("At the DNS provider %s has to be a CNAME of %s; look with dig whether it is.", "在 DNS 服务商处 %s 必须是指向 %s 的 CNAME；可用 dig 核实。", host, r.Cname)
		}
	}
}

func (p *page) debugCertificates(ref object, host string) {
	list, ok := look[tools.CertificateList](p, "list_certificates", with(ref, object{"host": host}))
	if !ok {
		return
	}
	good := 0
	for _, c := range list.Certificates {
		switch c.Status {
		case "OK", "Expiring", "Issued":
			good++
		}
		p.find("Certificate %s (%s): %s, until %s. %s", "证书 %s（%s）：%s，有效期至 %s。%s", c.ID, strings.Join(c.Domains, " "), c.Status, c.NotAfter, c.Message)
	}
	if good == 0 {
		p.find("No valid certificate covers %s: HTTPS fails.", "没有有效证书覆盖 %s：HTTPS 会失败。", host)
		p.step("Apply for a free certificate: %s.", "申请免费证书：%s。", p.call("apply_certificate", with(ref, object{"domains": []string{host}})))
	}
}

// debugRules shows the routes and rules that have to do with the host, or with
// every request.
func (p *page) debugRules(ref object, host string) {
	concerns := func(rule string) bool { return rule == "" || rule == "true" || strings.Contains(rule, host) }
	if routes, ok := look[tools.ListRoutesOutput](p, "list_routes", ref); ok {
		for _, r := range routes.Routes {
			if concerns(r.Rule) {
				p.find("The route %s sends %s to the routine %s (enabled: %t).", "路由 %s 把 %s 交给函数 %s（启用：%t）。", r.Name, r.Rule, r.Routine, r.Enabled)
			}
		}
	}
	seen := 0
	for _, tool := range []string{"list_origin_rules", "list_cache_rules"} {
		if rules, ok := look[tools.ListSettingsOutput](p, tool, ref); ok {
			for _, r := range rules.Rules {
				if concerns(r.Rule) && r.Enabled && len(r.Settings) > 0 {
					seen++
					p.find("%s: the rule %q (id %s, %s) sets %s.", "%s：规则 %q（id %s，%s）设置了 %s。", tool, r.Name, string(r.ID), r.Scope, compact(r.Settings))
				}
			}
		}
	}
	if rules, ok := look[tools.ListRulesOutput](p, "list_rules", ref); ok {
		for _, r := range rules.Rules {
			if concerns(r.Rule) && r.Enabled && r.Scope == "rule" {
				seen++
				p.find("The %s rule %q (id %s) is for %s.", "%s 规则 %q（id %s）的条件为 %s。", r.Kind, r.Name, string(r.ID), r.Rule)
			}
		}
	}
	if seen == 0 {
		p.find("No rule concerns the host.", "没有与该主机名有关的规则。")
	}
}

func (p *page) debugTraffic(ref object, symptom string) {
	top, ok := look[tools.QueryTopDataOutput](p, "query_top_data", with(ref, object{"dimensions": []string{"EdgeResponseStatusCode", "ClientRequestHost"}, "start": "-24h"}))
	if !ok || len(top.Tables) == 0 {
		return
	}
	var all, failed int64
	for _, row := range top.Tables[0].Rows {
		all += row.Count
		if strings.HasPrefix(row.Value, "5") {
			failed += row.Count
		}
	}
	switch {
	case all == 0:
		p.find("No request reached the edge in the last day: look at DNS first.", "最近一天没有请求到达边缘：先检查 DNS。")
	case failed > 0:
		p.find("%d of %d requests of the site ended with a 5xx in the last day.", "最近一天站点 %[2]d 个请求中有 %[1]d 个返回 5xx。", failed, all)
	case symptom != "":
		p.find("No 5xx among %d requests of the last day.", "最近一天 %d 个请求中没有 5xx。", all)
	}
}

// explainSymptom says what a symptom means as a rule.
func (p *page) explainSymptom(ref object, symptom, host string) {
	stale := []string{"old", "stale", "旧", "缓存"}
	for _, known := range []struct {
		words  []string
		en, zh string
	}{
		{[]string{"502"}, "502: the edge cannot talk to the origin. As a rule the scheme or port of the origin is wrong; set_origin_rule or proxy_subdomain set them.",
			"502：边缘连不上源站，通常是回源协议或端口不对；用 set_origin_rule 或 proxy_subdomain 设置。"},
		{[]string{"504"}, "504: the origin does not answer in time, or its firewall drops the edge.", "504：源站未及时响应，或其防火墙拦截了边缘节点。"},
		{[]string{"401"}, "401 on a default domain of a routine: it wants a token; get_routine gives an address that opens, bind_custom_domain a public one.",
			"函数默认域名返回 401：需要令牌；get_routine 给出可打开的地址，bind_custom_domain 绑定公开域名。"},
		{[]string{"loop", "循环", "重定向"}, "A redirect loop: https_force at the edge while the origin redirects to http, or a redirect rule whose target fits its own condition.",
			"重定向循环：边缘开启 https_force 而源站又跳回 http，或重定向规则的目标仍满足自身条件。"},
		{stale, "Old content: it is in the cache. Purge the address with purge_cache, then look at the cache rules for its TTL.",
			"内容陈旧：来自缓存。用 purge_cache 刷新该地址，再检查缓存规则的 TTL。"},
	} {
		if mentions(symptom, known.words) {
			p.findings = append(p.findings, p.say(known.en, known.zh))
		}
	}
	if mentions(symptom, stale) {
		p.step("Purge: %s.", "刷新缓存：%s。", p.call("purge_cache", with(ref, object{"type": "hostname", "targets": []string{host}})))
	}
}

func mentions(symptom string, words []string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(strings.ToLower(symptom), w) })
}

// with adds arguments to those of a site.
func with(ref, more object) object {
	args := maps.Clone(ref)
	maps.Copy(args, more)
	return args
}
