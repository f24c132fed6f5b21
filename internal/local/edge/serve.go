package edge

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"github.com/esa-mcp/esa-mcp/internal/local/routine"
)

const versionHeader = "X-Esa-Version"

// serveBundle serves a request from one version, in the service's order: an
// asset, then the not-found strategy for page loads, then the routine's code,
// then the strategy for everything else, then 404. If it returns an error, as
// code may, nothing was answered yet.
func (e *edge) serveBundle(w http.ResponseWriter, r *http.Request, b *routine.Bundle, code func() error) error {
	w.Header().Set(versionHeader, b.CodeVersion)
	to := resolve(b, r.URL.Path)
	switch {
	case to.redirect != "":
		w.Header().Set("Cache-Control", "no-cache")
		// Not http.Redirect: it would resolve the path once more.
		w.Header().Set("Location", (&url.URL{Path: to.redirect, RawQuery: r.URL.RawQuery}).String())
		w.WriteHeader(http.StatusFound)
		return nil
	case to.found:
		return e.serveAsset(w, r, b, to.asset)
	case b.HasCode && !(b.NotFound != "" && isNavigation(r)):
		return code()
	}
	return e.serveNotFound(w, r, b)
}

// isNavigation reports whether a browser loads a page, which a version with a
// not-found strategy never gives to its code.
func isNavigation(r *http.Request) bool {
	return r.Header.Get("Sec-Fetch-Mode") == "navigate"
}

func (e *edge) serveNotFound(w http.ResponseWriter, r *http.Request, b *routine.Bundle) error {
	switch b.NotFound {
	case routine.SinglePageApplication:
		if a, ok := b.Asset("/index.html"); ok {
			return e.serveAsset(w, r, b, a)
		}
	case routine.NotFoundPage:
		if a, ok := b.Asset("/404.html"); ok {
			return serveNotFoundPage(w, r, b, a)
		}
	}
	problem(w, r, http.StatusNotFound, "This site has no file for the path %q.", r.URL.Path)
	return nil
}

// serveAsset answers GET and HEAD, with conditions and ranges.
func (e *edge) serveAsset(w http.ResponseWriter, r *http.Request, b *routine.Bundle, a routine.Asset) error {
	if !isRead(r) {
		w.Header().Set("Allow", "GET, HEAD")
		problem(w, r, http.StatusMethodNotAllowed, "%s is not possible here: the path %q is a file.", r.Method, r.URL.Path)
		return nil
	}
	if kept := e.live.asset(b, a); kept != nil && kept.serve(w, r) {
		return nil
	}
	content, err := b.Open(a)
	if err != nil {
		return err
	}
	defer content.Close() // only read
	setAssetHeaders(w.Header(), a)
	http.ServeContent(w, inBytes(r), "", b.Created, content)
	return nil
}

// serveNotFoundPage answers the page with status 404, whole and without
// conditions: 304 or 206 would not say that nothing was found.
func serveNotFoundPage(w http.ResponseWriter, r *http.Request, b *routine.Bundle, a routine.Asset) error {
	content, err := b.Open(a)
	if err != nil {
		return err
	}
	defer content.Close() // only read
	w.Header().Set("Content-Type", a.ContentType)
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("Content-Length", strconv.FormatInt(a.Size, 10))
	w.WriteHeader(http.StatusNotFound)
	if r.Method != http.MethodHead {
		_, _ = io.Copy(w, content) // fails if the visitor leaves, and nobody is left to tell
	}
	return nil
}

// setAssetHeaders lets caches keep an asset but ask each time, so that a
// deployment shows at once.
func setAssetHeaders(h http.Header, a routine.Asset) {
	h.Set("Content-Type", a.ContentType)
	h.Set("Cache-Control", "no-cache")
	h.Set("ETag", assetTag(a))
}

func assetTag(a routine.Asset) string { return fmt.Sprintf(`"%.32s"`, a.SHA256) }

func isRead(r *http.Request) bool { return r.Method == http.MethodGet || r.Method == http.MethodHead }
