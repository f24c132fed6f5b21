package edge

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net/http"
	"strconv"
	"sync"

	"github.com/esa-mcp/esa-mcp/internal/local/edge/fastpath"
	"github.com/esa-mcp/esa-mcp/internal/local/routine"
)

// live keeps what is live of routines for as long as the configuration does not
// change, and small assets in memory, so that serving a file asks neither the
// database nor the disk.
type live struct {
	mu      sync.RWMutex
	version int64
	found   map[liveKey]routine.Live
	assets  map[assetKey]*asset
	size    int64
}

type liveKey struct {
	name string
	env  routine.Env
}

// assetKey names an asset of a version; a version never changes.
type assetKey struct {
	bundle *routine.Bundle
	path   string
}

// asset is an asset in memory with its headers as they are sent.
type asset struct {
	content []byte
	headers http.Header
}

const (
	maxAsset     = 1 << 20   // bytes of an asset that is kept
	maxAllAssets = 128 << 20 // bytes of all
)

// lookup is Service.Live, from memory where that is sure.
func (e *edge) lookup(ctx context.Context, name string, env routine.Env) (routine.Live, error) {
	if e.cfg.Plans == nil {
		return e.svc.Live(ctx, name, env)
	}
	version, err := e.cfg.Plans.Version(ctx)
	if err != nil {
		return routine.Live{}, err
	}
	key := liveKey{name, env}
	e.live.mu.RLock()
	l, ok := e.live.found[key]
	ok = ok && e.live.version == version
	e.live.mu.RUnlock()
	if ok {
		return l, nil
	}
	if l, err = e.svc.Live(ctx, name, env); err != nil {
		return l, err
	}
	e.live.mu.Lock()
	defer e.live.mu.Unlock()
	if e.live.version != version || e.live.found == nil {
		e.live.version, e.live.found = version, map[liveKey]routine.Live{}
	}
	e.live.found[key] = l
	return l, nil
}

// asset returns a small asset from memory, where it comes with its first request;
// nil if it is none or cannot be read.
func (l *live) asset(b *routine.Bundle, a routine.Asset) *asset {
	if a.Size > maxAsset {
		return nil
	}
	key := assetKey{b, a.Path}
	l.mu.RLock()
	kept := l.assets[key]
	l.mu.RUnlock()
	if kept != nil {
		return kept
	}
	opened, err := b.Open(a)
	if err != nil {
		return nil
	}
	defer opened.Close() // only read
	kept = &asset{content: make([]byte, a.Size), headers: http.Header{}}
	setAssetHeaders(kept.headers, a)
	kept.headers.Set("Content-Length", strconv.FormatInt(a.Size, 10))
	kept.headers.Set("Last-Modified", b.Created.UTC().Format(http.TimeFormat))
	kept.headers.Set("Accept-Ranges", "bytes")
	if _, err := io.ReadFull(opened, kept.content); err != nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.assets == nil || l.size+a.Size > maxAllAssets {
		l.assets, l.size = map[assetKey]*asset{}, 0 // what is in use comes back
	}
	l.assets[key] = kept
	l.size += a.Size
	return kept
}

// plain is the answer with the whole asset, with more headers.
func (a *asset) plain(more http.Header, version string) *fastpath.Answer {
	headers := a.headers.Clone()
	maps.Copy(headers, more)
	head := bytes.NewBufferString("HTTP/1.1 200 OK\r\n")
	_ = headers.Write(head) // a buffer takes everything
	return &fastpath.Answer{Head: head.Bytes(), Body: a.content, ContentType: headers.Get("Content-Type"), Version: version}
}

// serve answers a request for the whole asset, and reports false for one with
// conditions or a range.
func (a *asset) serve(w http.ResponseWriter, r *http.Request) bool {
	if partly(r.Header) {
		return false
	}
	maps.Copy(w.Header(), a.headers)
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(a.content) // fails if the visitor leaves, and nobody is left to tell
	}
	return true
}
