package tools

import (
	"context"
	"fmt"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/esa"
	"github.com/esa-mcp/esa-mcp/internal/rule"
)

// BuildRuleInput are the arguments of build_rule.
type BuildRuleInput struct {
	Patterns   []string          `json:"patterns,omitempty" jsonschema_description:"example.com, *.example.com/api/*, host/path?query"`
	Hosts      []string          `json:"hosts,omitempty" jsonschema_description:"*.a.com: below a.com; *a.com: it too"`
	Paths      []string          `json:"paths,omitempty" jsonschema_description:"/x, /api/*, *.jpg"`
	Extensions []string          `json:"extensions,omitempty" jsonschema_description:"Of files"`
	Countries  []string          `json:"countries,omitempty" jsonschema_description:"CN, US ..."`
	Continents []string          `json:"continents,omitempty" jsonschema_description:"AS, EU ..."`
	Methods    []string          `json:"methods,omitempty" jsonschema_description:"GET, POST ..."`
	IPs        []string          `json:"ips,omitempty" jsonschema_description:"Addresses, networks, $list"`
	ASNs       []int64           `json:"asns,omitempty" jsonschema_description:"AS numbers"`
	Headers    map[string]string `json:"headers,omitempty" jsonschema_description:"Value by name; * if it is there; x*, *x, *x*"`
	Cookies    map[string]string `json:"cookies,omitempty" jsonschema_description:"As headers"`
	Args       map[string]string `json:"args,omitempty" jsonschema_description:"Of the query string"`
	HTTPS      *bool             `json:"https,omitempty" jsonschema_description:"Over TLS or not"`
	Any        bool              `json:"any,omitempty" jsonschema_description:"One of the arguments must hold, not all"`
}

// BuildRuleOutput is the result of build_rule.
type BuildRuleOutput struct {
	Noted
	Expression string `json:"expression"`
	Reading    string `json:"reading" jsonschema_description:"What it matches"`
}

// conditions are the arguments in two parts: what must hold, and what must not.
func (in BuildRuleInput) conditions() (hold, not rule.Conditions) {
	split := func(values []string, yes, no *[]string) {
		for _, v := range values {
			if rest, negated := strings.CutPrefix(v, "!"); negated {
				*no = append(*no, rest)
			} else {
				*yes = append(*yes, v)
			}
		}
	}
	split(in.Patterns, &hold.Patterns, &not.Patterns)
	split(in.Hosts, &hold.Hosts, &not.Hosts)
	split(in.Paths, &hold.Paths, &not.Paths)
	split(in.Extensions, &hold.Extensions, &not.Extensions)
	split(in.Countries, &hold.Countries, &not.Countries)
	split(in.Continents, &hold.Continents, &not.Continents)
	split(in.Methods, &hold.Methods, &not.Methods)
	split(in.IPs, &hold.IPs, &not.IPs)
	splitMap := func(values map[string]string) (yes, no map[string]string) {
		yes, no = map[string]string{}, map[string]string{}
		for name, v := range values {
			if rest, negated := strings.CutPrefix(v, "!"); negated {
				no[name] = rest
			} else {
				yes[name] = v
			}
		}
		return yes, no
	}
	hold.Headers, not.Headers = splitMap(in.Headers)
	hold.Cookies, not.Cookies = splitMap(in.Cookies)
	hold.Args, not.Args = splitMap(in.Args)
	hold.ASNs, hold.TLS = in.ASNs, in.HTTPS
	return hold, not
}

func buildRule(_ context.Context, _ *Deps, in BuildRuleInput) (BuildRuleOutput, error) {
	var out BuildRuleOutput
	c, not := in.conditions()
	if in.Any {
		alternatives := c.Each()
		for _, n := range not.Each() {
			alternatives = append(alternatives, rule.Conditions{None: []rule.Conditions{n}})
		}
		c = rule.Conditions{Any: alternatives}
	} else {
		c.None = not.Each()
	}
	text, err := rule.Build(c)
	if err != nil {
		return out, Refuse("%v.", err)
	}
	e, err := rule.Parse(text)
	if err != nil {
		return out, fmt.Errorf("read the expression that was made: %w", err)
	}
	out.Expression, out.Reading = text, rule.Describe(e)
	for _, pattern := range in.Patterns {
		pattern = strings.TrimPrefix(pattern, "!")
		_, notes, err := rule.FromPattern(pattern)
		if err != nil {
			return out, Refuse("patterns: %v.", err)
		}
		for _, text := range notes {
			out.Note(esa.Note{ID: "rule-pattern", Text: pattern + ": " + text})
		}
	}
	if text == "true" {
		out.Note(esa.Note{ID: "rule-all", Text: "No condition is left: true matches every request."})
	}
	return out, nil
}
