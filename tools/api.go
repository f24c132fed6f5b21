package tools

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
)

// SearchAPIInput are the arguments of search_api.
type SearchAPIInput struct {
	Query string `json:"query" jsonschema:"minLength=1,maxLength=200" jsonschema_description:"Words of the operation, its area or parameters, such as: purge cache"`
	Limit int    `json:"limit,omitempty" jsonschema:"minimum=1,maximum=50,default=8" jsonschema_description:"Most matches to return"`
}

// APIMatch is one operation that search_api found.
type APIMatch struct {
	Action string   `json:"action"`
	Area   string   `json:"area"`
	Effect string   `json:"effect" jsonschema_description:"read, write or delete"`
	Params string   `json:"params,omitempty" jsonschema_description:"Parameters; * marks required ones"`
	Tools  []string `json:"tools,omitempty" jsonschema_description:"Named tools that do this"`
}

// SearchAPIOutput is the result of search_api.
type SearchAPIOutput struct {
	Matches []APIMatch `json:"matches"`
	Areas   []string   `json:"areas,omitempty" jsonschema_description:"All areas, when nothing was found"`
}

// DescribeAPIInput are the arguments of describe_api.
type DescribeAPIInput struct {
	Action string `json:"action" jsonschema:"minLength=1,maxLength=100" jsonschema_description:"Operation, such as ListSites"`
}

// DescribeAPIOutput is the result of describe_api.
type DescribeAPIOutput struct {
	Action   string              `json:"action"`
	Area     string              `json:"area"`
	Effect   string              `json:"effect"`
	Call     string              `json:"call" jsonschema_description:"Tool that sends it"`
	Tools    []string            `json:"tools,omitempty" jsonschema_description:"Named tools that do this"`
	Warnings []string            `json:"warnings,omitempty"`
	Params   []string            `json:"params" jsonschema_description:"Name: type, limits; fields as Parent.Name, list elements as Name[]"`
	Models   map[string][]string `json:"models,omitempty" jsonschema_description:"Fields of the types that params name"`
	Response string              `json:"response,omitempty" jsonschema_description:"Shape of the answer"`
}

func apiTools() []Tool {
	return []Tool{
		Define(Meta{
			Name: "search_api", Title: "Search the ESA API", Toolset: "api",
			Description: "Finds operations of the whole ESA API by words. Use it when no named tool fits; describe_api then shows one.",
			ReadOnly:    Yes, Destructive: No, Idempotent: Yes, OpenWorld: No,
		}, searchAPI),
		Define(Meta{
			Name: "describe_api", Title: "Describe an ESA operation", Toolset: "api",
			Description: "Shows the parameters and the answer of one operation, for read_api and write_api.",
			ReadOnly:    Yes, Destructive: No, Idempotent: Yes, OpenWorld: No,
		}, describeAPI),
		Define(Meta{
			Name: "read_api", Title: "Call a reading ESA operation", Toolset: "api",
			Description: "Sends any operation that only reads and returns its answer, without secrets. Narrow large answers with fields or jq.",
			ReadOnly:    Yes, Destructive: No, Idempotent: Yes, OpenWorld: Yes,
		}, readAPI),
		Define(Meta{
			Name: "write_api", Title: "Call a changing ESA operation", Toolset: "api",
			Description: "Sends any operation that creates, changes or deletes. Prefer named tools, which check more.",
			ReadOnly:    No, Destructive: Yes, Idempotent: No, OpenWorld: Yes,
		}, writeAPI),
	}
}

func searchAPI(_ context.Context, _ *Deps, in SearchAPIInput) (SearchAPIOutput, error) {
	var out SearchAPIOutput
	for _, m := range searchCatalog(in.Query, cmp.Or(in.Limit, 8)) {
		op, _ := catalog.Lookup(m.Action)
		out.Matches = append(out.Matches, APIMatch{
			Action: m.Action, Area: m.Area, Effect: string(m.Effect), Params: briefParams(op), Tools: toolsThatCall(m.Action),
		})
	}
	if len(out.Matches) == 0 {
		for _, action := range catalog.Actions() {
			if op, _ := catalog.Lookup(action); !slices.Contains(out.Areas, op.Area) {
				out.Areas = append(out.Areas, op.Area)
			}
		}
		slices.Sort(out.Areas)
	}
	return out, nil
}

// searchCatalog falls back to operations that fit some of the words when none
// fits them all.
func searchCatalog(query string, limit int) []catalog.Match {
	if found := catalog.Search(query, limit); len(found) > 0 {
		return found
	}
	byAction := map[string]catalog.Match{}
	for _, word := range strings.Fields(query) {
		for _, m := range catalog.Search(word, len(catalog.Actions())) {
			m.Score += byAction[m.Action].Score
			byAction[m.Action] = m
		}
	}
	found := make([]catalog.Match, 0, len(byAction))
	for _, m := range byAction {
		found = append(found, m)
	}
	slices.SortFunc(found, func(a, b catalog.Match) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), strings.Compare(a.Action, b.Action))
	})
	return found[:min(limit, len(found))]
}

// maxBrief bounds the parameters of one match, in bytes.
const maxBrief = 240

// briefParams names the parameters on one line, required ones first.
func briefParams(op *catalog.Operation) string {
	var required, optional []string
	for _, p := range op.Params {
		switch {
		case p.System || p.Deprecated && !p.Required:
		case p.Required:
			required = append(required, p.Name+"*")
		default:
			optional = append(optional, p.Name)
		}
	}
	names := slices.Concat(required, optional)
	line := strings.Join(names, ", ")
	for dropped := 0; len(line) > maxBrief && len(names) > 1; {
		dropped, names = dropped+1, names[:len(names)-1]
		line = fmt.Sprintf("%s, and %d more", strings.Join(names, ", "), dropped)
	}
	return line
}

// toolsThatCall names the tools made for an operation, those first that name it
// early among their calls. A read that many tools begin with says nothing about
// any of them, so long lists are cut.
func toolsThatCall(action string) []string {
	const most = 4
	type caller struct {
		name string
		at   int
	}
	var callers []caller
	for _, t := range All() {
		if m := t.Meta(); slices.Contains(m.Calls, action) {
			callers = append(callers, caller{m.Name, slices.Index(m.Calls, action)})
		}
	}
	slices.SortStableFunc(callers, func(a, b caller) int { return cmp.Compare(a.at, b.at) })
	names := make([]string, 0, most)
	for _, c := range callers[:min(most, len(callers))] {
		names = append(names, c.name)
	}
	return names
}
