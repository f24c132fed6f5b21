// Package gateway is the front door of the local ESA: it answers the ESA API
// over HTTP as the service does. It verifies signatures, gathers parameters,
// refuses calls that do not fit the catalogue, and hands the rest to a table of
// handlers.
//
// It must not know what any operation does, nor anything of the ESA client: it
// is the other side of the wire.
package gateway

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/fault"
	"github.com/esa-mcp/esa-mcp/internal/local/values"
)

// maxBody is above the largest body that an operation takes: 2 MB of key-value
// content, three times as long in a form of escaped bytes.
const maxBody = 8 << 20

// Config is what a gateway needs.
type Config struct {
	// AccessKeyID and AccessKeySecret are the one key that it knows.
	AccessKeyID, AccessKeySecret string
	// Table has the operations.
	Table api.Table
	// Versions names the API version of actions that are not of ESA's own.
	Versions map[string]string
	// Intercept, if set, is called for each verified and valid call before its
	// handler. An *api.Error that it returns is the answer, so that tests can
	// throttle or fail chosen actions; it may also wait, but not past ctx.
	Intercept func(ctx context.Context, action string) error
	// Faults, if set, meet verified and valid calls.
	Faults *fault.Set
	// Now is the clock; time.Now if nil.
	Now func() time.Time
	// NewRequestID makes request ids; random upper-case UUIDs if nil.
	NewRequestID func() string
	// Logger gets a line for each call, without parameters; silent if nil.
	Logger *slog.Logger
}

// Gateway is the HTTP handler of the API.
type Gateway struct {
	cfg    Config
	nonces *nonces
}

// New makes a gateway.
func New(cfg Config) *Gateway {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.NewRequestID == nil {
		cfg.NewRequestID = randomUUID
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Gateway{cfg: cfg, nonces: newNonces()}
}

// ServeHTTP answers one call.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	started := g.cfg.Now()
	requestID := g.cfg.NewRequestID()
	action := r.Header.Get("x-acs-action")
	answer, injected, err := g.serve(w, r, requestID, &action)
	var body []byte
	if err == nil {
		body, err = encodeAnswer(answer, requestID)
	}
	status, code := http.StatusOK, ""
	if err != nil {
		e := g.asError(action, requestID, err)
		status, code = e.Status, e.Code
		body = encodeError(e, requestID, r.Host)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json;charset=utf-8")
	h.Set("X-Acs-Request-Id", requestID)
	if err := injected.Write(w, r, status, body); err != nil {
		g.cfg.Logger.Debug("answer not delivered", "action", action, "request_id", requestID, "error", err)
	}
	g.cfg.Logger.Debug("call", "action", action, "method", r.Method, "status", status, "code", code,
		"request_id", requestID, "took", g.cfg.Now().Sub(started))
}

// serve verifies, checks and carries out a call. It stores the action that the
// call turned out to name.
func (g *Gateway) serve(w http.ResponseWriter, r *http.Request, requestID string, action *string) (any, fault.Injection, error) {
	var none fault.Injection
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return nil, none, bodyError(err)
	}
	if err := g.authenticate(r, body); err != nil {
		return nil, none, err
	}
	params, err := mergeParams(r.URL.RawQuery, r.Header.Get("Content-Type"), body)
	if err != nil {
		return nil, none, err
	}
	if *action == "" {
		*action = params.String("Action")
	}
	handle, err := g.admit(r, *action, params)
	if err != nil {
		return nil, none, err
	}
	if g.cfg.Intercept != nil {
		if err := g.cfg.Intercept(r.Context(), *action); err != nil {
			return nil, none, err
		}
	}
	in := g.inject(r.Context(), *action, params)
	if in.Code != "" && !in.After {
		return nil, in, api.Errorf(in.Status, in.Code, "%s", in.Message)
	}
	answer, err := g.call(in.Carry(r.Context()), handle, &api.Request{
		Action:    *action,
		Method:    r.Method,
		Params:    params,
		RequestID: requestID,
		BaseURL:   baseURL(r),
	})
	if in.Code != "" && err == nil {
		err = api.Errorf(in.Status, in.Code, "%s", in.Message)
	}
	return answer, in, err
}

