// Package live shows what an account has as resources: sites with their records,
// rules, routes and certificates, routines, edge KV, and the schema of every API
// operation. It also knows the names in the account, for completions, and which
// resources a write has changed.
//
// A resource is what a tool answers, so the two cannot disagree. The package
// knows nothing of MCP's wire.
package live

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/esa-mcp/esa-mcp/internal/esa"
	"github.com/esa-mcp/esa-mcp/tools"
)

// MIMEType is that of every live resource.
const MIMEType = "application/json"

// Template is a family of resources, or a single one when it has no variables.
type Template struct {
	// URI is the address, an RFC 6570 template: esa://sites/{site}/records{?page}.
	URI string
	// Name is unique. Title and Description are for people and models.
	Name, Title, Description string

	pattern []string // segments of the path; {x} is a variable
	query   string   // the one query variable; empty for none
	read    func(ctx context.Context, l *Live, v Values) (json.RawMessage, error)
}

// Values are the variables of a resource's address, decoded.
type Values map[string]string

// Paged reports whether the resource has pages.
func (t Template) Paged() bool { return t.query != "" }

// Base is the address without its query variable.
func (t Template) Base() string {
	base, _, _ := strings.Cut(t.URI, "{?")
	return base
}

// Variables are the names in the address's path, in order.
func (t Template) Variables() []string {
	var names []string
	for _, segment := range t.pattern {
		if name, ok := variable(segment); ok {
			names = append(names, name)
		}
	}
	return names
}

func variable(segment string) (string, bool) {
	inner, ok := strings.CutPrefix(segment, "{")
	return strings.TrimSuffix(inner, "}"), ok
}

// Live reads live resources through the tools.
type Live struct {
	deps  func() (*tools.Deps, error)
	tools func() map[string]tools.Tool
	list  []Template
}

// New returns the live resources of the account that deps leads to. deps is asked
// at each read.
func New(deps func() (*tools.Deps, error)) *Live {
	return &Live{deps: deps, list: templates(), tools: sync.OnceValue(func() map[string]tools.Tool {
		byName := make(map[string]tools.Tool)
		for _, t := range tools.All() {
			byName[t.Meta().Name] = t
		}
		return byName
	})}
}

// Templates returns all templates, in the order in which they are listed.
func (l *Live) Templates() []Template { return l.list }

// NotFound is the error for an address that leads to nothing.
type NotFound struct{ text string }

func (e *NotFound) Error() string { return e.text }

// Invalid is the error for an address that cannot be right.
type Invalid struct{ text string }

func (e *Invalid) Error() string { return e.text }

func invalid(format string, a ...any) error { return &Invalid{fmt.Sprintf(format, a...)} }

// Read returns a resource as JSON. The error is an *Invalid, a *NotFound, or that
// of the tool behind the resource; its text is for the reader.
func (l *Live) Read(ctx context.Context, uri string) (json.RawMessage, error) {
	t, v, err := l.match(uri)
	if err != nil {
		return nil, err
	}
	return t.read(ctx, l, v)
}

// Decode reads what Call returned.
func Decode[T any](result json.RawMessage, err error) (T, error) {
	var out T
	if err != nil {
		return out, err
	}
	if err := json.Unmarshal(result, &out); err != nil {
		return out, fmt.Errorf("read a tool's result: %w", err)
	}
	return out, nil
}

// Call runs a tool by name, whether the session has it or not, and returns its
// result without secrets.
func (l *Live) Call(ctx context.Context, tool string, args map[string]any) (json.RawMessage, error) {
	result, err := l.exact(ctx, tool, args)
	if err != nil {
		return nil, err
	}
	var body map[string]any
	d := json.NewDecoder(strings.NewReader(string(result)))
	d.UseNumber()
	if err := d.Decode(&body); err != nil {
		return nil, fmt.Errorf("read the result of %s: %w", tool, err)
	}
	return encode(tools.Redact("", body))
}

// exact is Call for what has to come as it is.
func (l *Live) exact(ctx context.Context, tool string, args map[string]any) (json.RawMessage, error) {
	raw, err := json.Marshal(args)
	if err != nil {
		return nil, fmt.Errorf("encode the arguments of %s: %w", tool, err)
	}
	result, err := l.tools()[tool].Call(ctx, l.deps, raw)
	if err != nil {
		return nil, sorted(err)
	}
	return result, nil
}

// sorted makes a NotFound of a tool's error that says so.
func sorted(err error) error {
	var (
		failure *tools.Failure
		service *esa.Error
	)
	if !errors.As(err, &failure) {
		return err
	}
	missing := strings.HasPrefix(failure.Text, "There is no ")
	if errors.As(err, &service) {
		missing = missing || service.HTTPStatus == http.StatusNotFound ||
			strings.Contains(service.Code, "NotFound") || strings.Contains(service.Code, "NotExist")
	}
	if missing {
		return &NotFound{failure.Text}
	}
	return err
}

func encode(v any) (json.RawMessage, error) {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("encode the resource: %w", err)
	}
	return json.RawMessage(strings.TrimSpace(b.String())), nil
}

// arguments makes those of a tool for a site.
func (v Values) arguments(more map[string]any) map[string]any {
	args := map[string]any{}
	if site := v["site"]; site != "" {
		if IsID(site) {
			args["site_id"] = site
		} else {
			args["site_name"] = site
		}
	}
	if page := v["page"]; page != "" {
		args["page"] = page
	}
	maps.Copy(args, more)
	return args
}

// IsID reports whether a text is an id and not a name: digits alone.
func IsID(s string) bool {
	_, err := strconv.ParseUint(s, 10, 63)
	return err == nil
}

// Kinds are the values of {kind}: those of the tool set_rule, cache, origin, and
// the phases of security rules.
func Kinds() []string {
	return slices.Concat(tools.RuleKinds(), []string{"cache", "origin"}, tools.WafPhases())
}
