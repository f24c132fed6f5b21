package tools

import (
	"context"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/rule"
)

// SampleRequest is a request to try an expression with.
type SampleRequest struct {
	URL      string            `json:"url" jsonschema_description:"Whole URL"`
	Method   string            `json:"method,omitempty" jsonschema:"default=GET" jsonschema_description:"HTTP method"`
	Headers  map[string]string `json:"headers,omitempty" jsonschema_description:"Cookie and User-Agent too"`
	Form     map[string]string `json:"form,omitempty" jsonschema_description:"Posted form"`
	ClientIP string            `json:"client_ip,omitempty" jsonschema_description:"Client address"`
	Country  string            `json:"country,omitempty" jsonschema_description:"Such as CN"`
	ASN      int64             `json:"asn,omitempty" jsonschema_description:"AS number"`
	Time     string            `json:"time,omitempty" jsonschema:"format=date-time" jsonschema_description:"Now if left out"`
	Fields   map[string]string `json:"fields,omitempty" jsonschema_description:"Other fields by name, as ip.geoip.continent"`
}

// TestRuleInput are the arguments of test_rule.
type TestRuleInput struct {
	Expression string              `json:"expression" jsonschema_description:"To evaluate"`
	Requests   []SampleRequest     `json:"requests" jsonschema:"minItems=1,maxItems=20" jsonschema_description:"To evaluate it for"`
	Lists      map[string][]string `json:"lists,omitempty" jsonschema_description:"Items of $lists, by name"`
}

// TriedTerm is one condition of an expression for one request.
type TriedTerm struct {
	Term    string `json:"term"`
	Value   string `json:"value" jsonschema_description:"What the request has"`
	Holds   bool   `json:"holds"`
	Decides bool   `json:"decides,omitempty" jsonschema_description:"The result follows from it"`
	Note    string `json:"note,omitempty"`
}

// TriedRequest is the outcome for one request.
type TriedRequest struct {
	URL     string      `json:"url"`
	Matches bool        `json:"matches"`
	Terms   []TriedTerm `json:"terms,omitempty"`
}

// TestRuleOutput is the result of test_rule.
type TestRuleOutput struct {
	Reading string         `json:"reading" jsonschema_description:"What it matches"`
	Results []TriedRequest `json:"results"`
}

func testRule(_ context.Context, _ *Deps, in TestRuleInput) (TestRuleOutput, error) {
	e, err := rule.Parse(in.Expression)
	if err != nil {
		if fixed, _, ok := rule.Fix(in.Expression, rule.Options{}); ok {
			return TestRuleOutput{}, Refuse("expression is not valid: %v. Try the corrected one: %s", err, fixed)
		}
		return TestRuleOutput{}, Refuse("expression is not valid: %v. check_rule lists all mistakes.", err)
	}
	out := TestRuleOutput{Reading: rule.Describe(e), Results: []TriedRequest{}}
	for i, sample := range in.Requests {
		r, err := sample.request()
		if err != nil {
			return out, Refuse("requests[%d].%v", i, err)
		}
		r.Lists = in.Lists
		// A condition that could not be decided says so in its note.
		is, trace, _ := e.Eval(r)
		row := TriedRequest{URL: sample.URL, Matches: is}
		for _, t := range trace.Terms {
			row.Terms = append(row.Terms, TriedTerm{Term: t.Term, Value: short(t.Value), Holds: t.Outcome, Decides: t.Decisive, Note: t.Note})
		}
		out.Results = append(out.Results, row)
	}
	return out, nil
}

// short cuts a long value: it is there to be recognised.
func short(s string) string {
	const most = 200
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most]) + "..."
	}
	return s
}

// address is the URL.
func (s SampleRequest) address() (*url.URL, error) {
	u, err := url.Parse(s.URL)
	if err != nil || u.Host == "" {
		return nil, Refuse("url is %q: give a whole one such as https://www.example.com/path?a=b.", s.URL)
	}
	return u, nil
}

// request makes the request that the language evaluates. Errors begin with the
// argument that is wrong.
func (s SampleRequest) request() (*rule.Request, error) {
	r := &rule.Request{Method: s.Method, URL: s.URL, Header: http.Header{}, Form: url.Values{}, Country: s.Country, ASN: s.ASN,
		Attributes: s.Fields}
	if _, err := s.address(); err != nil {
		return nil, err
	}
	for name, value := range s.Headers {
		r.Header.Add(name, value)
	}
	for name, value := range s.Form {
		r.Form.Set(name, value)
	}
	var err error
	if s.ClientIP != "" {
		if r.ClientIP, err = netip.ParseAddr(s.ClientIP); err != nil {
			return nil, Refuse("client_ip is %q: give an IP address.", s.ClientIP)
		}
	}
	if s.Time != "" {
		if r.Time, err = time.Parse(time.RFC3339, s.Time); err != nil {
			return nil, Refuse("time is %q: give it as 2026-01-02T15:04:05Z.", s.Time)
		}
	}
	return r, nil
}
