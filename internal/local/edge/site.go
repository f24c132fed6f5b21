package edge

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/local/attack"
	"github.com/esa-mcp/esa-mcp/internal/local/edge/origin"
	"github.com/esa-mcp/esa-mcp/internal/local/edge/plan"
	"github.com/esa-mcp/esa-mcp/internal/rule"
)

// rulesHeader names the configurations that had a say in an answer, in the order
// in which they had it: "cache 352816096987136, origin 352816096987152". Only the
// local ESA has it.
const rulesHeader = "X-Esa-Rules"

// exchange is one request to a host of a site, on its way through the site's
// configuration.
type exchange struct {
	*edge
	w       *recorder
	r       *http.Request // as it is by now: rewrites change it
	asked   *http.Request // as it came: what rules look at
	host    *plan.Host
	now     time.Time
	known   *rule.Request // what rules see of it; nil: none has looked yet
	applied []string
	scheme  string // http or https, as the visitor asked
	quiet   bool   // it is not the visitor's own request, and notes nothing
	// suspected is the request as the search for attacks sees it, and blocked are
	// the managed rules that stopped it.
	suspected *attack.Request
	blocked   []int64
	entered   bool // a waiting room has let it in
	// aside says that the version of the site's configuration is not that of
	// production.
	aside bool
	// codeOrigin is the status of the last answer that a routine got from the
	// origin.
	codeOrigin atomic.Int64
	pictures   *pictures // what becomes of an image; nil: nothing
	// changes are those of the answer's headers.
	changes []headerChange
}

// serveSite serves a request to a host of a site, in the service's order.
func (e *edge) serveSite(w *recorder, r *http.Request, host *plan.Host) {
	x := &exchange{edge: e, w: w, r: r, asked: r, host: host, now: w.began, scheme: schemeOf(r)}
	if !x.served() || x.withheld() || !x.environment() {
		return
	}
	x.prepareAnswer()
	defer x.finish()
	for _, step := range []func() bool{x.https, x.security, x.redirect, x.customResponse} {
		if step() {
			return
		}
	}
	x.rewrite()
	x.incomingHeaders()
	x.imaging()
	switch {
	case x.routine():
	case x.upgrades():
		if !x.waits() {
			x.upgrade()
		}
	default:
		x.answer()
	}
}

// finish ends an answer. It does not run when the connection is cut on purpose.
func (x *exchange) finish() {
	if p := recover(); p != nil {
		panic(p)
	}
	if err := x.w.finish(); err != nil && x.r.Context().Err() == nil {
		panic(http.ErrAbortHandler)
	}
}

// served reports whether the edge serves the host at all; if not, it has
// answered.
func (x *exchange) served() bool {
	site, record := x.host.Site, x.host.Record
	no := func(status int, format string, args ...any) bool {
		problem(x.w, x.r, status, format, args...)
		return false
	}
	switch {
	case site.Status == "pending":
		return no(http.StatusNotFound, "The site %s is pending: its domain does not lead to the edge before VerifySite has passed.", site.Name)
	case site.Status != "active":
		return no(http.StatusForbidden, "The site %s is %s%s, so the edge does not serve it.", site.Name, site.Status, because(site.OfflineReason))
	case site.Paused:
		return no(http.StatusNotFound, "The site %s is paused: it has DNS only, and visitors go straight to its origins. "+
			"UpdateSitePause with Paused=false resumes it.", site.Name)
	case x.host.Routine != "":
		return true
	case record == nil:
		return no(http.StatusNotFound, "The site %s has no A/AAAA or CNAME record for %s, so the name leads nowhere.", site.Name, x.host.Name)
	case !record.Proxied:
		return no(http.StatusNotFound, "The record %s is not proxied: visitors of %s go straight to its origin, past the edge. "+
			"UpdateRecord with Proxied=true and BizName=web brings it here.", record.Name, x.host.Name)
	}
	return true
}

// withheld answers for an address that BlockObject has blocked, and reports whether
// it has.
func (x *exchange) withheld() bool {
	until, blocked := x.host.Site.Blocked(x.host.Name, x.r.URL.EscapedPath(), x.r.URL.RawQuery)
	if !blocked || !x.now.Before(until) {
		return false
	}
	problem(x.w, x.r, http.StatusForbidden, "403 Forbidden\nThe address is blocked until %s. BlockObject with Type=unblock lets it be served again.",
		until.UTC().Format(time.RFC3339))
	return true
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return " (" + reason + ")"
}

// settings are the configurations of a family that apply to the request. They
// are noted under a word.
func (x *exchange) settings(family, word string) plan.Settings {
	all := x.host.Site.Configs(family)
	if len(all) == 0 {
		return nil
	}
	var found plan.Settings
	for _, c := range all {
		if x.matches(c) {
			found = append(found, c)
			x.apply(word, c.ID)
		}
	}
	return found
}

// first is the first rule of a family that applies, for families whose rules end
// the request's way; nil if none does.
func (x *exchange) first(family, word string) *plan.Setting {
	for _, c := range x.host.Site.Configs(family) {
		if x.matches(c) {
			x.apply(word, c.ID)
			return c
		}
	}
	return nil
}

func (x *exchange) matches(c *plan.Setting) bool { return c.When.Match(x.facts) }

// apply notes that a configuration has a say.
func (x *exchange) apply(word string, id int64) {
	if x.quiet {
		return
	}
	x.applied = append(x.applied, fmt.Sprintf("%s %d", word, id))
	x.w.Header().Set(rulesHeader, strings.Join(x.applied, ", "))
}

// refuse answers with the error page of an origin that gave no answer.
func (x *exchange) refuse(err error) {
	var failure *origin.Failure
	switch {
	case errors.As(err, &failure):
		x.w.Header().Set(errorHeader, failure.Reason)
		problem(x.w, x.r, failure.Status, "%d %s\n%s", failure.Status, failure.Reason, failure.Text)
	case errors.Is(err, context.Canceled), x.r.Context().Err() != nil:
		x.w.WriteHeader(statusClientGone)
	default:
		x.cfg.Logger.ErrorContext(x.r.Context(), "edge request failed", "host", x.r.Host, "path", x.r.URL.Path, "error", err)
		problem(x.w, x.r, http.StatusInternalServerError, "The local edge failed; its log says why.")
	}
}

const (
	// errorHeader has the reason of an error page. Only the local ESA has it.
	errorHeader = "X-Esa-Error"
	// statusClientGone is what logs have for a visitor who left before the answer.
	statusClientGone = 499
)
