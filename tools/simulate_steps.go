package tools

import (
	"cmp"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
)

// security goes through the security rules by phase.
func (w *walk) security() {
	var pass []securityRule
	for _, p := range w.s.security {
		ended := "" // by a rule that lets the request past the rest of its phase
		for _, r := range p.rules {
			if !w.matches("waf", r.ID, r.Name, r.Expression, true) {
				continue
			}
			row := SimulatedRule{Kind: "waf", ID: r.ID, Name: r.Name, Rule: r.Expression, Outcome: RuleApplies,
				Does: strings.TrimSpace(p.phase + " " + r.Action)}
			let := slices.IndexFunc(pass, func(one securityRule) bool { return one.passes(p.phase, r.ID) })
			switch {
			case p.phase == "http_whitelist":
				pass = append(pass, r)
			case let >= 0:
				row.Outcome, row.By = RuleShadowed, called("waf", pass[let].ID)
			case ended != "":
				row.Outcome, row.By = RuleShadowed, ended
			case judges(p.phase, r):
				row.Outcome = RuleDepends
				w.judged = true
			}
			w.add(row, false)
			if row.Outcome == RuleApplies && p.phase != "http_whitelist" {
				ended = w.act(r)
			}
		}
	}
}

// act carries out the action of a security rule; it returns what ends the phase.
func (w *walk) act(r securityRule) string {
	name := called("waf", r.ID)
	switch r.Action {
	case "monitor", "observe", "log":
		return ""
	case "allow", "bypass", "skip":
		return name
	case "js", "captcha", "slider", "strict_slider", "strict_captcha":
		w.answer("waf", name, http.StatusForbidden, "the security rule %s checks the visitor's browser (%s)", r.ID, r.Action)
		return name
	}
	w.answer("waf", name, cmp.Or(r.status, http.StatusForbidden), "the security rule %s refuses the request", r.ID)
	return name
}

// route finds the routine: the first route that applies counts, whatever it
// says, then a related record.
func (w *walk) route() {
	first, bypass := "", false
	for _, r := range w.s.routes {
		if !w.matches("route", r.ID, r.Name, r.Rule, r.Enabled) {
			continue
		}
		row := SimulatedRule{Kind: "route", ID: r.ID, Name: r.Name, Rule: r.Rule, Outcome: RuleApplies, Does: "runs " + r.Routine}
		if r.Bypass {
			row.Does = "bypass: no routine runs"
		}
		if first != "" {
			row.Outcome, row.By = RuleShadowed, first
			w.out.Rules = append(w.out.Rules, row)
			continue
		}
		w.add(row, false)
		first, bypass = called("route", r.ID), r.Bypass
		if !r.Bypass {
			w.room()
			text := w.held()
			if r.Fallback {
				text += "; if it fails, the origin answers (cache and origin rules apply then)"
			}
			w.answer("route", first, 0, "the routine %s answers%s", r.Routine, text)
		}
	}
	if w.s.related && !bypass {
		w.room()
		w.answer("route", "related record", 0, "the routine of the related record %s answers%s", w.s.host, w.held())
	}
}

// cache says whether the request looks into the cache, and how long answers are
// kept.
func (w *walk) cache() {
	s := w.merge(kindCache, false)
	if w.answered != "" {
		return
	}
	ruled := slices.ContainsFunc(w.out.Rules, func(r SimulatedRule) bool { return r.Kind == kindCache && r.Rule != "" })
	method := cmp.Or(w.r.Method, http.MethodGet)
	mode := cmp.Or(s["edge_cache_mode"], "follow_origin")
	switch {
	case w.s.devMode:
		w.out.Cache = "BYPASS: the site is in development mode"
	case s["bypass_cache"] == "bypass_all":
		w.out.Cache = "BYPASS: bypass_cache=bypass_all"
	case mode == "no_cache":
		w.out.Cache = "BYPASS: edge_cache_mode=no_cache"
	case method != http.MethodGet && method != http.MethodHead && (method != http.MethodPost || s["post_cache"] != "on"):
		w.out.Cache = "DYNAMIC: " + method + " is not cached"
	case !catalog.CachesPort(w.url.Host, s["additional_cacheable_ports"]):
		w.out.Cache = "DYNAMIC: port " + w.url.Port() + " is not in additional_cacheable_ports"
	case !ruled && s["bypass_cache"] != "cache_all" && !catalog.CachedByDefault(w.url.Path):
		w.out.Cache = "DYNAMIC: no cache rule, and the extension is none that is cached without one"
	default:
		w.out.Cache = "MISS, then HIT: " + kept(mode, s["edge_cache_ttl"])
	}
	w.room()
}

