package esa

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Object is a thing to upload.
type Object struct {
	// Name is what the file part of the form is called.
	Name string
	// Size is the exact number of bytes.
	Size int64
	// Open starts the content from its beginning; it is called once for each
	// try, and not before the reader of the last try was closed. The reader
	// must stop when ctx ends.
	Open func(ctx context.Context) (io.ReadCloser, error)
	// Sent is told how many bytes of this try have been read for sending; it
	// starts anew with each try, and may be nil.
	Sent func(bytes int64)
}

const (
	uploadAction = "upload"
	// maxObject is the object store's limit for one form upload.
	maxObject = 5 << 30
	// maxStoreAnswer is as much as is read of the object store's answer.
	maxStoreAnswer = 1 << 20
)

// Upload streams an object into an upload slot. fresh makes the slot; it is
// called again when the slot's policy has expired. Lost connections and the
// store's own failures are repeated with the same slot. Memory does not depend
// on the object's size. Every failure is an *Error, but for those of fresh,
// which come back as they are.
func (c *Client) Upload(ctx context.Context, fresh func(ctx context.Context) (PostForm, error), obj Object) error {
	if err := obj.check(); err != nil {
		return &Error{Action: uploadAction, Code: CodeInvalidArgument, Message: err.Error()}
	}
	form, err := fresh(ctx)
	if err != nil {
		return err
	}
	for n := 1; ; n++ {
		e, again := c.post(ctx, form, obj)
		if e == nil {
			return nil
		}
		if !again || n >= c.maxTries || ctx.Err() != nil {
			return e
		}
		if slotExpired(e) {
			if form, err = fresh(ctx); err != nil {
				return err
			}
			continue
		}
		wait := c.backoff(n)
		if deadline, ok := ctx.Deadline(); ok && c.now().Add(wait).After(deadline) {
			return e
		}
		if err := c.sleep(ctx, wait); err != nil {
			return interrupted(uploadAction, err, "while it waited to repeat after "+e.Code)
		}
	}
}

func (o Object) check() error {
	switch {
	case o.Open == nil:
		return errors.New("the object has no Open: give a function that opens the content")
	case o.Size < 0:
		return errors.New("the object's Size is negative: give its number of bytes")
	case o.Size > maxObject:
		return fmt.Errorf("the object has %d bytes: one upload takes at most %d", o.Size, int64(maxObject))
	}
	return nil
}

// post uploads once. again says that another try may help.
func (c *Client) post(ctx context.Context, form PostForm, obj Object) (e *Error, again bool) {
	if err := form.check(); err != nil {
		return slotError(err), false
	}
	env, err := enclose(form, obj.Name)
	if err != nil {
		return slotError(err), false
	}
	// A long upload may take its time, one that stands still may not.
	tryCtx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	content, err := obj.Open(tryCtx)
	if err != nil {
		return contentError(ctx, err), false
	}
	watch := newWatchdog(c.timeout, func() { stop(errStalled) })
	defer watch.end()
	body := newFormBody(env, content, obj.Size, func(n int64) {
		watch.alive()
		if obj.Sent != nil {
			obj.Sent(n)
		}
	})
	req, err := http.NewRequestWithContext(tryCtx, http.MethodPost, form.URL, body)
	if err != nil {
		body.Close()
		return slotError(errors.New("its Url is not usable")), false
	}
	req.ContentLength = int64(len(env.before)) + obj.Size + int64(len(env.after))
	req.Header.Set("Content-Type", env.contentType)
	req.Header.Set("User-Agent", c.userAgent)
	start := c.now()
	status, header, answer, err := c.exchangeForm(req)
	contentErr, cause := body.contentErr(), context.Cause(tryCtx)
	// Until the body is closed somebody may be reading the content.
	stop(nil)
	body.wait(ctx)
	c.log.DebugContext(ctx, "upload", "status", status, "bytes", obj.Size, "duration", c.now().Sub(start))
	switch {
	case err == nil:
		return storeAnswer(form, status, header, answer)
	case ctx.Err() != nil:
		return interrupted(uploadAction, ctx.Err(), "during the upload"), false
	case contentErr != nil:
		return contentError(ctx, contentErr), false
	case errors.Is(cause, errStalled):
		return &Error{Action: uploadAction, Code: CodeTimeout, Retryable: true, cause: errStalled,
			Message: fmt.Sprintf("the upload stood still for %v", c.timeout)}, true
	default:
		return transportError(ctx, uploadAction, err, true, c.timeout, Credential{}), true
	}
}

