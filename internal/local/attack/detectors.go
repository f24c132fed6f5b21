package attack

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/corazawaf/libinjection-go"
)

// part is where a rule looks.
type part int

const (
	inQuery part = 1 << iota
	inBody
	inPath
	inHeaders
	inValues = inQuery | inBody
	anywhere = inValues | inPath | inHeaders
)

// detector is a rule with how it finds something: by a pattern or by a function
// over the texts of its parts, or by a look at the whole request.
type detector struct {
	kind, level int64
	name        string
	in          part
	pattern     string
	text        func(string) bool
	whole       func(*Request) bool
}

func (d detector) rule() Rule {
	return Rule{ID: d.kind*10_000 + d.level, Type: d.kind, Level: d.level, Name: Types()[d.kind-FirstType] + ": " + d.name}
}

// texts are those of the parts in which a detector looks.
func (d detector) texts(r *Request) []string {
	var list []string
	for _, one := range []struct {
		part  part
		texts func() []string
	}{{inQuery, r.queryValues}, {inBody, r.sent}, {inPath, r.paths}, {inHeaders, r.headerValues}} {
		if d.in&one.part != 0 {
			list = append(list, one.texts()...)
		}
	}
	return list
}

// test makes what looks at a request.
func (d detector) test() func(*Request) bool {
	text := d.text
	if d.pattern != "" {
		text = regexp.MustCompile(d.pattern).MatchString
	}
	if text == nil {
		return d.whole
	}
	return func(r *Request) bool { return slices.ContainsFunc(d.texts(r), text) }
}

// tests are what looks at requests, by detector, compiled once.
var tests = sync.OnceValue(func() []func(*Request) bool {
	var list []func(*Request) bool
	for _, d := range detectors() {
		list = append(list, d.test())
	}
	return list
})

func isSQL(text string) bool {
	is, _ := libinjection.IsSQLi(text)
	return is
}

// detectors are all rules, by id.
func detectors() []detector {
	return slices.Concat(injections(), executions(), inclusions(), others())
}

func injections() []detector {
	return []detector{
		{kind: 11, level: 1, name: "union, delays and files of a database", in: anywhere,
			pattern: `(?i)\bunion\b[\s(/*]+(all\s+)?select\b|\b(sleep|benchmark|pg_sleep|load_file|extractvalue|updatexml)\s*\(|\bwaitfor\s+delay\b|\binto\s+(out|dump)file\b|\binformation_schema\b|\bxp_cmdshell\b`},
		{kind: 11, level: 2, name: "SQL in parameters", in: inValues, text: isSQL},
		{kind: 11, level: 3, name: "SQL in headers, cookies and the path", in: inHeaders | inPath, text: isSQL},
		{kind: 11, level: 4, name: "quotes with comments or operators", in: anywhere,
			pattern: `(?i)['"]\s*(--|#|/\*|;|\|\||(or|and|xor)\b)|/\*!|\b(select|insert|delete|update|drop)\b.{1,80}\b(from|into|set|table)\b`},
		{kind: 12, level: 1, name: "scripts", in: anywhere, pattern: `(?i)<\s*/?\s*script\b|\bjavascript\s*:|\bvbscript\s*:`},
		{kind: 12, level: 2, name: "active HTML in parameters", in: inValues, text: libinjection.IsXSS},
		{kind: 12, level: 3, name: "active HTML in headers, cookies and the path", in: inHeaders | inPath, text: libinjection.IsXSS},
		{kind: 12, level: 4, name: "any HTML, and event handlers", in: anywhere, pattern: `(?i)<[a-z!/][^>]*>?|\bon[a-z]{3,20}\s*=`},
		{kind: 20, level: 1, name: "SQL in the query string", in: inQuery, text: isSQL},
		{kind: 20, level: 2, name: "SQL in the body", in: inBody, text: isSQL},
		{kind: 20, level: 3, name: "active HTML in parameters", in: inValues, text: libinjection.IsXSS},
		{kind: 20, level: 4, name: "SQL and active HTML anywhere", in: anywhere, text: func(s string) bool { return isSQL(s) || libinjection.IsXSS(s) }},
	}
}

