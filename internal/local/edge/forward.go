package edge

import (
	"cmp"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/local/edge/origin"
	"github.com/esa-mcp/esa-mcp/internal/local/edge/plan"
)

// forward answers with what the origin says.
func (x *exchange) forward() {
	response, err := x.fetch(nil)
	if err != nil {
		x.refuse(err)
		return
	}
	defer response.Body.Close() // only read
	x.send(response)
}

// fetch asks the origin. prepare changes the request's headers before the rules
// do; it may be nil.
func (x *exchange) fetch(prepare func(http.Header)) (*http.Response, error) {
	s := x.settings(plan.Origin, "origin")
	w, err := x.way(s)
	if err != nil {
		return nil, err
	}
	if w.fixed != nil {
		return fixedResponse(w.fixed, x.r), nil
	}
	request, err := x.toOrigin(prepare)
	if err != nil {
		return nil, err
	}
	response, to, err := x.ask(s, request, w)
	if err != nil {
		return nil, err
	}
	if response, err = x.follow(s, request, to, response); err != nil {
		return nil, err
	}
	if response.StatusCode == http.StatusSwitchingProtocols {
		return nil, errors.Join(origin.Switched(), response.Body.Close())
	}
	x.w.originStatus = response.StatusCode
	changeHeaders(response.Header, x.headerChanges(plan.IncomingResponseHeader, "incoming_response_header"))
	return x.picture(response), nil
}

// destination is where a record and origin rules send the request, or one origin
// of the pool that the record leads to: what it says itself counts most.
func (x *exchange) destination(s plan.Settings, record *plan.Record, own *plan.PoolOrigin) (origin.Destination, error) {
	lead := record
	if own != nil {
		lead = own.Record()
	}
	to, err := x.cfg.Origins.Find(x.r.Context(), lead)
	if err != nil {
		return to, err
	}
	to.Scheme, to.Port = x.originScheme(s), 0
	if to.Scheme == "https" {
		to.Port = s.Int("OriginHttpsPort", cmp.Or(record.HTTPSPort, 443))
	} else {
		to.Port = s.Int("OriginHttpPort", cmp.Or(record.HTTPPort, 80))
	}
	to.Host = x.host.Name
	if record.HostByTarget && to.Target != "" {
		to.Host = to.Target
	}
	to.Host = cmp.Or(s.Text("OriginHost"), to.Host)
	if own != nil {
		if own.Source == "OSS" || own.Source == "S3" {
			to.Host = own.Address // a bucket goes by its own name
		}
		to.Port, to.Host = cmp.Or(own.Port, to.Port), cmp.Or(own.Host, to.Host)
		to.Prefer(own.Family, x.w.visitor.ip)
	}
	to.SNI = cmp.Or(s.Text("OriginSni"), plan.HostName(to.Host))
	to.Verify = s.On("OriginVerify")
	if to.Scheme == "https" && s.On("OriginMtls") && x.cfg.Certificates != nil {
		if to.Certificate, err = x.cfg.Certificates.OriginCertificateFor(x.r.Context(), x.host.Site.ID, x.host.Name); err != nil {
			return to, err
		}
	}
	if seconds := s.Int("OriginReadTimeout", 0); seconds > 0 {
		to.Timeout = time.Duration(seconds) * time.Second
	}
	return to, nil
}

// originRecord is the record of the host, or the one that an origin rule names
// instead.
func (x *exchange) originRecord(s plan.Settings) (*plan.Record, error) {
	name := s.Text("DnsRecord")
	if name == "" {
		return x.host.Record, nil
	}
	other, err := x.cfg.Plans.Host(x.r.Context(), name)
	if err != nil {
		return nil, err
	}
	if other.Site == nil || other.Site.ID != x.host.Site.ID || other.Record == nil {
		return nil, origin.Missing(name)
	}
	return other.Record, nil
}

// originScheme is how the origin is asked: as the visitor asked, unless there are
// origin rules; one that does not say how means HTTPS.
func (x *exchange) originScheme(s plan.Settings) string {
	scheme := s.Text("OriginScheme")
	switch {
	case scheme == "http" || scheme == "https":
		return scheme
	case scheme == "" && len(s) > 0:
		return "https"
	}
	return x.scheme
}

// via names this edge in the Via header. A request that has passed it too often
// goes in a circle.
const (
	via     = "1.1 local-esa"
	maxPass = 4
)

