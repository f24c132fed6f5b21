package edge

import (
	"compress/gzip"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"

	"github.com/esa-mcp/esa-mcp/internal/local/edge/plan"
)

// minCompressed is the smallest answer that is compressed, in bytes.
const minCompressed = 1024

// encoder compresses what is written to it.
type encoder interface {
	io.WriteCloser
	Flush() error
}

// compression has the answer compressed as the site's compression rules allow
// and the visitor accepts: with brotli before zstd before gzip.
func (x *exchange) compression() {
	s := x.settings(plan.Compression, "compression")
	if len(s) == 0 {
		return
	}
	accepts := acceptedEncodings(strings.Join(x.asked.Header["Accept-Encoding"], ","))
	encoding := ""
	for _, one := range []struct{ setting, name string }{{"Brotli", "br"}, {"Zstd", "zstd"}, {"Gzip", "gzip"}} {
		if s.On(one.setting) && accepts[one.name] {
			encoding = one.name
			break
		}
	}
	x.w.compress = func(h http.Header, status int, to io.Writer) encoder {
		if !compressible(h, status) {
			return nil
		}
		h.Add("Vary", "Accept-Encoding")
		if encoding == "" || x.asked.Method == http.MethodHead {
			return nil
		}
		h.Set("Content-Encoding", encoding)
		h.Del("Content-Length")
		h.Del("Accept-Ranges")
		if tag := h.Get("Etag"); tag != "" && !strings.HasPrefix(tag, "W/") {
			h.Set("Etag", "W/"+tag) // the bytes are others
		}
		return newEncoder(encoding, to)
	}
}

func newEncoder(encoding string, to io.Writer) encoder {
	switch encoding {
	case "br":
		return brotli.NewWriterLevel(to, 4)
	case "zstd":
		w, _ := zstd.NewWriter(to, zstd.WithEncoderConcurrency(1)) // fails for wrong options only
		return w
	}
	return gzip.NewWriter(to)
}

// compressible reports whether an answer is worth compressing: whole, not
// compressed yet, and of a kind that gets smaller.
func compressible(h http.Header, status int) bool {
	if status != http.StatusOK && status/100 != 4 && status/100 != 5 || h.Get("Content-Encoding") != "" || h.Get("Content-Range") != "" ||
		strings.Contains(h.Get("Cache-Control"), "no-transform") {
		return false
	}
	if n, err := strconv.Atoi(h.Get("Content-Length")); err == nil && n < minCompressed {
		return false
	}
	kind, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil {
		return false
	}
	if strings.HasPrefix(kind, "text/") && kind != "text/event-stream" || strings.HasSuffix(kind, "+json") || strings.HasSuffix(kind, "+xml") {
		return true
	}
	switch kind {
	case "application/javascript", "application/x-javascript", "application/json", "application/xml", "application/wasm",
		"application/manifest+json", "application/vnd.ms-fontobject", "font/ttf", "font/otf", "image/bmp", "image/x-icon":
		return true
	}
	return false
}

// acceptedEncodings are the encodings of an Accept-Encoding header, without those
// that it refuses.
func acceptedEncodings(header string) map[string]bool {
	accepted := map[string]bool{}
	for part := range strings.SplitSeq(header, ",") {
		name, params, _ := strings.Cut(part, ";")
		name = strings.ToLower(strings.TrimSpace(name))
		quality := strings.TrimPrefix(strings.ReplaceAll(params, " ", ""), "q=")
		q, err := strconv.ParseFloat(quality, 64)
		accepted[name] = params == "" || err != nil || q > 0
	}
	return accepted
}
