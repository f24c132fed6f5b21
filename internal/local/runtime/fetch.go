package runtime

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// What the service documents of fetch (esa-facts 2.2).
const (
	maxFetchURL = 4096
	maxHops     = 12
)

// fetchCall is a call of fetch: the lines method, URL, redirect and decompress,
// then the headers and a body.
type fetchCall struct {
	method, redirect string
	url              *url.URL
	manual           bool // leave the response compressed
	header           http.Header
	body             func() (io.ReadCloser, int64)
}

// fetch asks another server, or the origin if it is for the request's own host.
func (j *job) fetch(c call) (task, error) {
	head, lines, v := c.first, c.second, c.value
	parts := strings.Split(head, "\n")
	if len(parts) != 4 {
		return nil, errors.New("fetch: wrong arguments")
	}
	call := fetchCall{method: parts[0], redirect: parts[2], manual: parts[3] == "manual"}
	var err error
	if call.url, err = fetchURL(parts[1]); err != nil {
		return nil, err
	}
	if call.header, err = parseHeader(lines); err != nil {
		return nil, err
	}
	if call.body, err = j.outgoing(v); err != nil {
		return nil, err
	}
	if err := j.count(false); err != nil {
		return nil, err
	}
	// The body may outlive the job, when it is the response's.
	ctx, cancel := j.cancellable(c, context.WithoutCancel(j.ctx))
	stop := context.AfterFunc(j.ctx, cancel)
	return func() (value, *body, error) {
		answer, err := j.exchange(ctx, call)
		if !stop() && err == nil {
			err = errors.Join(context.Cause(j.ctx), answer.response.Body.Close())
		}
		if err != nil {
			cancel()
			return value{}, nil, err
		}
		return answer.head(), answer.body(cancel), nil
	}, nil
}

func fetchURL(text string) (*url.URL, error) {
	if len(text) > maxFetchURL {
		return nil, fmt.Errorf("fetch: the URL is longer than %d bytes", maxFetchURL)
	}
	u, err := url.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("fetch: %w", err)
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("fetch: the scheme of %s is neither http nor https", text)
	}
	if _, err := netip.ParseAddr(u.Hostname()); err == nil {
		return nil, fmt.Errorf("fetch: %s is an address; ESA fetches domain names only", u.Hostname())
	}
	u.Fragment, u.RawFragment, u.User = "", "", nil
	return u, nil
}

// outgoing is the body of a request that the code makes.
func (j *job) outgoing(v value) (func() (io.ReadCloser, int64), error) {
	switch v.kind {
	case kindNone:
		return func() (io.ReadCloser, int64) { return http.NoBody, 0 }, nil
	case kindHandle:
		b, err := j.bodies.take(v.text)
		if err != nil {
			return nil, err
		}
		return func() (io.ReadCloser, int64) { return b, b.length }, nil
	}
	data, err := v.bytes()
	if err != nil {
		return nil, err
	}
	return func() (io.ReadCloser, int64) { return textBody{strings.NewReader(string(data))}, int64(len(data)) }, nil
}

// count takes note of a subrequest, and refuses one too many.
func (j *job) count(kv bool) error {
	limits := j.cfg.Limits
	if j.inFlight == nil {
		j.inFlight = make(chan struct{}, limits.Concurrent)
	}
	if !j.subrequest() {
		return fmt.Errorf("too many subrequests: one request may make %d, those to EdgeKV and cache included", limits.Subrequests)
	}
	if kv {
		if j.counts.kv++; j.counts.kv > limits.KV {
			return fmt.Errorf("too many EdgeKV operations: one request may make %d", limits.KV)
		}
	}
	return nil
}

// subrequest reports whether one more may be made.
func (j *job) subrequest() bool {
	return j.counts.subrequests.Add(1) <= int64(j.cfg.Limits.Subrequests)
}

// slot waits until fewer than the allowed number of subrequests are under way.
func (j *job) slot() (leave func(), err error) {
	select {
	case j.inFlight <- struct{}{}:
		return func() { <-j.inFlight }, nil
	case <-j.ctx.Done():
		return nil, context.Cause(j.ctx)
	}
}

// answer is the response at the end of the redirects.
type answer struct {
	response   *http.Response
	url        string
	redirected bool
	manual     bool
}

// exchange follows redirects as the service does: to GET without the body for
// all but 307, which it follows for GET alone.
func (j *job) exchange(ctx context.Context, call fetchCall) (*answer, error) {
	leave, err := j.slot()
	if err != nil {
		return nil, err
	}
	defer leave()
	for hop := 0; ; hop++ {
		response, err := j.once(ctx, call)
		if err != nil {
			return nil, fmt.Errorf("fetch %s: %w", call.url.Redacted(), err)
		}
		next, err := call.next(response)
		if err == nil && next == nil {
			return &answer{response, call.url.String(), hop > 0, call.manual}, nil
		}
		if err == nil && hop == maxHops {
			err = fmt.Errorf("more than %d redirects", maxHops)
		}
		if err = errors.Join(err, response.Body.Close()); err != nil {
			return nil, fmt.Errorf("fetch %s: %w", call.url.Redacted(), err)
		}
		if !j.subrequest() {
			return nil, fmt.Errorf("fetch %s: each redirect is a subrequest, and one request may make %d", call.url.Redacted(), j.cfg.Limits.Subrequests)
		}
		call = *next
	}
}

