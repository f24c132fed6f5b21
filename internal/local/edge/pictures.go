package edge

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/local/edge/picture"
	"github.com/esa-mcp/esa-mcp/internal/local/edge/plan"
)

// imageParameter is the parameter of an address that says what becomes of an
// image.
const imageParameter = "image_process"

// pictures is what becomes of an image on its way to the visitor.
type pictures struct {
	actions string
	format  string // that the visitor's browser likes best; empty: as it is
	vary    bool   // the format goes by what the browser accepts
}

// imaging reads what the site's image transformation makes of the request.
func (x *exchange) imaging() {
	if len(x.host.Site.Configs(plan.Image)) == 0 || !isRead(x.r) {
		return
	}
	s := x.settings(plan.Image, "image")
	if !s.On("Enable") {
		return
	}
	p := &pictures{actions: parameter(x.asked.URL.RawQuery, imageParameter), vary: s.On("AutoWebp")}
	if p.vary && strings.Contains(x.asked.Header.Get("Accept"), "image/webp") {
		p.format = "webp"
	}
	if p.actions != "" || p.vary {
		x.pictures = p
	}
}

// parameter is the first value of a parameter of a query string, which may have
// what url.ParseQuery refuses elsewhere.
func parameter(query, name string) string {
	for part := range strings.SplitSeq(query, "&") {
		if key, value, _ := strings.Cut(part, "="); key == name {
			text, err := url.QueryUnescape(value)
			if err != nil {
				return value
			}
			return text
		}
	}
	return ""
}

// key is what the answer in the cache goes by.
func (p *pictures) key(variant map[string]string) {
	if p != nil {
		variant["image"] = p.format + ":" + p.actions
	}
}

// picture changes the image of a response. One that cannot be changed stays as it
// is.
func (x *exchange) picture(response *http.Response) *http.Response {
	p := x.pictures
	h := response.Header
	if p == nil || response.StatusCode != http.StatusOK || !strings.HasPrefix(h.Get("Content-Type"), "image/") || h.Get("Content-Encoding") != "" ||
		x.r.Method != http.MethodGet || response.ContentLength > picture.MaxSource {
		return response
	}
	source, err := io.ReadAll(io.LimitReader(response.Body, picture.MaxSource+1))
	rest := response.Body
	response.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(source), rest), rest}
	if err != nil {
		response.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(bytes.NewReader(source), failing{err}), rest}
		return response
	}
	if p.vary {
		h.Add("Vary", "Accept")
	}
	made, kind, err := p.change(source)
	if err != nil {
		return response
	}
	response.Body = struct {
		io.Reader
		io.Closer
	}{bytes.NewReader(made), rest}
	response.ContentLength = int64(len(made))
	p.describe(h, made, kind)
	return response
}

// change changes an image, if there is anything to change.
func (p *pictures) change(source []byte) (made []byte, contentType string, err error) {
	if p.actions == "" && p.format == "" {
		return nil, "", fmt.Errorf("nothing is to be changed")
	}
	return picture.Change(source, p.actions, p.format)
}

// describe sets the headers of a changed image.
func (p *pictures) describe(h http.Header, made []byte, contentType string) {
	for _, name := range []string{"Accept-Ranges", "Content-Md5", "Content-Range"} {
		h.Del(name)
	}
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(len(made)))
	h.Set("Etag", fmt.Sprintf(`"%.16x"`, sha256.Sum256(made)))
}

// pictured lets a routine answer, and changes the image that it answers with.
func (x *exchange) pictured(r *http.Request, serve func(http.ResponseWriter, *http.Request) error) error {
	if x.pictures == nil {
		return serve(x.w, r)
	}
	plain := r.Clone(r.Context())
	for _, name := range []string{"Range", "If-Range", "If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since"} {
		plain.Header.Del(name)
	}
	got := &captured{header: http.Header{}, status: http.StatusOK}
	if err := serve(got, plain); err != nil {
		return err
	}
	response := x.picture(&http.Response{StatusCode: got.status, Header: got.header, Body: io.NopCloser(&got.body), ContentLength: -1})
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	maps.Copy(x.w.Header(), got.header)
	x.sendWhole(got.status, body)
	return nil
}

// captured is an answer that is not sent yet.
type captured struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (c *captured) Header() http.Header         { return c.header }
func (c *captured) WriteHeader(status int)      { c.status = status }
func (c *captured) Write(b []byte) (int, error) { return c.body.Write(b) }
