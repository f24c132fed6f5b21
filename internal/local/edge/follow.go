package edge

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/esa-mcp/esa-mcp/internal/local/edge/origin"
	"github.com/esa-mcp/esa-mcp/internal/local/edge/plan"
)

// follow goes after redirects of the origin, if an origin rule says so, and
// returns the last answer.
func (x *exchange) follow(s plan.Settings, request *http.Request, to origin.Destination, response *http.Response) (*http.Response, error) {
	if !s.On("Follow302Enable") || !isRead(request) {
		return response, nil
	}
	for range s.Int("Follow302MaxTries", 1) {
		location := response.Header.Get("Location")
		if !isRedirect(response.StatusCode) || location == "" {
			return response, nil
		}
		base := url.URL{Scheme: to.Scheme, Host: to.Host, Path: request.URL.Path}
		target, err := base.Parse(location)
		if err != nil || target.Scheme != "http" && target.Scheme != "https" {
			return response, nil
		}
		if err := response.Body.Close(); err != nil {
			return nil, err
		}
		if s.On("Follow302RetainArgs") && target.RawQuery == "" {
			target.RawQuery = x.asked.URL.RawQuery
		}
		next := request.Clone(request.Context())
		next.URL, next.Body = target, nil
		if !s.On("Follow302RetainHeader") {
			next.Header = http.Header{"User-Agent": request.Header["User-Agent"], "Via": request.Header["Via"], "Range": request.Header["Range"]}
		}
		if to, err = x.redirected(s, to, target); err != nil {
			return nil, err
		}
		if response, err = x.cfg.Origins.Send(next, to); err != nil {
			return nil, err
		}
		request = next
	}
	return response, nil
}

func isRedirect(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

// redirected is where a redirect of the origin leads: to the origin itself, or to
// another host, which must be one that the edge may go to.
func (x *exchange) redirected(s plan.Settings, from origin.Destination, target *url.URL) (origin.Destination, error) {
	to := from
	name := plan.HostName(target.Host)
	if target.Host != from.Host {
		found, err := x.cfg.Origins.Find(x.r.Context(), &plan.Record{Name: name, Type: plan.TypeCNAME, Values: []string{name}})
		if err != nil {
			return to, err
		}
		found.Verify, found.Timeout = from.Verify, from.Timeout
		to = found
		to.Port = map[string]int{"http": 80, "https": 443}[target.Scheme]
		if port, err := strconv.Atoi(target.Port()); err == nil {
			to.Port = port
		}
		to.Host, to.SNI = target.Host, name
	}
	to.Scheme = target.Scheme
	if host := s.Text("Follow302TargetHost"); host != "" {
		to.Host = host
	}
	return to, nil
}
