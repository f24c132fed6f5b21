package guard

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// Policy is what the person who runs the server lets it do. Its zero value lets
// it do everything; a nil one too.
type Policy struct {
	// Tools are by name, Actions are operations, Sites are by domain. A * in a
	// pattern stands for any characters.
	Tools   Rules `toml:"tools"`
	Actions Rules `toml:"actions"`
	Sites   Rules `toml:"sites"`
}

// Rules say which names are allowed: those of Allow, or all if it is not given,
// without those of Deny.
type Rules struct {
	Allow []string `toml:"allow"`
	Deny  []string `toml:"deny"`
}

// LoadPolicy reads a policy from a TOML file. Its errors name line and key. A
// pattern that fits no tool or operation is an error: a slip must not let through
// what was to be denied.
func LoadPolicy(file string, tools []string) (*Policy, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	p, err := ParsePolicy(raw, tools)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return p, nil
}

// ParsePolicy reads a policy from the text of a TOML file.
func ParsePolicy(raw []byte, tools []string) (*Policy, error) {
	var p Policy
	d := toml.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		return nil, whereWrong(err)
	}
	for _, part := range []struct {
		key   string
		rules Rules
		known []string
	}{{"tools", p.Tools, tools}, {"actions", p.Actions, catalog.Actions()}, {"sites", p.Sites, nil}} {
		for key, patterns := range map[string][]string{"allow": part.rules.Allow, "deny": part.rules.Deny} {
			for _, pattern := range patterns {
				if why := badPattern(pattern, part.known); why != "" {
					return nil, fmt.Errorf("line %d, %s.%s: %q %s", lineOf(raw, pattern), part.key, key, pattern, why)
				}
			}
		}
	}
	return &p, nil
}

// whereWrong names line and key of what the TOML reader does not take.
func whereWrong(err error) error {
	var (
		unknown *toml.StrictMissingError
		wrong   *toml.DecodeError
	)
	switch {
	case errors.As(err, &unknown) && len(unknown.Errors) > 0:
		first := unknown.Errors[0]
		line, _ := first.Position()
		return fmt.Errorf("line %d: there is no key %s: there are tools, actions and sites, each with allow and deny", line, strings.Join(first.Key(), "."))
	case errors.As(err, &wrong):
		line, _ := wrong.Position()
		key := strings.Join(wrong.Key(), ".")
		if key != "" {
			key = ", " + key
		}
		return fmt.Errorf("line %d%s: %s", line, key, strings.TrimPrefix(wrong.Error(), "toml: "))
	}
	return err
}

func badPattern(pattern string, known []string) string {
	if _, err := path.Match(pattern, ""); err != nil || pattern == "" {
		return "is no pattern: a name, in which * stands for any characters"
	}
	if known != nil && !slices.ContainsFunc(known, func(name string) bool { return fits(pattern, name) }) {
		return "fits nothing there is: did you mean " + catalog.Nearest(pattern, known) + "?"
	}
	return ""
}

// lineOf is the line on which a text stands in quotes.
func lineOf(raw []byte, text string) int {
	for _, quote := range []string{`"`, "'"} {
		if at := bytes.Index(raw, []byte(quote+text+quote)); at >= 0 {
			return 1 + bytes.Count(raw[:at], []byte("\n"))
		}
	}
	return 1
}

func fits(pattern, name string) bool {
	ok, err := path.Match(strings.ToLower(pattern), strings.ToLower(name))
	return err == nil && ok
}

// lets reports whether a name is allowed.
func (r Rules) lets(name string) bool {
	in := func(list []string) bool {
		return slices.ContainsFunc(list, func(p string) bool { return fits(p, name) })
	}
	return (r.Allow == nil || in(r.Allow)) && !in(r.Deny)
}

func (r Rules) given() bool { return r.Allow != nil || r.Deny != nil }

// Offers reports whether a tool is to be offered.
func (p *Policy) Offers(tool string) bool { return p == nil || p.Tools.lets(tool) }

// allowed refuses a call that the policy does not let through. Where the site
// cannot be found out, a policy about sites lets nothing through.
func (g *Guard) allowed(ctx context.Context, op *catalog.Operation, params esa.Params) error {
	p := g.cfg.Policy
	if p == nil {
		return nil
	}
	refuse := func(format string, a ...any) error {
		return &Refusal{ID: "policy", Action: op.Action, Reason: fmt.Sprintf(format, a...) + " The person who runs this server decided so, in its configuration file."}
	}
	if !p.Actions.lets(op.Action) {
		return refuse("the operation is not allowed here.")
	}
	if !p.Sites.given() {
		return nil
	}
	name, err := g.siteOf(ctx, op, canonical(op, params))
	switch {
	case esa.IsNotFound(err): // the service will say so
		return nil
	case err != nil:
		return refuse("it could not be found out which site it is about (%s), and not all sites are allowed here.", reason(err))
	case name != "" && !p.Sites.lets(name):
		return refuse("the site %s is not allowed here.", name)
	}
	return nil
}

// siteOf is the domain of the site that a call is about; empty if it is about
// none.
func (g *Guard) siteOf(ctx context.Context, op *catalog.Operation, params esa.Params) (string, error) {
	s := &State{g.state}
	if op.Action == "CreateSite" {
		return hostName(scalar(params["SiteName"])), nil
	}
	id := scalar(params["SiteId"])
	if record := scalar(params["RecordId"]); id == "" && record != "" {
		answer, err := Read[struct{ RecordModel Record }](ctx, s, "GetRecord", esa.Params{"RecordId": json.Number(record)})
		if err != nil {
			return "", err
		}
		id = string(answer.RecordModel.SiteID)
	}
	if id == "" {
		return "", nil
	}
	site, err := s.Site(ctx, id)
	return hostName(site.Name), err
}
