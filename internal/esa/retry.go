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
func (c *Client) repeat(ctx context.Context, r request) (Result, error) {
	doubtful := false // an earlier try may have been carried out
	for n := 1; ; n++ {
		a := c.try(ctx, r)
		if a.err == nil || doubtful && r.deletes && isGone(a.err.Code, r.action) {
			return Result{Body: a.body, Notes: r.doubts(doubtful)}, nil
		}
		doubtful = doubtful || a.unknown
		e := settle(a, r, doubtful)
		if !e.Retryable || n >= c.maxTries || ctx.Err() != nil {
			return Result{}, e
		}
		wait := max(c.backoff(n), a.wait)
		if deadline, ok := ctx.Deadline(); ok && c.now().Add(wait).After(deadline) {
			return Result{}, e // waiting would only hide this error behind a time-out
		}
		if err := c.sleep(ctx, wait); err != nil {
			stop := interrupted(r.action, err, "while it waited to repeat after "+e.Code)
			stop.OutcomeUnknown = e.OutcomeUnknown
			return Result{}, stop
		}
	}
}

// settle says of a failed try whether it may be repeated and whether it, or an
// earlier one, may have been carried out.
func settle(a attempt, r request, doubtful bool) *Error {
	e := a.err
	if a.unknown && !r.repeatable {
		e.Retryable = false
	}
	e.OutcomeUnknown = r.writes && doubtful
	if e.OutcomeUnknown && !r.repeatable {
		e.Hint = join("It may have been carried out: look (list or get it) before sending it again.", e.Hint)
	}
	return e
}

// NoteEarlierTry is the id of the note that an earlier try of a deletion got no
// answer.
const NoteEarlierTry = "earlier-try"

// doubts says of a success what an earlier try may have done. Only a deletion
// answers otherwise the second time.
func (r request) doubts(doubtful bool) []Note {
	if !doubtful || !r.deletes {
		return nil
	}
	return []Note{{ID: NoteEarlierTry, Text: "An earlier try of " + r.action +
		" got no answer and has probably been carried out: what it deleted was not there any more for the one that was answered."}}
}

// isGone reports whether a code says that what an operation deletes is not there.
// That the site of it is not there says nothing of it.
func isGone(code, action string) bool {
	return isNotFound(code) && (action == "DeleteSite" || !isNoSite(code))
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
func ambiguous(e *Error) bool {
	switch e.Code {
	case "RequestTimeout", "SignatureNonceUsed": // used means that a copy arrived before
		return true
	case CodeBadAnswer:
		// 429 and 503 pages are from a gateway that did not pass it on.
		return e.HTTPStatus/100 == 2 || e.HTTPStatus >= 500 && e.HTTPStatus != http.StatusServiceUnavailable
	case "InternalException", "undefined":
		return true // where in the operation it failed is not known
	}
	// The same goes for failures of the service under other names; one that is
	// busy has not begun.
	return e.HTTPStatus >= 500 && e.HTTPStatus != http.StatusServiceUnavailable && !retryableCode(e.Code)
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
