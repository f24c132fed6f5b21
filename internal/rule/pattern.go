package rule

import (
	"fmt"
	"strings"
)

// Pattern is what a URL pattern such as *.example.com/api/* matches.
type Pattern struct {
	// Host is the exact host name; with Below, the domain below which hosts match,
	// and with Apex that domain too. Empty means every host.
	Host        string
	Below, Apex bool
	// Prefix and Suffix are of the path; Exact says that Prefix is the whole path.
	// None of them means every path.
	Prefix, Suffix string
	Exact          bool
	// Query is the exact query string, if Asks.
	Query string
	Asks  bool
}

// ParsePattern reads a URL pattern: a host alone means all its paths, *.example.com
// the hosts below example.com, *example.com that host as well; a path can have
// one *, a query string none.
func ParsePattern(text string) (Pattern, error) {
	refuse := func(why string) (Pattern, error) {
		return Pattern{}, fmt.Errorf("pattern %q %s", text, why)
	}
	rest := strings.TrimSpace(text)
	if scheme, after, ok := strings.Cut(rest, "://"); ok {
		if scheme != "http" && scheme != "https" && scheme != "*" {
			return refuse("has a scheme that is neither http nor https")
		}
		rest = after
	}
	if rest == "" {
		return refuse("begins with neither a host name nor a path")
	}
	var p Pattern
	if strings.ContainsAny(rest, "#") {
		return refuse("has a fragment: no request carries what follows #")
	}
	rest, p.Query, p.Asks = strings.Cut(rest, "?")
	if p.Asks && strings.Contains(p.Query, "*") {
		if p.Query != "*" {
			return refuse("has a * in its query string: give the argument as a condition instead")
		}
		p.Query, p.Asks = "", false
	}
	host, path, hasPath := strings.Cut(rest, "/")
	p.Host = lowerASCII(strings.TrimSuffix(host, "."))
	switch {
	case host == "*" || host == "" && hasPath:
		p.Host = ""
	case strings.HasPrefix(p.Host, "*."):
		p.Host, p.Below = p.Host[2:], true
	case strings.HasPrefix(p.Host, "*"):
		p.Host, p.Below, p.Apex = p.Host[1:], true, true
	}
	switch {
	case strings.Contains(p.Host, ":"):
		return refuse("has a port: a rule is for all ports")
	case strings.Contains(p.Host, "*"):
		return refuse("has a * inside the host: it can only begin it")
	case p.Host != "" && !validHost(p.Host):
		return refuse("does not begin with a host name")
	case strings.Count(path, "*") > 1:
		return refuse("has more than one * in its path")
	}
	if !hasPath || path == "*" {
		if !hasPath && p.Asks {
			p.Prefix, p.Exact = "/", true
		}
		return p, nil
	}
	prefix, suffix, star := strings.Cut("/"+path, "*")
	if star && prefix == "/" {
		prefix = ""
	}
	p.Prefix, p.Suffix, p.Exact = prefix, suffix, !star
	return p, nil
}

// validHost reports whether a text is a host name with at least two labels.
func validHost(s string) bool {
	labels := 0
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' ||
			strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789_-") != "" {
			return false
		}
		labels++
	}
	return labels > 1 && len(s) <= 253
}

// Expression writes the pattern as an expression. Host names are compared as a
// whole: a wildcard never matches evilexample.com for example.com.
func (p Pattern) Expression() string {
	var terms []string
	host := "http.host eq " + Quote(p.Host)
	below := "ends_with(http.host, " + Quote("."+p.Host) + ")"
	switch {
	case p.Host == "":
	case p.Apex:
		terms = append(terms, "("+host+" or "+below+")")
	case p.Below:
		terms = append(terms, below)
	default:
		terms = append(terms, host)
	}
	if p.Exact {
		terms = append(terms, "http.request.uri.path eq "+Quote(p.Prefix))
	} else {
		if p.Prefix != "" {
			terms = append(terms, "starts_with(http.request.uri.path, "+Quote(p.Prefix)+")")
		}
		if p.Suffix != "" {
			terms = append(terms, "ends_with(http.request.uri.path, "+Quote(p.Suffix)+")")
		}
	}
	if p.Asks {
		terms = append(terms, "http.request.uri.query eq "+Quote(p.Query))
	}
	switch {
	case len(terms) == 0:
		return "true"
	case len(terms) == 1 && p.Apex:
		return terms[0] // has its parentheses
	}
	return "(" + strings.Join(terms, " and ") + ")"
}

// FromPattern makes an expression of a URL pattern. The notes say what the pattern
// does not match although one might think so.
func FromPattern(text string) (expression string, notes []string, err error) {
	p, err := ParsePattern(text)
	if err != nil {
		return "", nil, err
	}
	if p.Below && !p.Apex {
		notes = append(notes, fmt.Sprintf("%s itself does not match; *%s would include it.", p.Host, p.Host))
	}
	if scheme, _, ok := strings.Cut(text, "://"); ok && scheme != "*" {
		notes = append(notes, "Both http and https match; add ssl or not ssl for one of them.")
	}
	if p.Exact && !p.Asks {
		notes = append(notes, fmt.Sprintf("Only the path %s matches, with any query string; end it with * for all below.", p.Prefix))
	}
	if p.Asks {
		notes = append(notes, "The query string must be the same in every character, order included.")
	}
	return p.Expression(), notes, nil
}
