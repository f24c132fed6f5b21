package origin

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"time"
)

// keepIdle is how long a connection to an origin waits for the next request: less than
// servers wait (Node's 5 s), since a POST that meets the end of its connection cannot
// be sent again.
const keepIdle = 4 * time.Second

// transportKey tells connections apart that must not be mixed: those to other
// addresses, and TLS ones with other names or checks.
type transportKey struct {
	scheme, name, addresses, sni string
	port                         int
	verify                       bool
	certificate                  *tls.Certificate
}

func keyOf(to Destination) transportKey {
	key := transportKey{scheme: to.Scheme, name: to.Name, port: to.Port}
	for _, ip := range to.Addresses {
		key.addresses += ip.String() + ","
	}
	if to.Scheme == "https" {
		key.sni, key.verify, key.certificate = to.SNI, to.Verify, to.Certificate
	}
	return key
}

// transport returns the one for connections of that kind.
func (c *Client) transport(to Destination) *http.Transport {
	key := keyOf(to)
	c.mu.Lock()
	defer c.mu.Unlock()
	if t := c.transports[key]; t != nil {
		return t
	}
	if len(c.transports) >= maxTransports {
		for old, t := range c.transports { // any: what is in use comes back
			t.CloseIdleConnections()
			delete(c.transports, old)
			break
		}
	}
	t := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return c.connect(ctx, "tcp", to) },
		TLSClientConfig: &tls.Config{
			ServerName: to.SNI, MinVersion: tls.VersionTLS10,
			// The service checks an origin's certificate only if it is told to.
			InsecureSkipVerify: !to.Verify,
			GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
				if to.Certificate == nil {
					return &tls.Certificate{}, nil
				}
				return to.Certificate, nil
			},
		},
		TLSHandshakeTimeout: connectTimeout,
		DisableCompression:  true, // what the origin sends goes on as it is
		MaxIdleConnsPerHost: 64,
		IdleConnTimeout:     keepIdle,
		WriteBufferSize:     16 << 10,
		ReadBufferSize:      16 << 10,
	}
	c.transports[key] = t
	return t
}

// connect connects to the first address that answers.
func (c *Client) connect(ctx context.Context, network string, to Destination) (net.Conn, error) {
	dialer := net.Dialer{Timeout: connectTimeout}
	var failed []error
	for _, ip := range to.Addresses {
		if !c.allowed.Address(to.Name, ip, to.Port) {
			failed = append(failed, fail(http.StatusBadGateway, NotAllowed, "The local edge goes to loopback addresses only, not to %s. "+
				"Start the local ESA with --allow-origin %s to allow it.", ip, net.JoinHostPort(ip.String(), strconv.Itoa(to.Port))))
			continue
		}
		conn, err := dialer.DialContext(ctx, network, netip.AddrPortFrom(ip, uint16(to.Port)).String())
		if err == nil {
			return conn, nil
		}
		failed = append(failed, err)
	}
	return nil, errors.Join(failed...)
}

// Dial connects to an origin as a request would, by tcp or udp; an error is a
// *Failure, or that of a context that ended.
func (c *Client) Dial(ctx context.Context, network string, to Destination) (net.Conn, error) {
	conn, err := c.connect(ctx, network, to)
	if err != nil {
		return nil, explain(err, to)
	}
	return conn, nil
}

// Reachable fails if none of the addresses is one that the edge may go to.
func (c *Client) Reachable(to Destination) error {
	for _, ip := range to.Addresses {
		if c.allowed.Address(to.Name, ip, to.Port) {
			return nil
		}
	}
	return fail(http.StatusBadGateway, NotAllowed, "The local edge goes to no address of %s.", to.Name)
}
