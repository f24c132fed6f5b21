package main

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/resources/docs"
)

const translationsFile = "testdata/reference_zh.tsv"

// translations are what the tables of the code say, in Chinese.
type translations struct {
	lines []string
	at    map[string]int // line of a key
	stale []string       // keys whose English text has changed, or that are missing
}

func readTranslations(t *testing.T) *translations {
	t.Helper()
	raw, err := os.ReadFile(translationsFile)
	require.NoError(t, err)
	tr := &translations{lines: strings.Split(strings.TrimSpace(string(raw)), "\n"), at: map[string]int{}}
	for i, line := range tr.lines {
		if strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.Split(line, "\t")
		require.Len(t, fields, 3, line)
		require.NotContains(t, tr.at, fields[0], "%s is there twice", fields[0])
		tr.at[fields[0]] = i
	}
	return tr
}

// of is the text in the language. Without a translation of exactly this text it
// stays English.
func (tr *translations) of(lang, key, english string) string {
	if lang != docs.Chinese || english == "" {
		return english
	}
	sum := sha256.Sum256([]byte(english))
	hash := hex.EncodeToString(sum[:4])
	if i, ok := tr.at[key]; ok {
		fields := strings.Split(tr.lines[i], "\t")
		if fields[1] == "?" && *update {
			fields[1] = hash
			tr.lines[i] = strings.Join(fields, "\t")
		}
		if fields[1] == hash {
			return fields[2]
		}
	}
	tr.stale = append(tr.stale, key)
	return english
}

// keep writes the hashes that were filled in.
func (tr *translations) keep(t *testing.T) {
	t.Helper()
	if len(tr.stale) > 0 {
		t.Logf("%s has no translation of %s", translationsFile, strings.Join(tr.stale, ", "))
	}
	if *update {
		require.NoError(t, os.WriteFile(translationsFile, []byte(strings.Join(tr.lines, "\n")+"\n"), 0o644))
	}
}

// areaNames are the areas of guardrails in Chinese.
func areaNames() map[string]string {
	return map[string]string{
		"Pages and routines": "Pages 与函数", "Origin rules": "回源规则", "Rule expressions": "规则表达式", "DNS records": "DNS 记录",
		"Sites": "站点", "Cache": "缓存", "Edge KV": "边缘 KV", "Analytics": "流量分析", "Certificates": "证书", "Calls in general": "所有调用",
	}
}

// statsMeanings say in English and Chinese what metrics and dimensions are.
func statsMeanings() map[string][2]string {
	return map[string][2]string{
		"Traffic":                  {"bytes that the edge sent to clients", "边缘发给客户端的字节数"},
		"Requests":                 {"number of requests", "请求数"},
		"RequestTraffic":           {"bytes that clients sent", "客户端发来的字节数"},
		"PageView":                 {"page views", "页面浏览量"},
		"ALL":                      {"everything together", "全部合计"},
		"ClientASN":                {"number of the client's network", "客户端网络的自治系统号"},
		"ClientBrowser":            {"browser", "浏览器"},
		"ClientCountryCode":        {"country, two letters", "国家，两个字母"},
		"ClientDevice":             {"kind of device", "设备类型"},
		"ClientIP":                 {"address of the client", "客户端地址"},
		"ClientIPVersion":          {"IPv4 or IPv6", "IPv4 或 IPv6"},
		"ClientISP":                {"internet provider", "运营商"},
		"ClientOS":                 {"operating system", "操作系统"},
		"ClientProvinceCode":       {"province, in mainland China", "省份（中国内地）"},
		"ClientRequestHost":        {"host that was asked for", "请求的主机名"},
		"ClientRequestMethod":      {"HTTP method", "HTTP 方法"},
		"ClientRequestPath":        {"path of the URL", "URL 路径"},
		"ClientRequestProtocol":    {"HTTP version", "HTTP 版本"},
		"ClientRequestQuery":       {"query string", "查询字符串"},
		"ClientRequestReferer":     {"referring page", "来源页面"},
		"ClientRequestUserAgent":   {"user agent, as sent", "User-Agent 原文"},
		"ClientSSLProtocol":        {"TLS version", "TLS 版本"},
		"ClientXRequestedWith":     {"header X-Requested-With", "请求头 X-Requested-With"},
		"EdgeCacheStatus":          {"whether the cache answered", "缓存是否命中"},
		"EdgeResponseContentType":  {"content type of the answer", "响应的内容类型"},
		"EdgeResponseStatusCode":   {"status that the client got", "客户端得到的状态码"},
		"OriginResponseStatusCode": {"status that the origin gave", "源站返回的状态码"},
		"SiteId":                   {"site, in queries over the account", "站点（账号级查询）"},
		"Version":                  {"version of the site's configuration", "站点配置的版本"},
	}
}
