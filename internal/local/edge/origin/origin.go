// Package origin is the edge's way to origins: it finds the addresses that a
// record leads to, and sends requests there. It goes to loopback addresses only,
// unless others are allowed.
//
// It must not know which rule asked for what, nor how an answer is cached.
package origin

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/local/edge/plan"
)

const (
	connectTimeout = 10 * time.Second
	// ReadTimeout is for how long an origin may stay silent, unless an origin rule
	// says otherwise.
	ReadTimeout = 30 * time.Second
	// maxTransports bounds the kinds of connections that are kept.
	maxTransports = 256
)

// Client sends requests to origins. It is safe for concurrent use.
type Client struct {
	plans   *plan.Source
	allowed Allowed

	mu         sync.Mutex
	transports map[transportKey]*http.Transport
}

// New returns a client that finds names in the account's records.
func New(plans *plan.Source, allowed Allowed) *Client {
	return &Client{plans: plans, allowed: allowed, transports: map[transportKey]*http.Transport{}}
}

// Close drops idle connections.
func (c *Client) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, t := range c.transports {
		t.CloseIdleConnections()
	}
}

// Destination is where a request goes.
type Destination struct {
	Scheme string // http or https
	Name   string // what the record leads to, for messages
	// Target is what a CNAME record points to; empty for addresses.
	Target    string
	Addresses []netip.Addr
	Port      int
	Host      string // the Host header
	SNI       string // of HTTPS
	Verify    bool   // whether the certificate must be good
	// Certificate is shown to origins that ask for one; nil: none is.
	Certificate *tls.Certificate
	Timeout     time.Duration // until the answer begins
	// Auth signs requests to a private bucket; nil: nothing is signed.
	Auth *plan.Auth
}

// Find resolves a record.
func (c *Client) Find(ctx context.Context, r *plan.Record) (Destination, error) {
	if r == nil {
		return Destination{}, fail(http.StatusBadGateway, DestinationNotFound, "No record leads to an origin.")
	}
	name, addresses, err := resolve(ctx, c.plans.Lookup, c.allowed, r)
	if err != nil {
		return Destination{}, err
	}
	d := Destination{Name: name, Addresses: addresses, Timeout: ReadTimeout, Auth: c.plans.Sign(r)}
	if r.Type == plan.TypeCNAME && len(r.Values) > 0 {
		d.Target = r.Values[0]
	}
	return d, nil
}

// Prefer puts the addresses in the order of an origin's IpVersionPolicy: those of
// the version that it names, or that the visitor has, come first.
func (d *Destination) Prefer(policy string, visitor netip.Addr) {
	six := policy == "ipv6_first" || policy == "follow" && visitor.Is6()
	if !six && policy != "ipv4_first" && policy != "follow" {
		return
	}
	var first, rest []netip.Addr
	for _, ip := range d.Addresses {
		if ip.Is6() == six {
			first = append(first, ip)
		} else {
			rest = append(rest, ip)
		}
	}
	d.Addresses = append(first, rest...)
}

// Nowhere is the failure of a load balancer or a pool that has no origin for a
// request.
func Nowhere(format string, args ...any) error {
	return fail(http.StatusBadGateway, DestinationNotFound, format, args...)
}

// Missing is the failure for an origin rule's DnsRecord that is no record of the
// site.
func Missing(dnsRecord string) error {
	if _, err := netip.ParseAddr(dnsRecord); err == nil {
		return fail(http.StatusBadGateway, DestinationNotFound, "The origin rule's DnsRecord is the address %s. "+
			"It must be the name of a record of the site.", dnsRecord)
	}
	return fail(http.StatusBadGateway, DestinationNotFound, "The origin rule's DnsRecord %q is no A/AAAA or CNAME record of the site.", dnsRecord)
}

// Send sends a request. Its URL's path and query count, and its headers as they
// are; an error is a *Failure, or that of a context that ended.
func (c *Client) Send(r *http.Request, to Destination) (*http.Response, error) {
	r.URL.Scheme, r.URL.Host = to.Scheme, net.JoinHostPort(to.Name, strconv.Itoa(to.Port))
	r.Host, r.RequestURI = to.Host, ""
	if to.Auth != nil {
		r = r.WithContext(r.Context()) // another origin must not see the signature
		r.Header = r.Header.Clone()
		sign(r, to.Auth, to.Target, time.Now())
	}
	silence, stop := context.WithCancelCause(r.Context())
	timer := time.AfterFunc(to.Timeout, func() { stop(context.DeadlineExceeded) })
	response, err := c.transport(to).RoundTrip(r.WithContext(silence))
	if !timer.Stop() && err == nil {
		err = errors.Join(context.DeadlineExceeded, response.Body.Close())
	}
	if err != nil {
		if cause := context.Cause(silence); cause != nil {
			err = cause
		}
		stop(nil)
		if r.Context().Err() != nil {
			return nil, r.Context().Err()
		}
		return nil, explain(err, to)
	}
	if response.StatusCode == http.StatusSwitchingProtocols {
		return response, nil // its body is the connection, which whoever has it closes
	}
	response.Body = body{ReadCloser: response.Body, stop: stop}
	return response, nil
}

// body ends the request's context when it is closed.
type body struct {
	io.ReadCloser
	stop context.CancelCauseFunc
}

func (b body) Close() error {
	defer b.stop(nil)
	return b.ReadCloser.Close()
}
