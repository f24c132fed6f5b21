// Package prompts holds the tasks that a person can hand to a model by name. A
// prompt brings what the server knows about the task - it asks the account through
// the tools - with the calls that come next, in English or Chinese.
//
// It knows nothing of MCP's wire: the server makes messages of the texts.
package prompts

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/esa-mcp/esa-mcp/resources/live"
	"github.com/esa-mcp/esa-mcp/tools"
)

// The languages of prompts.
const (
	english = "en"
	chinese = "zh"
)

// maxArgument is the longest argument, in characters.
const maxArgument = 2000

// Prompt is one task.
type Prompt struct {
	// Name is what a client calls it by. Title and Description are for people.
	Name, Title, Description string
	Arguments                []Argument

	write func(p *page)
}

// Argument is one argument of a prompt. All are text.
type Argument struct {
	Name, Description string
	Required          bool
	// Subject says what names complete it: one of package live, or empty. Values
	// are its completions, if they are few and fixed.
	Subject string
	Values  []string
}

// All returns every prompt, in the order in which they are listed.
func All() []Prompt {
	list := []Prompt{
		deployASite(), bindADomain(), proxyAnOrigin(), debugADomain(), writeARule(),
		trafficReport(), kvFeatureFlags(), secureASite(), migrateFromCDN(),
	}
	for i := range list {
		list[i].Arguments = append(list[i].Arguments, Argument{Name: "lang", Description: "en or zh; default en", Subject: live.Languages})
	}
	return list
}

// Names are the names of all prompts.
func Names() []string {
	var names []string
	for _, p := range All() {
		names = append(names, p.Name)
	}
	return names
}

// Invalid is the error for arguments that cannot be right.
type Invalid struct{ text string }

func (e *Invalid) Error() string { return e.text }

// Get writes the prompt for arguments. enabled are the tools of the session: the
// text says which of those it names are missing, and only they look into files. The error is an *Invalid, or
// that of ctx.
func (t Prompt) Get(ctx context.Context, l *live.Live, enabled []tools.Tool, args map[string]string) (string, error) {
	if err := t.check(args); err != nil {
		return "", err
	}
	p := &page{ctx: ctx, l: l, enabled: enabled, lang: english, args: make(map[string]string, len(args))}
	for name, value := range args {
		p.args[name] = strings.TrimSpace(value)
	}
	if p.args["lang"] == chinese {
		p.lang = chinese
	}
	t.write(p)
	if err := ctx.Err(); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return "", err
	}
	return p.text(), nil
}

// check refuses arguments that are missing, unknown or not usable: mcp-go looks at
// none of that.
func (t Prompt) check(args map[string]string) error {
	var known []string
	for _, a := range t.Arguments {
		known = append(known, a.Name)
		value := strings.TrimSpace(args[a.Name])
		switch {
		case a.Required && value == "":
			return &Invalid{fmt.Sprintf("the prompt %s needs the argument %s: %s", t.Name, a.Name, a.Description)}
		case utf8.RuneCountInString(value) > maxArgument:
			return &Invalid{fmt.Sprintf("the argument %s is longer than %d characters", a.Name, maxArgument)}
		case !utf8.ValidString(value) || strings.ContainsFunc(value, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }):
			return &Invalid{fmt.Sprintf("the argument %s has characters that cannot be shown", a.Name)}
		}
	}
	for name := range args {
		if !slices.Contains(known, name) {
			return &Invalid{fmt.Sprintf("the prompt %s has no argument %q: did you mean %q? It takes %s",
				t.Name, tools.Clean(name), tools.Nearest(name, known), strings.Join(known, ", "))}
		}
	}
	if lang := strings.TrimSpace(args["lang"]); lang != "" && lang != english && lang != chinese {
		return &Invalid{fmt.Sprintf("lang is en or zh, not %q", tools.Clean(lang))}
	}
	return nil
}

// Find returns the prompt of that name; the error names the nearest.
func Find(name string) (Prompt, error) {
	for _, p := range All() {
		if p.Name == name {
			return p, nil
		}
	}
	return Prompt{}, &Invalid{fmt.Sprintf("there is no prompt %q%s prompts/list shows all", tools.Clean(name), tools.DidYouMean(name, Names()))}
}
