package edge

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync/atomic"

	"github.com/esa-mcp/esa-mcp/internal/local/edge/balance"
	"github.com/esa-mcp/esa-mcp/internal/local/edge/origin"
	"github.com/esa-mcp/esa-mcp/internal/local/edge/plan"
)

// affinityCookie keeps a visitor at one origin of a load balancer. The service does
// not publish the name of its own.
const affinityCookie = "esa_lb"

// way is where a request to the origin may go.
type way struct {
	// to are the destinations in the order in which they are asked, each only if
	// those before cannot be reached.
	to []hop
	// fixed is the answer of a load balancer that asks no origin; nil: there is none.
	fixed *plan.FixedResponse
	// sticky is that a visitor gets a cookie which names the origin.
	sticky bool
}

// hop is a destination, found when it is needed.
type hop struct {
	find   func() (origin.Destination, error)
	choice balance.Choice // empty for a record's own origin
}

// way finds where the site's records and origin rules send the request.
func (x *exchange) way(s plan.Settings) (way, error) {
	record, err := x.originRecord(s)
	switch {
	case err != nil:
		return way{}, err
	case record != nil && record.Balancer != nil:
		return x.balanced(s, record)
	case record != nil && record.Pool != nil:
		return x.hops(s, record, x.chooser().Pool(record.Pool, balance.Visitor{}, ""), record.Pool.Name)
	}
	return way{to: []hop{{find: func() (origin.Destination, error) { return x.destination(s, record, nil) }}}}, nil
}

func (x *exchange) chooser() balance.Chooser {
	return balance.Chooser{Pick: x.cfg.Pick, Health: x.cfg.Health}
}

// balanced lets a load balancer choose. Its rules change how, each over what those
// before it have changed.
func (x *exchange) balanced(s plan.Settings, record *plan.Record) (way, error) {
	b := record.Balancer
	x.apply("load_balancer", b.ID)
	if !b.Enabled {
		return way{}, origin.Nowhere("The load balancer %s is disabled.", b.Name)
	}
	steering := b.Steering
	for _, r := range b.Rules {
		if !r.When.Match(x.facts) {
			continue
		}
		x.apply("load_balancer_rule", r.Sequence)
		if r.Fixed != nil {
			return way{fixed: r.Fixed}, nil
		}
		steering = r.Override(steering)
		if r.Terminates {
			break
		}
	}
	v := balance.Visitor{IP: x.w.visitor.ip.String(), Country: x.w.visitor.country, Province: x.w.visitor.province}
	if steering.Affinity == "cookie" {
		v.Cookie = cookieOf(x.asked, affinityCookie)
	}
	w, err := x.hops(s, record, x.chooser().Balanced(x.host.Site, b, steering, v), b.Name)
	w.sticky = steering.Affinity == "cookie"
	return w, err
}

// hops are the way to chosen origins; name is of what has them.
func (x *exchange) hops(s plan.Settings, record *plan.Record, choices []balance.Choice, name string) (way, error) {
	if len(choices) == 0 {
		return way{}, origin.Nowhere("No origin of %s is enabled, has a weight and is healthy, and no fallback pool has one.", name)
	}
	var w way
	for _, c := range choices {
		w.to = append(w.to, hop{choice: c, find: func() (origin.Destination, error) { return x.destination(s, record, c.Origin) }})
	}
	return w, nil
}

// ask sends a request the way, and returns the answer and who gave it.
func (x *exchange) ask(s plan.Settings, request *http.Request, w way) (*http.Response, origin.Destination, error) {
	var body *unread
	if len(w.to) > 1 && request.Body != nil {
		body = &unread{Reader: request.Body}
		request.Body = body
	}
	var failed error
	for _, one := range w.to {
		if one.choice.Origin != nil {
			x.apply("origin_pool", one.choice.Pool.ID)
			x.apply("pool_origin", one.choice.Origin.ID)
		}
		to, err := one.find()
		var response *http.Response
		if err == nil {
			response, err = x.askOne(s, request, to)
		}
		if err == nil {
			if own := one.choice.Cookie; w.sticky && cookieOf(x.asked, affinityCookie) != own() {
				x.changes = append(x.changes, headerChange{"Set-Cookie", "add",
					(&http.Cookie{Name: affinityCookie, Value: own(), Path: "/", HttpOnly: true}).String()})
			}
			return response, to, nil
		}
		var failure *origin.Failure
		if failed = err; !errors.As(err, &failure) || !failure.Unsent() || body != nil && body.begun.Load() {
			break
		}
	}
	return nil, origin.Destination{}, failed
}

func (x *exchange) askOne(s plan.Settings, request *http.Request, to origin.Destination) (*http.Response, error) {
	if s.Text("Range") == "force" && request.Method == http.MethodGet && request.Header["Range"] == nil {
		return x.inParts(s, request, to)
	}
	return x.cfg.Origins.Send(request, to)
}

// unread is a request's body that may be sent to another origin, if the first has
// not begun to read it.
type unread struct {
	io.Reader
	begun atomic.Bool
}

func (u *unread) Read(b []byte) (int, error) {
	u.begun.Store(true)
	return u.Reader.Read(b)
}

// Close leaves the body open for the next origin; the server closes it.
func (u *unread) Close() error { return nil }

// fixedResponse is what a load balancer answers itself.
func fixedResponse(f *plan.FixedResponse, request *http.Request) *http.Response {
	h := http.Header{"Content-Length": {strconv.Itoa(len(f.Body))}}
	if kind := cmp.Or(f.Type, "text/plain; charset=utf-8"); f.Body != "" {
		h.Set("Content-Type", kind)
	}
	if f.Location != "" {
		h.Set("Location", f.Location)
	}
	return &http.Response{StatusCode: f.Status, Header: h, ContentLength: int64(len(f.Body)), Request: request,
		Body: io.NopCloser(bytes.NewReader([]byte(f.Body)))}
}
