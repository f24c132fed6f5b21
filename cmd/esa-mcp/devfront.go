package main

import (
	"context"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/mcpserver"
)

// Paths of the front server itself.
const (
	devScriptPath = "/__esa_dev/reload.js"
	devEventsPath = "/__esa_dev/reload"
)

// devScript reloads the page when the server tells of another build than the one
// that the page is of; only once for each, should something between keep old pages.
const devScript = `(() => {
  const mine = new URL(document.currentScript.src).searchParams.get("build");
  new EventSource("` + devEventsPath + `").onmessage = (e) => {
    if (e.data === mine || sessionStorage.getItem("esa-dev") === e.data) return;
    sessionStorage.setItem("esa-dev", e.data);
    location.reload();
  };
})();
`

// devFront passes requests on to the routine's default domain and makes pages
// reload after a build.
type devFront struct {
	proxy *httputil.ReverseProxy
	// local says that only this machine is served, so that no other host name can
	// be meant: a page elsewhere must not read the site by a name of its own.
	local bool
	// origin is what the function takes the site for, if it has an origin.
	origin *url.URL

	mu      sync.Mutex
	host    string // of the routine; empty before the first build
	failure string // of the latest build
	build   string // changes when pages have to reload
	builds  int
	epoch   string
	changed chan struct{} // closed when build changes
}

// buildKey is where a request keeps the build that it was made in.
type buildKey struct{}

func newDevFront(edge string, at net.Addr, origin *url.URL) (*devFront, error) {
	upstream, err := url.Parse(edge)
	if err != nil {
		return nil, fmt.Errorf("address of the edge: %w", err)
	}
	f := &devFront{
		local: mcpserver.IsLoopbackHost(at.String()), origin: origin, changed: make(chan struct{}),
		epoch: strconv.FormatInt(time.Now().UnixNano(), 36),
	}
	f.build = f.epoch
	f.proxy = &httputil.ReverseProxy{
		Rewrite:        func(p *httputil.ProxyRequest) { f.rewrite(p, upstream) },
		ModifyResponse: f.adapt,
		FlushInterval:  -1,
		Transport:      &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 32},
	}
	return f, nil
}

// show makes the front serve a deployment, and pages reload.
func (f *devFront) show(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return fmt.Errorf("the deployment has no address: %q", address)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.host, f.failure = u.Host, ""
	f.turn()
	return nil
}

// fail keeps why there is nothing to serve yet.
func (f *devFront) fail(why string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.failure = why; f.host == "" {
		f.turn()
	}
}

func (f *devFront) turn() {
	f.builds++
	f.build = f.epoch + "-" + strconv.Itoa(f.builds)
	close(f.changed)
	f.changed = make(chan struct{})
}

// ServeHTTP answers one request.
func (f *devFront) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if f.local && !ownName(r.Host) {
		http.Error(w, "This server is for this machine only: use 127.0.0.1 or localhost.", http.StatusForbidden)
		return
	}
	switch r.URL.Path {
	case devScriptPath:
		w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		io.WriteString(w, devScript)
		return
	case devEventsPath:
		f.events(w, r)
		return
	}
	f.mu.Lock()
	host, failure, build := f.host, f.failure, f.build
	f.mu.Unlock()
	if host == "" {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprintf(w, "<!doctype html><title>Not built</title><h1>Not built</h1><pre>%s</pre>%s", html.EscapeString(failure), reloadTag(build))
		return
	}
	f.proxy.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), buildKey{}, [2]string{host, build})))
}

// ownName reports whether a Host names this machine.
func ownName(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = host
	}
	return mcpserver.IsLoopbackHost(host) || strings.HasSuffix(strings.ToLower(name), ".localhost")
}

// events tells the build, and each later one.
func (f *devFront) events(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	stream := http.NewResponseController(w)
	fmt.Fprint(w, "retry: 500\n")
	for {
		f.mu.Lock()
		build, changed := f.build, f.changed
		f.mu.Unlock()
		fmt.Fprintf(w, "data: %s\n\n", build)
		if stream.Flush() != nil {
			return
		}
		select {
		case <-changed:
		case <-r.Context().Done():
			return
		}
	}
}

// rewrite sends a request to the routine as if the browser had gone there.
func (f *devFront) rewrite(p *httputil.ProxyRequest, upstream *url.URL) {
	p.SetURL(upstream)
	at, _ := p.In.Context().Value(buildKey{}).([2]string)
	p.Out.Host = at[0]
	p.Out.Header.Del("Accept-Encoding") // pages are added to
	if p.In.Header.Get("Origin") == "http://"+p.In.Host {
		p.Out.Header.Set("Origin", "http://"+at[0])
		if f.origin != nil {
			p.Out.Header.Set("Origin", f.origin.String())
		}
	}
}

// adapt keeps redirects on the front, and adds the script to pages.
func (f *devFront) adapt(res *http.Response) error {
	at, _ := res.Request.Context().Value(buildKey{}).([2]string)
	h := res.Header
	if to, err := url.Parse(h.Get("Location")); err == nil && to.Host != "" && (to.Host == at[0] || f.origin != nil && strings.EqualFold(to.Host, f.origin.Host)) {
		to.Scheme, to.Host = "", ""
		if to.Path == "" {
			to.Path = "/"
		}
		h.Set("Location", to.String())
	}
	if !isPage(res) {
		return nil
	}
	// The page is of this build: another's must not be taken for it.
	for _, name := range []string{"Content-Length", "ETag", "Last-Modified", "Accept-Ranges"} {
		h.Del(name)
	}
	h.Set("Cache-Control", "no-store")
	res.ContentLength = -1
	if res.Request.Method != http.MethodHead {
		res.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(res.Body, strings.NewReader(reloadTag(at[1]))), res.Body}
	}
	return nil
}

// isPage reports whether a response is a whole page for a tab or a frame, not
// one that a script asked for.
func isPage(res *http.Response) bool {
	switch res.StatusCode {
	case http.StatusSwitchingProtocols, http.StatusNoContent, http.StatusPartialContent, http.StatusNotModified:
		return false
	}
	kind, _, _ := strings.Cut(res.Header.Get("Content-Type"), ";")
	if !strings.EqualFold(strings.TrimSpace(kind), "text/html") || res.Header.Get("Content-Encoding") != "" {
		return false
	}
	switch res.Request.Header.Get("Sec-Fetch-Dest") {
	case "", "document", "iframe", "frame":
		return true
	}
	return false
}

func reloadTag(build string) string {
	return `<script src="` + devScriptPath + `?build=` + url.QueryEscape(build) + `"></script>`
}
