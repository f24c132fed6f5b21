package edge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/esa-mcp/esa-mcp/internal/local/edge/fastpath"
)

// Edge serves visitors, and fills its cache before they come.
type Edge interface {
	http.Handler
	fastpath.Handler
	Preloader
}

// Preloader fills the cache.
type Preloader interface {
	// Preload fetches an address as a visitor with those headers would have it, for
	// the cache alone: no rule answers for it, no routine runs, and it is no visit.
	// What is kept and still fresh is left as it is. It returns the status of the
	// answer, and of an error page of the edge its reason.
	Preload(ctx context.Context, address string, headers map[string]string) (status int, reason string, err error)
}

func (e *edge) Preload(ctx context.Context, address string, headers map[string]string) (status int, reason string, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return 0, "", fmt.Errorf("preload %s: %w", address, err)
	}
	r.RequestURI = r.URL.RequestURI()
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	host, err := e.cfg.Plans.Host(ctx, r.Host)
	if err != nil {
		return 0, "", fmt.Errorf("preload %s: %w", address, err)
	}
	if host.Site == nil {
		return 0, "", fmt.Errorf("preload %s: no site has the host", address)
	}
	defer func() {
		// The origin broke off, as http.ErrAbortHandler has it.
		if p := recover(); p != nil {
			err = fmt.Errorf("preload %s: %w", address, errors.Join(ctx.Err(), io.ErrUnexpectedEOF))
		}
	}()
	w := &recorder{ResponseWriter: sink{}}
	x := &exchange{edge: e, w: w, r: r, asked: r, host: host, now: e.cfg.Now(), scheme: r.URL.Scheme}
	if !x.served() {
		return w.status, "", fmt.Errorf("preload %s: the edge does not serve it", address)
	}
	x.rewrite()
	x.incomingHeaders()
	x.answer()
	return w.status, w.Header().Get(errorHeader), nil
}

// sink is a visitor who wants nothing but that the cache is filled.
type sink http.Header

func (s sink) Header() http.Header       { return http.Header(s) }
func (sink) WriteHeader(int)             {}
func (sink) Write(b []byte) (int, error) { return len(b), nil }

// Flush has nothing to do: nothing is kept back.
func (sink) Flush() {}
