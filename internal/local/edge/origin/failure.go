package origin

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"syscall"
)

// Failure is why an origin gave no answer. Its reason stands in the error page.
type Failure struct {
	Status int // 502 or 504
	// Reason is a word: destination_not_found is the service's own, for the others
	// no list is published.
	Reason string
	Text   string // a sentence that says what to do
	err    error
}

// The reasons.
const (
	DestinationNotFound = "destination_not_found" // no record leads to an origin
	NotAllowed          = "origin_not_allowed"    // only the local ESA has this one
	ConnectFailed       = "origin_connect_failed"
	TLSFailed           = "origin_tls_failed"
	SchemeMismatch      = "origin_scheme_mismatch"
	TimedOut            = "origin_timeout"
	Broken              = "origin_bad_response"
	Loop                = "origin_loop"
)

func (f *Failure) Error() string { return f.Reason + ": " + f.Text }
func (f *Failure) Unwrap() error { return f.err }

// Unsent reports whether the origin got nothing of the request, so that another may
// be asked.
func (f *Failure) Unsent() bool {
	switch f.Reason {
	case DestinationNotFound, NotAllowed, ConnectFailed, TLSFailed, SchemeMismatch:
		return true
	}
	return f.err != nil && isDialError(f.err)
}

// BrokeOff is the failure of an origin whose answer ended before its end.
func BrokeOff(err error) error {
	f := fail(http.StatusBadGateway, Broken, "The origin broke off in the middle of its answer: %v.", err)
	f.err = err
	return f
}

// Switched is the failure of an origin that changes the protocol unasked.
func Switched() error {
	return fail(http.StatusBadGateway, Broken, "The origin answers 101 Switching Protocols, and nobody asked it to.")
}

func fail(status int, reason, format string, args ...any) *Failure {
	return &Failure{Status: status, Reason: reason, Text: fmt.Sprintf(format, args...)}
}

// explain makes a Failure of what went wrong between the edge and an origin.
func explain(err error, to Destination) error {
	var known *Failure
	if errors.As(err, &known) {
		return known
	}
	at := fmt.Sprintf("%s://%s:%d", to.Scheme, to.Name, to.Port)
	f := fail(http.StatusBadGateway, Broken, "The origin %s did not answer with HTTP: %v.", at, err)
	var record tls.RecordHeaderError
	var timeout net.Error
	var verify *tls.CertificateVerificationError
	var alert tls.AlertError
	switch {
	case errors.As(err, &record), strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		f = fail(http.StatusBadGateway, SchemeMismatch, "The origin %s speaks plain HTTP, and was asked with HTTPS. "+
			"Set OriginScheme to http in an origin rule, with OriginHttpPort.", at)
	case errors.As(err, &verify), isCertificateError(err):
		f = fail(http.StatusBadGateway, TLSFailed, "The origin %s has no certificate that OriginVerify accepts for %q: %v.", at, to.SNI, err)
	case errors.As(err, &alert):
		f = fail(http.StatusBadGateway, TLSFailed, "The origin %s refused the TLS handshake: %v.", at, err)
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		f = fail(http.StatusGatewayTimeout, TimedOut, "The origin %s did not answer in time (OriginReadTimeout of an origin rule sets it).", at)
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH), isDialError(err):
		f = fail(http.StatusBadGateway, ConnectFailed, "Nothing answers at the origin %s. "+
			"The port is that of an origin rule (OriginHttpPort, OriginHttpsPort), of the record, or 80 and 443.", at)
	}
	f.err = err
	return f
}

func isDialError(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

func isCertificateError(err error) bool {
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	return errors.As(err, &unknown) || errors.As(err, &name) || errors.As(err, &invalid)
}
