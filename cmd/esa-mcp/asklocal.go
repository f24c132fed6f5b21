package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/local/admin"
	"github.com/esa-mcp/esa-mcp/tools"
)

// localAsker asks what answers at an endpoint on this machine whether it is a local
// ESA, and where its edge is: the port is in no answer of the API.
type localAsker struct {
	endpoint string

	mu    sync.Mutex
	asked bool // and there was an answer
	info  *tools.LocalInfo
}

// askLimit bounds one question.
const askLimit = 2 * time.Second

// ask returns nil if there is no local ESA, or none that tells: an older one, or a
// way to the real service. No answer at all may have been an accident, so the next
// call asks again.
func (a *localAsker) ask(ctx context.Context) *tools.LocalInfo {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.asked {
		return a.info
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, a.endpoint+admin.AddressesPath, nil)
	if err != nil {
		return nil
	}
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	res, err := (&http.Client{Timeout: askLimit, CheckRedirect: stay}).Do(r)
	if err != nil {
		return nil
	}
	defer res.Body.Close() // only read
	a.asked = res.StatusCode < http.StatusInternalServerError
	var told admin.Addresses
	if res.StatusCode == http.StatusOK && json.NewDecoder(io.LimitReader(res.Body, 4096)).Decode(&told) == nil && told.Edge != "" {
		a.info = &tools.LocalInfo{Edge: told.Edge, OpenDefaultDomain: told.OpenDefaultDomain}
	}
	return a.info
}