func executions() []detector {
	return []detector{
		{kind: 13, level: 1, name: "known ways in: JNDI, Shellshock, PHP, OGNL", in: anywhere,
			pattern: `(?i)\$\{\s*(jndi|\$\{(lower|upper|env|::))|\(\)\s*\{\s*:?;?\s*\}\s*;|<\?(php|=)|#_memberAccess|@java\.lang|class\.module\.classLoader`},
		{kind: 13, level: 2, name: "shell commands", in: inValues | inHeaders,
			pattern: "(?i)(^|[;|&`\\n]|\\$\\(|&&|\\|\\|)\\s*(/(usr/)?bin/)?(cat\\s+/|wget\\s|curl\\s+-?\\S*\\s*https?:|nc\\s+-|bash\\s+-|sh\\s+-c|whoami\\b|uname\\s+-|powershell\\b|cmd(\\.exe)?\\s+/c|rm\\s+-r|chmod\\s+[+0-7])"},
		{kind: 13, level: 3, name: "calls that run code", in: anywhere,
			pattern: `(?i)\b(eval|assert|system|passthru|shell_exec|popen|proc_open|pcntl_exec|base64_decode|call_user_func)\s*\(|Runtime\s*\.\s*getRuntime|ProcessBuilder|__import__\s*\(|child_process|os\.system`},
		{kind: 13, level: 4, name: "templates and substitutions", in: anywhere, pattern: "\\{\\{.*\\}\\}|\\$\\{.*\\}|<%.*%>|\\$\\(.*\\)|`[^`]+`"},
		{kind: 14, level: 1, name: "headers that answers have", in: inQuery | inPath,
			pattern: `(?i)[\r\n]\s*(set-cookie|location|content-type|content-length|transfer-encoding|host)\s*:|[\r\n]\s*HTTP/[0-9]`},
		{kind: 14, level: 2, name: "any header", in: inQuery | inPath, pattern: `[\r\n]+[A-Za-z][A-Za-z-]{1,40}\s*:`},
		{kind: 14, level: 3, name: "line ends in the address", in: inQuery | inPath, pattern: `[\r\n]`},
		{kind: 14, level: 4, name: "line ends anywhere, also other ones", in: inQuery | inPath | inHeaders, pattern: `[\r\n\x{2028}\x{2029}\x{560a}\x{560d}]`},
	}
}

func inclusions() []detector {
	return []detector{
		{kind: 15, level: 1, name: "files of the system", in: anywhere,
			pattern: `(?i)/etc/(passwd|shadow|hosts|group|issue)\b|/proc/(self|version|\d+)/|\b(boot|win)\.ini\b|/windows/system32|\bweb\.config\b|/\.ssh/`},
		{kind: 15, level: 2, name: "paths that leave their directory", in: inValues | inPath, pattern: `(\.\.+[/\\]+){2,}`},
		{kind: 15, level: 3, name: "wrappers of files", in: inValues | inPath, pattern: `(?i)\b(file|php|zip|phar|expect|glob|compress\.zlib|jar)://|\bdata:text/`},
		{kind: 15, level: 4, name: "any step up, any absolute path of a system", in: inValues | inPath,
			pattern: `(?i)(^|[/\\])\.\.([/\\]|$)|^(/(etc|var|usr|opt|home|root|tmp|proc)/|[a-z]:\\)|\x00`},
		{kind: 16, level: 1, name: "code of another server", in: inValues, pattern: `(?i)^\s*(https?|ftps?)://.*(\.(php\d?|phtml|asp|aspx|jsp|txt|inc)\b|\?\s*$)`},
		{kind: 16, level: 2, name: "addresses of numbers", in: inValues, pattern: `(?i)^\s*(https?|ftps?)://(\d{1,3}(\.\d{1,3}){3}|\[[0-9a-f:]+\]|0x[0-9a-f]+|\d{8,10})([:/]|$)`},
		{kind: 16, level: 3, name: "other schemes", in: inValues, pattern: `(?i)^\s*(ftp|ftps|gopher|dict|ldaps?|tftp|sftp|smb)://`},
		{kind: 16, level: 4, name: "any other server", whole: func(r *Request) bool {
			return slices.ContainsFunc((detector{in: inValues}).texts(r), func(text string) bool {
				u, err := url.Parse(strings.TrimSpace(text))
				return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && !strings.EqualFold(u.Hostname(), r.Host)
			})
		}},
		{kind: 17, level: 1, name: "names of known shells", in: inPath,
			pattern: `(?i)/(c99|r57|b374k|wso\d?|weevely|alfa(shell)?|indoxploit|cmd|shell|webshell|eval-stdin|phpspy)\.(php\d?|asp|aspx|jspx?|cgi)\b`},
		{kind: 17, level: 2, name: "what shells are made of", in: inValues,
			pattern: `(?i)@?(eval|assert|system)\s*\(\s*(base64_decode|gzinflate|\$_(get|post|request|cookie))|\bcreate_function\s*\(|Request\.Item\[|getParameter\(.{0,40}\)\.getBytes`},
		{kind: 17, level: 3, name: "uploads of programs", in: inBody, pattern: `(?i)filename\s*=\s*"?[^"\r\n]*\.(php\d?|phtml|phar|asp|aspx|ashx|jspx?|cgi)\b`},
		{kind: 17, level: 4, name: "programs among uploads", in: inPath, pattern: `(?i)/(uploads?|images?|img|files?|media|attachments?)/.*\.(php\d?|phtml|asp|aspx|jspx?|cgi)\b`},
	}
}