// toOrigin makes the request that the origin gets.
func (x *exchange) toOrigin(prepare func(http.Header)) (*http.Request, error) {
	passed := strings.Join(x.r.Header["Via"], ",")
	if strings.Count(passed, via) >= maxPass {
		return nil, &origin.Failure{Status: http.StatusBadGateway, Reason: origin.Loop,
			Text: "The request comes back to this edge again and again: the origin of " + x.host.Name + " is the edge itself."}
	}
	out := x.r.Clone(x.r.Context())
	dropHopByHop(out.Header)
	if passed != "" {
		passed += ", "
	}
	out.Header.Set("Via", passed+via)
	if ip := x.w.visitor.ip; ip.IsValid() {
		forwarded := strings.Join(out.Header["X-Forwarded-For"], ", ")
		if forwarded != "" {
			forwarded += ", "
		}
		out.Header.Set("X-Forwarded-For", forwarded+ip.String())
	}
	out.Header.Set("X-Forwarded-Proto", x.scheme)
	x.transform(out.Header)
	if prepare != nil {
		prepare(out.Header)
	}
	changeHeaders(out.Header, x.headerChanges(plan.RequestHeader, "request_header"))
	if _, ok := out.Header["User-Agent"]; !ok {
		out.Header["User-Agent"] = nil // the transport must not name itself
	}
	if x.r.ContentLength == 0 {
		out.Body = nil // lets the transport try again on a stale connection
	}
	return out, nil
}

// transform adds the headers that the site has switched on for its origins.
func (x *exchange) transform(h http.Header) {
	site := x.host.Site
	if site.Option("ManagedTransform", "AddRealClientIpHeader") == "on" {
		h.Set(cmp.Or(site.Option("ManagedTransform", "RealClientIpHeaderName"), "Ali-Real-Client-Ip"), x.w.visitor.ip.String())
	}
	if site.Option("ManagedTransform", "AddClientGeolocationHeader") == "on" {
		h.Set("Ali-Ip-Country", x.w.visitor.country)
	}
}

func schemeOf(r *http.Request) string {
	if r.TLS != nil {
		return "https"
	}
	return "http"
}

// dropHopByHop removes the headers that are about one connection only.
func dropHopByHop(h http.Header) {
	for _, list := range h["Connection"] {
		for name := range strings.SplitSeq(list, ",") {
			h.Del(strings.TrimSpace(name))
		}
	}
	for name := range h {
		if isHopByHop(name) {
			delete(h, name)
		}
	}
}

// isHopByHop reports whether a header, by its canonical name, is about one connection.
func isHopByHop(name string) bool {
	switch name {
	case "Connection", "Proxy-Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Te", "Trailer", "Transfer-Encoding", "Upgrade":
		return true
	}
	return false
}

// send answers with a response as it is.
func (x *exchange) send(response *http.Response) {
	dropHopByHop(response.Header)
	h := x.w.Header()
	for name, values := range response.Header {
		if name != "Server" {
			h[name] = values
		}
	}
	x.w.keepReading()
	x.w.WriteHeader(response.StatusCode)
	if x.r.Method == http.MethodHead {
		return
	}
	// An answer of unknown length may be one that goes on and on, bit by bit.
	copyBody(x.w, response.Body, response.ContentLength < 0)
}

// copyBody sends a body. It fails if the visitor leaves or the origin breaks off;
// then the connection is cut, so that nobody takes the part for the whole.
func copyBody(w http.ResponseWriter, body io.Reader, flush bool) {
	control := http.NewResponseController(w)
	if !flush {
		if _, err := io.Copy(w, body); err != nil {
			_ = control.Flush() // what has come, if the visitor is still there
			panic(http.ErrAbortHandler)
		}
		return
	}
	if err := control.Flush(); err != nil { // the headers do not wait for the first piece
		panic(http.ErrAbortHandler)
	}
	buffer := make([]byte, 32<<10)
	for {
		n, err := body.Read(buffer)
		if n > 0 {
			if _, err := w.Write(buffer[:n]); err != nil {
				panic(http.ErrAbortHandler)
			}
			if err := control.Flush(); err != nil {
				panic(http.ErrAbortHandler)
			}
		}
		if err == io.EOF {
			return
		}
		if err != nil {
			panic(http.ErrAbortHandler)
		}
	}
}
