package prompts

import (
	"github.com/esa-mcp/esa-mcp/resources/live"
	"github.com/esa-mcp/esa-mcp/tools"
)

func deployASite() Prompt {
	return Prompt{
		Name: "deploy-a-site", Title: "Deploy a site",
		Description: "Publish a folder as a Pages site. Brings what would be published and what is live under the name.",
		Arguments: []Argument{
			{Name: "path", Description: "Folder on the server's machine: a built site or a project with esa.jsonc", Required: true},
			{Name: "name", Description: "Name of the site (routine); default from esa.jsonc", Subject: live.Routines},
		},
		write: func(p *page) {
			path, name := p.args["path"], p.args["name"]
			p.setTask("Publish the folder %s on Alibaba Cloud ESA.", "把文件夹 %s 发布到阿里云 ESA。", path)
			args := object{"path": path}
			if name != "" {
				args["name"] = name
			}
			dryRun := with(args, object{"dry_run": true})
			dry, ok := preview[tools.DeployOutput](p, "deploy_pages", dryRun)
			if ok {
				name = dry.Name
				args["name"] = name
				p.find("It would publish %d files, %d bytes; files and folders left out: %d.", "将发布 %d 个文件，共 %d 字节；跳过 %d 项。",
					dry.Files, dry.Bytes, len(dry.Skipped))
			}
			if name != "" {
				p.describeRoutine(name)
			}
			if !ok && p.offers("deploy_pages") {
				p.step("Correct what the preview complains about, then preview again: %s.", "先解决预览报告的问题，再次预览：%s。", p.call("deploy_pages", dryRun))
			}
			p.step("Publish: %s. Staging is deployed first; production is not touched when that fails.",
				"发布：%s。先部署 staging，失败时不会影响 production。", p.call("deploy_pages", args))
			p.step("Tell the person the url of the result. If url_is_private is true, it carries a token that dies after an hour: for the public, bind a domain with %s.",
				"把结果中的 url 告诉用户。若 url_is_private 为 true，则该地址带有一小时后失效的令牌；要公开访问请绑定域名：%s。",
				p.call("bind_custom_domain", object{"routine": orName(name), "domain": "www.example.com"}))
			p.read("pages", "er")
		},
	}
}

func orName(name string) string {
	if name == "" {
		return "NAME"
	}
	return name
}

// describeRoutine says what is live under a name, and reports whether production
// serves something.
func (p *page) describeRoutine(name string) bool {
	list, ok := look[tools.ListRoutinesOutput](p, "list_routines", object{"search": name})
	if !ok {
		return false
	}
	for _, r := range list.Routines {
		if r.Name != name {
			continue
		}
		got, ok := look[tools.GetRoutineOutput](p, "get_routine", object{"name": name})
		if !ok {
			return false
		}
		for _, e := range got.Live {
			if e.Environment == "production" && len(e.Versions) > 0 {
				p.find("%s is live with version %s; %d versions are kept.", "%s 线上版本为 %s；保留了 %d 个版本。", name, e.Versions[0].Version, len(got.Versions))
				return true
			}
		}
		p.find("%s exists, and nothing of it is live in production.", "%s 已存在，但 production 没有线上版本。", name)
		return false
	}
	p.find("There is no routine %s yet; the account has %d of %d.", "还没有名为 %s 的函数；账号已用 %d / %d。", name, list.Used, list.Quota)
	return false
}

func kvFeatureFlags() Prompt {
	return Prompt{
		Name: "kv-feature-flags", Title: "Feature flags in edge KV",
		Description: "Keep feature flags in edge KV and read them in a routine. Brings the namespace, its keys and the flag's value.",
		Arguments: []Argument{
			{Name: "namespace", Description: "KV namespace that holds the flags", Required: true, Subject: live.Namespaces},
			{Name: "flag", Description: "Key of a flag to set", Subject: live.Keys},
			{Name: "routine", Description: "Routine that reads the flags", Subject: live.Routines},
		},
		write: func(p *page) {
			namespace, flag, routine := p.args["namespace"], p.args["flag"], p.args["routine"]
			p.setTask("Keep feature flags in the edge KV namespace %s and let code on the edge read them.", "在边缘 KV 命名空间 %s 中管理功能开关，并在边缘代码中读取。", namespace)
			account, ok := look[tools.GetKVAccountOutput](p, "get_kv_account", object{})
			there := false
			for _, n := range account.Namespaces {
				there = there || n.Namespace == namespace
			}
			switch {
			case !ok:
			case account.Next != "":
				p.find("%s", "边缘 KV 未启用：%s", account.Next)
			case there:
				if keys, ok := look[tools.ListKVOutput](p, "list_kv", object{"namespace": namespace}); ok {
					p.find("%s has %d keys.", "%s 有 %d 个键。", namespace, keys.Total)
				}
				if flag != "" {
					if got, err := live.Decode[tools.GetKVOutput](p.l.Call(p.ctx, "get_kv", object{"namespace": namespace, "key": flag})); err == nil {
						p.find("%s is set to %s", "%s 当前值为 %s", flag, p.cut(compact(got.Value)))
					} else {
						p.find("%s is not set yet.", "%s 尚未设置。", flag)
					}
				}
			default:
				p.find("There is no namespace %s; %d of %d are in use.", "没有命名空间 %s；已用 %d / %d。", namespace, len(account.Namespaces), account.Quota)
				p.step("Make it: %s.", "创建：%s。", p.call("create_kv_namespace", object{"namespace": namespace}))
			}
			if flag == "" {
				flag = "flag:dark-mode"
			}
			p.step("Set a flag: %s. Keys have no spaces and no slashes; use : where you would use a path.", "设置开关：%s。键中不能有空格和斜杠，路径用 : 代替。",
				p.call("put_kv", object{"namespace": namespace, "key": flag, "value": `{"on":true}`}))
			p.step("Read it in the routine; a missing key gives undefined, so code needs a default:\n```js\nconst kv = new EdgeKV({ namespace: %q });\nconst flag = await kv.get(%q, { type: \"json\" });\nconst on = flag?.on ?? false;\n```",
				"在函数中读取；键不存在时得到 undefined，代码必须有默认值：\n```js\nconst kv = new EdgeKV({ namespace: %q });\nconst flag = await kv.get(%q, { type: \"json\" });\nconst on = flag?.on ?? false;\n```", namespace, flag)
			if routine != "" {
				p.describeRoutine(routine)
			}
			p.step("Deploy the code: %s.", "部署代码：%s。", p.call("deploy_routine", object{"name": orName(routine), "entry": "/absolute/path/of/index.js"}))
			p.step("A change takes seconds as a rule and up to five minutes: do not read it back at once to check it.", "变更通常几秒生效，最长可达五分钟：不要写完立即读取来验证。")
			p.read("kv", "er")
		},
	}
}
