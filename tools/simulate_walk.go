package tools

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/rule"
)

// walk is a request on its way through the configuration of a host, in the order
// of evaluation (esa-facts 3.7: rules of a kind by ascending sequence; a rule
// counts more than the site's default, a later one more than an earlier one,
// where only one value can be).
type walk struct {
	s   *hostState
	r   *rule.Request
	url *url.URL // as it came
	to  url.URL  // as rewrites leave it
	// answered names the configuration that ended the way; empty: none yet.
	answered string
	waits    bool // a waiting room may hold the visitor
	judged   bool // a security rule may answer, by more than is known here
	out      SimulateRequestOutput
}

func newWalk(s *hostState, r *rule.Request, address *url.URL) *walk {
	r.Lists = s.lists
	w := &walk{s: s, r: r, url: address, to: *address}
	w.out.SiteID, w.out.SiteName, w.out.Record = s.site.ID, s.site.Name, s.record.brief()
	return w
}

// run goes the whole way.
func (w *walk) run() {
	if !w.served() {
		return
	}
	w.https()
	w.security()
	w.redirect()
	w.customResponse()
	w.rewrite()
	w.headers("incoming_request_headers", false)
	w.merge("image", false)
	w.route()
	w.cache()
	w.origin()
	w.headers("request_headers", false)
	w.headers("incoming_response_headers", false)
	w.merge("compression", true)
	w.headers("response_headers", true)
}

// answer ends the way: the edge or a routine answers.
func (w *walk) answer(step, by string, status int, format string, args ...any) {
	if w.answered != "" {
		return
	}
	w.answered = by
	w.out.Answers, w.out.Status, w.out.Verdict = step, status, fmt.Sprintf(format, args...)
}

// served reports whether the edge serves the host at all.
func (w *walk) served() bool {
	site, record, host := w.s.site, w.s.record, w.s.host
	status, text := http.StatusNotFound, ""
	switch {
	case site.Status == "pending":
		text = "the site is pending: its domain does not lead to the edge before it is verified (verify_site)"
	case site.Status != "active":
		status, text = http.StatusForbidden, strings.TrimSuffix("the edge refuses: the site is "+site.Status+" "+site.OfflineReason, " ")
	case w.s.paused:
		text = "the site is paused: it has DNS only, and visitors go straight to the origin"
	case w.s.related:
	case record == nil:
		text = host + " has no A/AAAA or CNAME record: the name leads nowhere"
	case !record.Proxied:
		text = "the record is not proxied: visitors go straight to " + record.Data.Value + ", no rule and no routine runs"
	}
	if text != "" {
		w.answer("site", "site", status, "%s", text)
	}
	return text == ""
}

// matches evaluates a condition and keeps why it does not hold.
func (w *walk) matches(kind string, id ID, name, condition string, enabled bool) bool {
	if condition == "" || condition == "true" {
		if !enabled {
			w.miss(kind, id, name, "switched off")
		}
		return enabled
	}
	e, err := rule.Parse(condition)
	if err != nil {
		w.miss(kind, id, name, "its condition cannot be read: "+err.Error())
		return false
	}
	is, trace, failed := e.Eval(w.r)
	switch {
	case is && enabled:
		return true
	case is:
		w.miss(kind, id, name, "switched off; its condition holds")
	case !enabled:
	case failed != nil:
		w.miss(kind, id, name, failed.Error())
	default:
		var why []string
		for _, t := range trace.Decisive() {
			why = append(why, fmt.Sprintf("%s: no, it is %q", t.Term, short(t.Value)))
		}
		w.miss(kind, id, name, strings.Join(why, "; "))
	}
	return false
}

func (w *walk) miss(kind string, id ID, name, why string) {
	w.out.Missed = append(w.out.Missed, MissedRule{Kind: kind, ID: id, Name: name, Why: why})
}

// matching are the rules of a kind that the request fulfils. A site's default
// has no switch.
func (w *walk) matching(kind string) []KindRule {
	var found []KindRule
	for _, r := range w.s.rules[kind] {
		if r.Scope == "global" || w.matches(kind, r.ID, r.Name, r.Rule, r.Enabled) {
			found = append(found, r)
		}
	}
	return found
}

func (w *walk) add(r SimulatedRule, always bool) {
	if w.answered != "" && !always {
		r.Outcome, r.By = RuleNotReached, w.answered
	}
	w.out.Rules = append(w.out.Rules, r)
}

// called is how results name a configuration.
func called(kind string, id ID) string { return kind + " " + string(id) }

// merge adds the rules of a kind whose settings add up, and returns the settings
// that hold. always: it does not matter whether the request was answered.
func (w *walk) merge(kind string, always bool) map[string]string {
	all, winner := map[string]string{}, map[string]int{}
	found := w.matching(kind)
	for i, r := range found {
		for name, text := range r.Settings {
			all[name], winner[name] = text, i
		}
	}
	for i, r := range found {
		row := SimulatedRule{Kind: kind, ID: r.ID, Name: r.Name, Rule: r.Rule, Outcome: RuleApplies}
		var does, by []string
		for _, name := range slices.Sorted(maps.Keys(r.Settings)) {
			if winner[name] == i {
				does = append(does, name+"="+short(r.Settings[name]))
			} else if other := called(kind, found[winner[name]].ID); !slices.Contains(by, other) {
				by = append(by, other)
			}
		}
		row.Does = strings.Join(does, " ")
		if len(does) == 0 && len(by) > 0 {
			row.Outcome = RuleOverridden
		}
		if w.answered == "" || always {
			row.By = strings.Join(by, ", ")
		}
		w.add(row, always)
	}
	return all
}