// kept says for how long the edge keeps an answer.
func kept(mode, ttl string) string {
	switch mode {
	case "override_origin":
		return "kept " + ttl + " s"
	case "follow_origin_override":
		return "kept as the origin says, else " + ttl + " s"
	case "follow_origin_bypass":
		return "kept as the origin says, else not"
	}
	return "kept as the origin says, else by the service's default"
}

// origin works out where the edge fetches from.
func (w *walk) origin() {
	s := w.merge(kindOrigin, false)
	if w.answered != "" {
		return
	}
	ruled := slices.ContainsFunc(w.out.Rules, func(r SimulatedRule) bool { return r.Kind == kindOrigin })
	scheme := s["origin_scheme"]
	switch {
	case scheme == "http" || scheme == "https":
	case scheme == "" && ruled:
		scheme = "https"
	default:
		scheme = w.url.Scheme
	}
	o := &SimulatedOrigin{Host: w.s.host}
	w.out.Origin = o
	address := ""
	record := w.s.record
	name := siteName(s["dns_record"])
	if name != "" {
		record = w.s.originRecords[name]
	}
	switch {
	case record != nil:
		address, o.Record = record.Data.Value, record.Name
		if record.HostPolicy == "follow_origin_domain" || record.HostPolicy == "" && (record.SourceType == "OSS" || record.SourceType == "S3") {
			o.Host = siteName(address)
		}
		s = withPorts(s, record)
	case name != "":
		address, o.Problem = name, "502 destination_not_found: dns_record "+name+" is no record of the site"
	default: // a related record alone, and a route that lets the request past
		o.Problem = "502 destination_not_found: the host has no record with an origin"
	}
	standard := map[string]string{"http": "80", "https": "443"}[scheme]
	port := cmp.Or(s["origin_"+scheme+"_port"], standard)
	first, _, _ := strings.Cut(address, ",")
	first = strings.TrimSpace(first)
	o.Host = cmp.Or(s["origin_host"], o.Host)
	of := "" // a load balancer or a pool
	if record != nil {
		b := w.balance(record)
		switch {
		case b == nil:
		case b.status != 0:
			w.out.Origin = nil
			w.answer("origin", b.text, b.status, "the %s answers %d itself", b.text, b.status)
			return
		default:
			chosen, own, count := w.choose(b)
			first, port, o.Host, of = chosen.Address, cmp.Or(own, port), cmp.Or(chosen.host(), o.Host), ", an origin of the "+b.text
			switch {
			case count == 0:
				o.Problem = "502 destination_not_found: the " + b.text + " has no origin that is enabled and has a weight"
			case count > 1:
				of = fmt.Sprintf(", or another of %d origins of the %s", count, b.text)
			}
		}
	}
	if port != standard {
		first = net.JoinHostPort(first, port)
	}
	if scheme == "https" {
		o.SNI = cmp.Or(s["origin_sni"], o.Host)
	}
	o.URL = scheme + "://" + first + w.to.RequestURI()
	text := "the origin answers, unless the cache does"
	if strings.HasPrefix(w.out.Cache, "BYPASS") || strings.HasPrefix(w.out.Cache, "DYNAMIC") {
		text = "the origin answers"
	}
	if o.Problem != "" {
		w.answer("origin", "502", http.StatusBadGateway, "%s", o.Problem)
		return
	}
	// Not answer: the steps that follow are still to come.
	w.out.Answers, w.out.Verdict = "origin", text+": "+o.URL+of+w.held()
}

// withPorts are the settings with the record's own ports where none are set.
func withPorts(s map[string]string, r *Record) map[string]string {
	for name, list := range map[string]string{"origin_http_port": r.HTTPPorts, "origin_https_port": r.HTTPSPorts} {
		first, _, _ := strings.Cut(list, ",")
		if n, err := strconv.Atoi(strings.TrimSpace(first)); err == nil && s[name] == "" {
			s[name] = strconv.Itoa(n)
		}
	}
	return s
}
