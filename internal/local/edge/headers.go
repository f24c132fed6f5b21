package edge

import (
	"net/http"

	"github.com/esa-mcp/esa-mcp/internal/local/edge/plan"
)

// headerChange is a change of the answer's headers whose value is known.
type headerChange struct {
	name, operation, value string
}

// change sets a header of the answer, whatever the origin says.
func (x *exchange) change(name, value string) {
	x.changes = append(x.changes, headerChange{name, "modify", value})
}

// prepareAnswer has the answer's headers changed at the last moment, so that error
// pages and redirects are changed, too.
func (x *exchange) prepareAnswer() {
	x.compression()
	x.w.before = func(h http.Header) {
		changeHeaders(h, x.changes)
		changeHeaders(h, x.headerChanges(plan.ResponseHeader, "response_header"))
	}
}

// incomingHeaders changes the request as if the visitor had sent it so: routines
// and the origin see it.
func (x *exchange) incomingHeaders() {
	changes := x.headerChanges(plan.IncomingRequestHeader, "incoming_request_header")
	if len(changes) == 0 {
		return
	}
	r := *x.r
	r.Header = x.r.Header.Clone()
	changeHeaders(r.Header, changes)
	x.r = &r
}

// headerChanges are the changes of a family that apply, in order.
func (x *exchange) headerChanges(family, word string) []headerChange {
	var changes []headerChange
	for _, c := range x.settings(family, word) {
		for _, one := range c.Headers {
			change := headerChange{name: http.CanonicalHeaderKey(one.Name), operation: one.Operation}
			if change.name == "Content-Length" || isHopByHop(change.name) {
				continue // where a message ends is not theirs to say
			}
			if one.Operation != "del" {
				value, err := x.value(one.Type, one.Value)
				if err != nil {
					continue // the expression gives nothing for this request
				}
				change.value = value
			}
			changes = append(changes, change)
		}
	}
	return changes
}

// changeHeaders applies changes: add puts one more value beside those that are
// there, modify replaces them, and del removes them.
func changeHeaders(h http.Header, changes []headerChange) {
	for _, c := range changes {
		switch c.operation {
		case "add":
			h[c.name] = append(h[c.name], c.value)
		case "modify":
			h[c.name] = []string{c.value}
		case "del":
			delete(h, c.name)
		}
	}
}
