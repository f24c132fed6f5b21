package local

import (
	"context"
	"net/http"
	"net/url"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/console"
	"github.com/esa-mcp/esa-mcp/internal/local/routine"
	"github.com/esa-mcp/esa-mcp/internal/local/state"
)

// viewer reads the state for those who look at it.
type viewer struct {
	options  Options
	store    *state.Store
	table    api.Table
	routines *routine.Service
}

func (v viewer) snapshot(r *http.Request) (console.Snapshot, error) {
	return console.Take(r.Context(), v.store, func(name string) string { return v.routines.DefaultDomain(name, routine.Production) })
}

// status is what the desk tells of the state.
func (v viewer) status(r *http.Request) (any, error) { return v.snapshot(r) }

// link is where a browser sees a routine: its default domain, with a token if
// that is private.
func (v viewer) link(r *http.Request, name string) string {
	address := url.URL{Scheme: "http", Host: v.routines.DefaultDomain(name, routine.Production) + ":" + v.options.edgePort, Path: "/"}
	if v.options.OpenDefaultDomain {
		return address.String()
	}
	answer, err := v.table["GetRoutineAccessToken"](r.Context(), &api.Request{Params: api.Params{"Name": name}})
	if token, ok := answer.(struct{ Token string }); err == nil && ok {
		address.RawQuery = url.Values{"esa_er_token": {token.Token}}.Encode()
	}
	return address.String()
}

// Snapshot says what the state in a folder has, whether or not a local ESA runs
// on it.
func Snapshot(ctx context.Context, dir string) (console.Snapshot, error) {
	store, err := state.Open(ctx, dir)
	if err != nil {
		return console.Snapshot{}, err
	}
	defer store.Close()
	routines := routine.New(store, routine.Config{})
	defer routines.Close()
	return console.Take(ctx, store, func(name string) string { return routines.DefaultDomain(name, routine.Production) })
}