func others() []detector {
	return []detector{
		{kind: 18, level: 1, name: "forms that browsers send from another site", whole: func(r *Request) bool {
			return changes(r) && r.Header.Get("Sec-Fetch-Site") == "cross-site"
		}},
		{kind: 18, level: 2, name: "another Origin", whole: func(r *Request) bool { return changes(r) && foreign(r, "Origin") }},
		{kind: 18, level: 3, name: "another Referer", whole: func(r *Request) bool { return changes(r) && foreign(r, "Referer") }},
		{kind: 18, level: 4, name: "cookies without Origin and Referer", whole: func(r *Request) bool {
			return changes(r) && r.Header.Get("Cookie") != "" && r.Header.Get("Origin") == "" && r.Header.Get("Referer") == ""
		}},
		{kind: 19, level: 1, name: "scanners", whole: func(r *Request) bool { return IsScanner(r.Header.Get("User-Agent")) }},
		{kind: 19, level: 2, name: "files that are nobody's business", in: inPath,
			pattern: `(?i)/\.(git|svn|hg|env|aws|htpasswd|htaccess|DS_Store|vscode|idea)(/|\.|$)|/(id_rsa|wp-config\.php[.~]|phpinfo\.php|server-status)`},
		{kind: 19, level: 3, name: "copies and dumps", in: inPath, pattern: `(?i)\.(bak|old|orig|swp|save|sql|sqlite3?|dump|tar|tgz|7z|rar)(\.gz)?$|~$`},
		{kind: 19, level: 4, name: "requests that browsers do not send", whole: func(r *Request) bool {
			return r.Header.Get("User-Agent") == "" || r.Header.Get("Accept") == "" || r.Method == http.MethodTrace
		}},
	}
}

// changes reports whether a request is to change something.
func changes(r *Request) bool {
	return !slices.Contains([]string{http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace}, r.Method)
}

// foreign reports whether a header with an address names another host.
func foreign(r *Request, header string) bool {
	text := r.Header.Get(header)
	u, err := url.Parse(text)
	return text != "" && (err != nil || !strings.EqualFold(u.Hostname(), r.Host))
}

// IsScanner reports whether a User-Agent header is that of a program that looks
// for holes.
func IsScanner(agent string) bool {
	agent = strings.ToLower(agent)
	return slices.ContainsFunc([]string{"sqlmap", "nikto", "nessus", "acunetix", "nmap", "masscan", "zgrab", "wpscan", "dirbuster", "gobuster", "ffuf",
		"feroxbuster", "nuclei", "havij", "w3af", "arachni", "openvas", "netsparker", "appscan", "jaeles", "whatweb", "xsstrike", "commix", "dirsearch"},
		func(name string) bool { return strings.Contains(agent, name) })
}
