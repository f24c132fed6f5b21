package balance

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/local/edge/origin"
)

// maxRedirects is how far a probe goes after redirects.
const maxRedirects = 5

// reasonOf is what a status says of a failed probe.
func reasonOf(err error) string {
	var failure *origin.Failure
	switch {
	case errors.As(err, &failure):
		return failure.Reason
	case errors.Is(err, context.DeadlineExceeded):
		return origin.TimedOut
	}
	return err.Error()
}

// ask asks an origin in the way that the monitor says, and returns why it is not
// well; nil if it is.
func (m *Monitors) ask(ctx context.Context, t target) error {
	to, err := m.origins.Find(ctx, t.origin.Record())
	if err != nil {
		return err
	}
	kind := strings.ToUpper(t.monitor.Type)
	usual := map[string]int{"HTTPS": 443, "SMTP": 25, "UDP": 53}[kind]
	to.Port = cmp.Or(t.monitor.Port, t.origin.Port, usual, 80)
	switch kind {
	case "HTTP", "HTTPS":
		to.Scheme, to.Timeout = strings.ToLower(kind), t.monitor.Timeout
		return m.askHTTP(ctx, t, to)
	case "TCP", "SMTP":
		return m.askTCP(ctx, to, kind == "SMTP")
	case "UDP":
		return m.askUDP(ctx, to)
	}
	// ICMP Ping: what has an address on this machine answers, and nothing here may
	// send one to another.
	return m.origins.Reachable(to)
}

func (m *Monitors) askHTTP(ctx context.Context, t target, to origin.Destination) error {
	header := http.Header{"User-Agent": {"ESA (local) monitor"}}
	for name, values := range t.monitor.Header {
		header[http.CanonicalHeaderKey(name)] = values
	}
	to.Host = cmp.Or(header.Get("Host"), t.origin.Host, t.origin.Address)
	to.SNI = hostName(to.Host)
	header.Del("Host")
	address := &url.URL{Scheme: to.Scheme, Host: to.Host, Path: "/"}
	if asked, err := address.Parse(cmp.Or(t.monitor.Path, "/")); err == nil {
		address = asked
	}
	for range maxRedirects {
		r, err := http.NewRequestWithContext(ctx, cmp.Or(strings.ToUpper(t.monitor.Method), http.MethodGet), address.String(), http.NoBody)
		if err != nil {
			return err
		}
		r.Header = header.Clone()
		response, err := m.origins.Send(r, to)
		if err != nil {
			return err
		}
		_, err = io.CopyN(io.Discard, response.Body, 64<<10)
		if closed := response.Body.Close(); err != nil && !errors.Is(err, io.EOF) || closed != nil {
			return cmp.Or(err, closed)
		}
		next, err := address.Parse(response.Header.Get("Location"))
		if !t.monitor.FollowRedirects || response.StatusCode/100 != 3 || err != nil || next.Host != address.Host || next.Scheme != address.Scheme {
			return expect(t.monitor.ExpectedCodes, response.StatusCode)
		}
		address = next
	}
	return errors.New("too many redirects")
}

// expect compares a status with a list such as 200,202 or 2xx; an empty one is 200.
func expect(codes string, status int) error {
	for code := range strings.SplitSeq(cmp.Or(strings.TrimSpace(codes), "200"), ",") {
		code = strings.TrimSpace(code)
		from, to, between := strings.Cut(code, "-")
		least, err := strconv.Atoi(from)
		most, err2 := strconv.Atoi(to)
		switch {
		case code == strconv.Itoa(status), strings.EqualFold(code, strconv.Itoa(status/100)+"xx"),
			between && err == nil && err2 == nil && least <= status && status <= most:
			return nil
		}
	}
	return fmt.Errorf("status code %d", status)
}

func (m *Monitors) askTCP(ctx context.Context, to origin.Destination, greets bool) error {
	conn, err := m.origins.Dial(ctx, "tcp", to)
	if err != nil {
		return err
	}
	defer conn.Close()
	if !greets {
		return nil
	}
	if at, ok := ctx.Deadline(); ok {
		if err := conn.SetReadDeadline(at); err != nil {
			return err
		}
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err == nil && !strings.HasPrefix(line, "220") {
		return fmt.Errorf("it greets with %.40q", strings.TrimSpace(line))
	}
	return err
}

// askUDP sends an empty datagram. That nobody listens comes back as an error; that
// nothing comes back means nothing.
func (m *Monitors) askUDP(ctx context.Context, to origin.Destination) error {
	conn, err := m.origins.Dial(ctx, "udp", to)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.Write(nil); err != nil {
		return err
	}
	// An error comes at once; the time is for a machine that is busy meanwhile.
	if err := conn.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
		return err
	}
	var timeout net.Error
	if _, err := conn.Read(make([]byte, 1)); err != nil && !(errors.As(err, &timeout) && timeout.Timeout()) {
		return errors.New("nobody listens")
	}
	return nil
}

func hostName(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return host
}
