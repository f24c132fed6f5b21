package mcpserver

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// refusal is an HTTP error. Its body is a JSON-RPC error, as MCP has it, so that
// clients show the text.
type refusal struct {
	status int
	id     json.RawMessage // nil is null
	code   int
	text   string
	header map[string]string
}

func (e *refusal) write(w http.ResponseWriter) {
	for name, value := range e.header {
		w.Header().Set(name, value)
	}
	id := e.id
	if id == nil {
		id = nullID
	}
	body := append(replyError(&problem{id, e.code, e.text}, nil), '\n')
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(e.status)
	w.Write(body) // a client that is gone needs no error
}

func refuse(status int, format string, a ...any) *refusal {
	return &refusal{status: status, code: mcp.INVALID_REQUEST, text: fmt.Sprintf(format, a...)}
}

func busy(text string) *refusal {
	return &refusal{status: http.StatusServiceUnavailable, code: codeBusy, text: text, header: map[string]string{"Retry-After": "1"}}
}

// admit decides on a request by its head alone: nil lets it in.
func (h *HTTPHandler) admit(r *http.Request) *refusal {
	if !h.hostAllowed(r) {
		return refuse(http.StatusForbidden, "host %q is not allowed over a loopback address: use localhost, or start the server with --allow-host", r.Host)
	}
	// Requests of a browser carry the origin of the page that sends them.
	if origin := r.Header.Get("Origin"); origin != "" && !h.originAllowed(origin) {
		return refuse(http.StatusForbidden, "origin %q is not allowed: start the server with --allow-origin to let its pages in", origin)
	}
	if r.URL.Path != HTTPPath {
		return refuse(http.StatusNotFound, "nothing is at %s: MCP is at %s", r.URL.Path, HTTPPath)
	}
	if r.Method == http.MethodOptions && len(h.o.AllowOrigins) > 0 {
		return nil // a preflight, which never carries the token
	}
	if !slices.Contains(httpMethods(), r.Method) {
		e := refuse(http.StatusMethodNotAllowed, "method %s is not allowed: POST sends a message, GET listens, DELETE ends the session", r.Method)
		e.header = map[string]string{"Allow": strings.Join(httpMethods(), ", ")}
		return e
	}
	if h.o.Token != "" && !h.tokenRight(r) {
		e := refuse(http.StatusUnauthorized, "this server wants its token: send the header Authorization: Bearer TOKEN")
		e.header = map[string]string{"WWW-Authenticate": `Bearer realm="esa-mcp"`}
		return e
	}
	switch {
	case r.Method == http.MethodPost:
		return h.admitPost(r)
	case r.Method == http.MethodGet && !acceptsEvents(r):
		return refuse(http.StatusNotAcceptable, "GET listens to an event stream: accept text/event-stream")
	case isModern(r, nil):
		return nil // mcp-go answers that these revisions have no sessions
	}
	return h.session(r)
}

func (h *HTTPHandler) admitPost(r *http.Request) *refusal {
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		return refuse(http.StatusUnsupportedMediaType, "the content type has to be application/json, not %q", r.Header.Get("Content-Type"))
	}
	if r.ContentLength > h.o.MaxBody {
		return h.tooLarge()
	}
	return nil
}

func httpMethods() []string { return []string{http.MethodPost, http.MethodGet, http.MethodDelete} }

// shareWith lets the pages of an origin that the operator named read the answers.
// Others have to come from a client that is no browser, or through a proxy.
func (h *HTTPHandler) shareWith(origin string, head http.Header) {
	if len(h.o.AllowOrigins) == 0 {
		return
	}
	head.Add("Vary", "Origin")
	if !h.originNamed(origin) {
		return
	}
	head.Set("Access-Control-Allow-Origin", origin)
	head.Set("Access-Control-Allow-Methods", strings.Join(httpMethods(), ", "))
	head.Set("Access-Control-Allow-Headers", "Content-Type, Accept, Authorization, Last-Event-ID, Mcp-Session-Id, Mcp-Protocol-Version, Mcp-Method, Mcp-Name")
	head.Set("Access-Control-Expose-Headers", server.HeaderKeySessionID)
	head.Set("Access-Control-Max-Age", "600")
}

func (h *HTTPHandler) tooLarge() *refusal {
	return refuse(http.StatusRequestEntityTooLarge,
		"the message is longer than the limit of %d bytes; give large content as a path on the server's machine", h.o.MaxBody)
}

// tokenRight compares in constant time, whatever the length.
func (h *HTTPHandler) tokenRight(r *http.Request) bool {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	got, want := sha256.Sum256([]byte(strings.TrimSpace(token))), sha256.Sum256([]byte(h.o.Token))
	return strings.EqualFold(scheme, "Bearer") && subtle.ConstantTimeCompare(got[:], want[:]) == 1
}

// originAllowed lets in the pages of this machine and those that the operator
// named. The origin "null", of sandboxed pages and files, is neither.
func (h *HTTPHandler) originAllowed(origin string) bool {
	if h.originNamed(origin) {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && IsLoopbackHost(u.Host)
}

func (h *HTTPHandler) originNamed(origin string) bool {
	return slices.ContainsFunc(h.o.AllowOrigins, func(o string) bool { return strings.EqualFold(o, origin) })
}

// hostAllowed guards against DNS rebinding: a page whose name has been pointed
// to this machine reaches it, but says its own name as Host.
func (h *HTTPHandler) hostAllowed(r *http.Request) bool {
	local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok || !IsLoopbackHost(local.String()) || IsLoopbackHost(r.Host) {
		return true
	}
	name := hostOnly(r.Host)
	return slices.ContainsFunc(h.o.AllowHosts, func(a string) bool {
		return strings.EqualFold(a, r.Host) || strings.EqualFold(a, name)
	})
}

// IsLoopbackHost reports whether a host, with or without a port, is this machine.
func IsLoopbackHost(host string) bool {
	host = hostOnly(host)
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

func hostOnly(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return strings.Trim(host, "[]")
}

// isModern reports whether a request is one of the protocol revisions without
// sessions.
func isModern(r *http.Request, body []byte) bool {
	if mcp.IsModernProtocol(r.Header.Get(mcp.HeaderProtocolVersion)) {
		return true
	}
	var in struct {
		Params struct {
			Meta *mcp.Meta `json:"_meta"`
		} `json:"params"`
	}
	return json.Unmarshal(body, &in) == nil && mcp.IsModernProtocol(in.Params.Meta.ProtocolVersion())
}
