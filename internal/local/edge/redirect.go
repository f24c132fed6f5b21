package edge

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/local/edge/plan"
	"github.com/esa-mcp/esa-mcp/internal/rule"
)

// https sends visitors of plain HTTP to HTTPS, and tells those of HTTPS to stay,
// as the site's HTTPS configuration says. It reports whether it has answered.
func (x *exchange) https() bool {
	s := x.settings(plan.HTTPSApplication, "https")
	if len(s) == 0 {
		return false
	}
	if x.scheme == "http" {
		if !s.On("HttpsForce") {
			return false
		}
		x.w.Header().Set("Location", "https://"+x.secureHost()+x.r.URL.RequestURI())
		x.w.WriteHeader(s.Int("HttpsForceCode", http.StatusMovedPermanently))
		return true
	}
	if s.On("HttpsSniVerify") && !x.sniFits(s) {
		problem(x.w, x.r, http.StatusForbidden, "The TLS handshake was for %q, not for %s, and HttpsSniVerify is on. HttpsSniWhitelist names what else may be asked for.",
			x.r.TLS.ServerName, x.host.Name)
		return true
	}
	if s.On("Hsts") {
		value := "max-age=" + strconv.Itoa(s.Int("HstsMaxAge", 0))
		if s.On("HstsIncludeSubdomains") {
			value += "; includeSubDomains"
		}
		if s.On("HstsPreload") {
			value += "; preload"
		}
		x.change("Strict-Transport-Security", value)
	}
	switch {
	case s.On("AltSvcClear"):
		x.change("Alt-Svc", "clear")
	case s.On("AltSvc"):
		value := fmt.Sprintf(`h3=":443"; ma=%d`, s.Int("AltSvcMa", 86400))
		if s.On("AltSvcPersist") {
			value += "; persist=1"
		}
		x.change("Alt-Svc", value)
	}
	return false
}

// sniFits reports whether the name of the TLS handshake is the host, or one that
// the site allows for all of its hosts.
func (x *exchange) sniFits(s plan.Settings) bool {
	if x.r.TLS == nil {
		return true // a routine's own request makes no handshake
	}
	name := plan.HostName(x.r.TLS.ServerName)
	return name == x.host.Name || slices.Contains(strings.Fields(strings.ToLower(s.Text("HttpsSniWhitelist"))), name)
}

// secureHost is the host with the port of the edge's HTTPS. Visitors who named no
// port are on the standard ones.
func (x *exchange) secureHost() string {
	host, _, err := net.SplitHostPort(x.r.Host)
	if err != nil || x.cfg.TLSPort == "" {
		return x.r.Host
	}
	return net.JoinHostPort(host, x.cfg.TLSPort)
}

// redirect answers with the first redirect rule that applies, and reports
// whether there was one.
func (x *exchange) redirect() bool {
	c := x.first(plan.Redirect, "redirect")
	if c == nil {
		return false
	}
	s := plan.Settings{c}
	target, err := x.value(s.Text("Type"), s.Text("TargetUrl"))
	if err == nil {
		target, err = withQuery(target, s.On("ReserveQueryString"), x.r.URL.RawQuery)
	}
	if err != nil {
		problem(x.w, x.r, http.StatusInternalServerError, "The redirect rule %d has a TargetUrl that gives no address: %v.", c.ID, err)
		return true
	}
	x.w.Header().Set("Location", target)
	x.w.WriteHeader(s.Int("StatusCode", http.StatusFound))
	return true
}

// withQuery appends the request's query string to a target that is to keep it.
func withQuery(target string, keep bool, query string) (string, error) {
	u, err := url.Parse(target)
	if err != nil {
		return "", err
	}
	if u.Host == "" && !strings.HasPrefix(target, "/") {
		return "", fmt.Errorf("%q is neither a URL nor a path", target)
	}
	if keep && query != "" {
		if u.RawQuery != "" {
			u.RawQuery += "&"
		}
		u.RawQuery += query
	}
	return u.String(), nil
}

// rewrite changes the address under which the request goes on.
func (x *exchange) rewrite() {
	s := x.settings(plan.Rewrite, "rewrite")
	if len(s) == 0 {
		return
	}
	to := *x.r.URL
	if kind := s.Text("RewriteUriType"); kind != "" {
		text, err := x.value(kind, s.Text("Uri"))
		if err == nil && strings.HasPrefix(text, "/") {
			path, query, found := strings.Cut(text, "?")
			path = escapeLoose(path)
			if decoded, err := url.PathUnescape(path); err == nil {
				to.Path, to.RawPath = decoded, path
				if found {
					to.RawQuery = query
				}
			}
		}
	}
	if kind := s.Text("RewriteQueryStringType"); kind != "" {
		if text, err := x.value(kind, s.Text("QueryString")); err == nil {
			to.RawQuery = strings.TrimPrefix(text, "?")
		}
	}
	r := *x.r
	r.URL = &to
	x.r = &r
}

// escapeLoose escapes what cannot stand in a path as it is, and leaves what is
// escaped already.
func escapeLoose(path string) string {
	var b strings.Builder
	for i := 0; i < len(path); i++ {
		if c := path[i]; c <= ' ' || c >= 0x7f || strings.IndexByte("\"<>\\^`{|}", c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// customResponse answers with the status and page of the first rule for one that
// applies, and reports whether there was one.
func (x *exchange) customResponse() bool {
	c := x.first(plan.CustomResponse, "response")
	if c == nil {
		return false
	}
	s := plan.Settings{c}
	status := s.Int("ReturnCode", http.StatusOK)
	if !x.page(status, s.Text("PageId")) {
		problem(x.w, x.r, status, "%d %s", status, http.StatusText(status))
	}
	return true
}

// page answers with a custom page of the account, and reports whether it has it.
func (x *exchange) page(status int, id string) bool {
	page, err := x.cfg.Plans.Page(x.r.Context(), id)
	if err != nil {
		x.refuse(err)
		return true
	}
	if page == nil {
		return false
	}
	h := x.w.Header()
	h.Set("Content-Type", page.Type)
	h.Set("Content-Length", strconv.Itoa(len(page.Content)))
	h.Set("Cache-Control", "no-store")
	x.w.WriteHeader(status)
	if x.r.Method != http.MethodHead {
		_, _ = x.w.Write(page.Content) // fails if the visitor leaves, and nobody is left to tell
	}
	return true
}

// value is a value of a rule: as it stands, or what its expression gives for the
// request as it came.
func (x *exchange) value(kind, text string) (string, error) {
	if kind != "dynamic" {
		return text, nil
	}
	return rule.EvalValue(text, x.facts())
}
