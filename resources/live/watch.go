package live

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// Change is what a write through the server has changed.
type Change struct {
	// Site, Routine and Namespace are the one that was changed, as far as the call
	// says; Key is that of a single KV pair. A site is named by id, and by name
	// too if that has been seen.
	Site, SiteName, Routine, Namespace, Key string
	// Came and Gone say that a site, a routine or a namespace is new, or is no more.
	Came, Gone bool
	// Everywhere says that the call does not tell what it changed.
	Everywhere bool
}

// Watch sees the writes of a server and tells what they change. Its zero value is
// ready; it tells nobody until Tell has been called.
type Watch struct {
	mu    sync.Mutex
	tell  []func(context.Context, Change)
	sites map[string]string // name by id, of sites that were in answers
}

// Tell adds one who is told of every change, on the goroutine of the call and with
// its context.
func (w *Watch) Tell(f func(context.Context, Change)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tell = append(w.tell, f)
}

// Caller is next, watched.
func (w *Watch) Caller(next esa.Caller) esa.Caller { return &watched{next, w} }

type watched struct {
	next esa.Caller
	w    *Watch
}

// Call sends the operation, and tells of what it changed unless it was refused. A
// write whose outcome is not known may have been done.
func (c *watched) Call(ctx context.Context, action string, params esa.Params) (esa.Result, error) {
	res, err := c.next.Call(ctx, action, params)
	if err == nil {
		c.w.learn(action, res)
	}
	op, known := catalog.Lookup(action)
	if !known || op.Effect == catalog.Read && !op.SideEffect || noState(action) {
		return res, err
	}
	if err == nil || outcomeUnknown(err) {
		if change := changeOf(op, params); change != (Change{}) {
			c.w.changed(ctx, change)
		}
	}
	return res, err
}

// noState reports whether an operation is no read, but leaves what resources show
// as it is: it makes an upload slot, a token, or a task.
func noState(action string) bool {
	return strings.HasPrefix(action, "Get") || strings.HasPrefix(action, "Purge") || strings.HasPrefix(action, "Preload")
}

func outcomeUnknown(err error) bool {
	var service *esa.Error
	return errors.As(err, &service) && service.OutcomeUnknown
}

func changeOf(op *catalog.Operation, params esa.Params) Change {
	var c Change
	for name, value := range params {
		switch p, err := op.FindParam(name); {
		case err != nil:
		case p.Name == "SiteId":
			c.Site = text(value)
		case op.Action == "CreateSite" && p.Name == "SiteName":
			c.SiteName = strings.ToLower(text(value))
		case p.Name == "RoutineName", p.Name == "Name" && strings.Contains(op.Action, "Routine"):
			c.Routine = text(value)
		case p.Name == "Namespace":
			c.Namespace = text(value)
		case p.Name == "Key" && op.Area == "kv":
			c.Key = text(value)
		}
	}
	switch op.Action {
	case "CreateSite", "CreateRoutine", "CreateKvNamespace":
		c.Came = true
	case "DeleteSite", "DeleteRoutine", "DeleteKvNamespace":
		c.Gone = true
	}
	// Records and rule sets of the account are changed by their own id alone.
	c.Everywhere = c == Change{} && (op.Area == "dns-record" || op.Area == "waf")
	return c
}

// text is an id or a name, whatever type a tool gave it.
func text(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case fmt.Stringer:
		return v.String()
	case float64:
		return fmt.Sprintf("%.0f", v)
	case nil:
		return ""
	}
	return fmt.Sprint(value)
}

func (w *Watch) changed(ctx context.Context, c Change) {
	w.mu.Lock()
	tell := w.tell
	if c.Site != "" {
		c.SiteName = w.sites[c.Site]
	}
	w.mu.Unlock()
	for _, f := range tell {
		f(ctx, c)
	}
}

// maxSites bounds what is remembered of the sites' names.
const maxSites = 5000

// learn remembers the names of the sites in an answer: calls name sites by id,
// readers by name.
func (w *Watch) learn(action string, res esa.Result) {
	var seen []any
	switch action {
	case "ListSites":
		seen, _ = res.Body["Sites"].([]any)
	case "GetSite":
		seen = []any{res.Body["SiteModel"]}
	case "CreateSite":
		seen = []any{res.Body}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range seen {
		site, _ := s.(map[string]any)
		id, name := text(site["SiteId"]), text(site["SiteName"])
		if id == "" || name == "" || len(w.sites) >= maxSites {
			continue
		}
		if w.sites == nil {
			w.sites = make(map[string]string)
		}
		w.sites[id] = strings.ToLower(name)
	}
}

// Affects reports whether a change may have changed the resource of an address.
func (l *Live) Affects(c Change, uri string) bool {
	t, v, err := l.match(uri)
	if err != nil {
		return false
	}
	switch t.pattern[0] {
	case "api":
		return false // the schema does not change while it runs
	case "sites":
		return c.Everywhere || c.affectsSite(v["site"])
	case "routines":
		return c.Everywhere || c.affectsRoutine(v["name"])
	case "kv":
		return c.affectsKV(v)
	}
	return false
}

// affectsSite: an empty site is the list. A routine's routes are among the sites'.
func (c Change) affectsSite(site string) bool {
	switch {
	case site == "":
		return c.Site != "" || c.SiteName != ""
	case c.Site != "":
		return site == c.Site || site == c.SiteName || c.SiteName == "" && !IsID(site)
	}
	return false
}

func (c Change) affectsRoutine(name string) bool {
	if name == "" {
		return c.Routine != ""
	}
	return name == c.Routine
}

func (c Change) affectsKV(v Values) bool {
	switch {
	case v["namespace"] == "": // the account
		return c.Namespace != ""
	case v["namespace"] != c.Namespace:
		return false
	case v["key"] == "":
		return true
	}
	return c.Key == "" || c.Key == v["key"]
}

// Made is the address and the title of the site, routine or namespace that came
// or went; empty if none did.
func (c Change) Made() (uri, title string) {
	switch {
	case !c.Came && !c.Gone:
	case c.SiteName != "":
		return scheme + "sites/" + url.PathEscape(c.SiteName), "Site " + c.SiteName
	case c.Routine != "":
		return scheme + "routines/" + url.PathEscape(c.Routine), "Routine " + c.Routine
	case c.Namespace != "":
		return scheme + "kv/" + url.PathEscape(c.Namespace), "KV namespace " + c.Namespace
	}
	return "", ""
}
