package esa

import (
	"errors"
	"fmt"
)

// Error is a call that failed: refused by the service, or not answered.
type Error struct {
	// Action is the operation that was called.
	Action string
	// Code is the service's error code, such as "InvalidParameter.InvalidBiz",
	// or one of the client's own codes below.
	Code string
	// Message is the service's text, without request id and without secrets.
	Message string
	// RequestID identifies the call to the service's support; may be empty.
	RequestID string
	// HTTPStatus is 0 when no answer arrived.
	HTTPStatus int
	// Retryable says that the same call may succeed later unchanged.
	Retryable bool
	// OutcomeUnknown says that the call may have been carried out: look before
	// sending it again.
	OutcomeUnknown bool
	// Hint says what the code really means and what to do next; may be empty.
	Hint string

	cause error
}

// Codes of failures that the service did not answer.
const (
	CodeNoCredentials   = "NoCredentials"          // no source of credentials gave any
	CodeTimeout         = "RequestTimeout"         // no answer within the time limit
	CodeConnection      = "ConnectionFailed"       // no connection, or lost before the answer
	CodeCanceled        = "Canceled"               // the caller gave up
	CodeBadAnswer       = "BadAnswer"              // an answer that is not the API's
	CodeUnknownAction   = "UnknownAction"          // not an operation of ESA
	CodeInvalidArgument = "InvalidParameter.Local" // refused before anything was sent
	CodeContent         = "ContentUnreadable"      // the thing to upload could not be read whole
)

// Error gives code, message and request id on one line.
func (e *Error) Error() string {
	s := e.Code
	if e.Action != "" {
		s = e.Action + ": " + s
	}
	if e.Message != "" {
		s += ": " + e.Message
	}
	if e.HTTPStatus != 0 {
		s += fmt.Sprintf(" (HTTP %d)", e.HTTPStatus)
	}
	if e.RequestID != "" {
		s += " [request id " + e.RequestID + "]"
	}
	return s
}

// Unwrap gives the cause, such as context.Canceled or a network error.
func (e *Error) Unwrap() error { return e.cause }

// CodeOf returns the code of an *Error in err's chain, or the empty string.
func CodeOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// IsNotFound reports whether a call failed because the thing does not exist.
func IsNotFound(err error) bool {
	var e *Error
	return errors.As(err, &e) && isNotFound(e.Code)
}

// OutcomeUnknown reports whether a call that failed may have been carried out.
func OutcomeUnknown(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.OutcomeUnknown
}