// next is the call that a redirect asks for, nil if the response is the answer.
func (c fetchCall) next(r *http.Response) (*fetchCall, error) {
	switch r.StatusCode {
	case 301, 302, 303, 307, 308:
	default:
		return nil, nil
	}
	if c.redirect == "manual" {
		return nil, nil
	}
	if c.redirect == "error" {
		return nil, fmt.Errorf("it redirects (%d), and redirect is error", r.StatusCode)
	}
	isRead := c.method == http.MethodGet || c.method == http.MethodHead
	if r.StatusCode == 307 && !isRead {
		return nil, fmt.Errorf("it redirects with 307, which ESA follows for GET only, not for %s", c.method)
	}
	location, _, _ := strings.Cut(r.Header.Get("Location"), ",")
	if location = strings.TrimSpace(location); location == "" {
		return nil, fmt.Errorf("it redirects (%d) without a Location", r.StatusCode)
	}
	to, err := c.url.Parse(location)
	if err != nil {
		return nil, fmt.Errorf("it redirects to %q: %w", location, err)
	}
	if to, err = fetchURL(to.String()); err != nil {
		return nil, err
	}
	next := c
	next.url = to
	if !isRead {
		next.method, next.header = http.MethodGet, c.header.Clone()
		next.header.Del("Content-Type")
		next.body = func() (io.ReadCloser, int64) { return http.NoBody, 0 }
	}
	if to.Host != c.url.Host {
		next.header = next.header.Clone()
		for _, secret := range []string{"Authorization", "Cookie", "Proxy-Authorization"} {
			next.header.Del(secret)
		}
	}
	return &next, nil
}

// once does one exchange.
func (j *job) once(ctx context.Context, c fetchCall) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, c.method, c.url.String(), nil)
	if err != nil {
		return nil, err
	}
	r.Header = c.header.Clone()
	for _, name := range []string{"Host", "Connection", "Keep-Alive", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "Content-Length"} {
		r.Header.Del(name)
	}
	if r.Header.Get("Accept-Encoding") == "" {
		r.Header.Set("Accept-Encoding", "gzip")
	}
	if r.Header.Get("User-Agent") == "" {
		r.Header["User-Agent"] = nil
	}
	if r.Body, r.ContentLength = c.body(); r.ContentLength == 0 {
		r.Body = http.NoBody
	}
	if j.request != nil && strings.EqualFold(c.url.Host, j.request.Host) {
		if j.host.Origin == nil {
			return nil, errors.New("a fetch of the routine's own host goes to the site's origin, and this host has none")
		}
		r.Host = j.request.Host
		return j.host.Origin(ctx, r)
	}
	switch {
	case j.host.Fetch != nil:
		return j.host.Fetch(ctx, r)
	case j.cfg.Fetch != nil:
		return j.cfg.Fetch(ctx, r)
	}
	return nil, errors.New("this edge fetches nothing")
}

// head is the response without its body: lines of status, status text, URL,
// whether it was redirected, then the headers.
func (a *answer) head() value {
	r := a.response
	r.Header.Del("Transfer-Encoding")
	if !a.manual && strings.EqualFold(r.Header.Get("Content-Encoding"), "gzip") {
		r.Header.Del("Content-Encoding")
		r.Header.Del("Content-Length")
		r.ContentLength = -1
		r.Body = &gunzip{from: r.Body}
	}
	text := strings.TrimSpace(strings.TrimPrefix(r.Status, strconv.Itoa(r.StatusCode)))
	return textValue(strconv.Itoa(r.StatusCode) + "\n" + latin1ToText(text) + "\n" + a.url + "\n" + strconv.FormatBool(a.redirected) + "\n" + flatten(r.Header))
}

func (a *answer) body(cancel func()) *body {
	from := a.response.Body
	return &body{Reader: from, length: a.response.ContentLength, done: func() {
		_ = from.Close() // only read
		cancel()
	}}
}

// gunzip decompresses when it is first read.
type gunzip struct {
	from io.ReadCloser
	zip  *gzip.Reader
	err  error
}

func (g *gunzip) Read(p []byte) (int, error) {
	if g.zip == nil && g.err == nil {
		in := bufio.NewReader(g.from)
		if _, err := in.Peek(1); err != nil {
			g.err = err // an empty body, as of an answer to HEAD
		} else {
			g.zip, g.err = gzip.NewReader(in)
		}
	}
	if g.err != nil {
		return 0, g.err
	}
	return g.zip.Read(p)
}

func (g *gunzip) Close() error { return g.from.Close() }
