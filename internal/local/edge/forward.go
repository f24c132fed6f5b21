package edge

import (
	"io"
	"net/http"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/local/edge/origin"
)

// forward answers with what the origin says.
func (x *exchange) forward() {
	response, err := x.fetch()
	if err != nil {
		x.refuse(err)
		return
	}
	defer response.Body.Close() // only read
	x.w.Header().Set(cacheStatusHeader, "DYNAMIC")
	x.send(response)
}

// fetch asks the origin.
func (x *exchange) fetch() (*http.Response, error) {
	to, err := x.destination()
	if err != nil {
		return nil, err
	}
	request, err := x.toOrigin()
	if err != nil {
		return nil, err
	}
	response, err := x.cfg.Origins.Send(request, to)
	if err != nil {
		return nil, err
	}
	x.w.originStatus = response.StatusCode
	return response, nil
}

// destination is where the site's records and origin rules send the request.
func (x *exchange) destination() (origin.Destination, error) {
	record := x.host.Record
	to, err := x.cfg.Origins.Find(x.r.Context(), record)
	if err != nil {
		return to, err
	}
	to.Scheme, to.Port = "http", orPort(record.HTTPPort, 80)
	if x.r.TLS != nil {
		to.Scheme, to.Port = "https", orPort(record.HTTPSPort, 443)
	}
	to.Host = x.host.Name
	if record.HostByTarget && to.Target != "" {
		to.Host = to.Target
	}
	to.SNI = to.Host
	return to, nil
}

func orPort(port, otherwise int) int {
	if port == 0 {
		return otherwise
	}
	return port
}

// via names this edge in the Via header. A request that has passed it too often
// goes in a circle.
const (
	via     = "1.1 local-esa"
	maxPass = 4
)

// toOrigin makes the request that the origin gets.
func (x *exchange) toOrigin() (*http.Request, error) {
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
	out.Header.Set("X-Forwarded-Proto", schemeOf(x.r))
	if _, ok := out.Header["User-Agent"]; !ok {
		out.Header["User-Agent"] = nil // none was sent, so none goes on
	}
	if x.r.ContentLength == 0 {
		out.Body = nil // lets the transport try again on a stale connection
	}
	return out, nil
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
	for _, name := range []string{"Connection", "Proxy-Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization",
		"Te", "Trailer", "Transfer-Encoding", "Upgrade"} {
		delete(h, name)
	}
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
	if !flush {
		if _, err := io.Copy(w, body); err != nil {
			panic(http.ErrAbortHandler)
		}
		return
	}
	control := http.NewResponseController(w)
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
