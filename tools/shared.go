package tools

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/invopop/jsonschema"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// sharedValues holds the arguments that tools share. Define adds them to a tool's own;
// no tool has an argument of its own of these names.
//
// To add one: a field here, a row in sharedArguments, and what it does in apply
// or in Tool.call.
type sharedValues struct {
	// Raw asks for the API's own answers beside the projected result.
	Raw bool `json:"raw"`
	// SiteVersion is the version of the site's configuration to work on; nil
	// leaves it to the service.
	SiteVersion *int `json:"site_version"`
	// DryRun asks what would be sent, and sends nothing that writes.
	DryRun bool `json:"dry_run"`
	// Confirm is the token of a preview that the person has agreed to.
	Confirm string `json:"confirm"`
}

// sharedArgument describes one of them.
type sharedArgument struct {
	name string
	// fits says which tools take it.
	fits func(Meta) bool
	// schema is the argument as it is checked. Clients see it without its
	// description: the server's instructions explain it once for all tools.
	schema jsonschema.Schema
	// results are the fields that it adds to the result.
	results func(*jsonschema.Schema)
}

func sharedArguments() []sharedArgument {
	return []sharedArgument{{
		name:    "raw",
		fits:    func(m Meta) bool { return len(m.Calls) > 0 }, // read_api and write_api show the whole answer anyway
		schema:  jsonschema.Schema{Type: "boolean", Description: "Add the API's own answers, without secrets"},
		results: describeRaw,
	}, {
		name:   "site_version",
		fits:   func(m Meta) bool { return m.Versioned },
		schema: jsonschema.Schema{Type: "integer", Minimum: "0", Description: "Version of the configuration, of a site with version_management"},
	}, {
		name:    "dry_run",
		fits:    writes,
		schema:  jsonschema.Schema{Type: "boolean", Description: "Show the calls that would be sent, send none that writes"},
		results: describePlan,
	}, {
		name:    "confirm",
		fits:    asks,
		schema:  jsonschema.Schema{Type: "string", Description: "From a preview, once the person has agreed"},
		results: describePreview,
	}}
}

// plainArguments need no description either: their names say all, and models
// pay for words.
func plainArguments() []string { return []string{"site_id", "site_name", "page", "page_size"} }

// addArguments adds what the tool takes in common to the schema of its input.
func (m Meta) addArguments(s *jsonschema.Schema) {
	for _, a := range sharedArguments() {
		if a.fits(m) {
			s.Properties.Set(a.name, &a.schema)
		}
	}
}

// addResults adds what they bring to the schema of its output.
func (m Meta) addResults(s *jsonschema.Schema) {
	for _, a := range sharedArguments() {
		if a.fits(m) && a.results != nil {
			a.results(s)
		}
	}
}

// readShared takes the shared arguments out of checked ones.
func readShared(args json.RawMessage) (sharedValues, error) {
	var c sharedValues
	if err := json.Unmarshal(args, &c); err != nil {
		return c, fmt.Errorf("read arguments: %w", err)
	}
	return c, nil
}

// apply makes of d what the tool works with. answers is where the answers of the
// API are kept, or nil.
func (c sharedValues) apply(d *Deps) (own *Deps, answers *recorder) {
	if !c.Raw && c.SiteVersion == nil {
		return d, nil
	}
	with := *d
	if c.SiteVersion != nil {
		with.ESA, with.SiteVersion = versioned{with.ESA, *c.SiteVersion}, c.SiteVersion
	}
	if c.Raw {
		answers = &recorder{next: with.ESA}
		with.ESA = answers
	}
	return &with, answers
}

// versioned is a Caller that works on one version of a site's configuration: each
// operation that takes a version gets it.
type versioned struct {
	next    esa.Caller
	version int
}

// Call sends the operation on.
func (v versioned) Call(ctx context.Context, action string, params esa.Params) (esa.Result, error) {
	if takesSiteVersion(action) {
		params = maps.Clone(params)
		if params == nil {
			params = esa.Params{}
		}
		if _, given := params[siteVersion]; !given {
			params[siteVersion] = v.version
		}
	}
	return v.next.Call(ctx, action, params)
}

const siteVersion = "SiteVersion"

func takesSiteVersion(action string) bool {
	op, ok := catalog.Lookup(action)
	return ok && slices.ContainsFunc(op.Params, func(p catalog.Param) bool { return p.Name == siteVersion })
}
