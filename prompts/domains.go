package prompts

import (
	"encoding/json"
	"strings"

	"github.com/esa-mcp/esa-mcp/resources/live"
	"github.com/esa-mcp/esa-mcp/tools"
)

func bindADomain() Prompt {
	return Prompt{
		Name: "bind-a-domain", Title: "Bind a domain",
		Description: "Serve a routine or Pages site under a domain of yours. Brings the site, its records and what is live.",
		Arguments: []Argument{
			{Name: "routine", Description: "Routine or Pages site", Required: true, Subject: live.Routines},
			{Name: "domain", Description: "Host name to serve it under, such as www.example.com", Required: true, Subject: live.Records},
		},
		write: func(p *page) {
			routine, domain := p.args["routine"], hostName(p.args["domain"])
			p.setTask("Serve the routine %s under %s.", "让函数 %s 通过 %s 提供服务。", routine, domain)
			if !p.describeRoutine(routine) {
				p.step("Make something live first: deploy_pages or deploy_routine with the name %s.", "先发布内容：用 deploy_pages 或 deploy_routine，名称为 %s。", routine)
			}
			site, ok := p.siteOf(domain)
			if ok {
				p.recordsOf(site, domain)
			} else {
				p.addSite(domain)
			}
			p.step("Bind: %s. Calling it again goes on where it stopped.", "绑定：%s。重复调用会从中断处继续。",
				p.call("bind_custom_domain", object{"routine": routine, "domain": domain}))
			if site.AccessType == "CNAME" {
				p.step("The site has CNAME access: give the person the CNAME in dns of the result, to add it at their DNS provider.", "站点为 CNAME 接入：把结果 dns 中的 CNAME 交给用户，在其 DNS 服务商处添加。")
			}
			p.step("Done when complete is true in the result; until then next says what is missing.", "结果中 complete 为 true 即完成；否则 next 会说明缺什么。")
			p.read("pages", "dns-records", "certificates")
		},
	}
}

// addSite is the step that makes a site for a host.
func (p *page) addSite(host string) {
	domain := host
	if parts := strings.Split(host, "."); len(parts) > 2 {
		domain = strings.Join(parts[len(parts)-2:], ".")
	}
	p.step("Add the domain as a site, after asking the person for access type and coverage (domestic and global need an ICP filing): %s.",
		"先询问用户接入方式和加速区域（domestic 和 global 需要 ICP 备案），再添加站点：%s。",
		p.call("create_site", object{"name": domain, "access_type": "NS", "coverage": "overseas"}))
}

// recordsOf shows the records of a host, and says what they mean.
func (p *page) recordsOf(site tools.Site, host string) []tools.Record {
	list, ok := look[tools.ListRecordsOutput](p, "list_records", object{"site_id": string(site.ID), "name": host, "match": "exact"})
	if !ok {
		return nil
	}
	if len(list.Records) == 0 {
		p.find("%s has no record.", "%s 没有 DNS 记录。", host)
	}
	for _, r := range list.Records {
		if r.Proxied {
			p.find("%s has the record %s %s, proxied: requests go through the edge.", "%s 有记录 %s %s，已代理：请求经过边缘。", host, r.Type, r.Data.Value)
		} else {
			p.find("%s has the record %s %s, not proxied: requests go past the edge, and no rule or routine sees them.",
				"%s 有记录 %s %s，未代理：请求不经过边缘，规则和函数都不会执行。", host, r.Type, r.Data.Value)
		}
	}
	return list.Records
}

func proxyAnOrigin() Prompt {
	return Prompt{
		Name: "proxy-an-origin", Title: "Proxy an origin",
		Description: "Put a host of your site before an origin server. Brings the site, the host's records and the origin rules.",
		Arguments: []Argument{
			{Name: "host", Description: "Host name to serve, such as api.example.com", Required: true, Subject: live.Records},
			{Name: "origin", Description: "IP or host name of the server, with its port if it is not 80 or 443", Required: true},
		},
		write: func(p *page) {
			host, origin := hostName(p.args["host"]), p.args["origin"]
			p.setTask("Serve %s through ESA from the origin %s.", "让 %s 经 ESA 从源站 %s 提供服务。", host, origin)
			args := object{"host": host, "origin": origin}
			if scheme, rest, ok := strings.Cut(origin, "://"); ok && (scheme == "http" || scheme == "https") {
				args["origin_scheme"], origin = scheme, rest
			}
			if name, port, ok := strings.Cut(strings.TrimSuffix(origin, "/"), ":"); ok && port != "" && strings.Trim(port, "0123456789") == "" {
				args["origin"], args["origin_port"] = name, json.Number(port)
			} else {
				args["origin"] = strings.TrimSuffix(origin, "/")
			}
			site, ok := p.siteOf(host)
			if ok {
				p.recordsOf(site, host)
				if rules, ok := look[tools.ListSettingsOutput](p, "list_origin_rules", object{"site_id": string(site.ID)}); ok {
					for _, r := range rules.Rules {
						if strings.Contains(r.Rule, host) {
							p.find("The origin rule %s (id %s) is for this host: %s.", "已有针对该主机名的回源规则 %s（id %s）：%s。", r.Name, string(r.ID), compact(r.Settings))
						}
					}
				}
			} else {
				p.addSite(host)
			}
			p.step("Set it up: %s. It makes the record, the origin rule and the certificate, and says what each step did.",
				"执行：%s。它会创建记录、回源规则和证书，并说明每一步的结果。", p.call("proxy_subdomain", args))
			p.step("If the origin answers only to a name of its own, add origin_host with it. An answer 502 means that scheme or port of the origin is wrong; 525 or 526 its certificate.",
				"若源站只认自己的域名，请加上 origin_host。502 表示回源协议或端口不对；525、526 表示源站证书有问题。")
			p.read("origin-rules", "dns-records")
		},
	}
}
