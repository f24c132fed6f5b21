package tools

import (
	"fmt"
	"strings"
)

// pattern is what a route matches, as people write it: example.com/*,
// *.example.com/api/*, example.com/logo.png.
type pattern struct {
	// host is the exact host; with wild, the domain below which hosts match, and
	// with apex that domain too.
	host       string
	wild, apex bool
	// prefix and suffix of the path; exact says that prefix is the whole path.
	// Neither of them means every path.
	prefix, suffix string
	exact          bool
}

var patternHost = lazyRegexp(`^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)+$`)

// parsePattern reads a pattern. A host alone means all its paths.
func parsePattern(text string) (pattern, error) {
	refuse := func(why string) (pattern, error) {
		return pattern{}, Refuse("pattern %q %s (er-route-pattern). Examples: example.com/*, *.example.com/api/*, example.com/logo.png; for anything else give a rule expression.", text, why)
	}
	rest := strings.TrimSpace(text)
	if _, after, ok := strings.Cut(rest, "://"); ok {
		rest = after
	}
	host, path, hasPath := strings.Cut(rest, "/")
	p := pattern{host: strings.ToLower(strings.TrimSuffix(host, "."))}
	switch {
	case strings.HasPrefix(p.host, "*."):
		p.host, p.wild = p.host[2:], true
	case strings.HasPrefix(p.host, "*"):
		p.host, p.wild, p.apex = p.host[1:], true, true
	}
	switch {
	case strings.Contains(p.host, ":"):
		return refuse("has a port: a route is for all ports")
	case strings.Contains(p.host, "*"):
		return refuse("has a * inside the host: it can only begin it")
	case !patternHost().MatchString(p.host):
		return refuse("does not begin with a host name")
	case strings.ContainsAny(path, "?#"):
		return refuse("has a query string: a pattern is for paths")
	case strings.Count(path, "*") > 1:
		return refuse("has more than one * in its path")
	}
	if !hasPath || path == "*" {
		return p, nil
	}
	prefix, suffix, star := strings.Cut("/"+path, "*")
	if star && prefix == "/" {
		prefix = ""
	}
	p.prefix, p.suffix, p.exact = prefix, suffix, !star
	return p, nil
}

// rule writes the pattern as a rule expression. Host names are compared as a
// whole: a wildcard never matches evilexample.com for example.com.
func (p pattern) rule() string {
	host := fmt.Sprintf("http.host eq %s", quoted(p.host))
	below := fmt.Sprintf("ends_with(http.host, %s)", quoted("."+p.host))
	switch {
	case p.apex:
		host = "(" + host + " or " + below + ")"
	case p.wild:
		host = below
	}
	terms := []string{host}
	switch {
	case p.exact:
		terms = append(terms, "http.request.uri.path eq "+quoted(p.prefix))
	default:
		if p.prefix != "" {
			terms = append(terms, fmt.Sprintf("starts_with(http.request.uri.path, %s)", quoted(p.prefix)))
		}
		if p.suffix != "" {
			terms = append(terms, fmt.Sprintf("ends_with(http.request.uri.path, %s)", quoted(p.suffix)))
		}
	}
	if p.apex && len(terms) == 1 {
		return host // has its parentheses
	}
	return "(" + strings.Join(terms, " and ") + ")"
}

// quoted writes a string of the rule language.
func quoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

var (
	exactHost = lazyRegexp(`http\.host\s+eq\s+"([^"*]+)"`)
	someHosts = lazyRegexp(`http\.host\s+in\s+\{([^}]*)\}`)
	inQuotes  = lazyRegexp(`"([^"*]+)"`)
	hostEnd   = lazyRegexp(`ends_with\(\s*http\.host\s*,\s*"\.?([^"*]+)"\s*\)`)
)

// ruleHosts finds the hosts that a rule names; those it only names the end of
// begin with "*.".
func ruleHosts(rule string) []string {
	var hosts []string
	for _, m := range exactHost().FindAllStringSubmatch(rule, -1) {
		hosts = append(hosts, strings.ToLower(m[1]))
	}
	for _, set := range someHosts().FindAllStringSubmatch(rule, -1) {
		for _, m := range inQuotes().FindAllStringSubmatch(set[1], -1) {
			hosts = append(hosts, strings.ToLower(m[1]))
		}
	}
	for _, m := range hostEnd().FindAllStringSubmatch(rule, -1) {
		hosts = append(hosts, "*."+strings.ToLower(m[1]))
	}
	return hosts
}
