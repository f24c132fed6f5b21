package edge

import (
	"log/slog"
	"net/http"
	"net/http/httputil"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/local/edge/plan"
)

// upgrades reports whether the visitor wants to speak WebSocket, and the site's
// network settings do not have it off. Other protocols would pass by the rules.
func (x *exchange) upgrades() bool {
	if !strings.Contains(strings.ToLower(strings.Join(x.asked.Header["Connection"], ",")), "upgrade") ||
		!strings.EqualFold(x.asked.Header.Get("Upgrade"), "websocket") {
		return false
	}
	return x.settings(plan.Network, "network").Text("Websocket") != "off"
}

// upgrade hands the connection over to the origin.
func (x *exchange) upgrade() {
	s := x.settings(plan.Origin, "origin")
	w, err := x.way(s)
	if err != nil {
		x.refuse(err)
		return
	}
	request, err := x.toOrigin(nil)
	if err != nil {
		x.refuse(err)
		return
	}
	request.Header["Connection"], request.Header["Upgrade"] = []string{"Upgrade"}, x.asked.Header["Upgrade"]
	proxy := httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			for _, name := range [...]string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"} {
				if values, ok := request.Header[name]; ok {
					p.Out.Header[name] = values
				}
			}
		},
		Transport: sender(func(r *http.Request) (*http.Response, error) {
			if w.fixed != nil {
				return fixedResponse(w.fixed, r), nil
			}
			response, _, err := x.ask(s, r, w)
			if err == nil {
				x.w.originStatus = response.StatusCode
			}
			return response, err
		}),
		ErrorHandler: func(_ http.ResponseWriter, _ *http.Request, err error) { x.refuse(err) },
		ErrorLog:     slog.NewLogLogger(x.cfg.Logger.Handler(), slog.LevelDebug),
	}
	proxy.ServeHTTP(x.w, request)
}

// sender is a function as an http.RoundTripper.
type sender func(r *http.Request) (*http.Response, error)

func (s sender) RoundTrip(r *http.Request) (*http.Response, error) {
	return s(r)
}