// baseURL is the gateway's address as the client reached it.
func baseURL(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// inject asks which faults a call meets, and carries out what comes before the
// call: waiting, and cutting the connection.
func (g *Gateway) inject(ctx context.Context, action string, p api.Params) fault.Injection {
	routine := p.String("RoutineName")
	if routine == "" {
		routine = p.String("Name")
	}
	in := g.cfg.Faults.Call(fault.Call{Action: action, Site: p.String("SiteId"), Routine: routine, Namespace: p.String("Namespace")})
	if !in.Before(ctx) {
		g.cfg.Logger.Debug("connection dropped by a fault", "action", action)
		panic(http.ErrAbortHandler)
	}
	return in
}

func bodyError(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return api.Errorf(http.StatusRequestEntityTooLarge, "RequestBodyTooLarge",
			"The request body is larger than %d bytes.", tooLarge.Limit)
	}
	return api.Errorf(http.StatusBadRequest, "IncompleteBody", "The request body could not be read to its end.")
}

// admit finds the handler of a call and refuses calls that do not fit the
// catalogue.
func (g *Gateway) admit(r *http.Request, action string, params api.Params) (api.Handler, error) {
	version := r.Header.Get("x-acs-version")
	switch {
	case version == "":
		return nil, missing("Version")
	case version != g.version(action):
		return nil, api.Errorf(400, "InvalidVersion", "Specified parameter Version is not valid: use %s.", g.version(action))
	case action == "":
		return nil, missing("Action")
	}
	handle, served := g.cfg.Table[action]
	op, listed := catalog.Lookup(action)
	switch {
	case r.URL.Path != "/" || !served && !listed:
		return nil, api.Errorf(404, "InvalidAction.NotFound", "Specified api is not found, please check your url and method.")
	case !served:
		return nil, api.Errorf(http.StatusNotImplemented, "NotInLocalESA",
			"The local ESA does not have the operation %s yet. Use a real account for it.", action)
	case !methodAllowed(op, r.Method):
		return nil, api.Errorf(403, "UnsupportedHTTPMethod",
			"This http method is not supported.")
	}
	if op != nil {
		if err := values.CheckCall(op, params); err != nil {
			return nil, err
		}
	}
	return handle, nil
}

// version is the API version that an action is called with.
func (g *Gateway) version(action string) string {
	if v := g.cfg.Versions[action]; v != "" {
		return v
	}
	return catalog.Version
}

// methodAllowed follows what is known of the service: an operation that the
// official SDK sends as GET refuses POST, except the edge routine's, which take
// both; nothing is known to refuse GET. op is nil for an operation that is not
// in the catalogue.
func methodAllowed(op *catalog.Operation, method string) bool {
	switch method {
	case http.MethodGet:
		return true
	case http.MethodPost:
		return op == nil || op.Method == http.MethodPost || op.Area == "routine"
	}
	return false
}

// call runs a handler and turns its panic into an error: one bad call must not
// end the process.
func (g *Gateway) call(ctx context.Context, handle api.Handler, r *api.Request) (answer any, err error) {
	defer func() {
		if p := recover(); p != nil {
			g.cfg.Logger.Error("handler panicked", "action", r.Action, "request_id", r.RequestID,
				"panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			answer, err = nil, internalError()
		}
	}()
	return handle(ctx, r)
}

// asError makes what is answered of any error; the text of one that is no
// *api.Error stays in the log.
func (g *Gateway) asError(action, requestID string, err error) *api.Error {
	var e *api.Error
	if errors.As(err, &e) {
		return e
	}
	g.cfg.Logger.Error("call failed", "action", action, "request_id", requestID, "error", err)
	return internalError()
}

func internalError() *api.Error {
	return api.Errorf(http.StatusInternalServerError, "InternalException", "The call failed inside the local ESA; its log says why.")
}

func missing(name string) *api.Error {
	return api.Errorf(http.StatusBadRequest, "Missing"+name, "%s is mandatory for this action.", name)
}

// randomUUID makes a version 4 UUID in upper case, as the service's request ids.
func randomUUID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := strings.ToUpper(hex.EncodeToString(b[:]))
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
