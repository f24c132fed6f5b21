package esa

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
)

// Waits between two tries: a random part of base doubled with each try, up to
// the cap ("full jitter").
const (
	backoffBase = time.Second
	backoffCap  = 10 * time.Second
	// longestAsked is the longest wait that a service may ask for.
	longestAsked = 30 * time.Second
)

// repeat sends a request until it succeeds, fails for good, or the tries or the
// time are used up.
func (c *Client) repeat(ctx context.Context, r request) (map[string]any, error) {
	doubtful := false // an earlier try may have been carried out
	for n := 1; ; n++ {
		a := c.try(ctx, r)
		if a.err == nil {
			return a.body, nil
		}
		doubtful = doubtful || a.unknown
		e := settle(a, r, doubtful)
		if !e.Retryable || n >= c.maxTries || ctx.Err() != nil {
			return nil, e
		}
		wait := max(c.backoff(n), a.wait)
		if deadline, ok := ctx.Deadline(); ok && c.now().Add(wait).After(deadline) {
			return nil, e // waiting would only hide this error behind a time-out
		}
		if err := c.sleep(ctx, wait); err != nil {
			stop := interrupted(r.action, err, "while it waited to repeat after "+e.Code)
			stop.OutcomeUnknown = e.OutcomeUnknown
			return nil, stop
		}
	}
}

// settle says of a failed try whether it may be repeated and whether it may
// have been carried out.
func settle(a attempt, r request, doubtful bool) *Error {
	e := a.err
	if a.unknown && !r.repeatable {
		e.Retryable = false
	}
	e.OutcomeUnknown = r.writes && a.unknown
	switch {
	case e.OutcomeUnknown && !r.repeatable:
		e.Hint = join("It may have been carried out: look (list or get it) before sending it again.", e.Hint)
	case r.deletes && doubtful && isNotFound(e.Code):
		e.Hint = join("An earlier try of this call got no answer and has probably deleted it.", e.Hint)
	}
	return e
}

func join(a, b string) string { return strings.TrimSpace(a + " " + b) }

func (c *Client) backoff(n int) time.Duration {
	most := min(backoffBase<<min(n-1, 16), backoffCap)
	return time.Duration(c.random() * float64(most))
}

// retryableCode reports whether the service refuses for the moment only.
func retryableCode(code string) bool {
	switch strings.TrimSpace(code) {
	case "Site.ServiceBusy", "Record.ServiceBusy", "TooManyRequests", "TooQuickRequests", "LockFailed",
		"InternalException", "undefined", "ServiceUnavailable", "RequestTimeout",
		"Record.NoResource", "Record.Reserved",
		// The next try has a new nonce.
		"SignatureNonceUsed":
		return true
	}
	return code == "Throttling" || strings.HasPrefix(code, "Throttling.")
}

// retryableStatus is for answers without a code of the service: a gateway that
// is overloaded or cannot reach the service.
func retryableStatus(status int) bool {
	switch status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// ambiguous reports whether a request with this answer may have been carried
// out all the same.
func ambiguous(e *Error, r request) bool {
	switch e.Code {
	case "RequestTimeout", "SignatureNonceUsed": // used means that a copy arrived before
		return true
	case "InternalException", "undefined":
		return !r.repeatable // where in the operation it failed is not known
	case CodeBadAnswer:
		// 429 and 503 pages are from a gateway that did not pass it on.
		return e.HTTPStatus/100 == 2 || e.HTTPStatus >= 500 && e.HTTPStatus != http.StatusServiceUnavailable
	}
	return false
}

// retryAfter reads the wait that an answer asks for.
func retryAfter(h http.Header, now time.Time) time.Duration {
	v := h.Get("Retry-After")
	if v == "" {
		return 0
	}
	if s, err := strconv.Atoi(v); err == nil {
		return min(max(time.Duration(s), 0)*time.Second, longestAsked)
	}
	if t, err := http.ParseTime(v); err == nil {
		return min(max(t.Sub(now), 0), longestAsked)
	}
	return 0
}

// repeatable reports whether carrying out an operation twice is as good as
// once. A verb that is not named here creates something, starts a task or costs
// money.
func repeatable(op *catalog.Operation) bool {
	if op.Effect == catalog.Read {
		return true
	}
	if op.Spend {
		return false
	}
	verb := strings.TrimPrefix(op.Action, "Batch")
	for _, v := range []string{"Activate", "Deactivate", "Delete", "Disable", "Edit", "Enable", "Put", "Revoke",
		"Set", "Tag", "Untag", "Update", "Verify", "PublishRoutine"} {
		if strings.HasPrefix(verb, v) {
			return true
		}
	}
	return false
}
