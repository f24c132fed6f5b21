package tools

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
)

// maxExample bounds one example, in characters.
const maxExample = 60

func describeAPI(_ context.Context, _ *Deps, in DescribeAPIInput) (DescribeAPIOutput, error) {
	op, err := findOperation(in.Action)
	if err != nil {
		return DescribeAPIOutput{}, err
	}
	out := DescribeAPIOutput{
		Action: op.Action, Area: op.Area, Effect: string(op.Effect),
		Call: "write_api", Tools: toolsThatCall(op.Action), Response: string(op.Response),
	}
	if isRead(op) {
		out.Call = "read_api"
	}
	out.Warnings = warningsOf(op)
	d := describer{models: map[string][]string{}}
	out.Params = d.lines("", op.Params)
	d.modelsIn(string(op.Response))
	out.Models = d.models
	if len(out.Models) == 0 {
		out.Models = nil
	}
	return out, nil
}

// findOperation finds what a model typed.
func findOperation(action string) (*catalog.Operation, error) {
	op, err := catalog.Find(strings.TrimSpace(action))
	if err != nil {
		return nil, Refuse("%w search_api finds operations by words.", err)
	}
	return op, nil
}

// isRead reports whether an operation changes nothing: some that are called Get
// make something.
func isRead(op *catalog.Operation) bool { return op.Effect == catalog.Read && !op.SideEffect }

func warningsOf(op *catalog.Operation) []string {
	var w []string
	if op.Spend {
		w = append(w, "may cost money or end something paid: ask the person first")
	}
	if op.SideEffect {
		w = append(w, "makes something, in spite of its name")
	}
	if op.SecretInResponse {
		w = append(w, "secrets in its answer are not shown")
	}
	if op.Upload {
		w = append(w, "Url names a file that has to be uploaded before")
	}
	return w
}

// describer writes parameters as lines and collects the models they name.
type describer struct{ models map[string][]string }

func (d describer) lines(parent string, params []catalog.Param) []string {
	var out []string
	for i := range params {
		p := &params[i]
		if p.System {
			continue
		}
		out = append(out, parent+p.Name+": "+facts(p))
		out = append(out, d.below(parent+p.Name, p)...)
	}
	return out
}

// below are the lines of what a parameter contains.
func (d describer) below(path string, p *catalog.Param) []string {
	switch {
	case p.Ref != "":
		d.model(p.Ref)
	case p.Items != nil:
		return d.element(path+"[]", p.Items)
	case p.Values != nil:
		return d.element(path+".*", p.Values)
	case len(p.Fields) > 0:
		return d.lines(path+".", p.Fields)
	}
	return nil
}

func (d describer) element(path string, p *catalog.Param) []string {
	var out []string
	if len(p.Fields) == 0 {
		out = append(out, path+": "+facts(p))
	}
	return append(out, d.below(path, p)...)
}

// model adds a model and those that it names.
func (d describer) model(name string) {
	fields, known := catalog.Model(name)
	if _, seen := d.models[name]; seen || !known {
		return
	}
	d.models[name] = nil // it may name itself
	d.models[name] = d.lines("", fields)
}

// modelsIn adds the models that a response names as ref:NAME.
func (d describer) modelsIn(response string) {
	for _, m := range regexp.MustCompile(`"ref:(\w+)"`).FindAllStringSubmatch(response, -1) {
		d.model(m[1])
	}
}

// facts is all that is known of a parameter, on one line.
func facts(p *catalog.Param) string {
	parts := []string{p.Type}
	if p.Ref != "" {
		parts[0] = p.Ref
	}
	add := func(format string, a ...any) { parts = append(parts, fmt.Sprintf(format, a...)) }
	if p.Required {
		add("required")
	}
	if len(p.Enum) > 0 {
		values := make([]string, len(p.Enum))
		for i, v := range p.Enum {
			values[i] = string(v)
		}
		add("one of %s", strings.Join(values, " | "))
	}
	if p.Separator != "" {
		add("several separated by %q", p.Separator)
	}
	parts = append(parts, limits(p)...)
	if len(p.Default) > 0 {
		add("default %s", example(p.Default))
	}
	if p.Secret {
		add("secret")
	}
	if p.TextOf != "" {
		add("as %s text", p.TextOf)
	}
	if p.Deprecated {
		add("deprecated")
	}
	// A secret's example is none, and an enumeration is its own.
	if len(p.Example) > 0 && len(p.Enum) == 0 && !p.Secret {
		if e := example(p.Example); e != "" {
			add("e.g. %s", e)
		}
	}
	return strings.Join(parts, ", ")
}

func limits(p *catalog.Param) []string {
	var out []string
	switch {
	case p.Min != nil && p.Max != nil:
		out = append(out, fmt.Sprintf("%d..%d", *p.Min, *p.Max))
	case p.Min != nil:
		out = append(out, fmt.Sprintf("at least %d", *p.Min))
	case p.Max != nil:
		out = append(out, fmt.Sprintf("at most %d", *p.Max))
	}
	for _, l := range []struct {
		n    int
		text string
	}{
		{p.MinLength, "at least %d characters"}, {p.MaxLength, "at most %d characters"},
		{p.MaxBytes, "at most %d bytes"}, {p.MaxItems, "at most %d elements"},
	} {
		if l.n > 0 {
			out = append(out, fmt.Sprintf(l.text, l.n))
		}
	}
	return out
}

// example is a value as a model would write it: text without quotes.
func example(raw json.RawMessage) string {
	text := string(raw)
	var s string
	if json.Unmarshal(raw, &s) == nil {
		text = s
	}
	if utf8.RuneCountInString(text) > maxExample {
		return ""
	}
	return text
}