// first adds the rules of a kind of which the first that applies ends the way,
// and returns it; nil if there is none, or the request does not come so far.
func (w *walk) first(kind string, does func(KindRule) string) *KindRule {
	found := w.matching(kind)
	for i, r := range found {
		row := SimulatedRule{Kind: kind, ID: r.ID, Name: r.Name, Rule: r.Rule, Outcome: RuleApplies, Does: does(r)}
		if i > 0 && w.answered == "" {
			row.Outcome, row.By = RuleShadowed, called(kind, found[0].ID)
		}
		w.add(row, false)
	}
	if len(found) == 0 || w.answered != "" {
		return nil
	}
	return &found[0]
}

func (w *walk) https() {
	s := w.merge("https", false)
	if w.url.Scheme == "http" && s["https_force"] == "on" {
		w.out.Location = "https://" + w.url.Host + w.url.RequestURI()
		w.answer("https", w.last("https"), numberOr(s["https_force_code"], http.StatusMovedPermanently), "redirects to %s", w.out.Location)
	}
}

// last names the configuration of a kind that has the last word.
func (w *walk) last(kind string) string {
	for _, r := range slices.Backward(w.out.Rules) {
		if r.Kind == kind && r.Outcome == RuleApplies {
			return called(kind, r.ID)
		}
	}
	return kind
}

func numberOr(text string, otherwise int) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		return otherwise
	}
	return n
}

func (w *walk) redirect() {
	target := func(r KindRule) string {
		to, err := value(r.Settings["type"], r.Settings["target_url"], w.r)
		if err != nil {
			return "target_url gives no address: " + err.Error()
		}
		if query := w.url.RawQuery; query != "" && r.Settings["reserve_query_string"] == "on" {
			join := "?"
			if strings.Contains(to, "?") {
				join = "&"
			}
			to += join + query
		}
		return to
	}
	c := w.first("redirect", func(r KindRule) string { return "to " + target(r) })
	if c == nil {
		return
	}
	w.out.Location = target(*c)
	w.answer("redirect", called("redirect", c.ID), numberOr(c.Settings["status_code"], http.StatusFound), "redirects to %s", w.out.Location)
}

func (w *walk) customResponse() {
	c := w.first("custom_response", func(r KindRule) string { return "answers " + r.Settings["return_code"] })
	if c != nil {
		status := numberOr(c.Settings["return_code"], http.StatusOK)
		w.answer("custom_response", called("custom_response", c.ID), status, "the edge answers %d itself", status)
	}
}

func (w *walk) rewrite() {
	s := w.merge("rewrite", false)
	if w.answered != "" {
		return
	}
	if kind := s["rewrite_uri_type"]; kind != "" {
		if text, err := value(kind, s["uri"], w.r); err == nil && strings.HasPrefix(text, "/") {
			path, query, found := strings.Cut(text, "?")
			if decoded, err := url.PathUnescape(path); err == nil {
				w.to.Path, w.to.RawPath = decoded, ""
			}
			if found {
				w.to.RawQuery = query
			}
		}
	}
	if kind := s["rewrite_query_string_type"]; kind != "" {
		if text, err := value(kind, s["query_string"], w.r); err == nil {
			w.to.RawQuery = strings.TrimPrefix(text, "?")
		}
	}
}

// headers adds the rules of a kind that changes headers. Each applies, but a
// later change of the same header undoes an earlier one, unless it adds.
func (w *walk) headers(kind string, always bool) {
	found := w.matching(kind)
	for i, r := range found {
		row := SimulatedRule{Kind: kind, ID: r.ID, Name: r.Name, Rule: r.Rule, Outcome: RuleApplies}
		var does []string
		by := ""
		for _, h := range r.Headers {
			if j := undoing(found[i+1:], h.Name); j >= 0 {
				by = called(kind, found[i+1+j].ID)
				continue
			}
			text, err := h.value(w.r)
			if err != nil {
				text = "nothing: " + err.Error()
			}
			does = append(does, strings.TrimSpace(h.Action+" "+h.Name+" "+text))
		}
		row.Does = short(strings.Join(does, "; "))
		if w.answered == "" || always {
			row.By = by
			if len(does) == 0 && by != "" {
				row.Outcome = RuleOverridden
			}
		}
		w.add(row, always)
	}
}

// value is what a header gets: empty if it is removed.
func (h HeaderChange) value(r *rule.Request) (string, error) {
	if h.Dynamic {
		return rule.EvalValue(h.Value, r)
	}
	return h.Value, nil
}

// undoing finds the rule that replaces or removes a header.
func undoing(rules []KindRule, header string) int {
	return slices.IndexFunc(rules, func(r KindRule) bool {
		return slices.ContainsFunc(r.Headers, func(h HeaderChange) bool {
			return strings.EqualFold(h.Name, header) && h.Action != "add"
		})
	})
}
