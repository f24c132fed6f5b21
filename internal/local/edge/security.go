package edge

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/local/edge/plan"
	"github.com/esa-mcp/esa-mcp/internal/rule"
)

// security applies the site's security rules, in the order of their phases, and
// reports whether one of them has answered.
func (x *exchange) security() bool {
	phases := x.host.Site.Security
	if len(phases) == 0 {
		return false
	}
	var skip []*plan.SecurityRule
	for _, t := range phases[plan.PhaseWhitelist] {
		if t.When.Match(x.facts) {
			x.apply("waf whitelist", t.ID)
			skip = append(skip, t)
		}
	}
	x.watchScans(phases[plan.PhaseRateLimit], skip)
	x.watchScans(phases[plan.PhaseAntiScan], skip)
	for _, phase := range plan.Phases() {
		for _, t := range phases[phase] {
			if past(skip, t) || !t.When.Match(x.facts) {
				continue
			}
			if t = x.judge(t, skip); t == nil {
				continue
			}
			done, answered := x.act(t)
			if answered {
				return true
			}
			if done {
				break
			}
		}
	}
	return false
}

// past reports whether a whitelist rule lets the request past a rule.
func past(skip []*plan.SecurityRule, t *plan.SecurityRule) bool {
	return slices.ContainsFunc(skip, func(w *plan.SecurityRule) bool {
		return w.SkipAll || slices.Contains(w.SkipPhases, t.Phase) || slices.Contains(w.SkipRules, t.ID)
	})
}

// act carries out the action of a rule that applies. done ends its phase.
func (x *exchange) act(t *plan.SecurityRule) (done, answered bool) {
	x.apply("waf "+t.Action, t.ID)
	if watches(t.Action) {
		return false, false
	}
	switch t.Action {
	case "allow", "bypass", "skip":
		return true, false
	case "js", "captcha", "slider", "strict_slider", "strict_captcha":
		if x.passed(t) {
			return false, false
		}
		x.challenge(t)
		return true, true
	}
	x.w.Header().Set(cacheStatusHeader, statusBypass)
	status := http.StatusForbidden
	if t.Code >= 200 {
		status = t.Code
	}
	x.denied(status, t)
	return true, true
}

// denied answers a request that a rule refuses.
func (x *exchange) denied(status int, t *plan.SecurityRule) {
	if t.Page != 0 && x.page(status, strconv.FormatInt(t.Page, 10)) {
		return
	}
	problem(x.w, x.r, status, "%d %s\nThe security rule %q (%d, %s) refuses this request.", status, http.StatusText(status), t.Name, t.ID, t.Phase)
}

// checkCookie is what a browser sets that has passed a check.
const checkCookie = "esa_local_check"

// passed reports whether the visitor's browser has run the check of a rule.
func (x *exchange) passed(t *plan.SecurityRule) bool {
	cookie, err := x.asked.Cookie(checkCookie)
	return err == nil && hmac.Equal([]byte(cookie.Value), []byte(x.proof(t)))
}

// proof is what the check makes a browser send, one for each visitor and rule.
func (x *exchange) proof(t *plan.SecurityRule) string {
	mac := hmac.New(sha256.New, x.key)
	fmt.Fprint(mac, t.ID, x.w.visitor.ip, x.asked.UserAgent())
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

// challenge answers with a page that proves that the visitor runs scripts. All
// checks are this one here, for nobody solves puzzles in a test.
func (x *exchange) challenge(t *plan.SecurityRule) {
	h := x.w.Header()
	h.Set(cacheStatusHeader, statusBypass)
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	x.w.WriteHeader(http.StatusForbidden)
	if x.r.Method == http.MethodHead {
		return
	}
	fmt.Fprintf(x.w, `<!doctype html><title>Checking your browser</title><p>The security rule %d checks your browser.</p>
<script>document.cookie = "%s=%s; path=/; SameSite=Lax"; location.reload();</script>
<noscript>This page needs JavaScript.</noscript>
`, t.ID, checkCookie, x.proof(t))
}

// over counts the request and reports whether it is over the limit of a rule.
func (x *exchange) over(t *plan.SecurityRule) bool {
	key := x.counter(t)
	if t.Limit.Status != 0 {
		x.w.after = append(x.w.after, func(status int) {
			if status == t.Limit.Status {
				x.limits.count(key, t.Limit.Count, t.Limit, x.cfg.Now())
			}
		})
		if t.Limit.Requests == 0 {
			return x.limits.blocked(key, x.now)
		}
	}
	return x.limits.count(key, t.Limit.Requests, t.Limit, x.now)
}

// counter names what requests are counted under for a rule.
func (x *exchange) counter(t *plan.SecurityRule) string {
	key := strconv.FormatInt(t.ID, 10)
	for _, field := range t.Limit.By {
		key += "\n" + x.common(field)
	}
	return key
}

// common is what a request has of a field by which requests are counted.
func (x *exchange) common(field string) string {
	switch field {
	case "ip.src":
		return x.w.visitor.ip.String()
	case "http.request.session":
		return x.w.visitor.ip.String() + x.asked.UserAgent()
	}
	// Such as http.host or http.request.headers["x"].
	value, err := rule.EvalValue(strings.TrimSpace(field), x.facts())
	if err != nil {
		return ""
	}
	return value
}
