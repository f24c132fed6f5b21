package esa

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"time"

	openapiutil "github.com/alibabacloud-go/darabonba-openapi/v2/utils"
	"github.com/alibabacloud-go/tea/dara"
)

// maxAnswer is the largest answer that is read, in bytes.
const maxAnswer = 64 << 20

// request is one call, ready to be signed.
type request struct {
	action, version, method string
	query                   map[string]string
	form                    map[string]string // nil sends no content type
	target                  target
	writes                  bool // changes something
	deletes                 bool
	repeatable              bool // carrying it out twice is as good as once
}

// exchange carries one request over HTTP for the API library, and keeps the
// answer. The library gets an empty one: it would drop the status of an answer
// that is not JSON, and decode the others twice.
type exchange struct {
	http   *http.Client
	called bool
	status int
	header http.Header
	body   []byte
	err    error
}

var errTooLarge = fmt.Errorf("the answer is larger than %d MB", maxAnswer>>20)

// Call implements the library's HttpClient. The transport it offers is left
// aside: it is a new one for every call.
func (x *exchange) Call(req *http.Request, _ *http.Transport) (*http.Response, error) {
	x.called = true
	// The library puts a proxy's password on the request to ESA itself.
	delete(req.Header, "Proxy-Authorization")
	resp, err := x.http.Do(req)
	if err != nil {
		x.err = err
		return nil, err
	}
	defer resp.Body.Close()
	x.status, x.header = resp.StatusCode, resp.Header
	x.body, x.err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if x.err == nil && len(x.body) > maxAnswer {
		x.body, x.err = nil, errTooLarge
	}
	if x.err != nil {
		return nil, x.err
	}
	return &http.Response{StatusCode: http.StatusOK, Status: "200 OK", Header: http.Header{},
		Body: io.NopCloser(strings.NewReader("{}"))}, nil
}

// attempt is what came of sending a request once.
type attempt struct {
	body map[string]any
	err  *Error // nil if the service carried it out
	// unknown: the request may have been carried out without an answer.
	unknown bool
	// wait is what the service asks for before the next try.
	wait time.Duration
}

// try signs a request with a new nonce and sends it once.
func (c *Client) try(ctx context.Context, r request) attempt {
	cred, err := c.credentials.Credential(ctx)
	if err != nil {
		return attempt{err: credentialError(r.action, err)}
	}
	limited, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	var sent atomic.Bool
	traced := httptrace.WithClientTrace(limited, &httptrace.ClientTrace{
		WroteHeaders: func() { sent.Store(true) },
	})
	x := &exchange{http: c.http}
	start := c.now()
	libraryErr := c.sendApart(traced, r, cred, x)
	if !x.called && x.err == nil {
		x.err = libraryErr
	}
	a := c.judge(ctx, r, cred, x, sent.Load())
	c.log.DebugContext(ctx, "ESA call", "action", r.action, "status", x.status,
		"duration", c.now().Sub(start), "code", CodeOf(asError(a.err)))
	return a
}

// asError keeps a nil *Error a nil error.
func asError(e *Error) error {
	if e == nil {
		return nil
	}
	return e
}

// sendApart is send on a goroutine of its own: the library makes each nonce
// from a stack trace, which costs the more the deeper the caller's stack is. A
// panic in the library becomes an error.
func (c *Client) sendApart(ctx context.Context, r request, cred Credential, x *exchange) error {
	done := make(chan error, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				x.err = fmt.Errorf("the API library panicked: %v", p)
				done <- x.err
			}
		}()
		done <- c.send(ctx, r, cred, x)
	}()
	return <-done
}

// send calls the library on a copy of its client: it writes to the client with
// every call.
func (c *Client) send(ctx context.Context, r request, cred Credential, x *exchange) error {
	core := *c.core
	core.Credential = signer{cred}
	core.HttpClient = x
	core.Endpoint = &r.target.host
	core.Protocol = &r.target.scheme
	req := &openapiutil.OpenApiRequest{
		Query:   pointers(r.query),
		Headers: map[string]*string{"user-agent": &c.userAgent},
	}
	if r.form != nil {
		req.Body = anyMap(r.form)
	}
	_, err := core.CallApiWithCtx(ctx, &openapiutil.Params{
		Action: &r.action, Version: &r.version, Method: &r.method, Protocol: &r.target.scheme,
		Pathname: new("/"), Style: new("RPC"), AuthType: new("AK"),
		ReqBodyType: new("formData"), BodyType: new("json"),
	}, req, &dara.RuntimeOptions{})
	return err
}

func pointers(m map[string]string) map[string]*string {
	out := make(map[string]*string, len(m))
	for k, v := range m {
		out[k] = &v
	}
	return out
}

func anyMap(m map[string]string) map[string]any {
	out := make(map[string]any, len(m))
	for k, v := range m {
		out[k] = v
	}
	return out
}

// judge turns an exchange into its outcome.
func (c *Client) judge(ctx context.Context, r request, cred Credential, x *exchange, sent bool) attempt {
	if x.err != nil {
		return attempt{err: transportError(ctx, r.action, x.err, sent, c.timeout, cred), unknown: sent}
	}
	body, e := parseAnswer(x.status, x.header, x.body, cred)
	if e == nil {
		return attempt{body: body}
	}
	e.Action = r.action
	e.Hint = hintFor(e, r.action)
	return attempt{err: e, unknown: ambiguous(e), wait: retryAfter(x.header, c.now())}
}

// transportError describes a call that got no answer. Neither its text nor its
// cause holds the URL, which has the parameters in it.
func transportError(ctx context.Context, action string, err error, sent bool, limit time.Duration, cred Credential) *Error {
	if ctx.Err() != nil {
		return interrupted(action, ctx.Err(), "before the answer")
	}
	e := &Error{Action: action, Code: CodeConnection, cause: bareCause(err)}
	switch {
	case errors.Is(err, errTooLarge):
		e.Code = CodeBadAnswer
		e.Message = errTooLarge.Error()
		e.Hint = "Ask for less: a smaller page, a shorter time span or a filter."
	case sent && isTimeout(err):
		e.Code, e.Retryable = CodeTimeout, true
		e.Message = fmt.Sprintf("no answer within %v", limit)
	default:
		e.Retryable = true
		e.Message = "no connection to the service, or lost before the answer: " + redact(e.cause.Error(), cred.secrets()...)
		e.Hint = "Check the network, the proxy settings (HTTPS_PROXY) and the endpoint."
	}
	return e
}

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &t) && t.Timeout()
}

// interrupted is the error of a call whose context ended.
func interrupted(action string, cause error, when string) *Error {
	if errors.Is(cause, context.DeadlineExceeded) {
		return &Error{Action: action, Code: CodeTimeout, Message: "the call's deadline passed " + when, cause: cause}
	}
	return &Error{Action: action, Code: CodeCanceled, Message: "the call was cancelled " + when, cause: cause}
}

func credentialError(action string, err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		known := *e // shared with other calls
		known.Action = action
		return &known
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return interrupted(action, err, "while credentials were looked up")
	}
	return &Error{Action: action, Code: CodeNoCredentials, Message: redact(err.Error()), cause: err}
}