// exchangeForm sends a form and reads the answer.
func (c *Client) exchangeForm(req *http.Request) (int, http.Header, []byte, error) {
	resp, err := c.http.Do(req)
	if err != nil {
		return 0, nil, nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxStoreAnswer))
	if err != nil {
		return resp.StatusCode, nil, nil, err
	}
	return resp.StatusCode, resp.Header, answer, nil
}

// storeAnswer judges what the object store answered.
func storeAnswer(form PostForm, status int, header http.Header, answer []byte) (*Error, bool) {
	if slices.Contains(form.OK, status) {
		return nil, false
	}
	e := xmlError(status, answer, Credential{})
	if e == nil {
		e = &Error{Code: CodeBadAnswer, HTTPStatus: status, RequestID: header.Get("x-oss-request-id"),
			Message: pageText(status, answer, Credential{})}
		if status/100 == 2 {
			e.Message = fmt.Sprintf("HTTP %d, which does not mean success here", status)
		}
	}
	e.Action = uploadAction
	again := status >= 500 || status == http.StatusTooManyRequests || e.Code == "RequestTimeout"
	switch {
	case status == http.StatusNonAuthoritativeInfo:
		e.Retryable = true
		e.Hint = "The file was stored, but the store could not tell ESA about it (callback failed), so there is no new version: upload again."
	case slotExpired(e):
		e.Retryable, again = true, true
		e.Hint = "The upload slot has expired: ask for a new one and upload again."
	case e.Code == "EntityTooLarge":
		e.Retryable, again = false, false // whatever the status
		e.Hint = "The file is larger than this upload slot allows."
	case e.Code == "SignatureDoesNotMatch", e.Code == "AccessDenied":
		e.Retryable, again = false, false
		e.Hint = "The upload slot does not allow this upload: ask for a new one."
	default:
		e.Retryable = again
	}
	return e, again
}

// slotExpired reports whether a new slot would help.
func slotExpired(e *Error) bool {
	switch e.Code {
	case "InvalidPolicyDocument", "SecurityTokenExpired", "InvalidSecurityToken.Expired":
		return true
	case "AccessDenied", "InvalidAccessKeyId":
		return strings.Contains(strings.ToLower(e.Message), "expire")
	}
	return false
}

func slotError(err error) *Error {
	var e *Error
	if !errors.As(err, &e) {
		e = badSlot(redact(err.Error()))
	}
	e.Action = uploadAction
	return e
}

func contentError(ctx context.Context, err error) *Error {
	if ctx.Err() != nil {
		return interrupted(uploadAction, ctx.Err(), "during the upload")
	}
	return &Error{Action: uploadAction, Code: CodeContent, cause: err,
		Message: "the content could not be read whole: " + err.Error(),
		Hint:    "It must not change while it is uploaded: try again when it is at rest."}
}

var errStalled = errors.New("no progress")

// watchdog calls bite when nobody called alive for the limit.
type watchdog struct {
	mu    sync.Mutex
	timer *time.Timer
	limit time.Duration
}

func newWatchdog(limit time.Duration, bite func()) *watchdog {
	return &watchdog{timer: time.AfterFunc(limit, bite), limit: limit}
}

func (w *watchdog) alive() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.limit > 0 {
		w.timer.Reset(w.limit)
	}
}

func (w *watchdog) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.limit = 0
	w.timer.Stop()
}
