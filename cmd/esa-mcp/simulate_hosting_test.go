package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/esa"
	"github.com/esa-mcp/esa-mcp/tools"
)

// hosting is a local ESA with one site, shop.example, the server with all tools
// beside a client that no guardrail stops, and an origin.
type hosting struct {
	t      *testing.T
	s      *server
	rig    *rig
	c      *esa.Client
	edge   *url.URL
	site   string
	origin *httptest.Server
}

func newHosting(t *testing.T, access string) *hosting {
	t.Helper()
	r := newRig(t)
	c, err := esa.New(esa.Config{Endpoint: r.info.Endpoint, Credentials: esa.StaticCredentials(r.info.AccessKeyID, r.info.AccessKeySecret, "")})
	require.NoError(t, err)
	h := &hosting{t: t, rig: r, s: start(t, r.env, "--toolsets", "all"), c: c}
	h.edge, err = url.Parse(r.info.Edge)
	require.NoError(t, err)
	h.site = string(newSite(t, h.s, "shop.example", access).ID)
	h.origin = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		w.Header().Set("Cache-Control", "max-age=60")
		w.Header().Set("X-Origin-Host", q.Host)
		w.Header().Set("X-Origin-Uri", q.URL.RequestURI())
		w.Write([]byte(strings.Repeat("origin ", 400)))
	}))
	t.Cleanup(h.origin.Close)
	return h
}

// port is the origin's.
func (h *hosting) port() string {
	u, err := url.Parse(h.origin.URL)
	require.NoError(h.t, err)
	return u.Port()
}

// call sends an operation about the site past the guardrails, and returns an id
// of its answer.
func (h *hosting) call(action, id string, params arguments) string {
	h.t.Helper()
	answer, err := h.c.Call(h.t.Context(), action, h.of(params))
	require.NoError(h.t, err, action)
	if id == "" {
		return ""
	}
	return answer.Body[id].(interface{ String() string }).String()
}

// of are the parameters of an operation about the site.
func (h *hosting) of(params arguments) esa.Params {
	all := esa.Params{"SiteId": h.site}
	for name, v := range params {
		all[name] = v
	}
	return all
}

// record makes a record that leads to the origin.
func (h *hosting) record(name string, proxied bool) string {
	params := arguments{"RecordName": name, "Type": "CNAME", "Ttl": 1, "Proxied": proxied, "Data": arguments{"Value": "origin.localhost"}}
	if proxied {
		params["BizName"], params["HttpPorts"] = "web", h.port()
	}
	return h.call("CreateRecord", "RecordId", params)
}

// rule makes a rule of a family; without a condition it is the site's default.
func (h *hosting) rule(family, condition string, params arguments) string {
	all := arguments{}
	if condition != "" {
		all = arguments{"Rule": condition, "RuleName": "of a test", "RuleEnable": "on"}
	}
	for name, v := range params {
		all[name] = v
	}
	return h.call("Create"+family, "ConfigId", all)
}

// visit asks the local edge.
func (h *hosting) visit(method, address string, header map[string]string) *http.Response {
	h.t.Helper()
	u, err := url.Parse(address)
	require.NoError(h.t, err)
	host := u.Host
	u.Scheme, u.Host = h.edge.Scheme, h.edge.Host
	r, err := http.NewRequestWithContext(h.t.Context(), method, u.String(), nil)
	require.NoError(h.t, err)
	r.Host = host
	for name, text := range header {
		r.Header.Set(name, text)
	}
	res := ask(h.t, r, false)
	res.Body.Close()
	return res
}

func (h *hosting) simulate(a arguments) tools.SimulateRequestOutput {
	h.t.Helper()
	return callOK[tools.SimulateRequestOutput](h.t, h.s, "simulate_request", a)
}

// edgeWords are the names that the local edge has for kinds of rules.
func edgeWords() map[string]string {
	return map[string]string{"custom_response": "response", "request_headers": "request_header", "response_headers": "response_header",
		"incoming_request_headers": "incoming_request_header", "incoming_response_headers": "incoming_response_header"}
}

// verdictOf writes what was simulated as the local edge writes what it did.
func verdictOf(out tools.SimulateRequestOutput) []string {
	list := []string{}
	for _, r := range out.Rules {
		if r.Outcome != tools.RuleApplies && r.Outcome != tools.RuleOverridden {
			continue
		}
		word := r.Kind
		if w := edgeWords()[word]; w != "" {
			word = w
		}
		switch {
		case word == "waf":
			if phase, action, _ := strings.Cut(r.Does, " "); phase == "http_whitelist" {
				word += " whitelist"
			} else {
				word += " " + action
			}
		case word == "route" && strings.HasPrefix(r.Does, "bypass"):
			word += " bypass"
		}
		list = append(list, word+" "+string(r.ID))
	}
	return list
}

// doneBy is what the local edge says of the configurations that had a say. It
// decides about compression before all else, which nobody can tell.
func doneBy(res *http.Response) []string {
	list := []string{}
	var compression []string
	for one := range strings.SplitSeq(res.Header.Get("X-Esa-Rules"), ", ") {
		switch {
		case strings.HasPrefix(one, "compression "):
			compression = append(compression, one)
		case one != "":
			list = append(list, one)
		}
	}
	for i, one := range list {
		if strings.HasPrefix(one, "response_header ") {
			return append(append(list[:i:i], compression...), list[i:]...)
		}
	}
	return append(list, compression...)
}

func change(kind, operation, name, text string) arguments {
	return arguments{kind + "HeaderModification": []arguments{{"Name": name, "Operation": operation, "Type": "static", "Value": text}}}
}

// waitingRoom makes a waiting room for a path of www.shop.example and returns its
// id.
func (h *hosting) waitingRoom(path string, more arguments) string {
	params := arguments{"Name": path, "CookieName": "__aliwaitingroom_x", "Enable": "on", "TotalActiveUsers": "5", "NewUsersPerMinute": "5",
		"SessionDuration": "5", "QueuingMethod": "fifo", "QueuingStatusCode": "429", "WaitingRoomType": "default",
		"HostNameAndPath": []arguments{{"Subdomain": "www.", "Domain": "shop.example", "Path": path}}}
	for name, v := range more {
		params[name] = v
	}
	answer, err := h.c.Call(h.t.Context(), "CreateWaitingRoom", h.of(params))
	require.NoError(h.t, err)
	return fmt.Sprint(answer.Body["WaitingRoomId"])
}
