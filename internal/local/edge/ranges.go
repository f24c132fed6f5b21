package edge

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/local/edge/origin"
	"github.com/esa-mcp/esa-mcp/internal/local/edge/plan"
)

// partly reports whether a request is for a part, or for what has changed.
func partly(h http.Header) bool {
	for _, name := range [...]string{"Range", "If-None-Match", "If-Modified-Since", "If-Match", "If-Unmodified-Since"} {
		if h[name] != nil {
			return true
		}
	}
	return false
}

// inBytes is a request as ServeContent is to see it: a range that is not in bytes is
// none (RFC 9110, section 14.2), and the unit has no case.
func inBytes(r *http.Request) *http.Request {
	unit, set, _ := strings.Cut(r.Header.Get("Range"), "=")
	if unit == "" || unit == "bytes" {
		return r
	}
	changed := *r
	changed.Header = r.Header.Clone()
	if changed.Header.Del("Range"); strings.EqualFold(unit, "bytes") {
		changed.Header.Set("Range", "bytes="+set)
	}
	return &changed
}

// inParts asks the origin for a whole resource piece by piece, as an origin rule
// with Range force has it. An origin that knows no ranges answers as always.
func (x *exchange) inParts(s plan.Settings, request *http.Request, to origin.Destination) (*http.Response, error) {
	size := map[string]int64{"512KB": 512 << 10, "1MB": 1 << 20, "2MB": 2 << 20, "4MB": 4 << 20}[s.Text("RangeChunkSize")]
	if size == 0 {
		size = 1 << 20
	}
	p := &parts{size: size, ask: func(from int64) (*http.Response, error) {
		part := request.Clone(request.Context())
		part.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", from, from+size-1))
		return x.cfg.Origins.Send(part, to)
	}}
	response, err := p.ask(0)
	if err == nil && response.StatusCode == http.StatusRequestedRangeNotSatisfiable { // as of an empty file
		if err = response.Body.Close(); err == nil {
			response, err = x.cfg.Origins.Send(request, to)
		}
	}
	if err != nil || response.StatusCode != http.StatusPartialContent {
		return response, err
	}
	_, total, _ := strings.Cut(response.Header.Get("Content-Range"), "/")
	p.total, err = strconv.ParseInt(total, 10, 64)
	if err != nil { // the length is not known: this part is all that there is to say
		return response, nil
	}
	p.body, p.next = response.Body, size
	whole := *response
	whole.StatusCode, whole.Status = http.StatusOK, "200 OK"
	whole.Header = response.Header.Clone()
	whole.Header.Del("Content-Range")
	whole.Header.Set("Content-Length", total)
	whole.ContentLength, whole.Body = p.total, p
	return &whole, nil
}

// parts reads one part after the other.
type parts struct {
	size, next, total int64
	body              io.ReadCloser
	ask               func(from int64) (*http.Response, error)
}

func (p *parts) Read(b []byte) (int, error) {
	for {
		n, err := p.body.Read(b)
		if err != io.EOF || n > 0 {
			if err == io.EOF {
				err = nil // the next call sees it again
			}
			return n, err
		}
		if p.next >= p.total {
			return 0, io.EOF
		}
		if err := p.body.Close(); err != nil {
			return 0, err
		}
		response, err := p.ask(p.next)
		if err != nil {
			return 0, err
		}
		p.body = response.Body
		if response.StatusCode != http.StatusPartialContent {
			return 0, fmt.Errorf("the origin answers the range from %d with %d", p.next, response.StatusCode)
		}
		p.next += p.size
	}
}

// Close ends reading.
func (p *parts) Close() error { return p.body.Close() }
