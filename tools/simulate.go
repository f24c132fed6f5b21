package tools

import (
	"context"
	"slices"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/rule"
)

// SimulateRequestInput are the arguments of simulate_request.
type SimulateRequestInput struct {
	URL      string            `json:"url" jsonschema_description:"Whole URL"`
	Method   string            `json:"method,omitempty" jsonschema:"default=GET" jsonschema_description:"HTTP method"`
	Headers  map[string]string `json:"headers,omitempty" jsonschema_description:"Headers"`
	ClientIP string            `json:"client_ip,omitempty" jsonschema_description:"Client IP"`
	Country  string            `json:"country,omitempty" jsonschema_description:"Country"`
	Fields   map[string]string `json:"fields,omitempty" jsonschema_description:"Other fields by name, as ip.geoip.continent"`
}

// What can be said of a configuration whose condition a request fulfils.
const (
	// RuleApplies has its say.
	RuleApplies = "applies"
	// RuleOverridden has all its settings said otherwise by later ones.
	RuleOverridden = "overridden"
	// RuleShadowed comes after one of its kind that ends the matter.
	RuleShadowed = "shadowed"
	// RuleNotReached is for a step that the request does not come to.
	RuleNotReached = "not_reached"
	// RuleDepends applies or not by what came before: a rate limit.
	RuleDepends = "depends"
)

// SimulatedRule is a configuration whose condition the request fulfils.
type SimulatedRule struct {
	Kind    string `json:"kind" jsonschema_description:"waf, route, cache, origin, load_balancer, or a kind of set_rule"`
	ID      ID     `json:"id"`
	Name    string `json:"name,omitempty"`
	Rule    string `json:"rule,omitempty" jsonschema_description:"Condition; none: the site's default"`
	Outcome string `json:"outcome" jsonschema:"enum=applies,enum=overridden,enum=shadowed,enum=not_reached,enum=depends" jsonschema_description:"overridden: later ones say otherwise; shadowed: an earlier one of its kind ends the matter; not_reached: an earlier step answers"`
	By      string `json:"by,omitempty" jsonschema_description:"What wins instead"`
	Does    string `json:"does,omitempty" jsonschema_description:"What it changes, without what others override"`
}

// MissedRule is a configuration whose condition the request does not fulfil.
type MissedRule struct {
	Kind string `json:"kind"`
	ID   ID     `json:"id"`
	Name string `json:"name,omitempty"`
	Why  string `json:"why"`
}

// SimulatedOrigin is where the edge would fetch from.
type SimulatedOrigin struct {
	URL     string `json:"url" jsonschema_description:"Scheme, address, port and path"`
	Host    string `json:"host" jsonschema_description:"Host header"`
	SNI     string `json:"sni,omitempty"`
	Record  string `json:"record,omitempty" jsonschema_description:"Record with the address"`
	Problem string `json:"problem,omitempty"`
}

// SimulateRequestOutput is the result of simulate_request.
type SimulateRequestOutput struct {
	Noted
	SiteID   ID               `json:"site_id"`
	SiteName string           `json:"site_name"`
	Verdict  string           `json:"verdict" jsonschema_description:"What the edge does"`
	Answers  string           `json:"answered_by" jsonschema_description:"Step that answers: site (an error), https, waf, redirect, custom_response, waiting_room, route, origin"`
	Status   int              `json:"status,omitempty" jsonschema_description:"If the edge itself answers"`
	Location string           `json:"location,omitempty"`
	Record   *RecordBrief     `json:"record,omitempty"`
	Cache    string           `json:"cache,omitempty" jsonschema_description:"BYPASS, DYNAMIC, or MISS (HIT when kept), and why"`
	Origin   *SimulatedOrigin `json:"origin,omitempty" jsonschema_description:"Asked on a MISS"`
	Rules    []SimulatedRule  `json:"rules" jsonschema_description:"Those that match, in the order of evaluation"`
	Missed   []MissedRule     `json:"missed,omitempty" jsonschema_description:"Those that do not, and why"`
}

// RecordBrief is the record that leads a host to the edge.
type RecordBrief struct {
	ID      ID     `json:"id"`
	Name    string `json:"name"`
	Type    string `json:"type"`
	Value   string `json:"value"`
	Proxied bool   `json:"proxied"`
}

func simulateRequestTool() Tool {
	return Define(Meta{
		Name: "simulate_request", Title: "Simulate a request", Toolset: "rules",
		Description: "Which record, route and rules of a site a request meets, in order; which wins, which is shadowed, what the edge does. Sends nothing to the edge.",
		Calls:       hostCalls(),
		ReadOnly:    Yes, Destructive: No, Idempotent: Yes, OpenWorld: Yes, Versioned: true,
	}, simulateRequest)
}

func simulateRequest(ctx context.Context, d *Deps, in SimulateRequestInput) (SimulateRequestOutput, error) {
	sample := SampleRequest{URL: in.URL, Method: strings.ToUpper(in.Method), Headers: in.Headers, ClientIP: in.ClientIP,
		Country: strings.ToUpper(in.Country), Fields: in.Fields}
	r, err := sample.request()
	if err != nil {
		return SimulateRequestOutput{}, err
	}
	address, err := sample.address()
	if err != nil || address.Scheme != "http" && address.Scheme != "https" {
		return SimulateRequestOutput{}, Refuse("url is %q: it has to begin with http:// or https://.", in.URL)
	}
	var notes Noted
	s, err := readHost(ctx, d, &notes, address.Hostname())
	if err != nil {
		return SimulateRequestOutput{}, err
	}
	w := newWalk(s, r, address)
	w.run()
	w.out.Note(notes.Notes...)
	if len(w.out.Missed) > maxMissed {
		w.out.Missed = slices.Clip(w.out.Missed[:maxMissed])
	}
	return w.out, nil
}

// maxMissed is how many rules are shown that do not match.
const maxMissed = 20

// brief is what results of other tools show of a record.
func (r *Record) brief() *RecordBrief {
	if r == nil {
		return nil
	}
	return &RecordBrief{ID: r.ID, Name: r.Name, Type: r.Type, Value: r.Data.Value, Proxied: r.Proxied}
}

// value is what a rule sets: a text, or what its expression gives for a request.
func value(kind, text string, r *rule.Request) (string, error) {
	if kind != "dynamic" {
		return text, nil
	}
	return rule.EvalValue(text, r)
}
